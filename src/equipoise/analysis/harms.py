"""Harms by arm, all of them (CONSORT 2025 item 27): who had an event, how many events, exact intervals.

Counted are events after randomisation, in everybody randomised, by the arm allocated. There are no P values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from equipoise import stats
from equipoise.analysis.contrasts import Contrast, overall_contrasts
from equipoise.analysis.counting import count_row, share_row
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

SEVERE = 3
GRADES = (1, 2, 3, 4, 5)
FATAL_GRADE = 5
DEADLINE_STATES = ("met", "met late", "open", "overdue")
FATAL = "fatal"
LABELS = {
    "any": "any adverse event",
    "serious": "serious adverse event",
    "related": "related adverse event",
    "grade3": "adverse event of grade 3 or more",
    "interest": "adverse event of special interest",
    "deaths": "death",
    "withdrawals": "left the trial or the intervention for an adverse event",
}
TEXT = (
    "Adverse events after randomisation in all participants randomised, by the arm allocated. A participant counts "
    "once under each heading, events count each time. Intervals of proportions are exact (Clopper and Pearson 1934), "
    "those of differences hybrid score (Newcombe 1998). No tests."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `harms.<arm>.<kind>.participants|share|events`, `harms.<kind>.difference`, and the same by system and term.

    Kinds: any, serious, related, grade3, interest, deaths, withdrawals; by term `harms.term.<term>.<arm>.…`, by system
    `harms.system.<system>.<arm>.…`. By highest grade `harms.grade.<grade>.<arm>` and
    `harms.term.<term>.<arm>.grade.<grade>`. What none affected still allows is `harms.none.<arm>.share`; deadlines of
    reports are `harms.deadlines.<state>`. Where the protocol names a dictionary, terms and systems are its preferred
    terms and systems, and `harms.coding.<state>` counts the events: current, other-version, not-coded.
    """
    if protocol.safety is None or snapshot.source != "ledger":
        return Answer((), {"harms": "Adverse events are not in these data; that is not to say that there were none."})
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    events = snapshot.adverse_events
    after = events[events["after_randomisation"].astype(bool) & events["participant"].isin(people["participant"])]
    rows: list[Row] = []
    for kind, found in kinds_of(after).items():
        affected = set(found["participant"]) | others_affected(kind, people)
        rows.extend(kind_rows(protocol, people, (kind,), found, affected, LABELS[kind]))
    for term, name in terms_of(protocol, after):
        found = after[after["counted_as"] == term]
        rows.extend(kind_rows(protocol, people, ("term", term), found, set(found["participant"]), name))
        rows.extend(grade_rows(protocol, people, ("term", term), found, name))
    for system in sorted({str(each) for each in after["system"].dropna()}):
        found = after[after["system"] == system]
        rows.extend(kind_rows(protocol, people, ("system", system), found, set(found["participant"]), system))
    rows.extend(grade_rows(protocol, people, (), after, "any adverse event"))
    rows.extend(none_rows(protocol, people))
    rows.extend(deadline_rows(events, snapshot.as_of))
    rows.extend(coding_rows(protocol, events))
    early = len(events) - len(after)
    before = f" {counted(early, 'event')} before randomisation not counted here." if early else ""
    return Answer(tuple(rows), {"harms": f"{TEXT}{coding_text(protocol, events)}{before}"})


def highest_grades(events: pd.DataFrame) -> pd.Series[float]:
    """The highest grade that each event reached, or its grade where none higher is recorded."""
    given, highest = (events[name].astype("float64") for name in ("grade", "highest_grade"))
    return highest.where(highest.notna(), given)


def holds(flags: pd.Series[Any]) -> pd.Series[bool]:
    """Where a yes is recorded; neither no nor nothing is one."""
    return flags.map(lambda flag: flag is not None and flag == flag and bool(flag)).astype(bool)


