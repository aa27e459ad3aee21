"""Adverse events as the acts keep them: partial onsets, what follows by rule, deadlines, stopping rules and their pauses."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from equipoise import conduct
from equipoise.conduct import harm_tables
from equipoise.conduct.kinds import Kind
from equipoise.conduct.stopping_watch import check_not_paused
from equipoise.conduct.tables import fold
from equipoise.refusals import Refusal

RULES = """\
    terms: {FEVER: Fever, RASH: Rash}
    systems: {RASH: Skin}
    expected: [FEVER]
    of_interest: [Infusion reaction]
    report_within:
      - {for: serious, hours: 24}
      - {for: suspected unexpected, days: 15}
stopping_rules:
  - {id: SR1, text: Two, arm: NEW, event: ae.grade >= 3 and ae.related == 'RELATED', boundary: fixed, limit: 2, pauses: [randomisation]}
  - {id: SR2, text: Any death, arm: NEW, event: ae.grade == 5, boundary: fixed, limit: 1, pauses: [infusion]}
committees: [{id: DMC, name: Committee, role: Decides}]
"""
RELATED = {"cells": "RELATED", "procedure": "NOT RELATED"}
UNRELATED = {"cells": "NOT RELATED", "procedure": "RELATED"}


@pytest.fixture
def watched(trial_kit, tmp_path):
    """A trial with deadlines and two stopping rules."""
    old = "    terms: {FEVER: Fever, RASH: Rash}\n"
    assert trial_kit.PROTOCOL.count(old) == 1
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(old, RULES))
    yield kit
    kit.trial.close()


def follow_up(kit, participant, number=1, **facts):
    conduct.follow_up_adverse_event(kit.trial, participant, number, **(kit.entry() | facts))


def decide(kit, decision="continue", rule="SR1", **given):
    facts = {"committee": "DMC", "statement": "go on, with care", "on": kit.today} | kit.entry(kit.MANAGER)
    conduct.decide_stopping(kit.trial, rule, decision=decision, **(facts | given))


def frame(kit, name="adverse_events"):
    return getattr(conduct.snapshot(kit.trial), name)


def refusal(ask) -> str:
    with pytest.raises(Refusal) as refused:
        ask()
    return str(refused.value)


def severe(kit, participant, grade=3, **facts):
    return kit.harmed(participant, term="RASH", grade=grade, related=RELATED, **facts)


# --- the record


def test_an_onset_known_to_the_minute_is_kept_in_utc(watched):
    participant = watched.consented()
    watched.wait(1)
    watched.harmed(participant, onset="2018-02-02T08:30", reporter="participant", treatment="paracetamol")
    found = frame(watched).iloc[0]
    assert (found["onset"], found["onset_given"]) == (date(2018, 2, 2), "2018-02-02T08:30")
    assert found["onset_at"] == datetime(2018, 2, 2, 0, 30, tzinfo=UTC)
    assert (found["reporter"], found["treatment"]) == ("participant", "paracetamol")


def test_a_month_that_holds_randomisation_counts_as_after_it_until_it_is_known_to_have_ended_before(watched):
    participant = watched.consented()
    watched.wait(5)
    watched.record(participant, "scr", "entry", {"sex": "M", "age": 40})
    watched.record(participant, "m0", "blood", {"drawn": watched.today, "cd4": 139, "cd8": 734})
    conduct.declare_eligible(watched.trial, participant, **watched.entry())
    conduct.randomise(watched.trial, participant, **watched.entry())
    watched.harmed(participant, onset="2018-02")
    found = frame(watched).iloc[0]
    assert (found["onset"], bool(found["after_randomisation"])) == (date(2018, 2, 6), True)
    follow_up(watched, participant, outcome="RECOVERED/RESOLVED", resolved=date(2018, 2, 3))
    found = frame(watched).iloc[0]
    assert (found["onset"], bool(found["after_randomisation"]), found["onset_given"]) == (
        date(2018, 2, 1),
        False,
        "2018-02",
    )


def test_the_highest_grade_stays_when_the_event_gets_better(watched):
    participant = watched.consented()
    watched.harmed(participant, grade=2)
    follow_up(watched, participant, grade=3)
    follow_up(watched, participant, grade=1)
    assert frame(watched)[["grade", "highest_grade"]].to_numpy().tolist() == [[1, 3]]


def test_expected_is_by_the_list_unless_graver_or_said(watched):
    participant = watched.consented()
    watched.harmed(participant)
    watched.harmed(participant, serious=True, criteria=("AESLIFE",), grade=4)
    watched.harmed(participant, serious=True, criteria=("AESLIFE",), grade=4, expected=True)
    watched.harmed(participant, term="RASH", of_interest="Infusion reaction")
    found = frame(watched)
    assert found["expected"].tolist() == [True, False, True, False]
    assert found["system"].tolist() == [None, None, None, "Skin"]
    assert found["of_interest"].tolist() == [None, None, None, "Infusion reaction"]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (
            {"onset": "Feb 2018"},
            "onset = Feb 2018: is not a year, month, day or day with time; write 2018, 2018-03, 2018-03-05 or 2018-03-05T14:30",
        ),
        ({"onset": "2017"}, "onset = 2017-12-31: is before the day of consent, 2018-02-01; correct the date"),
        ({"onset": "2019"}, "onset = 2019-01-01: is after today, 2018-02-01; correct the date, or wait until it is so"),
        (
            {"onset": "2018-02-01T23:00"},
            "onset = 2018-02-01T23:00: is after now; correct the time",
        ),
        (
            {"grade": 3, "highest_grade": 2},
            "highest_grade = 2: is below the grade, 3; give the worst grade it has had",
        ),
        (
            {"of_interest": "CRS"},
            "of_interest = CRS: is not in safety.adverse_events.of_interest; use one of Infusion reaction",
        ),
    ],
)
def test_what_cannot_be_is_refused(watched, facts, said):
    participant = watched.consented()
    before = watched.head()
    assert refusal(lambda: watched.harmed(participant, **facts)) == said
    assert watched.head() == before


# --- deadlines


def test_a_serious_event_is_due_from_awareness_and_met_by_telling(watched):
    participant = watched.consented()
    aware = watched.now
    watched.harmed(participant, serious=True, criteria=("AESHOSP",), grade=3)
    assert frame(watched)["deadlines"].iloc[0] == (("serious (sponsor)", aware + timedelta(hours=24), None),)
    told = watched.now
    conduct.report_to(watched.trial, participant, 1, to="sponsor", told_at=told, **watched.entry())
    assert frame(watched)["deadlines"].iloc[0] == (("serious (sponsor)", aware + timedelta(hours=24), told),)


def test_follow_up_that_makes_an_event_due_starts_the_clock_when_the_site_learned_it(watched):
    participant = watched.consented()
    aware = watched.now
    watched.harmed(participant, term="RASH", related=RELATED)
    watched.wait(2)
    informed = watched.now - timedelta(hours=1)
    follow_up(watched, participant, serious=True, criteria=("AESHOSP",), grade=3, informed_at=informed)
    assert frame(watched)["deadlines"].iloc[0] == (
        ("serious (sponsor)", informed + timedelta(hours=24), None),
        ("suspected unexpected (authority)", informed + timedelta(days=15), None),
    )
    assert datetime.fromisoformat(frame(watched)["aware_at"].iloc[0]) == aware


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "press"}, "to = press: is nobody to be told; use one of sponsor, committee, authority"),
        ({"number": 2}, "number = 2: is not an adverse event of 01-001; check the number, or report the event"),
        (
            {"told_at": datetime(2018, 2, 1, 3)},
            "told_at = 2018-02-01T03:00:00: does not say its time zone; pass a time with its zone",
        ),
        (
            {"told_at": datetime(2018, 2, 3, tzinfo=UTC)},
            "told_at = 2018-02-03T00:00:00+00:00: is after now; correct the time",
        ),
        (
            {"told_at": datetime(2018, 2, 1, 1, tzinfo=UTC)},
            "told_at = 2018-02-01T01:00:00+00:00: is before the site was aware, 2018-02-01T02:02:00.000000+00:00; correct the time",
        ),
    ],
)
def test_a_telling_that_cannot_be_is_refused(watched, given, said):
    participant = watched.consented()
    watched.harmed(participant)
    facts = {"number": 1, "to": "sponsor", "told_at": watched.now} | given
    number = facts.pop("number")
    assert refusal(lambda: conduct.report_to(watched.trial, participant, number, **facts, **watched.entry())) == said


@pytest.mark.parametrize(
    ("informed", "said"),
    [
        (datetime(2018, 2, 3, tzinfo=UTC), "is after now; correct the time"),
        (
            datetime(2018, 2, 1, 1, tzinfo=UTC),
            "is before the site was aware of the event, 2018-02-01T02:02:00.000000+00:00; correct the time",
        ),
    ],
)
def test_a_site_learns_of_a_change_between_the_event_and_now(watched, informed, said):
    participant = watched.consented()
    watched.harmed(participant)
    text = refusal(lambda: follow_up(watched, participant, grade=2, informed_at=informed))
    assert text == f"informed_at = {informed.isoformat(timespec='microseconds')}: {said}"


# --- stopping rules


def test_each_event_says_where_the_rules_stand(watched):
    first = watched.in_arm("NEW")
    severe(watched, first)
    severe(watched, first)
    found = frame(watched, "stopping")
    treated = len(watched.rows("allocation", arm="NEW"))
    columns = ["rule", "participant", "treated", "events", "crossed"]
    assert found[columns].to_numpy().tolist() == [
        ["SR1", first, treated, 1, False],
        ["SR1", first, treated, 1, False],
        ["SR2", first, treated, 0, False],
        ["SR2", first, treated, 0, False],
    ]


def crossed(kit):
    """Two participants of the arm with an event each: the first rule is crossed."""
    people = [kit.in_arm("NEW"), kit.in_arm("NEW")]
    for person in people:
        severe(kit, person)
    return people


def test_a_crossed_rule_pauses_randomisation_until_the_decision(watched):
    ready = watched.declared()
    crossed(watched)
    (last,) = [
        each for each in watched.events(Kind.ADVERSE_EVENT_REPORTED)[-1].payload["stopping"] if each["rule"] == "SR1"
    ]
    assert (last["events"], last["crossed"], last["paused"]) == (2, True, True)
    said = "stopping_rules = SR1: is crossed and pauses randomisation; wait until the committee's decision is recorded"
    assert refusal(lambda: conduct.randomise(watched.trial, ready, **watched.entry())) == said
    decide(watched)
    conduct.randomise(watched.trial, ready, **watched.entry())


def test_after_a_decision_to_continue_the_next_counted_event_pauses_anew(watched):
    crossed(watched)
    decide(watched)
    third = watched.in_arm("NEW")
    watched.harmed(third, grade=3, related=UNRELATED)
    assert watched.rows("stopping_state", rule="SR1")[0]["paused"] == 0
    severe(watched, third)
    assert watched.rows("stopping_state", rule="SR1")[0]["paused"] == 1


def test_a_decision_to_stop_leaves_the_pause_until_a_new_one(watched):
    ready = watched.declared()
    crossed(watched)
    decide(watched, "stop")
    said = "stopping_rules = SR1: was crossed, and the trial is stopped; record a new decision first"
    assert refusal(lambda: conduct.randomise(watched.trial, ready, **watched.entry())) == said
    decide(watched, "continue")
    conduct.randomise(watched.trial, ready, **watched.entry())


def test_a_correction_takes_back_the_crossing_but_not_the_pause(watched):
    first, _ = crossed(watched)
    follow_up(watched, first, related=UNRELATED)
    assert frame(watched, "stopping").query("rule == 'SR1'")["crossed"].tolist()[-2:] == [True, False]
    assert watched.rows("stopping_state", rule="SR1")[0]["paused"] == 1


def test_an_event_taken_back_after_a_decision_is_not_made_up_for_by_a_new_one(watched):
    first, _ = crossed(watched)
    decide(watched)
    follow_up(watched, first, related=UNRELATED)
    third = watched.in_arm("NEW")
    severe(watched, third)
    (state,) = watched.rows("stopping_state", rule="SR1")
    assert (state["events"], state["paused"]) == (2, 1)
    assert watched.trial.ledger.rebuild().identical


def test_an_event_that_got_better_still_counts(watched):
    first, _ = crossed(watched)
    follow_up(watched, first, grade=1)
    assert frame(watched, "stopping").query("rule == 'SR1'")["events"].tolist()[-1] == 2


def test_events_before_treatment_and_in_another_arm_do_not_count(watched):
    early = watched.declared()
    severe(watched, early)
    watched.wait(1)
    conduct.randomise(watched.trial, early, **watched.entry())
    other = watched.in_arm("OLD")
    severe(watched, other)
    new = watched.in_arm("NEW")
    watched.harmed(new)
    assert frame(watched, "stopping").query("rule == 'SR1'")["events"].tolist() == [0]


def test_what_a_rule_does_not_pause_is_not_paused(watched):
    crossed(watched)
    with watched.trial.ledger.reading() as reader:
        protocol = watched.trial.newest(reader).protocol
        check_not_paused(protocol, reader, "infusion")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"decision": "perhaps"}, "decision = perhaps: is not a decision; use one of continue, stop"),
        ({"committee": None}, "committee: is not named; use one of DMC"),
        ({"committee": "DMX"}, "committee = DMX: is not in the protocol; did you mean DMC?"),
        ({"statement": " "}, "statement: is blank; write what was decided and why"),
        ({"rule": "SR9"}, "rule = SR9: is not in the protocol; did you mean SR2?"),
        ({"rule": "SR2"}, "rule = SR2: waits for no decision; record one once it is crossed"),
    ],
)
def test_a_decision_that_cannot_be_is_refused(watched, given, said):
    crossed(watched)
    before = watched.head()
    assert refusal(lambda: decide(watched, **given)) == said
    assert watched.head() == before


def test_only_the_data_manager_records_the_decision(watched):
    crossed(watched)
    said = "role = investigator: may not record 'stopping decided'; ask the data_manager"
    assert refusal(lambda: decide(watched, by=watched.DOCTOR)) == said


def test_what_was_recorded_before_these_facts_were_asked_is_read_still(watched):
    """The facts of an event of the first version, folded by this one."""
    participant = watched.consented()
    watched.harmed(participant)
    (event,) = watched.events(Kind.ADVERSE_EVENT_REPORTED)
    first = (
        "term",
        "verbatim",
        "onset",
        "grade",
        "serious",
        "criteria",
        "related",
        "course",
        "outcome",
        "resolved",
        "action",
        "aware_at",
    )
    old = {name: event.payload["facts"][name] for name in first}
    payload = {"participant": participant, "number": 1, "facts": old}
    puts = {put.table: dict(put.values) for put in fold(replace(event, payload=payload))}
    assert set(puts) == {"participant", "adverse_event", "investigator"}
    assert (puts["adverse_event"]["onset_given"], puts["adverse_event"]["highest_grade"]) == ("2018-02-01", 1)


def test_the_tables_equal_a_rebuild_and_memory(watched):
    first, _ = crossed(watched)
    conduct.report_to(watched.trial, first, 1, to="committee", told_at=watched.now, **watched.entry())
    decide(watched)
    ledger = watched.trial.ledger
    assert ledger.verify().ok
    assert ledger.rebuild().identical
    tables, _ = ledger.as_of(None)
    for table in harm_tables.TABLES:
        assert watched.rows(table.name) == tables.rows(table.name) != [], table.name


# --- after infusions


def test_an_event_after_an_infusion_says_by_how_long_and_whether_it_is_a_reaction(watched):
    participant = watched.infused()
    started = datetime.fromisoformat(str(watched.rows("infusion")[0]["started_at"]))
    local = (started + timedelta(hours=8, minutes=15)).strftime("%Y-%m-%dT%H:%M")
    watched.now += timedelta(hours=1)
    watched.harmed(participant, onset=local, course="C1")
    watched.harmed(participant, onset=watched.today)
    watched.wait(1)
    watched.harmed(participant, onset=watched.today)
    found = frame(watched)
    assert found["treatment_emergent"].tolist() == [True, True, True]
    assert found["infusion_reaction"].tolist() == [True, None, False]
    assert found["hours_after_infusion"].iloc[0] == pytest.approx(0.25, abs=1 / 60)
    assert found["hours_after_infusion"].iloc[1:].isna().all()


def test_once_infusions_are_recorded_those_infused_are_treated(watched):
    participant = watched.infused()
    idle = watched.in_arm("NEW")
    severe(watched, idle)
    severe(watched, participant)
    found = frame(watched, "stopping").query("rule == 'SR1'")
    assert found[["participant", "treated", "events"]].to_numpy().tolist() == [[participant, 1, 0], [participant, 1, 1]]


def test_a_crossed_rule_that_pauses_infusion_refuses_it_at_the_bedside(watched):
    participant = watched.issued()
    other = watched.in_arm("NEW")
    death = {"serious": True, "criteria": ("AESDTH",), "outcome": "FATAL", "resolved": watched.today}
    watched.harmed(other, grade=5, **death)
    text = refusal(lambda: watched.infuse(participant))
    said = "stopping_rules = SR2: is crossed and pauses infusion; wait until the committee's decision is recorded"
    assert said in text
    refusals = frame(watched, "infusion_refusals")
    assert refusals["code"].tolist() == ["stopping-rule"]
    assert frame(watched, "infusions").empty
    decide(watched, rule="SR2")
    watched.infuse(participant)
    assert len(frame(watched, "infusions")) == 1


def test_what_stops_a_product_is_not_undone_when_the_event_gets_better(watched):
    participant = watched.issued()
    severe(watched, participant)
    follow_up(watched, participant, grade=1)
    assert "stop_if of two is met" in refusal(lambda: watched.infuse(participant))
