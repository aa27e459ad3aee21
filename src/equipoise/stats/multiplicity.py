"""P values and limits for several tests at once.

Each family of tests is adjusted by itself. Methods that adjust P only, by steps, have no simultaneous intervals of
their own: theirs are Bonferroni's, and the result says so.
Equations: docs/methods/marginal-means.md.
Terms: *family* (the tests that are adjusted together), *limit* (how many standard errors an interval reaches).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.stats.multivariate_t import Estimate, Rule, equicoordinate, exceedance, rule_for
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.studentised_range import range_exceedance, range_quantile

ADJUSTMENTS = ("none", "bonferroni", "holm", "hochberg", "sidak", "tukey", "dunnett", "mvt")
ALTERNATIVES = ("two-sided", "greater", "less")
STEPWISE = ("holm", "hochberg")
JOINT = ("dunnett", "mvt")
CITATIONS = {
    "none": "no adjustment for multiplicity",
    "bonferroni": "Bonferroni adjustment",
    "holm": "Holm adjustment (1979)",
    "hochberg": "Hochberg adjustment (1988)",
    "sidak": "Sidak adjustment (1967)",
    "tukey": "Tukey adjustment by the studentised range",
    "dunnett": "Dunnett adjustment by the multivariate t distribution",
    "mvt": "adjustment by the multivariate t distribution (Genz and Bretz 2009)",
}


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """Tests that are adjusted together: statistics (q,), df (q,), their correlation (q, q), and how many means."""

    statistics: Vector
    df: Vector
    correlation: Matrix
    means: int
    alternative: str

    @property
    def size(self) -> int:
        """How many tests."""
        return int(self.statistics.size)


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """Adjusted P values (q,), limits (q,) in standard errors, and the largest three standard errors of either.

    Both errors are zero where the adjustment is exact.
    """

    p_values: Vector
    limits: Vector
    error: float = 0.0
    limit_error: float = 0.0


def adjusted(family: Family, method: str, level: float) -> Adjusted:
    """Adjust one family.

    Args:
        family: of q tests; one test alone needs no adjustment.
        method: one of `ADJUSTMENTS`.
        level: of the intervals, simultaneous where the method has such.

    Returns:
        P values, and limits that reach as far as the method's intervals, Bonferroni's for holm and hochberg.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6:65-70; Hochberg (1988), Biometrika 75:800-802;
        Sidak (1967), Journal of the American Statistical Association 62:626-633; Dunnett (1955), the same 50:1096-1121.
    """
    if family.size == 1:
        method = "none"
    if method in JOINT:
        return jointly(family, level)
    if method == "tukey":
        return by_range(family, level)
    return Adjusted(STEPS[method](plain_p(family)), plain_limits(family, method, level))


def plain_p(family: Family) -> Vector:
    """(q,), P of each test by itself."""
    toward = {"two-sided": -np.abs(family.statistics), "greater": -family.statistics, "less": family.statistics}
    sides = 2.0 if family.alternative == "two-sided" else 1.0
    return np.asarray(sides * student_below(toward[family.alternative], family.df))


def student_below(statistic: Vector, df: Vector) -> Vector:
    """The t distribution function; normal where df is infinite."""
    student = special.stdtr(np.where(np.isinf(df), 1.0, df), statistic)
    return np.asarray(np.where(np.isinf(df), special.ndtr(statistic), student))


def plain_limits(family: Family, method: str, level: float) -> Vector:
    """(q,), t quantiles at the level that the method leaves each test."""
    q = family.size
    beyond = {"none": 1 - level, "sidak": -np.expm1(np.log(level) / q)}.get(method, (1 - level) / q)
    tail = beyond / (2 if family.alternative == "two-sided" else 1)
    student = special.stdtrit(np.where(np.isinf(family.df), 1.0, family.df), tail)
    return np.asarray(-np.where(np.isinf(family.df), special.ndtri(tail), student))


def holm(p: Vector) -> Vector:
    """Steps down from the smallest P, equation (holm)."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    return capped(stepped, order)


def hochberg(p: Vector) -> Vector:
    """Steps up from the largest P, equation (hochberg)."""
    order = np.argsort(p, kind="stable")[::-1]
    stepped = np.minimum.accumulate(p[order] * np.arange(1, p.size + 1))
    return capped(stepped, order)


def capped(stepped: Vector, order: "np.ndarray[tuple[int, ...], np.dtype[np.intp]]") -> Vector:
    """Stepped P values in the order that they came, at most one."""
    found = np.empty_like(stepped)
    found[order] = np.minimum(stepped, 1.0)
    return found


STEPS: dict[str, Callable[[Vector], Vector]] = {
    "none": lambda p: p,
    "bonferroni": lambda p: np.minimum(p * p.size, 1.0),
    "sidak": lambda p: np.asarray(-np.expm1(p.size * np.log1p(-np.minimum(p, 1 - 1e-16)))),
    "holm": holm,
    "hochberg": hochberg,
}


def by_range(family: Family, level: float) -> Adjusted:
    """Tukey's adjustment of all pairwise comparisons, each by its own df, equation (tukey)."""
    found = [
        range_exceedance(float(np.sqrt(2) * abs(t)), family.means, df)
        for t, df in zip(family.statistics, family.df, strict=True)
    ]
    quantiles = {df: range_quantile(level, family.means, df) / np.sqrt(2) for df in set(family.df.tolist())}
    return Adjusted(np.array(found), np.array([quantiles[df] for df in family.df.tolist()]))


def jointly(family: Family, level: float) -> Adjusted:
    """Adjustment by the distribution of the largest statistic, each test by its own df, equation (mvt)."""
    two_sided = family.alternative == "two-sided"
    rule = rule_for(family.correlation, two_sided=two_sided)
    toward = {"two-sided": np.abs(family.statistics), "greater": family.statistics, "less": -family.statistics}
    found = [
        exceedance(rule, float(t), df) for t, df in zip(toward[family.alternative], family.df.tolist(), strict=True)
    ]
    limits = shared_limits(rule, level, family.df)
    # A sampled P may stray below the test's own, which it cannot truly be.
    p_values = np.maximum([one.value for one in found], plain_p(family))
    return Adjusted(
        p_values,
        np.array([one.value for one in limits]),
        max(one.error for one in found),
        max(one.error for one in limits),
    )


def shared_limits(rule: Rule, level: float, df: Vector) -> list[Estimate]:
    """The equicoordinate limit at each df, each distinct df solved once."""
    solved = {one: equicoordinate(rule, level, one) for one in set(df.tolist())}
    return [solved[one] for one in df.tolist()]
