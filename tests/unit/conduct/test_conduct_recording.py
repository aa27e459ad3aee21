"""Forms recorded and corrected: what stands, what is computed, what is kept."""

from datetime import date, timedelta

import pytest

from equipoise import conduct
from equipoise.conduct import Missing
from equipoise.conduct.kinds import Kind


@pytest.fixture
def patient(kit):
    """A randomised participant at month 1."""
    participant = kit.randomised()
    kit.wait(28)
    return participant


def stored(kit, participant, visit, form, repeat=1):
    rows = kit.rows("value", participant=participant, visit=visit, form=form, repeat=repeat)
    return {row["item"]: row["value"] or row["missing"] for row in rows}


def correct(kit, participant, visit, form, item, value, **more):
    return conduct.correct(kit.trial, participant, visit, form, item, value, **more, **kit.entry(reason="misread"))


def test_a_form_is_stored_in_normal_texts_with_units_and_computed_items(kit, patient):
    kit.record(patient, "m1", "blood", {"drawn": kit.today, "cd4": "0139.0", "cd8": Missing("CLOT")})
    kit.record(patient, "m1", "symptoms", {"any": "Y", "which": ["RASH", "FEVER"], "tmax": "38.50", "taken": "08:30"})
    assert stored(kit, patient, "m1", "blood") == {"drawn": "2018-03-01", "cd4": "139", "cd8": "CLOT"}
    assert stored(kit, patient, "m1", "symptoms") == {
        "any": "yes",
        "which": '["FEVER", "RASH"]',
        "tmax": "38.5",
        "taken": "08:30",
        "burden": "0.72",
    }
    (row,) = kit.rows("value", participant=patient, visit="m1", item="cd4")
    assert (row["unit"], row["corrections"]) == ("/uL", 0)
    (visit,) = kit.rows("visit", participant=patient, visit="m1")
    assert (visit["status"], visit["date"]) == ("done", "2018-03-01")


def test_a_doubt_passes_with_a_comment_under_item_name_or_check(kit, patient):
    answers = {"drawn": kit.today, "cd4": 800, "cd8": 700}
    for comments in ({}, {"cd8": "sure"}, {"cd4": " "}):
        with pytest.raises(conduct.FormRefused) as refused:
            kit.record(patient, "m1", "blood", answers, comments=comments)
        assert [finding.check for finding in refused.value.findings] == ["UPSIDE"]
    (finding,) = kit.record(patient, "m1", "blood", answers, comments={"UPSIDE": "counted twice"})
    assert (finding.item, finding.check) == ("blood.cd4", "UPSIDE")
    event = kit.events(Kind.FORM_RECORDED)[-1]
    assert event.payload["findings"] == [
        {
            "item": "blood.cd4",
            "check": "UPSIDE",
            "value": "800",
            "message": "CD4 is above CD8",
            "comment": "counted twice",
        }
    ]
    kit.wait(60)
    again = {"drawn": kit.today, "cd4": 800, "cd8": 700}
    assert kit.record(patient, "m3", "blood", again, comments={"blood.cd4": "again"}) != ()


def test_a_form_recorded_later_is_checked_and_computed_with_those_before(kit, patient):
    """The checks and derived items of a recorded form that read the new one are made again."""
    kit.record(patient, "m1", "symptoms", {"any": "no"})
    assert stored(kit, patient, "m1", "symptoms") == {"any": "no", "burden": "0"}
    low = {"drawn": kit.today, "cd4": 40, "cd8": 700}
    with pytest.raises(conduct.FormRefused) as refused:
        kit.record(patient, "m1", "blood", low)
    assert [finding.check for finding in refused.value.findings] == ["WELL"]
    kit.record(patient, "m1", "blood", low, comments={"WELL": "asked twice"})
    correct(kit, patient, "m1", "symptoms", "any", "yes")
    assert stored(kit, patient, "m1", "symptoms")["burden"] == "2.5"


