"""Vital signs around infusions, by course: the last before the start, and the furthest from the start on.

What is furthest depends on the sign: the highest temperature, pressures, pulse and respiration, the lowest systolic
pressure and oxygen saturation. An infusion without a value on one side of its start is not counted on that side.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from equipoise.analysis.counting import five_number_rows
from equipoise.analysis.exposure import arms_with_courses
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.conduct.watching import PLAUSIBLE
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

BEFORE, HIGHEST, LOWEST = "before", "highest", "lowest"
FURTHEST = {
    "temperature": (HIGHEST,),
    "systolic": (HIGHEST, LOWEST),
    "diastolic": (HIGHEST,),
    "pulse": (HIGHEST,),
    "respiration": (HIGHEST,),
    "saturation": (LOWEST,),
}
TEXT = (
    "Of each infusion the last value before its start, and the highest or lowest from its start on; across infusions "
    "the median and the range."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `vitals.<arm>.<course>.<sign>.before|highest|lowest.median` and their `lowest`, `q1`, `q3`, `highest`."""
    signs = snapshot.infusion_vital_signs
    if signs.empty:
        return Answer()
    rows: list[Row] = []
    for arm, regimens in arms_with_courses(protocol).items():
        given = snapshot.infusions[snapshot.infusions["arm"] == arm]
        for course in (course.id for regimen in regimens for course in regimen.courses):
            people = given.loc[given["course"] == course, "participant"]
            own = signs[(signs["course"] == course) & signs["participant"].isin(people)]
            rows.extend(course_rows(arm, course, own.sort_values("minutes", kind="stable")))
    return Answer(tuple(rows), {"vitals": TEXT})


def course_rows(arm: str, course: str, signs: pd.DataFrame) -> Iterator[Row]:
    """The rows of one course: `signs` in the order of their minutes."""
    for sign, sides in FURTHEST.items():
        _, _, unit = PLAUSIBLE[sign]
        known = signs[signs[sign].notna()]
        for side in (BEFORE, *sides):
            of_side = known[(known["minutes"] < 0) == (side == BEFORE)]
            grouped = of_side[sign].astype("float64").groupby(of_side["participant"])
            values = {BEFORE: grouped.last, HIGHEST: grouped.max, LOWEST: grouped.min}[side]()
            label = f"{sign}, {'last before the start' if side == BEFORE else f'{side} from the start on'}"
            path = ("vitals", arm, course, sign, side)
            yield from five_number_rows(path, values, unit, label=label, arm=arm, term=course)
