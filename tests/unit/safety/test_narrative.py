"""The form's boxes and the narrative: what is not known says so, and no box is blank."""

from dataclasses import replace

from equipoise.safety.narrative import Case, narrative_of

LEAST = Case(
    participant="01-003",
    number=2,
    trial="NK-HIV",
    sponsor="Hospital",
    term="Fever",
    verbatim="hot at night",
    onset="2018-03-05T14:30",
    grade=3,
    highest_grade=3,
    scale="DAIDS 2.1",
    criteria=("requires or prolongs hospitalisation",),
    related={"nk": "RELATED", "art": "NOT RELATED"},
    expected=False,
    outcome="RECOVERING/RESOLVING",
    aware_at="2018-03-05T16:00Z",
)


def boxes(case: Case) -> dict[str, str]:
    return {box.number: box.text for box in narrative_of(case).boxes}


def test_no_box_is_blank_and_what_is_not_known_says_so():
    found = boxes(LEAST)
    assert all(found.values())
    unknown = [number for number, text in found.items() if text == "not known"]
    assert unknown == ["1a", "2a", "3", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "24d", "25"]
    assert found["7"] == (
        "Fever (reported as: hot at night), grade 3 by DAIDS 2.1; outcome RECOVERING/RESOLVING, ended not known"
    )
    assert found["13"] == "nk: RELATED; art: NOT RELATED; not expected"
    assert found["24b"] == "NK-HIV/01-003/2"
    assert found["25a"] == "initial"


def test_a_list_that_was_asked_for_and_is_empty_says_none():
    assert (boxes(LEAST)["22"], boxes(replace(LEAST, concomitant=()))["22"]) == ("not known", "none")


def test_whether_it_abated_is_said_only_when_the_product_was_stopped():
    assert boxes(replace(LEAST, action="DOSE NOT CHANGED"))["20"] == "not applicable: not stopped"
    assert boxes(replace(LEAST, action="DRUG WITHDRAWN"))["20"] == "outcome after stopping: RECOVERING/RESOLVING"


def test_the_worst_grade_is_told_first():
    better = replace(LEAST, grade=1, highest_grade=4)
    assert "grade 4 at its worst and 1 now by DAIDS 2.1" in boxes(better)["7"]
    assert "from 2018-03-05T14:30, grade 4 at its worst and 1 now by DAIDS 2.1." in narrative_of(better).text


def test_the_dictionary_of_the_term_is_told_with_its_code():
    coded = replace(LEAST, coded_by="MedDRA 27.1, 10037660", resolved="2018-03-07")
    assert boxes(coded)["7"] == (
        "Fever (reported as: hot at night; MedDRA 27.1, 10037660), grade 3 by DAIDS 2.1; "
        "outcome RECOVERING/RESOLVING, ended 2018-03-07"
    )


def test_what_was_given_is_told_before_and_after_the_event():
    given = replace(LEAST, given_on=("course C1: 2018-03-05T13:20",), given_again=())
    assert (boxes(given)["19"], boxes(given)["21"]) == ("1 administration", "not applicable: not given again")
    again = replace(LEAST, given_on=("one", "two"), given_again=("course C3: 2018-05-05T13:20",))
    assert boxes(again)["19"] == "2 administrations"
    assert boxes(again)["21"] == "given again (course C3: 2018-05-05T13:20): not known"
    assert boxes(replace(LEAST, given_on=()))["19"] == "none given"


def test_the_narrative_tells_the_event_in_sentences():
    known = replace(
        LEAST,
        sex="female",
        age="34 years",
        course="C1",
        since_infusion="the event began on the same day",
        action="DRUG INTERRUPTED",
    )
    assert narrative_of(known).text == (
        "Participant 01-003 (female, 34 years) of trial NK-HIV had Fever, reported as “hot at night”, "
        "from 2018-03-05T14:30, grade 3 by DAIDS 2.1. "
        "The last infusion before it was of course C1; the event began on the same day. "
        "It is serious: it requires or prolongs hospitalisation. "
        "Causality: nk related, art not related; not expected. "
        "Action taken with the trial intervention: drug interrupted. Treatment: not known. "
        "Outcome: recovering/resolving, ended not known. The site became aware at 2018-03-05T16:00Z."
    )
    assert "sex and age not known" in narrative_of(LEAST).text
    assert "course" not in narrative_of(LEAST).text
