"""What participants were given: infusions against courses planned, dose against plan, lots and donors, refusals.

CONSORT 2025 items 24a and 27. Counted is every infusion that was started.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise.analysis.counting import count_row, five_number_rows
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol
from equipoise.protocol.interventions import Regimen

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

DOSES = {
    "viable_nk": ("viable NK cells given", "10*6", 1e6),
    "dose_share": ("dose given as a share of the planned", "1", 1.0),
    "cd3_per_kg": ("CD3+ cells given per kg", "10*3/kg", 1e3),
    "endotoxin_per_kg": ("endotoxin given per kg", "[EU]/kg", 1.0),
}
"""What is given: its name, the unit of its rows and how much of the record's unit that is."""
TEXT = (
    "Every infusion that was started counts as given. The dose given is that of the cells in the volume infused. "
    "Medians and quartiles by linear interpolation between order statistics (R's type 7)."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `exposure.<arm>.…` of each arm with courses, `exposure.<arm>.<course>.…`, `exposure.refusals.…`.

    Of an arm: `participants`, `courses`, `lots`, `donors`; of a course: `given`, `completed`, `in_window`, `within`,
    `missed`, `lots`, `donors` and `<dose>.lowest|q1|median|q3|highest`.
    """
    arms = arms_with_courses(protocol)
    if not arms or snapshot.source != "ledger":
        return Answer()
    people = snapshot.participants
    rows = [
        row
        for arm, regimens in arms.items()
        for row in arm_rows(snapshot, arm, regimens, int((people["arm"] == arm).sum()))
    ]
    return Answer((*rows, *refusal_rows(snapshot.infusion_refusals)), {"exposure": TEXT})


def arms_with_courses(protocol: Protocol) -> dict[str, tuple[Regimen, ...]]:
    """The arms that are given courses of a product, each with its regimens."""
    regimens = {regimen.id: regimen for regimen in protocol.regimens}
    found: dict[str, tuple[Regimen, ...]] = {}
    for arm in protocol.arms:
        own = [part.regimen for part in protocol.interventions if part.id in arm.interventions]
        if chosen := tuple(regimens[id] for id in own if id in regimens):
            found[arm.id] = chosen
    return found


def arm_rows(snapshot: Snapshot, arm: str, regimens: tuple[Regimen, ...], n: int) -> Iterator[Row]:
    """The rows of one arm."""
    given = snapshot.infusions[snapshot.infusions["arm"] == arm]
    courses = [(course.id, regimen) for regimen in regimens for course in regimen.courses]
    people = set(snapshot.participants.loc[snapshot.participants["arm"] == arm, "participant"])
    path = ("exposure", arm)
    yield count_row(*path, "participants", count=given["participant"].nunique(), n=n, arm=arm, label="infused")
    yield count_row(*path, "courses", count=len(given), n=n * len(courses), arm=arm, label="courses given of planned")
    yield from source_rows(path, given, arm)
    for course, regimen in courses:
        missed = snapshot.missed_courses
        own_missed = missed[(missed["course"] == course) & missed["participant"].isin(people)]
        yield from course_rows(arm, course, regimen, given[given["course"] == course], n)
        yield count_row(*path, course, "missed", count=len(own_missed), n=n, arm=arm, term=course, label="missed")


def course_rows(arm: str, course: str, regimen: Regimen, given: pd.DataFrame, n: int) -> Iterator[Row]:
    """The rows of one course of one arm."""
    path = ("exposure", arm, course)
    columns: dict[str, Any] = {"arm": arm, "term": course}
    number = len(given)
    yield count_row(*path, "given", count=number, n=n, label="given", **columns)
    for name, label in (("completed", "completed"), ("in_window", "in its window")):
        yield count_row(*path, name, count=int(given[name].eq(True).sum()), n=number, label=label, **columns)
    deviation = float(regimen.dose.allowed_deviation)
    share = given["dose_share"].dropna().astype("float64")
    within = int(((share - 1).abs() <= deviation + 1e-12).sum())  # a hair for binary fractions
    yield count_row(*path, "within", count=within, n=len(share), label="dose within the allowed deviation", **columns)
    yield from source_rows(path, given, arm)
    for name, (label, unit, size) in DOSES.items():
        values = given[name].dropna().astype("float64") / size
        yield from five_number_rows((*path, name), values, unit, label=label, **columns)


def source_rows(path: tuple[str, ...], given: pd.DataFrame, arm: str) -> Iterator[Row]:
    """From how many lots and donors the infusions came."""
    for name, column in (("lots", "lot"), ("donors", "donor")):
        yield count_row(*path, name, count=given[column].nunique(), n=len(given), arm=arm, label=f"{name} used")


def refusal_rows(refusals: pd.DataFrame) -> Iterator[Row]:
    """How many attempts to start an infusion were refused, and for which reasons; an attempt may have several."""
    attempts = refusals[["participant", "bag", "at"]].drop_duplicates()
    yield count_row("exposure", "refusals", count=len(attempts), label="attempts refused")
    for code in sorted(set(refusals["code"])):
        found = refusals[refusals["code"] == code][["participant", "bag", "at"]].drop_duplicates()
        yield count_row("exposure", "refusals", str(code), count=len(found), n=len(attempts), term=str(code))
