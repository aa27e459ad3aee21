"""A case put together from the record: what was given before the event and after it, and in whose words."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from equipoise.report import case_of, narrative_page
from equipoise.report.narratives import NoSuchEvent
from equipoise.safety.narrative import narrative_of

NOW = datetime(2020, 5, 4, 9, 30, tzinfo=UTC)


def told(snapshot, participant, **more):
    case = case_of(snapshot, participant, 1, reported_at=NOW, **more)
    narrative = narrative_of(case)
    return {box.number: box.text for box in narrative.boxes}, narrative.text


@pytest.fixture
def fever(treated):
    """Who had a fever after the first of several infusions, and that event's row."""
    events = treated.adverse_events
    given = treated.infusions.groupby("participant")["course"].count()
    found = events[(events["term"] == "FEVER") & events["participant"].isin(given[given == 3].index)]
    return found.iloc[0]["participant"], found.index[0]


def test_what_was_given_before_the_event_is_suspect_and_what_came_after_was_given_again(treated, fever):
    participant, place = fever
    events = treated.adverse_events.copy()
    second = treated.infusions[
        (treated.infusions["participant"] == participant) & (treated.infusions["course"] == "C2")
    ].iloc[0]
    events.at[place, "onset_given"] = f"{second['on']}"
    events.at[place, "followed_course"], events.at[place, "hours_after_infusion"] = "C2", None
    boxes, text = told(replace(treated, adverse_events=events), participant)
    assert "(course C1)" in boxes["14"]
    assert "(course C2)" in boxes["14"]
    assert "(course C3)" not in boxes["14"]
    assert boxes["19"] == "2 administrations"
    assert boxes["21"].startswith("given again (course C3: ")
    assert "The last infusion before it was of course C2; the event began on the same day." in text


def test_hours_are_told_while_they_matter(treated, fever):
    participant, _ = fever
    assert "of course C1; the event began 2.0 hours after its start." in told(treated, participant)[1]


def test_an_infusion_that_was_stopped_is_told_with_its_reason(treated):
    stopped = treated.infusions[treated.infusions["completed"].eq(False)].iloc[0]
    events = treated.adverse_events.copy()
    events.at[0, "participant"], events.at[0, "number"] = stopped["participant"], 1
    events.at[0, "onset_given"] = "2020-01"
    events = events.iloc[:1]
    boxes, _ = told(replace(treated, adverse_events=events), stopped["participant"])
    assert f"course {stopped['course']} 70 mL, 0.70 of the plan, stopped: chills" in boxes["15"]


def test_who_was_given_nothing_is_told_to_have_been_given_nothing(treated):
    participant = treated.adverse_events[treated.adverse_events["term"] == "PNEUMONIA"].iloc[0]["participant"]
    bare = replace(treated, infusions=treated.infusions[:0])
    boxes, text = told(bare, participant)
    assert (boxes["14"], boxes["15"], boxes["18"], boxes["19"]) == ("none", "none given", "none", "none given")
    assert "No product of the trial was given before it." in text
    assert "It is serious: it requires or prolongs hospitalisation." in text


def test_an_event_that_somebody_was_told_of_is_followed_up(treated, fever):
    participant, place = fever
    events = treated.adverse_events.copy()
    assert told(treated, participant)[0]["25a"] == "initial"
    assert told(treated, participant, follow_up=True)[0]["25a"] == "follow-up"
    events.at[place, "told"] = (("authority", NOW),)
    assert told(replace(treated, adverse_events=events), participant)[0]["25a"] == "follow-up"


def test_the_page_says_that_it_is_of_a_rehearsal(treated, fever):
    case = case_of(treated, fever[0], 1, reported_at=NOW)
    page = narrative_page(replace(treated, rehearsal="rehearsal, seed 1"), case)
    assert "Rehearsal with virtual participants: this is not an event of a person. (rehearsal, seed 1)" in page
    assert "this is not an event of a person" not in narrative_page(replace(treated, rehearsal=None), case)
    assert "<dt>25 Date of this report</dt><dd>2020-05-04T17:30</dd>" in page  # by the trial's clock


def test_an_event_that_is_not_there_is_refused(treated):
    with pytest.raises(NoSuchEvent, match="number = 7: is not an adverse event of 99-999; check the code"):
        case_of(treated, "99-999", 7, reported_at=NOW)
