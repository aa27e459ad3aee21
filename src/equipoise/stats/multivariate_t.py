"""Probabilities and quantiles of the largest of several correlated t statistics.

A multivariate t vector of rank r is a direction on the unit sphere times a radius whose square over r is F
distributed, and the largest statistic is the radius times the largest coordinate of the direction. The sphere falls
into facets, one for each statistic; within a facet the angle from its own point is integrated exactly, and what is
left, how far the facet reaches in each turn about that point, is exact up to rank three and quasi-Monte Carlo
beyond. Where the correlation is a product, as of comparisons with one control, two nested integrals are exact for
any number of statistics.
Equations: docs/methods/marginal-means.md.
Terms: *exceedance* (the probability that the largest statistic exceeds a limit), *facet* (the directions on which
one given coordinate is the largest), *turn* (a direction about a facet's point), *reach* (the angle to its border).
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy import optimize, special
from scipy.stats import qmc

from equipoise.stats.coefficients import quantile
from equipoise.stats.samples import Matrix, Vector

SEED = 20030709  # of the quasi-Monte Carlo points: the same numbers on every run
REPLICATES, LOG2_POINTS = 8, 11
MOST_EXACT_RANK = 3
NODES = 24
NEAR_RIGHT = np.geomspace(1e-12, 0.01, 120)  # about the right angle a small limit leaves a narrow step
TILTS = np.unique(np.concatenate([np.linspace(0.0, np.pi, 1025), np.pi / 2 - NEAR_RIGHT, np.pi / 2 + NEAR_RIGHT]))
NO_SPREAD = 1e-9  # eigenvalue relative to the largest
SAME = 1e-12
STEEPEST_LOADING = 0.97  # beyond it the inner integrand of a product correlation is too narrow for its nodes
LOG_NEGLIGIBLE = 45.0
LOWEST = -60.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and three times its standard error, which is zero where a quadrature is exact to rounding."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Facets:
    """How far the facets of a correlation of some rank reach, by B independent rules.

    Whatever the limit, the sum over a rule's turns is one of heights and slopes at `TILTS`: `rules` (B, 2, E) are their
    weights. `control` (2, E) are the weights of the slope on what a rule misses of the sphere's area, `missed` (B,):
    equation (control). Both are zero for an exact rule.
    """

    rules: Matrix
    control: Matrix
    missed: Vector
    rank: int
    two_sided: bool

    def exceedance(self, limit: float, df: float) -> Vector:
        """(B,), the probability that the largest statistic exceeds the limit, equations (facets) and (control)."""
        curve = tilted(self.rank, limit, df)
        return np.asarray(np.tensordot(self.rules, curve, 2) - np.vdot(self.control, curve) * self.missed)


@dataclass(frozen=True, slots=True, eq=False)
class ProductCorrelation:
    """A correlation whose entries are products of loadings (k,), so that one common factor explains it."""

    loadings: Vector
    two_sided: bool

    def exceedance(self, limit: float, df: float) -> Vector:
        """(1,), the probability that the largest statistic exceeds the limit, equation (product)."""
        spread, masses = deviations(df)
        common = np.linspace(-14.0, 14.0, 561)
        density = np.exp(-(common**2) / 2) / np.sqrt(2 * np.pi) * (common[1] - common[0])
        kept = np.zeros((spread.size, common.size))
        for loading in self.loadings:
            own = np.sqrt(1 - loading**2)
            missed = special.ndtr((loading * common - limit * spread[:, np.newaxis]) / own)
            if self.two_sided:
                missed += special.ndtr((-loading * common - limit * spread[:, np.newaxis]) / own)
            with np.errstate(divide="ignore"):  # a statistic certain to exceed: logarithm of zero
                kept += np.log1p(-np.minimum(missed, 1.0))
        return np.array([masses @ -np.expm1(kept) @ density])


@dataclass(frozen=True, slots=True, eq=False)
class OneStatistic:
    """The case of a single t statistic."""

    two_sided: bool

    def exceedance(self, limit: float, df: float) -> Vector:
        """(1,), the probability that the statistic exceeds the limit."""
        above = special.ndtr(-limit) if np.isinf(df) else special.stdtr(df, -limit)
        return np.array([2 * above if self.two_sided else above])


Rule: TypeAlias = "Facets | ProductCorrelation | OneStatistic"


def rule_for(correlation: Matrix, *, two_sided: bool = True) -> Rule:
    """How exceedances of a correlation (k, k) are integrated; singular ones are welcome.

    Args:
        correlation: of the statistics, unit diagonal.
        two_sided: whether the absolute values are meant.
    """
    values, vectors = np.linalg.eigh(correlation)
    carrying = values > NO_SPREAD * values[-1]
    points = vectors[:, carrying] * np.sqrt(values[carrying])
    points = distinct(points / np.linalg.norm(points, axis=1, keepdims=True), two_sided=two_sided)
    if len(points) == 1:
        return OneStatistic(two_sided)
    rank = points.shape[1]
    if rank == 1:  # a statistic and its opposite: the larger is the absolute value
        return OneStatistic(two_sided=True)
    if rank <= MOST_EXACT_RANK:
        return exact_facets(points, two_sided=two_sided)
    loadings = loadings_of(points @ points.T, two_sided=two_sided)
    if loadings is not None:
        return ProductCorrelation(loadings, two_sided)
    return sampled_facets(points, two_sided=two_sided)


def exceedance(rule: Rule, limit: float, df: float) -> Estimate:
    """The probability that the largest statistic exceeds a limit.

    Args:
        rule: from `rule_for`.
        limit: for two-sided rules not below zero.
        df: shared by the statistics, infinite for the normal distribution.
    """
    several = rule.exceedance(limit, df)
    return Estimate(min(float(several.mean()), 1.0), three_errors(several))


def equicoordinate(rule: Rule, level: float, df: float) -> Estimate:
    """The limit that the largest statistic stays below with the probability `level`.

    The error is that of the exceedance at the limit, over the slope there.
    """

    def excess(limit: float) -> float:
        return float(rule.exceedance(limit, df).mean()) - (1 - level)

    low = 0.0 if rule.two_sided else LOWEST
    high = float(quantile(level, np.array([df]))[0]) + 1.0
    while excess(high) > 0:
        high *= 2
    limit = float(optimize.brentq(excess, low, high, xtol=1e-11))
    several, step = rule.exceedance(limit, df), 1e-4
    slope = (excess(limit - step) - excess(limit + step)) / (2 * step)
    return Estimate(limit, three_errors(several) / slope)


def three_errors(several: Vector) -> float:
    """Three standard errors of the mean of independent replicates; zero for one rule, which is exact."""
    return 0.0 if several.size == 1 else float(3 * several.std(ddof=1) / np.sqrt(several.size))


def tilted(rank: int, limit: float, df: float) -> Matrix:
    """(2, E), the exceedance within each of `TILTS` of a facet's point, and its slope there, equation (tilt).

    As shares of all the sphere's angles; cumulated Gauss-Legendre rules.
    """
    nodes, weights = np.polynomial.legendre.leggauss(4)
    half = np.diff(TILTS)[:, np.newaxis] / 2
    whole = np.sqrt(np.pi) * np.exp(special.gammaln((rank - 1) / 2) - special.gammaln(rank / 2))

    def slope(angle: Matrix) -> Matrix:
        return np.asarray(np.sin(angle) ** (rank - 2) * beyond(np.cos(angle), limit, rank, df) / whole)

    pieces = (slope(TILTS[:-1, np.newaxis] + half * (nodes + 1)) * half) @ weights
    return np.stack([np.concatenate([[0.0], np.cumsum(pieces)]), slope(TILTS)])


def weights_of_tilts(reach: Vector, shares: Vector) -> Matrix:
    """(2, E), what a weighted sum over angles (N,) takes of heights and slopes at `TILTS`: cubic Hermite pieces."""
    left = np.clip(np.searchsorted(TILTS, reach, side="right") - 1, 0, TILTS.size - 2)
    width = TILTS[left + 1] - TILTS[left]
    part = (reach - TILTS[left]) / width
    rising = part**2 * (3 - 2 * part)
    terms = [
        [(left, 1 - rising), (left + 1, rising)],
        [(left, width * part * (1 - part) ** 2), (left + 1, -width * part**2 * (1 - part))],
    ]
    return np.array(
        [sum(np.bincount(at, shares * weight, TILTS.size) for at, weight in pair) for pair in terms], dtype=np.float64
    )


def beyond(coordinate: Matrix, limit: float, rank: int, df: float) -> Matrix:
    """The probability that the radius times a coordinate exceeds the limit, equation (radial)."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        squares = np.nan_to_num((limit / coordinate) ** 2, nan=0.0, posinf=1e300)
    above = special.chdtrc(rank, squares) if np.isinf(df) else special.fdtrc(rank, df, squares / rank)
    if limit >= 0:
        return np.where(coordinate > 0, above, 0.0)
    return np.where(coordinate < 0, 1 - above, 1.0)


