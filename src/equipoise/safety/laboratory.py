"""What follows from graded laboratory values: baseline, worst grade, emergence, recovery, shifts, and the liver.

Each function looks at one participant and one parameter, or at the peaks of one participant. A grade counts in one
direction at a time: a potassium that was too low and is too high is worse than baseline upward.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from equipoise.refusals import Refusal

Moment = date | datetime
Direction = Literal["L", "H"]
Injury = Literal["hepatocellular", "mixed", "cholestatic"]
Quadrant = Literal["Hy's law", "cholestasis", "Temple's corollary", "neither"]

ALT_LINE, BILIRUBIN_LINE, ALP_LINE = 3, 2, 2  # multiples of ULN
HEPATOCELLULAR, CHOLESTATIC = 5, 2  # R ratio, at least and at most


@dataclass(frozen=True, slots=True)
class LabPoint:
    """One value of one parameter in one participant.

    Args:
        at: when the specimen was taken; a date when no time is known.
        value: as recorded; None when it is no plain number.
        grade: 0 to 4; None when it was not graded or not gradable.
        direction: L or H with a grade of 1 or more, otherwise "".
        early: whether it counts as before treatment when that began on the same day and a time is not known.
    """

    at: Moment
    value: Decimal | None
    grade: int | None
    direction: str = ""
    early: bool = True

    def is_before(self, moment: Moment) -> bool:
        """Whether it was taken before a moment."""
        return is_before(self.at, moment, early=self.early)

    def grade_towards(self, direction: Direction) -> int | None:
        """The grade in one direction: 0 when the value is graded in the other."""
        return self.grade if self.grade is None or self.direction in ("", direction) else 0


def baseline_moment(first_infusion: Moment | None, randomised: Moment) -> Moment:
    """What baseline comes before: the first infusion, or randomisation where none was given. The same in every arm."""
    return randomised if first_infusion is None else first_infusion


def is_before(at: Moment, moment: Moment, *, early: bool = True) -> bool:
    """Whether a specimen was taken before a moment; where a time is missing, `early` says it of one of the same day."""
    if isinstance(at, datetime) and isinstance(moment, datetime):
        return at < moment
    return _day(at) < _day(moment) or (early and _day(at) == _day(moment))


def baseline_of(points: Iterable[LabPoint], moment: Moment) -> LabPoint | None:
    """The last point with a value before the moment of `baseline_moment`; None when there is none."""
    before = [point for point in points if point.value is not None and point.is_before(moment)]
    return max(before, key=lambda point: _order(point.at), default=None)


def worst_after(points: Iterable[LabPoint], moment: Moment, direction: Direction) -> LabPoint | None:
    """The first point with the highest grade after the moment; None when none was graded."""
    after = [
        point
        for point in sorted(points, key=lambda point: _order(point.at))
        if point.grade is not None and not point.is_before(moment)
    ]
    return max(after, key=lambda point: point.grade_towards(direction) or 0, default=None)


def is_emergent(baseline: int | None, worst: int | None) -> bool | None:
    """Whether a grade is worse than at baseline; None when that cannot be known."""
    if worst == 0:
        return False
    return None if worst is None or baseline is None else worst > baseline


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a worst grade went back. `on` is None while it has not; then `days` runs to the last graded point."""

    from_grade: int
    since: Moment
    on: Moment | None
    days: int


def recovery_of(points: Sequence[LabPoint], moment: Moment, direction: Direction) -> Recovery | None:
    """How long the worst grade after the moment took to go back to the baseline's grade or to grade 1.

    Returns:
        None when there is nothing to recover from: a worst grade of at most 1, or not above the baseline's.
    """
    baseline = baseline_of(points, moment)
    at_baseline = (baseline.grade_towards(direction) if baseline else None) or 0
    worst = worst_after(points, moment, direction)
    grade = worst.grade_towards(direction) if worst else None
    if worst is None or grade is None or grade <= max(1, at_baseline):
        return None
    later = sorted(
        (point for point in points if point.grade is not None and _order(point.at) > _order(worst.at)),
        key=lambda point: _order(point.at),
    )
    for point in later:
        if (point.grade_towards(direction) or 0) <= max(1, at_baseline):
            return Recovery(grade, worst.at, point.at, _days(worst.at, point.at))
    last = later[-1].at if later else worst.at
    return Recovery(grade, worst.at, None, _days(worst.at, last))


def shift_table(pairs: Iterable[tuple[Hashable, Hashable]]) -> dict[tuple[Hashable, Hashable], int]:
    """How many participants went from each state at baseline to each worst state after it.

    States are grades, None for a missing one, or low, normal and high at baseline (CTCAE, whose grades of enzymes
    rest on the baseline itself).
    """
    return dict(Counter(pairs))


