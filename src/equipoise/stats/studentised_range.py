"""The studentised range: tails and quantiles of the largest difference among k means.

Both integrals are trapezoids over analytic integrands that vanish at the ends, so that they are exact to rounding;
the upper tail is integrated itself, never taken from one. Equation (range) in docs/methods/marginal-means.md.
"""

import numpy as np
from scipy import optimize, special

from equipoise.stats.multivariate_t import deviations

STEP = 0.125


def range_exceedance(limit: float, means: int, df: float) -> float:
    """The probability that the studentised range of some means exceeds a limit not below zero.

    Args:
        limit: in units of the standard error of a mean.
        means: how many, two or more.
        df: of the standard error, infinite when it is known.

    Source:
        Tukey (1953); Copenhaver and Holland (1988), Journal of Statistical Computation and Simulation 30:1-15.
    """
    spread, masses = deviations(df)
    z = np.arange(-9.0, 20.0, STEP)
    density = means * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * STEP
    all_below = special.ndtr(z)
    out_of_reach = special.ndtr(z - limit * spread[:, np.newaxis])
    within = all_below - out_of_reach
    # a^(k-1) - b^(k-1) = (a - b) (a^(k-2) + a^(k-3) b + ... + b^(k-2)): no digits are lost far out.
    powers = np.ones_like(within)
    for _ in range(means - 2):
        powers = powers * within
        powers += np.broadcast_to(all_below, within.shape) ** (_ + 1)
    return min(float(masses @ (out_of_reach * powers) @ density), 1.0)


def range_quantile(level: float, means: int, df: float) -> float:
    """The limit that the studentised range stays below with the probability `level`."""
    high = 8.0
    while range_exceedance(high, means, df) > 1 - level:
        high *= 2
    return float(
        optimize.brentq(lambda at: range_exceedance(at, means, df) - (1 - level), 0.0, high, xtol=1e-12, rtol=1e-14)
    )
