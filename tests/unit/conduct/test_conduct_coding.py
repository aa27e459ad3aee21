"""Coding, correcting and voiding adverse events: what is kept, what follows, what is refused."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from datetime import date, timedelta

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.refusals import Refusal

OWN = "    terms: {FEVER: Fever, RASH: Rash}\n"
RULES = """\
    dictionary: {name: House, version: "3"}
    expected: [P1]
    report_within:
      - {for: suspected unexpected, days: 15}
stopping_rules:
  - {id: SR1, text: Two rashes, arm: NEW, event: ae.term == 'R1', boundary: fixed, limit: 2, pauses: [randomisation]}
  - {id: SR2, text: Two grave events, arm: NEW, event: ae.grade >= 3, boundary: fixed, limit: 2, pauses: [infusion]}
"""
TERMS = "code,name,system\nP1,Pyrexia,General\nR1,Rash,Skin\nH1,Feeling hot,General\n"
RELATED = {"cells": "RELATED", "procedure": "NOT RELATED"}
SERIOUS = {"serious": True, "criteria": ("AESHOSP",), "grade": 3, "related": RELATED}


@pytest.fixture
def coded(trial_kit, tmp_path):
    """A trial whose events are coded by a dictionary alone."""
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(OWN, RULES))
    (tmp_path / "trial" / "dictionary.csv").write_text(TERMS, encoding="utf-8")
    yield kit
    kit.trial.close()


@pytest.fixture
def plain(trial_kit, tmp_path):
    """A trial with a list of terms of its own and no dictionary."""
    kit = trial_kit.Kit(tmp_path / "trial")
    yield kit
    kit.trial.close()


def refusal(ask) -> str:
    with pytest.raises(Refusal) as refused:
        ask()
    return str(refused.value)


def frame(kit):
    return conduct.snapshot(kit.trial).adverse_events


def harmed(kit, participant, **facts):
    return kit.harmed(participant, **({"term": None} | facts))


def code(kit, participant, term, number=1, by=None):
    return conduct.code_adverse_event(kit.trial, participant, number, term, **kit.entry(by or kit.MANAGER))


def correct(kit, participant, number=1, **facts):
    conduct.correct_adverse_event(kit.trial, participant, number, **facts, **kit.entry())


def void(kit, participant, number=1):
    conduct.void_adverse_event(kit.trial, participant, number, **kit.entry(reason="entered twice"))


# --- codes


def test_a_code_is_kept_with_names_system_and_version(coded):
    participant = coded.consented()
    harmed(coded, participant)
    assert frame(coded)[["counted_as", "name", "system"]].to_numpy().tolist() == [["not coded"] * 3]
    assert code(coded, participant, "pyrexia").code == "P1"
    found = frame(coded).iloc[0]
    assert (found["counted_as"], found["name"], found["system"], found["verbatim"]) == (
        "P1", "Pyrexia", "General", "felt hot",
    )  # fmt: skip
    assert (found["code"], found["coded_term"], found["preferred_code"], found["term_groups"]) == (
        "P1", "Pyrexia", "P1", (),
    )  # fmt: skip
    assert (found["dictionary"], found["dictionary_version"], found["coded_at"]) == ("House", "3", coded.now)


def test_the_record_is_read_without_the_dictionary(coded):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "P1")
    (coded.trial.folder / "dictionary.csv").unlink()
    assert frame(coded)["name"].tolist() == ["Pyrexia"]
    assert coded.trial.ledger.rebuild().identical


def test_expected_follows_the_code_and_the_clock_that_ran_runs_on(coded):
    participant = coded.consented()
    aware = coded.now
    harmed(coded, participant, **SERIOUS)
    due = ("suspected unexpected (authority)", aware + timedelta(days=15), None)
    assert (frame(coded)["expected"].tolist(), frame(coded)["deadlines"].iloc[0]) == ([False], (due,))
    coded.wait(3)
    code(coded, participant, "P1")
    assert (frame(coded)["expected"].tolist(), frame(coded)["deadlines"].iloc[0]) == ([True], (due,))


def test_a_clock_that_another_code_starts_counts_from_when_the_site_knew_what_it_judges(coded):
    participant = coded.consented()
    harmed(coded, participant, related=RELATED)
    code(coded, participant, "P1")
    told = {"to": "authority", "told_at": coded.now}
    conduct.report_to(coded.trial, participant, 1, **told, **coded.entry())
    coded.wait(60)
    informed = coded.now
    serious = {"serious": True, "criteria": ("AESHOSP",), "grade": 3, "informed_at": informed}
    conduct.follow_up_adverse_event(coded.trial, participant, 1, **serious, **coded.entry())
    coded.wait(9)
    conduct.follow_up_adverse_event(coded.trial, participant, 1, treatment="rest", **coded.entry())
    assert frame(coded)["deadlines"].iloc[0] == ()
    code(coded, participant, "H1")
    due = ("suspected unexpected (authority)", informed + timedelta(days=15), None)
    assert frame(coded)["deadlines"].iloc[0] == (due,)  # what was told of the event before it was serious is no answer


def test_a_clock_starts_with_the_earliest_awareness_in_whatever_order_it_is_recorded(coded):
    participant = coded.consented()
    harmed(coded, participant, related=RELATED)
    coded.wait(30)
    early, late = coded.now - timedelta(days=25), coded.now - timedelta(days=10)
    first = {"serious": True, "criteria": ("AESHOSP",), "grade": 3, "informed_at": late}
    conduct.follow_up_adverse_event(coded.trial, participant, 1, **first, **coded.entry())
    second = {"criteria": ("AESHOSP", "AESLIFE"), "grade": 4, "informed_at": early}
    conduct.follow_up_adverse_event(coded.trial, participant, 1, **second, **coded.entry())
    conduct.follow_up_adverse_event(
        coded.trial, participant, 1, treatment="rest", informed_at=early - timedelta(days=1), **coded.entry()
    )
    (due,) = frame(coded)["deadlines"].iloc[0]
    assert due[1] == early + timedelta(days=15)


def test_a_stopping_rule_on_terms_counts_once_the_code_is_there(coded):
    person, other = coded.in_arm("NEW"), coded.in_arm("NEW")
    for each in (person, other):
        harmed(coded, each, verbatim="red skin")
        code(coded, each, "R1")
    standings = [event.payload["stopping"][0] for event in coded.events(Kind.ADVERSE_EVENT_CODED)]
    assert [(each["rule"], each["events"], each["paused"]) for each in standings] == [
        ("SR1", 1, False),
        ("SR1", 2, True),
    ]


def test_a_follow_up_leaves_the_code(coded):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "P1")
    conduct.follow_up_adverse_event(coded.trial, participant, 1, grade=2, **coded.entry())
    assert frame(coded)[["code", "grade", "expected"]].to_numpy().tolist() == [["P1", 2, True]]


def test_all_that_is_not_coded_is_open_work_at_lock(coded):
    participant = coded.consented()
    harmed(coded, participant, outcome="RECOVERED/RESOLVED", resolved=coded.today)
    harmed(coded, participant, outcome="RECOVERED/RESOLVED", resolved=coded.today)
    void(coded, participant, 2)
    left = [item.what for item in conduct.open_items(coded.trial, on=coded.today)]
    assert "adverse event 1 is not coded by House 3" in left
    assert not [what for what in left if what.startswith("adverse event 2")]
    code(coded, participant, "P1")
    assert not [item for item in conduct.open_items(coded.trial, on=coded.today) if "coded" in item.what]


def test_codes_of_another_version_wait_for_a_new_code(coded, trial_kit):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "P1")
    newer = (OWN, RULES.replace('version: "3"', 'version: "4"'))
    conduct.amend(coded.trial, coded.amended(newer), **coded.entry(coded.MANAGER))
    (event,) = conduct.event_codes(coded.trial)
    assert (event.code, event.current) == ("P1", False)
    assert frame(coded)["name"].tolist() == ["Pyrexia"]  # until then the older version's name counts
    code(coded, participant, "P1")
    (event,) = conduct.event_codes(coded.trial)
    assert event.current
    assert frame(coded)["dictionary_version"].tolist() == ["4"]


@pytest.mark.parametrize(
    ("term", "number", "said"),
    [
        ("P9", 1, "term = P9: is neither a code nor a name of House 3; look the term up, and give its code or its whole name"),
        ("P1", 7, "number = 7: is not an adverse event of 01-001; check the number, or report the event"),
        ("R1", 1, "term = R1: is what the event is coded by; leave it"),
    ],
)  # fmt: skip
def test_a_code_that_cannot_be_is_refused(coded, term, number, said):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "R1")
    before = coded.head()
    assert refusal(lambda: code(coded, participant, term, number)) == said
    assert coded.head() == before


def test_without_a_dictionary_there_is_nothing_to_code_by(plain):
    participant = plain.consented()
    plain.harmed(participant)
    said = "safety.adverse_events.dictionary: is not in the protocol; amend the protocol to name one, such as {name: MedDRA, version: '27.1'}"
    assert refusal(lambda: code(plain, participant, "P1")) == said
    assert refusal(lambda: conduct.event_codes(plain.trial)) == said
    assert refusal(lambda: conduct.coding_dictionary(plain.trial)) == said


def test_a_dictionary_that_is_not_there_is_asked_for(coded):
    participant = coded.consented()
    harmed(coded, participant)
    (coded.trial.folder / "dictionary.csv").unlink()
    assert refusal(lambda: code(coded, participant, "P1")) == (
        f"dictionary = House 3: is not in {coded.trial.folder}, and does not come with the program; "
        "put the files of MedDRA into its folder dictionary, or another dictionary into its file dictionary.csv"
    )


# --- the term of an event


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (None, "term: is not given; use one of FEVER, RASH"),
        ("FEVR", "term = FEVR: is not a code for this; did you mean FEVER?"),
    ],
)
def test_a_trial_with_terms_of_its_own_asks_for_one(plain, term, said):
    participant = plain.consented()
    assert refusal(lambda: plain.harmed(participant, term=term)) == said


def test_a_trial_without_a_list_codes_the_verbatim_text_alone(coded):
    participant = coded.consented()
    assert refusal(lambda: harmed(coded, participant, term="FEVER")) == (
        "term = FEVER: is not of a list of the trial, which has none; "
        "leave it out: the verbatim text is what is coded by House 3"
    )


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (None, "term: is not given; name the event in a word or two"),
        (" ", "term: is blank; name the event in a word or two"),
    ],
)
def test_without_list_and_dictionary_the_event_is_named(trial_kit, tmp_path, term, said):
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(OWN, ""))
    participant = kit.consented()
    assert refusal(lambda: kit.harmed(participant, term=term)) == said
    kit.trial.close()


# --- when it ended


@pytest.mark.parametrize(
    ("resolved", "day"),
    [("2018-02", date(2018, 2, 11)), ("2018-02-08T15:30", date(2018, 2, 8)), (date(2018, 2, 9), date(2018, 2, 9))],
)
def test_an_end_is_kept_as_far_as_it_is_known_and_counts_at_its_latest(plain, resolved, day):
    participant = plain.consented()
    plain.wait(10)
    plain.harmed(participant, onset="2018-02-01", outcome="RECOVERED/RESOLVED", resolved=resolved)
    found = frame(plain).iloc[0]
    assert (found["resolved"], found["resolved_given"]) == (day, str(resolved))


def test_an_end_that_is_told_more_exactly_is_a_change(plain):
    participant = plain.consented()
    plain.wait(10)
    plain.harmed(participant, onset="2018-02-01", outcome="RECOVERED/RESOLVED", resolved="2018-02")
    plain.wait(10)
    follow = {"outcome": "RECOVERED/RESOLVED", **plain.entry()}
    conduct.follow_up_adverse_event(plain.trial, participant, 1, resolved="2018-02-05", **follow)
    assert plain.events(Kind.ADVERSE_EVENT_FOLLOWED_UP)[0].payload["changed"] == {
        "resolved": ["2018-02-11", "2018-02-05"],
        "resolved_given": ["2018-02", "2018-02-05"],
    }
    conduct.follow_up_adverse_event(plain.trial, participant, 1, outcome="RECOVERING/RESOLVING", **plain.entry())
    assert frame(plain)[["resolved", "resolved_given"]].to_numpy().tolist() == [[None, None]]


@pytest.mark.parametrize(
    ("resolved", "said"),
    [
        ("soon", "resolved = soon: is not a year, month, day or day with time; write 2018, 2018-03, 2018-03-05 or 2018-03-05T14:30"),
        ("2018-02-01T10:00", "resolved = 2018-02-01T10:00: is before the onset, 2018-02-01T10:02; correct the date"),
        ("2018-01", "resolved = 2018-01: is before the onset, 2018-02-01T10:02; correct the date"),
        ("2018-02-01T23:00", "resolved = 2018-02-01T23:00: is after now; correct the time"),
        ("2018-03", "resolved = 2018-03-01: is after today, 2018-02-01; correct the date, or wait until it is so"),
    ],
)  # fmt: skip
def test_an_end_that_cannot_be_is_refused(plain, resolved, said):
    participant = plain.consented()
    facts = {"onset": "2018-02-01T10:02", "outcome": "RECOVERED/RESOLVED", "resolved": resolved}
    assert refusal(lambda: plain.harmed(participant, **facts)) == said


# --- corrections


def test_a_correction_keeps_what_stood_and_why(plain):
    participant = plain.consented()
    plain.wait(3)
    plain.harmed(participant, onset="2018-02-01", course="C1")
    correct(plain, participant, onset="2018-02-03", term="RASH", verbatim=" red spots ", course="C2", reporter="nurse")
    found = frame(plain).iloc[0]
    assert [found[name] for name in ("onset", "term", "name", "verbatim", "course", "reporter")] == [
        date(2018, 2, 3), "RASH", "Rash", "red spots", "C2", "nurse",
    ]  # fmt: skip
    (event,) = plain.events(Kind.ADVERSE_EVENT_CORRECTED)
    assert event.payload["changed"]["verbatim"] == ["felt hot", "red spots"]
    assert event.payload["changed"]["onset"] == ["2018-02-01", "2018-02-03"]


def test_a_corrected_verbatim_text_loses_its_code_and_another_correction_keeps_it(coded):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "P1")
    correct(coded, participant, reporter="nurse")
    assert frame(coded)[["code", "expected"]].to_numpy().tolist() == [["P1", True]]
    correct(coded, participant, verbatim="red spots")
    found = frame(coded).iloc[0]
    assert (found["code"], found["name"], found["coded_at"], bool(found["expected"])) == (
        None,
        "not coded",
        None,
        False,
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "adverse event = 1: nothing differs from what stands there; leave it"),
        ({"onset": "2018-01"}, "onset = 2018-01-31: is before the day of consent, 2018-02-01; correct the date"),
        ({"onset": "2018-02-01T23:00"}, "onset = 2018-02-01T23:00: is after now; correct the time"),
        ({"verbatim": " "}, "verbatim: is blank; write the event in the reporter's words"),
        ({"term": "FEVR"}, "term = FEVR: is not a code for this; did you mean FEVER?"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(plain, facts, said):
    participant = plain.consented()
    plain.harmed(participant)
    before = plain.head()
    assert refusal(lambda: correct(plain, participant, **facts)) == said
    assert plain.head() == before


# --- voided events


def test_a_voided_event_counts_no_more_and_its_number_is_not_given_again(plain):
    participant = plain.consented()
    plain.harmed(participant)
    void(plain, participant)
    assert frame(plain).empty
    assert plain.harmed(participant) == 2
    assert plain.trial.ledger.rebuild().identical


def test_a_pause_outlasts_the_event_that_brought_it_about(coded):
    person, other = coded.in_arm("NEW"), coded.in_arm("NEW")
    for each in (person, other):
        harmed(coded, each, grade=3)
    void(coded, other)
    (standing,) = [
        each for each in coded.events(Kind.ADVERSE_EVENT_VOIDED)[0].payload["stopping"] if each["rule"] == "SR2"
    ]
    assert (standing["events"], standing["crossed"], standing["paused"]) == (1, False, True)


def test_nothing_can_be_done_to_a_voided_event(coded):
    participant = coded.consented()
    harmed(coded, participant)
    void(coded, participant)
    at = coded.events(Kind.ADVERSE_EVENT_VOIDED)[0].at.isoformat()
    said = f"number = 1: of 01-001 was voided at {at}; report the event anew if it took place"
    told = {"to": "sponsor", "told_at": coded.now}
    for attempt in (
        lambda: void(coded, participant),
        lambda: correct(coded, participant, reporter="nurse"),
        lambda: code(coded, participant, "P1"),
        lambda: conduct.follow_up_adverse_event(coded.trial, participant, 1, grade=2, **coded.entry()),
        lambda: conduct.report_to(coded.trial, participant, 1, **told, **coded.entry()),
    ):
        assert refusal(attempt) == said
    assert conduct.event_codes(coded.trial) == ()


def test_only_an_investigator_voids(coded):
    participant = coded.consented()
    harmed(coded, participant)
    entry = coded.entry(coded.NURSE)
    assert refusal(lambda: conduct.void_adverse_event(coded.trial, participant, 1, **entry)) == (
        "role = coordinator: may not record 'adverse event voided'; ask the investigator"
    )


# --- what the protocol stops by, and amendments


def test_a_voided_event_stops_no_infusion_and_a_code_does(trial_kit, tmp_path):
    text = trial_kit.PROTOCOL.replace(OWN, RULES).replace(
        "stop_if: any(ae.grade >= 3 and ae.related == 'RELATED')", "stop_if: any(ae.term == 'R1')"
    )
    kit = trial_kit.Kit(tmp_path / "trial", text)
    (tmp_path / "trial" / "dictionary.csv").write_text(TERMS, encoding="utf-8")
    participant = kit.issued()
    harmed(kit, participant)
    harmed(kit, participant)
    code(kit, participant, "P1")
    code(kit, participant, "R1", 2)
    said = "stop_if of two is met or cannot be told"
    assert said in refusal(lambda: kit.infuse(participant))
    void(kit, participant, 2)
    kit.infuse(participant)
    kit.trial.close()


def test_an_amendment_that_lowers_a_limit_pauses_at_once_what_is_crossed_already(coded):
    ready = coded.declared()
    person, other = coded.in_arm("NEW"), coded.in_arm("NEW")
    for each in (person, other):
        harmed(coded, each, grade=3)
    lower = RULES.replace("limit: 2, pauses: [infusion]", "limit: 1, pauses: [randomisation]")
    assert lower != RULES
    conduct.amend(coded.trial, coded.amended((OWN, lower)), **coded.entry(coded.MANAGER))
    said = "stopping_rules = SR2: is crossed and pauses randomisation; wait until the committee's decision is recorded"
    assert refusal(lambda: conduct.randomise(coded.trial, ready, **coded.entry())) == said
    assert coded.trial.ledger.rebuild().identical


def amended(kit, *changes):
    """An amendment in force at the first site."""
    conduct.amend(kit.trial, kit.amended(*changes), **kit.entry(kit.MANAGER))
    conduct.approve_amendment(kit.trial, "2.0", "01", on=kit.today, **kit.entry())


def test_events_of_before_are_followed_up_and_counted_by_code_after_an_amendment_to_a_dictionary(plain):
    person, other = plain.in_arm("NEW"), plain.in_arm("NEW")
    for each in (person, other):
        plain.harmed(each, term="RASH")
    amended(plain, (OWN, RULES))
    (plain.trial.folder / "dictionary.csv").write_text(TERMS, encoding="utf-8")
    for each in (person, other):
        code(plain, each, "R1")
    standings = [event.payload["stopping"][0] for event in plain.events(Kind.ADVERSE_EVENT_CODED)]
    assert [(each["rule"], each["events"]) for each in standings] == [("SR1", 1), ("SR1", 2)]
    conduct.follow_up_adverse_event(plain.trial, person, 1, grade=2, **plain.entry())
    correct(plain, person, reporter="nurse")
    assert frame(plain)["name"].tolist() == ["Rash", "Rash"]


def test_codes_of_a_dictionary_that_is_no_longer_named_decide_nothing(coded):
    participant = coded.consented()
    harmed(coded, participant)
    code(coded, participant, "P1")
    amended(coded, (OWN, RULES.replace("name: House", "name: Other")))
    conduct.follow_up_adverse_event(coded.trial, participant, 1, grade=2, **coded.entry())
    assert frame(coded)[["counted_as", "expected"]].to_numpy().tolist() == [["not coded", False]]


def test_an_event_of_a_dictionary_is_told_by_its_words_once_a_list_takes_its_place(coded, trial_kit):
    participant = coded.consented()
    harmed(coded, participant)
    amended(coded)
    found = frame(coded).iloc[0]
    assert (found["counted_as"], found["name"]) == ("not coded", "felt hot")
    conduct.follow_up_adverse_event(coded.trial, participant, 1, grade=2, **coded.entry())
    correct(coded, participant, term="FEVER")
    assert frame(coded)["name"].tolist() == ["Fever"]


# --- what is known of an onset besides


def test_an_event_known_before_treatment_is_not_after_it_whoever_codes_it(coded):
    participant = coded.declared()
    harmed(coded, participant, onset="2018-02", grade=3, related=RELATED)
    coded.wait(1)
    conduct.randomise(coded.trial, participant, **coded.entry())
    code(coded, participant, "R1")
    found = frame(coded).iloc[0]
    assert (found["onset"], bool(found["after_randomisation"])) == (date(2018, 2, 1), False)


def test_an_event_of_the_day_of_randomisation_is_placed_by_the_minute(plain):
    participant = plain.declared()
    plain.wait(0)
    plain.harmed(participant, onset=f"{plain.today}T10:00")
    conduct.randomise(plain.trial, participant, **plain.entry())
    plain.harmed(participant)
    assert frame(plain)["after_randomisation"].tolist() == [False, True]


def test_an_onset_after_the_site_was_aware_is_refused(plain):
    participant = plain.consented()
    aware = plain.now
    plain.wait(5)
    assert refusal(lambda: plain.harmed(participant, onset=plain.today, aware_at=aware)) == (
        "onset = 2018-02-06: is after the site was aware of the event, 2018-02-01T10:02; "
        "correct the onset, or the time of awareness"
    )


def test_a_course_that_was_told_wrongly_is_taken_away(plain):
    participant = plain.consented()
    plain.harmed(participant, course="C1")
    correct(plain, participant, course="")
    assert frame(plain)["course"].tolist() == [None]
