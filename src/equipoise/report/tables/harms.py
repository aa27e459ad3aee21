"""Tables of harm: by kind, system, term and grade with exact intervals, infusion reactions, every event."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from equipoise.analysis.harms import GRADES, deadline_state
from equipoise.analysis.results import Results
from equipoise.conduct.harm_facts import SERIOUS_CRITERIA
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import Lookup
from equipoise.report.numbers import DASH
from equipoise.report.tables.model import Body, Head, Row, Table
from equipoise.report.words import recorded

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

KINDS = {
    "any": "Any adverse event",
    "related": "Related to the trial’s product",
    "serious": "Serious",
    "grade3": "Grade 3 or more",
    "interest": "Of special interest",
    "deaths": "Death",
    "withdrawals": "Left the trial or the intervention for an adverse event",
}
SHARE_PLACES = 2
DAYS = (
    "Grade: the highest that the event reached. Day 1 is the day of randomisation; there is no day 0. Events before it "
    "have negative days."
)


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
        notes=_none_notes(protocol, lookup),
    )


def _none_notes(protocol: Protocol, lookup: Lookup) -> tuple[str, ...]:
    """What nobody affected still allows, by arm."""
    parts = [
        Markup("{}, {} participants: {}").format(arm.name, lookup.of(row, field="n"), lookup.of(row, 2, "conf_high"))
        for arm in protocol.arms
        if (row := lookup.results.maybe(f"harms.none.{arm.id}.share")) is not None
    ]
    if not parts:
        return ()
    opening = "No event is not no risk. Where nobody is affected, the share may still be as high as (upper end of the "
    return (Markup("{}exact 95% interval) {}.").format(opening, Markup("; ").join(parts)),)


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
    """Participants and events by system and by term; None where nothing happened."""
    lookup = Lookup(results)
    arms = protocol.arm_ids
    bodies = tuple(
        Body(rows, title)
        for kind, title in (("system", "By system of the body"), ("term", "By term"))
        if (rows := _named_rows(lookup, kind, arms))
    )
    if not bodies:
        return None
    difference = (Head("Difference, 95% CI"),) if _differences(lookup) else ()
    return Table(
        "table-harms-terms",
        "Harms by system and term: participants with at least one event, and events",
        (
            (
                Head("", numeric=False),
                *(Head(arm.name, span=2) for arm in protocol.arms),
                *(Head("") for _ in difference),
            ),
            (Head("Term", numeric=False), *(Head(text) for _ in arms for text in ("n/N", "events")), *difference),
        ),
        bodies if len(bodies) > 1 else (Body(bodies[0].rows),),
    )


def _named_rows(lookup: Lookup, kind: str, arms: Sequence[str]) -> tuple[Row, ...]:
    first = lookup.results.find(analysis="harms", arm=arms[0])
    own = [row for row in first if row.id.startswith(f"harms.{kind}.") and row.id.endswith(".participants")]
    rows = []
    for term, label in ((row.term, row.label) for row in own):
        cells = [cell for arm in arms for cell in _term_cells(lookup, f"harms.{kind}.{term}.{arm}")]
        if _differences(lookup):
            found = lookup.results.maybe(f"harms.{kind}.{term}.difference")
            cells.append(DASH if found is None else _share_text(lookup, found.id))
        rows.append(Row(label or str(term), tuple(cells)))
    return tuple(rows)


def _term_cells(lookup: Lookup, id: str) -> tuple[str, str]:
    return lookup.share(lookup.results.row(f"{id}.participants")), lookup.number(f"{id}.events")


def grades_table(protocol: Protocol, results: Results) -> Table | None:
    """Participants by the highest grade of any event and of each term; None where nothing happened."""
    lookup = Lookup(results)
    first = protocol.arm_ids[0]
    found = [row for row in results.find(analysis="harms", arm=first) if row.id.endswith(f".{first}.grade.1")]
    if not found:
        return None
    arms = protocol.arm_ids
    overall = tuple(lookup.number(f"harms.grade.{grade}.{arm}") for arm in arms for grade in GRADES)
    rows = [Row("Any adverse event", overall, strong=True)]
    for each in found:
        before = each.id.removesuffix(f".{first}.grade.1")
        cells = tuple(lookup.number(f"{before}.{arm}.grade.{grade}") for arm in arms for grade in GRADES)
        rows.append(Row(each.label or before, cells))
    return Table(
        "table-harms-grades",
        "Participants by the highest grade that an event of theirs reached",
        (
            (Head("", numeric=False), *(Head(arm.name, span=len(GRADES)) for arm in protocol.arms)),
            (Head("Term", numeric=False), *(Head(f"grade {grade}") for _ in arms for grade in GRADES)),
        ),
        (Body(tuple(rows)),),
    )


def reactions_table(protocol: Protocol, results: Results) -> Table | None:
    """Infusion reactions by course, in each arm that is infused."""
    lookup = Lookup(results)
    bodies = []
    for arm in protocol.arms:
        found = [r for r in results.find(analysis="reactions", arm=arm.id) if r.id.endswith(".participants")]
        rows = tuple(
            Row(
                each.term or "",
                (
                    *_arm_cells(lookup, each.id.removesuffix(".participants")),
                    lookup.share(results.row(each.id.removesuffix("participants") + "severe")),
                    lookup.share(results.row(each.id.removesuffix("participants") + "possible")),
                ),
            )
            for each in found
        )
        if rows:
            bodies.append(Body(rows, arm.name))
    if not bodies:
        return None
    texts = ("n/N", "share, 95% CI", "events", "of grade 3 or more, n/N", "time not known, n/N")
    return Table(
        "table-reactions",
        "Infusion reactions by course: participants of those infused, their share with its exact 95% interval, events",
        (
            (
                Head("Course", numeric=False),
                *(Head(text) for text in texts),
            ),
        ),
        tuple(bodies),
    )


def serious_table(protocol: Protocol, snapshot: Snapshot) -> Table | None:
    """Every serious event with why it is serious, what it is due to and when it had to be told; None without any."""
    events = snapshot.adverse_events
    found = events[events["serious"].astype(bool)]
    if found.empty:
        return None
    arms = {person["participant"]: person["arm"] for person in snapshot.participants.to_dict("records")}
    rows = tuple(
        Row(
            str(event["participant"]),
            (
                _arm_name(protocol, arms.get(event["participant"])),
                _event_text(event),
                recorded(event["day"]).replace("-", "−"),
                recorded(event["highest_grade"] or event["grade"]),
                "; ".join(SERIOUS_CRITERIA[str(each)] for each in event["criteria"]) or DASH,
                _related(protocol, str(event["related"] or "{}")),
                _yes_or_no(event.get("expected")),
                _outcome_text(event),
                "; ".join(
                    _deadline_text(clock, due, met, snapshot.as_of) for clock, due, met in event["deadlines"] or ()
                )
                or DASH,
            ),
        )
        for event in found.to_dict("records")
    )
    texts = ("Arm", "Event", "Day", "Grade", "Why serious", "Related to", "Expected", "Outcome", "Told in time")
    return Table(
        "table-serious",
        "Serious adverse events",
        ((Head("Participant", numeric=False), *(Head(text, numeric=text in ("Day", "Grade")) for text in texts)),),
        (Body(rows),),
        listing=True,
        wordy=frozenset(texts.index(text) for text in ("Event", "Why serious", "Outcome", "Told in time")),
    )


def _yes_or_no(flag: object) -> str:
    """An answer; a dash where none is recorded."""
    return {"True": "yes", "False": "no"}.get(str(flag), DASH)


def _deadline_text(clock: str, due_at: datetime, met_at: datetime | None, now: datetime) -> str:
    return f"{clock}: {deadline_state(due_at, met_at, now)}"


def deadlines_table(results: Results) -> Table | None:
    """Deadlines of reports by how they stand; None where no event set one."""
    lookup = Lookup(results)
    found = [row for row in results.find(analysis="harms") if row.id.startswith("harms.deadlines.")]
    if not found:
        return None
    return Table(
        "table-deadlines",
        "Deadlines for telling sponsor, committee and authority of serious events",
        ((Head("Deadline", numeric=False), Head("n/N")),),
        (Body(tuple(Row(row.term or "", (lookup.share(row),)) for row in found)),),
    )


def events_table(protocol: Protocol, snapshot: Snapshot) -> Table | None:
    """Every adverse event as recorded; None where there is none."""
    events = snapshot.adverse_events
    if events.empty:
        return None
    arms = {person["participant"]: person["arm"] for person in snapshot.participants.to_dict("records")}
    rows = tuple(_event_row(protocol, event, arms) for event in events.to_dict("records"))
    named = [f"{part.id}: {part.name}" for part in protocol.interventions]
    parts = (f"Related to: {'; '.join(named)}.",) if named else ()
    texts = ("Arm", "Event", "Onset", "Day", "Grade", "Serious", "Related to", "Infusion reaction", "Outcome")
    return Table(
        "table-events",
        "Every adverse event, as recorded",
        ((Head("Participant", numeric=False), *(Head(text, numeric=text in ("Day", "Grade")) for text in texts)),),
        (Body(rows),),
        notes=(DAYS, *parts),
        listing=True,
        wordy=frozenset(texts.index(text) for text in ("Event", "Onset", "Outcome")),
    )


def _event_row(protocol: Protocol, event: Mapping[Hashable, Any], arms: Mapping[str, str | None]) -> Row:
    arm = arms.get(str(event["participant"]))
    return Row(
        str(event["participant"]),
        (
            _arm_name(protocol, arm),
            _event_text(event),
            recorded(event["onset_given"]).replace("T", " "),
            recorded(event["day"]).replace("-", "−"),
            recorded(event["highest_grade"] or event["grade"]),
            "yes" if event["serious"] else "no",
            _related(protocol, str(event["related"] or "{}")),
            _reaction_text(event),
            _ending_text(event),
        ),
    )


def _outcome_text(event: Mapping[Hashable, Any]) -> str:
    """The outcome, with room to break a line at its slash."""
    return recorded(event["outcome"]).lower().replace("/", " / ")


def _ending_text(event: Mapping[Hashable, Any]) -> str:
    """The outcome, and when the event ended as far as it is known."""
    outcome, ended = _outcome_text(event), recorded(event["resolved_given"])
    return outcome if ended == DASH else f"{outcome} {ended}"


def _reaction_text(event: Mapping[Hashable, Any]) -> str:
    """Of a reaction the course, and the hours from the start of its infusion where the minute is known."""
    course, hours, reaction = (event[name] for name in ("followed_course", "hours_after_infusion", "infusion_reaction"))
    if course is None or course != course or reaction is False:
        return DASH
    if reaction is None:
        return f"{course}, perhaps"
    return str(course) if hours is None or hours != hours else f"{course}, {hours:.1f} h"


def _event_text(event: Mapping[Hashable, Any]) -> str:
    """Under what an event is counted, with the reporter's words where they are others."""
    name, verbatim = str(event["name"]), str(event["verbatim"])
    return name if verbatim.lower() == name.lower() else f"{name} (“{verbatim}”)"


def _arm_name(protocol: Protocol, arm: str | None) -> str:
    return protocol.arm(arm).name if arm is not None and arm in protocol.arm_ids else "not randomised"


def _related(protocol: Protocol, judged: str) -> str:
    """The products and procedures to which the event was judged related."""
    assert protocol.safety is not None
    means = protocol.safety.adverse_events.related_means
    return ", ".join(part for part, judgement in sorted(json.loads(judged).items()) if judgement in means) or "none"
