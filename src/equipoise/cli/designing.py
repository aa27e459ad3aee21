"""Commands that help to design a trial."""

from __future__ import annotations

from pathlib import Path

import click

from equipoise.cli.showing import say, say_json, table
from equipoise.cli.starting import protocol_path


@click.group()
def design() -> None:
    """Compare designs before the protocol is final."""


@design.command()
@click.argument("protocol", type=click.Path(path_type=Path))
@click.option("--n", type=click.IntRange(2, 100_000), help="Participants; without it the protocol's planned number.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def randomisation(protocol: Path, n: int | None, as_json: bool) -> None:
    """Compare methods of allocation for PROTOCOL: balance, and how well the next arm can be guessed."""
    from equipoise.design import compare_methods
    from equipoise.protocol import load

    comparison = compare_methods(load(protocol_path(protocol)), n=n)
    if as_json:
        say_json(comparison.as_json())
        return
    say(table(comparison.as_table()))
    for note in comparison.notes:
        say(note)
