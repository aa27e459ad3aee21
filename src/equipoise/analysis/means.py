"""Means by arm and visit, each with its standard deviation and t interval, of values and of changes from baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise import stats
from equipoise.analysis.questions import Answer, Question
from equipoise.analysis.results import Row
from equipoise.analysis.words import level_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from equipoise.stats.samples import Vector


def answer(question: Question) -> Answer:
    """Rows `<arm>.<visit>.mean|sd` of the value and `change|change_sd` of the change from baseline.

    A proportion gives `<arm>.<visit>.proportion` with Clopper and Pearson's interval instead. The mean of one value has
    no spread, and of none there is only n = 0.
    """
    data = question.data
    baseline = question.protocol.baseline_visit
    rows: list[Row] = []
    for arm in question.protocol.arm_ids:
        for visit in data["visit"].cat.categories:
            here = data[(data["arm"] == arm) & (data["visit"] == visit)]
            values = here["value"].dropna().to_numpy()
            if question.outcome.aggregation == "proportion":
                rows.append(proportion_row(question, arm, visit, values))
                continue
            rows.extend(mean_rows(question, arm, visit, values, "mean", "sd", "value"))
            if baseline is not None and visit != baseline.id:
                changes = here["change"].dropna().to_numpy()
                rows.extend(mean_rows(question, arm, visit, changes, "change", "change_sd", "change from baseline"))
    return Answer(tuple(rows), {f"methods.{question.analysis.id}": method_sentence(question)})


def mean_rows(question: Question, arm: str, visit: str, values: Vector, mean: str, sd: str, term: str) -> Iterator[Row]:
    """The mean of the values and their standard deviation, as far as they have one."""
    columns = {"arm": arm, "visit": visit, "term": term}
    if len(values) == 0:
        yield question.row(arm, visit, mean, method="mean", n=0, label="no values", **columns)
        return
    if len(values) == 1:
        label = "one value: no interval"
        yield question.row(arm, visit, mean, method="mean", n=1, estimate=float(values[0]), label=label, **columns)
        return
    found = stats.mean_interval(values, level=question.level)
    yield question.row(
        arm,
        visit,
        mean,
        method="mean",
        estimate=found.mean,
        std_error=found.std_error,
        df=float(found.n - 1),
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        n=found.n,
        **columns,
    )
    yield question.row(arm, visit, sd, method="sd", estimate=found.sd, n=found.n, **columns)


def proportion_row(question: Question, arm: str, visit: str, values: Vector) -> Row:
    """The share of participants with the event, with its exact interval."""
    columns = {"arm": arm, "visit": visit, "term": "proportion", "unit": None, "method": "clopper-pearson"}
    if len(values) == 0:
        return question.row(arm, visit, "proportion", n=0, label="no values", **columns)
    found = stats.clopper_pearson(int(values.sum()), len(values), level=question.level)
    return question.row(
        arm,
        visit,
        "proportion",
        estimate=found.estimate,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        n=len(values),
        **columns,
    )


def method_sentence(question: Question) -> str:
    """What was computed, in one sentence."""
    level = level_text(question.analysis.alpha)
    if question.outcome.aggregation == "proportion":
        what = f"Proportion with its exact binomial {level} interval (Clopper and Pearson 1934)"
    else:
        what = f"Mean with standard deviation and {level} interval by Student's t"
    return f"{what}, each arm and visit on its own."
