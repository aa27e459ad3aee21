"""Compare two independent samples: Student, Welch, Wilcoxon, permutation.

Estimates are for the first sample less the second. Exact distributions are used where they can be:
the rank-sum test below fifty in each sample, ties included, and the permutation test while all
divisions can be listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from equipoise.stats.refusals import BadSample, check_level, choose, is_whole
from equipoise.stats.samples import Matrix, Vector, centred_moments, sample
from equipoise.stats.shift_intervals import changing_shifts, mean_differences, shift_limits

METHODS = ("student", "welch", "wilcoxon", "permutation")
EXACT_RANKS_BELOW = 50  # in each sample, as R's wilcox.test
MOST_DIVISIONS = 200_000  # listed one by one; beyond it the permutation test draws
ROWS_AT_A_TIME = 20_000
TIE = 1e-10  # relative; sums of the same numbers in another order differ by less


@dataclass(frozen=True, slots=True)
class TwoSample:
    """A comparison of two independent samples, in the units of the outcome.

    `std_error` and `df` are None for the rank and permutation tests, which have neither.
    """

    estimate: float
    std_error: float | None
    df: float | None
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    n_x: int
    n_y: int
    n_missing: int
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Both samples, each sorted, centred on a common origin, with what was missing.

    `rounding` is how far the last digit of the values as given can put a mean out.
    """

    x: Vector
    y: Vector
    n_missing: int
    rounding: float


def two_sample(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "welch",
    level: float = 0.95,
    rng: np.random.Generator | None = None,
    draws: int = 9_999,
) -> TwoSample:
    """Compare two independent samples.

    Args:
        x: (n_x,), NaN where missing; missing values are left out and counted.
        y: (n_y,), likewise.
        method: student (equal variances), welch, wilcoxon (rank sum, Hodges-Lehmann shift), permutation
            (difference of means over all divisions, or `draws` of them).
        level: confidence level.
        rng: random source of a permutation test whose divisions are too many to list.
        draws: how many divisions it then draws.

    Returns:
        For wilcoxon the estimate is the Hodges-Lehmann shift and the statistic Mann and Whitney's U of x;
        for permutation the statistic is the difference of means itself.

    Raises:
        BadSample: fewer than two known values in a sample, no variation at all, or no random source and number of
            draws where they are needed.
        UnknownChoice: a method that is not offered.

    Source:
        Student (1908), Biometrika 6:1-25; Welch (1947), Biometrika 34:28-35; Hollander, Wolfe and Chicken
        (2014), Nonparametric Statistical Methods, chapter 4; Ernst (2004), Statistical Science 19:676-685.
    """
    check_level(level)
    choose("method", method, METHODS)
    pair = samples_of(x, y)
    if method == "wilcoxon":
        return rank_sum(pair, level)
    if method == "permutation":
        return permutation(pair, level, rng, draws)
    return t_test(pair, level, pooled=method == "student")


def samples_of(x: ArrayLike, y: ArrayLike) -> Pair:
    """Both samples checked, sorted and centred on one origin, so that a common shift costs no digits."""
    first, missing_x = sample(x, "x", 2)
    second, missing_y = sample(y, "y", 2)
    origin = (first[0] + second[0]) / 2
    rounding = 4 * float(np.finfo(float).eps) * max(np.abs(first).max(), np.abs(second).max())
    pair = Pair(first - origin, second - origin, missing_x + missing_y, rounding)
    together = np.concatenate([pair.x, pair.y])
    if together.min() == together.max():
        raise BadSample("x, y", float(first[0]), "is the value of every observation", "there is nothing to compare")
    return pair


def t_test(pair: Pair, level: float, *, pooled: bool) -> TwoSample:
    """Student's test (pooled variance) or Welch's (Satterthwaite degrees of freedom)."""
    (mean_x, var_x), (mean_y, var_y) = centred_moments(pair.x), centred_moments(pair.y)
    n_x, n_y = pair.x.size, pair.y.size
    if var_x + var_y == 0:
        raise BadSample("x, y", None, "do not vary within either sample", "use the wilcoxon or permutation method")
    if pooled:
        df = float(n_x + n_y - 2)
        variance = ((n_x - 1) * var_x + (n_y - 1) * var_y) / df * (1 / n_x + 1 / n_y)
        name = "Student's t test, pooled variance"
    else:
        # Relative to the larger share, so that no square leaves the range of a float.
        a, b = var_x / n_x, var_y / n_y
        largest = max(a, b)
        shares = (a / largest) ** 2 / (n_x - 1) + (b / largest) ** 2 / (n_y - 1)
        df = ((a + b) / largest) ** 2 / shares
        variance = a + b
        name = "Welch's t test, unequal variances (Welch 1947)"
    estimate, std_error = mean_x - mean_y, float(np.sqrt(variance))
    t = estimate / std_error
    half = float(special.stdtrit(df, (1 + level) / 2)) * std_error
    return TwoSample(
        estimate,
        std_error,
        df,
        t,
        float(2 * special.stdtr(df, -abs(t))),
        estimate - half,
        estimate + half,
        n_x,
        n_y,
        pair.n_missing,
        level,
        name,
    )


