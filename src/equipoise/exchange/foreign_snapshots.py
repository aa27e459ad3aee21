"""Data of another system as a snapshot: everyone in it is randomised, and only what the file tells is known."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

import pandas as pd

from equipoise import __version__
from equipoise.conduct.snapshots import COLUMNS, Snapshot
from equipoise.protocol.document import Protocol
from equipoise.protocol.forms import NUMERIC_TYPES

ABSENT = "no row in the data"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One participant's answer to one item at a visit; the value is the file's text, None where it has none."""

    participant: str
    visit: str
    item: str
    value: str | None


def foreign_snapshot(
    protocol: Protocol,
    arms: Mapping[str, str],
    seen: Collection[tuple[str, str]],
    measurements: Sequence[Measurement],
    *,
    source: str,
    head_hash: str,
) -> Snapshot:
    """A snapshot at position 0.

    Args:
        protocol: that maps the data.
        arms: each participant's arm.
        seen: each participant and visit that has a row.
        measurements: each participant, visit and item once.
        source: the file's name and hash.
        head_hash: the file's SHA-256.
    """
    moment = datetime.combine(protocol.protocol.date, time(), UTC)
    return Snapshot(
        protocol=protocol,
        protocol_hash=protocol.sha256,
        position=0,
        head_hash=head_hash,
        as_of=moment,
        rehearsal=None,
        source=source,
        software=f"equipoise {__version__}",
        first_event_at=moment,
        participants=frame("participants", participants(arms)),
        visits=frame("visits", visits(protocol, arms, seen)),
        values=values(protocol, measurements),
        adverse_events=frame("adverse_events", ()),
        deviations=frame("deviations", ()),
        corrections=frame("corrections", ()),
    )


def frame(name: str, records: Sequence[Mapping[str, Any]] | Iterator[Mapping[str, Any]]) -> pd.DataFrame:
    """A frame of the snapshot; what a record does not name is None."""
    columns = COLUMNS[name]
    rows = [[record.get(column) for column in columns] for record in records]
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


def participants(arms: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """One record for each participant, by code."""
    for participant in sorted(arms):
        known = {"participant": participant, "status": "randomised", "arm": arms[participant]}
        yield {**known, "failed_criteria": ()}


def visits(protocol: Protocol, arms: Mapping[str, str], seen: Collection[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Each participant's visits from baseline on: done where the file has a row, otherwise missed."""
    screening = {visit.id for visit in protocol.screening_visits}
    for participant in sorted(arms):
        for visit in protocol.visits:
            done = (participant, visit.id) in seen
            if done or visit.id not in screening:
                known = {"participant": participant, "visit": visit.id}
                yield {**known, "status": "done" if done else "missed", "reason": None if done else ABSENT}


def values(protocol: Protocol, measurements: Sequence[Measurement]) -> pd.DataFrame:
    """The known answers, sorted by participant and visit."""
    rank = {visit.id: place for place, visit in enumerate(protocol.visits)}
    items = protocol.items
    known = (measured for measured in measurements if measured.value is not None)
    records = [
        {
            "participant": measured.participant,
            "visit": measured.visit,
            "form": measured.item.partition(".")[0],
            "repeat": 1,
            "item": measured.item,
            "value": measured.value,
            "number": float(str(measured.value)) if items[measured.item].type in NUMERIC_TYPES else float("nan"),
            "unit": items[measured.item].unit,
            "corrections": 0,
        }
        for measured in sorted(known, key=lambda measured: (measured.participant, rank[measured.visit]))
    ]
    found = frame("values", records)
    found["number"] = found["number"].astype("float64")
    return found
