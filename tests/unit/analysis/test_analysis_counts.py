"""Flow, baseline, harms and quality of the record, each counted by hand."""

import math
from datetime import date

import pytest

from equipoise import analysis

# R 4.2.2: binom.test(2, 4)$conf.int, binom.test(0, 4)$conf.int, prop.test(2, 4, correct = FALSE)$conf.int and
# prop.test(1, 4, correct = FALSE)$conf.int, printed with 15 digits.
LOW_2_OF_4, HIGH_0_OF_4 = 0.067585986488543, 0.602364635616475
WILSON_2_OF_4 = (0.15003898915215, 0.84996101084785)
WILSON_1_OF_4 = (0.0455872608097006, 0.6993581574175980)
MEANS = "{id: means, outcome: cd4, analysis_set: FAS, role: descriptive, method: means-by-visit}"


def counts(results, prefix):
    """`{id: (count, of how many)}` of the rows under a prefix."""
    return {row.id: (row.estimate, row.n) for row in results.rows if row.id.startswith(prefix)}


@pytest.fixture(scope="module")
def flowing(planned, small, records):
    protocol = planned(MEANS)
    left = {
        "01-007": {"withdrawal_scope": "trial", "withdrawal_reason": "LOST TO FOLLOW-UP", "status": "withdrawn"},
        "01-008": {"withdrawal_scope": "intervention", "withdrawal_reason": "ADVERSE EVENT"},
    }
    failed = {"status": "screen failure", "eligible": False}
    people = [
        records.person("01-009", **failed, failed_criteria=("I1", "E1")),
        records.person("01-010", **failed, failed_criteria=("E1",)),
        records.person("01-011", **failed, failure_reason="DECLINED", consented_on=None),
        records.person("01-012", status="consented"),
        records.person("01-013", status="withdrawn"),
    ]
    snapshot = small(
        protocol,
        people=people,
        values=[records.answer(code, "m1", "dose.given", 1) for code in ("01-001", "01-003", "01-005")],
        deviations=[{"participant": "01-002", "category": "DOSE", "major": True}],
    )
    for code, known in left.items():
        for column, value in known.items():
            snapshot.participants.loc[snapshot.participants["participant"] == code, column] = value
    snapshot.participants.loc[1, "randomised_on"] = date(2020, 3, 9)
    return analysis.run(protocol, snapshot)


def test_flow_counts_everybody_once_and_each_reason(flowing):
    assert counts(flowing, "flow.") == {
        "flow.screened": (13, 13),
        "flow.consented": (12, 12),
        "flow.excluded": (3, 13),
        "flow.excluded.I1": (1, 3),
        "flow.excluded.E1": (2, 3),
        "flow.excluded.DECLINED": (1, 3),
        "flow.screening": (1, 13),
        "flow.withdrew_before": (1, 13),
        "flow.randomised": (8, 8),
        "flow.randomised.NEW": (4, 4),
        "flow.received.NEW": (3, 4),
        "flow.lost.NEW": (1, 4),
        "flow.lost.NEW.LOST TO FOLLOW-UP": (1, 4),
        "flow.discontinued.NEW": (0, 4),
        "flow.seen.NEW.m1": (4, 4),
        "flow.seen.NEW.m2": (4, 4),
        "flow.analysed.NEW.FAS": (4, 4),
        "flow.analysed.NEW.PPS": (4, 4),
        "flow.analysed.NEW.WOMEN": (0, 4),
        "flow.randomised.OLD": (4, 4),
        "flow.lost.OLD": (0, 4),
        "flow.discontinued.OLD": (1, 4),
        "flow.discontinued.OLD.ADVERSE EVENT": (1, 4),
        "flow.seen.OLD.m1": (4, 4),
        "flow.seen.OLD.m2": (4, 4),
        "flow.analysed.OLD.FAS": (4, 4),
        "flow.analysed.OLD.PPS": (3, 4),
        "flow.analysed.OLD.WOMEN": (0, 4),
    }
    assert flowing.row("flow.excluded.I1").label == "inclusion criterion: Adult"
    assert flowing.row("flow.lost.NEW.LOST TO FOLLOW-UP").label == "Lost to follow-up"


