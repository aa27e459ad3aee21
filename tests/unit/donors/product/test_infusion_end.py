"""How infusions end: what cannot be is refused, what happened is noted, and what was given is computed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from equipoise.donors import Finish, check_finish, finish_findings, given_dose


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({}, []),
        ({"completed": False, "stop_reason": "chills"}, []),
        ({"volume_given_ml": Decimal(0), "completed": False, "stop_reason": "no vein was found"}, []),
        (
            {"completed": False},
            ["stop_reason: is missing for an infusion that was not completed; say why it was stopped"],
        ),
        (
            {"stop_reason": "chills"},
            ["stop_reason = chills: is given for an infusion that was completed; leave one of the two out"],
        ),
        (
            {"volume_given_ml": Decimal("100.1")},
            ["volume_given_ml = 100.1: is above the 100 mL of bag B1; correct the volume"],
        ),
        ({"volume_given_ml": Decimal(90)}, []),
        (
            {"volume_given_ml": Decimal("89.9")},
            [
                "volume_given_ml = 89.9: is below 90 of the 100 mL of bag B1, for an infusion that was completed; "
                "correct the volume, or record it as not completed and say why it was stopped"
            ],
        ),
        (
            {"volume_given_ml": Decimal(0)},
            [
                "volume_given_ml = 0: is below 90 of the 100 mL of bag B1, for an infusion that was completed; "
                "correct the volume, or record it as not completed and say why it was stopped"
            ],
        ),
        ({"volume_given_ml": Decimal(-1)}, ["volume_given_ml = -1: is below zero; write the volume given in mL"]),
        ({"volume_given_ml": Decimal("NaN")}, ["volume_given_ml = NaN: is below zero; write the volume given in mL"]),
    ],
)
def test_an_end_is_told_as_it_can_be(kit, changes, texts):
    finish = replace(Finish(kit.STARTED + timedelta(hours=1), Decimal(100), True), **changes)
    assert [str(one) for one in check_finish(finish, kit.BAG, started_at=kit.STARTED)] == texts


def test_an_infusion_does_not_stop_before_it_starts(kit):
    finish = Finish(kit.STARTED - timedelta(minutes=1), Decimal(100), True)
    assert [str(one) for one in check_finish(finish, kit.BAG, started_at=kit.STARTED)] == [
        "stopped_at = 2018-03-02 08:59+08:00: is before the start, 2018-03-02 09:00+08:00; correct the time"
    ]
    at_once = replace(finish, stopped_at=kit.STARTED)
    assert check_finish(at_once, kit.BAG, started_at=kit.STARTED) == ()


def test_an_infusion_does_not_last_for_weeks(kit):
    finish = Finish(kit.STARTED + timedelta(days=7), Decimal(100), True)
    assert check_finish(finish, kit.BAG, started_at=kit.STARTED) == ()
    later = replace(finish, stopped_at=finish.stopped_at + timedelta(minutes=1))
    assert [str(one) for one in check_finish(later, kit.BAG, started_at=kit.STARTED)] == [
        "stopped_at = 2018-03-09 09:01+08:00: is more than 7 days after the start, 2018-03-02 09:00+08:00; "
        "correct the time"
    ]


@pytest.mark.parametrize(("lasts", "codes"), [(timedelta(days=1), []), (timedelta(hours=25), ["lasted-long"])])
def test_an_infusion_of_more_than_a_day_is_noted(kit, lasts, codes):
    held = replace(kit.HELD, lot=replace(kit.LOT, expires_at=None))
    how = {"started_at": kit.STARTED, "product": kit.product(shelf_life=None), "regimen": kit.REGIMEN}
    found = finish_findings(Finish(kit.STARTED + lasts, Decimal(100), True), held, weight_kg=Decimal(60), **how)
    assert [one.code for one in found] == codes
    assert [str(one) for one in found if codes] == [
        "stopped_at = 2018-03-03 10:00+08:00: is more than 24 hours after the start, 2018-03-02 09:00+08:00; "
        "check both times, and report a deviation"
    ] * len(codes)


def test_what_happened_is_noted_and_not_refused(kit):
    def noted(finish):
        how = {"started_at": kit.STARTED, "product": kit.PRODUCT, "regimen": kit.REGIMEN, "weight_kg": Decimal(60)}
        found = finish_findings(finish, kit.HELD, **how)
        return [str(one) for one in found]

    assert noted(Finish(kit.EXPIRES, Decimal(100), True)) == []
    late = Finish(kit.EXPIRES + timedelta(minutes=5), Decimal(40), False, "chills")
    assert noted(late) == [
        "lot L1 expiry = 2018-03-02 18:00+08:00: went by before the infusion ended, 2018-03-02 18:05+08:00; "
        "report a deviation",
        "dose = below: 41040000 viable NK cells of 100000000 planned, below 90000000 to 110000000; report a deviation",
        "dose limit viable: viable_nk = 41040000 cells does not meet value >= 50000000; report a deviation",
    ]
    dose = given_dose(late, kit.HELD, product=kit.PRODUCT, weight_kg=Decimal(60))
    assert (dose.cells, dose.cd3_per_kg.exact) == (Decimal(48_000_000), Decimal(16_000))
