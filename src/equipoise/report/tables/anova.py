"""The repeated-measures analysis of variance: F, degrees of freedom, Mauchly, both epsilons and corrected P."""

from __future__ import annotations

from equipoise.analysis.results import Results
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import RepeatedMeasuresAnova
from equipoise.report.effects import analyses_of
from equipoise.report.lookup import Lookup
from equipoise.report.numbers import DASH
from equipoise.report.tables.model import Body, Head, Row, Table

EFFECTS = (("arm", "Arm"), ("visit", "Visit"), ("arm_visit", "Arm by visit"))
METHODS = (
    ("uncorrected", "uncorrected"),
    ("gg", "Greenhouse–Geisser"),
    ("hf", "Huynh–Feldt"),
)


def anova_tables(protocol: Protocol, results: Results, outcome: Outcome) -> tuple[Table, ...]:
    """A table for each such analysis of the outcome that has rows."""
    plans = (analysis for analysis in analyses_of(protocol, outcome.id) if isinstance(analysis, RepeatedMeasuresAnova))
    return tuple(_table(results, outcome, plan.id) for plan in plans if results.find(analysis=plan.id))


def _table(results: Results, outcome: Outcome, analysis: str) -> Table:
    lookup = Lookup(results)
    bodies = tuple(_effect(lookup, analysis, step, title) for step, title in EFFECTS)
    heads = (
        Head("Effect", numeric=False),
        *map(Head, ("F", "df", "error df", "P", "partial η²", "epsilon", "Mauchly’s W", "P of W")),
    )
    left_out = lookup.results.maybe(f"{analysis}.left_out")
    notes: tuple[str, ...] = (
        "Type III. Mauchly’s test is of the sphericity that the uncorrected test of a within effect assumes.",
    )
    if left_out is not None and left_out.estimate:
        notes += (
            lookup.number(left_out.id)
            + " left out for a missing visit, of "
            + lookup.number(left_out.id, field="n")
            + ".",
        )
    return Table(
        f"table-{analysis}", f"{outcome.name}: arm by visit, participants with every visit", (heads,), bodies, notes
    )


def _effect(lookup: Lookup, analysis: str, step: str, title: str) -> Body:
    rows = []
    for method, name in METHODS:
        found = lookup.results.maybe(f"{analysis}.{step}.{method}")
        if found is None:
            continue
        epsilon = lookup.results.maybe(f"{analysis}.{step}.epsilon_{method}")
        mauchly = lookup.results.maybe(f"{analysis}.{step}.mauchly") if method == "uncorrected" else None
        rows.append(
            Row(
                title if method == "uncorrected" else name,
                (
                    lookup.of(found, 2, "statistic"),
                    lookup.degrees(found),
                    lookup.degrees(found, "df2"),
                    lookup.p(found),
                    lookup.of(found, 3),
                    DASH if epsilon is None else lookup.of(epsilon, 3),
                    DASH if mauchly is None else lookup.of(mauchly, 3, "statistic"),
                    DASH if mauchly is None else lookup.p(mauchly),
                ),
                indented=method != "uncorrected",
            )
        )
    return Body(tuple(rows))
