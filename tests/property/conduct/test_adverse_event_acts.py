"""Reports, follow-ups, corrections, codes and voids in any order: frames and stopping rules are what the events say."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise import conduct
from equipoise.refusals import Refusal

OWN = "    terms: {FEVER: Fever, RASH: Rash}\n"
RULES = """\
    dictionary: {name: House, version: "3"}
    expected: [P1]
stopping_rules:
  - {id: CODED, text: A rash, arm: NEW, event: ae.term == 'R1', boundary: fixed, limit: 2}
  - {id: GRAVE, text: Grave events, arm: OLD, event: ae.grade >= 3, boundary: fixed, limit: 2, counts: events}
"""
TERMS = "code,name,system\nP1,Pyrexia,General\nR1,Rash,Skin\nH1,Feeling hot,General\n"
RELATED = {"cells": "RELATED", "procedure": "NOT RELATED"}
WHO, WHICH = st.integers(0, 2), st.integers(1, 3)
ACTS = st.one_of(
    st.tuples(st.just("report"), WHO, st.integers(1, 4), st.sampled_from([0, 1, 40])),
    st.tuples(st.just("follow up"), WHO, WHICH, st.integers(1, 4)),
    st.tuples(st.just("serious"), WHO, WHICH, st.sampled_from(["AESHOSP", "AESLIFE"])),
    st.tuples(st.just("code"), WHO, WHICH, st.sampled_from(["P1", "R1", "H1"])),
    st.tuples(st.just("verbatim"), WHO, WHICH, st.sampled_from(["felt hot", "red skin"])),
    st.tuples(st.just("void"), WHO, WHICH),
)


def do(kit: Any, people: list[str], act: tuple[Any, ...]) -> None:
    """One act; what cannot be is refused."""
    what, who, *told = act
    person, entry = people[who], kit.entry()
    if what == "report":
        grade, ago = told
        kit.harmed(person, term=None, grade=grade, onset=kit.today - timedelta(days=ago), related=RELATED)
    elif what == "follow up":
        conduct.follow_up_adverse_event(kit.trial, person, told[0], grade=told[1], **entry)
    elif what == "serious":
        conduct.follow_up_adverse_event(kit.trial, person, told[0], serious=True, criteria=(told[1],), **entry)
    elif what == "code":
        conduct.code_adverse_event(kit.trial, person, *told, **entry)
    elif what == "verbatim":
        conduct.correct_adverse_event(kit.trial, person, told[0], verbatim=told[1], **entry)
    else:
        conduct.void_adverse_event(kit.trial, person, told[0], **entry)


def refolded(kit: Any) -> dict[tuple[str, int], dict[str, Any]]:
    """Every event that stands, from the ledger's own events: its facts and its code."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    with kit.trial.ledger.reading() as reader:
        for event in reader.events():
            if not event.kind.startswith("adverse event"):
                continue
            key = (event.payload["participant"], event.payload["number"])
            if event.kind == "adverse event voided":
                del found[key]
                continue
            stands = found.setdefault(key, {"code": None})
            stands |= event.payload["facts"]
            if "coding" in event.payload:
                stands["code"] = (event.payload["coding"] or {}).get("code")
    return found


def is_counted(rule: str, event: dict[str, Any]) -> bool:
    return event["code"] == "R1" if rule == "CODED" else event["highest_grade"] >= 3


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(ACTS, min_size=8, max_size=30))
def test_frames_and_stopping_rules_are_what_the_events_say(trial_kit: Any, acts: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        kit = trial_kit.Kit(Path(folder) / "trial", trial_kit.PROTOCOL.replace(OWN, RULES))
        (Path(folder) / "trial" / "dictionary.csv").write_text(TERMS, encoding="utf-8")
        people = [kit.randomised() for _ in range(3)]
        kit.wait(50)
        for act in acts:
            try:
                do(kit, people, act)
            except Refusal:
                continue
        check(kit)
        assert kit.trial.ledger.rebuild().identical
        check(kit)
        kit.trial.close()


def check(kit: Any) -> None:
    events = refolded(kit)
    frame = conduct.snapshot(kit.trial).adverse_events
    assert {(row.participant, row.number) for row in frame.itertuples()} == set(events)
    for row in frame.itertuples():
        event = events[row.participant, row.number]
        assert (row.grade, row.highest_grade, row.verbatim) == (
            event["grade"],
            event["highest_grade"],
            event["verbatim"],
        )
        assert row.counted_as == (event["code"] or "not coded")
        assert row.expected == (event["code"] == "P1" and "AESLIFE" not in event["criteria"])
    arms = {row["participant"]: row["arm"] for row in kit.rows("allocation")}
    for rule, arm, once in (("CODED", "NEW", True), ("GRAVE", "OLD", False)):
        who = [person for person, number in events if arms[person] == arm and is_counted(rule, events[person, number])]
        (state,) = kit.rows("stopping_state", rule=rule) or ({"events": 0},)
        assert state["events"] == (len(set(who)) if once else len(who)), rule
