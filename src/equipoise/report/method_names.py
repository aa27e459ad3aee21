"""What a reader calls each method of the results."""

from __future__ import annotations

import re
from datetime import date

from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis, TwoSample
from equipoise.report.numbers import NARROW_SPACE, unit_text
from equipoise.report.words import day_text

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
    "mmrm us": "MMRM, unstructured",
    "mmrm toeph": "MMRM, heterogeneous Toeplitz",
    "mmrm toep": "MMRM, Toeplitz",
    "mmrm adh": "MMRM, antedependence",
    "mmrm ad": "MMRM, antedependence with one variance",
    "mmrm ar1h": "MMRM, heterogeneous autoregressive",
    "mmrm ar1": "MMRM, autoregressive",
    "mmrm csh": "MMRM, heterogeneous compound symmetry",
    "mmrm cs": "MMRM, compound symmetry",
    "imputation mar": "ANCOVA, imputed at random",
    "imputation jump-to-reference": "ANCOVA, imputed by jump to reference",
    "imputation copy-reference": "ANCOVA, imputed by copy reference",
    "imputation copy-increments": "ANCOVA, imputed by copy increments",
    "imputation last-mean-carried-forward": "ANCOVA, last mean carried forward",
    "rerandomisation": "Re-randomisation test",
    "rm-anova": "Repeated-measures ANOVA, baseline included",
}
SHORT = {
    "means-by-visit": "Means by visit",
    "ancova": "Analysis of covariance",
    "rm-anova": "Repeated-measures ANOVA",
    "gee": "Generalised estimating equations",
    "mmrm": "Mixed model for repeated measures",
    "imputation": "Imputation of missing values",
    "rerandomisation": "Re-randomisation test",
}
P_VALUE = re.compile(r"\bP [=<>] \d")
ISO_DAY = re.compile(r"\b\d{4}-[01]\d-[0-3]\d\b")
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
    """A sentence of the results with methods, units, days and P values as the rest of the report prints them."""
    for code, name in READABLE.items():
        text = text.replace(code, name)
    text = P_VALUE.sub(lambda found: found.group().replace(" ", NARROW_SPACE), text)
    text = ISO_DAY.sub(lambda found: day_text(date.fromisoformat(found.group())), text)
    for outcome in protocol.outcomes:
        shown = unit_text(outcome.unit)
        if outcome.unit and shown and shown != outcome.unit:
            text = text.replace(outcome.unit, shown)
    return text
