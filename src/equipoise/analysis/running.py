"""Run the plan on a snapshot: populations, data sets, each analysis, and the counts that every report holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from equipoise.analysis import (
    anova,
    baseline,
    concomitant,
    covariance_analysis,
    donation,
    estimating_equations,
    exposure,
    flow,
    harms,
    imputed,
    laboratory,
    means,
    mixed_model,
    reactions,
    record_quality,
    replayed,
    stopping,
    two_arms,
    vital_signs,
)
from equipoise.analysis.contrasts import contrasts_of_analysis
from equipoise.analysis.populations import populations_of
from equipoise.analysis.primary import primary_sentence
from equipoise.analysis.questions import Answer, Question, question_of
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.analysis.results import Results, Row
from equipoise.analysis.words import sentence
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis
from equipoise.stats.refusals import StatisticsRefusal

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

Progress = Callable[[int, int], None]

METHODS: Mapping[str, Callable[[Question], Answer]] = {
    "means-by-visit": means.answer,
    "two-sample": two_arms.answer,
    "ancova": covariance_analysis.answer,
    "rm-anova": anova.answer,
    "gee": estimating_equations.answer,
    "mmrm": mixed_model.answer,
    "imputation": imputed.answer,
    "rerandomisation": replayed.answer,
}

COUNTS: tuple[Callable[[Protocol, Snapshot], Answer], ...] = (
    concomitant.answer,
    donation.answer,
    exposure.answer,
    harms.answer,
    reactions.answer,
    vital_signs.answer,
    laboratory.answer,
    stopping.answer,
    record_quality.answer,
)


def run(protocol: Protocol, snapshot: Snapshot, *, progress: Progress | None = None) -> Results:
    """Analyse a snapshot as the protocol plans.

    Args:
        protocol: the plan; usually the snapshot's own protocol.
        snapshot: of the trial at a ledger position, or of a foreign table.
        progress: told how many analyses are done, and of how many.

    Returns:
        Every number with its id. An analysis that the data do not admit has no row, and `refused.<analysis>` says why.
        The same protocol and snapshot give the same results, to the last bit.
    """
    populations = populations_of(protocol, snapshot)
    answers = [flow.answer(protocol, snapshot, populations), baseline.answer(protocol, snapshot)]
    for done, analysis in enumerate(protocol.analyses, start=1):
        answers.append(answered(protocol, snapshot, analysis, populations[analysis.analysis_set]))
        if progress is not None:
            progress(done, len(protocol.analyses))
    answers += [counted(protocol, snapshot) for counted in COUNTS]
    rows = {row.id: row for answer in answers for row in answer.rows}
    sentences = {id: text for answer in answers for id, text in answer.sentences.items()}
    return Results(
        rows=tuple(row for answer in answers for row in answer.rows),
        sentences={"primary": primary_sentence(protocol, rows, sentences)} | sentences,
        populations=populations,
        meta=meta_of(protocol, snapshot),
        histograms={id: found for answer in answers for id, found in answer.histograms.items()},
        residuals={id: found for answer in answers for id, found in answer.residuals.items()},
    )


def answered(protocol: Protocol, snapshot: Snapshot, analysis: Analysis, members: tuple[str, ...]) -> Answer:
    """One analysis of the plan; a refusal becomes a sentence without a row."""
    try:
        answer = METHODS[analysis.method](question_of(protocol, snapshot, analysis, members))
    except (CannotAnalyse, StatisticsRefusal) as refused:
        return Answer((), {f"refused.{analysis.id}": sentence(f"not computed, because {refused}")})
    if analysis.missing is not None:
        answer = answer.with_sentence(f"missing.{analysis.id}", sentence(analysis.missing))
    if analysis.published is not None:
        answer = beside_published(protocol, answer, analysis)
    return answer


def beside_published(protocol: Protocol, answer: Answer, analysis: Analysis) -> Answer:
    """The answer with the published result as text: a sentence, and the label of each row that estimates the effect."""
    text = f"published: {analysis.published}"
    contrasts = {contrast.name for contrast in contrasts_of_analysis(protocol, analysis)}

    def labelled(row: Row) -> Row:
        if row.term not in contrasts:
            return row
        return replace(row, label=text if row.label is None else f"{row.label}; {text}")

    told = replace(answer, rows=tuple(labelled(row) for row in answer.rows))
    return told.with_sentence(f"published.{analysis.id}", sentence(text))


def meta_of(protocol: Protocol, snapshot: Snapshot) -> dict[str, str | int | None]:
    """What the numbers are pinned to."""
    return {
        "trial": protocol.protocol.id,
        "protocol_version": protocol.protocol.version,
        "protocol_hash": snapshot.protocol_hash,
        "position": snapshot.position,
        "head_hash": snapshot.head_hash,
        "as_of": snapshot.as_of.isoformat(),
        "rehearsal": snapshot.rehearsal,
        "source": snapshot.source,
        "software": snapshot.software,
    }
