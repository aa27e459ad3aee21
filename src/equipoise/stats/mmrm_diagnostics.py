"""Whether a repeated-measures fit may be believed: its residuals, who moves it, and how its visits covary.

Influence is exact: the whole model, covariance parameters too, is fitted again without each subject in turn.
Terms as in `mmrm_fit`. Equations: docs/methods/diagnostics.md.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from equipoise.stats.frames import Frame, like
from equipoise.stats.mmrm_data import Longitudinal, Posed, pose
from equipoise.stats.mmrm_empirical import FULL_LEVERAGE
from equipoise.stats.mmrm_engine import Index
from equipoise.stats.mmrm_fit import Estimates, MmrmFit, solved
from equipoise.stats.mmrm_rows import fitted
from equipoise.stats.mmrm_structures import Array, covariance_by_group
from equipoise.stats.refusals import NotIdentified, StatisticsRefusal, UnknownChoice, choose
from equipoise.stats.samples import Matrix, Vector

KINDS = ("raw", "pearson", "standardised")
ALONE = "determines a coefficient alone"


@dataclass(frozen=True, slots=True, eq=False)
class Influence:
    """What a fit of n subjects and p coefficients becomes without each subject.

    `subjects` has a row a refit: subject, n_observations (the subject's own), cook (Cook's distance). `changes` has a
    row a refit and coefficient: subject, term, change (with everyone, less without the subject), std_errors (the
    change in the fit's model standard errors). `refused` says of each subject without whom there is no fit why there
    is none; these have no rows. `method` says in a sentence what was done.
    """

    subjects: Frame
    changes: Frame
    refused: dict[Any, str]
    method: str


def residuals(fit: MmrmFit, kind: str = "raw") -> Frame:
    """Outcomes less fitted values, one row an observation, sorted by subject and visit.

    Columns: subject, visit, fitted (the design times beta, in the outcome's units), residual.

    Args:
        fit: a fit by `mmrm`.
        kind: raw, in the outcome's units; pearson, over the observation's own standard deviation; standardised, times
            the inverse of the lower Cholesky factor of the subject's own covariance, visits in their order, so that
            they are uncorrelated with variance one where the model holds.

    Raises:
        UnknownChoice: a kind that is not offered, or something that is not a fit by `mmrm`.

    Source:
        Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.3 (nlme's "response", "pearson" and
        "normalized"); equations (pearson) and (standardised) in docs/methods/diagnostics.md.
    """
    choose("kind", kind, KINDS)
    estimates = estimates_of(fit)
    long, posed = estimates.long, estimates.posed
    left = weighted_residuals(posed, estimates.solution.state.beta[0])
    raw = posed.scale * left[long.owner, long.place] / np.sqrt(long.weight)
    values = raw if kind == "raw" else standardised(estimates, left, whole=kind == "standardised")
    return like(
        estimates.frame,
        {
            "subject": [long.subjects[owner] for owner in long.owner],
            "visit": [long.visits[place] for place in long.place],
            "fitted": long.design.outcome - raw,
            "residual": values,
        },
    )


def influence(fit: MmrmFit) -> Influence:
    """Fit again without each subject, and say how far the coefficients move.

    The columns of the design stay those of the fit, as do the places of the visits. One fit a subject, so that it
    takes n times as long as the fit itself.

    Args:
        fit: a fit by `mmrm`; its degrees of freedom and `vcov` do not enter.

    Raises:
        UnknownChoice: something that is not a fit by `mmrm`.
        NotIdentified: a fit from which no subject can be left out.

    Source:
        Cook (1977), Technometrics 19:15-18; Christensen, Pearson and Johnson (1992), Technometrics 34:38-45;
        equation (cook) in docs/methods/diagnostics.md.
    """
    estimates = estimates_of(fit)
    long = estimates.long
    alone = determines_alone(estimates.posed)
    kept: list[int] = []
    betas: list[Vector] = []
    refused: dict[Any, str] = {}
    for place, subject in enumerate(long.subjects):
        if alone[place]:
            refused[subject] = ALONE
            continue
        try:
            betas.append(refitted(without(long, place), estimates))
            kept.append(place)
        except StatisticsRefusal as refusal:
            refused[subject] = str(refusal)
    if not kept:
        raise NotIdentified(
            "fit",
            None,
            f"cannot be made without any one of its {len(long.subjects)} subjects (without {long.subjects[0]}: "
            f"{refused[long.subjects[0]]})",
            "use a structure with fewer parameters, or drop terms from the formula",
        )
    return told(estimates, np.array(kept, dtype=np.intp), estimates.beta - np.stack(betas), refused)


def visit_correlation(fit: MmrmFit) -> Frame:
    """The fitted covariance of the visits, one row a group and ordered pair of visits.

    Columns: group ("all" without groups), visit, with_visit, covariance (in the outcome's units squared), correlation.

    Args:
        fit: a fit by `mmrm`.

    Raises:
        UnknownChoice: something that is not a fit by `mmrm`.
    """
    estimates = estimates_of(fit)
    visits, groups = fit.visits, tuple(fit.visit_covariance)
    sigma = np.stack([fit.visit_covariance[group] for group in groups])
    lengths = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
    correlation = sigma / (lengths[:, :, np.newaxis] * lengths[:, np.newaxis, :])
    correlation[:, np.eye(len(visits), dtype=bool)] = 1.0
    return like(
        estimates.frame,
        {
            "group": [group for group in groups for _ in range(len(visits) ** 2)],
            "visit": [visit for _ in groups for visit in visits for _ in visits],
            "with_visit": [visit for _ in groups for _ in visits for visit in visits],
            "covariance": sigma.ravel(),
            "correlation": correlation.ravel(),
        },
    )


def estimates_of(fit: object) -> Estimates:
    """What the fit knows.

    Raises:
        UnknownChoice: something that is not a fit by `mmrm`.
    """
    if isinstance(fit, MmrmFit):
        return fit.estimates
    raise UnknownChoice(
        "fit",
        type(fit).__name__,
        "is not a repeated-measures fit",
        "give what stats.mmrm returns (what stats.gee returns has residuals and influence of its own)",
    )


def weighted_residuals(posed: Posed, beta: Vector) -> Matrix:
    """(n, T), residuals times the square root of the prior weights, in the engine's units; zero where not seen."""
    subjects = posed.subjects
    return subjects.outcome - fitted(subjects.design, beta, subjects.cells.seen[subjects.cells.of_subject])


def standardised(estimates: Estimates, left: Matrix, *, whole: bool) -> Vector:
    """(N,), residuals over what the covariance says of their size; equations (pearson) and (standardised).

    Args:
        estimates: of the fit.
        left: (n, T), weighted residuals in the engine's units.
        whole: by the Cholesky factor of each subject's covariance; otherwise by its diagonal.
    """
    long, problem = estimates.long, estimates.posed.problem
    sigma = covariance_by_group(problem.structure, estimates.solution.state.theta, problem.groups)[0]
    cells = estimates.posed.subjects.cells
    values = np.zeros_like(left)
    for cell, (seen, group) in enumerate(zip(cells.seen, cells.group, strict=True)):
        own = np.ix_(np.flatnonzero(cells.of_subject == cell), seen)
        block = sigma[group][np.ix_(seen, seen)]
        factor = np.linalg.cholesky(block) if whole else np.diag(np.sqrt(np.diag(block)))
        values[own] = linalg.solve_triangular(factor, left[own].T, lower=True).T
    return values[long.owner, long.place]


def determines_alone(posed: Posed) -> NDArray[np.bool_]:
    """(n,), whether a coefficient is lost without the subject: its largest leverage in least squares is one."""
    design, cells = posed.subjects.design, posed.subjects.cells
    p = design.functions.shape[-1]
    seen = cells.seen[cells.of_subject]
    laid: Array = (design.covariates @ design.functions.reshape(len(design.functions), -1)).reshape(*seen.shape, p)
    laid = laid * seen[..., np.newaxis]
    half = np.linalg.qr(laid.reshape(-1, p))[0].reshape(laid.shape)
    most = np.linalg.eigvalsh(half @ np.swapaxes(half, -1, -2))[:, -1]
    return np.asarray(most > FULL_LEVERAGE)


def without(long: Longitudinal, subject: int) -> Longitudinal:
    """The rows of all subjects but one, under the same columns, visits and groups."""
    kept = long.owner != subject
    owner = long.owner[kept]
    design = long.design
    return replace(
        long,
        design=replace(
            design, outcome=design.outcome[kept], matrix=design.matrix[kept], beside=design.beside.loc[kept]
        ),
        owner=owner - (owner > subject),
        place=long.place[kept],
        seen=np.delete(long.seen, subject, axis=0),
        group=np.delete(long.group, subject),
        weight=long.weight[kept],
        subjects=long.subjects[:subject] + long.subjects[subject + 1 :],
    )


def refitted(long: Longitudinal, estimates: Estimates) -> Vector:
    """(p,), the coefficients of the same model on other rows.

    Raises:
        StatisticsRefusal: rows that do not determine the model.
    """
    problem = estimates.posed.problem
    posed = pose(long, problem.structure.name, reml=problem.reml)
    solution, _ = solved(posed)
    return np.asarray(posed.back @ (posed.shift + posed.scale * solution.state.beta[0]))


def told(estimates: Estimates, kept: Index, change: Matrix, refused: dict[Any, str]) -> Influence:
    """The tables of the refits.

    Args:
        estimates: of the fit.
        kept: (m,), places of the subjects without whom there is a fit.
        change: (m, p), of the coefficients.
        refused: the other subjects.
    """
    long, root = estimates.long, estimates.root
    names = [long.subjects[place] for place in kept]
    terms = long.design.columns
    lengths = np.linalg.solve(root, change.T)
    std_error = np.sqrt((root**2).sum(axis=1))
    subjects = {
        "subject": names,
        "n_observations": long.seen.sum(axis=1)[kept],
        "cook": (lengths**2).sum(axis=0) / len(terms),
    }
    changes = {
        "subject": [name for name in names for _ in terms],
        "term": list(terms) * len(names),
        "change": change.ravel(),
        "std_errors": (change / std_error).ravel(),
    }
    return Influence(
        like(estimates.frame, subjects), like(estimates.frame, changes), refused, sentence(len(names), refused)
    )


def sentence(refits: int, refused: dict[Any, str]) -> str:
    """What was done, in one sentence for the report."""
    missing = f"; no fit without {', '.join(map(str, refused))}" if refused else ""
    return (
        f"Cook's distance and changes of the coefficients from {refits} refits, each without one subject and with "
        "its covariance parameters estimated again, by the model covariance (Christensen, Pearson and Johnson 1992)"
        f"{missing}"
    )
