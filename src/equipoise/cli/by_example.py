"""A command that lacks what it cannot do without: it is refused with a whole example, not with the grammar alone."""

from __future__ import annotations

from typing import Any

import click

from equipoise.refusals import Refusal


class ByExample(click.Command):
    """A command with something that must be given.

    Args:
        example: the command as it could be typed, with everything that must be given.
        settings: those of any command.
    """

    def __init__(self, *settings: Any, example: str, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.example = example

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what was typed.

        Raises:
            Refusal: something that must be given is missing.
        """
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as missing:
            raise Refusal(_name(missing.param), None, "is missing", f"write it as in `{self.example}`") from None


def _name(lacking: click.Parameter | None) -> str:
    """What is missing, as the command's help calls it."""
    assert lacking is not None, "a command misses what it declares"
    return lacking.opts[0] if isinstance(lacking, click.Option) else lacking.human_readable_name
