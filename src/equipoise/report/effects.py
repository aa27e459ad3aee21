"""Which rows of the results are effects of the arm, which of them is the main one and which one to go by."""

from __future__ import annotations

from equipoise.analysis.contrasts import contrasts_of_analysis
from equipoise.analysis.results import Results, Row
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis, Gee, Mmrm

MAIN = "main analysis"
BELIEVED = "the one to go by"


def analyses_of(protocol: Protocol, outcome_id: str) -> tuple[Analysis, ...]:
    """The analyses of one outcome, in the order of the plan."""
    return tuple(analysis for analysis in protocol.analyses if analysis.outcome == outcome_id)


def effect_rows(protocol: Protocol, results: Results, outcome_id: str) -> tuple[Row, ...]:
    """The estimated differences between arms in an outcome, in the order of the plan."""
    rows: list[Row] = []
    for analysis in analyses_of(protocol, outcome_id):
        terms = {contrast.name for contrast in contrasts_of_analysis(protocol, analysis)}
        found = results.find(analysis=analysis.id)
        rows.extend(row for row in found if row.term in terms and (row.estimate is not None or row.p_value is not None))
    return tuple(rows)


def mark_of(protocol: Protocol, row: Row) -> str:
    """What sets a row apart: the main analysis of its outcome, and the covariance that the plan goes by.

    A mixed model answers at the time point; its effect over the visits stands beside.
    """
    analysis = next(analysis for analysis in protocol.analyses if analysis.id == row.analysis)
    marks = []
    believed = isinstance(analysis, Gee) and row.method == f"gee {analysis.believe}"
    beside = isinstance(analysis, Mmrm) and row.visit is None
    if analysis.role == "main" and (believed or not isinstance(analysis, Gee)) and not beside:
        marks.append(MAIN)
    if believed:
        marks.append(BELIEVED)
    return ", ".join(marks)


def main_row(protocol: Protocol, results: Results, outcome_id: str) -> Row | None:
    """The row that answers the outcome: of its main analysis, under the covariance that the plan goes by."""
    rows = effect_rows(protocol, results, outcome_id)
    return next((row for row in rows if MAIN in mark_of(protocol, row)), None)


def stands_on_log_scale(row: Row) -> bool:
    """Whether the estimate is the logarithm of a ratio, which has its own row."""
    return (row.unit or "").startswith("log ")


def arms_of_term(protocol: Protocol, term: str) -> str:
    """The arms that a row's term compares, by name: `NK + ART v ART`."""
    return " v ".join(protocol.arm(arm).name for arm in term.split("-"))