@dataclass(frozen=True, slots=True)
class CorrectedCalcium:
    """Calcium as measured and as corrected for albumin; both are kept."""

    measured: Decimal
    corrected: Decimal
    unit: str


def corrected_calcium(calcium: Decimal, unit: str, albumin: Decimal, albumin_unit: str) -> CorrectedCalcium:
    """Calcium corrected for albumin: 0.8 mg/dL for each g/dL below 4.0, or 0.02 mmol/L for each g/L below 40.

    Raises:
        Refusal: another unit.
    """
    if unit not in ("mg/dL", "mmol/L"):
        raise Refusal("unit", unit, "is not a unit of calcium that can be corrected", "give mg/dL or mmol/L")
    if albumin_unit not in ("g/dL", "g/L"):
        raise Refusal("albumin_unit", albumin_unit, "is not a unit of albumin that is known", "give g/dL or g/L")
    grams_per_litre = albumin * 10 if albumin_unit == "g/dL" else albumin
    step = Decimal("0.08") if unit == "mg/dL" else Decimal("0.02")
    return CorrectedCalcium(calcium, calcium + step * (40 - grams_per_litre), unit)


@dataclass(frozen=True, slots=True)
class LiverValue:
    """A liver value and what it is a multiple of: ULN for eDISH, the participant's baseline for mDISH."""

    test: Literal["ALT", "AST", "ALP", "BILI"]
    value: Decimal
    reference: Decimal

    @property
    def multiple(self) -> Fraction:
        """Exactly how many times the reference."""
        return Fraction(self.value) / Fraction(self.reference)


@dataclass(frozen=True, slots=True)
class LiverPeaks:
    """The highest multiples of one participant, at any time; None where none was measured."""

    alt: Fraction | None
    ast: Fraction | None
    alp: Fraction | None
    bilirubin: Fraction | None

    @property
    def aminotransferase(self) -> Fraction | None:
        """The higher of ALT and AST."""
        return max((peak for peak in (self.alt, self.ast) if peak is not None), default=None)

    @property
    def quadrant(self) -> Quadrant | None:
        """Where the participant stands in eDISH: ALT or AST from 3, bilirubin from 2."""
        liver, bilirubin = self.aminotransferase, self.bilirubin
        if liver is None or bilirubin is None:
            return None
        if bilirubin >= BILIRUBIN_LINE:
            return "Hy's law" if liver >= ALT_LINE else "cholestasis"
        return "Temple's corollary" if liver >= ALT_LINE else "neither"

    @property
    def is_hys_law_candidate(self) -> bool | None:
        """ALT or AST at least 3 x ULN with bilirubin at least 2 x ULN and ALP below 2 x ULN; None when not known."""
        if self.quadrant is None:
            return None
        if self.quadrant != "Hy's law":
            return False
        return None if self.alp is None else self.alp < ALP_LINE


def liver_peaks(values: Iterable[LiverValue]) -> LiverPeaks:
    """The peaks of one participant's values after baseline.

    Raises:
        Refusal: a reference that is not above 0.
    """
    peaks: dict[str, Fraction] = {}
    for each in values:
        if each.reference <= 0:
            raise Refusal("reference", each.reference, f"of {each.test} is not above 0", "leave the value out")
        peaks[each.test] = max(peaks.get(each.test, each.multiple), each.multiple)
    return LiverPeaks(peaks.get("ALT"), peaks.get("AST"), peaks.get("ALP"), peaks.get("BILI"))


def r_ratio(alt: LiverValue, alp: LiverValue) -> Fraction | None:
    """(ALT / ULN) / (ALP / ULN) of one specimen; None when ALP is 0."""
    return None if alp.value == 0 else alt.multiple / alp.multiple


def injury_of(ratio: Fraction) -> Injury:
    """The pattern of liver injury by the R ratio: hepatocellular from 5, cholestatic up to 2, otherwise mixed."""
    if ratio >= HEPATOCELLULAR:
        return "hepatocellular"
    return "cholestatic" if ratio <= CHOLESTATIC else "mixed"


def _day(at: Moment) -> date:
    return at.date() if isinstance(at, datetime) else at


def _order(at: Moment) -> tuple[date, str]:
    """Days in order, then times; a point without a time comes first of its day."""
    return _day(at), at.isoformat() if isinstance(at, datetime) else ""


def _days(since: Moment, until: Moment) -> int:
    return (_day(until) - _day(since)).days
