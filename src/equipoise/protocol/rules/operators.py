"""What the signs and words of a rule do to values, unknown ones included.

Logic is Kleene's: unknown stands for "true or false, nobody knows which". Arithmetic is decimal with
34 digits, so `1.1 * 20` is 22; a result that does not exist, as 1 / 0, is unknown.

Source: Kleene (1952), Introduction to Metamathematics, section 64, the strong tables.
"""

import operator
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Any

from equipoise.protocol.rules.kinds import Sort
from equipoise.protocol.rules.refused import Mismatch
from equipoise.protocol.rules.tree import Comparator, Operator
from equipoise.protocol.rules.values import UNKNOWN, Unknown, Value, sort_of

# The range of an IEEE 754 decimal128 number.
ARITHMETIC = Context(prec=34, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow])

OPERATIONS: dict[Operator, Callable[[Decimal, Decimal], Decimal]] = {
    "+": ARITHMETIC.add,
    "-": ARITHMETIC.subtract,
    "*": ARITHMETIC.multiply,
    "/": ARITHMETIC.divide,
}
COMPARATORS: dict[Comparator, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ORDERED: frozenset[Sort] = frozenset({"number", "date", "time"})

NAMED: dict[Sort, str] = {
    "number": "a number",
    "text": "text",
    "date": "a date",
    "time": "a time",
    "logic": "yes or no",
    "choice": "a choice",
    "many": "a set of codes",
    "repeated": "a repeated group",
}


def conjunction(values: Iterable[Value]) -> bool | Unknown:
    """False when any is false, else unknown when any is unknown, else true; stops at the first false."""
    result: bool | Unknown = True
    for value in values:
        known = truth(value)
        if known is False:
            return False
        result = UNKNOWN if known is None else result
    return result


def disjunction(values: Iterable[Value]) -> bool | Unknown:
    """True when any is true, else unknown when any is unknown, else false; stops at the first true."""
    return negation(conjunction(negation(truth(value)) for value in values))


def negation(value: Value) -> bool | Unknown:
    """The opposite; of unknown, unknown."""
    known = truth(value)
    return UNKNOWN if known is None else not known


def truth(value: Value) -> bool | Unknown:
    """A value that must be true, false or unknown.

    Raises:
        Mismatch: when it is anything else.
    """
    if value is None or isinstance(value, bool):
        return value
    raise Mismatch(f"{NAMED[sort_of(value)]} stands where yes or no is needed", "compare it with something")


def number(value: Value) -> Decimal | Unknown:
    """A value that must be a number or unknown.

    Raises:
        Mismatch: when it is anything else.
    """
    if value is None or isinstance(value, Decimal):
        return value
    remedy = "use days_between(a, b)" if sort_of(value) == "date" else "give a number"
    raise Mismatch(f"{NAMED[sort_of(value)]} stands where a number is needed", remedy)


def compared(comparator: Comparator, left: Value, right: Value) -> bool | Unknown:
    """Whether a comparison holds; unknown when either side is.

    Raises:
        Mismatch: when the sides are of different kinds, or their kind has no order.
    """
    if left is None or right is None:
        return UNKNOWN
    sort = sort_of(left)
    if sort != sort_of(right):
        raise Mismatch(f"{NAMED[sort]} is compared with {NAMED[sort_of(right)]}", "compare values of the same kind")
    if sort == "many" or (comparator not in ("==", "!=") and sort not in ORDERED):
        raise Mismatch(f"{comparator} does not apply to {NAMED[sort]}", remedy_without_order(sort))
    return COMPARATORS[comparator](left, right)


def remedy_without_order(sort: Sort) -> str:
    """What to write where a kind without an order is ordered, or a set of codes compared."""
    return "write 'CODE' in the name" if sort == "many" else "use == or !="


def calculated(sign: Operator, left: Value, right: Value) -> Decimal | Unknown:
    """A sum, difference, product or quotient; unknown when a side is, or when there is no result.

    Raises:
        Mismatch: when a side is no number.
    """
    first, second = number(left), number(right)
    if first is None or second is None:
        return UNKNOWN
    try:
        return OPERATIONS[sign](first, second)
    except (InvalidOperation, DivisionByZero, Overflow):
        return UNKNOWN
