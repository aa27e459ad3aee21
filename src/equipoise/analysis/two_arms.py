"""The difference between two arms at the outcome's time point: Student, Welch, Wilcoxon or permutation."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import at_visit
from equipoise.analysis.questions import Answer, Question, check_arms
from equipoise.analysis.results import Row, bounded
from equipoise.analysis.words import sentence
from equipoise.protocol.plan import TwoSample

if TYPE_CHECKING:
    import pandas as pd

UNBOUNDED = "too few participants for a two-sided interval at this level"


def answer(question: Question) -> Answer:
    """Rows `[<contrast>.]<visit>.<test>` and, for each arm, `<arm>.<visit>.mean|sd` and `<arm>.n`."""
    analysis = question.analysis
    assert isinstance(analysis, TwoSample)
    visit = question.outcome.timepoint
    data = at_visit(question.data, visit)
    rows: list[Row] = []
    methods: list[str] = []
    for contrast in question.contrasts:
        check_arms(data, contrast, f"a value at visit {visit}")
        row, method = difference(question, data, contrast, analysis.test)
        rows.append(row)
        methods.append(method)
    rows.extend(question.sizes(data))
    rows.extend(arm_rows(question, data))
    return Answer(tuple(rows), {f"methods.{analysis.id}": method_text(question, methods)})


def difference(question: Question, data: pd.DataFrame, contrast: Contrast, test: str) -> tuple[Row, str]:
    """The comparison of the two arms' outcomes and what was done."""
    treated, reference = (data.loc[data["arm"] == arm, "outcome"].to_numpy() for arm in contrast.arms)
    # Used only where the divisions are too many to list; made from the plan, so that a run can be repeated.
    rng = np.random.default_rng(zlib.crc32(question.analysis.id.encode()))
    found = stats.two_sample(treated, reference, method=test, level=question.level, rng=rng)
    low, high = bounded(found.conf_low), bounded(found.conf_high)
    row = question.row(
        *question.place(contrast),
        question.outcome.timepoint,
        test,
        method=test,
        term=contrast.name,
        visit=question.outcome.timepoint,
        estimate=found.estimate,
        std_error=found.std_error,
        df=found.df,
        statistic=found.statistic,
        p_value=found.p_value,
        conf_low=low,
        conf_high=high,
        n=found.n_x + found.n_y,
        label=UNBOUNDED if low is None or high is None else None,
    )
    return row, found.method


def method_text(question: Question, methods: list[str]) -> str:
    """What was done, on what."""
    what = "change from baseline" if question.outcome.metric == "change from baseline" else "value"
    visit = question.protocol.visit(question.outcome.timepoint).name
    return sentence(f"{'; '.join(dict.fromkeys(methods))}; {what} at {visit}, participants without one left out")


def arm_rows(question: Question, data: pd.DataFrame) -> list[Row]:
    """Mean and standard deviation of what is compared, in each arm."""
    visit = question.outcome.timepoint
    rows = []
    for arm in question.arms:
        found = stats.mean_interval(data.loc[data["arm"] == arm, "outcome"].to_numpy(), level=question.level)
        columns = {"arm": arm, "visit": visit, "n": found.n}
        rows.append(
            question.row(
                arm,
                visit,
                "mean",
                method="mean",
                estimate=found.mean,
                std_error=found.std_error,
                df=float(found.n - 1),
                conf_low=found.conf_low,
                conf_high=found.conf_high,
                **columns,
            )
        )
        rows.append(question.row(arm, visit, "sd", method="sd", estimate=found.sd, **columns))
    return rows
