"""A laboratory's number, which may be known only as a bound (`< 0.05`), and what a rule says of all it may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise

from equipoise.donors.reasons import ProductRefused
from equipoise.protocol.rules import Rule
from equipoise.protocol.rules.tree import Comparison, Junction, Literal, Membership, Name, Not, nodes

# A product of three numbers of 20 digits is exact at this precision. A quotient is not, but two sides of a limit with
# as few digits differ by far more than its rounding, so no verdict turns on it.
EXACT = Context(prec=80)
WRITTEN = re.compile(r"(<=|>=|<|>|≤|≥)?\s*([0-9]{1,20}(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?)")
STEPWISE = Literal | Name | Not | Junction | Comparison | Membership


@dataclass(frozen=True, slots=True)
class Measured:
    """A quantity that is not negative, between two bounds; both are one number where it was measured exactly.

    `high` None is no upper bound.
    """

    low: Decimal
    high: Decimal | None
    low_included: bool = True
    high_included: bool = True

    def __post_init__(self) -> None:
        assert self.low >= 0, "a quantity is not negative"
        assert self.high is None or self.low <= self.high, "bounds stand in order"

    def __str__(self) -> str:
        """As a laboratory writes it."""
        if self.exact is not None:
            return plain(self.exact)
        if self.high is None:
            return f"{'>=' if self.low_included else '>'} {plain(self.low)}"
        if self.low == 0 and self.low_included:
            return f"{'<=' if self.high_included else '<'} {plain(self.high)}"
        return f"{plain(self.low)} to {plain(self.high)}"

    @property
    def exact(self) -> Decimal | None:
        """The number; None where only bounds are known."""
        return self.low if self.low == self.high else None

    def times(self, other: Measured) -> Measured:
        """The product. Nothing times anything is nothing, so a factor that may be zero lets the product be zero."""
        zero = any(one.low == 0 and one.low_included for one in (self, other))
        high = None if self.high is None or other.high is None else EXACT.multiply(self.high, other.high)
        return Measured(
            EXACT.multiply(self.low, other.low),
            high,
            zero or (self.low_included and other.low_included),
            self.high_included and other.high_included,
        )

    def over(self, divisor: Decimal) -> Measured:
        """The quotient by a number above zero."""
        high = None if self.high is None else EXACT.divide(self.high, divisor)
        return Measured(EXACT.divide(self.low, divisor), high, self.low_included, self.high_included)

    def meets(self, rule: Rule) -> bool | None:
        """Whether a rule on `value` is true of every number that this may be, or false of every; None when neither.

        Exact: a rule of comparisons changes its answer only at the numbers written in it, so those, the bounds and one
        number between each two are asked. A rule that calculates is asked only of an exact number.
        """
        if self.exact is not None:
            return _logic(rule, self.exact)
        if not all(isinstance(node, STEPWISE) for node in nodes(rule.tree)):
            return None
        answers = {_logic(rule, value) for value in self._values_between(_numbers_in(rule))}
        return answers.pop() if len(answers) == 1 else None

    def _values_between(self, marks: set[Decimal]) -> list[Decimal]:
        inside = sorted(mark for mark in marks if self.low < mark and (self.high is None or mark < self.high))
        last = self.high if self.high is not None else EXACT.add([self.low, *inside][-1], Decimal(1))
        between = [
            EXACT.divide(EXACT.add(one, other), Decimal(2)) for one, other in pairwise([self.low, *inside, last])
        ]
        ends = [self.low] * self.low_included + [last] * (self.high_included or self.high is None)
        return inside + between + ends


def exactly(value: Decimal) -> Measured:
    """A number that was measured exactly."""
    return Measured(value, value)


def spanning(several: Sequence[Measured]) -> Measured:
    """From the least to the most that one of several may be."""
    low = min(one.low for one in several)
    highs = [one.high for one in several]
    high = None if None in highs else max(one for one in highs if one is not None)
    return Measured(
        low,
        high,
        any(one.low_included for one in several if one.low == low),
        any(one.high_included for one in several if one.high == high),
    )


def parse_measured(text: str, field: str) -> Measured:
    """Read a number as a laboratory reports it: `0.05`, `< 0.05`, `>= 200`, `1.2e8`.

    Raises:
        ProductRefused: when it is no number, or a quantity below zero.
    """
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        remedy = "write a number of zero or more, such as 0.05, or a bound, such as < 0.05"
        raise ProductRefused(field, text, "is not a number", remedy)
    number = Decimal(found[2])
    match found[1]:
        case "<" | "<=" | "≤":
            if number == 0:
                raise ProductRefused(field, text, "is below zero", "write the limit of detection")
            return Measured(Decimal(0), number, high_included=found[1] != "<")
        case ">" | ">=" | "≥":
            return Measured(number, None, low_included=found[1] != ">")
    return exactly(number)


def plain(value: Decimal) -> str:
    """A number in digits, at most six of them telling: 33333.3, 0.833333, 100000000."""
    rounded = Context(prec=6).plus(value).normalize() if value != value.to_integral_value() else value
    return f"{rounded.normalize() if rounded else Decimal(0):f}"


def _logic(rule: Rule, value: Decimal) -> bool | None:
    answer = rule.evaluate({"value": value})
    return answer if isinstance(answer, bool) else None


def _numbers_in(rule: Rule) -> set[Decimal]:
    return {node.value for node in nodes(rule.tree) if isinstance(node, Literal) and isinstance(node.value, Decimal)}
