"""Covariances of the coefficients that do not believe the fitted covariance of the visits.

The sandwich and its two corrections for leverage, subject by subject, and Bell and McCaffrey's degrees of freedom.
Everything is in the coordinates in which the coefficients' covariance Phi is the identity.
Equations: docs/methods/mmrm.md, (empirical).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.mmrm_engine import State
from equipoise.stats.mmrm_rows import Cells, Factored
from equipoise.stats.mmrm_structures import Array
from equipoise.stats.samples import Matrix, Vector

POWERS = {"empirical": 0.0, "empirical-bias-reduced": -0.5, "empirical-jackknife": -1.0}
FULL_LEVERAGE = 1 - 1e-9
SUBJECTS_A_BLOCK = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """The subjects of one fit: their design, cells and outcomes (n, T), zero where not seen, in the engine's units."""

    design: Factored
    cells: Cells
    outcome: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some subjects of one cell, standardised: `design` (m, o, p), `residual` (m, o); `lever` (m, o, o), corrections.

    `most` (m,) is each subject's largest leverage.
    """

    subjects: NDArray[np.intp]
    design: Array
    residual: Matrix
    lever: Array
    most: Vector


def blocks(subjects: Subjects, state: State, power: float) -> Iterator[Block]:
    """The subjects, block by block, with (I - H_i) to a power."""
    r, visits, p = subjects.design.functions.shape
    flat = (subjects.design.functions @ state.root[0]).reshape(r, -1)
    beta = np.linalg.solve(state.root[0], state.beta[0])
    order = np.argsort(subjects.cells.of_subject, kind="stable")
    ends = np.cumsum(subjects.cells.count)
    for cell, (stop, many) in enumerate(zip(ends, subjects.cells.count, strict=True)):
        seen = subjects.cells.seen[cell]
        half = np.linalg.cholesky(state.weight[0, cell][np.ix_(seen, seen)]).T
        for begin in range(stop - many, stop, SUBJECTS_A_BLOCK):
            own = order[begin : min(begin + SUBJECTS_A_BLOCK, stop)]
            design = (subjects.design.covariates[own] @ flat).reshape(-1, visits, p)[:, seen]
            residual = (subjects.outcome[own][:, seen] - design @ beta) @ half.T
            design = half @ design
            values, vectors = np.linalg.eigh(design @ np.swapaxes(design, -1, -2))
            kept = np.maximum(1 - values, 1 - FULL_LEVERAGE) ** power
            lever = (vectors * kept[:, np.newaxis, :]) @ np.swapaxes(vectors, -1, -2)
            yield Block(own, design, residual, lever, values[:, -1])


def sandwich(subjects: Subjects, state: State, name: str) -> tuple[Matrix, NDArray[np.intp]]:
    """The covariance (p, p) by name, and which subjects determine a coefficient alone; equation (empirical).

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22; Bell and McCaffrey (2002), Survey Methodology 28:169-181 (bias
        reduced); Mancl and DeRouen (2001), Biometrics 57:126-134 (jackknife).
    """
    p = state.beta.shape[-1]
    meat, alone = np.zeros((p, p)), [np.zeros(0, np.intp)]
    for block in blocks(subjects, state, POWERS[name]):
        corrected = (block.lever @ block.residual[..., np.newaxis])[..., 0]
        terms = (corrected[:, np.newaxis] @ block.design)[:, 0]
        meat += terms.T @ terms
        alone.append(block.subjects[block.most > FULL_LEVERAGE])
    return state.root[0] @ meat @ state.root[0].T, np.concatenate(alone)


def bell_mccaffrey(subjects: Subjects, state: State, name: str, contrasts: Matrix) -> Vector:
    """(m,), degrees of freedom of contrasts (m, p) under an empirical covariance, equation (bell-mccaffrey).

    Source:
        Bell and McCaffrey (2002), Survey Methodology 28:169-181; Pustejovsky and Tipton (2018), Journal of Business
        and Economic Statistics 36:672-683, with the fitted covariance as working covariance.
    """
    many, p = contrasts.shape
    first, squares, mixed = np.zeros(many), np.zeros(many), np.zeros((many, p, p))
    for block in blocks(subjects, state, POWERS[name]):
        ways = block.lever @ (block.design @ contrasts.T)
        lengths = (ways**2).sum(axis=1)
        sums = np.swapaxes(block.design, -1, -2) @ ways
        leverages = (sums**2).sum(axis=1)
        first += (lengths - leverages).sum(axis=0)
        squares += (lengths**2 - 2 * lengths * leverages).sum(axis=0)
        by_contrast = sums.transpose(2, 1, 0)
        mixed += by_contrast @ np.swapaxes(by_contrast, -1, -2)
    return np.asarray(first**2 / (squares + (mixed**2).sum(axis=(-2, -1))))
