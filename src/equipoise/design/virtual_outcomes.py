"""Draw outcomes as the rehearsal model says: `y = mean x exp(b + o(t) + e - v/2)`, two outcomes jointly.

`b` is the person's own level, `o` a slow process with correlation `exp(-months apart / slow_months)`, `e` what differs
from one visit to the next; `v` is the sum of the three variances, so that the mean is the mean asked for.
Source: docs/methods/rehearsal.md, equation (outcome).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from equipoise.protocol import Protocol
    from equipoise.protocol.rehearsal import Measurement, OutcomeCurve, OutcomeModel
    from equipoise.protocol.schedule import Visit

Array = NDArray[np.float64]

DAYS_A_MONTH = 30.4375
MOST_SCREENING_DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class OutcomeDraw:
    """A person's multipliers of the mean: by curve (in the model's order) and visit, and of each screening item."""

    multipliers: Mapping[tuple[str, str], float]
    screening: Mapping[str, float]


def months_of(visit: Visit) -> float:
    """The visit's target in months after the anchor."""
    at = visit.at
    if at.months is not None:
        return float(at.months)
    days = at.days if at.days is not None else 7 * (at.weeks or 0)
    return days / DAYS_A_MONTH


def draw_outcomes(protocol: Protocol, model: OutcomeModel, rng: np.random.Generator) -> OutcomeDraw:
    """Draw one person's course, independent of the arm, which multiplies the mean later.

    Args:
        protocol: for the visits' months.
        model: curves (one or two), their spreads and correlation.
        rng: the person's own generator.
    """
    visits = [visit for visit in protocol.visits if visit.id in _visits_of(model)]
    months = np.array([months_of(visit) for visit in visits])
    between, slow, within = (_covariance(model, part) for part in ("between", "slow", "within"))
    curves = len(model.curves)
    levels = _root(between) @ rng.standard_normal(curves)
    over_time = _root(np.exp(-np.abs(months[:, None] - months[None, :]) / model.slow_months))
    slowly = _root(slow) @ rng.standard_normal((curves, months.size)) @ over_time.T
    at_visit = _root(within) @ rng.standard_normal((curves, months.size))
    half_variance = (np.diag(between) + np.diag(slow) + np.diag(within)) / 2
    factors = np.exp(levels[:, None] + slowly + at_visit - half_variance[:, None])
    multipliers = {
        (curve.item, visit.id): float(factors[k, t])
        for k, curve in enumerate(model.curves)
        for t, visit in enumerate(visits)
    }
    screening: dict[str, float] = {}
    for k, curve in enumerate(model.curves):
        screening |= _screening(curve, float(levels[k]), float(half_variance[k]), rng)
    return OutcomeDraw(multipliers, screening)


def _visits_of(model: OutcomeModel) -> set[str]:
    return {visit for curve in model.curves for means in curve.means.values() for visit in means}


def _covariance(model: OutcomeModel, part: str) -> Array:
    """Covariance of one part between the curves, (K, K), on the log scale."""
    sds = np.array([float(getattr(curve.log_sd, part)) for curve in model.curves])
    correlation = np.eye(sds.size)
    if sds.size == 2 and model.correlation is not None:
        correlation[0, 1] = correlation[1, 0] = float(getattr(model.correlation, part))
    return np.outer(sds, sds) * correlation


def _root(covariance: Array) -> Array:
    """A matrix whose product with its transpose is the covariance, singular ones included."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))


def _screening(curve: OutcomeCurve, level: float, half_variance: float, rng: np.random.Generator) -> dict[str, float]:
    """Early values of the outcome with the person's own level, each drawn until it lies within the limits."""
    if curve.screening is None:
        return {}
    first = next(iter(next(iter(curve.means.values())).values()))
    sd = float(np.hypot(float(curve.log_sd.slow), float(curve.log_sd.within)))
    low, high = float(curve.screening.min), float(curve.screening.max)
    values: dict[str, float] = {}
    for item in curve.screening.items:
        for _ in range(MOST_SCREENING_DRAWS):
            value = round(float(first) * float(np.exp(level + sd * rng.standard_normal() - half_variance)))
            if low <= value <= high:
                break
        else:
            value = round((low + high) / 2)
        values[item] = value
    return values


def draw_deviations(measurement: Measurement, visits: Sequence[str], rng: np.random.Generator) -> dict[str, float]:
    """By how much one person's measurement departs from its mean at each visit: a factor (`log`) or a sum (`plain`)."""
    between, within = float(measurement.between), float(measurement.within)
    deviations = between * rng.standard_normal() + within * rng.standard_normal(len(visits))
    if measurement.scale == "log":
        deviations = np.exp(deviations - (between**2 + within**2) / 2)
    return dict(zip(visits, map(float, deviations), strict=True))


def measured(measurement: Measurement, mean: float, deviation: float) -> float:
    """The value at a visit."""
    return mean * deviation if measurement.scale == "log" else mean + deviation
