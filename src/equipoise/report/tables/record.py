"""Tables about the record itself: deviations, how complete the outcomes are, corrections and missing codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import Lookup
from equipoise.report.numbers import DASH
from equipoise.report.tables.model import Body, Head, Row, Table

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot


def deviations_table(protocol: Protocol, results: Results) -> Table | None:
    """Deviations by category and arm: participants and deviations. None where none are known of."""
    if results.maybe("deviations.total") is None:
        return None
    lookup = Lookup(results)
    rows = tuple(
        Row(
            row.label or row.id,
            tuple(cell for arm in protocol.arm_ids for cell in _arm_cells(lookup, f"{row.id}.{arm}")),
        )
        for row in results.find(analysis="deviations", arm=None)
        if row.term is not None
    )
    return Table(
        "table-deviations",
        "Protocol deviations of those randomised, by category: participants with at least one, and deviations",
        (
            (Head("", numeric=False), *(Head(arm.name, span=2) for arm in protocol.arms)),
            (Head("Category", numeric=False), *(Head(text) for _ in protocol.arms for text in ("n/N", "deviations"))),
        ),
        (Body(rows),),
    )


def _arm_cells(lookup: Lookup, id: str) -> tuple[str, str]:
    return lookup.share(lookup.results.row(f"{id}.participants")), lookup.number(id)


def deviations_listing(snapshot: Snapshot) -> Table | None:
    """Every deviation as recorded; None where there is none."""
    if snapshot.deviations.empty:
        return None
    rows = tuple(
        Row(
            str(found["participant"] or "the trial"),
            (
                str(found["on"]),
                str(found["category"]),
                "major" if found["major"] else "minor",
                str(found["description"] or DASH),
            ),
        )
        for found in snapshot.deviations.to_dict("records")
    )
    heads = ("Participant", "Date", "Category", "Weight", "What happened")
    return Table(
        "table-deviations-listing",
        "Every deviation, as recorded",
        (tuple(Head(text, numeric=False) for text in heads),),
        (Body(rows),),
        wordy=frozenset({3}),
        listing=True,
    )


def completeness_table(protocol: Protocol, results: Results) -> Table | None:
    """How many of those randomised have each outcome's value, by visit and arm."""
    rows = results.find(analysis="complete")
    if not rows:
        return None
    lookup = Lookup(results)
    visits = [visit for visit in protocol.visits if any(row.visit == visit.id for row in rows)]
    body = Body(
        tuple(
            Row(
                visit.name,
                tuple(
                    lookup.share_or_dash(f"complete.{outcome.variable}.{visit.id}.{arm}")
                    for outcome in protocol.outcomes
                    for arm in protocol.arm_ids
                ),
            )
            for visit in visits
        )
    )
    outcomes = tuple(Head(outcome.name, span=len(protocol.arms)) for outcome in protocol.outcomes)
    arms = tuple(Head(arm.name) for _ in protocol.outcomes for arm in protocol.arms)
    heads = ((Head("", numeric=False), *outcomes), (Head("Visit", numeric=False), *arms))
    return Table("table-complete", "Participants with a value, of those randomised", heads, (body,))


def quality_table(results: Results) -> Table | None:
    """Visits by what became of them, values, corrections and missing codes."""
    lookup = Lookup(results)
    bodies = []
    for analysis, title in (("visits", "Visits of those randomised"), ("quality", "Values")):
        rows = results.find(analysis=analysis)
        if rows:
            bodies.append(
                Body(
                    tuple(Row(row.label or row.id, (lookup.of(row), _of_how_many(lookup, row.id))) for row in rows),
                    title,
                )
            )
    if not bodies:
        return None
    heads = (Head("", numeric=False), Head("Number"), Head("Of"))
    return Table("table-quality", "The record in numbers", (heads,), tuple(bodies))


def _of_how_many(lookup: Lookup, id: str) -> str:
    row = lookup.results.row(id)
    return DASH if row.n is None or row.n == row.estimate else lookup.of(row, field="n")


def corrections_table(protocol: Protocol, snapshot: Snapshot) -> Table | None:
    """Every correction: the old value, the new one and the reason. None where there is none."""
    if snapshot.corrections.empty:
        return None
    rows = tuple(
        Row(
            str(found["participant"]),
            (
                protocol.visit(found["visit"]).name
                if any(visit.id == found["visit"] for visit in protocol.visits)
                else str(found["visit"]),
                _question(protocol, str(found["item"])),
                DASH if found["old"] is None else str(found["old"]),
                DASH if found["new"] is None else str(found["new"]),
                str(found["reason"]),
            ),
        )
        for found in snapshot.corrections.to_dict("records")
    )
    heads = ("Participant", "Visit", "Item", "Old", "New", "Reason")
    return Table(
        "table-corrections",
        "Every correction",
        (tuple(Head(text, numeric=False) for text in heads),),
        (Body(rows),),
        wordy=frozenset({1, 4}),
        listing=True,
    )


def _question(protocol: Protocol, item_name: str) -> str:
    item = protocol.items.get(item_name)
    return item_name if item is None else item.question
