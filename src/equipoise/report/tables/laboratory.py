"""Tables of laboratory safety: shifts of grade from baseline, treatment-emergent grades, grave values, the liver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from markupsafe import Markup

from equipoise.analysis.harms import SEVERE
from equipoise.analysis.laboratory import EMERGENT, GRADED, QUADRANTS, STATES, UNGRADED
from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import DASH, Lookup
from equipoise.report.numbers import unit_text
from equipoise.report.tables.model import Body, Head, Row, Table

if TYPE_CHECKING:
    import pandas as pd

DIRECTIONS = {"L": "too low", "H": "too high"}
NONE = Markup("·")
SHIFT_NOTE = (
    "A point stands for nobody; missing is a value that is not there or has no grade. "
    "States that nobody is in are left out."
)


def parameters_of(results: Results) -> list[tuple[str, str]]:
    """The parameters and directions that the results have, in their order."""
    ids = [row.id.split(".") for row in results.find(analysis="laboratory") if ".emergent." in row.id]
    return list(dict.fromkeys((parts[1], parts[2]) for parts in ids))


def emergent_table(protocol: Protocol, results: Results, names: Mapping[str, str]) -> Table | None:
    """Treatment-emergent grades by parameter, direction and arm; None where nothing was graded."""
    lookup, found = Lookup(results), parameters_of(results)
    if not found:
        return None
    rows = tuple(
        Row(
            f"{names.get(parameter, parameter)}, {DIRECTIONS[direction]}",
            tuple(
                lookup.share(results.row(f"laboratory.{parameter}.{direction}.emergent.{arm}.{grade}"))
                for arm in protocol.arm_ids
                for grade in EMERGENT
            ),
        )
        for parameter, direction in found
    )
    return Table(
        "table-laboratory-emergent",
        "Participants with a laboratory value graded worse than at baseline, of those graded before and after",
        (
            (Head("", numeric=False), *(Head(arm.name, span=len(EMERGENT)) for arm in protocol.arms)),
            (
                Head("Parameter", numeric=False),
                *(Head(f"grade {grade} or more") for _ in protocol.arms for grade in EMERGENT),
            ),
        ),
        (Body(rows),),
    )


def shift_tables(protocol: Protocol, results: Results, names: Mapping[str, str]) -> tuple[Table, ...]:
    """For each parameter and direction in which a grade of 1 or more occurs, baseline against worst grade by arm."""
    return tuple(
        _shift_table(protocol, results, parameter, direction, names.get(parameter, parameter))
        for parameter, direction in parameters_of(results)
        if any(state in GRADED[1:] for pair in _shifts(results, parameter, direction) for state in pair)
    )


def _shifts(results: Results, parameter: str, direction: str) -> list[tuple[str, str]]:
    """The shifts that occur: state at baseline and worst state."""
    start = f"laboratory.{parameter}.{direction}.shift."
    ids = (row.id.split(".") for row in results.find(analysis="laboratory") if row.id.startswith(start))
    return [(parts[-2], parts[-1]) for parts in ids]


def _shift_table(protocol: Protocol, results: Results, parameter: str, direction: str, name: str) -> Table:
    lookup, shifts = Lookup(results), _shifts(results, parameter, direction)
    befores = [state for state in STATES if state in {before for before, _ in shifts}]
    worsts = [state for state in STATES if state in {worst for _, worst in shifts}]

    def cell(arm: str, before: str, worst: str) -> str:
        row = results.maybe(f"laboratory.{parameter}.{direction}.shift.{arm}.{before}.{worst}")
        return NONE if row is None else lookup.of(row)

    bodies = tuple(
        Body(
            tuple(Row(before, tuple(cell(arm.id, before, worst) for worst in worsts)) for before in befores),
            arm.name,
        )
        for arm in protocol.arms
    )
    return Table(
        f"table-shift-{parameter}-{direction}",
        f"{name}, {DIRECTIONS[direction]}: participants by grade at baseline (rows) and worst grade after it (columns)",
        ((Head("Baseline", numeric=False), *(Head(state) for state in worsts)),),
        bodies,
        notes=(SHIFT_NOTE,),
    )


def grave_table(protocol: Protocol, values: pd.DataFrame) -> Table | None:
    """Every value of grade 3 or more with the rule that gave it; None where there is none."""
    grave = [grade for grade in GRADED if int(grade) >= SEVERE]
    found = values[values["grade"].isin(grave)]
    if found.empty:
        return None
    rows = tuple(
        Row(
            str(row["participant"]),
            (
                protocol.arm(str(row["arm"])).name if row["arm"] in protocol.arm_ids else str(row["arm"]),
                protocol.visit(str(row["visit"])).name if _is_planned(protocol, row["visit"]) else str(row["visit"]),
                str(row["on"]),
                str(row["name"]),
                f"{row['value']} {unit_text(str(row['unit']))}",
                f"{row['lln'] or DASH} to {row['uln'] or DASH}",
                str(row["grade"]),
                str(row["rule"]),
            ),
        )
        for row in found.to_dict("records")
    )
    texts = ("Arm", "Visit", "Date", "Parameter", "Value", "Limits of normal", "Grade", "Rule")
    return Table(
        "table-laboratory-grave",
        "Every laboratory value of grade 3 or more",
        ((Head("Participant", numeric=False), *(Head(text, numeric=text in ("Value", "Grade")) for text in texts)),),
        (Body(rows),),
        wordy=frozenset({3, 7}),
        listing=True,
    )


def _is_planned(protocol: Protocol, visit: object) -> bool:
    return any(each.id == visit for each in protocol.visits)


def ungraded_table(results: Results) -> Table | None:
    """How many values have no grade, for each reason; None where all have one."""
    lookup = Lookup(results)
    bodies = []
    for state in UNGRADED:
        found = [row for row in results.find(analysis="laboratory", term=state) if row.label is not None]
        rows = tuple(Row(row.label or "", (lookup.share(row),)) for row in found)
        if rows:
            bodies.append(Body(rows, state.replace("-", " ").capitalize()))
    if not bodies:
        return None
    return Table(
        "table-laboratory-ungraded",
        "Laboratory values without a grade, by reason: number of all values",
        ((Head("Parameter and reason", numeric=False), Head("n/N")),),
        tuple(bodies),
    )


def liver_table(protocol: Protocol, results: Results) -> Table | None:
    """Participants by peak ALT or AST and peak bilirubin; None where neither was measured."""
    lookup = Lookup(results)
    if not results.find(analysis="liver"):
        return None
    names = {
        "Hy's law": "ALT or AST at least 3 × ULN and bilirubin at least 2 × ULN (Hy’s law)",
        "cholestasis": "bilirubin alone at least 2 × ULN (cholestasis)",
        "Temple's corollary": "ALT or AST alone at least 3 × ULN (Temple’s corollary)",
        "neither": "neither",
    }
    rows: list[tuple[str, str]] = [(quadrant, names[quadrant]) for quadrant in QUADRANTS]
    rows += [("unknown", "not known: one of them was not measured after baseline")]
    rows += [
        ("candidates", "candidates for Hy’s law: alkaline phosphatase known and below 2 × ULN besides"),
        ("candidates-unknown", "perhaps candidates: alkaline phosphatase not known"),
    ]
    body = Body(
        tuple(
            Row(text, tuple(lookup.share(results.row(f"liver.{arm}.{name}")) for arm in protocol.arm_ids))
            for name, text in rows
        )
    )
    return Table(
        "table-liver",
        "Participants by their highest liver values after baseline",
        ((Head("", numeric=False), *(Head(arm.name) for arm in protocol.arms)),),
        (body,),
    )
