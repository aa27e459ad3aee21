"""Keep the ledger's head outside the ledger.

A chain does not show that its tail was cut, or that its owner wrote all of it anew. A head that was printed on a
report, or kept in a file by someone else, does.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from equipoise.ledger.canonical import utc_text, utc_time
from equipoise.ledger.events import Head
from equipoise.refusals import Refusal

TITLE = "Equipoise ledger anchor 1"
FORM = re.compile(TITLE + r"\nposition: (0|[1-9][0-9]{0,17})\nhash: ([0-9a-f]{64})\nat: (\S+)\n")

LONGEST = 1000  # characters, more than any anchor has


class NotAnAnchor(Refusal):
    """A file that does not hold an anchor."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """The ledger's head as it was seen at a time: position (seq), hash (64 hex digits), UTC time of looking."""

    position: int
    hash: str
    at: datetime

    @classmethod
    def of(cls, head: Head, at: datetime) -> "Anchor":
        """The anchor of a head seen at `at` (UTC)."""
        return cls(head.seq, head.hash, at)

    def text(self) -> str:
        """The anchor as four lines of text; the form is in docs/methods/ledger.md.

        Raises:
            NotUtc: when `at` is not UTC.
        """
        return f"{TITLE}\nposition: {self.position}\nhash: {self.hash}\nat: {utc_text(self.at)}\n"

    def write(self, path: Path) -> None:
        """Write the anchor to a file of its own.

        Raises:
            NotAnAnchor: when something stands at the path already: an anchor is kept, not written over.
            NotUtc: when `at` is not UTC.
        """
        text = self.text()
        try:
            with path.open("x", encoding="ascii", newline="\n") as file:
                file.write(text)
        except FileExistsError as error:
            raise NotAnAnchor(
                "anchor", path, "is there already", "keep it and give the new anchor another name"
            ) from error
        except OSError as error:
            raise NotAnAnchor(
                "anchor", path, "cannot be written", "name a file in a folder you can write to"
            ) from error

    @classmethod
    def read(cls, path: Path) -> "Anchor":
        """The anchor in a file.

        Raises:
            NotAnAnchor: when the file cannot be read or does not have the form.
        """
        try:
            with path.open(encoding="ascii") as file:
                text = file.read(LONGEST)
        except (OSError, UnicodeDecodeError) as error:
            raise NotAnAnchor(
                "anchor", path, "cannot be read as text", "name the file that holds the anchor"
            ) from error
        match = FORM.fullmatch(text)
        if match is None:
            raise NotAnAnchor("anchor", path, f"does not have the four lines of “{TITLE}”", "name an anchor file")
        position, hash_, at = match.groups()
        try:
            return cls(int(position), hash_, utc_time(at))
        except ValueError as error:
            raise NotAnAnchor("anchor", path, f"says at: {at}, which is no UTC time", "name an anchor file") from error
