"""The overall effect of the arm over the follow-up visits by GEE, with each covariance that the plan lists.

With few participants the usual sandwich rejects too often; the answers stand side by side and `believe` says which to
go by and why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import followed_visits
from equipoise.analysis.influence import gee_influence
from equipoise.analysis.questions import Answer, Question, check_arms, with_test_code
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted, interval, level_text, listed, p_text, sentence
from equipoise.protocol.plan import Gee
from equipoise.stats.gee_fit import FEW_CLUSTERS
from equipoise.stats.refusals import StatisticsRefusal

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.stats.gee_fit import GeeFit

CORRECTED = ("mancl-derouen", "kauermann-carroll", "kc-md-average", "df-adjusted")
ON_THE_LOG_SCALE = {"binomial": "log odds ratio", "poisson": "log rate ratio", "gamma": "log ratio of means"}


def answer(question: Question) -> Answer:
    """Rows `[<contrast>.]arm.<covariance>`, for robust also `….arm.robust-t`, `correlation`, `<arm>.n`.

    Beside them `observations` and `influence.<participant>`. Under a logit or log link each effect has a `….ratio`
    beside it, on the scale of ratios.
    """
    analysis = gee_of(question)
    visits = followed_visits(question.protocol, question.outcome)
    data, without_baseline = observations(question, visits)
    rows: list[Row] = []
    sentences: dict[str, str] = {}
    for contrast in question.contrasts:
        check_arms(data, contrast, "a value at a follow-up visit")
        fit = fitted(question, data, contrast)
        rows.extend(fit_rows(question, contrast, fit, sentences))
        rows.extend(gee_influence(question, contrast, fit, data))
    rows.extend(question.sizes(data))
    rows.append(question.count("observations", count=len(data), label="participants by visits analysed"))
    sentences[f"methods.{analysis.id}"] = method_text(question, fit, visits, without_baseline)
    sentences[f"believe.{analysis.id}"] = believe_text(question, rows, fit.n_subjects)
    return Answer(tuple(rows), sentences)


def gee_of(question: Question) -> Gee:
    """The analysis, which the caller knows to be a GEE."""
    assert isinstance(question.analysis, Gee)
    return question.analysis


def observations(question: Question, visits: tuple[str, ...]) -> tuple[pd.DataFrame, int]:
    """The known outcomes at these visits, and how many participants lack the baseline value that the model needs."""
    data = question.data[question.data["visit"].isin(visits) & question.data["outcome"].notna()]
    if "baseline" not in gee_of(question).adjust_for:
        return data.reset_index(drop=True), 0
    lacking = data[data["baseline"].isna()]
    return data[data["baseline"].notna()].reset_index(drop=True), int(lacking["participant"].nunique())


def formula_of(analysis: Gee) -> str:
    """The model: the arm, and what the plan adjusts for."""
    terms = {"visit": "C(visit)", "baseline": "baseline"}
    return " + ".join(["outcome ~ test", *(terms[name] for name in analysis.adjust_for)])


def fitted(question: Question, data: pd.DataFrame, contrast: Contrast) -> GeeFit:
    """The fit for two arms."""
    analysis = gee_of(question)
    return stats.gee(
        formula_of(analysis),
        with_test_code(data, contrast),
        cluster="participant",
        time="visit",
        family=analysis.family,
        link="log" if analysis.family == "gamma" else None,
        working=analysis.working,
        covariance="robust",
        df="normal",
        level=question.level,
    )


def references(covariance: str) -> tuple[tuple[str, str], ...]:
    """Under which names and degrees of freedom a covariance is shown: the usual sandwich both ways."""
    if covariance == "robust":
        return (("robust", "normal"), ("robust-t", "between"))
    return ((covariance, "between" if covariance in CORRECTED else "normal"),)


def fit_rows(question: Question, contrast: Contrast, fit: GeeFit, sentences: dict[str, str]) -> Iterator[Row]:
    """The effect of the arm under each covariance; one that is refused adds a sentence instead of a row."""
    analysis = gee_of(question)
    place = question.place(contrast)
    for covariance in analysis.covariances:
        for name, df in references(covariance):
            try:
                found = fit.with_covariance(covariance, df)
            except StatisticsRefusal as refused:
                sentences[f"refused.{analysis.id}.{name}"] = sentence(f"{name}: {refused}")
                continue
            yield from effect_rows(question, (*place, "arm", name), name, contrast, found)
    if analysis.working == "exchangeable" and len(fit.visits) > 1:
        yield question.row(
            *place,
            "correlation",
            method="exchangeable",
            term="working correlation",
            estimate=float(fit.working_correlation[0, 1]),
            n=fit.n_subjects,
            unit=None,
        )


def effect_rows(question: Question, path: tuple[str, ...], name: str, contrast: Contrast, fit: GeeFit) -> Iterator[Row]:
    """The effect of the arm, and as a ratio where the link is a logarithm."""
    analysis = gee_of(question)
    found = fit.coefficients.set_index("term").loc["test"]
    df = float(found["df"])
    estimate, low, high = (float(found[column]) for column in ("estimate", "conf_low", "conf_high"))
    columns = {
        "method": f"gee {name}",
        "term": contrast.name,
        "df": df if np.isfinite(df) else None,
        "statistic": float(found["statistic"]),
        "p_value": float(found["p_value"]),
        "n": fit.n_subjects,
    }
    yield question.row(
        *path,
        estimate=estimate,
        std_error=float(found["std_error"]),
        conf_low=low,
        conf_high=high,
        unit=ON_THE_LOG_SCALE.get(analysis.family, question.outcome.unit),
        **columns,
    )
    if analysis.family in ON_THE_LOG_SCALE:
        ratio = [float(np.exp(value)) for value in (estimate, low, high)]
        unit = ON_THE_LOG_SCALE[analysis.family].removeprefix("log ")
        yield question.row(
            *path, "ratio", estimate=ratio[0], conf_low=ratio[1], conf_high=ratio[2], unit=unit, **columns
        )


def method_text(question: Question, fit: GeeFit, visits: tuple[str, ...], without_baseline: int) -> str:
    """What was fitted, without the covariance, which the rows name."""
    analysis = gee_of(question)
    adjusted = f", adjusted for {listed(analysis.adjust_for)}" if analysis.adjust_for else ""
    text = (
        f"Generalised estimating equations (Liang and Zeger 1986), {analysis.family} with {analysis.working} working "
        f"correlation, arm{adjusted}, over {question.visit_names(visits)}: {counted(fit.n_subjects, 'participant')}, "
        f"{counted(fit.n_observations, 'observation')}; missing values are left out, "
        f"which assumes that they are missing completely at random; the influence of each participant is to one step "
        f"(Preisser and Qaqish 1996)"
    )
    if without_baseline:
        text += f"; {counted(without_baseline, 'participant')} without a baseline value left out"
    return sentence(text)


def believe_text(question: Question, rows: list[Row], n: int) -> str:
    """Which of the answers to go by, and why."""
    analysis = gee_of(question)
    name = analysis.believe
    wanted = next((row for row in rows if row.method == f"gee {name}"), None)
    if wanted is None:
        return sentence(f"The plan goes by {name}, which could not be computed: see why beside it, and go by none")
    reference = "a normal reference" if wanted.df is None else f"a t reference on {wanted.df:g} df"
    text = f"Go by {name} with {reference}: "
    if n < FEW_CLUSTERS and analysis.believe in CORRECTED:
        text += (
            f"with {n} participants, fewer than about {FEW_CLUSTERS}, the usual robust standard error is too small and "
            f"its test rejects too often (Mancl and DeRouen 2001); this one corrects it"
        )
    elif n < FEW_CLUSTERS:
        text += (
            f"so the plan says; but with {n} participants, fewer than about {FEW_CLUSTERS}, it rejects too often "
            f"(Mancl and DeRouen 2001), and a corrected answer beside it is the safer one"
        )
    else:
        text += f"so the plan says; with {n} participants the usual standard error needs no correction for their number"
    usual = next((row for row in rows if row.method == "gee robust" and row.term == wanted.term), None)
    if usual is not None and usual is not wanted:
        text += f". The interval is {shown(question, wanted)} where the usual one is {shown(question, usual)}"
    return sentence(text)


def shown(question: Question, row: Row) -> str:
    """An interval and P in words."""
    assert row.p_value is not None
    places = question.outcome.places
    ends = interval(row.conf_low, row.conf_high, places)
    return f"{ends} ({level_text(question.analysis.alpha)} CI; {p_text(row.p_value)})"
