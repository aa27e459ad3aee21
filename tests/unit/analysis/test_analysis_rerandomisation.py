"""The re-randomisation tests against every allocation listed one by one."""

from itertools import product

import numpy as np
import pytest

from equipoise import analysis, stats
from equipoise.analysis.redrawing import redrawn
from equipoise.randomisation import Place, parse_method, redraw

PLAN = "{{id: rr, outcome: {}, analysis_set: FAS, role: main, method: rerandomisation, draws: {}, seed: 3{}}}"
MEANS = PLAN.format("cd4", 20_000, "")
BY_GEE = PLAN.format("cd4", 2_000, ", statistic: gee")


def test_every_draw_is_a_run_of_the_trials_own_procedure(planned, small):
    protocol = planned(MEANS, replace=[("{method: simple,", "{method: permuted_blocks, block_size: 4,")])
    people, codes = redrawn(protocol, small(protocol), 50, seed=9)
    assert people == tuple(f"01-00{place}" for place in range(1, 9))
    assert (codes[:, :4].sum(axis=1) == 2).all()  # each block is balanced
    assert (codes[:, 4:].sum(axis=1) == 2).all()
    method = parse_method("permuted_blocks", ("NEW", "OLD"), {"NEW": 1, "OLD": 1}, block_size=4)
    np.testing.assert_array_equal(codes, redraw(method, [Place()] * 8, 50, seed=9))


def test_strata_keep_their_own_sequences(planned, small):
    protocol = planned(
        MEANS, replace=[("{method: simple,", "{method: permuted_blocks, block_size: 2, strata: [site],")]
    )
    snapshot = small(protocol)
    snapshot.participants["stratum"] = ["site=01", "site=02"] * 4
    snapshot.participants["allocation_number"] = [1, 1, 2, 2, 3, 3, 4, 4]
    people, codes = redrawn(protocol, snapshot, 40, seed=1)
    assert people == ("01-001", "01-003", "01-005", "01-007", "01-002", "01-004", "01-006", "01-008")
    for start in range(0, 8, 2):
        assert (codes[:, start : start + 2].sum(axis=1) == 1).all()


def test_minimisation_is_replayed_with_each_participants_levels(planned, small, records):
    minimised = "{method: minimisation, factors: [entry.sex, site], p: '999999/1000000',"
    protocol = planned(MEANS, replace=[("{method: simple,", minimised)])
    sexes = [records.answer(f"01-00{place}", "s", "entry.sex", "FM"[place % 2]) for place in range(1, 9)]
    _, codes = redrawn(protocol, small(protocol, values=sexes), 60, seed=1)
    assert (codes.sum(axis=1) == 4).all()
    assert (codes[:, ::2].sum(axis=1) == 2).all()  # balanced within each sex


def observed(protocol, snapshot):
    """Outcomes at month 2 with codes of 1 in the test arm, of those who have one."""
    found = snapshot.item("blood.cd4")
    found = found[(found["visit"] == "m2") & found["value"].notna()]
    arms = snapshot.participants.set_index("participant")["arm"]
    return found["number"].to_numpy(), (arms.loc[found["participant"]] == "NEW").to_numpy(dtype=float)


def listed(n, fewest=2):
    """Every allocation of n by tossing a coin that gives each arm enough."""
    codes = np.array(list(product([0.0, 1.0], repeat=n)))
    treated = codes.sum(axis=1)
    return codes[(treated >= fewest) & (treated <= n - fewest)]


def test_p_and_interval_agree_with_the_complete_list(planned, small):
    protocol = planned(MEANS)
    snapshot = small(protocol)
    results = analysis.run(protocol, snapshot)
    outcome, arms = observed(protocol, snapshot)
    codes = listed(len(outcome))
    differences = np.array([outcome[row == 1].mean() - outcome[row == 0].mean() for row in codes])
    here = outcome[arms == 1].mean() - outcome[arms == 0].mean()
    exact = np.mean(np.abs(differences) >= abs(here) * (1 - 1e-12))
    row, error = results.row("rr.m2.rerandomisation"), results.row("rr.m2.rerandomisation.mc_error")
    assert row.estimate == pytest.approx(here, rel=1e-12)
    assert abs(row.p_value - exact) < 5 * error.estimate  # five standard errors; the seed is fixed
    assert error.estimate == pytest.approx(np.sqrt(exact * (1 - exact) / 20_000), rel=0.1)
    assert (row.n, row.visit, row.term) == (7, "m2", "NEW-OLD")
    limits = stats.rerandomisation_interval(outcome, codes, arms, exact=True)
    # The limits are differences of outcomes: with so many draws the very same ones are met.
    assert (row.conf_low, row.conf_high) == pytest.approx((limits.conf_low, limits.conf_high), rel=1e-9)


