"""Run a method of allocation again and again, thousands of times at once, or list all that it can give.

The arms of re-randomisation tests. Every draw takes its chances from the method itself, as whole numbers, and each
place is drawn for all runs together; the numbers come from NumPy's PCG64 and a seed, not from the trial's secret.
Terms: *run* (one allocation of everybody), *standing* (what of a run's past the method looks at).
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.randomisation.allocation import Place
from equipoise.randomisation.methods import Chances, Method, Minimisation, PlannedMethod, SequenceMethod
from equipoise.randomisation.parsing import with_planned_number
from equipoise.randomisation.refusing import AllocationRefused

Arms: TypeAlias = NDArray[np.int8]
Counts: TypeAlias = NDArray[np.int64]
BITS = 62  # of a draw; cuts between arms fall between two draws, or one more draw decides
LARGEST_CODE = 2**62


def redraw(method: Method, places: Sequence[Place], draws: int, seed: int, *, n: int | None = None) -> Arms:
    """Allocate the same participants again and again.

    Args:
        method: the trial's method.
        places: the participants in order of allocation, each with its stratum, or its factors for minimisation.
        draws: how many runs, R.
        seed: of NumPy's PCG64; the same seed gives the same runs.
        n: places in a stratum's sequence, for methods that need it and were set up without.

    Returns:
        (R, places), each participant's arm as its place in `method.arms`.

    Raises:
        AllocationRefused: more participants than a sequence has places, or a factor without a level.
        MethodRefused: when the method's number of places is missing or does not fit.

    Source:
        Rosenberger and Lachin (2016), Randomization in Clinical Trials, chapter 6.
    """
    planned = with_planned_number(method, n)
    check_places(planned, places)
    random = np.random.default_rng(seed)
    standings: dict[str, Standings] = {}
    arms = np.empty((draws, len(places)), dtype=np.int8)
    for number, place in enumerate(places):
        standing = standings.setdefault(place.stratum, at_start(planned, draws))
        standing.open(random)
        chances, state = standing.chances(place)
        given = drawn_arms(chances, state, random)
        standing.take(given, place)
        arms[:, number] = given
    return arms


def every_allocation(
    method: Method, places: Sequence[Place], *, most: int = 200_000, n: int | None = None
) -> tuple[Arms, NDArray[np.float64]] | None:
    """Every allocation that the method can give these participants, and the probability of each.

    Args:
        method: as for `redraw`.
        places: as for `redraw`.
        most: None is returned when there are more.
        n: as for `redraw`.

    Returns:
        (R, places) arms as for `redraw`, in ascending order, and (R,) probabilities that sum to one.

    Raises:
        AllocationRefused: as `redraw`.
        MethodRefused: as `redraw`.
    """
    planned = with_planned_number(method, n)
    check_places(planned, places)
    standings = {stratum: at_start(planned, 1) for stratum in dict.fromkeys(place.stratum for place in places)}
    arms, probability = np.empty((1, 0), dtype=np.int8), np.ones(1)
    for place in places:
        here = standings[place.stratum]
        kept, share = here.open_all()
        standings = {name: one.only(kept) for name, one in standings.items() if one is not here}
        standings[place.stratum] = here
        arms, probability = arms[kept], probability[kept] * share
        chances, state = here.chances(place)
        table = np.array([[float(Fraction(chance, sum(row))) for chance in row] for row in chances])[state]
        rows, given = np.nonzero(table)
        standings = {name: one.only(rows) for name, one in standings.items()}
        standings[place.stratum].take(given, place)
        arms = np.hstack([arms[rows], given[:, np.newaxis].astype(np.int8)])
        probability = probability[rows] * table[rows, given]
        if len(arms) > most * len(planned_lengths(planned)):
            return None
    found, which = np.unique(arms, axis=0, return_inverse=True)
    summed = np.asarray(np.bincount(which.ravel(), weights=probability), dtype=np.float64)
    return None if len(found) > most else (found, summed)


class Standings(ABC):
    """Where many runs of one sequence stand."""

    @abstractmethod
    def open(self, random: np.random.Generator) -> None:
        """Begin a new stretch in the runs whose last one is full."""

    @abstractmethod
    def open_all(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Begin every stretch that may come: which run each goes on from, and the probability that it comes."""

    @property
    @abstractmethod
    def runs(self) -> int:
        """How many there are."""

    @abstractmethod
    def chances(self, place: Place) -> tuple[list[Chances], NDArray[np.intp]]:
        """The chances of the arms in each distinct standing, and which each run is in."""

    @abstractmethod
    def take(self, given: NDArray[np.intp], place: Place) -> None:
        """Count the arm that each run has given."""

    @abstractmethod
    def only(self, rows: NDArray[np.intp]) -> Self:
        """Some of the runs, as often as they are named."""


