"""Follow the distribution of a sequence place by place: no simulation, no error of sampling.

Where a block's size is drawn, one who knows the past arms does not know the size. So what is followed is the
probability of each standing within each *view*: the set of standings that the past arms leave possible.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from equipoise.randomisation.methods import SequenceMethod

Probability = Fraction | float
Standing = tuple[int, int, int]  # participants of A and of B in the stretch, and its length
Standings = dict[Standing, Probability]
View = frozenset[Standing]


@dataclass(frozen=True, slots=True)
class Followed:
    """What becomes of n participants in two equal arms; see `DesignProperties`."""

    imbalance: tuple[tuple[int, Probability], ...]
    variance: Probability
    guesses: Probability
    forced: Probability


def follow(method: SequenceMethod, n: int, *, exact: bool) -> Followed:
    """The distribution after n places, and what could be guessed on the way.

    Args:
        method: for two arms 1:1, with its number of places (n) where it needs one.
        n: places.
        exact: whether to work in fractions; otherwise in doubles, where rounding stays below 1e-12.
    """
    zero: Probability = Fraction(0) if exact else 0.0
    guesses, forced = zero, zero
    opening = _openings(method, zero + 1)
    views: dict[View, Standings] = {frozenset(opening): opening}
    for _ in range(n):
        following: dict[View, Standings] = {}
        for view, standings in views.items():
            arms = _advance(method, standings, exact=exact)
            chances = [sum(after.values(), start=zero) for after in arms]
            guesses += _guessed(_difference(view), chances)
            forced += sum(chances, start=zero) if 0 in chances else zero
            for after in arms:
                _pour(after, following)
        views = following
    sizes: dict[int, Probability] = {}
    for view, standings in views.items():
        size = abs(_difference(view))
        sizes[size] = sizes.get(size, zero) + sum(standings.values(), start=zero)
    variance = sum((size**2 * chance for size, chance in sizes.items()), start=zero)
    return Followed(tuple(sorted(sizes.items())), variance, guesses, forced)


def _openings(method: SequenceMethod, mass: Probability) -> Standings:
    """The standings at the start of a stretch, sharing a probability evenly."""
    lengths = method.stretch_lengths
    return {(0, 0, length): mass / len(lengths) for length in lengths}


def _advance(method: SequenceMethod, standings: Mapping[Standing, Probability], *, exact: bool) -> list[Standings]:
    """The standings after one more place, for each arm that it may bring."""
    arms: list[Standings] = [{}, {}]
    for (of_a, of_b, length), mass in standings.items():
        shares = method.chances((of_a, of_b), length)
        for arm, after in enumerate(((of_a + 1, of_b, length), (of_a, of_b + 1, length))):
            if shares[arm]:
                chance = Fraction(shares[arm], sum(shares)) if exact else shares[arm] / sum(shares)
                ended = length and after[0] + after[1] == length
                reached = _openings(method, mass * chance) if ended else {after: mass * chance}
                for standing, part in reached.items():
                    arms[arm][standing] = arms[arm].get(standing, 0) + part
    return arms


def _pour(standings: Standings, views: dict[View, Standings]) -> None:
    """Add the standings of one history to those of all histories that leave the same view."""
    if standings:
        pool = views.setdefault(frozenset(standings), {})
        for standing, part in standings.items():
            pool[standing] = pool.get(standing, 0) + part


def _difference(view: View) -> int:
    """D: all earlier stretches were even, and all standings of a view have had the same arms."""
    of_a, of_b, _ = next(iter(view))
    return of_a - of_b


def _guessed(difference: int, chances: list[Probability]) -> Probability:
    """The probability that the convergence strategy guesses the next arm."""
    if difference == 0:
        return (chances[0] + chances[1]) / 2
    return chances[0] if difference < 0 else chances[1]
