"""What each analysis of the plan answers, on eight participants whose numbers can be done by hand.

That the numbers agree with R is shown in tests/reference/analysis.
"""

import math
from statistics import mean, stdev

import numpy as np
import pytest

from equipoise import analysis

MEANS = "{id: means, outcome: cd4, analysis_set: FAS, role: descriptive, method: means-by-visit}"
STUDENT = "{id: t, outcome: cd4, analysis_set: FAS, role: main, method: two-sample, test: student}"
GEE = "{id: gee, outcome: cd4, analysis_set: FAS, role: main, method: gee}"


def run(planned, small, *analyses, replace=(), **more):
    protocol = planned(*analyses, replace=replace)
    return analysis.run(protocol, small(protocol, **more))


def ends(row):
    return f"{row.conf_low:.0f} to {row.conf_high:.0f}".replace("-", "\N{MINUS SIGN}")


def test_means_by_arm_and_visit(planned, small):
    results = run(planned, small, MEANS)
    new = [200, 230, 180]
    row = results.row("means.NEW.m2.mean")
    assert (row.n, row.arm, row.visit, row.unit, row.outcome, row.population) == (
        3,
        "NEW",
        "m2",
        "cells/uL",
        "cd4",
        "FAS",
    )
    assert row.estimate == pytest.approx(mean(new), rel=1e-14)
    assert row.std_error == pytest.approx(stdev(new) / math.sqrt(3), rel=1e-14)
    assert results.row("means.NEW.m2.sd").estimate == pytest.approx(stdev(new), rel=1e-14)
    assert results.row("means.NEW.m2.change").estimate == pytest.approx(mean([100, 110, 75]), rel=1e-14)
    assert results.row("means.OLD.m2.change").n == 3  # 01-008 has no baseline value
    assert results.maybe("means.NEW.m0.change") is None
    assert results.sentences["methods.means"] == (
        "Mean with standard deviation and 95% interval by Student's t, each arm and visit on its own."
    )


def test_means_of_one_value_and_of_none(planned, made, records):
    protocol = planned(MEANS)
    people = [records.person("01-001", "NEW"), records.person("01-002", "OLD")]
    results = analysis.run(
        protocol, made(protocol, people=people, values=[records.answer("01-001", "m1", "blood.cd4", 99)])
    )
    one, none = results.row("means.NEW.m1.mean"), results.row("means.OLD.m1.mean")
    assert (one.estimate, one.n, one.conf_low, one.label) == (99.0, 1, None, "one value: no interval")
    assert (none.estimate, none.n, none.label) == (None, 0, "no values")
    assert results.maybe("means.NEW.m1.sd") is None


def test_a_change_belongs_to_another_outcome_than_the_value(planned, small):
    change = "{id: change, outcome: rise, analysis_set: FAS, role: main, method: two-sample, test: student}"
    results = run(planned, small, change)
    row = results.row("change.m2.student")
    assert row.estimate == pytest.approx(mean([100, 110, 75]) - mean([10, 10, 15]), rel=1e-14)
    assert row.n == 6
    assert "change from baseline at Month 2" in results.sentences["methods.change"]
    assert results.sentences["primary"].startswith(
        "Rise of the CD4 count at Month 2, change from baseline: New + old less Old 83.3 cells/uL (95% CI "
    )


def test_the_sign_follows_the_estimand(planned, small):
    turned = [("{test: NEW, reference: OLD}", "{test: OLD, reference: NEW}")]
    straight = run(planned, small, STUDENT).row("t.m2.student")
    other = run(planned, small, STUDENT, replace=turned).row("t.m2.student")
    assert straight.estimate == pytest.approx(mean([200, 230, 180]) - mean([120, 140, 165, 175]), rel=1e-14)
    assert other.estimate == -straight.estimate
    assert (other.conf_low, other.conf_high) == (-straight.conf_high, -straight.conf_low)
    assert (other.p_value, other.term) == (straight.p_value, "OLD-NEW")


def test_three_arms_without_an_estimand_give_two_contrasts(planned, made, records):
    third = ("  - {id: OLD, name: Old,", "  - {id: MID, name: Middle, type: Treatment Arm}\n  - {id: OLD, name: Old,")
    whole = planned(STUDENT, GEE, replace=[third, ("{NEW: 1, OLD: 1}", "{NEW: 1, MID: 1, OLD: 1}")])
    protocol = whole.model_copy(update={"estimands": ()})
    rng = np.random.default_rng(5)
    codes = [f"01-{place:03d}" for place in range(1, 16)]
    arms = dict(zip(codes, ["NEW", "MID", "OLD"] * 5, strict=True))
    values = [
        records.answer(code, visit, "blood.cd4", int(rng.integers(90, 300))) for code in codes for visit in ("m1", "m2")
    ]
    people = [records.person(code, arm) for code, arm in arms.items()]
    results = analysis.run(protocol, made(protocol, people=people, values=values))
    assert results.row("t.NEW-OLD.m2.student").term == "NEW-OLD"
    assert results.row("t.MID-OLD.m2.student").n == 10
    assert results.row("gee.MID-OLD.arm.kauermann-carroll").n == 10
    assert results.maybe("t.m2.student") is None


