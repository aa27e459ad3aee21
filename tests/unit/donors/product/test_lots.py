"""Lots, bags, their statuses, expiry and temperatures."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product as pairs
from typing import get_args

import pytest

from equipoise.donors import (
    Bag,
    LotResult,
    LotStatus,
    ProductRefused,
    Temperature,
    check_donation,
    excursions,
    expiry,
    status_reasons,
)

ALLOWED = {
    ("quarantine", "conditionally released"),
    ("quarantine", "released"),
    ("quarantine", "rejected"),
    ("quarantine", "recalled"),
    ("conditionally released", "released"),
    ("conditionally released", "quarantine"),
    ("conditionally released", "recalled"),
    ("released", "quarantine"),
    ("released", "recalled"),
}


@pytest.mark.parametrize(("now", "to"), list(pairs(get_args(LotStatus), repeat=2)))
def test_a_status_follows_only_where_it_may(kit, now, to):
    reasons = status_reasons(replace(kit.LOT, status=now), to)
    assert [reason.code for reason in reasons] == ([] if (now, to) in ALLOWED else ["lot-status"])


def test_the_refusal_says_what_may_follow(kit):
    (reason,) = status_reasons(kit.LOT, "released")
    assert str(reason) == "lot L1 = released: cannot become released; it may become quarantine or recalled"
    (reason,) = status_reasons(replace(kit.LOT, status="rejected"), "released")
    assert str(reason) == "lot L1 = rejected: cannot become released; nothing follows; receive another lot"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"id": " "}, "lot =  : is blank; write its code"),
        ({"donor": ""}, "donor = : is blank; write its code"),
        ({"bags": ()}, "bags: lot L1 has none; enter each bag with cells and volume"),
        (
            {"made_at": datetime(2018, 3, 1, 18)},
            "made_at = 2018-03-01 18:00:00: has no time zone; give the time with its offset, such as +08:00",
        ),
    ],
)
def test_a_lot_that_cannot_be_is_refused(kit, changes, text):
    with pytest.raises(ProductRefused) as refused:
        replace(kit.LOT, **changes)
    assert str(refused.value) == text


def test_a_donation_is_not_after_the_day_of_the_manufacture_where_the_trial_is(kit):
    made = datetime(2018, 3, 1, 23, tzinfo=UTC)
    lot = replace(kit.LOT, made_at=made.astimezone(kit.SHANGHAI), received_at=kit.STARTED, donated_on=date(2018, 3, 2))
    check_donation(lot)  # made on 2 March at 07:00
    with pytest.raises(ProductRefused) as refused:
        check_donation(replace(lot, donated_on=date(2018, 3, 3)))
    assert str(refused.value) == (
        "donated_on = 2018-03-03: is after the day of manufacture, 2018-03-02; correct one of the two days"
    )


@pytest.mark.parametrize("field", ["received_at", "expires_at"])
def test_times_of_a_lot_stand_in_order(kit, field):
    early = kit.MADE - timedelta(hours=1)
    with pytest.raises(ProductRefused) as refused:
        replace(kit.LOT, **{field: early})
    after = {"received_at": "is before", "expires_at": "is not after"}[field]
    assert str(refused.value) == (
        f"{field} = 2018-03-01 17:00:00+08:00: {after} made_at = 2018-03-01 18:00:00+08:00; "
        "correct one of the two times"
    )


def test_a_bag_is_in_a_lot_once(kit):
    with pytest.raises(ProductRefused) as refused:
        replace(kit.LOT, bags=(kit.BAG, kit.BAG))
    assert str(refused.value) == "bag = B1: stands twice in the lot; give each bag its own code"
    assert kit.LOT.bag("B2").id == "B2"
    assert kit.LOT.bag("B3") is None


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_a_bag_holds_cells_in_a_volume(value):
    with pytest.raises(ProductRefused) as refused:
        Bag("B1", Decimal(value), Decimal(100))
    assert str(refused.value) == f"bag B1 cells = {value}: is not above zero; write what was counted"
    with pytest.raises(ProductRefused) as refused:
        Bag("B1", Decimal(1), Decimal(value))
    assert str(refused.value) == f"bag B1 volume_ml = {value}: is not above zero; write what was counted"


def test_a_result_has_a_time_with_its_offset():
    with pytest.raises(ProductRefused) as refused:
        LotResult("cd3", "2", datetime(2018, 3, 1), "%")
    assert str(refused.value) == (
        "result of cd3 = 2018-03-01 00:00:00: has no time zone; give the time with its offset, such as +08:00"
    )


def test_a_lot_expires_at_the_sooner_of_shelf_life_and_label(kit):
    unlabelled = replace(kit.LOT, expires_at=None)
    assert expiry(unlabelled, kit.PRODUCT) == kit.EXPIRES
    sooner, later = kit.MADE + timedelta(hours=12), kit.MADE + timedelta(hours=48)
    assert expiry(replace(kit.LOT, expires_at=sooner), kit.PRODUCT) == sooner
    assert expiry(replace(kit.LOT, expires_at=later), kit.PRODUCT) == kit.EXPIRES
    without = kit.product(shelf_life=None)
    assert expiry(replace(kit.LOT, expires_at=later), without) == later
    assert expiry(unlabelled, without) is None


def test_another_shelf_life_may_shorten_what_the_label_says_and_never_lengthens_it(kit):
    assert expiry(kit.LOT, kit.product(shelf_life={"days": 2})) == kit.EXPIRES
    assert expiry(kit.LOT, kit.product(shelf_life=None)) == kit.EXPIRES
    assert expiry(kit.LOT, kit.product(shelf_life={"hours": 6})) == kit.MADE + timedelta(hours=6)


@pytest.mark.parametrize(("celsius", "outside"), [("1.9", 1), ("2", 0), ("8", 0), ("8.1", 1), ("-0.5", 1)])
def test_a_temperature_outside_storage_is_an_excursion(kit, celsius, outside):
    temperatures = [Temperature(kit.MADE, Decimal(5)), Temperature(kit.RECEIVED, Decimal(celsius))]
    found = excursions(kit.PRODUCT.storage, temperatures)
    assert [str(one) for one in found] == [f"{celsius} °C, outside 2 to 8 °C"] * outside
    assert all(one.at == kit.RECEIVED for one in found)
    assert excursions(None, temperatures) == ()
