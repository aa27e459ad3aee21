"""The re-randomisation tests against every allocation listed one by one."""

from itertools import product

import numpy as np
import pytest

from equipoise import analysis, stats
from equipoise.analysis import redrawing
from equipoise.analysis.redrawing import redrawn
from equipoise.randomisation import Place, parse_method, redraw

PLAN = "{{id: rr, outcome: {}, analysis_set: FAS, role: main, method: rerandomisation, draws: {}, seed: 3{}}}"
MEANS = PLAN.format("cd4", 20_000, "")
FEW = PLAN.format("cd4", 5_000, "")
BLOCKS = ("{method: simple,", "{method: permuted_blocks, block_size: 4,")
BY_GEE = PLAN.format("cd4", 2_000, ", statistic: gee")


@pytest.fixture
def drawing(monkeypatch):
    """Allocations too many to be listed, so that they are drawn."""
    monkeypatch.setattr(redrawing, "MOST_LISTED", 5)


def test_every_draw_is_a_run_of_the_trials_own_procedure(planned, small, drawing):
    protocol = planned(MEANS, replace=[BLOCKS])
    again = redrawn(protocol, small(protocol), 50, seed=9)
    people, codes = again.people, again.codes
    assert again.probabilities is None
    assert people == tuple(f"01-00{place}" for place in range(1, 9))
    assert (codes[:, :4].sum(axis=1) == 2).all()  # each block is balanced
    assert (codes[:, 4:].sum(axis=1) == 2).all()
    method = parse_method("permuted_blocks", ("NEW", "OLD"), {"NEW": 1, "OLD": 1}, block_size=4)
    np.testing.assert_array_equal(codes, redraw(method, [Place()] * 8, 50, seed=9))


def test_strata_keep_their_own_sequences(planned, small, drawing):
    protocol = planned(
        MEANS, replace=[("{method: simple,", "{method: permuted_blocks, block_size: 2, strata: [site],")]
    )
    snapshot = small(protocol)
    snapshot.participants["stratum"] = ["site=01", "site=02"] * 4
    snapshot.participants["allocation_number"] = [1, 1, 2, 2, 3, 3, 4, 4]
    again = redrawn(protocol, snapshot, 40, seed=1)
    people, codes = again.people, again.codes
    assert people == ("01-001", "01-003", "01-005", "01-007", "01-002", "01-004", "01-006", "01-008")
    for start in range(0, 8, 2):
        assert (codes[:, start : start + 2].sum(axis=1) == 1).all()


def test_minimisation_is_replayed_with_each_participants_levels(planned, small, records, drawing):
    minimised = "{method: minimisation, factors: [entry.sex, site], p: '999999/1000000',"
    protocol = planned(MEANS, replace=[("{method: simple,", minimised)])
    sexes = [records.answer(f"01-00{place}", "s", "entry.sex", "FM"[place % 2]) for place in range(1, 9)]
    codes = redrawn(protocol, small(protocol, values=sexes), 60, seed=1).codes
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


def test_p_and_interval_of_draws_are_near_those_of_the_complete_list(planned, small, drawing):
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


def test_draws_with_a_nearly_empty_arm_are_left_out_and_counted(planned, small, drawing):
    protocol = planned(MEANS)
    results = analysis.run(protocol, small(protocol))
    kept = results.row("rr.draws")
    assert kept.n == 20_000
    assert kept.estimate / kept.n == pytest.approx(len(listed(7)) / 2**7, abs=0.015)  # 4.6 standard errors
    assert results.sentences["methods.rr"].endswith(
        "Draws with fewer than 2 analysed participants in an arm are left out, so that P is given that both arms have "
        f"as many: {20_000 - kept.estimate:.0f} draws of 20000."
    )


