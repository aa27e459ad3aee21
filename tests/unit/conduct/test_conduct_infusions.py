"""Courses started, watched, finished, missed: what is kept, and every refusal, which is recorded and gives nothing."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor, Unsigned
from equipoise.refusals import Refusal

GIVEN_NOTHING = "; do not infuse; the attempt is recorded with these reasons"
BEDSIDE = "stop; compare bag, label and wristband"


def issued(kit):
    return kit.issued()


def before_release(prepare):
    """A participant with a bag of a lot that is released, and `prepare` done after the bag was issued."""

    def act(kit):
        participant = kit.issued()
        prepare(kit, participant)
        return participant

    return act


def quality(kit, act, **facts):
    return act(kit.trial, "L01", **facts, **kit.entry(kit.QUALITY))


def withdraw(kit, participant, scope):
    conduct.withdraw(kit.trial, participant, scope=scope, reason_code="WISH", on=kit.today, **kit.entry())


def harm(kit, participant, related):
    kit.harmed(participant, grade=3, related={"cells": related, "procedure": "NOT RELATED"})


def retyped(kit, participant):
    kit.type_participant(participant)


def conditional(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    kit.release(conditional=True)
    kit.issue(participant)
    return participant


def released_by(kit, person):
    """A participant with a bag of a lot that the person released conditionally, and the quality unit in full."""
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    kit.release(conditional=True, by=person)
    kit.result("L01", "sterility")
    kit.release()
    kit.issue(participant)
    return participant


def fat(kit):
    """A lot with 9 % T cells: 1.2e8 x 0.09 / 50 kg = 216,000 cells/kg."""
    kit.typed_donor()
    participant = kit.matched()
    kit.released(cd3="9")
    kit.issue(participant)
    return participant


def label(**given):
    return lambda kit, p: kit.infuse(p, label=replace(kit.label(p), **given))


#: What comes first, the attempt, the codes of the reasons, the whole text.
CASES = {
    "checked alone": (
        issued,
        lambda kit, p: kit.infuse(p, second=kit.NURSE),
        ["identity-checkers"],
        f"bag = L01-1: [checked_by = n.nurse, n.nurse: names 1 of the 2 different persons who check identity; let another person compare bag and wristband]{GIVEN_NOTHING}",
    ),
    "checked alone in another case": (
        issued,
        lambda kit, p: kit.infuse(p, second=Actor("N.Nurse", "investigator", "01")),
        ["identity-checkers"],
        f"bag = L01-1: [checked_by = n.nurse, N.Nurse: names 1 of the 2 different persons who check identity; let another person compare bag and wristband]{GIVEN_NOTHING}",
    ),
    "checked by a name that looks like the first": (
        issued,
        lambda kit, p: kit.infuse(p, second=Actor("n.nurs\u0435", "investigator", "01")),
        ["not-permitted"],
        "actor.id = n.nurs\u0435: is no sign-in name, it holds CYRILLIC SMALL LETTER IE; use a sign-in name of up to 64 letters a to z, digits and . _ @ + -, such as l.doctor",
    ),
    "checked by a name with what nobody sees": (
        issued,
        lambda kit, p: kit.infuse(p, second=Actor("n.nurse\u200b", "investigator", "01")),
        ["not-permitted"],
        None,
    ),
    "checked by a third name with what nobody sees": (
        issued,
        lambda kit, p: kit.infuse(p, further=[Actor("o.\u00adnurse", "investigator", "01")]),
        ["not-permitted"],
        None,
    ),
    "checked by one of another site": (
        issued,
        lambda kit, p: kit.infuse(p, second=kit.OTHER_DOCTOR),
        ["second-checker"],
        f"bag = L01-1: [second = s.doctor: is not a coordinator or investigator of the participant's site; let one who is compare bag and wristband]{GIVEN_NOTHING}",
    ),
    "checked by the statistician": (
        issued,
        lambda kit, p: kit.infuse(p, second=Actor("s.tat", "statistician")),
        ["second-checker"],
        f"bag = L01-1: [second = s.tat: is not a coordinator or investigator of the participant's site; let one who is compare bag and wristband]{GIVEN_NOTHING}",
    ),
    "checked by who released the lot": (
        lambda kit: released_by(kit, Actor("z.new", "quality")),
        lambda kit, p: kit.infuse(p, second=Actor("Z.New", "investigator", "01")),
        ["checker-released"],
        f"bag = L01-1: [checked_by = Z.New: released lot L01, and who releases a lot does not give it; let another person compare bag and label]{GIVEN_NOTHING}",
    ),
    "another bag on the label": (
        issued,
        label(bag="L01-2"),
        ["label-bag"],
        f"bag = L01-1: [label.bag = L01-2: read at the bedside, is not L01-1; {BEDSIDE}]{GIVEN_NOTHING}",
    ),
    "another lot on the label": (
        issued,
        label(lot="L02"),
        ["label-lot"],
        f"bag = L01-1: [label.lot = L02: read at the bedside, is not L01; {BEDSIDE}]{GIVEN_NOTHING}",
    ),
    "another wristband": (
        issued,
        label(participant="01-777"),
        ["label-participant"],
        f"bag = L01-1: [label.participant = 01-777: read at the bedside, is not {{p}}; {BEDSIDE}]{GIVEN_NOTHING}",
    ),
    "no expiry on the label": (
        issued,
        label(expires_at=None),
        ["label-expiry"],
        f"bag = L01-1: [label.expires_at: read at the bedside, is not 2018-02-02 10:{{m}}+08:00; stop; compare bag and label]{GIVEN_NOTHING}",
    ),
    "a bag of the same lot": (
        issued,
        lambda kit, p: kit.infuse(p, bag="L01-2"),
        ["bag-not-issued", "custody-giver"],
        f"bag = L01-2: [bag L01-2 = received: is not issued; issue it to the participant and course] [giver = n.nurse: does not hold bag L01-2, c.lab does; record the handover between them first]{GIVEN_NOTHING}",
    ),
    "a bag that nobody knows": (
        issued,
        lambda kit, p: kit.infuse(p, bag="L09-1", label=kit.label(p)),
        ["not-found"],
        "bag = L09-1: is not in this trial; check the code",
    ),
    "a participant whom nobody knows": (
        issued,
        lambda kit, _: kit.infuse("01-999"),
        ["not-found"],
        "participant = 01-999: is not in this trial; check the code",
    ),
    "a participant of another site": (
        issued,
        lambda kit, p: kit.infuse(p, by=kit.OTHER_DOCTOR),
        ["not-found"],
        "participant = {p}: is not in this trial; check the code",
    ),
    "another participant of the trial": (
        lambda kit: (kit.issued(), kit.in_arm("NEW"))[1],
        lambda kit, p: kit.infuse(p),
        ["bag-other-participant", "donor-not-matched"],
        None,
    ),
    "one who is not randomised": (
        lambda kit: (kit.issued(), kit.declared())[1],
        lambda kit, p: kit.infuse(p),
        ["not-randomised", "bag-other-participant", "donor-not-matched"],
        None,
    ),
    "one of the other arm": (
        lambda kit: (kit.issued(), kit.in_arm("OLD"))[1],
        lambda kit, p: kit.infuse(p),
        ["product-not-planned", "bag-other-participant", "donor-not-matched"],
        None,
    ),
    "the monitor": (
        issued,
        lambda kit, p: kit.infuse(p, by=Actor("m", "monitor")),
        ["not-permitted"],
        "role = monitor: may not record 'infusion started'; ask the investigator or coordinator",
    ),
    "a role that is none": (
        issued,
        lambda kit, p: kit.infuse(p, by=Actor("m", "king")),
        ["not-permitted"],
        "role = king: is not a role; use one of investigator, coordinator, pharmacist, quality, monitor, statistician, data_manager, administrator",
    ),
    "one who does not hold the bag": (
        issued,
        lambda kit, p: kit.infuse(p, by=Actor("o.nurse", "coordinator", "01")),
        ["custody-giver"],
        f"bag = L01-1: [giver = o.nurse: does not hold bag L01-1, n.nurse does; record the handover between them first]{GIVEN_NOTHING}",
    ),
    "another course": (
        issued,
        lambda kit, p: kit.infuse(p, course="C2"),
        ["course-order", "course-window", "course-after-visit", "bag-other-course"],
        None,
    ),
    "no course": (
        issued,
        lambda kit, p: kit.infuse(p, course="C7"),
        ["course-unknown", "bag-other-course"],
        f"bag = L01-1: [course = C7: is not a course of two; use one of C1, C2] [bag L01-1 = C1: is issued for another course than C7; fetch the right bag]{GIVEN_NOTHING}",
    ),
    "a missed course": (
        before_release(lambda kit, p: conduct.miss_course(kit.trial, p, "C1", cause="away", **kit.entry())),
        lambda kit, p: kit.infuse(p),
        ["course-missed"],
        f"bag = L01-1: [course = C1: is recorded as missed; take that back first]{GIVEN_NOTHING}",
    ),
    "once more": (
        before_release(lambda kit, p: kit.infuse(p)),
        lambda kit, p: kit.infuse(p),
        ["course-given", "bag-used"],
        f"bag = L01-1: [course = C1: was given already; a course is given once] [bag L01-1 = infusing: is used already; a bag is given once; fetch another]{GIVEN_NOTHING}",
    ),
    "a lot recalled": (
        before_release(lambda kit, _: quality(kit, conduct.recall_lot, statement="donor fell ill")),
        lambda kit, p: kit.infuse(p),
        ["lot-status"],
        f"bag = L01-1: [lot L01 = recalled: is not released; return the bag]{GIVEN_NOTHING}",
    ),
    "a lot found bad": (
        before_release(lambda kit, _: kit.result("L01", "sterility", "POSITIVE")),
        lambda kit, p: kit.infuse(p),
        ["lot-status", "out-of-specification"],
        f"bag = L01-1: [lot L01 = quarantine: is not released; let the quality unit release it] [criterion sterility = POSITIVE: Sterility of 14 days: POSITIVE does not meet value == 'NEGATIVE'; return the bag; recall the lot]{GIVEN_NOTHING}",
    ),
    "a donor judged against": (
        before_release(
            lambda kit, _: conduct.judge_donor(
                kit.trial, "D01", eligible=False, statement="CMV IgM found", **kit.entry(kit.QUALITY)
            )
        ),
        lambda kit, p: kit.infuse(p),
        ["donor-not-eligible", "lot-status"],
        f"bag = L01-1: [donor = D01: is not eligible: CMV IgM found; return the bag; quarantine the lot] [lot L01 = quarantine: is not released; let the quality unit release it]{GIVEN_NOTHING}",
    ),
    "a code with what nobody sees": (
        issued,
        lambda kit, p: kit.infuse(p, bag="L01-1\0", label=kit.label(p)),
        ["not-accepted"],
        "bag = L01-1\\x00: holds what no code does; stop; scan it again",
    ),
    "a label that no event could hold": (
        issued,
        label(bag="L01-1\0", lot="\ud800" * 1000),
        ["label-bag", "label-lot"],
        None,
    ),
    "a lot released on a condition": (
        conditional,
        lambda kit, p: kit.infuse(p, accept_conditional=" "),
        ["lot-conditional"],
        f"bag = L01-1: [lot L01 = conditionally released: has results to come; wait for them, or say why it is used before (accept_conditional)]{GIVEN_NOTHING}",
    ),
    "expired": (
        before_release(lambda kit, _: kit.wait(1)),
        lambda kit, p: kit.infuse(p),
        ["expired"],
        None,
    ),
    "expires meanwhile": (
        issued,
        lambda kit, p: kit.infuse(p, ends_at=kit.now + timedelta(days=1)),
        ["expires-during"],
        None,
    ),
    "after the window": (
        before_release(lambda kit, _: kit.wait(8)),
        lambda kit, p: kit.infuse(p),
        ["course-window", "expired"],
        None,
    ),
    "started in the future": (
        issued,
        lambda kit, p: kit.infuse(p, started_at=kit.now + timedelta(hours=1)),
        ["not-accepted"],
        None,
    ),
    "ended before it starts": (
        issued,
        lambda kit, p: kit.infuse(p, ends_at=kit.now - timedelta(days=3)),
        ["ends-before-start"],
        None,
    ),
    "told on the next day, when it has expired": (
        before_release(lambda kit, _: kit.wait(1)),
        lambda kit, p: kit.infuse(p, started_at=kit.now - timedelta(hours=23)),
        ["told-late"],
        None,
    ),
    "started before it was issued": (
        issued,
        lambda kit, p: kit.infuse(p, started_at=kit.now - timedelta(minutes=5)),
        ["custody-time"],
        None,
    ),
    "a question not answered": (
        issued,
        lambda kit, p: kit.infuse(p, preconditions={}),
        ["precondition-unanswered"],
        f"bag = L01-1: [afebrile: No fever within 24 hours: is not answered; answer yes or no]{GIVEN_NOTHING}",
    ),
    "a question answered no": (
        issued,
        lambda kit, p: kit.infuse(p, preconditions={"afebrile": False}),
        ["precondition-no"],
        f"bag = L01-1: [afebrile = no: No fever within 24 hours: the answer is no; wait, or record the course as missed]{GIVEN_NOTHING}",
    ),
    "a question answered perhaps": (
        issued,
        lambda kit, p: kit.infuse(p, preconditions={"afebrile": "perhaps"}),
        ["not-accepted"],
        "preconditions.afebrile = perhaps: is neither yes nor no; answer True or False",
    ),
    "no weight": (
        issued,
        lambda kit, p: kit.infuse(p, weight_kg=None),
        ["dose-limit"],
        f"bag = L01-1: [dose limit cd3_kg: cd3_per_kg is not known: the weight or a result of the lot is missing; record weight and results of the lot]{GIVEN_NOTHING}",
    ),
    "a weight of nothing": (
        issued,
        lambda kit, p: kit.infuse(p, weight_kg=0),
        ["not-accepted"],
        "weight_kg = 0: is zero; give it in kg",
    ),
    "a weight that is a binary fraction": (
        issued,
        lambda kit, p: kit.infuse(p, weight_kg=60.5),
        ["not-accepted"],
        "weight_kg = 60.5: is a binary fraction, which is not exact; pass it as text or Decimal",
    ),
    "too many T cells": (
        fat,
        lambda kit, p: kit.infuse(p, weight_kg="50"),
        ["dose-limit"],
        f"bag = L01-1: [dose limit cd3_kg: cd3_per_kg = 216000 cells/kg does not meet value <= 200000; return the bag; fetch another]{GIVEN_NOTHING}",
    ),
    "left the intervention": (
        before_release(lambda kit, p: withdraw(kit, p, "intervention")),
        lambda kit, p: kit.infuse(p),
        ["withdrawn"],
        f"bag = L01-1: [participant = {{p}}: has left the trial or its intervention; give no infusion]{GIVEN_NOTHING}",
    ),
    "left the trial": (
        before_release(lambda kit, p: withdraw(kit, p, "trial")),
        lambda kit, p: kit.infuse(p),
        ["withdrawn"],
        None,
    ),
    "stopped by the protocol": (
        before_release(lambda kit, p: harm(kit, p, "RELATED")),
        lambda kit, p: kit.infuse(p),
        ["product-stopped"],
        f"bag = L01-1: [participant = {{p}}: cells is stopped: stop_if of two is met or cannot be told (any(ae.grade >= 3 and ae.related == 'RELATED')); give no infusion; record the course as missed]{GIVEN_NOTHING}",
    ),
    "typed anew since the match": (
        before_release(retyped),
        lambda kit, p: kit.infuse(p),
        ["donor-not-matched"],
        f"bag = L01-1: [donor = D01: is not matched to {{p}}; stop; fetch a bag of a matched donor]{GIVEN_NOTHING}",
    ),
    "the trial is locked": (
        before_release(lambda kit, _: conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))),
        lambda kit, p: kit.infuse(p),
        ["locked"],
        "trial = KIT: is locked; ask the data_manager to unlock it",
    ),
    "hostile words": (
        issued,
        label(bag="<script>alert(1)</script>", lot="'; DROP TABLE read_bag;--"),
        ["label-bag", "label-lot"],
        None,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refused_attempt_is_recorded_with_its_reasons_and_gives_nothing(kit, name):
    before, attempt, codes, text = CASES[name]
    participant = before(kit)
    head, given, bags = kit.head().seq, kit.rows("infusion"), kit.rows("bag")
    with pytest.raises(Refusal) as refused:
        attempt(kit, participant)
    if text is not None:
        minute = kit.rows("lot")[0]["expires_at"][14:16]
        assert str(refused.value) == text.replace("{p}", str(participant)).replace("{m}", minute)
    assert kit.head().seq == head + 1
    assert (kit.rows("infusion"), kit.rows("bag")) == (given, bags)
    event = kit.events(Kind.INFUSION_REFUSED)[-1]
    assert event.seq == head + 1
    assert [reason["code"] for reason in event.payload["reasons"]] == codes
    assert all(reason["text"] in str(refused.value) for reason in event.payload["reasons"])
    rows = kit.rows("infusion_refusal", seq=event.seq)
    assert [(row["code"], row["reason"]) for row in rows] == [
        (reason["code"], reason["text"]) for reason in event.payload["reasons"]
    ]
    assert kit.trial.ledger.verify().ok
    assert kit.trial.ledger.rebuild().identical


def test_an_attempt_of_which_no_event_can_be_made_records_nothing(kit):
    participant = kit.issued()
    head = kit.head()
    with pytest.raises(Unsigned):
        kit.infuse(participant, **kit.entry(kit.NURSE, reason="\u200b"))
    assert kit.head() == head
    assert kit.rows("infusion") == []


def test_an_attempt_on_a_participant_of_another_site_is_in_the_participants_stream_and_says_no_more(kit):
    participant = kit.issued()
    with pytest.raises(conduct.NotFound):
        kit.infuse(participant, by=kit.OTHER_DOCTOR)
    with pytest.raises(conduct.NotFound):
        kit.infuse("09-001", by=kit.OTHER_DOCTOR)
    known, unknown = kit.events(Kind.INFUSION_REFUSED)
    assert (known.stream, unknown.stream) == (participant, "trial")
    assert (known.payload["label"]["bag"], known.payload["second"]["id"]) == ("L01-1", "l.doctor")


def test_who_gave_a_bag_does_not_complete_the_release_of_its_lot(kit):
    participant = conditional(kit)
    kit.infuse(participant, accept_conditional="sterility takes 14 days")
    kit.result("L01", "sterility")
    with pytest.raises(conduct.Against) as refused:
        kit.release(by=Actor("N.Nurse", "quality"))
    assert str(refused.value) == (
        "lot = L01: [released_by = N.Nurse: gave a bag of lot L01; let another person release it]; "
        "nothing was recorded; mend these and do it again"
    )
    kit.release()


def test_a_bag_issued_at_another_site_is_not_there(kit):
    kit.issued()
    other = kit.in_arm("NEW", kit.OTHER_DOCTOR, "02")
    with pytest.raises(conduct.NotFound) as refused:
        kit.infuse(other, by=kit.OTHER_DOCTOR)
    assert str(refused.value) == "bag = L01-1: is not in this trial; check the code"


def test_a_start_told_on_the_next_day_is_noted_where_all_can_see_it(kit):
    participant = kit.issued()
    kit.now += timedelta(hours=30)
    started = kit.now - timedelta(hours=20)
    found = kit.infuse(participant, started_at=started, told_late="the line to the ward was down")
    assert [one.code for one in found] == ["told-late", "expired-when-told"]
    (event,) = kit.events(Kind.INFUSION_STARTED)
    assert event.payload["told_late"] == "the line to the ward was down"
    assert event.payload["findings"] == [{"code": one.code, "text": str(one)} for one in found]
    kit.finish(participant, stopped_at=kit.now)
    (row,) = conduct.snapshot(kit.trial).infusions.to_dict("records")
    assert row["findings"] == ("told-late", "expired-when-told", "expired-during")
    assert kit.trial.ledger.rebuild().identical


def test_an_infusion_whose_end_was_not_foretold_is_judged_when_it_ends(kit):
    participant = kit.issued()
    kit.now += timedelta(hours=23, minutes=40)
    assert kit.infuse(participant) == ()
    (finding,) = kit.finish(participant)
    assert finding.code == "expired-during"


def test_a_course_is_started_and_what_was_checked_is_kept(kit):
    participant = kit.issued()
    kit.infuse(participant)
    (event,) = kit.events(Kind.INFUSION_STARTED)
    payload = event.payload
    assert event.stream == participant
    assert payload["checked_by"] == ["n.nurse", "l.doctor"]
    assert payload["second"] == {"id": "l.doctor", "role": "investigator", "site": "01"}
    assert payload["label"]["participant"] == participant
    assert payload["preconditions"] == {"afebrile": True}
    assert (payload["weight_kg"], payload["planned_dose"], payload["on"]) == ("60", "100000000", "2018-02-01")
    assert (payload["lot"], payload["donor"], payload["bag"]) == ("L01", "D01", "L01-1")
    assert kit.rows("bag", bag="L01-1")[0]["status"] == "infusing"


@pytest.mark.parametrize(("off", "codes"), [(0, None), (1, ["label-expiry"]), (-1, ["label-expiry"])])
def test_a_label_prints_its_expiry_to_the_minute(kit, off, codes):
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    kit.received("L02", made_at=kit.now - timedelta(seconds=17))
    for criterion, (value, unit) in kit.RESULTS.items():
        kit.result("L02", criterion, value, unit=unit)
    kit.release("L02")
    kit.issue(participant, "L02-1")
    printed = kit.label(participant, "L02-1", "L02")
    assert printed.expires_at.second == 43
    printed = replace(printed, expires_at=printed.expires_at.replace(second=0) + timedelta(minutes=off))
    zone = timezone(timedelta(hours=8))
    printed = replace(printed, expires_at=printed.expires_at.astimezone(zone))
    if codes is None:
        kit.infuse(participant, bag="L02-1", label=printed)
        return
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant, bag="L02-1", label=printed)
    assert [reason.code for reason in refused.value.reasons] == codes


@pytest.fixture
def asking_three(trial_kit, tmp_path):
    kit = trial_kit.Kit(tmp_path / "three", trial_kit.PROTOCOL.replace("identity_checks: 2", "identity_checks: 3"))
    yield kit
    kit.trial.close()


def test_three_persons_check_where_the_protocol_asks_for_three(asking_three):
    kit, third = asking_three, Actor("o.nurse", "coordinator", "01")
    participant = kit.issued()
    for further in ((), (Actor("L.Doctor", "investigator", "01"),)):
        with pytest.raises(conduct.InfusionRefused) as refused:
            kit.infuse(participant, further=further)
        assert [reason.code for reason in refused.value.reasons] == ["identity-checkers"]
    with pytest.raises(conduct.InfusionRefused) as refused:
        kit.infuse(participant, further=[kit.OTHER_DOCTOR])
    assert str(refused.value) == (
        "bag = L01-1: [further[0] = s.doctor: is not a coordinator or investigator of the participant's site; "
        f"let one who is compare bag and wristband]{GIVEN_NOTHING}"
    )
    kit.infuse(participant, by=third, second=kit.DOCTOR, further=[kit.NURSE])  # the nurse holds the bag
    (event,) = kit.events(Kind.INFUSION_STARTED)
    assert event.payload["checked_by"] == ["o.nurse", "l.doctor", "n.nurse"]
    assert event.payload["further"] == [{"id": "n.nurse", "role": "coordinator", "site": "01"}]
    assert kit.rows("custody", bag="L01-1", event="infusing")[0]["giver"] == "n.nurse"
    assert kit.trial.ledger.rebuild().identical


def test_the_second_person_may_be_the_one_who_holds_the_bag(kit):
    participant = kit.issued()
    kit.infuse(participant, by=kit.DOCTOR, second=kit.NURSE)
    assert kit.rows("custody", bag="L01-1", event="infusing")[0]["giver"] == "n.nurse"


def test_an_infusion_ends_with_the_dose_that_was_given(kit):
    participant = kit.issued()
    kit.infuse(participant)
    assert kit.finish(participant) == ()
    (event,) = kit.events(Kind.INFUSION_FINISHED)
    dose = event.payload["dose"]
    assert (dose["cells_given"], dose["viable_nk"], dose["dose_share"]) == ("120000000", "102600000", "1.026")
    assert (dose["cd3_per_kg"], dose["endotoxin_per_kg"]) == ("40000", "0.833333333333333")
    assert event.payload["findings"] == []
    assert kit.rows("bag", bag="L01-1")[0]["status"] == "infused"


def test_an_infusion_that_was_stopped_says_why_and_by_how_much_less_was_given(kit):
    participant = kit.issued()
    kit.infuse(participant)
    (finding,) = kit.finish(participant, volume_given_ml="50", completed=False, stop_reason="chills")
    assert finding.code == "dose-deviation"
    (event,) = kit.events(Kind.INFUSION_FINISHED)
    assert event.payload["findings"] == [{"code": "dose-deviation", "text": str(finding)}]
    assert (event.payload["completed"], event.payload["stop_reason"]) == (False, "chills")
    assert event.payload["dose"]["dose_share"] == "0.513"


FINISH = {
    "not started": (
        lambda kit: kit.issued(),
        lambda kit, p: kit.finish(p),
        "course = C1: was not started for {p}; start the infusion first",
    ),
    "finished twice": (
        lambda kit: kit.infused(),
        lambda kit, p: kit.finish(p),
        None,
    ),
    "another site": (
        lambda kit: kit.infused(),
        lambda kit, p: kit.finish(p, by=kit.OTHER_DOCTOR),
        "participant = {p}: is not in this trial; check the code",
    ),
    "more than the bag": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, volume_given_ml="101"),
        "course = C1: [volume_given_ml = 101: is above the 100 mL of bag L01-1; correct the volume]; nothing was recorded; mend these and do it again",
    ),
    "all given, and 40 mL of it": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, volume_given_ml="40"),
        "course = C1: [volume_given_ml = 40: is below 90 of the 100 mL of bag L01-1, for an infusion that was completed; correct the volume, or record it as not completed and say why it was stopped]; nothing was recorded; mend these and do it again",
    ),
    "ended after 40 days": (
        lambda kit: (p := kit.issued(), kit.infuse(p), kit.wait(40))[0],
        lambda kit, p: kit.finish(p),
        None,
    ),
    "less than nothing": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, volume_given_ml="-1"),
        "volume_given_ml = -1: is below zero; give it in mL",
    ),
    "stopped without a word": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, completed=False),
        "course = C1: [stop_reason: is missing for an infusion that was not completed; say why it was stopped]; nothing was recorded; mend these and do it again",
    ),
    "ended in the future": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, stopped_at=kit.now + timedelta(days=1)),
        None,
    ),
    "ended before it began": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: kit.finish(p, stopped_at=kit.now - timedelta(days=1)),
        None,
    ),
    "watched before it began": (
        lambda kit: kit.issued(),
        lambda kit, p: watch(kit, p),
        "course = C1: was not started for {p}; start the infusion first",
    ),
    "watched twice": (
        lambda kit: (p := kit.infused(), watch(kit, p))[0],
        lambda kit, p: watch(kit, p),
        "minutes = 15: are recorded already for course C1; give the minutes at which it was measured",
    ),
    "watched for years": (
        lambda kit: kit.infused(),
        lambda kit, p: watch(kit, p, minutes=10**6),
        "minutes = 1000000: are not minutes of an infusion; count from its start",
    ),
    "watched before it happened": (
        lambda kit: (p := kit.issued(), kit.infuse(p))[0],
        lambda kit, p: watch(kit, p, minutes=240),
        "minutes = 240: are to come, the start was 1 min ago; give the minutes at which it was measured, once it is",
    ),
    "nothing measured": (
        lambda kit: kit.infused(),
        lambda kit, p: watch(kit, p, values={}),
        "values: are none; give some of temperature, systolic, diastolic, pulse, respiration, saturation",
    ),
    "a sign that is none": (
        lambda kit: kit.infused(),
        lambda kit, p: watch(kit, p, values={"mood": 5}),
        "values = mood: is not a vital sign; use some of temperature, systolic, diastolic, pulse, respiration, saturation",
    ),
    "degrees of another scale": (
        lambda kit: kit.infused(),
        lambda kit, p: watch(kit, p, values={"temperature": "98.6"}),
        "temperature = 98.6: is not from 30 to 45 Cel; measure or type it again",
    ),
    "missed after it was given": (
        lambda kit: kit.infused(),
        lambda kit, p: conduct.miss_course(kit.trial, p, "C1", cause="away", **kit.entry()),
        "course = C1: was given already; leave it",
    ),
    "missed twice": (
        lambda kit: (p := kit.infused(), conduct.miss_course(kit.trial, p, "C2", cause="away", **kit.entry()))[0],
        lambda kit, p: conduct.miss_course(kit.trial, p, "C2", cause="away", **kit.entry()),
        "course = C2: is recorded as missed already; leave it",
    ),
    "missed without a word": (
        lambda kit: kit.infused(),
        lambda kit, p: conduct.miss_course(kit.trial, p, "C2", cause="", **kit.entry()),
        "cause: is blank; say why the course is not given",
    ),
    "missed what is not planned": (
        lambda kit: kit.in_arm("OLD"),
        lambda kit, p: conduct.miss_course(kit.trial, p, "C2", cause="away", **kit.entry()),
        "course = C2: is not in the protocol; leave it out",
    ),
    "missed before randomisation": (
        lambda kit: kit.declared(),
        lambda kit, p: conduct.miss_course(kit.trial, p, "C2", cause="away", **kit.entry()),
        "participant = {p}: is not randomised; randomise first",
    ),
}


def watch(kit, participant, **given):
    facts = {"minutes": 15, "values": {"temperature": "37.9", "pulse": 88}} | kit.entry(kit.NURSE) | given
    return conduct.record_infusion_vital_signs(kit.trial, participant, "C1", **facts)


@pytest.mark.parametrize("name", FINISH)
def test_what_follows_an_infusion_is_refused_whole(kit, name):
    before, act, text = FINISH[name]
    participant = before(kit)
    head = kit.head()
    with pytest.raises(Refusal) as refused:
        act(kit, participant)
    if text is not None:
        assert str(refused.value) == text.replace("{p}", str(participant))
    assert kit.head() == head


@pytest.mark.parametrize(("minutes", "seconds"), [(-15, 0), (0, 0), (15, 0), (15, -20)])
def test_vital_signs_are_recorded_once_they_were_measured(kit, minutes, seconds):
    participant = kit.issued()
    kit.now += timedelta(seconds=30)
    kit.infuse(participant)
    (row,) = kit.rows("infusion")
    at = datetime.fromisoformat(row["started_at"]) + timedelta(minutes=max(minutes, 0), seconds=seconds)
    watch(kit, participant, minutes=minutes, at=at)
    assert [row["minutes"] for row in kit.rows("infusion_vital_signs")] == [minutes]


def test_two_courses_each_with_its_own_bag_and_the_frames(kit):
    participant = kit.infused()
    watch(kit, participant)
    kit.wait(28)
    kit.record(participant, "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    kit.type_donor("D01", ("C*07:01", "C*05:01"))  # a new report: the match must be made again
    conduct.match_donor(kit.trial, participant, "D01", **kit.entry(kit.LABORATORY))
    results = dict.fromkeys(("HIV", "HBV", "HCV", "SYPHILIS"), "NEGATIVE")
    conduct.record_donor_tests(kit.trial, "D01", results=results, sampled_on=kit.today, **kit.entry(kit.LABORATORY))
    kit.released("L02")
    kit.issue(participant, "L02-1", "C2")
    kit.infuse(participant, "C2", "L02-1")
    found = conduct.snapshot(kit.trial)
    first, second = found.infusions.to_dict("records")
    assert first | {"started_at": None, "stopped_at": None} == {
        "participant": participant,
        "arm": "NEW",
        "course": "C1",
        "bag": "L01-1",
        "lot": "L01",
        "donor": "D01",
        "target": date(2018, 2, 1),
        "opens": date(2018, 2, 1),
        "closes": date(2018, 2, 8),
        "started_at": None,
        "stopped_at": None,
        "on": date(2018, 2, 1),
        "day": 1,
        "in_window": True,
        "volume_ml": 100.0,
        "volume_given_ml": 100.0,
        "weight_kg": 60.0,
        "cells_given": 1.2e8,
        "viable_nk": 1.026e8,
        "cd3_per_kg": 40000.0,
        "endotoxin_per_kg": pytest.approx(0.5 * 100 / 60, rel=1e-14),
        "planned_dose": 1e8,
        "dose_share": 1.026,
        "completed": True,
        "stop_reason": None,
        "checked_by": ("n.nurse", "l.doctor"),
        "findings": (),
    }
    assert (first["stopped_at"] - first["started_at"]) == timedelta(minutes=31)
    assert (second["course"], second["day"], second["in_window"], second["stopped_at"]) == ("C2", 29, True, None)
    (signs,) = found.infusion_vital_signs.to_dict("records")
    assert signs == {
        "participant": participant,
        "course": "C1",
        "minutes": 15,
        "temperature": 37.9,
        "systolic": None,
        "diastolic": None,
        "pulse": 88.0,
        "respiration": None,
        "saturation": None,
        "corrections": 0,
    }
    assert found.lots["status"].tolist() == ["released", "released"]
    assert found.bags["status"].tolist() == ["infused", "received", "received", "infusing", "received", "received"]
    assert found.custody["event"].tolist()[:4] == ["received", "issued", "infusing", "infused"]
    assert found.lot_results["passes"].tolist() == [True] * 12
    tables, _ = kit.trial.ledger.as_of(None)
    assert conduct.treated(tables, "NEW") == (participant,)
    assert conduct.treated(tables, "OLD") == ()


def test_what_is_left_of_product_stands_in_the_way_of_the_lock(kit):
    kit.typed_donor()
    participant = kit.matched()
    kit.measured()
    kit.release(conditional=True)
    kit.issue(participant)
    kit.infuse(participant, accept_conditional="sterility takes 14 days")
    kit.wait(50)

    def left():
        found = conduct.open_items(kit.trial, on=kit.today)
        return [str(item) for item in found if item.visit is None and item.participant in (participant, "L01")]

    assert left() == [
        f"{participant}: the infusion of course C1 is not finished",
        f"{participant}: course C2 is neither given nor recorded as missed",
        "L01: is released conditionally: record what is to come and release it, or recall it",
        "L01: is not accounted for: 2 bags in the store, 1 issued, 300 mL left",
    ]
    with pytest.raises(conduct.StillOpen):
        conduct.lock(kit.trial, **kit.entry(kit.MANAGER))
    started = datetime.fromisoformat(kit.rows("infusion")[0]["started_at"])
    kit.finish(participant, stopped_at=started + timedelta(minutes=31))
    conduct.miss_course(kit.trial, participant, "C2", cause="away", **kit.entry())
    kit.result("L01", "sterility")
    for bag in ("L01-2", "L01-3"):
        conduct.destroy_bag(kit.trial, bag, place="store", **kit.entry(kit.LABORATORY))
    assert left() == ["L01: is released conditionally: record what is to come and release it, or recall it"]
    kit.release()  # it expired long since, and what was given is released at last
    assert left() == []
    (balance,) = conduct.lot_balances(kit.trial)
    assert (balance.made, balance.infused, balance.destroyed, balance.closed) == (3, 1, 2, True)


def test_who_leaves_the_intervention_owes_no_course(kit):
    participant = kit.infused()
    conduct.withdraw(kit.trial, participant, scope="intervention", reason_code="WISH", on=kit.today, **kit.entry())
    kit.wait(50)
    found = conduct.open_items(kit.trial, on=kit.today)
    assert not any("course" in item.what for item in found if item.participant == participant)


def test_the_past_of_product_is_as_it_was(kit):
    participant = kit.issued()
    then = conduct.snapshot(kit.trial)
    with pytest.raises(conduct.InfusionRefused):
        kit.infuse(participant, second=kit.NURSE)
    kit.infuse(participant)
    kit.finish(participant)
    kit.result("L01", "sterility", "POSITIVE")
    again = conduct.snapshot(kit.trial, then.position)
    for name in ("lots", "lot_results", "bags", "custody", "infusions", "infusion_refusals", "matches", "donors"):
        assert getattr(again, name).equals(getattr(then, name)), name
    assert len(conduct.snapshot(kit.trial).infusion_refusals) == 1
    tables, _ = kit.trial.ledger.as_of(None)
    with kit.trial.ledger.reading() as reader:
        for table in conduct.PROJECTION.tables:
            assert reader.rows(table.name) == tables.rows(table.name), table.name
