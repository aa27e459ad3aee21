"""Why a product may not be released, handed over or given: each reason with a code, a field, a value and a remedy."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from equipoise.refusals import Refusal, shown


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason against, which a person can mend or must heed.

    Args:
        code: which rule speaks, such as `lot-status`; each module lists its own.
        field: what it is about.
        value: what was found there; None when nothing was.
        problem: what is wrong, without a full stop.
        remedy: what to do, without a full stop.
    """

    code: str
    field: str
    value: object
    problem: str
    remedy: str

    def __str__(self) -> str:
        """One line: `field = value: problem; remedy`."""
        subject = self.field if self.value is None else f"{self.field} = {shown(_as_read(self.value))}"
        return f"{subject}: {self.problem}; {self.remedy}"


class ProductRefused(Refusal):
    """A lot, bag, result or handover that cannot be as it is told."""


def minute(at: datetime) -> str:
    """A time as messages show it: to the minute, with its offset."""
    return at.isoformat(sep=" ", timespec="minutes")


def _as_read(value: object) -> object:
    return minute(value) if isinstance(value, datetime) else value


def person_key(person: str) -> str:
    """By which two writings of one person's id are the same: case, width, spaces and what nobody sees do not count."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", person) if unicodedata.category(letter) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", seen.casefold()).split())


def distinct_persons(persons: Iterable[str]) -> int:
    """How many different persons the ids name; a blank names nobody."""
    return len({key for person in persons if (key := person_key(person))})


def same_person(one: str, other: str) -> bool:
    """Whether two ids name one person."""
    return person_key(one) == person_key(other)
