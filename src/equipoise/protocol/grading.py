"""A grading table as it is written: ladders of grades, each step a range such as `9 to < 10` or `> 3 to 5 x ULN`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self, cast

from pydantic import AfterValidator, Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Code, Filled, Id, Part, Positive, Text

Reference = Literal["", "LLN", "ULN", "BASE"]

NUMBER = r"\d{1,9}(?:\.\d{1,6})?"
SIDE = rf"(?P<sign>[<>]=?)? ?(?:(?P<number>{NUMBER})(?: x (?P<times>LLN|ULN|BASE))?|(?P<alone>LLN|ULN|BASE))"
ONE_SIDE = re.compile(SIDE)
REMEDY = "write it as `9 to < 10`, `< 7`, `30 to < LLN`, `> ULN to 3 x ULN` or `1.25 to < 2.5 x ULN`"


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range: `factor` times the reference (1 where it is ""), and whether it belongs to the range."""

    factor: Decimal
    reference: Reference
    inclusive: bool

    def shifted(self, power: int) -> Bound:
        """The same limit for a unit that is 10^-power as large; multiples of a reference stay."""
        return self if self.reference else Bound(self.factor.scaleb(power), "", self.inclusive)

    @property
    def text(self) -> str:
        """The limit without its sign: `10`, `ULN`, `2.5 x ULN`."""
        number = format(self.factor.normalize(), "f")
        if not self.reference:
            return number
        return self.reference if self.factor == 1 else f"{number} x {self.reference}"


@dataclass(frozen=True, slots=True)
class Range:
    """The values of one grade; an end that is None is open."""

    lower: Bound | None
    upper: Bound | None

    @property
    def bounds(self) -> tuple[Bound, ...]:
        """The ends that are there."""
        return tuple(bound for bound in (self.lower, self.upper) if bound is not None)

    def shifted(self, power: int) -> Range:
        """The same range for a unit that is 10^-power as large."""
        return Range(*(bound and bound.shifted(power) for bound in (self.lower, self.upper)))

    @property
    def text(self) -> str:
        """As published tables print it: `9 to < 10`, `>= 10 x ULN`, `> 1.3 to 1.8 x ULN`."""
        lower, upper = self.lower, self.upper
        if lower is None or upper is None:
            sign = ("<" if lower is None else ">") + ("=" if self.bounds[0].inclusive else "")
            return f"{sign} {self.bounds[0].text}"
        low = lower.text
        if lower.reference and lower.reference == upper.reference and 1 not in (lower.factor, upper.factor):
            low = low.partition(" x ")[0]
        return f"{'' if lower.inclusive else '> '}{low} to {'' if upper.inclusive else '< '}{upper.text}"


def parse_range(text: str) -> Range:
    """The range in a text; a number before `to` shares the reference of `number x reference` after it.

    Raises:
        FieldFault: text that is no range, or one that holds nothing.
    """
    low, found, high = text.partition(" to ")
    sides = [ONE_SIDE.fullmatch(side.strip()) for side in ((low, high) if found else (text,))]
    if any(side is None for side in sides):
        raise FieldFault("is not a range of values", REMEDY)
    first, last = sides[0], sides[-1]
    assert first is not None
    assert last is not None
    if not found:
        sign = first["sign"]
        if sign is None:
            raise FieldFault("is not a range of values", REMEDY)
        bound = _bound(first, inclusive=sign.endswith("="))
        return Range(bound, None) if sign[0] == ">" else Range(None, bound)
    if first["sign"] not in (None, ">") or last["sign"] not in (None, "<"):
        raise FieldFault("has a sign that points away from the range", REMEDY)
    lower = _bound(first, inclusive=first["sign"] is None)
    upper = _bound(last, inclusive=last["sign"] is None)
    if not lower.reference and last["times"]:
        lower = Bound(lower.factor, upper.reference, lower.inclusive)
    if lower.reference == upper.reference and (
        lower.factor > upper.factor or (lower.factor == upper.factor and not (lower.inclusive and upper.inclusive))
    ):
        raise FieldFault("holds no value", "write the smaller limit first")
    return Range(lower, upper)


