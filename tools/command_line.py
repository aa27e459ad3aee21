"""The reference page of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

WIDTH = 100


def command_line_page() -> str:
    """docs/reference/command-line.md."""
    from equipoise.cli.app import equipoise

    settings = {**equipoise.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(equipoise, info_name="equipoise", **settings)
    return "\n".join(["# The command line\n", *command_sections(equipoise, context)])


def command_sections(command: click.Command, context: click.Context) -> Iterator[str]:
    """A section for the command as its own `--help` words it, then one for each command below it."""
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.commands[name]
            yield from command_sections(below, click.Context(below, parent=context, info_name=name))
