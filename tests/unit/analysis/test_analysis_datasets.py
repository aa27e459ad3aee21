import math

import pytest

from equipoise.analysis.contrasts import contrasts_of, contrasts_of_analysis, overall_contrasts
from equipoise.analysis.datasets import followed_visits, outcome_data, own_visits, visits_of
from equipoise.analysis.refusals import CannotAnalyse

MEANS = "{id: means, outcome: cd4, analysis_set: FAS, role: descriptive, method: means-by-visit}"


def test_value_baseline_and_change_stand_side_by_side(planned, small):
    protocol = planned(MEANS)
    data = outcome_data(protocol, small(protocol), protocol.outcome("cd4"), ("01-006", "01-001"))
    assert data["participant"].tolist() == ["01-001"] * 3 + ["01-006"] * 3
    assert data["arm"].tolist() == ["NEW"] * 3 + ["OLD"] * 3
    assert data["visit"].tolist() == ["m0", "m1", "m2"] * 2
    assert data["value"].fillna(-1).tolist() == [100, 150, 200, 150, -1, 165]
    assert data["baseline"].tolist() == [100] * 3 + [150] * 3
    assert data["change"].fillna(-1).tolist() == [-1, 50, 100, -1, -1, 15]
    assert data["outcome"].fillna(-1).tolist() == data["value"].fillna(-1).tolist()


def test_metric_change_analyses_the_change(planned, small):
    protocol = planned(MEANS)
    data = outcome_data(protocol, small(protocol), protocol.outcome("rise"), ("01-001", "01-008"))
    first, second = (data.loc[data["participant"] == code, "outcome"].tolist() for code in ("01-001", "01-008"))
    assert math.isnan(first[0])
    assert first[1:] == [50, 100]
    assert all(math.isnan(value) for value in second)  # no baseline value, so no change


def test_those_not_randomised_have_no_rows(planned, made, records):
    protocol = planned(MEANS)
    snapshot = made(
        protocol, people=[records.person("01-001")], values=[records.answer("01-001", "m0", "blood.cd4", 100)]
    )
    assert outcome_data(protocol, snapshot, protocol.outcome("cd4"), ("01-001",)).empty


def test_visits_are_in_the_protocols_order(planned):
    protocol = planned(MEANS, replace=[("visits: [m0, m1, m2], places: 0", "visits: [m2, m1], places: 0")])
    assert visits_of(protocol, protocol.outcome("cd4")) == ("m0", "m1", "m2")
    assert own_visits(protocol, protocol.outcome("cd4")) == ("m1", "m2")
    assert followed_visits(protocol, protocol.outcome("cd4")) == ("m1", "m2")
    assert own_visits(protocol, protocol.outcome("rise")) == ("m1", "m2")


def refusal(planned, made, records, outcome, *answers):
    protocol = planned(MEANS)
    snapshot = made(protocol, people=[records.person("01-001", "NEW")], values=answers)
    with pytest.raises(CannotAnalyse) as refused:
        outcome_data(protocol, snapshot, protocol.outcome(outcome), ("01-001",))
    return str(refused.value)


def test_two_values_at_one_visit_are_refused(planned, made, records):
    twice = [records.answer("01-001", "m1", "blood.cd4", value) for value in (100, 120)]
    assert refusal(planned, made, records, "cd4", *twice) == (
        "blood.cd4 = 01-001: has two values at visit m1; name an item of a form that is not repeated"
    )


def test_text_is_refused_as_an_outcome(planned, made, records):
    assert refusal(planned, made, records, "kind", records.answer("01-001", "m1", "blood.kind", "hard")) == (
        "blood.kind = hard: is not a number; name an item that holds numbers"
    )


def test_a_proportion_of_neither_yes_nor_no_is_refused(planned, made, records):
    assert refusal(planned, made, records, "kind", records.answer("01-001", "m1", "blood.kind", 2)) == (
        "blood.kind: is neither yes or no nor 0 or 1; derive an item that is 1 where the event is there"
    )


def test_the_estimand_says_which_arm_is_tested(planned):
    turned = [("{test: NEW, reference: OLD}", "{test: OLD, reference: NEW}")]
    analysis = "{id: t, outcome: cd4, estimand: E, analysis_set: FAS, role: main, method: two-sample, test: welch}"
    protocol = planned(analysis, replace=turned)
    (contrast,) = contrasts_of_analysis(protocol, protocol.analyses[0])
    assert (contrast.test, contrast.reference, contrast.name) == ("OLD", "NEW", "OLD-NEW")
    assert overall_contrasts(protocol) == (contrast,)


def test_without_an_estimand_the_last_arm_is_the_reference(planned):
    protocol = planned(MEANS)
    assert [contrast.name for contrast in contrasts_of(protocol, None)] == ["NEW-OLD"]
    third = ("  - {id: OLD, name: Old,", "  - {id: MID, name: Middle, type: Treatment Arm}\n  - {id: OLD, name: Old,")
    more = planned(MEANS, replace=[third, ("{NEW: 1, OLD: 1}", "{NEW: 1, MID: 1, OLD: 1}")])
    assert [contrast.name for contrast in contrasts_of(more, None)] == ["NEW-OLD", "MID-OLD"]
