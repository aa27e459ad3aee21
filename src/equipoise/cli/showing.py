"""What a command prints: lines for people, JSON for programs, progress on long work."""

from __future__ import annotations

import codecs
import contextlib
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import click

from equipoise.refusals import Refusal

Progress = Callable[[int, int], None]

PLAINLY = "equipoise.plainly"
TYPEWRITTEN = {"−": "-", "–": "-", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "≤": "<=", "≥": ">=", "×": "x"}


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    DAMAGED = 3
    STOPPED = 130


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as 1 donor or 2 donors."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def say(text: str = "") -> None:
    """A line for a person, on standard output."""
    _print(text)


def say_json(value: Any) -> None:
    """A value for a program: JSON with sorted keys, on standard output."""
    say_json_text(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2, default=str))


def say_json_text(text: str) -> None:
    """JSON for a program, on standard output: always UTF-8, whatever the terminal's own encoding."""
    _print(text.encode("utf-8", "backslashreplace"))  # half a pair, of a file's name, is an escape in JSON too


def say_refusal(text: str) -> None:
    """A refusal or a remark, on standard error."""
    with contextlib.suppress(OSError):  # the exit code still tells
        click.echo(text, err=True)


def _print(text: str | bytes) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:  # `equipoise log DIR | head`: what follows goes nowhere, the exit code stays true
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        problem = f"cannot be written ({error.strerror})"
        raise Refusal("standard output", None, problem, "make room, or send it elsewhere") from None


def print_what_can_be_printed() -> None:
    """Let no character that the terminal's encoding lacks stop a command: it is printed plainly, or escaped."""
    codecs.register_error(PLAINLY, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAINLY)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """A minus sign stays a minus sign, and an ellipsis three dots; what has no such form is escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(TYPEWRITTEN.get(each) or ascii(each)[1:-1] for each in lost), error.end


def pasted(path: Path) -> str:
    """A path as it can be pasted into a command."""
    return shlex.quote(str(path)) if os.name == "posix" else f'"{path}"'


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
