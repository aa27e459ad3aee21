"""The effect of the arm at each follow-up visit by a mixed model for repeated measures: at the time point, on average.

All known values count, so the answer holds when values are missing at random, given those that are known. A covariance
that the data do not determine gives way to the next of the plan's `fallback`, and the results say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import at_visit, followed_visits
from equipoise.analysis.influence import mixed_model_influence
from equipoise.analysis.questions import Answer, Question, check_arms, with_test_code
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.analysis.results import Residual, Row
from equipoise.analysis.words import counted, listed, sentence
from equipoise.protocol.plan import Mmrm
from equipoise.stats.mmrm_structures import SENTENCES
from equipoise.stats.refusals import NotConverged, NotIdentified

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from equipoise.stats.mmrm_fit import MmrmFit

BASELINES = {"by-visit": " + C(visit):baseline", "common": " + baseline", "none": ""}
BASELINE_WORDS = {"by-visit": ", baseline value by visit", "common": ", baseline value", "none": ""}
RESIDUALS = "Residuals are standardised by the Cholesky root of their covariance (Fitzmaurice, Laird and Ware 2011)"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fit, the covariance that it has, and why those before it in the plan were not fitted."""

    fit: MmrmFit
    covariance: str
    given_up: tuple[str, ...]


def answer(question: Question) -> Answer:
    """Rows `[<contrast>.]<visit>.mmrm`, `….arm.mmrm`, `….arm_visit.mmrm`, `….sd.<visit>`, `….correlation.<pair>`.

    Beside them `observations`, `<arm>.n`, `….influence.<participant>` and the standardised residuals. The effect over
    the visits is the mean of the effects at the follow-up visits, weighted alike; the arm by visit row tests whether
    they differ.
    """
    analysis = mmrm_of(question)
    data, without_baseline = observations(question)
    rows: list[Row] = []
    sentences: dict[str, str] = {}
    methods: list[str] = []
    residuals: dict[str, tuple[Residual, ...]] = {}
    for contrast in question.contrasts:
        check_arms(at_visit(data, question.outcome.timepoint), contrast, wanted(question))
        found = fitted(question, with_test_code(data, contrast))
        rows.extend(effect_rows(question, contrast, found, sentences))
        rows.extend(covariance_rows(question, contrast, found))
        weights = effect_weights(found.fit).mean(axis=0)
        rows.extend(mixed_model_influence(question, contrast, found.fit, weights, data))
        residuals[".".join((analysis.id, *question.place(contrast)))] = standardised_residuals(found.fit)
        methods.append(fit_text(question, found))
        if found.given_up:
            sentences[".".join(("fallback", analysis.id, *question.place(contrast)))] = fallback_text(found)
    rows.extend(question.sizes(data))
    rows.append(question.count("observations", count=len(data), label="participants by visits analysed"))
    told = [*dict.fromkeys(methods), missing_text(without_baseline), RESIDUALS]
    sentences[f"methods.{analysis.id}"] = " ".join(sentence(text) for text in told)
    return Answer(tuple(rows), sentences, residuals=residuals)


def mmrm_of(question: Question) -> Mmrm:
    """The analysis, which the caller knows to be an MMRM."""
    assert isinstance(question.analysis, Mmrm)
    return question.analysis


def wanted(question: Question) -> str:
    """What each participant compared must have."""
    value = f"a value at visit {question.outcome.timepoint}"
    return value if mmrm_of(question).baseline == "none" else f"a baseline value and {value}"


def observations(question: Question) -> tuple[pd.DataFrame, int]:
    """The known outcomes at follow-up visits, and how many participants lack the baseline value of the model."""
    visits = followed_visits(question.protocol, question.outcome)
    data = question.data[question.data["visit"].isin(visits) & question.data["outcome"].notna()]
    data = data[data["arm"].isin(question.arms)].assign(visit=data["visit"].cat.remove_unused_categories())
    if mmrm_of(question).baseline == "none":
        return data.reset_index(drop=True), 0
    lacking = data[data["baseline"].isna()]
    return data[data["baseline"].notna()].reset_index(drop=True), int(lacking["participant"].nunique())


def fitted(question: Question, data: pd.DataFrame) -> Fitted:
    """The fit under the first covariance of the plan that the data determine.

    Raises:
        CannotAnalyse: when there is none; each with its reason.
        StatisticsRefusal: a defect that no other covariance would mend.
    """
    analysis = mmrm_of(question)
    given_up: list[str] = []
    for covariance in (analysis.covariance, *analysis.fallback):
        try:
            fit = stats.mmrm(
                f"outcome ~ 0 + C(visit){BASELINES[analysis.baseline]} + C(visit):test",
                data,
                subject="participant",
                visit="visit",
                covariance=covariance,
                df=analysis.df,
                level=question.level,
            )
        except (NotIdentified, NotConverged) as refused:
            given_up.append(f"{SENTENCES[covariance]} {refused.problem}")
        else:
            return Fitted(fit, covariance, tuple(given_up))
    tried = ", ".join((analysis.covariance, *analysis.fallback))
    remedy = "name a covariance with fewer parameters as fallback, such as cs, or wait for more data"
    raise CannotAnalyse("covariance", tried, f"could not be fitted ({'; '.join(given_up)})", remedy)


