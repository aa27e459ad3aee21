"""Covariance structures of the visits, in SAS's parameterisation.

Each gives the covariance (T, T) as a function of its parameters, with first and second derivatives, a starting
value from a plain covariance, and a way to move along a step without leaving the parameters' domain.
All functions take leading axes (...), one index a fit and group.
Equations: docs/methods/mmrm.md, (structures).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.samples import Matrix, Vector

Array: TypeAlias = NDArray[np.float64]
STRUCTURES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ad", "adh", "sp_exp")
ORDERED = ("ar1", "ar1h", "toep", "toeph", "ad", "adh")  # the order of the visits matters
HETEROGENEOUS = ("us", "csh", "ar1h", "toeph", "adh")
LONGEST = 1.0  # largest logarithm by which one step multiplies a variance
SENTENCES = {
    "us": "unstructured",
    "cs": "compound symmetry",
    "csh": "heterogeneous compound symmetry",
    "ar1": "first-order autoregressive",
    "ar1h": "heterogeneous first-order autoregressive",
    "toep": "Toeplitz",
    "toeph": "heterogeneous Toeplitz",
    "ad": "first-order antedependence with one variance",
    "adh": "first-order antedependence",
    "sp_exp": "spatial exponential",
}


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """A covariance structure for T visits with q parameters.

    `parameters` are their names. `sigma` maps (..., q) to (..., T, T); `jacobian` to (..., T T, q), the derivatives
    of the covariance's entries; `hessian` to (..., T T, q, q), None where the covariance is linear in the parameters.
    `moved` adds a step to parameters; what it returns agrees with the sum to first order. `start` maps a positive
    definite (..., T, T) to parameters. `safe` says that `moved` always ends at a positive definite covariance.
    """

    name: str
    visits: int
    parameters: tuple[str, ...]
    sigma: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    hessian: Callable[[Array], Array] | None
    moved: Callable[[Array, Array], Array]
    start: Callable[[Array], Array]
    safe: bool
    powers: tuple[int, ...]  # 1 where a parameter is in squared units of the outcome, 0 where it has none
    by_entry: bool = False  # whether the parameters are the covariance's entries, in the order of `np.triu_indices`


@dataclass(frozen=True, slots=True, eq=False)
class Correlation:
    """A correlation structure with its derivatives, as `Structure` has them, and how its parameters move."""

    parameters: tuple[str, ...]
    value: Callable[[Array], Array]
    first: Callable[[Array], Array]
    second: Callable[[Array], Array]
    moved: Callable[[Array, Array], Array]
    start: Callable[[Array], Array]
    safe: bool


def structure_of(name: str, labels: Sequence[Any], positions: Vector) -> Structure:
    """The structure by its name.

    Args:
        name: one of `STRUCTURES`.
        labels: T, the visits' names, for the names of the parameters.
        positions: (T,), ascending places of the visits: ranks for ar1, ar1h, toep and toeph; coordinates for sp_exp.
    """
    visits = len(labels)
    if name == "us":
        return unstructured(labels)
    if name == "cs":
        return compound_symmetry(visits)
    if name == "toep":
        return toeplitz(positions)
    correlation = {
        "csh": lambda: exchangeable(visits),
        "ar1": lambda: autoregressive(positions),
        "ar1h": lambda: autoregressive(positions),
        "toeph": lambda: banded(positions),
        "ad": lambda: antedependent(labels),
        "adh": lambda: antedependent(labels),
        "sp_exp": lambda: spatial(positions),
    }[name]()
    return scaled(name, labels, correlation, by_visit=name in HETEROGENEOUS)


def unstructured(labels: Sequence[Any]) -> Structure:
    """Every variance and covariance by itself; a step follows the matrix exponential."""
    visits = len(labels)
    low, high = np.triu_indices(visits)
    q = low.size
    basis = np.zeros((visits, visits, q))
    basis[low, high, np.arange(q)] = 1.0
    basis[high, low, np.arange(q)] = 1.0
    flat = basis.reshape(visits * visits, q)

    def sigma(theta: Array) -> Array:
        return np.asarray((theta @ flat.T).reshape(*theta.shape[:-1], visits, visits))

    def moved(theta: Array, step: Array) -> Array:
        root = np.linalg.cholesky(sigma(theta))
        back = np.linalg.inv(root)
        values, vectors = np.linalg.eigh(back @ sigma(step) @ np.swapaxes(back, -1, -2))
        half = root @ (vectors * np.exp(np.clip(values, -LONGEST, LONGEST) / 2)[..., np.newaxis, :])
        return np.asarray((half @ np.swapaxes(half, -1, -2))[..., low, high])

    names = tuple(
        f"var({labels[a]})" if a == b else f"cov({labels[a]}, {labels[b]})"
        for a, b in zip(low.tolist(), high.tolist(), strict=True)
    )
    return Structure(
        "us",
        visits,
        names,
        sigma,
        lambda theta: np.broadcast_to(flat, (*theta.shape[:-1], *flat.shape)),
        None,
        moved,
        lambda start: start[..., low, high],
        safe=True,
        powers=(1,) * q,
        by_entry=True,
    )


def compound_symmetry(visits: int) -> Structure:
    """A covariance common to all pairs of visits, and a residual variance."""
    shared, own = np.ones((visits, visits)), np.eye(visits)
    flat = np.stack([shared.ravel(), own.ravel()], axis=-1)

    def moved(theta: Array, step: Array) -> Array:
        # The covariance has two eigenvalues: residual, and residual + T covariance. Both stay above zero.
        combine = np.array([[0.0, 1.0], [visits, 1.0]])
        values, change = theta @ combine.T, step @ combine.T
        ended = values * np.exp(np.clip(change / values, -LONGEST, LONGEST))
        return np.stack([(ended[..., 1] - ended[..., 0]) / visits, ended[..., 0]], axis=-1)

    def start(sigma: Array) -> Array:
        diagonal = np.trace(sigma, axis1=-2, axis2=-1) / visits
        between = (sigma.sum(axis=(-2, -1)) - visits * diagonal) / (visits * (visits - 1))
        return np.stack([between, diagonal - between], axis=-1)

    return Structure(
        "cs",
        visits,
        ("covariance", "residual"),
        lambda theta: np.asarray((theta @ flat.T).reshape(*theta.shape[:-1], visits, visits)),
        lambda theta: np.broadcast_to(flat, (*theta.shape[:-1], *flat.shape)),
        None,
        moved,
        start,
        safe=True,
        powers=(1, 1),
    )


def lag_basis(positions: Vector) -> tuple[list[int], Array]:
    """The lags between visits, and (T, T, lags) where each is."""
    lag = np.abs(positions[:, np.newaxis] - positions).astype(int)
    lags = [int(value) for value in np.unique(lag) if value > 0]
    return lags, np.stack([(lag == value).astype(np.float64) for value in lags], axis=-1)


def lag_means(matrix: Array, basis: Array) -> Array:
    """(..., lags), the mean of the entries at each lag."""
    return np.asarray(np.einsum("...ab,abk->...k", matrix, basis) / basis.sum(axis=(0, 1)))


def toeplitz(positions: Vector) -> Structure:
    """A variance, and one covariance for each lag."""
    visits = len(positions)
    lags, basis = lag_basis(positions)
    flat = np.concatenate([np.eye(visits)[..., np.newaxis], basis], axis=-1).reshape(visits * visits, -1)

    def start(sigma: Array) -> Array:
        variance = np.trace(sigma, axis1=-2, axis2=-1) / visits
        return inside(np.concatenate([variance[..., np.newaxis], lag_means(sigma, basis)], axis=-1), flat)

    return Structure(
        "toep",
        visits,
        ("variance", *(f"cov(lag {lag})" for lag in lags)),
        lambda theta: np.asarray((theta @ flat.T).reshape(*theta.shape[:-1], visits, visits)),
        lambda theta: np.broadcast_to(flat, (*theta.shape[:-1], *flat.shape)),
        None,
        lambda theta, step: theta + step,
        start,
        safe=False,
        powers=(1,) * flat.shape[1],
    )


def inside(theta: Array, flat: Array) -> Array:
    """Parameters whose off-diagonal part is drawn in until the covariance, linear in them, is positive definite."""
    visits = round(flat.shape[0] ** 0.5)
    sigma = (theta @ flat.T).reshape(*theta.shape[:-1], visits, visits)
    least = np.linalg.eigvalsh(sigma)[..., 0] / theta[..., 0]
    keep = np.where(least < 0.1, 0.9 / np.maximum(1 - least, 0.9), 1.0)[..., np.newaxis]
    return np.concatenate([theta[..., :1], theta[..., 1:] * keep], axis=-1)


def within(low: float, high: float) -> Callable[[Array, Array], Array]:
    """A move that stays between two bounds: a logistic map of the step."""

    def moved(theta: Array, step: Array) -> Array:
        below, above = theta - low, high - theta
        # d logit = step (high - low) / (below above).
        change = np.clip(step * (high - low) / (below * above), -LONGEST, LONGEST)
        odds = below / above * np.exp(change)
        return np.asarray(low + (high - low) * odds / (1 + odds))

    return moved


def zero(theta: Array, visits: int) -> Array:
    """Second derivatives of a correlation that is linear in its parameters."""
    q = theta.shape[-1]
    return np.zeros((*theta.shape[:-1], visits * visits, q, q))


def exchangeable(visits: int) -> Correlation:
    """One correlation for all pairs."""
    off = 1 - np.eye(visits)
    flat = off.reshape(-1, 1)
    low = -1 / (visits - 1)

    return Correlation(
        ("rho",),
        lambda rho: np.eye(visits) + rho[..., np.newaxis] * off,
        lambda rho: np.broadcast_to(flat, (*rho.shape[:-1], *flat.shape)),
        lambda rho: zero(rho, visits),
        within(low, 1.0),
        lambda start: np.clip((start * off).sum(axis=(-2, -1)) / off.sum(), 0.8 * low, 0.9)[..., np.newaxis],
        safe=True,
    )


def autoregressive(positions: Vector) -> Correlation:
    """A correlation to the power of the number of visits between."""
    visits = len(positions)
    lag = np.abs(positions[:, np.newaxis] - positions)
    first, second = np.maximum(lag - 1, 0), np.maximum(lag - 2, 0)
    next_to = (lag == lag[lag > 0].min()).astype(np.float64)
    nearest = lag[lag > 0].min()

    def start(correlation: Array) -> Array:
        mean = (correlation * next_to).sum(axis=(-2, -1)) / next_to.sum()
        mean = np.clip(mean, 0.05 if nearest > 1 else -0.9, 0.9)
        return np.asarray(np.sign(mean) * np.abs(mean) ** (1 / nearest))[..., np.newaxis]

    return Correlation(
        ("rho",),
        lambda rho: rho[..., np.newaxis] ** lag,
        lambda rho: (lag * rho[..., np.newaxis] ** first).reshape(*rho.shape[:-1], visits * visits, 1),
        lambda rho: (lag * (lag - 1) * rho[..., np.newaxis] ** second).reshape(*rho.shape[:-1], visits**2, 1, 1),
        within(-1.0, 1.0),
        start,
        safe=True,
    )


def banded(positions: Vector) -> Correlation:
    """One correlation for each lag."""
    visits = len(positions)
    lags, basis = lag_basis(positions)
    flat = basis.reshape(visits * visits, -1)
    with_one = np.concatenate([np.eye(visits).reshape(-1, 1), flat], axis=-1)

    def start(correlation: Array) -> Array:
        rho = lag_means(correlation, basis)
        return inside(np.concatenate([np.ones((*rho.shape[:-1], 1)), rho], axis=-1), with_one)[..., 1:]

    return Correlation(
        tuple(f"rho(lag {lag})" for lag in lags),
        lambda rho: np.eye(visits) + (rho @ flat.T).reshape(*rho.shape[:-1], visits, visits),
        lambda rho: np.broadcast_to(flat, (*rho.shape[:-1], *flat.shape)),
        lambda rho: zero(rho, visits),
        lambda rho, step: rho + step,
        start,
        safe=False,
    )


def antedependent(labels: Sequence[Any]) -> Correlation:
    """A correlation for each pair of neighbouring visits; others are products along the way."""
    visits = len(labels)
    place = np.arange(visits)
    low = np.minimum(place[:, np.newaxis], place)[..., np.newaxis]
    high = np.maximum(place[:, np.newaxis], place)[..., np.newaxis]
    step = np.arange(visits - 1)
    between = (step >= low) & (step < high)  # (T, T, T - 1): the steps from one visit to another
    others = ~np.eye(visits - 1, dtype=bool)

    def product(rho: Array, kept: NDArray[np.bool_]) -> Array:
        wide = rho.reshape(*rho.shape[:-1], *(1,) * (kept.ndim - 1), visits - 1)
        return np.asarray(np.where(kept, wide, 1.0).prod(axis=-1))

    def first(rho: Array) -> Array:
        value = between * product(rho, between[:, :, np.newaxis, :] & others)
        return np.asarray(value.reshape(*rho.shape[:-1], visits**2, visits - 1))

    def second(rho: Array) -> Array:
        kept = between[:, :, np.newaxis, np.newaxis, :] & others[:, np.newaxis, :] & others
        both = between[..., :, np.newaxis] & between[..., np.newaxis, :] & others
        value = both * product(rho, kept)
        return np.asarray(value.reshape(*rho.shape[:-1], visits**2, visits - 1, visits - 1))

    return Correlation(
        tuple(f"rho({labels[at]}, {labels[at + 1]})" for at in range(visits - 1)),
        lambda rho: product(rho, between),
        first,
        second,
        within(-1.0, 1.0),
        lambda start: np.clip(np.diagonal(start, 1, -2, -1), -0.9, 0.9),
        safe=True,
    )


def spatial(positions: Vector) -> Correlation:
    """exp(-distance / range)."""
    visits = len(positions)
    distance = np.abs(positions[:, np.newaxis] - positions)
    nearest = distance[distance > 0].min()
    close = distance == nearest

    def value(reach: Array) -> Array:
        return np.asarray(np.exp(-distance / reach[..., np.newaxis]))

    def first(reach: Array) -> Array:
        wide = reach[..., np.newaxis]
        return np.asarray((value(reach) * distance / wide**2).reshape(*reach.shape[:-1], visits**2, 1))

    def second(reach: Array) -> Array:
        ratio = distance / reach[..., np.newaxis]
        curved = value(reach) * (ratio**2 - 2 * ratio) / reach[..., np.newaxis] ** 2
        return np.asarray(curved.reshape(*reach.shape[:-1], visits**2, 1, 1))

    def start(correlation: Array) -> Array:
        mean = np.clip((correlation * close).sum(axis=(-2, -1)) / close.sum(), 0.05, 0.95)
        return np.asarray(-nearest / np.log(mean))[..., np.newaxis]

    return Correlation(
        ("range",),
        value,
        first,
        second,
        lambda reach, step: reach * np.exp(np.clip(step / reach, -LONGEST, LONGEST)),
        start,
        safe=True,
    )


def scaled(name: str, labels: Sequence[Any], correlation: Correlation, *, by_visit: bool) -> Structure:
    """Variances, by visit or common, times a correlation structure."""
    visits = len(labels)
    count = visits if by_visit else 1
    # How often each variance's square root enters entry (a, b), halved: (T T, count).
    eye = np.eye(visits) if by_visit else np.ones((visits, 1))
    share = ((eye[:, np.newaxis, :] + eye[np.newaxis, :, :]) / 2).reshape(visits * visits, count)

    def parts(theta: Array) -> tuple[Array, Array, Array]:
        variance, rho = theta[..., :count], theta[..., count:]
        spread = np.exp(np.log(variance) @ share.T)
        return variance, rho, spread

    def sigma(theta: Array) -> Array:
        _, rho, spread = parts(theta)
        return np.asarray(spread.reshape(*spread.shape[:-1], visits, visits) * correlation.value(rho))

    def jacobian(theta: Array) -> Array:
        variance, rho, spread = parts(theta)
        full = spread * correlation.value(rho).reshape(spread.shape)
        by_variance = full[..., np.newaxis] * share / variance[..., np.newaxis, :]
        return np.concatenate([by_variance, spread[..., np.newaxis] * correlation.first(rho)], axis=-1)

    def hessian(theta: Array) -> Array:
        variance, rho, spread = parts(theta)
        full = spread * correlation.value(rho).reshape(spread.shape)
        rate = share / variance[..., np.newaxis, :]
        twice = rate[..., :, np.newaxis] * rate[..., np.newaxis, :]
        once = (rate / variance[..., np.newaxis, :])[..., np.newaxis] * np.eye(count)
        corner = full[..., np.newaxis, np.newaxis] * (twice - once)
        turn = spread[..., np.newaxis] * correlation.first(rho)
        mixed = rate[..., :, np.newaxis] * turn[..., np.newaxis, :]
        last = spread[..., np.newaxis, np.newaxis] * correlation.second(rho)
        top = np.concatenate([corner, mixed], axis=-1)
        return np.concatenate([top, np.concatenate([np.swapaxes(mixed, -1, -2), last], axis=-1)], axis=-2)

    def moved(theta: Array, step: Array) -> Array:
        variance, rho = theta[..., :count], theta[..., count:]
        grown = variance * np.exp(np.clip(step[..., :count] / variance, -LONGEST, LONGEST))
        return np.concatenate([grown, correlation.moved(rho, step[..., count:])], axis=-1)

    def start(matrix: Array) -> Array:
        variance = np.diagonal(matrix, axis1=-2, axis2=-1)
        lengths = np.sqrt(variance)
        rho = correlation.start(matrix / (lengths[..., :, np.newaxis] * lengths[..., np.newaxis, :]))
        own = variance if by_visit else variance.mean(axis=-1, keepdims=True)
        return np.concatenate([own, rho], axis=-1)

    named = tuple(f"var({label})" for label in labels) if by_visit else ("variance",)
    return Structure(
        name,
        visits,
        (*named, *correlation.parameters),
        sigma,
        jacobian,
        hessian,
        moved,
        start,
        safe=correlation.safe,
        powers=(1,) * count + (0,) * len(correlation.parameters),
    )


def covariance_by_group(structure: Structure, theta: Array, groups: int) -> Matrix:
    """(..., G, T, T), from all parameters (..., G q)."""
    return structure.sigma(theta.reshape(*theta.shape[:-1], groups, -1))