@pytest.mark.parametrize("test", ["wilcoxon", "permutation"])
def test_an_interval_without_an_end_says_so(planned, small, test):
    row = run(planned, small, STUDENT.replace("student", test)).row(f"t.m2.{test}")
    assert (row.conf_low, row.conf_high) == (None, None)  # 7 participants cannot reach 95%
    assert row.label == "too few participants for a two-sided interval at this level"
    assert row.p_value == pytest.approx(2 / math.comb(7, 3), rel=1e-12)  # the most extreme division and its mirror


def test_the_level_is_what_alpha_says(planned, small):
    wide = run(planned, small, STUDENT.replace("role: main", "role: main, alpha: 0.01")).row("t.m2.student")
    usual = run(planned, small, STUDENT).row("t.m2.student")
    assert wide.conf_low < usual.conf_low < usual.conf_high < wide.conf_high


def test_ancova_leaves_out_those_without_a_baseline_and_says_so(planned, small):
    results = run(planned, small, "{id: a, outcome: cd4, analysis_set: FAS, role: main, method: ancova}")
    assert results.row("a.m2.ancova").n == 6
    assert results.row("a.OLD.n").estimate == 3
    assert results.row("a.m2.ancova.baseline").unit is None
    assert results.sentences["methods.a"] == (
        "Analysis of covariance by least squares, 6 rows, model covariance, t tests on 3 df; value at Month 2 on arm "
        "and baseline value; 1 participant without a baseline value left out."
    )


def test_repeated_measures_keep_only_the_complete(planned, small):
    results = run(planned, small, "{id: r, outcome: cd4, analysis_set: FAS, role: main, method: rm-anova}")
    assert (results.row("r.left_out").estimate, results.row("r.left_out").n) == (3, 8)
    assert (results.row("r.NEW.n").estimate, results.row("r.OLD.n").estimate) == (3, 2)
    difference, f = results.row("r.arm.difference"), results.row("r.arm.uncorrected")
    assert results.sentences["primary"].startswith("CD4 count over the visits: New + old less Old ")
    assert difference.statistic**2 == pytest.approx(f.statistic, rel=1e-10)
    assert difference.p_value == pytest.approx(f.p_value, rel=1e-10)
    said = results.sentences["methods.r"]
    assert said.startswith("5 complete subjects, 3 left out whole for a missing cell (01-005, 01-006, 01-008): ")
    assert "Visits: Baseline, Month 1 and Month 2." in said
    assert said.endswith("Only 5 of 8 participants are complete and may differ from the others: read with care.")


def test_gee_counts_observations_and_says_what_to_believe(planned, small):
    results = run(planned, small, GEE)
    assert results.row("gee.observations").estimate == 14
    assert [row.id for row in results.find(analysis="gee", term="NEW-OLD")] == [
        "gee.arm.robust",
        "gee.arm.robust-t",
        "gee.arm.mancl-derouen",
        "gee.arm.kauermann-carroll",
    ]
    kc, usual = results.row("gee.arm.kauermann-carroll"), results.row("gee.arm.robust")
    assert (usual.df, kc.df) == (None, 6)
    assert results.sentences["believe.gee"] == (
        "Go by kauermann-carroll with a t reference on 6 df: with 8 participants, fewer than about 150, the usual "
        "robust standard error is too small and its test rejects too often (Mancl and DeRouen 2001); this one corrects "
        f"it. The interval is {ends(kc)} (95% CI; P = {kc.p_value:.3f}) where the usual one is {ends(usual)} "
        f"(95% CI; P = {usual.p_value:.3f})."
    )


def test_a_plan_that_believes_the_usual_sandwich_is_warned(planned, small):
    results = run(planned, small, GEE.replace("method: gee", "method: gee, believe: robust"))
    assert results.sentences["believe.gee"] == (
        "Go by robust with a normal reference: so the plan says; but with 8 participants, fewer than about 150, it "
        "rejects too often (Mancl and DeRouen 2001), and a corrected answer beside it is the safer one."
    )


