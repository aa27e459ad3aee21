"""Infusion reactions by course, within the arms that are infused: how many of those infused had one.

An event whose time is not known well enough to tell may be a reaction. It is no reaction and no absence of one: it is
counted by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise.analysis.counting import count_row, share_row
from equipoise.analysis.exposure import arms_with_courses
from equipoise.analysis.harms import SEVERE, highest_grades, holds
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted
from equipoise.protocol.document import Protocol
from equipoise.safety.infusion_reactions import OBSERVE_HOURS

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

ANY = "any course"
TEXT = (
    "An infusion reaction is an adverse event that began from the start of an infusion to {hours} hours after its end. "
    "Counted are participants, of those infused in that course; arms that are not infused cannot have one and are not "
    "compared."
)
POSSIBLE = (
    " {events} may have been a reaction, but the time is not known well enough to tell; who had one stands in a column "
    "of its own and in no share."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `reactions.<arm>.<course>.participants|share|events|severe|possible`, and the same for `any course`.

    `possible` are participants without a known reaction who have an event that may be one.
    """
    arms = arms_with_courses(protocol)
    if protocol.safety is None or not arms or snapshot.source != "ledger":
        return Answer()
    events = snapshot.adverse_events
    found, possible = events[holds(events["infusion_reaction"])], events[events["infusion_reaction"].isna()]
    possible = possible[possible["participant"].isin(snapshot.infusions["participant"])]
    rows: list[Row] = []
    for arm, regimens in arms.items():
        given = snapshot.infusions[snapshot.infusions["arm"] == arm]
        for course in (*(course.id for regimen in regimens for course in regimen.courses), ANY):
            own = given if course == ANY else given[given["course"] == course]
            infused = set(own["participant"])
            reactions, perhaps = (
                each[each["participant"].isin(infused) & ((course == ANY) | (each["followed_course"] == course))]
                for each in (found, possible)
            )
            rows.extend(course_rows(arm, course, infused, reactions, perhaps))
    hours = sorted({regimen.observe_hours or OBSERVE_HOURS for regimens in arms.values() for regimen in regimens})
    text = TEXT.format(hours=" or ".join(str(each) for each in hours))
    return Answer(tuple(rows), {"reactions": text + (possible_text(len(possible)) if len(possible) else "")})


def possible_text(number: int) -> str:
    """How many events may have been a reaction."""
    return POSSIBLE.format(events=counted(number, "event"))


def course_rows(
    arm: str, course: str, infused: set[str], reactions: pd.DataFrame, perhaps: pd.DataFrame
) -> Iterator[Row]:
    """The rows of one course."""
    path = ("reactions", arm, course)
    columns: dict[str, Any] = {"arm": arm, "term": course, "label": "infusion reaction"}
    n, affected = len(infused), reactions["participant"].nunique()
    severe = reactions[highest_grades(reactions) >= SEVERE]["participant"].nunique()
    yield count_row(*path, "participants", count=affected, n=n, **columns)
    yield count_row(*path, "events", count=len(reactions), n=n, **columns)
    yield count_row(*path, "severe", count=severe, n=n, **columns)
    unclear = set(perhaps["participant"]) - set(reactions["participant"])
    yield count_row(*path, "possible", count=len(unclear), n=n, **columns)
    if n:
        yield share_row(*path, count=affected, n=n, **columns)