def test_flow_says_what_its_counts_do_not(flowing):
    assert flowing.sentences["flow"] == (
        "A person excluded by several criteria is counted under each: reasons may add up to more than those excluded. "
        "Whether the intervention was received is not recorded for Old."
    )
    assert flowing.sentences["dates"] == "Participants were randomised from 2020-02-01 to 2020-03-09."


def test_a_reason_that_the_protocol_does_not_list_is_still_counted(planned, made, records):
    protocol = planned(MEANS)
    known = {"withdrawal_scope": "trial", "withdrawal_reason": "MOVED", "status": "withdrawn"}
    results = analysis.run(protocol, made(protocol, people=[records.person("01-001", "NEW", **known)]))
    assert counts(results, "flow.lost.NEW") == {"flow.lost.NEW": (1, 1), "flow.lost.NEW.MOVED": (1, 1)}


def test_a_foreign_table_does_not_tell_who_was_screened(planned, small):
    protocol = planned(MEANS)
    results = analysis.run(protocol, small(protocol, source="cd4.csv, SHA-256 00"))
    assert results.maybe("flow.screened") is None
    assert results.maybe("flow.lost.NEW") is None
    assert results.row("flow.randomised.NEW").estimate == 4
    assert results.sentences["flow"] == (
        "The data begin at randomisation: who was screened, who left and why is not in them."
    )
    assert results.find(analysis="harms") == ()
    assert results.sentences["harms"] == (
        "Adverse events are not in these data; that is not to say that there were none."
    )
    assert results.find(analysis="deviations") == ()
    assert results.maybe("quality.corrections") is None


def test_baseline_takes_the_last_value_before_allocation(planned, small, records):
    protocol = planned(MEANS)
    values = [
        records.answer(code, "s", "entry.age", age) for code, age in (("01-001", 30), ("01-002", 50), ("01-003", 40))
    ]
    values += [records.answer("01-001", "m0", "entry.age", 31), records.answer("01-001", "m1", "entry.age", 99)]
    values += [records.answer("01-001", "s", "entry.sex", "F"), records.answer("01-002", "s", "entry.sex", "M")]
    values += [
        records.answer("01-001", "s", "entry.pregnant", "no"),
        records.answer("01-003", "m0", "blood.kind", "soft"),
    ]
    found = analysis.run(protocol, small(protocol, values=values))
    age = {row.id.removeprefix("baseline.entry.age."): (row.estimate, row.n) for row in found.find(outcome="entry.age")}
    assert age == {
        "NEW.missing": (2, 4),
        "NEW.median": (35.5, 2),
        "NEW.q1": (33.25, 2),
        "NEW.q3": (37.75, 2),
        "OLD.missing": (3, 4),
        "OLD.median": (50, 1),
        "OLD.q1": (50, 1),
        "OLD.q3": (50, 1),
        "total.missing": (5, 8),
        "total.median": (40, 3),
        "total.q1": (35.5, 3),
        "total.q3": (45, 3),
    }
    assert counts(found, "baseline.entry.sex.NEW.count") == {
        "baseline.entry.sex.NEW.count.F": (1, 1),
        "baseline.entry.sex.NEW.count.M": (0, 1),
    }
    assert counts(found, "baseline.entry.pregnant.NEW.count") == {
        "baseline.entry.pregnant.NEW.count.yes": (0, 1),
        "baseline.entry.pregnant.NEW.count.no": (1, 1),
    }
    assert counts(found, "baseline.blood.kind.NEW.count") == {"baseline.blood.kind.NEW.count.soft": (1, 1)}
    mean = found.row("baseline.blood.cd4.OLD.mean")
    assert (mean.estimate, mean.n, mean.unit) == (130, 3, "/uL")
    assert found.row("baseline.blood.cd4.OLD.sd").estimate == pytest.approx(20, rel=1e-14)
    assert found.row("baseline.entry.sex.NEW.count.F").label == "Female"
    assert {row.p_value for row in found.find(analysis="baseline")} == {None}


def event(code, number, term, **known):
    usual = {"name": term.title(), "serious": False, "related_any": False, "grade": 1, "outcome": "RECOVERED/RESOLVED"}
    return {
        "participant": code,
        "number": number,
        "term": term,
        "counted_as": term,
        "after_randomisation": True,
        **usual,
        **known,
    }


