"""Re-randomisation: where the observed effect stands among those that the trial's own allocation could have given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import at_visit, followed_visits
from equipoise.analysis.questions import FEWEST_IN_AN_ARM, Answer, Question, check_arms
from equipoise.analysis.redrawing import redrawn
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.analysis.results import Histogram, Row, bounded
from equipoise.analysis.words import counted, sentence
from equipoise.protocol.plan import Rerandomisation
from equipoise.stats.rerandomise import Rerandomisation as Rerandomised

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.stats.samples import Vector

Codes: TypeAlias = NDArray[np.float64]
Statistic: TypeAlias = Callable[[Codes], "Vector"]
BINS = 60
FEWEST_DRAWS = 100


@dataclass(frozen=True, slots=True)
class Replay:
    """What a re-randomisation test works on.

    `codes` (R, n) are re-drawn arms and `observed` (n,) the arms given, 1 in the test arm; only those with at least two
    participants in each arm, of `n_draws` drawn or listed. `probabilities` (R,) are there when every allocation is
    listed, given that both arms have as many. `outcome` (n,) is there when the statistic is a difference of means.
    """

    people: tuple[str, ...]
    codes: Codes
    probabilities: Vector | None
    observed: Vector
    n_draws: int
    statistic: Statistic
    outcome: Vector | None


def answer(question: Question) -> Answer:
    """Rows `<visit>.rerandomisation`, for the GEE statistic `arm.rerandomisation`, `….mc_error`, `draws`, `<arm>.n`.

    The histogram of the re-drawn statistics stands under the analysis's id.
    """
    analysis = question.analysis
    assert isinstance(analysis, Rerandomisation)
    (contrast,) = question.contrasts
    by_gee = analysis.statistic == "gee"
    data = followed(question) if by_gee else at_visit(question.data, question.outcome.timepoint)
    what = "a value at a follow-up visit" if by_gee else f"a value at visit {question.outcome.timepoint}"
    check_arms(data, contrast, what)
    replay = replayed(question, contrast, data)
    listed = replay.probabilities is not None
    found = stats.rerandomisation(
        replay.statistic,
        replay.codes,
        replay.observed,
        exact=listed,
        probabilities=replay.probabilities,
        outcome=replay.outcome,
        level=question.level,
    )
    rows = [*effect_rows(question, contrast, found, len(replay.people)), *question.sizes(data)]
    label = "allocations that were possible and kept" if listed else "allocations drawn again and kept"
    rows.append(question.count("draws", count=found.n_draws, n=replay.n_draws, label=label))
    return Answer(
        tuple(rows),
        {f"methods.{analysis.id}": method_text(question, found.method, replay)},
        {analysis.id: histogram(found, replay.probabilities, question.outcome.unit)},
    )


def followed(question: Question) -> pd.DataFrame:
    """The known outcomes at follow-up visits."""
    visits = followed_visits(question.protocol, question.outcome)
    return question.data[question.data["visit"].isin(visits) & question.data["outcome"].notna()].reset_index(drop=True)


def replayed(question: Question, contrast: Contrast, data: pd.DataFrame) -> Replay:
    """The re-drawn arms of those who have data, and the statistic that is asked of them."""
    analysis = question.analysis
    assert isinstance(analysis, Rerandomisation)
    again = redrawn(question.protocol, question.snapshot, analysis.draws, analysis.seed)
    people = tuple(sorted(set(data["participant"])))
    place = {participant: number for number, participant in enumerate(again.people)}
    test = question.protocol.arm_ids.index(contrast.test)
    codes = (again.codes[:, [place[participant] for participant in people]] == test).astype(np.float64)
    treated = codes.sum(axis=1)
    kept = (treated >= FEWEST_IN_AN_ARM) & (treated <= len(people) - FEWEST_IN_AN_ARM)
    probabilities = None if again.probabilities is None else again.probabilities[kept]
    if probabilities is None and kept.sum() < FEWEST_DRAWS:
        problem = f"only {int(kept.sum())} give each arm {FEWEST_IN_AN_ARM} participants or more"
        raise CannotAnalyse("draws", analysis.draws, problem, "draw more, or wait for more data")
    arms = data.drop_duplicates("participant").set_index("participant")["arm"]
    observed: Vector = np.asarray(arms.loc[list(people)] == contrast.test, dtype=np.float64)
    outcome = None
    if analysis.statistic == "gee":
        statistic = gee_statistic(data, people)
    else:
        outcome = data.set_index("participant").loc[list(people), "outcome"].to_numpy(dtype=np.float64)
        statistic = mean_statistic(outcome)
    given = None if probabilities is None else probabilities / probabilities.sum()
    return Replay(people, codes[kept], given, observed, len(codes), statistic, outcome)


def mean_statistic(outcome: Vector) -> Statistic:
    """The difference of means of test and reference arm, for codes (R, n)."""
    centre = float(outcome.mean())
    centred = outcome - centre

    def differences(codes: Codes) -> Vector:
        treated = codes.sum(axis=1)
        sums = codes @ centred
        return np.asarray(sums / treated - (centred.sum() - sums) / (codes.shape[1] - treated), dtype=np.float64)

    return differences


def gee_statistic(data: pd.DataFrame, people: tuple[str, ...]) -> Statistic:
    """The GEE estimate of the arm (gaussian, exchangeable), for codes (R, n)."""
    wide = data.pivot(index="participant", columns="visit", values="outcome").loc[list(people)]
    outcome = wide.to_numpy(dtype=np.float64)
    seen = ~np.isnan(outcome)

    def effects(codes: Codes) -> Vector:
        arms = np.broadcast_to(codes[:, :, np.newaxis], (*codes.shape, outcome.shape[1]))
        design = np.stack([np.ones_like(arms), arms], axis=-1)
        fits = stats.batch.gee(np.where(seen, outcome, 0.0), design, seen, covariances=(), tolerance=1e-8)
        # A fit that does not settle has no effect to compare; the room of statistics refuses what is not finite.
        return np.asarray(np.where(fits.usable, fits.beta[..., 1], np.nan), dtype=np.float64)

    return effects


def effect_rows(question: Question, contrast: Contrast, found: Rerandomised, n: int) -> list[Row]:
    """The observed effect with its P and interval, and the simulation's error of P, zero where nothing is simulated."""
    analysis = question.analysis
    assert isinstance(analysis, Rerandomisation)
    by_gee = analysis.statistic == "gee"
    visit = None if by_gee else question.outcome.timepoint
    path = ("arm" if by_gee else question.outcome.timepoint, "rerandomisation")
    low = None if found.conf_low is None else bounded(found.conf_low)
    high = None if found.conf_high is None else bounded(found.conf_high)
    effect = question.row(
        *path,
        method="rerandomisation",
        term=contrast.name,
        visit=visit,
        estimate=found.statistic,
        p_value=found.p_value,
        conf_low=low,
        conf_high=high,
        n=n,
        label="GEE estimate" if by_gee else None,
    )
    error = question.row(
        *path,
        "mc_error",
        method="rerandomisation",
        term="Monte Carlo error of P",
        visit=visit,
        estimate=found.mc_error,
        n=found.n_draws,
        unit=None,
        label="standard error of P from the number of draws",
    )
    return [effect, error]


