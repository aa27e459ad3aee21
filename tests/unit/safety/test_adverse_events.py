"""What follows from an event by rule: expected, suspected, after treatment; an infusion's reaction; what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from equipoise.protocol.interventions import Regimen
from equipoise.protocol.safety import AdverseEventRules
from equipoise.safety.adverse_events import (
    EventRefused,
    check_end,
    check_highest_grade,
    check_of_interest,
    is_expected,
    is_suspected,
    is_treatment_emergent,
)
from equipoise.safety.infusion_reactions import (
    Infusion,
    hours_after,
    is_infusion_reaction,
    observe_hours_of,
    reaction_among,
)
from equipoise.safety.moments import parse_moment

RULES = AdverseEventRules(
    related_to=("nk", "art", "procedure"),
    causality=("UNRELATED", "POSSIBLE", "DEFINITE"),
    related_means=("POSSIBLE", "DEFINITE"),
    of_interest=("Infusion reaction", "HIV viral rebound"),
    terms={"FEVER": "Fever", "RASH": "Rash"},
    expected=("FEVER",),
)


def moment(text: str):
    return parse_moment("onset", text)


@pytest.mark.parametrize(
    ("term", "criteria", "said", "expected"),
    [
        ("FEVER", (), None, True),
        ("FEVER", ("AESHOSP",), None, True),
        ("FEVER", ("AESLIFE",), None, False),
        ("FEVER", ("AESDTH",), None, False),
        ("FEVER", ("AESLIFE",), True, True),
        ("RASH", (), None, False),
        ("RASH", (), True, True),
        ("FEVER", (), False, False),
    ],
)
def test_expected_is_what_the_protocol_lists_unless_it_is_graver_or_somebody_says(term, criteria, said, expected):
    assert is_expected(RULES, [term], criteria, said) is expected


def test_suspected_is_a_relation_to_a_product_of_the_trial():
    assert is_suspected(RULES, {"nk": "POSSIBLE", "art": "UNRELATED"}, {"nk"})
    assert not is_suspected(RULES, {"nk": "UNRELATED", "art": "DEFINITE"}, {"nk"})
    assert not is_suspected(RULES, {}, {"nk"})


START = datetime(2018, 3, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("onset", "emergent"),
    [
        ("2018-03-04", False),
        ("2018-03-05T09:59", False),
        ("2018-03-05T10:00", True),
        ("2018-03-05", True),
        ("2018-03", True),
        ("2018-02", False),
        ("2018", True),
        ("2017", False),
    ],
)
def test_an_event_that_may_have_begun_after_treatment_counts_as_after(onset, emergent):
    assert is_treatment_emergent(moment(onset), START) is emergent


def test_without_treatment_nothing_is_treatment_emergent():
    assert not is_treatment_emergent(moment("2018-03-05"), None)


FIRST = Infusion("C1", START, START + timedelta(minutes=30))
SECOND = Infusion("C2", START + timedelta(days=30), None)


@pytest.mark.parametrize(
    ("onset", "reaction"),
    [
        ("2018-03-05T09:59", False),
        ("2018-03-05T10:00", True),
        ("2018-03-05T10:31", True),
        ("2018-03-05T14:30", True),
        ("2018-03-05T14:31", False),
        ("2018-03-05", None),
        ("2018-03", None),
        ("2018-03-06", False),
    ],
)
def test_a_reaction_is_from_the_start_to_four_hours_after_the_end(onset, reaction):
    assert is_infusion_reaction(moment(onset), FIRST, UTC) is reaction


def test_while_an_infusion_runs_what_begins_after_its_start_is_a_reaction():
    assert is_infusion_reaction(moment("2018-04-04T12:00"), SECOND, UTC) is True


def test_an_event_belongs_to_the_last_infusion_begun_before_it():
    assert reaction_among(moment("2018-03-20"), [SECOND, FIRST], UTC) == (FIRST, False)
    assert reaction_among(moment("2018-04-04T10:05"), [FIRST, SECOND], UTC) == (SECOND, True)
    assert reaction_among(moment("2018-03-01"), [FIRST, SECOND], UTC) == (None, False)


def test_hours_count_from_the_start_when_the_minute_is_known():
    assert hours_after(moment("2018-03-05T12:30"), FIRST, UTC) == 2.5
    assert hours_after(moment("2018-03-05"), FIRST, UTC) is None


def test_a_longer_watch_is_the_protocols():
    assert is_infusion_reaction(moment("2018-03-05T20:00"), replace(FIRST, observe_hours=24), UTC) is True


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda: check_end(moment("2018-03-05"), moment("2018-02")),
            "resolved = 2018-02: is before the onset, 2018-03-05; correct the date",
        ),
        (
            lambda: check_end(moment("2018-03-05T10:00"), moment("2018-03-05T09:00")),
            "resolved = 2018-03-05T09:00: is before the onset, 2018-03-05T10:00; correct the date",
        ),
        (
            lambda: check_highest_grade(3, 2),
            "highest_grade = 2: is below the grade, 3; give the worst grade it has had",
        ),
        (
            lambda: check_highest_grade(3, 6),
            "highest_grade = 6: is not a grade from 1 to 5; grade it by the protocol's scale",
        ),
        (
            lambda: check_of_interest(RULES, "CRS"),
            "of_interest = CRS: is not in safety.adverse_events.of_interest; "
            "use one of Infusion reaction, HIV viral rebound",
        ),
    ],
)
def test_what_contradicts_is_refused(ask, said):
    with pytest.raises(EventRefused) as refused:
        ask()
    assert str(refused.value) == said


def test_what_may_be_is_let_pass():
    check_end(moment("2018-03-05"), moment("2018-03"))
    check_end(moment("2018-03-05T10:00"), moment("2018-03-05"))
    check_end(moment("2018-03-05"), None)
    check_highest_grade(3, 3)
    check_highest_grade(3, None)
    check_of_interest(RULES, None)
    check_of_interest(RULES, "HIV viral rebound")


def test_each_course_is_watched_as_long_as_its_regimen_says():
    common = {"dose": {"value": 1, "unit": "mg"}, "route": "ORAL"}
    courses = [{"id": id, "at": {"days": day}} for id, day in (("C1", 1), ("C2", 31))]
    short = Regimen.model_validate({"id": "short", "courses": courses[:1], "observe_hours": 2, **common})
    silent = Regimen.model_validate({"id": "silent", "courses": courses[1:], **common})
    assert [observe_hours_of((short, silent), course) for course in ("C1", "C2")] == [2, 4]