def kinds_of(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The events under each heading."""
    grade = highest_grades(events)
    fatal = (events["outcome"].astype(str).str.lower() == FATAL) | (grade == FATAL_GRADE)
    return {
        "any": events,
        "serious": events[events["serious"].astype(bool)],
        "related": events[events["related_any"].astype(bool)],
        "grade3": events[grade >= SEVERE],
        "interest": events[holds(events["of_interest"])],
        "deaths": events[fatal],
        "withdrawals": events[:0],
    }


def others_affected(kind: str, people: pd.DataFrame) -> set[str]:
    """Who counts under a heading by why they left rather than by an event's record."""
    wanted = {"deaths": "death", "withdrawals": "adverse event"}.get(kind)
    return {
        person["participant"]
        for person in people.to_dict("records")
        if any(reason.lower().replace("_", " ") == wanted for reason in person["withdrawal_reasons"] or ())
    }


def kind_rows(
    protocol: Protocol, people: pd.DataFrame, kind: tuple[str, ...], found: pd.DataFrame, affected: set[str], label: str
) -> Iterator[Row]:
    """Participants, share and events of each arm under one heading, and the differences between arms."""
    counts: dict[str, tuple[int, int]] = {}
    by_term = kind[0] in ("term", "system")
    for arm in protocol.arm_ids:
        members = people.loc[people["arm"] == arm, "participant"]
        n, count = len(members), int(members.isin(affected).sum())
        counts[arm] = count, n
        path = ("harms", *kind, arm) if by_term else ("harms", arm, *kind)
        columns: dict[str, Any] = {"arm": arm, "term": kind[-1], "label": label}
        yield count_row(*path, "participants", count=count, n=n, **columns)
        if n:
            yield share_row(*path, count=count, n=n, **columns)
        if kind[0] != "withdrawals":
            number = int(found["participant"].isin(members).sum())
            yield count_row(*path, "events", count=number, n=n, **columns)
    contrasts = overall_contrasts(protocol)
    for contrast in contrasts:
        if all(counts[arm][1] for arm in contrast.arms):
            place = () if len(contrasts) == 1 else (contrast.name,)
            yield difference_row((*kind, *place), contrast, counts, label)


def grade_rows(
    protocol: Protocol, people: pd.DataFrame, kind: tuple[str, ...], found: pd.DataFrame, label: str
) -> Iterator[Row]:
    """How many of each arm have each grade as their highest, under one heading or of all events."""
    highest = highest_grades(found).groupby(found["participant"]).max()
    for arm in protocol.arm_ids:
        members = people.loc[people["arm"] == arm, "participant"]
        own = highest[highest.index.isin(members)]
        for grade in GRADES:
            path = (*kind, arm, "grade", str(grade)) if kind else ("grade", str(grade), arm)
            columns: dict[str, Any] = {"arm": arm, "term": f"grade {grade}", "label": label}
            yield count_row("harms", *path, count=int((own == grade).sum()), n=len(members), **columns)


def none_rows(protocol: Protocol, people: pd.DataFrame) -> Iterator[Row]:
    """How large a risk is still possible where nobody of an arm is affected."""
    for arm in protocol.arm_ids:
        n = int((people["arm"] == arm).sum())
        if n:
            yield share_row("harms", "none", arm, count=0, n=n, term="none", arm=arm, label="nobody affected")


def deadline_state(due_at: datetime, met_at: datetime | None, now: datetime) -> str:
    """How a deadline stands: met, met late, open or overdue."""
    if met_at is not None:
        return "met" if met_at <= due_at else "met late"
    return "overdue" if now > due_at else "open"


def deadline_rows(events: pd.DataFrame, now: datetime) -> Iterator[Row]:
    """How many deadlines of reports were met; none where the events set no deadline."""
    deadlines = [each for found in events["deadlines"] if found for each in found]
    states = [deadline_state(due_at, met_at, now) for _, due_at, met_at in deadlines]
    for state in DEADLINE_STATES if states else ():
        yield count_row("harms", "deadlines", state, count=states.count(state), n=len(states), term=state)


def coding_states(protocol: Protocol, events: pd.DataFrame) -> dict[str, int]:
    """How many events are coded by the protocol's dictionary in its version, in another, or not; {} without one."""
    dictionary = None if protocol.safety is None else protocol.safety.adverse_events.dictionary
    if dictionary is None:
        return {}
    by_it = events["dictionary"] == dictionary.name
    current = by_it & (events["dictionary_version"] == dictionary.version)
    counts = {"current": current.sum(), "other-version": (by_it & ~current).sum(), "not-coded": (~by_it).sum()}
    return {state: int(count) for state, count in counts.items()}


def coding_rows(protocol: Protocol, events: pd.DataFrame) -> Iterator[Row]:
    """How many events stand under a code, of all."""
    for state, count in coding_states(protocol, events).items():
        yield count_row("harms", "coding", state, count=count, n=len(events), term=state)


def coding_text(protocol: Protocol, events: pd.DataFrame) -> str:
    """By which dictionary events are counted, and how many it does not hold yet."""
    states = coding_states(protocol, events)
    if not states:
        return ""
    assert protocol.safety is not None
    dictionary = protocol.safety.adverse_events.dictionary
    assert dictionary is not None
    left = [f"{counted(states['not-coded'], 'event')} not coded"] if states["not-coded"] else []
    left += [f"{counted(states['other-version'], 'event')} coded by another version"] if states["other-version"] else []
    rest = f" ({', '.join(left)})" if left else ""
    return f" Terms and systems are those of {dictionary.label}{rest}."


def difference_row(path: tuple[str, ...], contrast: Contrast, counts: dict[str, tuple[int, int]], label: str) -> Row:
    """The difference of two arms' shares, test less reference."""
    (x1, n1), (x2, n2) = counts[contrast.test], counts[contrast.reference]
    found = stats.newcombe(x1, n1, x2, n2)
    return Row(
        id=".".join(("harms", *path, "difference")),
        analysis="harms",
        role="descriptive",
        method="newcombe",
        term=contrast.name,
        estimate=found.estimate,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
        n=n1 + n2,
        label=label,
    )


def terms_of(protocol: Protocol, events: pd.DataFrame) -> list[tuple[str, str]]:
    """The terms that occurred with their names: the protocol's in its order, then others by letter."""
    assert protocol.safety is not None
    dictionary = protocol.safety.adverse_events.terms
    seen = dict(zip(events["counted_as"], events["name"], strict=True))
    known = [(term, name) for term, name in dictionary.items() if term in seen]
    return known + sorted((term, str(name or term)) for term, name in seen.items() if term not in dictionary)
