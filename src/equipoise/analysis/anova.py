"""Repeated-measures analysis of variance, arm by visit, over the participants who have every visit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise import stats
from equipoise.analysis.datasets import own_visits
from equipoise.analysis.questions import Answer, Question, check_arms
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted, sentence

if TYPE_CHECKING:
    import pandas as pd

MANY_LEFT_OUT = 0.2  # of the participants: above it the sentence warns
CORRECTIONS = (("uncorrected", None), ("gg", "epsilon_gg"), ("hf", "epsilon_hf"))


def answer(question: Question) -> Answer:
    """Rows `<effect>.uncorrected|gg|hf|mauchly|epsilon_gg|epsilon_hf`, `arm.difference`, `left_out`, `<arm>.n`.

    Effects: arm, visit, arm_visit. `statistic` is F on `df` and `df2`, `estimate` partial eta squared; a Mauchly row
    has W as `statistic`. `arm.difference` is the difference of the participants' means over the visits, with the
    interval that belongs to the F test of the arm.
    """
    visits = own_visits(question.protocol, question.outcome)
    data = question.data[question.data["visit"].isin(visits) & question.data["arm"].isin(question.arms)]
    data = data.assign(visit=data["visit"].cat.remove_unused_categories()).reset_index(drop=True)
    complete = complete_participants(data)
    for contrast in question.contrasts:
        check_arms(complete, contrast, f"a value at every one of {counted(len(visits), 'visit')}")
    found = stats.rm_anova(data, outcome="outcome", subject="participant", within="visit", between="arm")
    rows = [row for effect in found.table.to_dict("records") for row in effect_rows(question, effect, found.n_subjects)]
    rows.extend(difference_rows(question, complete))
    n = found.n_subjects + found.n_left_out
    rows.append(question.count("left_out", count=found.n_left_out, n=n, label="left out for a missing visit"))
    rows.extend(question.sizes(complete))
    methods = [found.method, f"Visits: {question.visit_names(visits)}", *found.notes]
    if found.n_left_out > MANY_LEFT_OUT * n:
        methods.append(
            f"Only {found.n_subjects} of {n} participants are complete and may differ from the others: read with care"
        )
    return Answer(tuple(rows), {f"methods.{question.analysis.id}": " ".join(sentence(text) for text in methods)})


def complete_participants(data: pd.DataFrame) -> pd.DataFrame:
    """The rows of participants whose outcome is known at every visit."""
    lacking = data.loc[data["outcome"].isna(), "participant"]
    return data[~data["participant"].isin(lacking)].reset_index(drop=True)


def effect_rows(question: Question, effect: dict[str, Any], n: int) -> Iterator[Row]:
    """One effect with its corrections, and the test of the assumption that they correct for."""
    name = str(effect["effect"])
    step = name.replace(":", "_")
    within = "visit" in name.split(":")
    for method, epsilon in CORRECTIONS if within else CORRECTIONS[:1]:
        shrink = 1.0 if epsilon is None else min(float(effect[epsilon]), 1.0)
        p_column = "p_value" if epsilon is None else f"p_{method}"
        yield question.row(
            step,
            method,
            method=f"rm-anova {method}",
            term=name,
            estimate=float(effect["eta_sq_partial"]),
            statistic=float(effect["statistic"]),
            df=float(effect["df_num"]) * shrink,
            df2=float(effect["df_den"]) * shrink,
            p_value=float(effect[p_column]),
            n=n,
            unit=None,
            label="partial eta squared; F on df and df2",
        )
    if within:
        yield from sphericity_rows(question, effect, step, name, n)


def sphericity_rows(question: Question, effect: dict[str, Any], step: str, name: str, n: int) -> Iterator[Row]:
    """Mauchly's test, where there are participants enough for it, and both epsilons as they are."""
    columns: dict[str, Any] = {"term": name, "n": n, "unit": None}
    w = effect["mauchly_w"]
    if w is not None and not math.isnan(w):
        p = float(effect["mauchly_p"])
        yield question.row(
            step, "mauchly", method="mauchly", statistic=float(w), p_value=p, label="Mauchly's W", **columns
        )
    for epsilon, whose in (("epsilon_gg", "Greenhouse-Geisser epsilon"), ("epsilon_hf", "Huynh-Feldt epsilon")):
        yield question.row(step, epsilon, method=epsilon, estimate=float(effect[epsilon]), label=whose, **columns)


def difference_rows(question: Question, complete: pd.DataFrame) -> Iterator[Row]:
    """The difference of the arms in the participants' means over the visits.

    With two arms its t squared is the F of the arm: type III weighs the visits alike and has one error between
    participants. With more arms the pooled error would be of all of them, so no difference is given.
    """
    if len(question.arms) != 2:
        return
    (contrast,) = question.contrasts
    means = complete.groupby(["arm", "participant"], observed=True)["outcome"].mean()
    found = stats.two_sample(
        means.loc[contrast.test].to_numpy(),
        means.loc[contrast.reference].to_numpy(),
        method="student",
        level=question.level,
    )
    yield question.row(
        "arm",
        "difference",
        method="rm-anova",
        term=contrast.name,
        estimate=found.estimate,
        std_error=found.std_error,
        df=found.df,
        statistic=found.statistic,
        p_value=found.p_value,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        n=found.n_x + found.n_y,
        label="mean over the visits, complete participants",
    )