@pytest.fixture(scope="module")
def harmed(planned, small, records):
    protocol = planned(MEANS)
    events = [
        event("01-001", 1, "FEVER", related_any=True),
        event("01-001", 2, "FEVER", grade=2),
        event("01-001", 3, "RASH", grade=3, serious=True),
        event("01-003", 1, "FEVER", related_any=True),
        event("01-002", 1, "STROKE", grade=5, serious=True, outcome="FATAL"),
        event("01-004", 1, "COUGH", after_randomisation=False),
        event("01-099", 1, "COUGH", after_randomisation=False),
    ]
    left = {"withdrawal_scope": "trial", "withdrawal_reasons": ("ADVERSE EVENT",), "status": "withdrawn"}
    people = [records.person("01-099", **left)]
    snapshot = small(protocol, events=events, people=people)
    # First for an adverse event, then lost: the first reason counts too.
    place = snapshot.participants.index[snapshot.participants["participant"] == "01-008"][0]
    snapshot.participants.at[place, "withdrawal_reasons"] = ("ADVERSE EVENT", "LOST TO FOLLOW-UP")
    snapshot.participants.at[place, "withdrawal_reason"] = "LOST TO FOLLOW-UP"
    return analysis.run(protocol, snapshot)


def test_harms_count_participants_once_and_events_each_time(harmed):
    found = {id: value for id, value in counts(harmed, "harms.NEW").items() if not id.endswith("share")}
    assert found == {
        "harms.NEW.any.participants": (2, 4),
        "harms.NEW.any.events": (4, 4),
        "harms.NEW.serious.participants": (1, 4),
        "harms.NEW.serious.events": (1, 4),
        "harms.NEW.related.participants": (2, 4),
        "harms.NEW.related.events": (2, 4),
        "harms.NEW.grade3.participants": (1, 4),
        "harms.NEW.grade3.events": (1, 4),
        "harms.NEW.interest.participants": (0, 4),
        "harms.NEW.interest.events": (0, 4),
        "harms.NEW.deaths.participants": (0, 4),
        "harms.NEW.deaths.events": (0, 4),
        "harms.NEW.withdrawals.participants": (0, 4),
    }
    assert harmed.row("harms.OLD.deaths.participants").estimate == 1
    assert harmed.row("harms.OLD.withdrawals.participants").estimate == 1
    assert harmed.row("harms.OLD.any.participants").estimate == 1  # the cough was before randomisation
    assert harmed.sentences["harms"].endswith("No tests. 2 events before randomisation not counted here.")


def test_harms_by_term_in_the_protocols_order_then_others(harmed):
    terms = [row.id for row in harmed.rows if row.id.startswith("harms.term") and row.id.endswith("NEW.participants")]
    assert terms == [f"harms.term.{term}.NEW.participants" for term in ("FEVER", "RASH", "STROKE")]
    assert harmed.row("harms.term.FEVER.NEW.participants").estimate == 2
    assert harmed.row("harms.term.FEVER.NEW.events").estimate == 3
    assert harmed.row("harms.term.STROKE.OLD.events").label == "Stroke"


def test_intervals_of_harms_are_exact_and_no_p_value_is_given(harmed):
    # Newcombe (1998), Statistics in Medicine 17:873-890, method 10: from the two score intervals.
    share, none = harmed.row("harms.NEW.any.share"), harmed.row("harms.NEW.deaths.share")
    assert (share.conf_low, share.conf_high) == pytest.approx((LOW_2_OF_4, 1 - LOW_2_OF_4), rel=1e-12)
    assert (none.conf_low, none.conf_high) == pytest.approx((0, HIGH_0_OF_4), rel=1e-12)
    difference = harmed.row("harms.any.difference")
    assert (difference.term, difference.n, difference.estimate) == ("NEW-OLD", 8, 0.25)
    (low_2, high_2), (low_1, high_1) = WILSON_2_OF_4, WILSON_1_OF_4
    assert difference.conf_low == pytest.approx(0.25 - math.hypot(0.5 - low_2, high_1 - 0.25), rel=1e-10)
    assert difference.conf_high == pytest.approx(0.25 + math.hypot(high_2 - 0.5, 0.25 - low_1), rel=1e-10)
    assert {row.p_value for row in harmed.find(analysis="harms")} == {None}