def test_the_histogram_holds_every_draw_kept(planned, small, drawing):
    protocol = planned(MEANS)
    results = analysis.run(protocol, small(protocol))
    histogram = results.histograms["rr"]
    assert sum(histogram.counts) == results.row("rr.draws").estimate
    assert len(histogram.edges) == len(histogram.counts) + 1
    assert histogram.observed == results.row("rr.m2.rerandomisation").estimate
    assert histogram.edges[0] <= histogram.observed <= histogram.edges[-1]


def test_the_gee_statistic_is_the_gee_of_each_draw(planned, small, drawing):
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


def test_too_few_draws_are_refused(planned, small, drawing):
    protocol = planned(PLAN.format("cd4", 50, ""))
    kept = analysis.run(protocol, small(protocol)).sentences["refused.rr"]
    assert kept.startswith("Not computed, because draws = 50: only ")
    assert kept.endswith(" give each arm 2 participants or more; draw more, or wait for more data.")


def test_few_allocations_are_all_listed_and_p_is_exact(planned, small):
    protocol = planned(FEW, replace=[BLOCKS])
    snapshot = small(protocol)
    results = analysis.run(protocol, snapshot)
    outcome, arms = observed(protocol, snapshot)
    block = [row for row in product([0.0, 1.0], repeat=4) if sum(row) == 2]
    codes = np.array([one + two for one in block for two in block])
    known = {person: place for place, person in enumerate(f"01-00{place}" for place in range(1, 9))}
    found = snapshot.item("blood.cd4")
    seen = found[(found["visit"] == "m2") & found["value"].notna()]["participant"].map(known).to_numpy()
    codes = codes[:, seen]
    differences = np.array([outcome[row == 1].mean() - outcome[row == 0].mean() for row in codes])
    here = outcome[arms == 1].mean() - outcome[arms == 0].mean()
    row = results.row("rr.m2.rerandomisation")
    assert row.p_value == pytest.approx(np.mean(np.abs(differences) >= abs(here) * (1 - 1e-12)), rel=1e-12)
    assert results.row("rr.m2.rerandomisation.mc_error").estimate == 0
    count = results.row("rr.draws")
    assert (count.estimate, count.n, count.label) == (36, 36, "allocations that were possible and kept")
    assert sum(results.histograms["rr"].counts) == 36
    assert results.sentences["methods.rr"] == (
        "Re-randomisation test over all 36 allocations of the trial's procedure (Rosenberger and Lachin 2016); "
        "statistic: difference in means. Allocations with fewer than 2 analysed participants in an arm are left out, "
        "so that P is given that both arms have as many: 0 allocations of 36. Each allocation counts with the "
        "probability that the procedure gives it; P has no simulation error."
    )


def test_listed_allocations_count_by_their_probability(planned, small):
    protocol = planned(FEW, replace=[("{method: simple,", "{method: biased_coin, p: '9/10',")])
    snapshot = small(protocol)
    row = analysis.run(protocol, snapshot).row("rr.m2.rerandomisation")
    outcome, arms = observed(protocol, snapshot)
    found = snapshot.item("blood.cd4")
    seen = [int(code[-1]) - 1 for code in found[(found["visit"] == "m2") & found["value"].notna()]["participant"]]
    here = outcome[arms == 1].mean() - outcome[arms == 0].mean()
    far = whole = 0.0
    for run in product([0, 1], repeat=8):
        chance, lead = 1.0, 0
        for arm in run:  # Efron's coin: the arm that is behind is given with probability 9/10
            chance *= 0.5 if lead == 0 else 0.9 if (arm == 1) == (lead < 0) else 0.1
            lead += 1 if arm == 1 else -1
        codes = np.array(run)[seen]
        if 2 <= codes.sum() <= len(codes) - 2:
            whole += chance
            difference = outcome[codes == 1].mean() - outcome[codes == 0].mean()
            far += chance * (abs(difference) >= abs(here) * (1 - 1e-12))
    assert row.p_value == pytest.approx(far / whole, rel=1e-10)
