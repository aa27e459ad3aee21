"""Harms by arm, all of them (CONSORT 2025 item 27): who had an event, how many events, exact intervals.

Counted are events after randomisation, in everybody randomised, by the arm allocated. There are no P values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise import stats
from equipoise.analysis.contrasts import Contrast, overall_contrasts
from equipoise.analysis.counting import count_row
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

SEVERE = 3
FATAL_GRADE = 5
FATAL = "fatal"
LABELS = {
    "any": "any adverse event",
    "serious": "serious adverse event",
    "related": "related adverse event",
    "grade3": "adverse event of grade 3 or more",
    "deaths": "death",
    "withdrawals": "left the trial or the intervention for an adverse event",
}
TEXT = (
    "Adverse events after randomisation in all participants randomised, by the arm allocated. A participant counts "
    "once under each heading, events count each time. Intervals of proportions are exact (Clopper and Pearson 1934), "
    "those of differences hybrid score (Newcombe 1998). No tests."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `harms.<arm>.<kind>.participants|share|events`, `harms.<kind>.difference`, and the same by term.

    Kinds: any, serious, related, grade3, deaths, withdrawals; by term `harms.term.<term>.<arm>.…`.
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
        found = after[after["term"] == term]
        rows.extend(kind_rows(protocol, people, ("term", term), found, set(found["participant"]), name))
    early = len(events) - len(after)
    text = f"{TEXT} {counted(early, 'event')} before randomisation not counted here." if early else TEXT
    return Answer(tuple(rows), {"harms": text})


def kinds_of(events: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The events under each heading."""
    grade = events["grade"].astype("float64")
    fatal = (events["outcome"].astype(str).str.lower() == FATAL) | (grade == FATAL_GRADE)
    return {
        "any": events,
        "serious": events[events["serious"].astype(bool)],
        "related": events[events["related_any"].astype(bool)],
        "grade3": events[grade >= SEVERE],
        "deaths": events[fatal],
        "withdrawals": events[:0],
    }


def others_affected(kind: str, people: pd.DataFrame) -> set[str]:
    """Who counts under a heading by why they left rather than by an event's record."""
    wanted = {"deaths": "death", "withdrawals": "adverse event"}.get(kind)
    reasons = people["withdrawal_reason"].astype(str).str.lower().str.replace("_", " ")
    return set(people.loc[reasons == wanted, "participant"])


def kind_rows(
    protocol: Protocol, people: pd.DataFrame, kind: tuple[str, ...], found: pd.DataFrame, affected: set[str], label: str
) -> Iterator[Row]:
    """Participants, share and events of each arm under one heading, and the differences between arms."""
    counts: dict[str, tuple[int, int]] = {}
    by_term = kind[0] == "term"
    for arm in protocol.arm_ids:
        members = people.loc[people["arm"] == arm, "participant"]
        n, count = len(members), int(members.isin(affected).sum())
        counts[arm] = count, n
        path = ("harms", *kind, arm) if by_term else ("harms", arm, *kind)
        columns: dict[str, Any] = {"arm": arm, "term": kind[-1], "label": label}
        yield count_row(*path, "participants", count=count, n=n, **columns)
        if n:
            exact = stats.clopper_pearson(count, n)
            yield Row(
                id=".".join((*path, "share")),
                analysis="harms",
                role="descriptive",
                method="clopper-pearson",
                estimate=exact.estimate,
                conf_low=exact.conf_low,
                conf_high=exact.conf_high,
                n=n,
                **columns,
            )
        if kind[0] != "withdrawals":
            number = int(found["participant"].isin(members).sum())
            yield count_row(*path, "events", count=number, n=n, **columns)
    contrasts = overall_contrasts(protocol)
    for contrast in contrasts:
        if all(counts[arm][1] for arm in contrast.arms):
            place = () if len(contrasts) == 1 else (contrast.name,)
            yield difference_row((*kind, *place), contrast, counts, label)


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
    seen = dict(zip(events["term"], events["name"], strict=True))
    known = [(term, name) for term, name in dictionary.items() if term in seen]
    return known + sorted((term, str(name or term)) for term, name in seen.items() if term not in dictionary)
