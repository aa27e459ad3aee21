"""What a name in a rule can hold: its kind, and the codes of a choice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Sort = Literal["number", "text", "date", "time", "logic", "choice", "many", "repeated"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a name holds.

    Args:
        sort: `choice` is one code of a list, `many` a set of such codes, `repeated` a group whose
            rows are asked with `any`, `all` and `count`; its items are listed as names of their own.
        codes: what a choice can be; empty for every other sort.
    """

    sort: Sort
    codes: frozenset[str] = frozenset()


Kinds = Mapping[str, Kind]

NUMBER = Kind("number")
TEXT = Kind("text")
DATE = Kind("date")
TIME = Kind("time")
LOGIC = Kind("logic")
REPEATED = Kind("repeated")


def choice(codes: Iterable[str]) -> Kind:
    """One of the codes."""
    return Kind("choice", frozenset(codes))


def many(codes: Iterable[str]) -> Kind:
    """Any number of the codes."""
    return Kind("many", frozenset(codes))