def method_text(question: Question, method: str, replay: Replay) -> str:
    """What was replayed, and what became of draws that leave an arm nearly empty."""
    analysis = question.analysis
    assert isinstance(analysis, Rerandomisation)
    what = "GEE estimate of the arm" if analysis.statistic == "gee" else "difference in means"
    dropped = replay.n_draws - len(replay.codes)
    drawn = replay.probabilities is None
    each = "draw" if drawn else "allocation"
    texts = [
        f"{method}; statistic: {what}" + (f"; seed {analysis.seed}" if drawn else ""),
        f"{each.capitalize()}s with fewer than {FEWEST_IN_AN_ARM} analysed participants in an arm are left out, so "
        f"that P is given that both arms have as many: {counted(dropped, each)} of {replay.n_draws}",
    ]
    if not drawn:
        texts.append(
            "Each allocation counts with the probability that the procedure gives it; P has no simulation error"
        )
    if analysis.statistic == "gee":
        texts.append("The test of the GEE estimate comes without an interval")
    return " ".join(sentence(text) for text in texts)


def histogram(found: Rerandomised, probabilities: Vector | None, unit: str | None) -> Histogram:
    """The re-drawn statistics in bins of equal width; listed allocations count in proportion to their probability."""
    null = found.null_distribution
    weights = None if probabilities is None else probabilities * len(null)
    counts, edges = np.histogram(null, bins=BINS, weights=weights)
    return Histogram(tuple(map(float, edges)), tuple(map(int, np.rint(counts))), found.statistic, unit)