def test_a_ratio_stands_beside_its_logarithm(planned, made, records):
    plan = GEE.replace("cd4", "risen").replace("method: gee", "method: gee, family: binomial, working: independence")
    protocol = planned(
        plan, "{id: shares, outcome: risen, analysis_set: FAS, role: descriptive, method: means-by-visit}"
    )
    codes = [f"01-{place:03d}" for place in range(1, 13)]
    arms = {code: ("NEW", "OLD")[place % 2] for place, code in enumerate(codes)}
    risen = [code in ("01-001", "01-003", "01-005", "01-007", "01-002", "01-004") for code in codes]
    values = [
        records.answer(code, visit, "blood.risen", "yes" if yes else "no")
        for code, yes in zip(codes, risen, strict=True)
        for visit in ("m1", "m2")
    ]
    people = [records.person(code, arm) for code, arm in arms.items()]
    results = analysis.run(protocol, made(protocol, people=people, values=values))
    log, ratio = results.row("gee.arm.robust"), results.row("gee.arm.robust.ratio")
    assert (log.unit, ratio.unit) == ("log odds ratio", "odds ratio")
    assert log.estimate == pytest.approx(math.log((4 / 2) / (2 / 4)), rel=1e-8)  # 4 of 6 against 2 of 6
    assert ratio.estimate == pytest.approx(4, rel=1e-8)
    assert ratio.conf_low == pytest.approx(math.exp(log.conf_low), rel=1e-12)
    assert results.sentences["primary"].startswith(
        "CD4 risen over the follow-up visits: New + old against Old, odds ratio 4.00 (95% CI "
    )
    share = results.row("shares.NEW.m1.proportion")
    assert (share.estimate, share.n, share.unit) == (pytest.approx(4 / 6), 6, None)
    # R 4.2.2: binom.test(4, 6)$conf.int, printed with 15 digits.
    assert share.conf_low == pytest.approx(0.222778095503512, rel=1e-12)
    assert share.conf_high == pytest.approx(0.956728131707258, rel=1e-12)


def test_published_values_stand_beside_as_text_only(planned, small):
    results = run(planned, small, STUDENT.replace("role: main", 'role: main, published: "67, P = 0.024"'))
    assert results.row("t.m2.student").label == "published: 67, P = 0.024"
    assert results.sentences["published.t"] == "Published: 67, P = 0.024."
    assert results.row("t.NEW.n").label == "participants analysed"
    assert 67.0 not in [row.estimate for row in results.rows]


def test_the_plans_word_on_missing_values_is_kept(planned, small):
    results = run(planned, small, STUDENT.replace("role: main", "role: main, missing: left out"))
    assert results.sentences["missing.t"] == "Left out."


TOO_FEW = (
    "Not computed, because arm OLD: has 1 participant with {}, and a comparison needs 2 in each; wait for more data."
)
PLAN = "{{id: x, outcome: {}, analysis_set: FAS, role: main, method: {}}}"
REFUSED = {
    PLAN.format("cd4", "two-sample, test: welch"): TOO_FEW.format("a value at visit m2"),
    PLAN.format("cd4", "ancova"): TOO_FEW.format("a baseline value and a value at visit m2"),
    PLAN.format("cd4", "rm-anova"): TOO_FEW.format("a value at every one of 3 visits"),
    PLAN.format("cd4", "gee"): TOO_FEW.format("a value at a follow-up visit"),
    PLAN.format("cd4", "rerandomisation, draws: 10"): TOO_FEW.format("a value at visit m2"),
    PLAN.format("cd4", "rerandomisation, statistic: gee, draws: 10"): TOO_FEW.format("a value at a follow-up visit"),
    PLAN.format("cd4", "mmrm"): TOO_FEW.format("a baseline value and a value at visit m2"),
    PLAN.format("cd4", "mmrm, baseline: none"): TOO_FEW.format("a value at visit m2"),
    PLAN.format("cd4", "imputation"): TOO_FEW.format("a baseline value and a value at visit m2"),
    PLAN.format("kind", "two-sample, test: welch"): (
        "Not computed, because blood.kind = soft: is not a number; name an item that holds numbers."
    ),
}


@pytest.mark.parametrize("plan", REFUSED)
def test_what_cannot_be_computed_is_a_sentence_and_never_a_number(planned, made, records, plan):
    protocol = planned(plan)
    people = [records.person(f"01-00{place}", "NEW" if place < 4 else "OLD") for place in range(1, 5)]
    values = [
        records.answer(code["participant"], visit, "blood.cd4", 100 + place + 10 * int(visit[1]))
        for place, code in enumerate(people)
        for visit in ("m0", "m1", "m2")
    ]
    values.append(records.answer("01-001", "m1", "blood.kind", "soft"))
    results = analysis.run(protocol, made(protocol, people=people, values=values))
    assert results.find(analysis="x") == ()
    assert results.sentences["refused.x"] == REFUSED[plan]
    assert results.sentences["primary"].endswith(f"there is no primary result. {REFUSED[plan]}")