def test_draws_with_a_nearly_empty_arm_are_left_out_and_counted(planned, small):
    protocol = planned(MEANS)
    results = analysis.run(protocol, small(protocol))
    kept = results.row("rr.draws")
    assert kept.n == 20_000
    assert kept.estimate / kept.n == pytest.approx(len(listed(7)) / 2**7, abs=0.015)  # 4.6 standard errors
    assert results.sentences["methods.rr"].endswith(
        "Draws with fewer than 2 analysed participants in an arm are left out, so that P is given that both arms have "
        f"as many: {20_000 - kept.estimate:.0f} draws of 20000."
    )


def test_the_histogram_holds_every_draw_kept(planned, small):
    protocol = planned(MEANS)
    results = analysis.run(protocol, small(protocol))
    histogram = results.histograms["rr"]
    assert sum(histogram.counts) == results.row("rr.draws").estimate
    assert len(histogram.edges) == len(histogram.counts) + 1
    assert histogram.observed == results.row("rr.m2.rerandomisation").estimate
    assert histogram.edges[0] <= histogram.observed <= histogram.edges[-1]


def test_the_gee_statistic_is_the_gee_of_each_draw(planned, small):
    protocol = planned(BY_GEE, "{id: gee, outcome: cd4, analysis_set: FAS, role: main, method: gee}")
    snapshot = small(protocol)
    results = analysis.run(protocol, snapshot)
    row = results.row("rr.arm.rerandomisation")
    assert row.estimate == pytest.approx(results.row("gee.arm.robust").estimate, rel=1e-7)
    assert (row.conf_low, row.visit, row.n) == (None, None, 8)
    found = snapshot.item("blood.cd4")
    data = found[found["visit"].isin(["m1", "m2"]) & found["value"].notna()].reset_index(drop=True)
    codes = listed(8)
    place = {f"01-00{number}": number - 1 for number in range(1, 9)}
    whose = data["participant"].map(place).to_numpy()
    rng = np.random.default_rng(1)
    chosen = codes[rng.choice(len(codes), 60, replace=False)]
    slow = [
        stats.gee("number ~ test", data.assign(test=arms[whose]), cluster="participant", time="visit").beta[1]
        for arms in chosen
    ]
    share = np.mean(np.abs(slow) >= abs(row.estimate))
    assert abs(row.p_value - share) < 5 * np.sqrt(max(share, 0.02) / 60)
    assert "The test of the GEE estimate comes without an interval." in results.sentences["methods.rr"]


def test_an_order_that_is_not_known_is_refused(planned, small):
    protocol = planned(MEANS)
    snapshot = small(protocol)
    snapshot.participants["allocation_number"] = None
    assert analysis.run(protocol, snapshot).sentences["refused.rr"] == (
        "Not computed, because allocation: the order of allocation is not known; leave the analysis out."
    )


def test_too_few_draws_are_refused(planned, small):
    protocol = planned(PLAN.format("cd4", 50, ""))
    kept = analysis.run(protocol, small(protocol)).sentences["refused.rr"]
    assert kept.startswith("Not computed, because draws = 50: only ")
    assert kept.endswith(" give each arm 2 participants or more; draw more, or wait for more data.")


def test_three_arms_are_refused(planned, made, records):
    third = ("  - {id: OLD, name: Old,", "  - {id: MID, name: Middle, type: Treatment Arm}\n  - {id: OLD, name: Old,")
    protocol = planned(MEANS, replace=[third, ("{NEW: 1, OLD: 1}", "{NEW: 1, MID: 1, OLD: 1}")])
    people = [records.person(f"01-00{place}", ("NEW", "MID", "OLD")[place % 3]) for place in range(1, 9)]
    assert analysis.run(protocol, made(protocol, people=people)).sentences["refused.rr"] == (
        "Not computed, because arms = 3: re-randomisation compares two arms; leave it out."
    )
