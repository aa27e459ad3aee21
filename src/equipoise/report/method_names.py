"""What a reader calls each method of the results."""

from __future__ import annotations

from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis, TwoSample
from equipoise.report.numbers import unit_text

NAMES = {
    "student": "Student’s t test",
    "welch": "Welch’s t test",
    "wilcoxon": "Wilcoxon rank-sum test",
    "permutation": "Permutation test",
    "ancova": "ANCOVA, adjusted for baseline",
    "ancova-hc2": "ANCOVA, adjusted for baseline, HC2",
    "ancova-hc3": "ANCOVA, adjusted for baseline, HC3",
    "gee model": "GEE, model-based",
    "gee robust": "GEE, robust, normal reference",
    "gee robust-t": "GEE, robust, t reference",
    "gee df-adjusted": "GEE, robust with df adjustment",
    "gee kauermann-carroll": "GEE, Kauermann–Carroll",
    "gee mancl-derouen": "GEE, Mancl–DeRouen",
    "gee kc-md-average": "GEE, average of the two corrections",
    "rerandomisation": "Re-randomisation test",
    "rm-anova": "Repeated-measures ANOVA, baseline included",
}
SHORT = {
    "means-by-visit": "Means by visit",
    "ancova": "Analysis of covariance",
    "rm-anova": "Repeated-measures ANOVA",
    "gee": "Generalised estimating equations",
    "rerandomisation": "Re-randomisation test",
}
READABLE = {
    "kauermann-carroll": "Kauermann–Carroll",
    "mancl-derouen": "Mancl–DeRouen",
    "kc-md-average": "the average of Kauermann–Carroll and Mancl–DeRouen",
}


def method_name(row: Row) -> str:
    """The name of a row's method; one without a name here is printed as the results have it."""
    method = row.method or row.analysis
    return NAMES.get(method, method)


def analysis_name(analysis: Analysis) -> str:
    """The name of an analysis of the plan."""
    return NAMES[analysis.test] if isinstance(analysis, TwoSample) else SHORT[analysis.method]


def readable(text: str, protocol: Protocol) -> str:
    """A sentence of the results with the codes of methods and units as a reader writes them."""
    for code, name in READABLE.items():
        text = text.replace(code, name)
    for outcome in protocol.outcomes:
        shown = unit_text(outcome.unit)
        if outcome.unit and shown and shown != outcome.unit:
            text = text.replace(outcome.unit, shown)
    return text