def _bound(side: re.Match[str], *, inclusive: bool) -> Bound:
    factor = Decimal(1) if side["alone"] else Decimal(side["number"])
    return Bound(factor, cast("Reference", side["alone"] or side["times"] or ""), inclusive)


def _a_range(text: str) -> str:
    parse_range(text)
    return text


RangeText = Annotated[Text, AfterValidator(_a_range)]
AgeRule = Annotated[str, Field(pattern=r"^(>=|>) \d{1,3} (days|months|years)$")]
Grade = Annotated[Positive, Field(le=4)]


class Step(Part):
    """The values of one grade. Without `range` the grade is clinical: no number decides it.

    `needs` is what must be known besides, such as `symptomatic`.
    """

    grade: Grade
    range: RangeText | None = None
    needs: Id | None = None
    note: Text | None = None

    @property
    def values(self) -> Range | None:
        """The range, taken apart."""
        return None if self.range is None else parse_range(self.range)


class Ladder(Part):
    """The grades of one term in one unit, and for whom they hold.

    `direction` is L for values that are too low, H for too high. Without a unit every limit is a multiple of a
    reference. Where several ladders of a parameter hold, the worst grade counts. `baseline` makes a ladder hold only
    when the baseline is within (normal) or beyond (abnormal) the limit of normal on the ladder's side.
    """

    parameter: Code
    term: Text
    direction: Literal["L", "H"]
    unit: Text | None = None
    sex: Literal["F", "M"] | None = None
    age: AgeRule | None = None
    hiv: Literal["no", "yes"] | None = None
    fasting: Literal["fasting", "nonfasting"] | None = None
    baseline: Literal["normal", "abnormal"] | None = None
    note: Text | None = None
    steps: Filled[Step]

    @model_validator(mode="after")
    def _climbs(self) -> Self:
        steps = [(i, step, values) for i, step in enumerate(self.steps) if (values := step.values) is not None]
        for i, _, values in steps:
            if self.unit is None and any(not bound.reference for bound in values.bounds):
                remedy = "add the ladder's unit, or write a multiple such as 3 x ULN"
                raise FieldFault("has a plain number although the ladder has no unit", remedy, ("steps", i, "range"))
        rungs: dict[Range, list[tuple[int, Step]]] = {}
        for i, step, values in steps:
            if any(other.needs == step.needs for _, other in rungs.get(values, [])):
                raise FieldFault("is the range of two steps", "keep one of them, or say what each needs", ("steps", i))
            rungs.setdefault(values, []).append((i, step))
        climbing = sorted(rungs.items(), key=lambda rung: sorted(step.grade for _, step in rung[1]))
        for (milder, _), (graver, which) in pairwise(climbing):
            self._meets(milder, graver, which[0])
        if climbing:
            (worst, which) = climbing[-1]
            if (worst.upper if self.direction == "H" else worst.lower) is not None:
                beyond = "above" if self.direction == "H" else "below"
                remedy = "leave the worst grade open on that side"
                raise FieldFault(f"leaves values {beyond} it without a grade", remedy, ("steps", which[0][0], "range"))
        return self

    def _meets(self, milder: Range, graver: Range, which: tuple[int, Step]) -> None:
        """Refuse a gap or an overlap where two grades meet."""
        end, begin = (milder.upper, graver.lower) if self.direction == "H" else (milder.lower, graver.upper)
        at = ("steps", which[0], "range")
        if end is None or begin is None or end.reference != begin.reference:
            remedy = "let each grade begin where the one below it ends; grades rise as values get worse"
            raise FieldFault(f"does not begin where {milder.text} ends", remedy, at)
        apart = begin.factor - end.factor if self.direction == "H" else end.factor - begin.factor
        if apart > 0 or (apart == 0 and not (begin.inclusive or end.inclusive)):
            raise FieldFault(f"leaves a gap to {milder.text}", "close it, so that every value has a grade", at)
        if apart < 0 or (begin.inclusive and end.inclusive):
            raise FieldFault(f"overlaps {milder.text}", "let a value belong to one grade only", at)


class GradingTable(Part):
    """A whole grading scale: its name, the version that is stored with every grade, and its ladders."""

    scale: Text
    version: Text
    source: Text | None = None
    ladders: Filled[Ladder]
