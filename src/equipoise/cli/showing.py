"""What a command prints: lines for people, JSON for programs, progress on long work."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import click

Progress = Callable[[int, int], None]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    DAMAGED = 3
    STOPPED = 130


def say(text: str = "") -> None:
    """A line for a person, on standard output."""
    click.echo(text)


def say_json(value: Any) -> None:
    """A value for a program: JSON with sorted keys, on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, default=str))


def say_refusal(text: str) -> None:
    """A refusal, on standard error."""
    click.echo(text, err=True)


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error where a person watches; otherwise nothing is drawn."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows under a header, columns aligned: text to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    numeric = [all(_is_number(row[column]) for row in rows[1:]) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _is_number(text: str) -> bool:
    return text == "" or text.lstrip("-").replace(".", "", 1).rstrip("%").isdigit()