class SequenceStandings(Standings):
    """Of a method that looks at the arms so far in the stretch: their counts, and the stretch's length."""

    def __init__(self, method: SequenceMethod, counts: Counts, length: Counts) -> None:
        """Stand there.

        Args:
            method: with its number of places, where it needs one.
            counts: (R, arms), of each arm so far in the stretch.
            length: (R,), places in the stretch, 0 for one without end; -1 before the first.
        """
        self._method = method
        self._counts = counts
        self._length = length

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self._length)

    def open(self, random: np.random.Generator) -> None:
        """Begin a new stretch, its length drawn, in the runs whose last one is full."""
        lengths = np.array(self._method.stretch_lengths)
        full = self._full()
        self._counts[full] = 0
        self._length[full] = lengths[random.integers(len(lengths), size=full.size)] if len(lengths) > 1 else lengths[0]

    def open_all(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Begin a stretch of every length in the runs whose last one is full."""
        lengths = np.array(self._method.stretch_lengths)
        times = np.ones(self.runs, dtype=np.intp)
        times[self._full()] = len(lengths)
        kept = np.repeat(np.arange(self.runs), times)
        opened = np.isin(kept, self._full())
        self._counts, self._length = self._counts[kept], self._length[kept]
        self._counts[opened] = 0
        self._length[opened] = np.tile(lengths, int(opened.sum()) // len(lengths))
        return kept, np.where(opened, 1 / len(lengths), 1.0)

    def chances(self, place: Place) -> tuple[list[Chances], NDArray[np.intp]]:
        """As the method gives them for counts and length."""
        distinct, state = distinct_rows(np.column_stack([self._counts, self._length]))
        return [self._method.chances(row[:-1].tolist(), int(row[-1])) for row in distinct], state

    def take(self, given: NDArray[np.intp], place: Place) -> None:
        """Count one more of the arm."""
        self._counts[np.arange(self.runs), given] += 1

    def only(self, rows: NDArray[np.intp]) -> "SequenceStandings":
        """Some of the runs."""
        return SequenceStandings(self._method, self._counts[rows], self._length[rows])

    def _full(self) -> NDArray[np.intp]:
        ended = (self._length > 0) & (self._counts.sum(axis=1) == self._length)
        return np.flatnonzero((self._length < 0) | ended)


class MinimisationStandings(Standings):
    """Of minimisation: the counts of each arm at each level of each factor, less the smallest of them.

    Every measure of imbalance compares counts with one another, so that what they have in common is no part of it.
    """

    def __init__(self, method: Minimisation, runs: int, counts: dict[tuple[str, str], Counts]) -> None:
        """Stand there.

        Args:
            method: the method.
            runs: R.
            counts: (R, arms) of each level that somebody had.
        """
        self._method = method
        self._runs = runs
        self._counts = counts

    @property
    def runs(self) -> int:
        """How many there are."""
        return self._runs

    def open(self, random: np.random.Generator) -> None:
        """Nothing: minimisation runs without end."""

    def open_all(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Nothing: every run goes on."""
        return np.arange(self._runs), np.ones(self._runs)

    def chances(self, place: Place) -> tuple[list[Chances], NDArray[np.intp]]:
        """As the method gives them for the counts at the newcomer's levels."""
        here = np.stack([self._at(name, place) for name in self._method.factors], axis=1)
        distinct, state = distinct_rows(here.reshape(self._runs, -1))
        shape = here.shape[1:]
        return [self._method.chances(row.reshape(shape).tolist()) for row in distinct], state

    def take(self, given: NDArray[np.intp], place: Place) -> None:
        """Count the newcomer at each of its levels."""
        for name in self._method.factors:
            counts = self._at(name, place)
            counts[np.arange(self._runs), given] += 1
            counts -= counts.min(axis=1, keepdims=True)

    def only(self, rows: NDArray[np.intp]) -> "MinimisationStandings":
        """Some of the runs."""
        return MinimisationStandings(self._method, len(rows), {level: own[rows] for level, own in self._counts.items()})

    def _at(self, name: str, place: Place) -> Counts:
        nobody = np.zeros((self._runs, len(self._method.arms)), dtype=np.int64)
        return self._counts.setdefault((name, place.factors[name]), nobody)


def at_start(method: Method, runs: int) -> Standings:
    """Before the first place."""
    if isinstance(method, Minimisation):
        return MinimisationStandings(method, runs, {})
    assert isinstance(method, SequenceMethod)
    return SequenceStandings(
        method, np.zeros((runs, len(method.arms)), dtype=np.int64), np.full(runs, -1, dtype=np.int64)
    )


def planned_lengths(method: Method) -> tuple[int, ...]:
    """The lengths that a stretch may have."""
    return method.stretch_lengths if isinstance(method, SequenceMethod) else (0,)


def check_places(method: Method, places: Sequence[Place]) -> None:
    """Refuse participants whom the method cannot allocate."""
    if isinstance(method, PlannedMethod) and method.n is not None:
        for stratum in dict.fromkeys(place.stratum for place in places):
            members = sum(place.stratum == stratum for place in places)
            if members > method.n:
                problem = f"fewer than the {members} participants of the sequence"
                raise AllocationRefused("allocation.n", method.n, problem, "give the number that was planned")
    if isinstance(method, Minimisation):
        for number, place in enumerate(places):
            for name in method.factors:
                if not isinstance(place.factors.get(name), str):
                    field = f"places[{number}].factors.{name}"
                    remedy = "give every factor that the method balances"
                    raise AllocationRefused(field, place.factors.get(name), "no level", remedy)


def distinct_rows(rows: Counts) -> tuple[Counts, NDArray[np.intp]]:
    """The distinct rows (k, m) of a table (R, m) of small numbers, and which each row is."""
    least = rows.min(axis=0)
    sizes = (rows.max(axis=0) - least + 1).tolist()
    steps = [*accumulate(sizes[:0:-1], lambda step, size: step * size, initial=1)][::-1]
    if sizes[0] * steps[0] >= LARGEST_CODE:
        found, which = np.unique(rows, axis=0, return_inverse=True)
        return found, which.ravel()
    _, first, which = np.unique((rows - least) @ np.array(steps), return_index=True, return_inverse=True)
    return rows[first], which.ravel()


def drawn_arms(chances: list[Chances], state: NDArray[np.intp], random: np.random.Generator) -> NDArray[np.intp]:
    """(R,), the arm of each run, drawn exactly by the whole-number chances of its state."""
    cuts = [[cut * 2**BITS // sum(row) for cut in accumulate(row)][:-1] for row in chances]
    drawn = random.integers(2**BITS, size=len(state))
    table = np.array(cuts, dtype=np.int64)[state]
    given = (drawn[:, np.newaxis] >= table).sum(axis=1)
    # A draw that equals the cut, rounded down, may lie on either side of it.
    for run in np.flatnonzero((drawn[:, np.newaxis] == table).any(axis=1)):
        given[run] = decided(chances[state[run]], int(drawn[run]), random)
    return np.asarray(given, dtype=np.intp)


def decided(chances: Chances, drawn: int, random: np.random.Generator) -> int:
    """The arm of one draw, with as many further digits as it takes to be on one side of every cut."""
    total, cuts, scale = sum(chances), list(accumulate(chances))[:-1], 2**BITS
    while True:
        lowest, highest = (bisect_right(cuts, Fraction(end * total, scale)) for end in (drawn, drawn + 1))
        if lowest == highest or Fraction((drawn + 1) * total, scale) == cuts[lowest]:
            return lowest
        drawn, scale = drawn * 2**BITS + int(random.integers(2**BITS)), scale * 2**BITS
