"""Grade one laboratory value: which circumstances decide, which ladders hold, what is said when something is missing.

Every comparison is of whole numbers: values, limits and multiples are decimals brought to one power of ten, so that 22
is 1.1 x 20. The same `decide` works on arrays of machine integers, for a million values, and on Python's own integers,
for a number of any length.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.safety.circumstances import LabValue, circumstances_of
from equipoise.safety.deciding import decide
from equipoise.safety.planning import plan_for
from equipoise.safety.plans import NOT_GRADABLE, Grading, Plan, Unanswered, joined
from equipoise.safety.readings import Numbers, Reading, limits_of, read_number
from equipoise.safety.scales import Scale


def grade_value(scale: Scale, value: LabValue, *, unanswered: Unanswered = "certain") -> Grading:
    """Grade one laboratory value.

    Args:
        scale: the scale, from `scale_named`, `read_scale_file` or `scale_of`.
        value: the value and what decides its grade.
        unanswered: `certain` takes the grade that holds for every answer to a qualifier that was not answered,
            `worst` the worst; the note says both.
    """
    limits, numbers = limits_of(value.lln, value.uln, value.baseline)
    plan = plan_for(scale, circumstances_of(scale, value), limits, unanswered)
    if plan.settled is not None:
        return plan.settled
    reading = read_number(value.value)
    if reading is None:
        return unreadable(plan, value.value)
    return graded(plan, [reading], [numbers])[0]


def unreadable(plan: Plan, text: str) -> Grading:
    """The answer to a value that is no number."""
    shown = text.strip()
    problem = f"no number: value = {shown}; write digits with a point" if shown else "value is missing"
    return Grading(NOT_GRADABLE, "", f"{plan.label}, {'; '.join(plan.terms)}", joined([problem, *plan.notes]))


def graded(plan: Plan, readings: Sequence[Reading], numbers: Sequence[Numbers]) -> list[Grading]:
    """Grade numbers, or all that lies on one side of them, by a plan that is not settled.

    Grades change at limits only, so that for a detection limit each limit and one value between each two neighbours
    show every grade that it may have.

    Args:
        plan: how to grade.
        readings: the values.
        numbers: of each its LLN, ULN and baseline; 0 where not usable.
    """
    exponents = [int(number.as_tuple().exponent) for reading in readings for number in (reading.number,)]
    exponents += [int(number.as_tuple().exponent) for row in numbers for number in row]
    finer = plan.places + 1  # one more place than any limit has, for a value between two limits
    places = finer + max(0, *(-exponent for exponent in exponents))
    probes: list[int] = []
    ends: list[int] = []
    limits: list[tuple[int, int, int]] = []
    for reading, row in zip(readings, numbers, strict=True):
        scaled = _scaled(row, places)
        edge = int(reading.number.scaleb(places))
        found = _beside(plan, reading.sign, edge, scaled, places) if reading.sign else [edge]
        probes += found
        limits += [scaled] * len(found)
        ends.append(len(probes))
    if not probes:
        return [_below_zero(plan)] * len(readings)
    largest = max(*probes, *(limit for row in limits for limit in row))
    kind = np.int64 if plan.fits_machine(largest, places) else object
    lln, uln, base = (np.array(column, dtype=kind) for column in zip(*limits, strict=True))
    codes = decide(plan, np.array(probes, dtype=kind), lln, uln, base, places).tolist()
    starts = [0, *ends[:-1]]
    return [
        _of_all(plan, reading, codes[start:end]) for reading, start, end in zip(readings, starts, ends, strict=True)
    ]


def _scaled(numbers: Numbers, places: int) -> tuple[int, int, int]:
    lln, uln, base = (int(number.scaleb(places)) for number in numbers)
    return lln, uln, base


def _beside(plan: Plan, sign: str, edge: int, limits: tuple[int, int, int], places: int) -> list[int]:
    """Values on one side of an edge, ascending: every limit there, and one between each two."""
    by_reference = {"": 10**places, "LLN": limits[0], "ULN": limits[1], "BASE": limits[2]}
    cuts = {0, edge, limits[0], limits[1]}
    cuts |= {factor * by_reference[reference] // 10**plan.places for factor, reference in plan.cuts}
    probes = sorted({cut + step for cut in cuts for step in (-1, 0, 1) if cut + step >= 0})
    if sign.startswith("<"):
        return [probe for probe in probes if probe < edge or (probe == edge and sign == "<=")]
    return [probe for probe in probes if probe > edge or (probe == edge and sign == ">=")]


def _of_all(plan: Plan, reading: Reading, codes: Sequence[int]) -> Grading:
    """The one grade of all that a reading may be; not gradable when there are several."""
    if not reading.sign:
        return plan.told(codes[0])
    if not codes:
        return _below_zero(plan)
    found = {plan.told(code).grade for code in codes}
    shown = f"{reading.sign} {format(reading.number, 'f')}"
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    if len(found) == 1:
        nearest = plan.told(codes[-1] if reading.sign.startswith("<") else codes[0])
        note = joined([f"all values {shown} have this grade", nearest.note])
        return Grading(nearest.grade, nearest.direction, nearest.rule, note)
    grades = sorted(found)
    several = f"{', '.join(grades[:-1])} or {grades[-1]}"
    problem = f"not exact enough: values {shown} may have grade {several}; report a more exact value"
    return Grading(NOT_GRADABLE, "", about, joined([problem, *plan.notes]))


def _below_zero(plan: Plan) -> Grading:
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    return Grading(NOT_GRADABLE, "", about, joined(["the value lies below 0; correct it", *plan.notes]))