def rank_sum(pair: Pair, level: float) -> TwoSample:
    """Wilcoxon's rank-sum test with the Hodges-Lehmann shift; equations in docs/methods/two-sample.md."""
    n_x, n_y = pair.x.size, pair.y.size
    ranks = stats.rankdata(np.concatenate([pair.x, pair.y]))
    u = float(ranks[:n_x].sum()) - n_x * (n_x + 1) / 2
    differences = np.sort(np.subtract.outer(pair.x, pair.y), axis=None)
    exact = n_x < EXACT_RANKS_BELOW and n_y < EXACT_RANKS_BELOW
    if exact:
        p_value = exact_rank_p(ranks, n_x)
        tied = np.unique(ranks).size < ranks.size
        name = f"Wilcoxon's rank-sum test, exact{' given the ties' if tied else ''}"
        place = exact_place(n_x, n_y, level)
    else:
        p_value = normal_rank_p(ranks, u, n_x, n_y)
        name = "Wilcoxon's rank-sum test, normal approximation with continuity correction"
        place = normal_place(n_x, n_y, level)
    limits = (-np.inf, np.inf) if place < 1 else (differences[place - 1], differences[-place])
    return TwoSample(
        float(np.median(differences)),
        None,
        None,
        u,
        p_value,
        float(limits[0]),
        float(limits[1]),
        n_x,
        n_y,
        pair.n_missing,
        level,
        f"{name}; Hodges-Lehmann estimate",
    )


def exact_rank_p(ranks: Vector, n_x: int) -> float:
    """P of a rank sum at least as far from its mean, over all divisions of these ranks.

    Counts divisions by their sum of doubled ranks (whole numbers even with ties), one rank at a time.
    """
    doubled = np.rint(2 * ranks).astype(np.int64)
    counts = np.zeros((n_x + 1, int(doubled.sum()) + 1))
    counts[0, 0] = 1.0
    for used, rank in enumerate(doubled, start=1):
        for size in range(min(used, n_x), 0, -1):
            counts[size, rank:] += counts[size - 1, : counts.shape[1] - rank]
    sums = np.arange(counts.shape[1])
    # Twice the doubled mean, to stay with whole numbers.
    centre = n_x * (ranks.size + 1)
    far = np.abs(sums - centre) >= abs(int(doubled[:n_x].sum()) - centre)
    return min(1.0, float(counts[n_x, far].sum() / counts[n_x].sum()))


def normal_rank_p(ranks: Vector, u: float, n_x: int, n_y: int) -> float:
    """The normal approximation, with the variance corrected for ties and half a unit for continuity."""
    n = n_x + n_y
    _, ties = np.unique(ranks, return_counts=True)
    variance = n_x * n_y / 12 * (n + 1 - float((ties.astype(float) ** 3 - ties).sum()) / (n * (n - 1)))
    distance = max(abs(u - n_x * n_y / 2) - 0.5, 0.0)
    return min(1.0, float(2 * special.ndtr(-distance / np.sqrt(variance))))


def exact_place(n_x: int, n_y: int, level: float) -> int:
    """Which ordered difference bounds the exact interval: the largest c with P(U < c) at most half the error."""
    below = np.cumsum(rank_counts(n_x, n_y)) / comb(n_x + n_y, n_x)
    return int(np.searchsorted(below, (1 - level) / 2 * (1 + TIE), side="right"))


def rank_counts(n_x: int, n_y: int) -> Vector:
    """(n_x n_y + 1,), how many divisions of distinct values have each U."""
    counts = np.zeros((n_x + 1, n_x * n_y + 1))
    counts[0, 0] = 1.0
    for value in range(1, n_x + n_y + 1):
        for size in range(min(value, n_x), 0, -1):
            shift = value - size
            if shift < counts.shape[1]:
                counts[size, shift:] += counts[size - 1, : counts.shape[1] - shift]
    return np.asarray(counts[n_x])


