"""Lots received, tested, released, recalled; bags issued, handed over, returned, destroyed: events and refusals."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from datetime import UTC, date, datetime, timedelta

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor
from equipoise.refusals import Refusal


def receive_again(kit, _):
    facts = {"product": "cells", "donor": "D01", "donated_on": kit.today, "made_at": kit.now, "giver": "courier"}
    entry = kit.entry(kit.LABORATORY)
    return conduct.receive_lot(kit.trial, "L02", bags=[kit.bag("L01-1")], place="store", **facts, **entry)


def hand_over(kit, bag="L01-1", **given):
    facts = {"giver": kit.LABORATORY.id, "receiver": "courier", "place": "gate", "celsius": "5"}
    return conduct.hand_over_bag(kit.trial, bag, **(facts | kit.entry(kit.LABORATORY) | given))


def give_back(kit, bag="L01-1", **given):
    facts = {"giver": kit.NURSE.id, "receiver": kit.LABORATORY.id, "place": "store"}
    return conduct.return_bag(kit.trial, bag, **(facts | kit.entry(kit.LABORATORY) | given))


def destroy(kit, bag="L01-1", **given):
    return conduct.destroy_bag(kit.trial, bag, **({"place": "store"} | kit.entry(kit.LABORATORY) | given))


def reject(kit, lot="L01", **given):
    return conduct.reject_lot(kit.trial, lot, **({"statement": "cells clumped"} | kit.entry(kit.QUALITY) | given))


def recall(kit, lot="L01", **given):
    return conduct.recall_lot(kit.trial, lot, **({"statement": "donor fell ill"} | kit.entry(kit.QUALITY) | given))


def judged_against(kit):
    conduct.judge_donor(kit.trial, "D01", eligible=False, statement="CMV IgM found", **kit.entry(kit.QUALITY))


def nothing(kit):
    return None


def donor(kit):
    kit.typed_donor()


def received(kit):
    kit.typed_donor()
    kit.received()


def measured(kit):
    kit.typed_donor()
    kit.measured()


def released(kit):
    kit.typed_donor()
    kit.released()


def recalled(kit):
    released(kit)
    recall(kit)


def matched(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.released()
    return participant


def not_released(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    return participant


def not_matched(kit):
    kit.typed_donor()
    participant = kit.in_arm("NEW")
    kit.released()
    return participant


def other_arm(kit):
    kit.typed_donor()
    participant = kit.in_arm("OLD")
    kit.released()
    return participant


def issued(kit):
    return kit.issued()


def warm(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.released()
    hand_over(kit, celsius="9.5")
    hand_over(kit, giver="courier", receiver=kit.LABORATORY.id)
    return participant


NONE = "; nothing was recorded; mend these and do it again"

CASES = {
    "investigator may not receive": (
        donor,
        lambda kit, _: kit.received(by=kit.DOCTOR),
        "role = investigator: may not record 'lot received'; ask the pharmacist",
    ),
    "a product that is none": (
        donor,
        lambda kit, _: kit.received(product="cell"),
        "product = cell: is not in the protocol; did you mean cells?",
    ),
    "of nobody": (
        nothing,
        lambda kit, _: kit.received(),
        "donor = D01: is not a donor of this trial; check the code, or register the donor",
    ),
    "a lot that is no code": (
        donor,
        lambda kit, _: kit.received("l 1"),
        "lot = l 1: is not a code; use up to 32 capitals, digits, dots and hyphens with at least one digit, such as L01; never a name",
    ),
    "a lot received twice": (
        received,
        lambda kit, _: kit.received(),
        "lot = L01: is received already; check the code",
    ),
    "a bag received twice": (
        received,
        receive_again,
        "bag = L01-1: is received already; check the code",
    ),
    "no bag": (
        donor,
        lambda kit, _: kit.received(bags=0),
        "bags: lot L01 has none; enter each bag with cells and volume",
    ),
    "made without a zone": (
        donor,
        lambda kit, _: kit.received(made_at=kit.now.replace(tzinfo=None)),
        "made_at = 2018-02-01T02:04:00: does not say its time zone; pass a time with its zone",
    ),
    "temperature that is a binary fraction": (
        donor,
        lambda kit, _: kit.received(celsius=4.1),
        "celsius = 4.1: is a binary fraction, which is not exact; pass it as text or Decimal",
    ),
    "brought by nobody": (
        donor,
        lambda kit, _: kit.received(giver=" "),
        f"bag = L01-1: [giver: is blank; name who gives the bag]{NONE}",
    ),
    "a result of no lot": (
        nothing,
        lambda kit, _: kit.result("L09", "cd3"),
        "lot = L09: is not in this trial; check the code, or receive the lot",
    ),
    "a result of no criterion": (
        received,
        lambda kit, _: conduct.record_lot_result(
            kit.trial, "L01", "cd33", value="2", unit="%", **kit.entry(kit.LABORATORY)
        ),
        "criterion = cd33: is not in the protocol; did you mean cd3?",
    ),
    "a result that is no number": (
        received,
        lambda kit, _: kit.result("L01", "cd3", "two"),
        "result of cd3 = two: is not a number; write a number of zero or more, such as 0.05, or a bound, such as < 0.05",
    ),
    "a result in another unit": (
        received,
        lambda kit, _: kit.result("L01", "cd3", unit="1"),
        "unit of cd3 = 1: is not %; report it in %",
    ),
    "invalidates nothing": (
        received,
        lambda kit, _: kit.result("L01", "cd3", invalidates="wrong tube"),
        "invalidates = wrong tube: there is no earlier result of cd3; leave invalidates out",
    ),
    "pharmacist may not release": (
        measured,
        lambda kit, _: kit.release(by=kit.LABORATORY),
        "role = pharmacist: may not record 'lot released'; ask the quality",
    ),
    "investigator may not release": (
        measured,
        lambda kit, _: kit.release(by=kit.DOCTOR),
        "role = investigator: may not record 'lot released'; ask the quality",
    ),
    "an investigator in another hat may not release": (
        lambda kit: (kit.screened(), released_but_quarantined(kit))[1],
        lambda kit, _: kit.release(by=Actor("L.Doctor", "quality")),
        f"lot = L01: [released_by = L.Doctor: is an investigator of the trial; let the quality unit release it]{NONE}",
    ),
    "released without certificate": (
        measured,
        lambda kit, _: kit.release(certificate=""),
        "certificate: is blank; name the certificate of analysis",
    ),
    "released with a result to come": (
        measured,
        lambda kit, _: kit.release(),
        f"lot = L01: [criterion sterility: Sterility of 14 days: no result yet, due on 2018-02-15; record the result, or release the lot conditionally]{NONE}",
    ),
    "released twice": (
        released,
        lambda kit, _: kit.release(),
        f"lot = L01: [lot L01 = released: cannot become released; it may become quarantine or recalled]{NONE}",
    ),
    "rejected after release": (
        released,
        lambda kit, _: reject(kit),
        f"lot = L01: [lot L01 = released: cannot become rejected; it may become quarantine or recalled]{NONE}",
    ),
    "rejected without a word": (
        received,
        lambda kit, _: reject(kit, statement=""),
        "statement: is blank; say why the lot is rejected",
    ),
    "recalled twice": (
        recalled,
        lambda kit, _: recall(kit),
        f"lot = L01: [lot L01 = recalled: cannot become recalled; nothing follows; receive another lot]{NONE}",
    ),
    "issued before release": (
        not_released,
        lambda kit, p: kit.issue(p),
        f"bag = L01-1: [lot L01 = quarantine: is not released; let the quality unit release it]{NONE}",
    ),
    "issued to one who is not matched": (
        not_matched,
        lambda kit, p: kit.issue(p),
        f"bag = L01-1: [donor = D01: is not matched to {{p}}; stop; fetch a bag of a matched donor]{NONE}",
    ),
    "issued to the other arm": (
        other_arm,
        lambda kit, p: kit.issue(p),
        f"bag = L01-1: [participant = {{p}}: is not to receive cells; check who is at the bedside] [donor = D01: is not matched to {{p}}; stop; fetch a bag of a matched donor]{NONE}",
    ),
    "issued for no course": (
        matched,
        lambda kit, p: kit.issue(p, course="C9"),
        f"bag = L01-1: [course = C9: is not a course of two; use one of C1, C2]{NONE}",
    ),
    "issued by one who does not hold it": (
        matched,
        lambda kit, p: kit.issue(p, by=Actor("other.lab", "pharmacist")),
        f"bag = L01-1: [giver = other.lab: does not hold bag L01-1, c.lab does; record the handover between them first]{NONE}",
    ),
    "issued twice": (
        issued,
        lambda kit, p: kit.issue(p, giver=kit.NURSE.id),
        f"bag = L01-1: [bag L01-1 = issued: cannot be issued; it must be received or returned first]{NONE}",
    ),
    "issued to nobody": (
        matched,
        lambda kit, _: kit.issue("01-999"),
        "participant = 01-999: is not in this trial; check the code",
    ),
    "no such bag": (
        matched,
        lambda kit, p: kit.issue(p, bag="L01-9"),
        "bag = L01-9: is not in this trial; check the code",
    ),
    "another site's bag": (
        issued,
        lambda kit, _: hand_over(kit, giver=kit.NURSE.id, by=kit.OTHER_DOCTOR),
        "bag = L01-1: is not in this trial; check the code",
    ),
    "handed over by one who does not hold it": (
        issued,
        lambda kit, _: hand_over(kit),
        f"bag = L01-1: [giver = c.lab: does not hold bag L01-1, n.nurse does; record the handover between them first]{NONE}",
    ),
    "handed over to oneself": (
        issued,
        lambda kit, _: hand_over(kit, giver=kit.NURSE.id, receiver="N.NURSE"),
        f"bag = L01-1: [receiver = N.NURSE: is the giver too; name who takes the bag]{NONE}",
    ),
    "a bag that was never warm": (
        released,
        lambda kit, _: accept(kit),
        "bag = L01-1: has no temperature outside storage that is open; leave it",
    ),
    "accepted without a word": (
        warm,
        lambda kit, _: accept(kit, statement=" "),
        "statement: is blank; say why the bag may be used",
    ),
    "accepted by the laboratory": (
        warm,
        lambda kit, _: accept(kit, by=kit.LABORATORY),
        "role = pharmacist: may not record 'excursion accepted'; ask the quality",
    ),
    "returned before it was issued": (
        released,
        lambda kit, _: give_back(kit, giver=kit.LABORATORY.id),
        f"bag = L01-1: [bag L01-1 = received: cannot be returned; it must be issued first]{NONE}",
    ),
    "destroyed twice": (
        lambda kit: (released(kit), destroy(kit))[0],
        lambda kit, _: destroy(kit),
        f"bag = L01-1: [bag L01-1: has nothing left; record nothing]{NONE}",
    ),
    "more destroyed than there is": (
        released,
        lambda kit, _: destroy(kit, volume_ml="101"),
        f"bag = L01-1: [volume_ml = 101: is above the 100 mL left in bag L01-1; correct the volume]{NONE}",
    ),
}


def released_but_quarantined(kit):
    """A lot with every result, not yet released."""
    kit.typed_donor()
    kit.measured()
    kit.result("L01", "sterility")


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_is_wrong_and_records_nothing(kit, name):
    before, act, text = CASES[name]
    participant = before(kit)
    head = kit.head()
    with pytest.raises(Refusal) as refused:
        act(kit, participant)
    assert str(refused.value) == text.replace("{p}", str(participant))
    assert kit.head() == head


def test_a_lot_begins_in_quarantine_with_every_bag_in_hand(kit):
    kit.typed_donor()
    kit.received()
    (event,) = kit.events(Kind.LOT_RECEIVED)
    assert (event.stream, event.payload["status"]) == ("lot L01", "quarantine")
    assert event.payload["made"] == {"culture": "14 days with feeder cells"}
    assert event.payload["expires_at"] == "2018-02-02T02:04:00.000000+00:00"
    bags = kit.rows("bag")
    assert [(bag["bag"], bag["status"], bag["cells"], bag["volume_ml"]) for bag in bags] == [
        (f"L01-{number}", "received", "120000000", "100") for number in (1, 2, 3)
    ]
    assert [
        (row["giver"], row["receiver"], row["place"], row["celsius"]) for row in kit.rows("custody", bag="L01-1")
    ] == [("courier", "c.lab", "store", "4")]


def test_the_makers_expiry_counts_when_it_is_sooner(kit):
    kit.typed_donor()
    kit.received(expires_at=kit.now + timedelta(hours=6))
    assert kit.rows("lot")[0]["expires_at"] == "2018-02-01T08:04:00.000000+00:00"


def test_the_days_of_a_lot_are_those_of_the_trials_zone(trial_kit, tmp_path):
    keeps = trial_kit.PROTOCOL.replace("shelf_life: {hours: 24}", "shelf_life: {days: 60}")
    kit = trial_kit.Kit(tmp_path / "trial", keeps)
    kit.typed_donor()
    made = datetime(2018, 2, 1, 22, 20, tzinfo=UTC)  # 2 February, 06:20, in Shanghai
    kit.now = datetime(2018, 2, 2, 2, tzinfo=UTC)
    kit.received(donated_on=date(2018, 2, 2), made_at=made)
    for criterion in kit.RESULTS:
        if criterion != "sterility":
            kit.result("L01", criterion)
    kit.now = datetime(2018, 2, 16, 15, tzinfo=UTC)  # 16 February, 23:00: the fourteenth day
    kit.release(conditional=True)
    verdicts = {
        verdict["criterion"]: verdict["text"] for verdict in kit.events(Kind.LOT_RELEASED)[0].payload["verdicts"]
    }
    assert verdicts["sterility"] == "Sterility of 14 days: no result yet, due on 2018-02-16"
    kit.result("L01", "sterility")
    assert kit.rows("lot_result", criterion="sterility")[0]["due_on"] == "2018-02-16"
    with pytest.raises(Refusal) as refused:
        kit.received("L02", donated_on=date(2018, 2, 3), made_at=made)
    assert str(refused.value) == (
        "donated_on = 2018-02-03: is after the day of manufacture, 2018-02-02; correct one of the two days"
    )
    assert kit.rows("lot")[0]["made_at"] == "2018-02-01T22:20:00.000000+00:00"


def test_a_bag_destroyed_in_parts_can_be_closed_and_is_given_to_nobody(kit):
    participant = kit.issued()
    conduct.destroy_bag(kit.trial, "L01-2", place="store", volume_ml="10", **kit.entry(kit.LABORATORY))
    with pytest.raises(conduct.Against) as refused:
        kit.issue(participant, "L01-2")
    assert str(refused.value) == (
        f"bag = L01-2: [bag L01-2 = destroyed: cannot be issued; it must be received or returned first]{NONE}"
    )
    with pytest.raises(conduct.Against):
        conduct.destroy_bag(kit.trial, "L01-2", place="store", volume_ml="90.1", **kit.entry(kit.LABORATORY))
    (balance,) = conduct.lot_balances(kit.trial)
    assert (balance.destroyed, balance.left_ml, balance.closed) == (1, 290, False)
    conduct.destroy_bag(kit.trial, "L01-2", place="store", volume_ml="40", **kit.entry(kit.LABORATORY))
    conduct.destroy_bag(kit.trial, "L01-2", place="store", **kit.entry(kit.LABORATORY))
    conduct.destroy_bag(kit.trial, "L01-3", place="store", **kit.entry(kit.LABORATORY))
    kit.infuse(participant)
    kit.finish(participant)
    (balance,) = conduct.lot_balances(kit.trial)
    assert (balance.infused, balance.destroyed, balance.left_ml, balance.closed) == (1, 2, 0, True)


def test_a_lot_that_expired_is_not_released(kit):
    released_but_quarantined(kit)
    kit.wait(1)
    with pytest.raises(conduct.Against) as refused:
        kit.release()
    assert [reason.code for reason in refused.value.reasons] == ["expired"]


@pytest.mark.parametrize(("value", "passes"), [("4.9", True), ("5", False), ("< 5", True), ("< 6", None)])
def test_a_result_is_judged_alone_and_with_the_others(kit, value, passes):
    kit.typed_donor()
    kit.received()
    verdict = kit.result("L01", "endotoxin", value)
    (event,) = kit.events(Kind.LOT_RESULT_RECORDED)
    assert event.payload["passes"] is passes
    assert event.payload["verdict"] == verdict.verdict == {True: "passes", False: "fails", None: "undecided"}[passes]
    repeated = kit.result("L01", "endotoxin", "1")
    assert repeated.verdict == verdict.verdict
    assert kit.result("L01", "endotoxin", "1", invalidates="tube mistaken").verdict == "passes"
    assert [row["invalidates"] for row in kit.rows("lot_result")] == [None, None, "tube mistaken"]


def test_a_conditional_release_waits_for_a_result_and_then_becomes_full(kit):
    kit.typed_donor()
    kit.measured()
    kit.release(conditional=True)
    first = kit.rows("lot")[0]
    assert (first["status"], first["conditionally_released_by"], first["released_by"], first["released_at"]) == (
        "conditionally released",
        "q.unit",
        None,
        None,
    )
    kit.result("L01", "sterility")
    kit.release()
    row = kit.rows("lot")[0]
    assert (row["status"], row["released_by"], row["certificate"]) == ("released", "q.unit", "CoA L01")
    assert row["conditionally_released_at"] == first["conditionally_released_at"] < row["released_at"]
    first, second = kit.events(Kind.LOT_RELEASED)
    assert [verdict["verdict"] for verdict in first.payload["verdicts"]].count("pending") == 1
    assert {verdict["verdict"] for verdict in second.payload["verdicts"]} == {"passes"}


def test_a_bad_result_after_an_infusion_sends_the_lot_back_and_names_who_received_it(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    kit.release(conditional=True)
    kit.issue(participant)
    kit.infuse(participant, accept_conditional="sterility takes 14 days")
    kit.wait(10)
    kit.result("L01", "sterility", "POSITIVE")
    (event,) = [event for event in kit.events(Kind.LOT_RESULT_RECORDED) if event.payload["criterion"] == "sterility"]
    (notice,) = event.payload["out_of_specification"]
    assert notice["received"] == [{"bag": "L01-1", "participant": participant}]
    assert notice["left"] == ["L01-2", "L01-3"]
    assert (
        notice["text"]
        == event.payload["status_reason"]
        == (
            f"lot L01: Sterility of 14 days = POSITIVE is out of specification (value == 'NEGATIVE'); given: bag L01-1 to "
            f"{participant}; hold L01-2, L01-3; tell the investigator, who follows up those who received it; the quality unit "
            "decides on recall"
        )
    )
    assert kit.rows("lot")[0]["status"] == "quarantine"
    (given,) = recall(kit)
    assert (given.bag, given.participant) == ("L01-1", participant)
    (event,) = kit.events(Kind.LOT_RECALLED)
    assert event.payload["received"] == [{"bag": "L01-1", "participant": participant}]
    assert kit.rows("lot")[0]["status"] == "recalled"


def test_a_bad_result_that_only_informs_leaves_the_lot(kit):
    released(kit)
    kit.result("L01", "lysis", "10")
    assert kit.rows("lot")[0]["status"] == "released"
    assert kit.events(Kind.LOT_RESULT_RECORDED)[-1].payload["out_of_specification"] != []


def test_a_donor_found_positive_later_is_judged_again_and_the_lots_go_back(kit):
    released(kit)
    kit.wait(3)
    results = {"HBV": "NEGATIVE", "HIV": "INDETERMINATE", "CMV": "POSITIVE"}
    conduct.record_donor_tests(kit.trial, "D01", results=results, sampled_on=kit.today, **kit.entry(kit.LABORATORY))
    note = "to be judged again: HIV INDETERMINATE in the sample of 2018-02-04"
    (event,) = kit.events(Kind.DONOR_TESTED)[1:]
    assert (event.payload["suspended"], event.payload["quarantined"]) == (note, ["L01"])
    assert (kit.rows("donor")[0]["eligible"], kit.rows("donor")[0]["eligibility_note"]) == (None, note)
    assert (kit.rows("lot")[0]["status"], kit.rows("lot")[0]["status_reason"]) == ("quarantine", note)
    with pytest.raises(conduct.NotEligible) as refused:
        conduct.judge_donor(kit.trial, "D01", eligible=True, statement="well", **kit.entry(kit.QUALITY))
    assert str(refused.value) == (
        "donor = D01: [donor D01 HIV = INDETERMINATE: of the sample of 2018-02-04 is not NEGATIVE; keep the product in "
        "quarantine; declare the donor not eligible]; record the tests that are lacking, or judge the donor not eligible"
    )


def test_the_lots_of_a_donor_judged_against_go_back_to_quarantine(kit):
    released(kit)
    judged_against(kit)
    assert (kit.rows("lot")[0]["status"], kit.rows("lot")[0]["status_reason"]) == ("quarantine", "CMV IgM found")
    with pytest.raises(conduct.Against) as refused:
        kit.release()
    assert [reason.code for reason in refused.value.reasons] == ["donor-not-eligible"]


def test_a_donor_without_every_test_is_not_eligible(kit):
    kit.registered()
    results = {"HIV": "NEGATIVE", "HBV": "NEGATIVE", "HCV": "NEGATIVE"}
    conduct.record_donor_tests(kit.trial, "D01", results=results, sampled_on=kit.today, **kit.entry(kit.LABORATORY))
    with pytest.raises(conduct.NotEligible) as refused:
        conduct.judge_donor(kit.trial, "D01", eligible=True, statement="well", **kit.entry(kit.QUALITY))
    assert str(refused.value) == (
        "donor = D01: [donor D01 SYPHILIS: has no result of a sample since 2018-01-02, 30 days before the donation; test a "
        "sample, or do not use the donation]; record the tests that are lacking, or judge the donor not eligible"
    )


def test_a_bag_that_was_warm_is_not_issued(kit):
    participant = warm(kit)
    with pytest.raises(conduct.Against) as refused:
        kit.issue(participant)
    assert [reason.code for reason in refused.value.reasons] == ["storage-excursion"]
    assert "was at 9.5 °C, outside 2 to 8 °C" in str(refused.value)


def accept(kit, bag="L01-1", **given):
    facts = {"statement": "stable at 10 °C for 2 hours"} | kit.entry(kit.QUALITY) | given
    return conduct.accept_excursion(kit.trial, bag, **facts)


def test_the_quality_unit_may_accept_that_a_bag_was_warm_but_not_for_the_time_to_come(kit):
    participant = warm(kit)
    accept(kit)
    (event,) = kit.events(Kind.EXCURSION_ACCEPTED)
    assert [one["celsius"] for one in event.payload["excursions"]] == ["9.5"]
    assert (event.payload["statement"], event.stream) == ("stable at 10 °C for 2 hours", "bag L01-1")
    kit.issue(participant)
    hand_over(kit, giver=kit.NURSE.id, receiver="porter", celsius="12")
    hand_over(kit, giver="porter", receiver=kit.NURSE.id)
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant)
    assert [reason.code for reason in refused.value.reasons] == ["storage-excursion"]
    accept(kit)
    kit.infuse(participant)
    assert kit.trial.ledger.rebuild().identical


def test_a_bag_goes_out_and_comes_back_for_another(kit):
    participant = kit.issued()
    hand_over(kit, giver=kit.NURSE.id, receiver="ward.fridge")
    (row,) = kit.rows("bag", bag="L01-1")
    assert (row["status"], row["participant"], row["course"], row["steps"]) == ("issued", participant, "C1", 3)
    give_back(kit, giver="ward.fridge")
    (row,) = kit.rows("bag", bag="L01-1")
    assert (row["status"], row["participant"], row["course"]) == ("returned", None, None)
    kit.issue(participant)
    give_back(kit)
    destroy(kit)
    assert [row["event"] for row in kit.rows("custody", bag="L01-1")] == [
        "received", "issued", "handed over", "returned", "issued", "returned", "destroyed",
    ]  # fmt: skip
    assert kit.trial.ledger.verify().ok
    assert kit.trial.ledger.rebuild().identical


def test_from_donor_to_recipients_and_back(kit):
    participant = kit.infused()
    kit.typed_donor("D02")
    kit.received("L02", "D02")
    found = conduct.trace_donor(kit.trial, "D01")
    assert (found.lots, found.bags, found.participants) == (("L01",), ("L01-1", "L01-2", "L01-3"), (participant,))
    assert conduct.trace_donor(kit.trial, "D02").participants == ()
    back = conduct.trace_participant(kit.trial, participant)
    assert (back.donors, back.lots, back.bags) == (("D01",), ("L01",), ("L01-1",))
    for act, code in ((conduct.trace_donor, "D09"), (conduct.trace_participant, "01-999")):
        with pytest.raises(conduct.NotFound):
            act(kit.trial, code)
