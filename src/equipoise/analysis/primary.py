"""The primary result in words, built from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from equipoise.analysis.contrasts import contrasts_of_analysis
from equipoise.analysis.results import Row
from equipoise.analysis.words import fixed, interval, level_text, listed, p_text
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis, Gee, MeansByVisit, RepeatedMeasuresAnova
from equipoise.stats.mmrm_structures import SENTENCES

METHOD_NAMES = {
    "student": "Student's t test",
    "welch": "Welch's t test",
    "wilcoxon": "Wilcoxon's rank-sum test, Hodges-Lehmann estimate",
    "permutation": "permutation test",
    "ancova": "analysis of covariance",
    "ancova-hc2": "analysis of covariance, HC2 standard error",
    "ancova-hc3": "analysis of covariance, HC3 standard error",
    "rm-anova": "repeated-measures analysis of variance, complete participants",
    "rerandomisation": "re-randomisation test",
    "imputation mar": "analysis of covariance, missing values imputed as missing at random",
    "imputation jump-to-reference": "analysis of covariance, missing values imputed by jump to reference",
    "imputation copy-reference": "analysis of covariance, missing values imputed by copy reference",
    "imputation copy-increments": "analysis of covariance, missing values imputed by copy increments in reference",
    "imputation last-mean-carried-forward": "analysis of covariance, last mean carried forward",
}


def primary_analysis(protocol: Protocol) -> Analysis | None:
    """The first main analysis of a primary outcome, or else the first main analysis."""
    main = [analysis for analysis in protocol.analyses if analysis.role == "main"]
    primary = [analysis for analysis in main if protocol.outcome(analysis.outcome).level == "Primary"]
    return next(iter(primary + main), None)


def primary_row(analysis: Analysis, rows: Mapping[str, Row]) -> Row | None:
    """The row that answers the analysis: its first contrast; for GEE the covariance that the plan goes by."""
    if isinstance(analysis, MeansByVisit):
        return None
    own = [row for row in rows.values() if row.analysis == analysis.id and row.p_value is not None]
    if isinstance(analysis, Gee):
        own = [row for row in own if row.method == f"gee {analysis.believe}"]
    if isinstance(analysis, RepeatedMeasuresAnova):
        own = [row for row in own if row.id.endswith("difference")]
    return next(iter(own), None)


def primary_sentence(protocol: Protocol, rows: Mapping[str, Row], refused: Mapping[str, str]) -> str:
    """The primary result in words: estimate with its interval, exact P, how many in each arm, and the method.

    Args:
        protocol: whose plan names the analysis.
        rows: all rows by id.
        refused: the `refused.…` sentences.
    """
    analysis = primary_analysis(protocol)
    if analysis is None:
        return "The protocol's plan names no main analysis."
    outcome = protocol.outcome(analysis.outcome)
    row = primary_row(analysis, rows)
    if row is None:
        ids = [f"refused.{analysis.id}"]
        if isinstance(analysis, Gee):
            ids.append(f"refused.{analysis.id}.{analysis.believe}")
        why = next((refused[id] for id in ids if id in refused), None)
        return f"{outcome.name}: there is no primary result." + (f" {why}" if why else "")
    return told(protocol, analysis, rows.get(f"{row.id}.ratio", row), rows)


def told(protocol: Protocol, analysis: Analysis, row: Row, rows: Mapping[str, Row]) -> str:
    """A row's effect in words, with how many its analysis had in each arm."""
    outcome = protocol.outcome(analysis.outcome)
    contrast = contrasts_of_analysis(protocol, analysis)[0]
    arms = [protocol.arm(arm).name for arm in contrast.arms]
    counts = [(name, rows.get(f"{analysis.id}.{arm}.n")) for name, arm in zip(arms, contrast.arms, strict=True)]
    numbers = listed([f"{count.n} in {name}" for name, count in counts if count is not None])
    what = ", change from baseline" if outcome.metric == "change from baseline" else ""
    assert row.p_value is not None
    return (
        f"{outcome.name}{when(protocol, analysis, row)}{what}: {effect(outcome, arms, row)} "
        f"({level_text(analysis.alpha)} CI {interval(row.conf_low, row.conf_high, places_of(outcome, row))}), "
        f"{p_text(row.p_value)}; participants analysed: {numbers}; {method_name(row)}."
    )


def when(protocol: Protocol, analysis: Analysis, row: Row) -> str:
    """The visit or visits of an effect."""
    if row.visit is not None:
        return f" at {protocol.visit(row.visit).name}"
    return " over the visits" if isinstance(analysis, RepeatedMeasuresAnova) else " over the follow-up visits"


def effect(outcome: Outcome, arms: Sequence[str], row: Row) -> str:
    """The estimate with its unit: a difference of the arms, or a ratio between them."""
    assert row.estimate is not None
    number = fixed(row.estimate, places_of(outcome, row))
    if row.id.endswith(".ratio"):
        return f"{arms[0]} against {arms[1]}, {row.unit} {number}"
    return f"{arms[0]} less {arms[1]} {number}" + (f" {row.unit}" if row.unit else "")


def places_of(outcome: Outcome, row: Row) -> int:
    """Decimals: the outcome's in its own unit, two for a ratio."""
    return outcome.places if row.unit == outcome.unit else 2


def method_name(row: Row) -> str:
    """The method of a row, with its degrees of freedom, in words."""
    method = row.method or ""
    name = METHOD_NAMES.get(method, method)
    if method.startswith("gee "):
        name = f"generalised estimating equations, {method.removeprefix('gee ')} standard error"
    if method.startswith("mmrm "):
        name = f"mixed model for repeated measures, {SENTENCES[method.removeprefix('mmrm ')]} covariance"
    return name if row.df is None else f"{name}, {row.df:.4g} df"
