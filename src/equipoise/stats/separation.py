"""Find outcomes that the covariates predict perfectly, so that no finite coefficient fits.

A binary outcome is separated when some combination of the columns is never negative where the outcome is one and
never positive where it is zero; a count, when some combination is zero wherever the count is positive
and never positive elsewhere. A linear programme finds such a combination or proves that there is none.
Source: Konis (2007), Linear programming algorithms for detecting separated data, Oxford.
"""

import numpy as np
from scipy.optimize import linprog

from equipoise.stats.refusals import Separation
from equipoise.stats.samples import Matrix, Vector

SEPARABLE = ("binomial", "poisson")
ALMOST_CERTAIN = 1e-5  # a fitted mean this close to its bound calls for the programme
SEPARATED = 1e-7


def separating_columns(family: str, outcome: Vector, design: Matrix) -> tuple[int, ...]:
    """The columns that separate the outcome; none when it is not separated.

    Args:
        family: binomial or poisson.
        outcome: (N,).
        design: (N, p), columns centred and scaled.
    """
    side = np.where(outcome == 0, -1.0, 0.0) + (np.where(outcome == 1, 1.0, 0.0) if family == "binomial" else 0.0)
    signed = design * side[:, np.newaxis]
    bounded, fixed = signed[side != 0], design[side == 0]
    if not len(bounded):
        return ()
    programme = linprog(
        -bounded.sum(axis=0),
        A_ub=-bounded,
        b_ub=np.zeros(len(bounded)),
        A_eq=fixed if len(fixed) else None,
        b_eq=np.zeros(len(fixed)) if len(fixed) else None,
        bounds=(-1, 1),
    )
    weights = np.zeros(design.shape[1]) if programme.x is None else np.asarray(programme.x)
    if float((bounded @ weights).sum()) < SEPARATED * len(bounded):
        return ()
    return tuple(int(place) for place in np.flatnonzero(np.abs(weights) > SEPARATED))


def refuse_separation(family: str, outcome: Vector, design: Matrix, fitted: Vector, names: tuple[str, ...]) -> None:
    """Refuse a binary outcome or a count that the covariates separate.

    Args:
        family: of the outcome, one of `SEPARABLE`.
        outcome: (N,).
        design: (N, p), columns centred and scaled.
        fitted: (N,), means at the last iterate.
        names: of the p columns.

    Raises:
        Separation: naming the columns.
    """
    assert family in SEPARABLE
    edge = fitted < ALMOST_CERTAIN if family == "poisson" else np.minimum(fitted, 1 - fitted) < ALMOST_CERTAIN
    if not edge.any():
        return
    places = separating_columns(family, outcome, design)
    if places:
        # The intercept only moves the threshold; it is named when nothing else separates.
        places = tuple(place for place in places if np.ptp(design[:, place]) > 0) or places
        raise Separation(
            "formula",
            None,
            f"separates the outcome perfectly by {', '.join(names[place] for place in places)}",
            "merge categories, drop the term, or use an exact test",
        )