def rank_sum_p(n_x: int, n_y: int) -> Vector:
    """(n_x n_y + 1,), P of each U of values without ties: exact below fifty in each sample, else normal."""
    values = np.arange(n_x * n_y + 1)
    if n_x < EXACT_RANKS_BELOW and n_y < EXACT_RANKS_BELOW:
        counts = rank_counts(n_x, n_y)
        below = np.cumsum(counts)
        nearer = np.minimum(values, values[::-1])
        double = 2 * below[nearer] - np.where(2 * nearer == n_x * n_y, counts[nearer], 0.0)
        return np.asarray(np.minimum(1.0, double / counts.sum()))
    ranks = np.arange(1.0, n_x + n_y + 1)
    return np.array([normal_rank_p(ranks, float(u), n_x, n_y) for u in values])


def normal_place(n_x: int, n_y: int, level: float) -> int:
    """The same place by the normal approximation, rounded down so that the interval is not too short."""
    deviation = np.sqrt(n_x * n_y * (n_x + n_y + 1) / 12)
    return int(np.floor(n_x * n_y / 2 - float(special.ndtri((1 + level) / 2)) * deviation))


def permutation(pair: Pair, level: float, rng: np.random.Generator | None, draws: int) -> TwoSample:
    """The difference of means over divisions of the pooled sample; the interval by inversion."""
    pooled = np.concatenate([pair.x, pair.y])
    n_x, n_y = pair.x.size, pair.y.size
    outcome = pooled - pooled.mean()
    observed = np.r_[np.ones(n_x), np.zeros(n_y)]
    divisions = comb(n_x + n_y, n_x)
    exact = divisions <= MOST_DIVISIONS
    blocks = all_divisions(n_x + n_y, n_x) if exact else drawn_divisions(observed, *source(rng, draws, divisions))
    statistics, shifts, moves = divisions_walked(outcome, observed, blocks)
    here = float(mean_differences(outcome, observed[np.newaxis])[0])
    margin = TIE * float(np.abs(outcome).max()) + pair.rounding
    far = int((np.abs(statistics) >= abs(here) - margin).sum())
    n = statistics.size
    always = 0.0 if exact else 1 / (n + 1)
    mass = np.full(n, 1 / n if exact else 1 / (n + 1))
    low, high = shift_limits(shifts, moves, mass, always, (1 - level) / 2)
    how = f"all {divisions} divisions" if exact else f"{n} random divisions"
    return TwoSample(
        here,
        None,
        None,
        here,
        far / n if exact else (far + 1) / (n + 1),
        low,
        high,
        n_x,
        n_y,
        pair.n_missing,
        level,
        f"permutation test of the difference of means, {how} (Ernst 2004)",
    )


def source(rng: np.random.Generator | None, draws: int, divisions: int) -> tuple[np.random.Generator, int]:
    """The random source and the number of draws, both checked."""
    if not isinstance(rng, np.random.Generator):
        raise BadSample(
            "rng", rng, f"is needed to draw among {divisions} divisions", "give a numpy.random.Generator with its seed"
        )
    if not is_whole(draws) or draws < 1:
        raise BadSample("draws", draws, "is not a number of divisions", "give 1 or more, such as 9999")
    return rng, draws


def divisions_walked(
    outcome: Vector, observed: Vector, blocks: Iterator[Matrix]
) -> tuple[Vector, Vector, NDArray[np.bool_]]:
    """The difference of means, the changing shift and whether there is one, for each division."""
    statistics, shifts, moves = [], [], []
    for codes in blocks:
        statistics.append(mean_differences(outcome, codes))
        block_shifts, block_moves = changing_shifts(outcome, codes, observed)
        shifts.append(block_shifts)
        moves.append(block_moves)
    return np.concatenate(statistics), np.concatenate(shifts), np.concatenate(moves)


def all_divisions(n: int, n_x: int) -> Iterator[Matrix]:
    """Every way to take n_x of n, as rows of ones and zeros, in blocks."""
    members = np.array(list(combinations(range(n), n_x)), dtype=np.intp)
    for start in range(0, len(members), ROWS_AT_A_TIME):
        block = members[start : start + ROWS_AT_A_TIME]
        codes = np.zeros((len(block), n))
        np.put_along_axis(codes, block, 1.0, axis=1)
        yield codes


def drawn_divisions(observed: Vector, rng: np.random.Generator, draws: int) -> Iterator[Matrix]:
    """Random divisions of the same sizes, in blocks."""
    for start in range(0, draws, ROWS_AT_A_TIME):
        rows = min(ROWS_AT_A_TIME, draws - start)
        yield rng.permuted(np.broadcast_to(observed, (rows, observed.size)), axis=1)
