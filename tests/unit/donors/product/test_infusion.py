"""Infusions that may start, those that may not and why, and what is noted of a start."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from equipoise.donors import (
    DonorMatch,
    RecordedWeight,
    start_findings,
)

TEN_O_CLOCK = datetime(2018, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=8)))
TEXTS = {
    "trial stopped": "trial = stopped: the stopping boundary was crossed; give no infusion",
    "not randomised": "participant = P1: is not randomised; randomise first",
    "withdrawn": "participant = P1: has left the trial or its intervention; give no infusion",
    "other arm": "participant = P1: is not to receive nk_cells; check who is at the bedside",
    "stopped for them": (
        "participant = P1: nk_cells is stopped: a related event of grade 3; give no infusion; "
        "record the course as missed"
    ),
    "no such course": "course = C9: is not a course of nk_courses; use one of C1, C2, C3",
    "given already": "course = C1: was given already; a course is given once",
    "recorded as missed": "course = C1: is recorded as missed; take that back first",
    "later given": "course = C1: course C2 after it was given already; record C1 as missed",
    "earlier not given": (
        "course = C2: course C1 before it was neither given nor recorded as missed; give C1, or record it as missed"
    ),
    "too early": (
        "started_at = 2018-03-02: is outside the window of course C1, 2018-03-03 to 2018-03-08; wait until it opens"
    ),
    "too late": (
        "started_at = 2018-03-02: is outside the window of course C1, 2018-03-01 to 2018-03-01; "
        "record the course as missed"
    ),
    "samples not taken": (
        "course = C2: the samples of visit m1 come first and are not recorded; take and record those of m1"
    ),
    "ends before it starts": (
        "ends_at = 2018-03-02 08:59+08:00: is before the start, 2018-03-02 09:00+08:00; correct one of the two times"
    ),
    "told the next day": (
        "started_at = 2018-03-02 09:00+08:00: is told only at 2018-03-03 08:00+08:00; "
        "correct the time, or say why it is told so late (told_late)"
    ),
    "no such bag": "bag = B1: is not in the record; scan the bag again",
    "bag running": "bag B1 = infusing: is used already; a bag is given once; fetch another",
    "bag used": "bag B1 = infused: is used already; a bag is given once; fetch another",
    "bag in stock": "bag B1 = received: is not issued; issue it to the participant and course",
    "bag destroyed": "bag B1 = destroyed: is not issued; issue it to the participant and course",
    "bag of another": "bag B1 = P2: is issued to another participant than P1; stop; fetch the right bag",
    "bag of another course": "bag B1 = C2: is issued for another course than C1; fetch the right bag",
    "other product": "bag B1 = t_cells: is of another product than nk_cells; fetch the right bag",
    "donor not matched": "donor = D1: is not matched to P1; stop; fetch a bag of a matched donor",
    "donor matches": (
        "donor = D1: is match for P1, which the protocol does not allow; stop; fetch a bag of a matched donor"
    ),
    "donor ambiguous": (
        "donor = D1: is ambiguous for P1, which the protocol does not allow; stop; fetch a bag of a matched donor"
    ),
    "lot in quarantine": "lot L1 = quarantine: is not released; let the quality unit release it",
    "lot rejected": "lot L1 = rejected: is not released; return the bag",
    "lot recalled": "lot L1 = recalled: is not released; return the bag",
    "lot conditional": (
        "lot L1 = conditionally released: has results to come; "
        "wait for them, or say why it is used before (accept_conditional)"
    ),
    "donor no longer eligible": "donor = D1: is not eligible: HBV positive; return the bag; quarantine the lot",
    "late bad result": (
        "criterion sterility = POSITIVE: Sterility of 14 days: POSITIVE does not meet value == 'NEGATIVE'; "
        "return the bag; recall the lot"
    ),
    "result that does not tell": (
        "criterion viability = > 80: Viability: > 80 % does not tell whether value >= 85; "
        "repeat the test with a method that does; return the bag; have the result told again"
    ),
    "expired": (
        "lot L1 expiry = 2018-03-02 09:00+08:00: has gone by at the start, 2018-03-02 09:00+08:00; "
        "return the bag; fetch another"
    ),
    "expires during": (
        "lot L1 expiry = 2018-03-02 09:30+08:00: comes before the end of the infusion, 2018-03-02 10:00+08:00; "
        "fetch another bag, or give it faster"
    ),
    "too warm": (
        "bag B1: was at 9.5 °C, outside 2 to 8 °C on 2018-03-01 20:00+08:00; "
        "return the bag, or let the quality unit say why it may be used"
    ),
    "label of another bag": ("label.bag = B2: read at the bedside, is not B1; stop; compare bag, label and wristband"),
    "label of another lot": ("label.lot = L2: read at the bedside, is not L1; stop; compare bag, label and wristband"),
    "another wristband": (
        "label.participant = P2: read at the bedside, is not P1; stop; compare bag, label and wristband"
    ),
    "label of another day": (
        "label.expires_at = 2018-03-03 18:00+08:00: read at the bedside, is not 2018-03-02 18:00+08:00; "
        "stop; compare bag and label"
    ),
    "label without expiry": (
        "label.expires_at: read at the bedside, is not 2018-03-02 18:00+08:00; stop; compare bag and label"
    ),
    "checker who released": (
        "checked_by = nurse.wang: released lot L1, and who releases a lot does not give it; "
        "let another person compare bag and label"
    ),
    "one checker": (
        "checked_by = nurse.li: names 1 of the 2 different persons who check identity; "
        "let another person compare bag and wristband"
    ),
    "one checker twice": (
        "checked_by = nurse.li,  Nurse.LI : names 1 of the 2 different persons who check identity; "
        "let another person compare bag and wristband"
    ),
    "question unanswered": "no_infection: No acute infection: is not answered; answer yes or no",
    "question answered no": (
        "afebrile = no: No fever within 24 hours: the answer is no; wait, or record the course as missed"
    ),
    "question unknown": ("preconditions = fasting: is not one of nk_courses; use one of afebrile, no_infection"),
    "weight missing": (
        "dose limit cd3_kg: cd3_per_kg is not known: the weight or a result of the lot is missing; "
        "record weight and results of the lot"
    ),
    "weight zero": "weight_kg = 0: is not from 2 to 350 kg; weigh the participant again",
    "weight beyond belief": "weight_kg = 586: is not from 2 to 350 kg; weigh the participant again",
    "weight of another": (
        "weight_kg = 60: is 20 % off the 75 kg of 2018-03-01, more than 15 %; "
        "weigh again; correct the recorded weight if that is wrong, or say why it changed (accept_weight)"
    ),
    "T cells": (
        "dose limit cd3_kg: cd3_per_kg = 300000 cells/kg does not meet value <= 200000; return the bag; fetch another"
    ),
    "endotoxin": (
        "dose limit endotoxin_kg: endotoxin_per_kg = 9.8 [EU]/kg does not meet value <= 5; "
        "return the bag; fetch another"
    ),
}


def test_a_right_infusion_may_start(kit):
    assert kit.reasons_after() == ()


def test_every_defect_has_a_text(kit):
    assert TEXTS.keys() == kit.DEFECTS.keys()


@pytest.mark.parametrize("name", TEXTS)
def test_a_wrong_infusion_is_refused_with_its_reason(kit, name):
    change, code = kit.DEFECTS[name]
    reasons = kit.reasons_after(change)
    assert reasons[0].code == code
    assert str(reasons[0]) == TEXTS[name]
    # A missing weight leaves two limits open; one that cannot be is told beside them. All else stands alone.
    open_limits = ["dose-limit", "dose-limit"]
    more = {"weight missing": ["dose-limit"], "weight zero": open_limits, "weight beyond belief": open_limits}
    assert [reason.code for reason in reasons[1:]] == more.get(name, [])


def test_all_reasons_come_at_once(kit):
    changes = [kit.DEFECTS[name][0] for name in ("withdrawn", "given already", "lot recalled", "label of another bag")]
    assert [reason.code for reason in kit.reasons_after(*changes)] == [
        "withdrawn",
        "course-given",
        "lot-status",
        "label-bag",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": {"ends_at": None}},
        {"lot": {"expires_at": TEN_O_CLOCK}, "label": {"expires_at": TEN_O_CLOCK}},  # the expected end
        {"attempt": {"checked_by": ("nurse.li", "nurse.wang", "dr.ma")}},
        {"standing": {"matches": None}},
        {"standing": {"matches": {"D1": DonorMatch("ambiguous", "typed at low resolution, accepted by Dr Ma")}}},
        {"lot": {"status": "conditionally released"}, "attempt": {"accept_conditional": "sterility takes 14 days"}},
        {"warm": Decimal("9.5"), "held": {"excursions_accepted": "five minutes on receipt"}},
        {"label": {"bag": " B1 "}},
        {"standing": {"weight": RecordedWeight(Decimal("52.2"), date(2018, 3, 1))}},  # 14.9 % off
        {"standing": {"weight": RecordedWeight(Decimal(0), date(2018, 3, 1))}},  # nothing to compare with
        {
            "standing": {"weight": RecordedWeight(Decimal(75), date(2018, 3, 1))},
            "attempt": {"accept_weight": "ascites drained on 1 March"},
        },
        {"opens": date(2018, 3, 2), "closes": date(2018, 3, 2)},
        {"held": {"results": ()}, "product": None},
        {"attempt": {"course": "C3"}, "held": {"issued_for": "C3"}, "standing": {"missed": frozenset({"C1", "C2"})}},
        {
            "attempt": {"course": "C2"},
            "held": {"issued_for": "C2"},
            "standing": {"given": frozenset({"C1"}), "visits_done": frozenset({"m1"})},
        },
    ],
)
def test_what_the_protocol_allows_is_no_reason(kit, change):
    if change.get("product", "") is None:  # a product without criteria and limits asks for no results
        change = change | {"product": kit.product(dose_limits=[], release=[], composition={})}
    assert kit.reasons_after(change) == ()


@pytest.mark.parametrize(
    ("recorded", "found"),
    [("51", "17.7"), ("52.17", "15.1"), ("52.174", None), ("70.5882", None), ("70.6", "15.1")],
)
def test_a_weight_may_differ_by_a_share_of_the_recorded_one(kit, recorded, found):
    reasons = kit.reasons_after({"standing": {"weight": RecordedWeight(Decimal(recorded), date(2018, 3, 1))}})
    assert [reason.problem.partition(" %")[0] for reason in reasons] == ([] if found is None else [f"is {found}"])


@pytest.mark.parametrize(
    ("after", "why", "codes", "noted"),
    [
        (timedelta(hours=1), "", [], []),
        (timedelta(minutes=61), "", ["told-late"], []),
        (timedelta(minutes=61), " ", ["told-late"], []),
        (timedelta(minutes=61), "the line was down", [], ["told-late"]),
        (timedelta(hours=8, minutes=59), "the line was down", [], ["told-late"]),
        (timedelta(hours=9), "the line was down", [], ["told-late", "expired-when-told"]),
    ],
)
def test_a_start_that_is_told_late_needs_a_word_and_is_noted(kit, after, why, codes, noted):
    attempt = replace(kit.ATTEMPT, told_at=kit.STARTED + after, told_late=why)
    assert [
        reason.code for reason in kit.reasons_after({"attempt": {"told_at": attempt.told_at, "told_late": why}})
    ] == codes
    if not codes:
        found = start_findings(attempt, product=kit.PRODUCT, held=kit.HELD)
        assert [one.code for one in found] == noted


def test_what_is_noted_of_a_start_says_when_and_why(kit):
    attempt = replace(kit.ATTEMPT, told_at=kit.EXPIRES, told_late=" the line was down ")
    assert [str(one) for one in start_findings(attempt, product=kit.PRODUCT, held=kit.HELD)] == [
        "started_at = 2018-03-02 09:00+08:00: was told only at 2018-03-02 18:00+08:00: the line was down; "
        "report a deviation",
        "lot L1 expiry = 2018-03-02 18:00+08:00: had gone by when the start was told, 2018-03-02 18:00+08:00; "
        "report a deviation",
    ]


def test_a_participant_without_an_arm_has_no_window(kit):
    reasons = kit.reasons_after({"standing": {"randomised": False}, "opens": None, "closes": None})
    assert [reason.code for reason in reasons] == ["not-randomised"]


def test_three_persons_check_where_the_protocol_says_so(kit):
    (reason,) = kit.reasons_after({"regimen": kit.regimen(identity_checks=3)})
    assert str(reason) == (
        "checked_by = nurse.li, nurse.wang: names 2 of the 3 different persons who check identity; "
        "let another person compare bag and wristband"
    )


def test_a_criterion_per_kg_is_judged_with_the_weight(kit):
    release = [criterion.model_dump() for criterion in kit.PRODUCT.release]
    release.append(
        {"id": "t_dose", "test": "T cells of a bag", "unit": "cells", "rule": "value < 40000", "per_kg": True}
    )
    product = kit.product(release=release, dose_limits=[])
    result = replace(kit.result("cd3", "2400000"), criterion="t_dose", unit="cells")
    held = {"results": (*kit.results(), result)}
    (reason,) = kit.reasons_after({"product": product, "held": held})
    assert str(reason) == (
        "t_dose = 2400000: T cells of a bag: 2400000 cells in 60 kg does not meet value < 40000; "
        "return the bag; fetch another"
    )
    assert kit.reasons_after({"product": product, "held": held, "attempt": {"weight_kg": Decimal(61)}}) == ()
    (reason,) = kit.reasons_after({"product": product, "held": held, "attempt": {"weight_kg": None}})
    assert str(reason) == (
        "t_dose = 2400000: T cells of a bag: 2400000 cells is judged by weight at each infusion; weigh the participant"
    )
