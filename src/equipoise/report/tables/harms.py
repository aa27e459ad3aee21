"""Tables of harm: by kind and arm with exact intervals, by term, and every event."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import Lookup
from equipoise.report.numbers import DASH
from equipoise.report.tables.model import Body, Head, Row, Table

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

KINDS = {
    "any": "Any adverse event",
    "related": "Related to the trial’s product",
    "serious": "Serious",
    "grade3": "Grade 3 or more",
    "deaths": "Death",
    "withdrawals": "Left the trial or the intervention for an adverse event",
}
SHARE_PLACES = 2


def harms_table(protocol: Protocol, results: Results) -> Table | None:
    """Participants with an event of each kind, with exact intervals, events, and the difference between arms."""
    if not results.find(analysis="harms"):
        return None
    lookup = Lookup(results)
    rows = tuple(_kind_row(protocol, lookup, kind, text) for kind, text in KINDS.items())
    arms = tuple(Head(arm.name, span=3) for arm in protocol.arms)
    columns = tuple(Head(text) for _ in protocol.arms for text in ("n/N", "share, 95% CI", "events"))
    difference = (Head("Difference"),) if _differences(lookup) else ()
    return Table(
        "table-harms",
        "Harms by arm: participants with at least one event, their share with its exact 95% interval, and events",
        (
            (Head("", numeric=False), *arms, *(Head("") for _ in difference)),
            (
                Head("Adverse events after randomisation", numeric=False),
                *columns,
                *(Head("Difference, 95% CI") for _ in difference),
            ),
        ),
        (Body(rows),),
    )


def _differences(lookup: Lookup) -> bool:
    return lookup.results.maybe("harms.any.difference") is not None


def _kind_row(protocol: Protocol, lookup: Lookup, kind: str, text: str) -> Row:
    cells: list[str] = []
    for arm in protocol.arm_ids:
        cells += _arm_cells(lookup, f"harms.{arm}.{kind}")
    if _differences(lookup):
        row = lookup.results.maybe(f"harms.{kind}.difference")
        cells.append(DASH if row is None else _share_text(lookup, row.id))
    return Row(text, tuple(cells))


def _arm_cells(lookup: Lookup, id: str) -> list[str]:
    participants, events = lookup.results.maybe(f"{id}.participants"), lookup.results.maybe(f"{id}.events")
    share = lookup.results.maybe(f"{id}.share")
    return [
        DASH if participants is None else lookup.share(participants),
        DASH if share is None else _share_text(lookup, share.id),
        DASH if events is None else lookup.of(events),
    ]


def _share_text(lookup: Lookup, id: str) -> str:
    row = lookup.results.row(id)
    return Markup("{} ({})").format(lookup.of(row, SHARE_PLACES), lookup.interval(row, SHARE_PLACES))


def terms_table(protocol: Protocol, results: Results) -> Table | None:
    """Participants and events by term; None where nothing happened."""
    lookup = Lookup(results)
    arms = protocol.arm_ids
    first = [row for row in results.find(analysis="harms", arm=arms[0]) if row.id.startswith("harms.term.")]
    terms = [(row.term, row.label) for row in first if row.id.endswith(".participants")]
    if not terms:
        return None
    rows = tuple(
        Row(
            label or str(term),
            tuple(cell for arm in arms for cell in _term_cells(lookup, f"harms.term.{term}.{arm}")),
        )
        for term, label in terms
    )
    return Table(
        "table-harms-terms",
        "Harms by term: participants with at least one event, and events",
        (
            (Head("", numeric=False), *(Head(arm.name, span=2) for arm in protocol.arms)),
            (Head("Term", numeric=False), *(Head(text) for _ in arms for text in ("n/N", "events"))),
        ),
        (Body(rows),),
    )


def _term_cells(lookup: Lookup, id: str) -> tuple[str, str]:
    return lookup.share(lookup.results.row(f"{id}.participants")), lookup.number(f"{id}.events")


def events_table(protocol: Protocol, snapshot: Snapshot) -> Table | None:
    """Every adverse event as recorded; None where there is none."""
    events = snapshot.adverse_events
    if events.empty:
        return None
    arms = {person["participant"]: person["arm"] for person in snapshot.participants.to_dict("records")}
    rows = tuple(_event_row(protocol, event, arms) for event in events.to_dict("records"))
    named = [f"{part.id}: {part.name}" for part in protocol.interventions]
    parts = (f"Related to: {'; '.join(named)}.",) if named else ()
    texts = ("Arm", "Event", "Onset", "Day", "Grade", "Serious", "Related to", "Outcome", "Resolved")
    return Table(
        "table-events",
        "Every adverse event, as recorded",
        ((Head("Participant", numeric=False), *(Head(text, numeric=text in ("Day", "Grade")) for text in texts)),),
        (Body(rows),),
        notes=("Day 1 is the day of randomisation; there is no day 0. Events before it have negative days.", *parts),
        listing=True,
        wordy=frozenset({texts.index("Event")}),
    )


def _event_row(protocol: Protocol, event: Mapping[Hashable, Any], arms: Mapping[str, str | None]) -> Row:
    arm = arms.get(str(event["participant"]))
    verbatim = event["verbatim"]
    name = str(event["name"] or event["term"])
    text = f"{name} (“{verbatim}”)" if verbatim and str(verbatim).lower() != name.lower() else name
    return Row(
        str(event["participant"]),
        (
            protocol.arm(arm).name if arm in protocol.arm_ids else "not randomised",
            text,
            _shown(event["onset"]),
            _shown(event["day"]).replace("-", "−"),
            _shown(event["grade"]),
            "yes" if event["serious"] else "no",
            _related(protocol, str(event["related"] or "{}")),
            _shown(event["outcome"]).lower(),
            _shown(event["resolved"]),
        ),
    )


def _related(protocol: Protocol, judged: str) -> str:
    """The products and procedures to which the event was judged related."""
    assert protocol.safety is not None
    means = protocol.safety.adverse_events.related_means
    return ", ".join(part for part, judgement in sorted(json.loads(judged).items()) if judgement in means) or "none"


def _shown(value: object) -> str:
    """A recorded value; a dash for one that is not there (None, or pandas' missing number)."""
    if value is None or value != value:
        return DASH
    return f"{value:g}" if isinstance(value, float) else str(value)
