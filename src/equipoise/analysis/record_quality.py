"""How complete and how clean the record is: values present, visits kept, corrections, missing codes, deviations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from equipoise.analysis.counting import count_row, free
from equipoise.analysis.datasets import visits_of
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `complete.<item>.<visit>.<arm>`, `visits.…`, `quality.…` and, from a ledger, `deviations.…`."""
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    rows = [*completeness(protocol, snapshot, people), *values_kept(protocol, snapshot)]
    if snapshot.source == "ledger":
        rows += [*visits_kept(protocol, snapshot, people), *deviations(protocol, snapshot, people)]
    return Answer(tuple(rows))


def completeness(protocol: Protocol, snapshot: Snapshot, people: pd.DataFrame) -> Iterator[Row]:
    """How many of those randomised have each outcome's value at each of its visits."""
    wanted: dict[str, set[str]] = {}
    for outcome in protocol.outcomes:
        wanted.setdefault(outcome.variable, set()).update(visits_of(protocol, outcome))
    for item, visits in wanted.items():
        known = snapshot.item(item)
        known = known[known["value"].notna()]
        for visit in (visit.id for visit in protocol.visits if visit.id in visits):
            there = known.loc[known["visit"] == visit, "participant"]
            for arm in protocol.arm_ids:
                members = people.loc[people["arm"] == arm, "participant"]
                count = int(members.isin(there).sum())
                columns = {"arm": arm, "visit": visit, "outcome": item, "label": "values known"}
                yield count_row("complete", item, visit, arm, count=count, n=len(members), **columns)


def values_kept(protocol: Protocol, snapshot: Snapshot) -> Iterator[Row]:
    """Values, corrections and missing codes in the whole record."""
    values = snapshot.values
    total = len(values)
    yield count_row("quality", "values", count=int(values["value"].notna().sum()), n=total, label="values recorded")
    if snapshot.source == "ledger":
        corrected = int((values["corrections"] > 0).sum())
        yield count_row("quality", "corrections", count=len(snapshot.corrections), label="corrections made")
        yield count_row("quality", "corrected", count=corrected, n=total, label="values corrected at least once")
    for code, text in protocol.missing_codes.items():
        count = int((values["missing"] == code).sum())
        yield count_row("quality", "missing", code, count=count, n=total, term=code, label=text)


def visits_kept(protocol: Protocol, snapshot: Snapshot, people: pd.DataFrame) -> Iterator[Row]:
    """Visits of those randomised, by what became of them, and done ones that fell outside their window."""
    visits = snapshot.visits[snapshot.visits["participant"].isin(people["participant"])]
    planned = visits[visits["visit"].isin([visit.id for visit in protocol.visits])]
    for status in ("done", "missed", "withdrawn", "due", "pending"):
        count = int((planned["status"] == status).sum())
        yield count_row("visits", status, count=count, n=len(planned), label=f"visits {status}")
    done = planned[planned["status"] == "done"]
    outside = int((done["in_window"] == False).sum())  # noqa: E712 (None is neither)
    yield count_row("visits", "out_of_window", count=outside, n=len(done), label="done visits outside their window")


def deviations(protocol: Protocol, snapshot: Snapshot, people: pd.DataFrame) -> Iterator[Row]:
    """Protocol deviations in all, and by category and arm of those randomised."""
    found = snapshot.deviations
    major = int(found["major"].astype(bool).sum())
    yield count_row("deviations", "total", count=len(found), label="protocol deviations")
    yield count_row("deviations", "major", count=major, n=len(found), label="major protocol deviations")
    others = sorted(set(found["category"]) - set(protocol.deviations))
    for category in (*protocol.deviations, *others):
        here = found[found["category"] == category]
        label = protocol.deviations.get(category, category)
        step = free(category, ("total", "major"))
        yield count_row("deviations", step, count=len(here), n=len(found), term=category, label=label)
        for arm in protocol.arm_ids:
            members = people.loc[people["arm"] == arm, "participant"]
            there = here[here["participant"].isin(members)]
            columns = {"arm": arm, "term": category, "label": label}
            path = ("deviations", step, arm)
            yield count_row(*path, count=len(there), n=len(found), **columns)
            yield count_row(*path, "participants", count=there["participant"].nunique(), n=len(members), **columns)
