"""Families of outcomes and their links, for generalised estimating equations.

A family says how the variance depends on the mean; a link ties the mean to the linear predictor.
Every function works elementwise on arrays of any shape.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.stats.refusals import BadSample, UnknownChoice, choose
from equipoise.stats.samples import Vector

Elementwise = Callable[[Vector], Vector]
STEEPEST_LOGIT = 30.0  # beyond it the mean is 0 or 1 to thirteen digits, as in R
LARGEST_LOG = 300.0  # keeps exp() and its square in range


@dataclass(frozen=True, slots=True)
class Link:
    """A link: the linear predictor of a mean, back, and the slope of the mean; `lower, upper` bound the predictor."""

    name: str
    predictor: Elementwise
    mean: Elementwise
    slope: Elementwise
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Family:
    """A family: its variance, its quasi-likelihood in units of the scale, where a fit starts, what means it allows."""

    name: str
    canonical: str
    links: tuple[str, ...]
    variance: Elementwise
    quasi: Callable[[Vector, Vector], Vector]
    start: Elementwise
    mean_above: float
    mean_below: float
    outcome_problem: str
    outcome_fits: Callable[[Vector], np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]


def inverse_complementary(eta: Vector) -> Vector:
    """The mean under the complementary log-log link."""
    return np.asarray(-np.expm1(-np.exp(eta)))


LINKS = {
    "identity": Link("identity", lambda mu: mu, lambda eta: eta, np.ones_like, -np.inf, np.inf),
    "log": Link("log", np.log, np.exp, np.exp, -LARGEST_LOG, LARGEST_LOG),
    "logit": Link(
        "logit",
        special.logit,
        special.expit,
        lambda eta: special.expit(eta) * special.expit(-eta),
        -STEEPEST_LOGIT,
        STEEPEST_LOGIT,
    ),
    "probit": Link(
        "probit",
        special.ndtri,
        special.ndtr,
        lambda eta: np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi),
        -7.5,
        7.5,
    ),
    "cloglog": Link(
        "cloglog",
        lambda mu: np.log(-np.log1p(-mu)),
        inverse_complementary,
        lambda eta: np.exp(eta - np.exp(eta)),
        -STEEPEST_LOGIT,
        3.4,
    ),
    "inverse": Link("inverse", lambda mu: 1 / mu, lambda eta: 1 / eta, lambda eta: -1 / eta**2, 1e-150, 1e150),
    "sqrt": Link("sqrt", np.sqrt, np.square, lambda eta: 2 * eta, 0.0, 1e150),
}

FAMILIES = {
    "gaussian": Family(
        "gaussian",
        "identity",
        ("identity", "log", "inverse"),
        np.ones_like,
        lambda y, mu: -((y - mu) ** 2) / 2,
        lambda y: y,
        -np.inf,
        np.inf,
        "is not a finite number",
        np.isfinite,
    ),
    "binomial": Family(
        "binomial",
        "logit",
        ("logit", "probit", "cloglog", "log", "identity"),
        lambda mu: mu * (1 - mu),
        lambda y, mu: np.asarray(special.xlogy(y, mu) + special.xlog1py(1 - y, -mu)),
        lambda y: (y + 0.5) / 2,
        0.0,
        1.0,
        "is not between 0 and 1",
        lambda y: (y >= 0) & (y <= 1),
    ),
    "poisson": Family(
        "poisson",
        "log",
        ("log", "identity", "sqrt"),
        lambda mu: mu,
        lambda y, mu: special.xlogy(y, mu) - mu,
        lambda y: y + 0.1,
        0.0,
        np.inf,
        "is negative",
        lambda y: y >= 0,
    ),
    "gamma": Family(
        "gamma",
        "inverse",
        ("inverse", "log", "identity"),
        np.square,
        lambda y, mu: -y / mu - np.log(mu),
        lambda y: y,
        0.0,
        np.inf,
        "is not above zero",
        lambda y: y > 0,
    ),
}


def family_and_link(family: str, link: str | None) -> tuple[Family, Link]:
    """A family by name and its link, the canonical one unless another is named.

    Raises:
        UnknownChoice: a family that is not offered, or a link that the family does not take.
    """
    chosen = FAMILIES[choose("family", family, tuple(FAMILIES))]
    name = chosen.canonical if link is None else link
    if name not in chosen.links:
        raise UnknownChoice("link", name, f"does not go with {family}", f"choose one of {', '.join(chosen.links)}")
    return chosen, LINKS[name]


def check_outcome(family: Family, outcome: Vector) -> None:
    """Refuse outcomes that the family cannot have.

    Raises:
        BadSample: with the number of rows at fault.
    """
    wrong = ~family.outcome_fits(outcome)
    if wrong.any():
        raise BadSample(
            "outcome",
            float(outcome[wrong][0]),
            f"{family.outcome_problem} ({int(wrong.sum())} rows), which a {family.name} outcome must be",
            "correct these values or choose another family",
        )
