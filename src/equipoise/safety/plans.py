"""How values are graded in given circumstances, and what is said of each outcome."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Literal

from equipoise.protocol.grading import Bound, Range
from equipoise.safety.readings import Limits

NOT_GRADED = "not-graded"
NOT_GRADABLE = "not-gradable"
Unanswered = Literal["certain", "worst"]
LARGEST = 2**63 - 1
RANK_BITS = 10
UNSEEN, DISAGREED, CLINICAL, HIGHER, WITHIN = (1 << (2 * RANK_BITS + bit) for bit in range(5))


@dataclass(frozen=True, slots=True)
class Grading:
    """A grade and the rule that gave it.

    Args:
        grade: 0 to 4 as text, `not-graded` when the scale has no grade for such a value, `not-gradable` when something
            that decides is missing or cannot be read.
        direction: L or H with a grade of 1 or more, otherwise "".
        rule: scale and version always; term, range and for whom it holds with a grade.
        note: every caveat, one after the other.
    """

    grade: str
    direction: str
    rule: str
    note: str

    @property
    def number(self) -> int | None:
        """The grade as a number; None when there is none."""
        return int(self.grade) if self.grade.isdigit() else None


@dataclass(frozen=True, slots=True)
class Rung:
    """One step that may give the grade, with its range in the reported unit."""

    grade: int
    direction: str
    term: str
    needs: str | None
    baseline: str | None
    sex: str | None
    values: Range
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class World:
    """One way in which the unknown circumstances may be: the ranks of the rungs that hold in it."""

    holds: tuple[int, ...]
    blind: tuple[int, ...]  # those with a limit that is missing


@dataclass(frozen=True)
class Plan:
    """How values are graded in given circumstances. Ranks are places in `rungs`, from 1, mild to grave.

    Args:
        rungs: every step that can give a grade, by rising grade.
        worlds: for each way that sex and baseline may be, the worlds of the unanswered qualifiers.
        clinical: (direction, term) of the terms that no number decides.
        settled: the answer when no number is needed for it.
    """

    label: str
    unanswered: Unanswered
    limits: Limits
    rungs: tuple[Rung, ...] = ()
    worlds: tuple[tuple[World, ...], ...] = ()
    clinical: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    undecided: str = ""
    agreed: str = ""
    settled: Grading | None = None
    _told: dict[int, Grading] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def places(self) -> int:
        """Decimal places that the factors of the limits need."""
        exponents = [-int(bound.factor.normalize().as_tuple().exponent) for bound in self._bounds]
        return max([0, *exponents])

    @cached_property
    def largest_factor(self) -> Decimal:
        """The largest factor of any limit, at least 1."""
        return max([Decimal(1), *(bound.factor for bound in self._bounds)])

    @cached_property
    def cuts(self) -> frozenset[tuple[int, str]]:
        """Each limit once: its factor in 10^-places, and its reference."""
        return frozenset((int(bound.factor.scaleb(self.places)), bound.reference) for bound in self._bounds)

    def fits_machine(self, largest: int, places: int) -> bool:
        """Whether no product in `decide` leaves 63 bits, for numbers up to `largest` in 10^-places."""
        product: int = max(largest, 10**places) * (int(self.largest_factor) + 1) * 10**self.places
        return product <= LARGEST

    @property
    def _bounds(self) -> Iterable[Bound]:
        return (bound for rung in self.rungs for bound in rung.values.bounds)

    def told(self, code: int) -> Grading:
        """What `decide` found, in words."""
        if code not in self._told:
            self._told[code] = _grading_of(self, code)
        return self._told[code]


def _grading_of(plan: Plan, code: int) -> Grading:
    mask = (1 << RANK_BITS) - 1
    least, most = code & mask, code >> RANK_BITS & mask
    rank = most if plan.unanswered == "worst" else least
    notes = list(plan.notes)
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    if code & CLINICAL:
        terms = " and ".join(term for _, term in plan.clinical)
        notes.insert(0, clinically(plan.label, terms))
        return Grading(NOT_GRADED, "", about, joined(notes))
    if code & UNSEEN:
        return Grading(NOT_GRADABLE, "", about, joined([*plan.missing, *notes]))
    if code & DISAGREED:
        return Grading(NOT_GRADABLE, "", about, joined([plan.undecided, *notes]))
    notes.append(plan.agreed)
    if code & HIGHER:
        notes.append(f"the grade may be higher: {', '.join(plan.missing)}")
    if code & WITHIN:
        notes.append("the value lies within the laboratory's limits of normal; the scale's own limit grades it")
    if most != least:
        notes.append(_unanswered_note(plan, least, most))
    if rank == 0:
        return Grading("0", "", f"{about}: no range holds", joined(notes))
    rung = plan.rungs[rank - 1]
    return Grading(str(rung.grade), rung.direction, rung.text, joined([rung.note, *notes]))


def _unanswered_note(plan: Plan, least: int, most: int) -> str:
    low = plan.rungs[least - 1].grade if least else 0
    high = plan.rungs[most - 1]
    needs = (high.needs or "").replace("_", " ")
    graded = "graded by the worst case" if plan.unanswered == "worst" else f"every answer gives grade {low} or more"
    return f"qualifier not answered: {graded}; worst case grade {high.grade} if {needs}, least grade {low}"


def clinically(label: str, terms: str) -> str:
    """Why there is no grade for a term that no number decides."""
    return f"{label} gives no numeric limits for {terms}: it is graded clinically"


def joined(notes: Iterable[str]) -> str:
    """Notes as one text, each once, the empty ones left out."""
    return "; ".join(dict.fromkeys(note for note in notes if note))