def distinct(points: Matrix, *, two_sided: bool) -> Matrix:
    """The points without those that repeat an earlier one, in opposite direction too where both sides count."""
    shares = points @ points.T
    same = (np.abs(shares) if two_sided else shares) > 1 - SAME
    return points[~np.tril(same, -1).any(axis=1)]


def borders_of(points: Matrix, place: int, *, two_sided: bool) -> Matrix:
    """(m, r - 1), where a facet ends: the cotangent of its reach is the largest of borders @ turn, equation (reach)."""
    point = points[place]
    others = np.vstack([np.delete(points, place, axis=0), -points]) if two_sided else np.delete(points, place, axis=0)
    tangents = np.linalg.svd(point[np.newaxis])[2][1:]
    return np.asarray((others @ tangents.T) / (1 - others @ point)[:, np.newaxis])


def reach_of(turns: Matrix, borders: Matrix) -> Vector:
    """(N,), the angles between 0 and pi that a facet reaches in turns (N, r - 1)."""
    return np.asarray(np.arctan2(1.0, (borders @ turns.T).max(axis=0)))


def exact_facets(points: Matrix, *, two_sided: bool) -> Facets:
    """Facets of the circle or the sphere.

    Args:
        points: (k, r), unit vectors, r two or three.
        two_sided: whether opposite points count too; a facet and its opposite then have the same angles.
    """
    rule = np.zeros((2, TILTS.size))
    for place in range(len(points)):
        borders = borders_of(points, place, two_sided=two_sided)
        turns, weights = circle_turns() if points.shape[1] == 2 else sphere_turns(borders)
        rule += weights_of_tilts(reach_of(turns, borders), weights * (2.0 if two_sided else 1.0))
    return Facets(rule[np.newaxis], np.zeros_like(rule), np.zeros(1), points.shape[1], two_sided)


