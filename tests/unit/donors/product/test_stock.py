"""Which bags a team could give now, and that the bedside would say the same of each."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from equipoise.donors import Excursion, StockedBag, stock_for

#: What the bedside can say against a bag that no match, course, label, person or dose explains.
OF_THE_BAG = {
    "bag-used", "bag-not-issued", "bag-other-participant", "bag-other-product", "donor-not-eligible", "lot-status",
    "out-of-specification", "criterion-undecided", "criterion-pending", "expired", "storage-excursion",
}  # fmt: skip


@pytest.fixture
def in_store(kit):
    """A bag of a released lot that is issued to nobody."""
    return replace(kit.HELD, status="received", issued_to=None, issued_for=None)


@pytest.fixture
def stock(kit):
    """The stock for participant P1 when the infusion of the kit starts, unless told otherwise."""

    def stock(*bags, participant="P1", at=kit.STARTED, products=(kit.PRODUCT,)):
        return stock_for(participant, bags, products={part.id: part for part in products}, at=at)

    return stock


def test_a_bag_in_the_store_is_told_with_its_lot_and_expiry(kit, in_store, stock):
    assert stock(in_store) == (StockedBag("B1", "L1", "nk_cells", kit.EXPIRES, conditional=False, issued_for=None),)


def test_a_bag_issued_to_the_participant_is_told_with_its_course_and_is_nobody_elses(kit, stock):
    (bag,) = stock(kit.HELD)
    assert bag.issued_for == "C1"
    assert stock(kit.HELD, participant="P2") == ()


def test_a_bag_that_came_back_is_in_the_store(in_store, stock):
    (bag,) = stock(replace(in_store, status="returned"))
    assert bag.issued_for is None


def test_a_lot_released_conditionally_is_said_to_be(kit, in_store, stock):
    (bag,) = stock(replace(in_store, lot=replace(kit.LOT, status="conditionally released")))
    assert bag.conditional


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "infusing"},
        {"status": "infused"},
        {"status": "destroyed"},
        {"donor_not_eligible": "HBV positive"},
    ],
    ids=str,
)
def test_a_bag_that_is_used_up_or_whose_donor_may_not_give_is_not_in_stock(in_store, stock, changes):
    assert stock(replace(in_store, **changes)) == ()


@pytest.mark.parametrize("changes", [{"status": "quarantine"}, {"status": "recalled"}, {"product": "t_cells"}], ids=str)
def test_a_bag_of_a_lot_that_may_not_be_given_is_not_in_stock(kit, in_store, stock, changes):
    assert stock(replace(in_store, lot=replace(kit.LOT, **changes))) == ()


def test_a_bag_is_in_stock_until_the_moment_it_expires(kit, in_store, stock):
    assert len(stock(in_store, at=kit.EXPIRES - timedelta(microseconds=1))) == 1
    assert stock(in_store, at=kit.EXPIRES) == ()


def test_a_late_bad_result_takes_a_bag_from_the_stock(kit, in_store, stock):
    assert stock(replace(in_store, results=kit.results(sterility="POSITIVE"))) == ()


def test_an_excursion_counts_until_it_is_accepted(kit, in_store, stock):
    warm = replace(in_store, excursions=(Excursion(kit.RECEIVED, Decimal("9.5"), kit.PRODUCT.storage),))
    assert stock(warm) == ()
    assert len(stock(replace(warm, excursions_accepted="an hour at 9.5 °C"))) == 1


def test_the_first_to_expire_comes_first_and_what_does_not_expire_last(kit, in_store, stock):
    lasting = kit.product(id="frozen", shelf_life=None)
    sooner = replace(kit.LOT, expires_at=kit.EXPIRES - timedelta(hours=1))
    bags = [
        replace(in_store, bag=replace(kit.BAG, id="B0"), lot=replace(kit.LOT, product="frozen", expires_at=None)),
        replace(in_store, bag=replace(kit.BAG, id="B2")),
        in_store,
        replace(in_store, bag=replace(kit.BAG, id="B9"), lot=sooner),
    ]
    assert [bag.bag for bag in stock(*bags, products=(kit.PRODUCT, lasting))] == ["B9", "B1", "B2", "B0"]


def test_the_bedside_says_the_same_of_each_bag(kit, stock):
    listed = {}
    for name, (changes, _) in kit.DEFECTS.items():
        parts = kit.changed(changes)
        held, attempt = parts["held"], parts["attempt"]
        if held is None:
            continue
        codes = {reason.code for reason in kit.reasons_after(changes)} & OF_THE_BAG
        if held.status == "received":
            codes -= {"bag-not-issued"}  # it can be issued still
        listed[name] = bool(stock(held, participant=attempt.participant, at=attempt.started_at))
        assert listed[name] == (not codes), name
    assert {listed["bag in stock"], listed["lot conditional"], listed["T cells"]} == {True}
    assert {listed["bag of another"], listed["expired"], listed["too warm"]} == {False}
