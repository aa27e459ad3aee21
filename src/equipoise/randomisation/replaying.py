"""Recompute every allocation from the revealed secret, and name each that is not what the secret gives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from equipoise.randomisation.allocation import Allocated, Place, sequence
from equipoise.randomisation.commitment import Commitment
from equipoise.randomisation.drawing import LARGEST_NUMBER
from equipoise.randomisation.methods import Method, Minimisation
from equipoise.randomisation.parsing import with_planned_number
from equipoise.randomisation.secret import Secret
from equipoise.refusals import shown

DOCUMENT_FORMAT = "equipoise/allocations/1"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One place of a sequence whose record is not what the secret gives."""

    stratum: str
    number: int
    problem: str

    def __str__(self) -> str:
        """One line: `stratum sex=F, number 7: problem`."""
        place = f"number {self.number}: {self.problem}"
        return f"stratum {self.stratum}, {place}" if self.stratum else place


def replay(
    method: Method, secret: Secret, trial: str, allocations: Sequence[Allocated], n: int | None = None
) -> tuple[Mismatch, ...]:
    """All that is wrong with a record of allocations; empty when every arm is what the secret gives.

    Each stratum's sequence is made anew from the secret alone (for minimisation also from the recorded factors),
    so one altered arm is one mismatch. A cut tail leaves nothing to compare: the caller knows the count.
    A mismatch tells the arm that belongs there, so while the trial runs hand in no row that the record does not hold.

    Args:
        method: the trial's method.
        secret: the trial's secret.
        trial: the trial's code.
        allocations: the record, each stratum's rows in order of allocation.
        n: places in a stratum's sequence, for methods that need it and were set up without.

    Raises:
        MethodRefused: when the method's number of places is missing or does not fit.
    """
    planned = with_planned_number(method, n)
    strata = dict.fromkeys(allocated.stratum for allocated in allocations)
    return tuple(
        mismatch
        for stratum in strata
        for mismatch in _in_stratum(planned, secret, trial, [row for row in allocations if row.stratum == stratum])
    )


def reveal_document(
    method: Method,
    secret: Secret,
    *,
    trial: str,
    protocol_hash: str,
    commitment: Commitment,
    allocations: Sequence[Allocated],
    n: int | None = None,
) -> dict[str, object]:
    """What the standalone verifier reads, ready for `json.dumps`. It tells the secret: only after lock.

    Args:
        method: the trial's method.
        secret: the trial's secret.
        trial: the trial's code.
        protocol_hash: as given to `commit`.
        commitment: as published before the first patient.
        allocations: the record, each stratum's rows in order of allocation.
        n: places in a stratum's sequence, for methods that need it and were set up without.
    """
    planned = with_planned_number(method, n)
    strata = dict.fromkeys(row.stratum for row in allocations)
    return {
        "format": DOCUMENT_FORMAT,
        "trial": trial,
        "protocol_hash": protocol_hash,
        "method": planned.name,
        "parameters": planned.parameters,
        "arms": list(planned.arms),
        "ratio": dict(zip(planned.arms, planned.ratio, strict=True)),
        "commitment": commitment.hex,
        "secret": secret.reveal(),
        "counts": {stratum: sum(row.stratum == stratum for row in allocations) for stratum in strata},
        "allocations": [
            {"number": row.number, "stratum": row.stratum, "factors": dict(row.factors), "arm": row.arm}
            for row in allocations
        ],
    }


def _in_stratum(method: Method, secret: Secret, trial: str, rows: Sequence[Allocated]) -> Iterator[Mismatch]:
    """What is wrong within one sequence: first the rows' order, then gaps, then the arms."""
    stratum = rows[0].stratum
    placed: dict[int, Allocated] = {}
    for row in rows:
        fault = _place_fault(row, placed)
        if fault:
            yield Mismatch(stratum, row.number, fault)
        if 1 <= row.number <= LARGEST_NUMBER:
            placed.setdefault(row.number, row)
    yield from (Mismatch(stratum, number, fault) for number, fault in _gaps(sorted(placed)))
    places, stop = _recomputable(method, stratum, placed)
    if stop:
        yield stop
    for expected in sequence(method, secret, trial=trial, places=places):
        recorded = placed.get(expected.number)
        if recorded and recorded.arm != expected.arm:
            problem = f"recorded {shown(recorded.arm)}, the secret gives {expected.arm}"
            yield Mismatch(stratum, expected.number, problem)


def _place_fault(row: Allocated, placed: Mapping[int, Allocated]) -> str | None:
    if not 1 <= row.number <= LARGEST_NUMBER:
        return f"not a place from 1 to {LARGEST_NUMBER}"
    if row.number in placed:
        return "recorded twice"
    highest = max(placed, default=0)
    return f"stands after number {highest}, out of order" if row.number < highest else None


def _gaps(numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
    """The first place of each gap below the highest number, and how far the gap goes."""
    for before, after in pairwise((0, *numbers)):
        if after > before + 2:
            yield before + 1, f"missing, with all places up to {after - 1}"
        elif after == before + 2:
            yield before + 1, "missing"


def _recomputable(method: Method, stratum: str, placed: Mapping[int, Allocated]) -> tuple[list[Place], Mismatch | None]:
    """The places from the first on whose arms can be made anew, and why no more, when there are more."""
    highest = max(placed, default=0)
    if not isinstance(method, Minimisation):
        most = highest if method.planned_number is None else method.planned_number
        stop = Mismatch(stratum, most + 1, f"beyond the {most} planned places") if highest > most else None
        return [Place(stratum)] * min(highest, most), stop
    places: list[Place] = []
    for number in range(1, highest + 1):
        if number not in placed:
            return places, Mismatch(stratum, number, "without it the places after it cannot be recomputed")
        factors = placed[number].factors
        if not all(name in factors for name in method.factors):
            return places, Mismatch(stratum, number, "a factor is missing; from here on nothing can be recomputed")
        places.append(Place(stratum, factors))
    return places, None


def verifier_source() -> str:
    """The text of the standalone verifier: one file, standard library only, for whoever must not trust us."""
    return (files("equipoise.randomisation") / "verifier.py").read_text(encoding="utf-8")