def circle_turns() -> tuple[Matrix, Vector]:
    """Both turns (2, 1) about a point of the circle, and their weights."""
    return np.array([[-1.0], [1.0]]), np.full(2, 0.5)


def sphere_turns(borders: Matrix) -> tuple[Matrix, Vector]:
    """Turns (N, 2) about a point of the sphere and weights (N,): Gauss-Legendre nodes between the facet's corners.

    Where the reach passes the right angle counts as a corner too: there the radius loses its say.
    """
    ends = np.vstack([borders, np.zeros((1, 2))])
    first, second = np.triu_indices(len(ends), 1)
    across = ends[first] - ends[second]
    corners = np.arctan2(-across[:, 0], across[:, 1])
    corners, meeting = np.concatenate([corners, corners + np.pi]) % (2 * np.pi), np.tile(first, 2)
    heights = np.column_stack([np.cos(corners), np.sin(corners)]) @ borders.T
    height = np.take_along_axis(heights, meeting[:, np.newaxis], 1)[:, 0]
    real = corners[height >= heights.max(axis=1) - 1e-9 * (1 + np.abs(height))]
    edges = np.unique(np.concatenate([real, np.linspace(0, 2 * np.pi, 9)]))
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    half = np.diff(edges)[:, np.newaxis] / 2
    angles = (edges[:-1, np.newaxis] + half * (nodes + 1)).ravel()
    return np.column_stack([np.cos(angles), np.sin(angles)]), (half * weights).ravel() / (2 * np.pi)


