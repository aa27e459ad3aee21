"""Infusion reactions by course, within the arms that are infused: how many of those infused had one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise.analysis.counting import count_row, share_row
from equipoise.analysis.exposure import arms_with_courses
from equipoise.analysis.harms import SEVERE, highest_grades, holds
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

ANY = "any course"
TEXT = (
    "An infusion reaction is an adverse event that began within the hours after an infusion for which the protocol has "
    "the participant watched. Counted are participants, of those infused in that course; arms that are not infused "
    "cannot have one and are not compared."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `reactions.<arm>.<course>.participants|share|events|severe`, and the same for `any course`."""
    arms = arms_with_courses(protocol)
    if protocol.safety is None or not arms or snapshot.source != "ledger":
        return Answer()
    events = snapshot.adverse_events
    found = events[holds(events["infusion_reaction"])]
    rows: list[Row] = []
    for arm, regimens in arms.items():
        given = snapshot.infusions[snapshot.infusions["arm"] == arm]
        for course in (*(course.id for regimen in regimens for course in regimen.courses), ANY):
            own = given if course == ANY else given[given["course"] == course]
            infused = set(own["participant"])
            reactions = found if course == ANY else found[found["course"] == course]
            rows.extend(course_rows(arm, course, infused, reactions[reactions["participant"].isin(infused)]))
    return Answer(tuple(rows), {"reactions": TEXT})


def course_rows(arm: str, course: str, infused: set[str], reactions: pd.DataFrame) -> Iterator[Row]:
    """The rows of one course."""
    path = ("reactions", arm, course)
    columns: dict[str, Any] = {"arm": arm, "term": course, "label": "infusion reaction"}
    n, affected = len(infused), reactions["participant"].nunique()
    severe = reactions[highest_grades(reactions) >= SEVERE]["participant"].nunique()
    yield count_row(*path, "participants", count=affected, n=n, **columns)
    yield count_row(*path, "events", count=len(reactions), n=n, **columns)
    yield count_row(*path, "severe", count=severe, n=n, **columns)
    if n:
        yield share_row(*path, count=affected, n=n, **columns)