def test_one_covariance_that_cannot_be_had_leaves_the_others(planned, made, records):
    plan = GEE.replace("method: gee", "method: gee, working: independence, adjust_for: [visit]")
    protocol = planned(plan)
    people = [records.person(f"01-00{place}", "NEW" if place < 4 else "OLD") for place in range(1, 7)]
    values = [records.answer(f"01-00{place}", "m1", "blood.cd4", 90 + place**2) for place in range(1, 7)]
    values.append(records.answer("01-001", "m2", "blood.cd4", 200))  # alone at its visit: its leverage is one
    results = analysis.run(protocol, made(protocol, people=people, values=values))
    assert {row.method for row in results.find(analysis="gee", term="NEW-OLD")} == {"gee robust", "gee robust-t"}
    assert results.sentences["refused.gee.kauermann-carroll"].startswith(
        "Kauermann-carroll: covariance = kauermann-carroll"
    )
    assert results.sentences["believe.gee"] == (
        "The plan goes by kauermann-carroll, which could not be computed: see why beside it, and go by none."
    )
    why = results.sentences["refused.gee.kauermann-carroll"]
    assert results.sentences["primary"] == f"CD4 count: there is no primary result. {why}"


def test_nobody_randomised_is_no_reason_to_fail(planned, made, records):
    plans = [MEANS, STUDENT, GEE, *(plan.replace("id: x", f"id: x{place}") for place, plan in enumerate(REFUSED))]
    protocol = planned(*plans)
    for people in ([], [records.person("01-001")]):
        results = analysis.run(protocol, made(protocol, people=people))
        assert results.row("flow.randomised").estimate == 0
        assert results.row("means.NEW.m2.mean").n == 0
        assert {
            f"refused.{plan}" for plan in ("t", "gee", *(f"x{place}" for place in range(9)))
        } <= results.sentences.keys()
        assert results.sentences["primary"].startswith("CD4 count: there is no primary result. Not computed, because")
        assert analysis.from_json(results.as_json()) == results


def test_the_primary_result_in_words(planned, small):
    results = run(planned, small, MEANS, GEE, STUDENT.replace("id: t,", "id: t, estimand: E,"))
    row = results.row("gee.arm.kauermann-carroll")
    assert results.sentences["primary"] == (
        f"CD4 count over the follow-up visits: New + old less Old {row.estimate:.0f} cells/uL (95% CI {ends(row)}), "
        f"P = {row.p_value:.3f}; participants analysed: 4 in New + old and 4 in Old; generalised estimating equations, "
        "kauermann-carroll standard error, 6 df."
    )
    results = run(planned, small, STUDENT, GEE)
    row = results.row("t.m2.student")
    assert results.sentences["primary"] == (
        f"CD4 count at Month 2: New + old less Old {row.estimate:.0f} cells/uL (95% CI {ends(row)}), "
        f"P = {row.p_value:.3f}; participants analysed: 3 in New + old and 4 in Old; Student's t test, 5 df."
    )


def test_a_plan_without_a_main_analysis_has_no_primary_result(planned, small):
    assert run(planned, small, MEANS).sentences["primary"] == "The protocol's plan names no main analysis."


def test_results_are_pinned_and_repeatable(planned, small):
    replay = "{id: rr, outcome: cd4, analysis_set: FAS, role: sensitivity, method: rerandomisation, draws: 400}"
    first, second = (run(planned, small, MEANS, STUDENT, GEE, replay) for _ in range(2))
    assert first.as_json() == second.as_json()
    assert first.meta == {
        "trial": "SMALL",
        "protocol_version": "1.0",
        "protocol_hash": first.meta["protocol_hash"],
        "position": 42,
        "head_hash": "ab" * 32,
        "as_of": "2020-06-01T12:00:00+00:00",
        "rehearsal": None,
        "source": "ledger",
        "software": "equipoise 0.1.0",
    }
    assert len(first.meta["protocol_hash"]) == 64
    assert first.populations["FAS"] == tuple(f"01-00{place}" for place in range(1, 9))


def test_progress_counts_the_analyses(planned, small):
    protocol = planned(MEANS, STUDENT)
    told = []
    analysis.run(protocol, small(protocol), progress=lambda *steps: told.append(steps))
    assert told == [(1, 2), (2, 2)]