def sampled_facets(points: Matrix, *, two_sided: bool) -> Facets:
    """Facets of a sphere in four dimensions or more, by scrambled Sobol points that tell their own error.

    Source:
        Genz and Bretz (2009), Computation of Multivariate Normal and t Probabilities, Springer, chapter 4.
    """
    rank = points.shape[1]
    normal = np.concatenate(
        [
            qmc.Sobol(rank - 1, scramble=True, rng=np.random.default_rng([SEED, one])).random_base2(LOG2_POINTS)
            for one in range(REPLICATES)
        ]
    )
    normal = special.ndtri(np.clip(normal, 1e-15, 1 - 1e-15))
    turns = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    reach = np.stack([reach_of(turns, borders_of(points, one, two_sided=two_sided)) for one in range(len(points))])
    copies = 2.0 if two_sided else 1.0
    beneath = special.betainc((rank - 1) / 2, 0.5, np.sin(reach) ** 2) / 2
    missed = copies * np.where(reach <= np.pi / 2, beneath, 1 - beneath).sum(axis=0) - 1
    centred = missed - missed.mean()
    share = copies / 2**LOG2_POINTS
    rules = [weights_of_tilts(one.ravel(), np.full(one.size, share)) for one in np.split(reach, REPLICATES, axis=1)]
    control = weights_of_tilts(reach.ravel(), np.tile(copies * centred / (centred @ centred), len(points)))
    return Facets(np.array(rules), control, missed.reshape(REPLICATES, -1).mean(axis=1), rank, two_sided)


def loadings_of(correlation: Matrix, *, two_sided: bool) -> Vector | None:
    """The loadings (k,) of a product correlation, or None where it is none that the nodes can follow.

    Args:
        correlation: (k, k), k four or more.
        two_sided: whether a statistic's sign may be turned.
    """
    away = np.abs(correlation[~np.eye(len(correlation), dtype=bool)])
    if (away < SAME).all():
        return np.zeros(len(correlation))
    if (away < SAME).any():
        return None
    squares = np.empty(len(correlation))
    for place in range(len(correlation)):
        one, two = [other for other in range(3) if other != place][:2]
        squares[place] = correlation[place, one] * correlation[place, two] / correlation[one, two]
    if (squares <= 0).any() or (squares > STEEPEST_LOADING**2).any():
        return None
    found = np.sqrt(squares) * np.sign(correlation[0])
    rebuilt = np.outer(found, found)
    np.fill_diagonal(rebuilt, 1.0)
    return found if np.allclose(rebuilt, correlation, rtol=0, atol=1e-10) else None


def deviations(df: float) -> tuple[Vector, Vector]:
    """Values of s, the root of a chi-squared over its df, and their masses: a trapezoid in the logarithm of s."""
    if np.isinf(df):
        return np.ones(1), np.ones(1)

    def depth(x: float) -> float:
        return float(df * (x - np.expm1(2 * x) / 2) + LOG_NEGLIGIBLE)

    left = optimize.brentq(depth, -LOG_NEGLIGIBLE / df - 1.0, 0.0)
    right = optimize.brentq(depth, 0.0, 1.0 + LOG_NEGLIGIBLE / df)
    count = int((right - left) / min(0.1, 0.5 / np.sqrt(df))) + 2
    x = np.linspace(left, right, count)
    masses = np.exp(df * (x - np.expm1(2 * x) / 2))
    return np.exp(x), masses / masses.sum()
