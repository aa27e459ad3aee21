"""Thousands of comparisons of two samples at once, from arrays.

Shapes: leading axes (...) are independent comparisons; samples lie on the last axis.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats as distributions

from equipoise.stats.coefficients import quantile, two_sided_p
from equipoise.stats.refusals import BadSample, check_level, choose
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.two_samples import rank_sum_p, two_sample

METHODS = ("student", "welch", "wilcoxon")


@dataclass(frozen=True, slots=True, eq=False)
class TwoSampleBatch:
    """Many comparisons, each array (...), as `two_sample` gives them one by one.

    Under wilcoxon `std_error`, `df` and the limits are None. Where `usable` is False a sample has fewer than two known
    values or nothing varies: the estimate and statistic are zero, P is one, the limits are infinite.
    """

    estimate: Vector
    std_error: Vector | None
    df: Vector | None
    statistic: Vector
    p_value: Vector
    conf_low: Vector | None
    conf_high: Vector | None
    usable: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of one sample each: how many are known, their mean, and their variance (divisor n - 1)."""

    n: Vector
    mean: Vector
    variance: Vector


def two_sample_batch(x: ArrayLike, y: ArrayLike, *, method: str = "welch", level: float = 0.95) -> TwoSampleBatch:
    """Compare each pair of samples on its own.

    Args:
        x: (..., n_x), NaN where missing.
        y: (..., n_y), likewise; leading axes broadcast.
        method: student, welch or wilcoxon (exact P below fifty in each sample; the estimate is the median of all
            differences). A permutation test of many outcomes is `rerandomisation_batch`.
        level: of the intervals.

    Raises:
        BadSample: infinite values, or shapes that do not agree.
        UnknownChoice: a method that is not offered.
    """
    choose("method", method, METHODS)
    check_level(level)
    first, second = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    try:
        lead = np.broadcast_shapes(first.shape[:-1], second.shape[:-1])
    except ValueError:
        raise BadSample(
            "x, y", (first.shape, second.shape), "have leading axes that do not agree", "check the shapes"
        ) from None
    if np.isinf(first).any() or np.isinf(second).any():
        raise BadSample("x, y", None, "hold an infinite value", "correct it or mark it as missing")
    first = np.broadcast_to(first, (*lead, *first.shape[-1:]))
    second = np.broadcast_to(second, (*lead, *second.shape[-1:]))
    if method == "wilcoxon":
        return rank_sums(first, second)
    return t_tests(first, second, level, pooled=method == "student")


def moments(values: Matrix) -> Moments:
    """Mean and variance over the last axis, the variance about the mean."""
    known = ~np.isnan(values)
    n = known.sum(axis=-1).astype(np.float64)
    filled = np.where(known, values, 0.0)
    mean = filled.sum(axis=-1) / np.maximum(n, 1)
    deviations = np.where(known, filled - mean[..., np.newaxis], 0.0)
    # What the rounding of the mean left is taken up, so that a large common shift costs no digits.
    rest = deviations.sum(axis=-1) / np.maximum(n, 1)
    deviations = np.where(known, deviations - rest[..., np.newaxis], 0.0)
    return Moments(n, mean + rest, (deviations**2).sum(axis=-1) / np.maximum(n - 1, 1))


def t_tests(x: Matrix, y: Matrix, level: float, *, pooled: bool) -> TwoSampleBatch:
    """Student's or Welch's test of each pair."""
    a, b = moments(x), moments(y)
    usable = np.asarray((a.n >= 2) & (b.n >= 2) & (a.variance + b.variance > 0))
    n_a, n_b = np.maximum(a.n, 2), np.maximum(b.n, 2)
    if pooled:
        df = n_a + n_b - 2
        variance = ((n_a - 1) * a.variance + (n_b - 1) * b.variance) / df * (1 / n_a + 1 / n_b)
    else:
        shares = a.variance / n_a, b.variance / n_b
        largest = np.where(usable, np.maximum(*shares), 1.0)
        own, other = np.where(usable, shares[0] / largest, 1.0), np.where(usable, shares[1] / largest, 1.0)
        df = (own + other) ** 2 / (own**2 / (n_a - 1) + other**2 / (n_b - 1))
        variance = shares[0] + shares[1]
    std_error = np.where(usable, np.sqrt(variance), np.inf)
    estimate = np.where(usable, a.mean - b.mean, 0.0)
    statistic = estimate / std_error
    half = quantile(level, df) * std_error
    return TwoSampleBatch(
        estimate, std_error, df, statistic, two_sided_p(statistic, df), estimate - half, estimate + half, usable
    )


def rank_sums(x: Matrix, y: Matrix) -> TwoSampleBatch:
    """Wilcoxon's test of each pair: one table of P serves all pairs without ties or gaps."""
    lead, (n_x, n_y) = x.shape[:-1], (x.shape[-1], y.shape[-1])
    together = np.concatenate([x, y], axis=-1).reshape(-1, n_x + n_y)
    ordered = np.sort(together, axis=-1)
    plain = ~np.isnan(together).any(axis=-1) & (np.diff(ordered, axis=-1) > 0).all(axis=-1)
    estimate, statistic, p_value = np.zeros(len(together)), np.zeros(len(together)), np.ones(len(together))
    usable = np.ones(len(together), bool)
    if plain.any() and n_x >= 2 and n_y >= 2:
        rows = together[plain]
        u = distributions.rankdata(rows, axis=-1)[:, :n_x].sum(axis=-1) - n_x * (n_x + 1) / 2
        statistic[plain], p_value[plain] = u, rank_sum_p(n_x, n_y)[np.rint(u).astype(np.intp)]
        differences = rows[:, :n_x, np.newaxis] - rows[:, np.newaxis, n_x:]
        estimate[plain] = np.median(differences.reshape(len(rows), -1), axis=-1)
    for place in np.flatnonzero(~plain) if n_x >= 2 and n_y >= 2 else range(len(together)):
        try:
            found = two_sample(together[place, :n_x], together[place, n_x:], method="wilcoxon")
        except BadSample:
            usable[place] = False
        else:
            estimate[place], statistic[place], p_value[place] = found.estimate, found.statistic, found.p_value
    return TwoSampleBatch(
        estimate.reshape(lead),
        None,
        None,
        statistic.reshape(lead),
        p_value.reshape(lead),
        None,
        None,
        usable.reshape(lead),
    )