def test_an_item_first_computed_by_another_form_counts_no_correction(kit, patient):
    kit.record(patient, "m1", "symptoms", {"any": "yes", "which": ["RASH"]})
    assert "burden" not in stored(kit, patient, "m1", "symptoms")
    kit.record(patient, "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    (row,) = kit.rows("value", participant=patient, item="burden")
    assert (row["value"], row["corrections"]) == ("0.5", 0)
    assert kit.rows("correction") == []


def test_a_correction_keeps_old_and_new_with_who_when_why(kit, patient):
    kit.record(patient, "m1", "blood", {"drawn": kit.today, "cd4": 931, "cd8": 1000})
    correct(kit, patient, "m1", "blood", "cd4", 139)
    assert stored(kit, patient, "m1", "blood") == {
        "drawn": "2018-03-01",
        "cd4": "139",
        "cd8": "1000",
        "ratio": "0.139",
    }
    kept = [
        {name: row[name] for name in ("item", "cause", "old", "new", "reason", "actor")}
        for row in kit.rows("correction")
    ]
    who = {"reason": "misread", "actor": "l.doctor"}
    assert kept == [
        {"item": "blood.cd4", "cause": "corrected", "old": "931", "new": "139"} | who,
        {"item": "blood.ratio", "cause": "derived", "old": "0.931", "new": "0.139"} | who,
    ]
    correct(kit, patient, "m1", "blood", "cd4", 140)
    (row,) = kit.rows("value", participant=patient, visit="m1", item="cd4")
    assert row["corrections"] == 2


def test_correcting_what_hides_an_item_takes_its_answer_and_keeps_it_in_the_trail(kit, patient):
    kit.record(patient, "m1", "symptoms", {"any": "yes", "which": ["FEVER"], "tmax": "38.5"})
    correct(kit, patient, "m1", "symptoms", "any", "no")
    assert stored(kit, patient, "m1", "symptoms") == {"any": "no", "burden": "0", "which": None, "tmax": None}
    hidden = {row["item"]: row["old"] for row in kit.rows("correction") if row["cause"] == "hidden"}
    assert hidden == {"symptoms.which": '["FEVER"]', "symptoms.tmax": "38.5"}


def test_an_item_that_a_correction_brings_up_is_told_and_can_be_answered_next(kit, patient):
    kit.record(patient, "m1", "symptoms", {"any": "no"})
    (finding,) = correct(kit, patient, "m1", "symptoms", "any", "yes")
    assert str(finding) == "symptoms.which: is required; answer it"
    (left,) = [item for item in conduct.open_items(kit.trial, on=kit.today) if "symptoms.which" in item.what]
    assert str(left) == f"{patient} m1: symptoms.which is required and not answered"
    correct(kit, patient, "m1", "symptoms", "which", ["RASH"])
    assert stored(kit, patient, "m1", "symptoms")["which"] == '["RASH"]'


def test_a_correction_asks_only_about_what_it_changes(kit, patient):
    doubtful = {"drawn": kit.today, "cd4": 800, "cd8": 700}
    kit.record(patient, "m1", "blood", doubtful, comments={"cd4": "sure"})
    assert correct(kit, patient, "m1", "blood", "drawn", kit.today - timedelta(days=1)) == ()
    with pytest.raises(conduct.FormRefused):
        correct(kit, patient, "m1", "blood", "cd8", 600)  # the same doubt, on another answer
    assert correct(kit, patient, "m1", "blood", "cd8", 600, comment="sure again") != ()
    with pytest.raises(conduct.FormRefused):
        correct(kit, patient, "m1", "blood", "cd4", 900)
    (finding,) = correct(kit, patient, "m1", "blood", "cd4", 900, comment="counted again")
    assert finding.check == "UPSIDE"


def test_mark_missing_and_answering_after_all(kit, patient):
    kit.record(patient, "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    conduct.mark_missing(kit.trial, patient, "m1", "blood", "cd8", "CLOT", **kit.entry())
    assert stored(kit, patient, "m1", "blood") == {"drawn": "2018-03-01", "cd4": "200", "cd8": "CLOT", "ratio": None}
    correct(kit, patient, "m1", "blood", "cd8", 800)
    assert stored(kit, patient, "m1", "blood")["ratio"] == "0.25"
    old_and_new = [(row["old"], row["old_missing"], row["new"]) for row in kit.rows("correction", item="blood.cd8")]
    assert old_and_new == [("700", None, None), (None, "CLOT", "800")]


def test_an_answer_that_is_not_required_can_be_taken_away(kit):
    participant = kit.assessed(note="left-handed")
    correct(kit, participant, "scr", "entry", "note", None)
    assert stored(kit, participant, "scr", "entry")["note"] is None
    (row,) = kit.rows("correction")
    assert (row["old"], row["new"]) == ("left-handed", None)


def test_the_pages_of_a_repeating_form(kit, patient):
    kit.record(patient, "m1", "drugs", {"name": "cotrimoxazole"})
    kit.record(patient, "m1", "drugs", {"name": "paracetamol"}, repeat=2)
    correct(kit, patient, "m1", "drugs", "name", "ibuprofen", repeat=2)
    assert stored(kit, patient, "m1", "drugs") == {"name": "cotrimoxazole"}
    assert stored(kit, patient, "m1", "drugs", 2) == {"name": "ibuprofen"}


def test_unscheduled_visits_are_named_by_their_date_and_may_be_many(kit, patient):
    kit.record(patient, "extra", "symptoms", {"any": "no"})
    kit.record(patient, "extra@2018-03-01", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    kit.wait(1)
    kit.record(patient, "extra", "symptoms", {"any": "no"})
    assert [row["visit"] for row in kit.rows("visit", participant=patient)] == [
        "extra@2018-03-01",
        "extra@2018-03-02",
        "m0",
        "scr",
    ]


def test_a_visit_date_is_corrected_with_what_was_before(kit, patient):
    kit.record(patient, "m1", "blood", {"drawn": date(2018, 2, 25), "cd4": 200, "cd8": 700})
    conduct.correct_visit_date(kit.trial, patient, "m1", date(2018, 2, 25), **kit.entry(reason="typed the wrong day"))
    (visit,) = kit.rows("visit", participant=patient, visit="m1")
    (kept,) = kit.rows("correction")
    assert visit["date"] == "2018-02-25"
    assert (kept["item"], kept["old"], kept["new"]) == ("visit.date", "2018-03-01", "2018-02-25")
    kit.record(patient, "m1", "symptoms", {"any": "no"}, on=date(2018, 2, 25))


def test_a_missed_visit_can_be_recorded_after_all(kit, patient):
    conduct.miss_visit(kit.trial, patient, "m1", cause="abroad", **kit.entry())
    assert [row["status"] for row in kit.rows("visit", visit="m1")] == ["missed"]
    kit.record(patient, "m1", "symptoms", {"any": "no"})
    assert [(row["status"], row["reason"]) for row in kit.rows("visit", visit="m1")] == [("done", None)]


def test_visits_in_another_order_need_a_comment(kit, patient):
    kit.wait(60)
    kit.record(patient, "m3", "symptoms", {"any": "no"}, on=date(2018, 3, 3))
    with pytest.raises(conduct.FormRefused) as refused:
        kit.record(patient, "m1", "symptoms", {"any": "no"}, on=date(2018, 3, 5))
    assert [finding.check for finding in refused.value.findings] == ["order"]
    comments = {"visit.date": "the labels were exchanged"}
    kit.record(patient, "m1", "symptoms", {"any": "no"}, on=date(2018, 3, 5), comments=comments)


def test_late_entry_of_a_visit_before_leaving_and_before_randomisation(kit):
    participant = kit.consented()
    kit.record(participant, "scr", "entry", {"sex": "M", "age": 40})
    kit.wait(40)
    conduct.withdraw(kit.trial, participant, reason_code="WISH", on=date(2018, 2, 20), **kit.entry())
    blood = {"drawn": date(2018, 2, 20), "cd4": 200, "cd8": 700}
    kit.record(participant, "m0", "blood", blood, on=date(2018, 2, 20))
    assert stored(kit, participant, "m0", "blood")["cd4"] == "200"


def test_days_are_counted_in_the_trials_time_zone(kit):
    """At 17:00 UTC it is the next day in Shanghai."""
    kit.now = kit.now.replace(hour=16, minute=30)
    assert kit.today == date(2018, 2, 2)
    participant = kit.screened()
    (row,) = kit.rows("participant", participant=participant)
    assert row["screened_on"] == "2018-02-02"
