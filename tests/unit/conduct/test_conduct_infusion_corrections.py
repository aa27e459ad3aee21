"""What was recorded wrongly at an infusion, put right: what then stands, what is kept, and every refusal."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from datetime import timedelta
from decimal import Decimal

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.refusals import Refusal


@pytest.fixture(scope="module")
def given(trial_kit, template, tmp_path_factory):
    """A trial in which a first course was given and watched at 15 and 30 minutes; each test has a copy."""
    kit = trial_kit.Kit.copied(template, tmp_path_factory.mktemp("given") / "trial")
    kit.participant = kit.infused()
    for minutes, temperature in ((15, "37.9"), (30, "38.4")):
        values = {"temperature": temperature, "pulse": 88}
        signs = {"minutes": minutes, "values": values}
        conduct.record_infusion_vital_signs(kit.trial, kit.participant, "C1", **signs, **kit.entry(kit.NURSE))
    kit.trial.close()
    return kit


@pytest.fixture
def kit(trial_kit, given, tmp_path):
    """The trial, open."""
    kit = trial_kit.Kit.copied(given, tmp_path / "trial")
    kit.participant, kit.now = given.participant, given.now
    yield kit
    kit.trial.close()


def correct(kit, participant=None, course="C1", **given):
    facts = {"minutes": 15} | kit.entry(kit.NURSE, "typed wrongly") | given
    return conduct.correct_infusion_vital_signs(kit.trial, participant or kit.participant, course, **facts)


def miss(kit, course="C2", **given):
    facts = {"cause": "away"} | kit.entry() | given
    conduct.miss_course(kit.trial, kit.participant, course, **facts)


def take_back(kit, course="C2", **given):
    facts = kit.entry(kit.DOCTOR, "was another participant") | given
    conduct.take_back_missed_course(kit.trial, kit.participant, course, **facts)


def signs(kit):
    """What stands, by minutes: the signs that are there, and how often they were corrected."""
    frame = conduct.snapshot(kit.trial).infusion_vital_signs
    return {
        row["minutes"]: (row["temperature"], row["pulse"], row["saturation"], row["corrections"])
        for row in frame.to_dict("records")
    }


def check_tables(kit):
    assert kit.trial.ledger.verify().ok
    assert kit.trial.ledger.rebuild().identical


def test_signs_at_the_same_minutes_are_corrected_and_the_old_ones_kept(kit):
    before = conduct.snapshot(kit.trial)
    correct(kit, values={"temperature": "37.1", "pulse": None, "saturation": Decimal(97)})
    assert signs(kit) == {15: (37.1, None, 97.0, 1), 30: (38.4, 88.0, None, 0)}
    (event,) = kit.events(Kind.INFUSION_VITAL_SIGNS_CORRECTED)
    assert event.payload == {
        "participant": kit.participant,
        "course": "C1",
        "minutes": 15,
        "values": {"temperature": "37.1", "saturation": "97"},
        "old_minutes": 15,
        "old_values": {"temperature": "37.9", "pulse": "88"},
        "corrections": 1,
    }
    assert (event.stream, event.reason, event.actor.id) == (kit.participant, "typed wrongly", kit.NURSE.id)
    assert conduct.snapshot(kit.trial, before.position).infusion_vital_signs.equals(before.infusion_vital_signs)
    check_tables(kit)


def test_signs_at_wrong_minutes_are_moved_and_those_minutes_are_free_again(kit):
    kit.now += timedelta(hours=1)
    correct(kit, minutes=30, right_minutes=60)
    assert signs(kit) == {15: (37.9, 88.0, None, 0), 60: (38.4, 88.0, None, 1)}
    again = {"minutes": 30, "values": {"temperature": "38.0"}}
    conduct.record_infusion_vital_signs(kit.trial, kit.participant, "C1", **again, **kit.entry(kit.NURSE))
    assert signs(kit)[30] == (38.0, None, None, 0)
    check_tables(kit)


def test_signs_are_moved_there_and_back_with_other_values(kit):
    correct(kit, right_minutes=16, values={"pulse": 90})
    correct(kit, minutes=16, right_minutes=15, values={"pulse": 88})
    assert signs(kit) == {15: (37.9, 88.0, None, 2), 30: (38.4, 88.0, None, 0)}
    check_tables(kit)


def test_signs_that_were_never_measured_are_taken_away_whole(kit):
    correct(kit, values={"temperature": None, "pulse": None})
    assert signs(kit) == {30: (38.4, 88.0, None, 0)}
    with pytest.raises(Refusal) as refused:
        correct(kit, values={"pulse": 70})
    assert str(refused.value) == (
        "minutes = 15: hold no vital signs of course C1; check the minutes, or record the vital signs"
    )
    check_tables(kit)


def test_a_course_taken_back_is_open_again_and_can_be_given(kit):
    miss(kit)
    assert conduct.snapshot(kit.trial).missed_courses["course"].tolist() == ["C2"]
    then = conduct.snapshot(kit.trial)
    take_back(kit)
    assert conduct.snapshot(kit.trial).missed_courses.empty
    (event,) = kit.events(Kind.MISSED_COURSE_TAKEN_BACK)
    assert event.payload == {
        "participant": kit.participant,
        "course": "C2",
        "on": str(kit.today),
        "missed_on": str(kit.today),
        "cause": "away",
    }
    assert (event.stream, event.reason) == (kit.participant, "was another participant")
    assert conduct.snapshot(kit.trial, then.position).missed_courses.equals(then.missed_courses)
    kit.wait(28)
    kit.record(kit.participant, "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    kit.released("L02")
    kit.issue(kit.participant, "L02-1", "C2")
    kit.infuse(kit.participant, "C2", "L02-1")
    assert [row["course"] for row in kit.rows("infusion")] == ["C1", "C2"]
    check_tables(kit)


def test_a_course_taken_back_stands_in_the_way_of_the_lock_until_it_is_missed_anew(kit):
    miss(kit)
    kit.wait(60)
    left = f"{kit.participant}: course C2 is neither given nor recorded as missed"
    assert left not in map(str, conduct.open_items(kit.trial, on=kit.today))
    take_back(kit)
    assert left in map(str, conduct.open_items(kit.trial, on=kit.today))
    miss(kit, cause="fever")
    assert left not in map(str, conduct.open_items(kit.trial, on=kit.today))
    (row,) = conduct.snapshot(kit.trial).missed_courses.to_dict("records")
    assert row == {"participant": kit.participant, "course": "C2", "on": kit.today, "cause": "fever"}
    check_tables(kit)


def lock(kit):
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))


NOTHING = "minutes = 15: nothing differs from what stands there; leave it"
LOCKED = "trial = KIT: is locked; ask the data_manager to unlock it"
REFUSED = {
    "nothing is said": (correct, NOTHING),
    "the same signs": (lambda kit: correct(kit, values={"temperature": "37.90", "pulse": "88"}), NOTHING),
    "the same minutes": (lambda kit: correct(kit, right_minutes=15), NOTHING),
    "minutes not watched": (
        lambda kit: correct(kit, minutes=45, values={"pulse": 70}),
        "minutes = 45: hold no vital signs of course C1; check the minutes, or record the vital signs",
    ),
    "minutes that are taken": (
        lambda kit: correct(kit, right_minutes=30),
        "right_minutes = 30: are recorded already for course C1; give the minutes at which it was measured",
    ),
    "minutes to come": (
        lambda kit: correct(kit, right_minutes=240),
        "right_minutes = 240: are to come, the start was 34 min ago; give the minutes at which it was measured, once it is",
    ),
    "minutes of years": (
        lambda kit: correct(kit, right_minutes=10**6),
        "right_minutes = 1000000: are not minutes of an infusion; count from its start",
    ),
    "half a minute": (
        lambda kit: correct(kit, right_minutes=15.5),
        "right_minutes = 15.5: are not minutes of an infusion; count from its start",
    ),
    "a sign that was not recorded": (
        lambda kit: correct(kit, values={"saturation": None}),
        "values = saturation: is not recorded for those minutes; leave it out",
    ),
    "a sign that is none": (
        lambda kit: correct(kit, values={"mood": 5}),
        "values = mood: is not a vital sign; use some of temperature, systolic, diastolic, pulse, respiration, saturation",
    ),
    "a sign that cannot be": (
        lambda kit: correct(kit, values={"pulse": 880}),
        "pulse = 880: is not from 20 to 300 /min; measure or type it again",
    ),
    "a course not started": (
        lambda kit: correct(kit, course="C2", values={"pulse": 70}),
        "course = C2: was not started for {p}; start the infusion first",
    ),
    "signs of another site": (
        lambda kit: correct(kit, values={"pulse": 70}, by=kit.OTHER_DOCTOR),
        "participant = {p}: is not in this trial; check the code",
    ),
    "signs by the laboratory": (
        lambda kit: correct(kit, values={"pulse": 70}, by=kit.LABORATORY),
        "role = pharmacist: may not record 'infusion vital signs corrected'; ask the investigator or coordinator",
    ),
    "signs in a locked trial": (lambda kit: (lock(kit), correct(kit, values={"pulse": 70})), LOCKED),
    "not missed": (take_back, "course = C2: is not recorded as missed for {p}; leave it"),
    "given": (lambda kit: take_back(kit, "C1"), "course = C1: is not recorded as missed for {p}; leave it"),
    "taken back twice": (
        lambda kit: (miss(kit), take_back(kit), take_back(kit)),
        "course = C2: is not recorded as missed for {p}; leave it",
    ),
    "no course": (lambda kit: take_back(kit, "C9"), "course = C9: is not recorded as missed for {p}; leave it"),
    "missed at another site": (
        lambda kit: (miss(kit), take_back(kit, by=kit.OTHER_DOCTOR)),
        "participant = {p}: is not in this trial; check the code",
    ),
    "taken back by the data manager": (
        lambda kit: (miss(kit), take_back(kit, by=kit.MANAGER)),
        "role = data_manager: may not record 'missed course taken back'; ask the investigator or coordinator",
    ),
    "taken back in a locked trial": (lambda kit: (miss(kit), lock(kit), take_back(kit)), LOCKED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_put_right_is_refused_whole(kit, name):
    act, text = REFUSED[name]
    with pytest.raises(Refusal) as refused:
        act(kit)
    assert str(refused.value) == text.replace("{p}", kit.participant)
    kinds = (Kind.INFUSION_VITAL_SIGNS_CORRECTED, Kind.MISSED_COURSE_TAKEN_BACK)
    assert [len(kit.events(kind)) for kind in kinds] == [0, int(name == "taken back twice")]
    check_tables(kit)
