"""What a GEE fit rests on: residuals, the pull of each cluster on the coefficients, and score tests.

Equations (influence), (standardised) and (score-test) in docs/methods/gee.md. Nothing is fitted again but the
restricted model of a score test.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from equipoise.stats.coefficients import SINGULAR, JointTest
from equipoise.stats.gee_covariance import Sandwich
from equipoise.stats.gee_engine import Moments, Posed, Solution, less_mean, linear_predictor, moments, solve
from equipoise.stats.gee_working import Working, check_identified
from equipoise.stats.refusals import BadSample, NotConverged
from equipoise.stats.samples import Matrix, Vector

WHOLE_LEVERAGE = 1 - 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What each cluster does to the coefficients, to one step.

    `beta_without` (K, p) are the coefficients without a cluster; `cook` (K,) is the distance of these from the fit's,
    in the model covariance and over p; `leverage` (K,) sums to p.
    """

    clusters: tuple[Any, ...]
    beta_without: Matrix
    cook: Vector
    leverage: Vector


def influence(sandwich: Sandwich, beta: Vector, clusters: tuple[Any, ...]) -> Influence:
    """The influence of each cluster; exact for an identity link at a given working correlation.

    Args:
        sandwich: of one fit in which no cluster determines a coefficient alone.
        beta: (p,), of the formula.
        clusters: their labels.

    Source:
        Preisser and Qaqish (1996), Biometrika 83:551-562.
    """
    pulls = sandwich.pulls[..., 0].T
    information = sandwich.solution.information[0]
    distance = ((pulls @ information) * pulls).sum(axis=1) / (float(sandwich.solution.scale[0]) * beta.size)
    leverage = np.einsum("ac,acn->n", sandwich.bread[0], sandwich.shares[..., 0])
    return Influence(clusters, beta - pulls @ sandwich.basis.T, distance, leverage)


def residual_columns(
    sandwich: Sandwich, shift: float, clusters: tuple[Any, ...], visits: tuple[Any, ...]
) -> dict[str, Any]:
    """One list a column, one row an observation, by cluster and visit.

    Args:
        sandwich: of one fit.
        shift: what was taken from the outcome before the fit.
        clusters: their labels.
        visits: labels of the positions.

    Returns:
        cluster, visit, outcome, fitted, raw (outcome less fitted), pearson (raw over the root of the variance function,
        with prior weights), standardised (pearson over its standard error; empty where an observation has leverage
        one).
    """
    posed, now = sandwich.posed, sandwich.moments
    who, when = np.nonzero(posed.seen[0])
    outcome = posed.outcome[posed.seen]
    fitted = posed.link.mean(linear_predictor(posed, sandwich.solution.beta)[posed.seen])
    pearson = now.residuals[0].T[who, when]
    leverage = np.einsum("tnp,pq,tnq->nt", now.slopes[0], sandwich.bread[0], now.weighted[0])[who, when]
    error = np.sqrt(float(sandwich.solution.scale[0]) * np.maximum(1 - leverage, 1 - WHOLE_LEVERAGE))
    standard = pearson / error
    return {
        "cluster": [clusters[place] for place in who],
        "visit": [visits[place] for place in when],
        "outcome": outcome + shift,
        "fitted": fitted + shift,
        "raw": outcome - fitted,
        "pearson": pearson,
        "standardised": [
            None if own > WHOLE_LEVERAGE else float(value) for own, value in zip(leverage, standard, strict=True)
        ],
    }


def score_test(sandwich: Sandwich, beta: Vector, rows: Matrix) -> JointTest:
    """The generalised score test that contrasts are zero together, equation (score-test).

    The model is fitted under the hypothesis; scale and working correlation are those of that fit.

    Args:
        sandwich: of the unrestricted fit.
        beta: (p,), its coefficients of the formula.
        rows: (q, p), contrasts of these.

    Raises:
        BadSample: contrasts that leave no coefficient, or more of them than clusters can test.
        NotConverged: a restricted fit that does not settle.

    Source:
        Rotnitzky and Jewell (1990), Biometrika 77:485-497; Boos (1992), The American Statistician 46:327-333.
    """
    posed, basis = sandwich.posed, sandwich.basis
    q, p = rows.shape
    if q == p:
        raise BadSample("terms", None, "leave no coefficient under the hypothesis", "use joint_test")
    moved = beta - basis @ sandwich.solution.beta[0]  # by what was taken from the outcome before the fit
    own = rows @ basis
    left, lengths, right = np.linalg.svd(own)
    start = -right[:q].T @ ((left.T @ (rows @ moved)) / lengths)
    free = right[q:].T
    known = np.zeros(posed.design.shape[:-1]) if posed.offset is None else posed.offset
    restricted = replace(
        posed,
        design=posed.design @ free,
        offset=known + posed.design @ start,
        spent=p - q if posed.spent else 0,
    )
    check_identified(restricted.working, restricted.counts, restricted.spent)
    solution = solve(restricted)
    if not solution.converged[0]:
        raise NotConverged(
            "terms",
            None,
            "give a restricted model that does not settle",
            "use joint_test, or another working correlation",
        )
    now = at_restriction(posed, solution, start + free @ solution.beta[0])
    scores = np.einsum("tnp,tn->np", now.weighted[0], now.residuals[0])
    across = own @ np.linalg.inv(now.information[0])
    steps = scores @ across.T
    meat = steps.T @ steps
    spread = np.sqrt(np.diag(meat))
    if not (spread > 0).all() or np.linalg.eigvalsh(meat / np.outer(spread, spread))[0] < SINGULAR:
        raise BadSample(
            "terms", None, f"asks for {q} contrasts at once, more than the clusters have rank for", "test fewer"
        )
    total = steps.sum(axis=0) / spread
    statistic = float(total @ np.linalg.solve(meat / np.outer(spread, spread), total))
    name = f"generalised score test (Rotnitzky and Jewell 1990; Boos 1992), chi-squared on {q} df divided by {q}"
    return JointTest(statistic / q, q, np.inf, float(special.chdtrc(q, statistic)), name)


def at_restriction(posed: Posed, solution: Solution, beta: Vector) -> Moments:
    """The unrestricted equations at restricted coefficients (p,), with the restricted fit's working correlation."""
    given = replace(posed, working=Working("given", given=solution.correlation[0])).laid
    values = beta[np.newaxis]
    return moments(less_mean(given, values), np.zeros_like(values)) if posed.plain else moments(given, values)
