"""Release criteria, full and conditional release, and late results out of specification."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from equipoise.donors import (
    ProductRefused,
    Recipient,
    accepted_value,
    judge_criterion,
    judge_lot,
    out_of_specification,
    overdue,
    release_reasons,
)


def criterion(kit, criterion_id):
    return next(one for one in kit.PRODUCT.release if one.id == criterion_id)


@pytest.mark.parametrize(
    ("criterion_id", "value", "verdict", "text"),
    [
        ("viability", "85", "passes", "Viability: 85 % meets value >= 85"),
        ("viability", "84.9", "fails", "Viability: 84.9 % does not meet value >= 85"),
        (
            "viability",
            "> 80",
            "undecided",
            "Viability: > 80 % does not tell whether value >= 85; repeat the test with a method that does",
        ),
        ("endotoxin", "< 0.05", "passes", "Endotoxin: < 0.05 [EU]/mL meets value < 5"),
        ("endotoxin", "5", "fails", "Endotoxin: 5 [EU]/mL does not meet value < 5"),
        ("lysis", "20", "fails", "K562 lysis: 20 % does not meet value > 20 (informational)"),
        ("sterility", "NEGATIVE", "passes", "Sterility of 14 days: NEGATIVE meets value == 'NEGATIVE'"),
        ("sterility", "POSITIVE", "fails", "Sterility of 14 days: POSITIVE does not meet value == 'NEGATIVE'"),
        ("sterility", None, "pending", "Sterility of 14 days: no result yet, due on 2018-03-15"),
        ("viability", None, "pending", "Viability: no result yet, needed before release"),
    ],
)
def test_a_criterion_says_how_it_stands(kit, criterion_id, value, verdict, text):
    given = [] if value is None else [kit.result(criterion_id, value)]
    judged = judge_criterion(criterion(kit, criterion_id), given, made_at=kit.MADE)
    assert (judged.verdict, judged.value, judged.text) == (verdict, value, text)


def test_a_repeated_test_stands_beside_the_first_until_that_is_invalidated(kit):
    viability = criterion(kit, "viability")
    failed, repeated = kit.result("viability", "70"), kit.result("viability", "90", hours=2)
    judged = judge_criterion(viability, [failed, repeated], made_at=kit.MADE)
    assert (judged.verdict, judged.value) == ("fails", "70")
    valid = kit.result("viability", "90", hours=2, invalidates="the first sample was left at room temperature")
    judged = judge_criterion(viability, [failed, valid], made_at=kit.MADE)
    assert (judged.verdict, judged.value) == ("passes", "90")
    again = kit.result("viability", "60", hours=3)
    judged = judge_criterion(viability, [failed, valid, again], made_at=kit.MADE)
    assert (judged.verdict, judged.value) == ("fails", "60")


def test_a_criterion_per_kg_waits_for_the_weight(kit):
    per_kg = criterion(kit, "cd3").model_copy(update={"per_kg": True, "unit": "cells"})
    given = [replace(kit.result("cd3", "1000"), unit="cells")]
    judged = judge_criterion(per_kg, given, made_at=kit.MADE)
    assert (judged.verdict, judged.text) == ("by weight", "CD3+ cells: 1000 cells is judged by weight at each infusion")
    assert not judged.stands_in_the_way
    for weight, verdict, says in (("50", "passes", "meets"), ("49", "fails", "does not meet")):
        judged = judge_criterion(per_kg, given, made_at=kit.MADE, weight_kg=Decimal(weight))
        assert (judged.verdict, judged.text) == (verdict, f"CD3+ cells: 1000 cells in {weight} kg {says} value <= 20")


ELSEWHERE = "as the protocol in force asks; record it so, and why the earlier is not valid"


@pytest.mark.parametrize(
    ("unit", "told", "text"),
    [
        ("1", "%", f"CD3+ cells: 15 % is not in 1, {ELSEWHERE}"),
        (None, "%", f"CD3+ cells: 15 % is not without a unit, {ELSEWHERE}"),
        ("%", None, f"CD3+ cells: 15 is not in %, {ELSEWHERE}"),
    ],
)
@pytest.mark.parametrize("per_kg", [True, False])
def test_a_result_in_another_unit_than_the_criterions_decides_nothing(kit, unit, told, text, per_kg):
    # 15 would pass `value <= 20`, whatever it was measured in
    amended = criterion(kit, "cd3").model_copy(update={"unit": unit, "per_kg": per_kg})
    given = [replace(kit.result("cd3", "15"), unit=told)]
    for weight in (None, Decimal(60)):
        judged = judge_criterion(amended, given, made_at=kit.MADE, weight_kg=weight)
        assert (judged.verdict, judged.value, judged.text) == ("undecided", "15", text)
        assert judged.stands_in_the_way


def test_a_result_in_the_new_unit_decides_once_the_earlier_is_not_valid(kit):
    amended = criterion(kit, "cd3").model_copy(update={"unit": "1"})
    old, new = kit.result("cd3", "15"), replace(kit.result("cd3", "0.15"), unit="1")
    assert judge_criterion(amended, [old, new], made_at=kit.MADE).verdict == "undecided"
    assert judge_criterion(amended, [old, replace(new, value="21")], made_at=kit.MADE).verdict == "fails"
    new = replace(new, invalidates="told in % before")
    assert judge_criterion(amended, [old, new], made_at=kit.MADE).verdict == "passes"


def test_a_criterion_that_is_not_per_kg_does_not_heed_the_weight(kit):
    given = [kit.result("viability", "90")]
    judged = judge_criterion(criterion(kit, "viability"), given, made_at=kit.MADE, weight_kg=Decimal(60))
    assert (judged.verdict, judged.text) == ("passes", "Viability: 90 % meets value >= 85")


@pytest.mark.parametrize(
    ("criterion_id", "value", "unit", "kept"),
    [
        ("sterility", " negative ", None, "NEGATIVE"),
        ("sterility", "Growth", None, "Growth"),
        ("endotoxin", " < 0.05", "[EU]/mL", "< 0.05"),
    ],
)
def test_a_result_is_kept_in_the_words_of_the_rule(kit, criterion_id, value, unit, kept):
    assert accepted_value(criterion(kit, criterion_id), value, unit) == kept


@pytest.mark.parametrize(
    ("criterion_id", "value", "unit", "text"),
    [
        ("endotoxin", "0.5", "EU/mL", "unit of endotoxin = EU/mL: is not [EU]/mL; report it in [EU]/mL"),
        ("endotoxin", "0.5", None, "unit of endotoxin: is not [EU]/mL; report it in [EU]/mL"),
        ("sterility", "NEGATIVE", "%", "unit of sterility = %: is not empty; leave the unit out"),
        ("sterility", " ", None, "result of sterility: is blank; write what the laboratory reported"),
        (
            "cd3",
            "few",
            "%",
            "result of cd3 = few: is not a number; "
            "write a number of zero or more, such as 0.05, or a bound, such as < 0.05",
        ),
    ],
)
def test_a_result_that_cannot_be_judged_is_refused(kit, criterion_id, value, unit, text):
    with pytest.raises(ProductRefused) as refused:
        accepted_value(criterion(kit, criterion_id), value, unit)
    assert str(refused.value) == text


def reasons(kit, *, conditional=False, results=None, lot=None, **changes):
    arguments = {
        "donor_eligible": True,
        "released_by": "quality.zhao",
        "investigators": ("dr.ma",),
        "checkers": {"nurse.li", "nurse.wang"},
        "at": kit.RECEIVED,
    } | changes
    lot = replace(kit.LOT, status="quarantine") if lot is None else lot
    results = kit.results() if results is None else results
    return release_reasons(kit.PRODUCT, lot, results, conditional=conditional, **arguments)


def test_a_good_lot_is_released(kit):
    assert reasons(kit) == ()
    assert reasons(kit, conditional=True, results=kit.results(sterility=None)) == ()
    assert reasons(kit, lot=replace(kit.LOT, status="conditionally released")) == ()
    assert reasons(kit, results=kit.results(lysis="5")) == ()
    assert reasons(kit, results=kit.results(lysis=None)) == ()


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        (
            {"donor_eligible": None},
            [
                "donor D1 = not yet judged: its product stays in quarantine until the donor is eligible "
                "(21 CFR 1271.60); judge the donor first"
            ],
        ),
        (
            {"donor_eligible": False},
            [
                "donor D1 = not eligible: its product stays in quarantine until the donor is eligible "
                "(21 CFR 1271.60); reject the lot"
            ],
        ),
        (
            {"released_by": "Dr.Ma "},
            ["released_by = Dr.Ma : is an investigator of the trial; let the quality unit release it"],
        ),
        (
            {"released_by": "NURSE.li\u200b"},
            ["released_by = NURSE.li\\u200b: gave a bag of lot L1; let another person release it"],
        ),
    ],
)
def test_donor_and_releaser_are_asked_for(kit, changes, texts):
    for conditional, given in ((False, kit.results()), (True, kit.results(sterility=None))):
        assert [str(one) for one in reasons(kit, conditional=conditional, results=given, **changes)] == texts


def test_results_stand_in_the_way_each_in_its_own_way(kit):
    given = kit.results(viability="70", endotoxin="< 10", cd3=None, sterility=None)
    fails = "criterion viability = 70: Viability: 70 % does not meet value >= 85; reject the lot"
    missing = "criterion cd3: CD3+ cells: no result yet, needed before release; record the result"
    unclear = (
        "criterion endotoxin = < 10: Endotoxin: < 10 [EU]/mL does not tell whether value < 5; "
        "repeat the test with a method that does; record the repeated result"
    )
    waits = (
        "criterion sterility: Sterility of 14 days: no result yet, due on 2018-03-15; "
        "record the result, or release the lot conditionally"
    )
    assert [str(one) for one in reasons(kit, results=given)] == [fails, missing, unclear, waits]
    assert [str(one) for one in reasons(kit, conditional=True, results=given)] == [fails, missing, unclear]


def test_a_conditional_release_ends_with_the_due_day(kit):
    last = kit.MADE + timedelta(days=14)
    lot, given = replace(kit.LOT, status="quarantine"), kit.results(sterility=None)
    codes = [
        [one.code for one in reasons(kit, conditional=True, lot=lot, results=given, at=at)]
        for at in (last, last + timedelta(days=1))
    ]
    assert codes == [["expired"], ["expired", "criterion-overdue"]]
    verdicts = judge_lot(kit.PRODUCT, lot, given)
    assert overdue(verdicts, date(2018, 3, 15)) == ()
    assert [one.criterion for one in overdue(verdicts, date(2018, 3, 16))] == ["sterility"]


def test_a_conditional_release_with_nothing_to_come_is_refused(kit):
    (reason,) = reasons(kit, conditional=True)
    assert str(reason) == "lot L1: no blocking result is pending; release it in full, or reject it"


def test_status_and_expiry_are_asked_for(kit):
    lot = replace(kit.LOT, status="rejected")
    assert [str(one) for one in reasons(kit, lot=lot, at=kit.EXPIRES)] == [
        "lot L1 = rejected: cannot become released; nothing follows; receive another lot",
        "lot L1 expiry = 2018-03-02 18:00+08:00: has expired by 2018-03-02 18:00+08:00; reject the lot",
    ]


def test_a_late_bad_result_names_the_bags_and_who_received_them(kit):
    lot = replace(kit.LOT, status="conditionally released")
    (notice,) = out_of_specification(
        kit.PRODUCT, lot, kit.results(sterility="POSITIVE"), [Recipient("B1", "P1"), Recipient("X9", "P9")]
    )
    assert (notice.criterion, notice.value, notice.rule) == ("sterility", "POSITIVE", "value == 'NEGATIVE'")
    assert (notice.received, notice.left) == ((Recipient("B1", "P1"),), ("B2",))
    assert str(notice) == (
        "lot L1: Sterility of 14 days = POSITIVE is out of specification (value == 'NEGATIVE'); given: bag B1 to P1; "
        "hold B2; tell the investigator, who follows up those who received it; the quality unit decides on recall"
    )


def test_a_bad_result_before_release_gives_no_notice_unless_a_bag_was_given(kit):
    lot, bad = replace(kit.LOT, status="quarantine"), kit.results(viability="70", lysis="5")
    assert out_of_specification(kit.PRODUCT, lot, bad, []) == ()
    given = [Recipient("B1", "P1"), Recipient("B2", "P2")]
    notices = out_of_specification(kit.PRODUCT, lot, bad, given)
    assert [(one.criterion, one.blocking, one.left) for one in notices] == [
        ("viability", True, ()),
        ("lysis", False, ()),
    ]
    assert out_of_specification(kit.PRODUCT, kit.LOT, kit.results(), given) == ()
    (unused,) = out_of_specification(kit.PRODUCT, kit.LOT, kit.results(cd3="30"), [])
    assert str(unused) == (
        "lot L1: CD3+ cells = 30 is out of specification (value <= 20); given: no bag; hold B1, B2; "
        "the quality unit decides on recall"
    )
