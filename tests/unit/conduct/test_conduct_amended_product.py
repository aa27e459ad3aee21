"""What an amendment does to product that is there: it re-reads no result, revives no lot and strands nobody."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from equipoise import conduct

LYSIS = '{id: lysis, test: Lysis of K562, unit: "%", rule: value > 20, blocking: false}'
LYSIS_AS_SHARE = '{id: lysis, test: Lysis of K562, unit: "1", rule: value > 0.2}'


def amended(kit, *changes, version="2.0"):
    """A version that is in force at both sites."""
    conduct.amend(kit.trial, kit.amended(*changes, version=version), **kit.entry(kit.MANAGER))
    for site in ("01", "02"):
        conduct.approve_amendment(kit.trial, version, site, on=kit.today, **kit.entry(kit.MANAGER))


def test_a_result_keeps_the_unit_in_which_it_was_recorded(kit):
    participant = kit.issued()  # lysis 40 %, which as a share of 1 would be above 0.2
    amended(kit, (LYSIS, LYSIS_AS_SHARE))
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant)
    assert str(refused.value) == (
        "bag = L01-1: [criterion lysis = 40: Lysis of K562: 40 % is not in 1, as the protocol in force asks; record it "
        "so, and why the earlier is not valid; return the bag; have the result told again]; "
        "do not infuse; the attempt is recorded with these reasons"
    )
    kit.result("L01", "lysis", "0.4", unit="1", invalidates="told in % before the amendment")
    kit.infuse(participant)


def test_a_lot_is_not_released_on_a_result_in_another_unit(kit):
    kit.typed_donor()
    kit.measured()
    kit.result("L01", "sterility")
    amended(kit, (LYSIS, LYSIS_AS_SHARE))
    with pytest.raises(conduct.Against) as refused:
        kit.release()
    assert [(reason.code, reason.value) for reason in refused.value.reasons] == [("criterion-undecided", "40")]


MORE = (
    "      - {id: viability, test: Viability,",
    "      - {id: mycoplasma, test: Mycoplasma, rule: value == 'NEGATIVE'}\n      - {id: viability, test: Viability,",
)


def test_a_result_that_an_amendment_asks_for_is_asked_of_lots_that_were_released_before(kit):
    participant = kit.issued()
    amended(kit, MORE)
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant)
    assert str(refused.value) == (
        "bag = L01-1: [criterion mycoplasma: Mycoplasma: no result yet, needed before release; "
        "return the bag; record the result that is asked for since the release]; "
        "do not infuse; the attempt is recorded with these reasons"
    )
    found = {"value": "NEGATIVE", "unit": None} | kit.entry(kit.LABORATORY)
    conduct.record_lot_result(kit.trial, "L01", "mycoplasma", **found)
    kit.infuse(participant)


RENAMED = (
    ("product: cells, regimen", "product: other, regimen"),
    ("  - id: cells\n    name: Cells\n    dose_form", "  - id: other\n    name: Cells\n    dose_form"),
)
WITHOUT_C1 = ("      - {id: C1, at: {days: 1}, window: {days_before: 0, days_after: 7}}\n", "")
NOT_GIVEN = ("type: BIOLOGIC, product: cells, regimen: two}", "type: BIOLOGIC}")
STARTED = "courses = C1: of cells was started and is left out for who received it: {p}; " + (
    "keep the intervention, its product, and the course in its regimen"
)


def refused(kit, *changes):
    head = kit.head()
    with pytest.raises(conduct.NotAccepted) as found:
        conduct.amend(kit.trial, kit.amended(*changes), **kit.entry(kit.MANAGER))
    assert kit.head() == head
    return str(found.value)


def test_a_product_that_has_lots_is_kept(kit):
    kit.typed_donor()
    for number in range(1, 13):
        kit.received(f"L{number:02d}")
    assert refused(kit, *RENAMED) == (
        "products = cells: has lots and is left out: L01, L02, L03, L04, L05, L06, L07, L08, L09, L10 and 2 more; "
        "keep the product"
    )


@pytest.mark.parametrize("change", [WITHOUT_C1, NOT_GIVEN], ids=["course left out", "given to nobody"])
@pytest.mark.parametrize("finished", [False, True], ids=["running", "given"])
def test_a_course_that_was_started_is_kept(kit, change, finished):
    participant = kit.issued()
    kit.infuse(participant)
    if finished:
        kit.finish(participant)
    assert refused(kit, change) == STARTED.format(p=participant)
    amended(kit, ("window: {days_before: 7, days_after: 7}, after: m1", "window: {days_before: 7, days_after: 9}"))
    if not finished:
        kit.finish(participant)
    assert conduct.snapshot(kit.trial).infusions["in_window"].tolist() == [True]


def test_what_nobody_received_may_be_left_out(kit):
    kit.in_arm("NEW")
    amended(kit, *RENAMED)
    amended(kit, WITHOUT_C1, version="3.0")


def test_a_longer_shelf_life_revives_no_lot(kit):
    participant = kit.issued()
    kit.now += timedelta(hours=30)
    read = kit.label(participant)
    amended(kit, ("shelf_life: {hours: 24}", "shelf_life: {hours: 72}"))
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant, label=read)
    assert [reason.code for reason in refused.value.reasons] == ["expired"]
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant, label=replace(read, expires_at=read.expires_at + timedelta(hours=48)))
    assert [reason.code for reason in refused.value.reasons] == ["expired", "label-expiry"]
    conduct.return_bag(
        kit.trial, "L01-1", giver=kit.NURSE.id, receiver=kit.LABORATORY.id, place="store", **kit.entry(kit.LABORATORY)
    )
    with pytest.raises(conduct.Against) as against:
        kit.issue(participant)
    assert [reason.code for reason in against.value.reasons] == ["expired"]


def test_a_shorter_shelf_life_ends_a_lot_sooner_than_its_label(kit):
    participant = kit.issued()
    amended(kit, ("shelf_life: {hours: 24}", "shelf_life: {hours: 6}"))
    made = kit.rows("lot")[0]["made_at"]
    kit.now += timedelta(hours=5)
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant, ends_at=kit.now + timedelta(hours=2))
    assert [reason.code for reason in refused.value.reasons] == ["expires-during"]
    kit.infuse(participant)  # the label is read as it was printed
    kit.now += timedelta(hours=1)
    (finding,) = kit.finish(participant)
    assert finding.code == "expired-during"
    assert finding.value == datetime.fromisoformat(made) + timedelta(hours=6)
