"""A small made-up trial: eight randomised, four not, and a builder of snapshots from plain rows."""

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from equipoise.conduct.snapshots import COLUMNS, Snapshot
from equipoise.protocol import parse

PROTOCOL = (Path(__file__).parent / "small.yaml").read_text(encoding="ascii")

ARMS = {
    "01-001": "NEW",
    "01-002": "OLD",
    "01-003": "NEW",
    "01-004": "OLD",
    "01-005": "NEW",
    "01-006": "OLD",
    "01-007": "NEW",
    "01-008": "OLD",
}
CD4 = {
    "01-001": (100, 150, 200),
    "01-002": (110, 115, 120),
    "01-003": (120, 160, 230),
    "01-004": (130, 128, 140),
    "01-005": (140, 185, None),
    "01-006": (150, None, 165),
    "01-007": (105, 140, 180),
    "01-008": (None, 170, 175),
}
START = date(2020, 2, 1)


@pytest.fixture(scope="session")
def planned():
    """`planned("- {id: ..., method: ...}", ...)`: the small protocol with these analyses."""

    def build(*analyses, replace=()):
        text = PROTOCOL + "".join(f"  - {analysis}\n" for analysis in analyses)
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        return parse(text.encode())

    return build


def framed(name, records):
    rows = [[record.get(column) for column in COLUMNS[name]] for record in records]
    return pd.DataFrame(rows, columns=list(COLUMNS[name]), dtype=object)


def person(code, arm=None, **known):
    randomised = {"status": "randomised", "eligible": True, "randomised_on": START} if arm else {"status": "consented"}
    place = {"allocation_number": int(code[-3:]), "stratum": ""} if arm else {}
    return {
        "participant": code,
        "site": code[:2],
        "screened_on": START,
        "consented_on": START,
        "failed_criteria": (),
        "arm": arm,
        **randomised,
        **place,
        **known,
    }


def answer(code, visit, item, value, missing=None, corrections=0):
    text = None if value is None else str(value)
    number = float(value) if isinstance(value, int | float) else float("nan")
    form = item.partition(".")[0]
    known = {"participant": code, "visit": visit, "form": form, "repeat": 1, "item": item}
    return {**known, "value": text, "number": number, "missing": missing, "corrections": corrections}


@pytest.fixture(scope="session")
def made():
    """`made(protocol, people=..., values=...)`: a snapshot from plain records; what is not given is empty."""

    def build(protocol, *, people, values=(), visits=(), events=(), deviations=(), corrections=(), source="ledger"):
        found = framed("values", values)
        found["number"] = found["number"].astype("float64")
        return Snapshot(
            protocol=protocol,
            protocol_hash=protocol.sha256,
            position=42,
            head_hash="ab" * 32,
            as_of=datetime(2020, 6, 1, 12, tzinfo=UTC),
            rehearsal=None,
            source=source,
            software="equipoise 0.1.0",
            first_event_at=datetime(2020, 1, 2, tzinfo=UTC),
            participants=framed("participants", people),
            visits=framed("visits", visits),
            values=found,
            adverse_events=framed("adverse_events", events),
            deviations=framed("deviations", deviations),
            corrections=framed("corrections", corrections),
        )

    return build


@pytest.fixture(scope="session")
def small(made):
    """`small(protocol)`: the trial of eight with the counts above; further arguments as for `made`."""

    def build(protocol, **more):
        values = [
            answer(code, visit, "blood.cd4", value, missing=None if value is not None else "CLOT")
            for code, counts in CD4.items()
            for visit, value in zip(("m0", "m1", "m2"), counts, strict=True)
        ]
        visits = [
            {"participant": code, "visit": visit, "status": "done"} for code in CD4 for visit in ("m0", "m1", "m2")
        ]
        given = {"people": [person(code, arm) for code, arm in ARMS.items()], "values": values, "visits": visits}
        return made(protocol, **(given | {name: [*given.get(name, ()), *rows] for name, rows in more.items()}))

    return build


@pytest.fixture(scope="session")
def records():
    """The builders of single records: `records.person`, `records.answer`."""

    class Records:
        person = staticmethod(person)
        answer = staticmethod(answer)

    return Records
