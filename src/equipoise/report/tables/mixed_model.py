"""The mixed model for repeated measures beside its effects: whether the effect of the arm differs between visits."""

from __future__ import annotations

from equipoise.analysis.results import Results
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Mmrm
from equipoise.report.effects import analyses_of, arms_of_term
from equipoise.report.lookup import Lookup
from equipoise.report.method_names import method_name
from equipoise.report.tables.model import Body, Head, Row, Table

JOINT = ".arm_visit.mmrm"


def mmrm_tables(protocol: Protocol, results: Results, outcome: Outcome) -> tuple[Table, ...]:
    """A table for each such analysis of the outcome with a joint test of the arm by visit."""
    plans = (analysis for analysis in analyses_of(protocol, outcome.id) if isinstance(analysis, Mmrm))
    found = (_table(protocol, results, outcome, plan.id) for plan in plans)
    return tuple(table for table in found if table is not None)


def _table(protocol: Protocol, results: Results, outcome: Outcome, analysis: str) -> Table | None:
    lookup = Lookup(results)
    rows = [row for row in results.find(analysis=analysis) if row.id.endswith(JOINT)]
    if not rows:
        return None
    body = Body(
        tuple(
            Row(
                _title(protocol, row.id.removeprefix(f"{analysis}.").removesuffix(JOINT.removeprefix("."))),
                (
                    lookup.of(row, 2, "statistic"),
                    lookup.degrees(row),
                    lookup.degrees(row, "df2"),
                    lookup.p(row),
                    lookup.of(row, field="n"),
                ),
            )
            for row in rows
        )
    )
    observations = lookup.number(f"{analysis}.observations")
    return Table(
        f"table-{analysis}",
        f"{outcome.name}: does the effect of the arm differ between the visits?",
        ((Head("Effect", numeric=False), *map(Head, ("F", "df", "error df", "P", "n"))),),
        (body,),
        notes=(method_name(rows[0]) + ", " + observations + " values.",),
    )


def _title(protocol: Protocol, contrast: str) -> str:
    """`Arm by visit`, with the arms where there are several contrasts."""
    return f"Arm by visit, {arms_of_term(protocol, contrast.rstrip('.'))}" if contrast else "Arm by visit"
