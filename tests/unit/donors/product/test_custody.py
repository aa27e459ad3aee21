"""Handovers of a bag, the balance, and the way from donor to recipient and back."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from equipoise.donors import (
    Handover,
    bag_status,
    balance_of,
    chain_excursions,
    handover_reasons,
    holder,
    links_of,
    lot_balance,
    trace,
)


def chain(kit, *steps, bag="B1", to="P1", course="C1"):
    """The usual hands: courier to pharmacist to nurse and back."""
    hands = {
        "received": ("courier", "pharmacist"),
        "issued": ("pharmacist", "nurse.li"),
        "handed over": ("nurse.li", "nurse.wang"),
        "infusing": ("nurse.li", ""),
        "infused": ("nurse.li", ""),
        "returned": ("nurse.li", "pharmacist"),
        "destroyed": ("pharmacist", ""),
    }
    made = []
    for hour, step in enumerate(steps):
        volume = Decimal(60) if step == "infused" else None
        issue = (to, course) if step == "issued" else (None, None)
        at = kit.RECEIVED + timedelta(hours=hour)
        made.append(Handover(bag, step, at, *hands[step], "ward 3", Decimal(5), volume, *issue))
    return tuple(made)


def texts(kit, steps, new=None, **changes):
    *before, last = chain(kit, *steps)
    return [str(one) for one in handover_reasons(kit.BAG, before, replace(new or last, **changes))]


@pytest.mark.parametrize(
    ("steps", "status", "has"),
    [
        ((), None, None),
        (("received",), "received", "pharmacist"),
        (("received", "issued"), "issued", "nurse.li"),
        (("received", "issued", "handed over"), "issued", "nurse.wang"),
        (("received", "issued", "infusing"), "infusing", "nurse.li"),
        (("received", "issued", "infusing", "infused"), "infused", "nurse.li"),
        (("received", "issued", "returned"), "returned", "pharmacist"),
        (("received", "issued", "returned", "destroyed"), "destroyed", "pharmacist"),
        (("received", "issued", "returned", "issued"), "issued", "nurse.li"),
    ],
)
def test_a_bag_stands_where_its_last_step_left_it(kit, steps, status, has):
    handovers = chain(kit, *steps)
    assert (bag_status(handovers), holder(handovers)) == (status, has)
    for index, step in enumerate(handovers):
        assert handover_reasons(kit.BAG, handovers[:index], step) == ()


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (("issued",), "bag B1: cannot be issued; it must be received or returned first"),
        (("received", "received"), "bag B1 = received: cannot be received; it must be not yet received first"),
        (("received", "infusing"), "bag B1 = received: cannot be infusing; it must be issued first"),
        (("received", "issued", "infused"), "bag B1 = issued: cannot be infused; it must be infusing first"),
        (("received", "returned"), "bag B1 = received: cannot be returned; it must be issued first"),
        (
            ("received", "issued", "infusing", "infused", "issued"),
            "bag B1 = infused: cannot be issued; it must be received or returned first",
        ),
        (
            ("received", "destroyed", "handed over"),
            "bag B1 = destroyed: cannot be handed over; it must be received or issued or returned first",
        ),
    ],
)
def test_a_step_out_of_turn_is_refused(kit, steps, text):
    assert text in texts(kit, steps)


@pytest.mark.parametrize(
    ("steps", "changes", "text"),
    [
        (("received", "issued"), {"bag": "B2"}, "bag = B2: is not bag B1; scan the bag again"),
        (
            ("received", "issued"),
            {"giver": "nurse.wang"},
            "giver = nurse.wang: does not hold bag B1, pharmacist does; record the handover between them first",
        ),
        (("received",), {"giver": " "}, "giver: is blank; name who gives the bag"),
        (("received", "issued"), {"receiver": ""}, "receiver: is blank; name who takes the bag"),
        (("received", "issued"), {"receiver": "\u200b"}, "receiver: is blank; name who takes the bag"),
        (
            ("received", "issued", "handed over"),
            {"receiver": "Nurse.Li"},
            "receiver = Nurse.Li: is the giver too; name who takes the bag",
        ),
        (
            ("received", "issued", "handed over"),
            {"receiver": "nurse.\u00adli\u200b"},
            "receiver = nurse.\\xadli\\u200b: is the giver too; name who takes the bag",
        ),
        (
            ("received", "issued"),
            {"participant": None},
            "participant: bag B1 is issued to nobody; name participant and course",
        ),
        (
            ("received", "issued", "infusing", "infused"),
            {"volume_ml": None},
            "volume_ml: is missing; write the volume given in mL",
        ),
        (
            ("received", "issued", "infusing", "infused"),
            {"volume_ml": Decimal("100.1")},
            "volume_ml = 100.1: is above the 100 mL left in bag B1; correct the volume",
        ),
        (
            ("received", "issued", "infusing", "infused"),
            {"volume_ml": Decimal(-1)},
            "volume_ml = -1: is below zero; write the volume in mL",
        ),
        (
            ("received", "destroyed"),
            {"volume_ml": Decimal("NaN")},
            "volume_ml = NaN: is below zero; write the volume in mL",
        ),
    ],
)
def test_a_handover_that_cannot_be_is_refused(kit, steps, changes, text):
    assert texts(kit, steps, **changes) == [text]


@pytest.mark.parametrize("volume", ["0", "100"])
def test_nothing_or_all_of_a_bag_may_have_been_given(kit, volume):
    assert texts(kit, ("received", "issued", "infusing", "infused"), volume_ml=Decimal(volume)) == []


def test_a_handover_does_not_come_before_the_last(kit):
    early = kit.RECEIVED - timedelta(minutes=1)
    assert texts(kit, ("received", "issued"), at=early) == [
        "at = 2018-03-01 19:59+08:00: is before the last handover, 2018-03-01 20:00+08:00; correct the time"
    ]


def test_what_is_left_of_a_bag_is_destroyed_once(kit):
    given = chain(kit, "received", "issued", "infusing", "infused")
    rest = replace(chain(kit, "destroyed")[0], giver="nurse.li", at=kit.RECEIVED + timedelta(hours=9))
    assert balance_of(kit.BAG, given).left_ml == 40
    assert handover_reasons(kit.BAG, given, rest) == ()
    over = (*given, rest)
    assert (bag_status(over), balance_of(kit.BAG, over).left_ml) == ("infused", 0)
    assert [str(one) for one in handover_reasons(kit.BAG, over, rest)] == ["bag B1: has nothing left; record nothing"]


def test_the_rest_of_a_bag_of_which_a_part_was_destroyed_can_only_be_destroyed(kit):
    part = replace(chain(kit, "destroyed")[0], volume_ml=Decimal(10))
    rest = replace(part, volume_ml=None)
    begun = (*chain(kit, "received"), part)
    assert (bag_status(begun), balance_of(kit.BAG, begun).left_ml) == ("destroyed", 90)
    assert handover_reasons(kit.BAG, begun, rest) == ()
    assert [one.code for one in handover_reasons(kit.BAG, begun, chain(kit, "issued")[0])] == ["custody-step"]
    over = (*begun, rest)
    assert (bag_status(over), balance_of(kit.BAG, over).left_ml) == ("destroyed", 0)
    assert [str(one) for one in handover_reasons(kit.BAG, over, rest)] == ["bag B1: has nothing left; record nothing"]


def test_a_lot_is_closed_when_every_millilitre_is_accounted_for(kit):
    given = chain(kit, "received", "issued", "infusing", "infused")
    chains = {"B1": given, "B2": chain(kit, "received", bag="B2")}
    open_lot = lot_balance(kit.LOT, chains)
    assert (open_lot.made, open_lot.in_stock, open_lot.infused, open_lot.difference) == (2, 1, 1, 0)
    assert (open_lot.left_ml, open_lot.closed) == (140, False)
    rest = replace(chain(kit, "destroyed")[0], giver="nurse.li")
    chains = {"B1": (*given, rest), "B2": chain(kit, "received", "destroyed", bag="B2")}
    closed = lot_balance(kit.LOT, chains)
    assert (closed.infused, closed.destroyed, closed.left_ml, closed.closed) == (1, 1, 0, True)
    lost = lot_balance(kit.LOT, {"B1": (*given, rest)})
    assert (lost.difference, lost.closed) == (1, False)


def test_temperatures_outside_storage_are_found_in_the_chain(kit):
    warm = chain(kit, "received", "issued")
    warm = (warm[0], replace(warm[1], celsius=Decimal("9.5")), *chain(kit, "infusing"))
    warm = (*warm, replace(warm[0], celsius=None))
    assert [str(one) for one in chain_excursions(kit.PRODUCT.storage, warm)] == ["9.5 °C, outside 2 to 8 °C"]


def test_a_donor_leads_to_every_recipient_and_a_recipient_to_every_donor(kit):
    other = replace(kit.LOT, id="L2", donor="D2", bags=(replace(kit.BAG, id="B3"),), donated_on=date(2018, 2, 1))
    full = ("received", "issued", "infusing", "infused")
    chains = {
        "B1": chain(kit, *full),
        "B2": chain(kit, *full[:3], bag="B2", to="P2"),  # started and not finished counts as received
        "B3": chain(kit, *full, bag="B3", to="P1", course="C2"),
    }
    links = links_of([kit.LOT, other], chains)
    forward = trace(links, donor="D1")
    assert (forward.lots, forward.bags, forward.participants) == (("L1",), ("B1", "B2"), ("P1", "P2"))
    back = trace(links, participant="P1")
    assert (back.donors, back.lots, back.bags) == (("D1", "D2"), ("L1", "L2"), ("B1", "B3"))
    assert [link.course for link in back.links] == ["C1", "C2"]
    assert trace(links, bag="B2").participants == ("P2",)
    assert trace(links, lot="L2").donors == ("D2",)
    assert trace(links, donor="D1", participant="P1").bags == ("B1",)
    assert trace(links, donor="D9").links == ()


def test_an_issued_bag_that_came_back_was_received_by_nobody(kit):
    chains = {"B1": chain(kit, "received", "issued", "returned")}
    links = links_of([kit.LOT], chains)
    assert [(link.bag, link.status, link.participant) for link in links] == [
        ("B1", "returned", None),
        ("B2", None, None),
    ]
    assert trace(links, participant="P1").links == ()