def effect_weights(fit: MmrmFit) -> NDArray[np.float64]:
    """(T, p), contrasts that give the effect of the arm at each visit of the fit, in its order."""
    places = [place for place, term in enumerate(fit.coefficients["term"]) if str(term).endswith(":test")]
    assert len(places) == len(fit.visits)
    return np.eye(fit.beta.size)[places]


def effect_rows(question: Question, contrast: Contrast, found: Fitted, sentences: dict[str, str]) -> Iterator[Row]:
    """The effect at the time point and over the visits, and the joint test; one that is refused adds a sentence."""
    fit, effects = found.fit, effect_weights(found.fit)
    visit = question.outcome.timepoint
    yield effect_row(question, contrast, found, visit, effects[fit.visits.index(visit)])
    yield effect_row(question, contrast, found, None, effects.mean(axis=0))
    place = (*question.place(contrast), "arm_visit", "mmrm")
    try:
        test = fit.joint_test(effects[1:] - effects[0])
    except NotIdentified as refused:
        sentences[".".join(("refused", question.analysis.id, *place))] = sentence(f"arm by visit: {refused}")
        return
    yield question.row(
        *place,
        method=f"mmrm {found.covariance}",
        term="arm:visit",
        statistic=test.statistic,
        df=float(test.df_num),
        df2=test.df_den,
        p_value=test.p_value,
        n=fit.n_subjects,
        unit=None,
        label="do the effects differ between visits; F on df and df2",
    )


def effect_row(
    question: Question, contrast: Contrast, found: Fitted, visit: str | None, weights: NDArray[np.float64]
) -> Row:
    """The effect at one visit, or over all of them."""
    effect = found.fit.contrast(weights)
    return question.row(
        *question.place(contrast),
        visit or "arm",
        "mmrm",
        method=f"mmrm {found.covariance}",
        term=contrast.name,
        visit=visit,
        estimate=effect.estimate,
        std_error=effect.std_error,
        df=effect.df,
        statistic=effect.statistic,
        p_value=effect.p_value,
        conf_low=effect.conf_low,
        conf_high=effect.conf_high,
        n=found.fit.n_subjects,
        label=None if visit else "mean of the effects at the follow-up visits",
    )


def covariance_rows(question: Question, contrast: Contrast, found: Fitted) -> Iterator[Row]:
    """The fitted standard deviation of each visit and the correlation of each two, as the model has them."""
    (covariance,) = found.fit.visit_covariance.values()
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    place, method, n = question.place(contrast), f"mmrm {found.covariance}", found.fit.n_subjects
    for first, visit in enumerate(found.fit.visits):
        yield question.row(
            *place, "sd", visit, method=method, term="sd", visit=visit, estimate=float(spread[first]), n=n
        )
        for second in range(first + 1, len(found.fit.visits)):
            other = found.fit.visits[second]
            yield question.row(
                *place,
                "correlation",
                visit,
                other,
                method=method,
                term=f"{visit}:{other}",
                estimate=float(correlation[first, second]),
                n=n,
                unit=None,
                label="correlation of two visits",
            )


def standardised_residuals(fit: MmrmFit) -> tuple[Residual, ...]:
    """The residuals, ascending, turned so that under the model they are independent with variance one.

    Source:
        Fitzmaurice, Laird and Ware (2011), Applied Longitudinal Analysis, section 10.2: a participant's residuals times
        the inverse of the Cholesky root of their covariance.
    """
    found = stats.residuals(fit, "standardised")
    columns = (found[name] for name in ("subject", "visit", "fitted", "residual"))
    each = (
        Residual(str(who), str(visit), float(fitted), float(value))
        for who, visit, fitted, value in zip(*columns, strict=True)
    )
    return tuple(sorted(each, key=lambda residual: (residual.value, residual.participant, residual.visit)))


def fit_text(question: Question, found: Fitted) -> str:
    """What was fitted to what."""
    what = "change from baseline" if question.outcome.metric == "change from baseline" else "value"
    baseline = BASELINE_WORDS[mmrm_of(question).baseline]
    text = (
        f"{found.fit.method}; {what} at {question.visit_names(found.fit.visits)} on visit{baseline} and arm by visit; "
        "the effect over the visits is the mean of the effects at each, weighted alike"
    )
    return ". ".join((text, *found.fit.notes))


def fallback_text(found: Fitted) -> str:
    """Which covariance was used, and why not the one before it."""
    return sentence(
        f"The covariance of the visits is {SENTENCES[found.covariance]}, as the plan says for when another cannot "
        f"be fitted: {listed(found.given_up)}"
    )


def missing_text(without_baseline: int) -> str:
    """What is assumed of values that are missing."""
    text = (
        "A participant's known values count, and missing ones are not filled in, which assumes that they are missing "
        "at random, given arm, baseline and the values that are known"
    )
    if without_baseline:
        text += f"; {counted(without_baseline, 'participant')} without a baseline value left out"
    return text