def test_completeness_and_quality(planned, small, records):
    protocol = planned(MEANS)
    snapshot = small(
        protocol,
        values=[records.answer("01-001", "m1", "blood.kind", "hard", corrections=2)],
        corrections=[{"participant": "01-001", "item": "blood.kind"}] * 2,
        visits=[
            {"participant": "01-001", "visit": "extra@2020-03-01", "status": "done"},
            {"participant": "01-001", "visit": "s", "status": "done", "in_window": False},
            {"participant": "01-099", "visit": "m1", "status": "missed"},
        ],
    )
    found = analysis.run(protocol, snapshot)
    assert counts(found, "complete.blood.cd4") == {
        "complete.blood.cd4.m0.NEW": (4, 4),
        "complete.blood.cd4.m0.OLD": (3, 4),
        "complete.blood.cd4.m1.NEW": (4, 4),
        "complete.blood.cd4.m1.OLD": (3, 4),
        "complete.blood.cd4.m2.NEW": (3, 4),
        "complete.blood.cd4.m2.OLD": (4, 4),
    }
    assert counts(found, "quality.") == {
        "quality.values": (22, 25),
        "quality.corrections": (2, 2),
        "quality.corrected": (1, 25),
        "quality.missing.CLOT": (3, 25),
        "quality.missing.LOST": (0, 25),
    }
    assert counts(found, "visits.") == {
        "visits.done": (25, 25),
        "visits.missed": (0, 25),
        "visits.withdrawn": (0, 25),
        "visits.due": (0, 25),
        "visits.pending": (0, 25),
        "visits.out_of_window": (1, 25),
    }


def test_deviations_by_category_and_arm(planned, small):
    protocol = planned(MEANS)
    deviations = [
        {"participant": "01-001", "category": "WINDOW", "major": False},
        {"participant": "01-001", "category": "WINDOW", "major": True},
        {"participant": "01-002", "category": "OTHER", "major": False},
        {"participant": None, "category": "DOSE", "major": True},
    ]
    found = analysis.run(protocol, small(protocol, deviations=deviations))
    assert {id: value for id, value in counts(found, "deviations.").items() if ".OLD" not in id} == {
        "deviations.total": (4, 4),
        "deviations.major": (2, 4),
        "deviations.WINDOW": (2, 4),
        "deviations.WINDOW.NEW": (2, 4),
        "deviations.WINDOW.NEW.participants": (1, 4),
        "deviations.DOSE": (1, 4),
        "deviations.DOSE.NEW": (0, 4),
        "deviations.DOSE.NEW.participants": (0, 4),
        "deviations.OTHER": (1, 4),
        "deviations.OTHER.NEW": (0, 4),
        "deviations.OTHER.NEW.participants": (0, 4),
    }
    assert found.row("deviations.OTHER.OLD.participants").estimate == 1


def test_words_that_are_used_twice_still_have_ids_of_their_own(planned, made, records):
    """A reason spelled like a criterion, a category like a total, an item asked twice, an arm called total."""
    protocol = planned(
        MEANS,
        replace=[
            ("screening: {DECLINED: Declined,", "screening: {I1: Spelled like a criterion,"),
            ("deviations: {WINDOW: Outside its window,", "deviations: {major: Outside its window,"),
            ("    - {item: entry.sex, summary: count, label: Gender}\n", "    - {item: entry.age, summary: mean}\n"),
            ("{id: OLD, name: Old,", "{id: total, name: Old,"),
            ("OLD: 1", "total: 1"),
            ("reference: OLD", "reference: total"),
        ],
    )
    people = [
        records.person("01-001", "NEW"),
        records.person("01-002", "total"),
        records.person("01-003", status="screen failure", failed_criteria=("I1",)),
        records.person("01-004", status="screen failure", failure_reason="I1"),
    ]
    values = [records.answer("01-002", "s", "entry.age", 40)]
    deviations = [{"participant": "01-001", "category": "major", "major": False}]
    found = analysis.run(protocol, made(protocol, people=people, values=values, deviations=deviations))
    assert (found.row("flow.excluded.I1").estimate, found.row("flow.excluded.I1*").estimate) == (1, 1)
    assert found.row("flow.excluded.I1*").label == "Spelled like a criterion"
    assert (found.row("deviations.major").estimate, found.row("deviations.major*").estimate) == (0, 1)
    assert found.row("baseline.entry.age.NEW.missing").estimate == 1
    assert found.row("baseline.entry.age.total.median").estimate == 40
