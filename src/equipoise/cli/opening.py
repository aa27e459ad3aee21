"""Open a trial as a command names it: a folder, perhaps a database, and the moment that is asked for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.conduct import Snapshot

LONGEST_POSITION = 18  # digits, as in an anchor


def trial_at(folder: Path, as_of: str | None, database: str | None) -> tuple[Snapshot, str]:
    """The trial at a moment, and what marks its files: nothing at the head, `-412` at an earlier position."""
    from equipoise.conduct import open_trial, snapshot

    trial = open_trial(folder, database_url=database)
    try:
        taken = snapshot(trial, as_of=None if as_of is None else _moment(as_of))
        with trial.ledger.reading() as reader:
            at_head = as_of is None or taken.position == reader.head.seq
    finally:
        trial.close()
    return taken, "" if at_head else f"-{taken.position}"


def _moment(text: str) -> int | datetime:
    """A ledger position or a UTC time."""
    from datetime import UTC

    if text.isascii() and text.isdigit() and len(text) <= LONGEST_POSITION:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        remedy = "give a position such as 412 or a UTC time such as 2018-06-30T12:00"
        raise Refusal("--as-of", text, "is neither a position nor a time", remedy) from None
