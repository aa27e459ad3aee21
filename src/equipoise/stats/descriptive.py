"""Describe one sample, one proportion, or the difference of two proportions.

Terms: *level* (the confidence level, 0.95 unless another is asked for).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from equipoise.stats.refusals import BadSample, check_level, is_whole
from equipoise.stats.samples import centred_moments, sample


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean with its standard deviation and t interval, in the units of the sample."""

    n: int
    mean: float
    sd: float
    std_error: float
    conf_low: float
    conf_high: float
    level: float
    n_missing: int


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Median and quartiles by linear interpolation between order statistics (R's type 7), in the sample's units."""

    n: int
    median: float
    lower: float
    upper: float
    minimum: float
    maximum: float
    n_missing: int
    definition: str = "R type 7"


@dataclass(frozen=True, slots=True)
class Proportion:
    """A proportion with its interval."""

    estimate: float
    conf_low: float
    conf_high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class RiskDifference:
    """The difference of two proportions, first less second, with its interval."""

    estimate: float
    conf_low: float
    conf_high: float
    level: float
    method: str


def mean_interval(x: ArrayLike, level: float = 0.95) -> MeanInterval:
    """Mean, standard deviation (divisor n - 1) and the interval by Student's t on n - 1 degrees of freedom.

    Args:
        x: (n,), NaN where missing; missing values are left out and counted.
        level: confidence level.

    Raises:
        BadSample: fewer than two known values, or a level outside (0, 1).
    """
    check_level(level)
    values, n_missing = sample(x, "x", 2)
    mean, variance = centred_moments(values)
    std_error = float(np.sqrt(variance / values.size))
    half = float(special.stdtrit(values.size - 1, (1 + level) / 2)) * std_error
    return MeanInterval(
        values.size, mean, float(np.sqrt(variance)), std_error, mean - half, mean + half, level, n_missing
    )


def median_quartiles(x: ArrayLike) -> Quartiles:
    """Median and quartiles, R's type 7: the p-quantile lies at position 1 + (n - 1) p of the sorted values.

    Args:
        x: (n,), NaN where missing; missing values are left out and counted.

    Raises:
        BadSample: no known value.

    Source:
        Hyndman and Fan (1996), American Statistician 50:361-365, definition 7.
    """
    values, n_missing = sample(x, "x", 1)
    lower, median, upper = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75], method="linear"))
    return Quartiles(values.size, median, lower, upper, float(values[0]), float(values[-1]), n_missing)


def clopper_pearson(x: int, n: int, level: float = 0.95) -> Proportion:
    """The exact binomial interval of x events in n.

    Raises:
        BadSample: unless 0 <= x <= n and n >= 1.

    Source:
        Clopper and Pearson (1934), Biometrika 26:404-413, by quantiles of the beta distribution.
    """
    check_level(level)
    check_count("x", x, "n", n)
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(special.betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(special.betaincinv(x + 1, n - x, 1 - tail))
    return Proportion(x / n, low, high, level, "exact binomial interval (Clopper and Pearson 1934)")


def wilson(x: int, n: int, level: float = 0.95) -> Proportion:
    """The score interval of x events in n, without continuity correction.

    Raises:
        BadSample: unless 0 <= x <= n and n >= 1.

    Source:
        Wilson (1927), JASA 22:209-212.
    """
    check_level(level)
    check_count("x", x, "n", n)
    z = float(special.ndtri((1 + level) / 2))
    share = x / n
    centre = share + z**2 / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    denominator = 1 + z**2 / n
    low = 0.0 if x == 0 else (centre - half) / denominator
    high = 1.0 if x == n else (centre + half) / denominator
    return Proportion(share, low, high, level, "score interval (Wilson 1927)")


def newcombe(x1: int, n1: int, x2: int, n2: int, level: float = 0.95) -> RiskDifference:
    """The difference x1/n1 - x2/n2 with Newcombe's hybrid score interval.

    Raises:
        BadSample: unless 0 <= x <= n and n >= 1 in both samples.

    Source:
        Newcombe (1998), Statistics in Medicine 17:873-890, method 10 (score, no continuity correction).
    """
    check_level(level)
    check_count("x1", x1, "n1", n1)
    check_count("x2", x2, "n2", n2)
    first, second = wilson(x1, n1, level), wilson(x2, n2, level)
    difference = first.estimate - second.estimate
    below = np.hypot(first.estimate - first.conf_low, second.conf_high - second.estimate)
    above = np.hypot(first.conf_high - first.estimate, second.estimate - second.conf_low)
    return RiskDifference(
        difference, difference - float(below), difference + float(above), level, "hybrid score interval (Newcombe 1998)"
    )


def check_count(events_name: str, events: int, total_name: str, total: int) -> None:
    """Refuse a count of events that is not within a total of at least one."""
    if not is_whole(total) or total < 1:
        raise BadSample(total_name, total, "is not a number of subjects", "give a whole number of 1 or more")
    if not is_whole(events):
        raise BadSample(events_name, events, "is not a number of events", "give a whole number of 0 or more")
    if not 0 <= events <= total:
        raise BadSample(events_name, events, f"does not lie between 0 and {total_name} = {total}", "check both counts")
