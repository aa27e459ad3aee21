"""How far the effect of a model rests on each participant: the effect with everyone, less the effect without one.

Rows `<analysis>.[<contrast>.]influence.<participant>`: the change of the effect in `estimate`, Cook's distance in
`statistic`. Not computed for more participants than a figure can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.questions import Question
from equipoise.analysis.results import Row
from equipoise.stats.refusals import StatisticsRefusal

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from equipoise.stats.gee_fit import GeeFit
    from equipoise.stats.mmrm_fit import MmrmFit

MOST = 200


def mixed_model_influence(
    question: Question, contrast: Contrast, fit: MmrmFit, weights: NDArray[np.float64], data: pd.DataFrame
) -> Iterator[Row]:
    """Exact: the model fitted again without each participant; without whom there is no fit, no row.

    Args:
        question: what is asked.
        contrast: the arms compared.
        fit: with everyone.
        weights: (p,), of the coefficients in the effect.
        data: what was fitted, with columns participant and arm.
    """
    if fit.n_subjects > MOST:
        return
    try:
        found = stats.influence(fit)
    except StatisticsRefusal:
        return
    changes = found.changes["change"].to_numpy().reshape(-1, weights.size) @ weights
    each = zip(found.subjects["subject"], changes, found.subjects["cook"], strict=True)
    yield from rows(question, contrast, each, data, "from refits without the participant")


def gee_influence(question: Question, contrast: Contrast, fit: GeeFit, data: pd.DataFrame) -> Iterator[Row]:
    """One step from the solution, at the working correlation of everyone (Preisser and Qaqish 1996)."""
    if fit.n_subjects > MOST:
        return
    try:
        found = fit.influence()
    except StatisticsRefusal:
        return
    place = list(fit.coefficients["term"]).index("test")
    each = zip(found.clusters, fit.beta[place] - found.beta_without[:, place], found.cook, strict=True)
    yield from rows(question, contrast, each, data, "one step, working correlation as it was")


def rows(
    question: Question,
    contrast: Contrast,
    each: Iterable[tuple[str, float, float]],
    data: pd.DataFrame,
    label: str,
) -> Iterator[Row]:
    """A row for each participant, change of the effect and Cook's distance."""
    arms: Mapping[str, str] = dict(zip(data["participant"], data["arm"], strict=True))
    for participant, change, cook in each:
        yield question.row(
            *question.place(contrast),
            "influence",
            participant,
            method="influence",
            term=participant,
            arm=arms[participant],
            estimate=float(change),
            statistic=float(cook),
            label=f"change of the effect and Cook's distance, {label}",
        )
