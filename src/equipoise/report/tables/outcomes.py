"""Tables of an outcome: means by arm and visit, and its effect by every method of the plan."""

from __future__ import annotations

from markupsafe import Markup

from equipoise.analysis.results import Results
from equipoise.analysis.results import Row as Result
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import MeansByVisit
from equipoise.report.effects import analyses_of, arms_of_term, effect_rows, mark_of
from equipoise.report.lookup import Lookup
from equipoise.report.method_names import method_name
from equipoise.report.numbers import DASH, unit_text
from equipoise.report.tables.model import Body, Head, Row, Table


def titled(outcome: Outcome) -> str:
    """The outcome with its unit: `CD4 count (cells/µL)`."""
    unit = unit_text(outcome.unit)
    return f"{outcome.name} ({unit})" if unit else outcome.name


def means_analysis(protocol: Protocol, outcome: Outcome) -> str | None:
    """The plan's table of means of the outcome, if it has one."""
    found = (analysis.id for analysis in analyses_of(protocol, outcome.id) if isinstance(analysis, MeansByVisit))
    return next(found, None)


def means_table(protocol: Protocol, results: Results, outcome: Outcome) -> Table | None:
    """n, mean (SD) and 95% interval of each arm at each visit; None where the plan or the results have none."""
    analysis = means_analysis(protocol, outcome)
    rows = results.find(analysis=analysis, method="mean", term="value") if analysis else ()
    if analysis is None or not rows:
        return None
    lookup = Lookup(results)
    visits = [visit for visit in protocol.visits if any(row.visit == visit.id for row in rows)]
    body = Body(
        tuple(
            Row(
                visit.name,
                tuple(
                    cell
                    for arm in protocol.arm_ids
                    for cell in _mean_cells(lookup, analysis, arm, visit.id, outcome.places)
                ),
            )
            for visit in visits
        )
    )
    arms = tuple(Head(arm.name, span=3) for arm in protocol.arms)
    columns = tuple(Head(text) for _ in protocol.arms for text in ("n", "mean (SD)", "95% CI"))
    return Table(
        f"table-means-{outcome.id}",
        f"{titled(outcome)}: mean by arm and visit",
        ((Head("", numeric=False), *arms), (Head("Visit", numeric=False), *columns)),
        (body,),
    )


def _mean_cells(lookup: Lookup, analysis: str, arm: str, visit: str, places: int) -> tuple[str, ...]:
    mean = lookup.results.maybe(f"{analysis}.{arm}.{visit}.mean")
    spread = lookup.results.maybe(f"{analysis}.{arm}.{visit}.sd")
    if mean is None or mean.estimate is None:
        return ("0", DASH, DASH)
    printed = lookup.of(mean, places)
    if spread is not None:
        printed = Markup("{} ({})").format(printed, lookup.of(spread, places))
    return (lookup.of(mean, field="n"), printed, lookup.interval(mean, places))


def effects_table(protocol: Protocol, results: Results, outcome: Outcome) -> Table | None:
    """The difference between arms by every method of the plan, with interval, SE, df and P."""
    lookup = Lookup(results)
    rows = effect_rows(protocol, results, outcome.id)
    if not rows:
        return None
    groups = {True: f"At {protocol.visit(outcome.timepoint).name}", False: "Over the visits"}
    several = len({row.term for row in rows}) > 1
    bodies = []
    for at_one_visit, title in groups.items():
        here = [row for row in rows if (row.visit is not None) == at_one_visit]
        if here:
            bodies.append(
                Body(
                    tuple(
                        Row(
                            _effect_name(protocol, row, several),
                            (
                                lookup.of(row, outcome.places),
                                lookup.interval(row, outcome.places),
                                lookup.of(row, outcome.places + 1, "std_error"),
                                lookup.degrees(row),
                                lookup.p(row),
                                lookup.of(row, field="n"),
                            ),
                            strong=bool(mark_of(protocol, row)),
                        )
                        for row in here
                    ),
                    title,
                )
            )
    heads = (Head("Method", numeric=False), *map(Head, ("difference", "95% CI", "SE", "df", "P", "n")))
    return Table(
        f"table-effects-{outcome.id}",
        f"{titled(outcome)}: difference between the arms by method",
        (heads,),
        tuple(bodies),
        notes=(f"{DASH} as df: a normal reference, or a method without degrees of freedom. P values are two-sided.",),
    )


def _effect_name(protocol: Protocol, row: Result, several: bool) -> str:
    name = method_name(row)
    if several and row.term:
        name = f"{name}, {arms_of_term(protocol, row.term)}"
    mark = mark_of(protocol, row)
    return f"{name} ({mark})" if mark else name
