from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import special

from equipoise import stats
from equipoise.stats import refusals
from equipoise.stats.separation import separating_columns

OUTCOME = np.array([14.0, 9.5, 17.0, 12.5, 16.0, 8.0, 7.5, 11.0, 10.0, 6.5])
ARMS = np.repeat([1, 0], 5)
ALL = np.array([[int(who in chosen) for who in range(10)] for chosen in combinations(range(10), 5)])


def difference(codes):
    return codes @ OUTCOME / 5 - (1 - codes) @ OUTCOME / 5


def test_missing_values_are_left_out_and_counted():
    test = stats.two_sample([1.0, 2.5, np.nan, 4.0], [2.0, np.nan, np.nan, 7.0])
    assert (test.n_x, test.n_y, test.n_missing) == (3, 2, 3)
    mean = stats.mean_interval([1.0, np.nan, 3.0])
    assert (mean.n, mean.n_missing, mean.mean) == (2, 1, 2.0)
    assert stats.median_quartiles([5.0, np.nan]).n_missing == 1


def test_the_exact_rank_sum_with_ties_is_the_count_of_all_divisions():
    x, y = [1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 5.0, 6.0, 7.0]
    ranks = {1.0: 1, 2.0: 3, 3.0: 5, 5.0: 6.5, 6.0: 8, 7.0: 9}
    pooled = [ranks[value] for value in x + y]
    sums = [sum(chosen) for chosen in combinations(pooled, 4)]
    far = [abs(total - 20) >= abs(sum(pooled[:4]) - 20) for total in sums]
    test = stats.two_sample(x, y, method="wilcoxon")
    assert test.p_value == pytest.approx(sum(far) / len(far), rel=1e-14)
    assert test.method == "Wilcoxon's rank-sum test, exact given the ties; Hodges-Lehmann estimate"


def test_samples_too_small_for_a_rank_interval_get_an_infinite_one():
    test = stats.two_sample([1.0, 2.0], [3.0, 4.0], method="wilcoxon")
    assert (test.conf_low, test.conf_high) == (-np.inf, np.inf)
    assert test.p_value == pytest.approx(1 / 3)


def test_the_permutation_test_is_the_count_of_all_divisions():
    test = stats.two_sample(OUTCOME[:5], OUTCOME[5:], method="permutation")
    far = np.abs(difference(ALL)) >= abs(difference(ARMS)) - 1e-9
    assert test.p_value == far.mean()
    assert (test.std_error, test.df) == (None, None)
    assert test.method == "permutation test of the difference of means, all 252 divisions (Ernst 2004)"


def test_a_shift_beyond_the_permutation_interval_is_rejected_and_one_within_is_not():
    test = stats.two_sample(OUTCOME[:5], OUTCOME[5:], method="permutation")

    def tails(shift):
        moved = OUTCOME - shift * ARMS
        null = ALL @ moved / 5 - (1 - ALL) @ moved / 5
        here = ARMS @ moved / 5 - (1 - ARMS) @ moved / 5
        return (null >= here - 1e-9).mean(), (null <= here + 1e-9).mean()

    for limit, side in ((test.conf_low, -1), (test.conf_high, 1)):
        assert min(tails(limit - side * 1e-6)) > 0.025
        assert min(tails(limit + side * 1e-6)) <= 0.025


def test_many_divisions_are_drawn_and_the_same_seed_draws_the_same():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=15), rng.normal(size=15) + 1
    first, second = (
        stats.two_sample(x, y, method="permutation", rng=np.random.default_rng(8), draws=999) for _ in range(2)
    )
    assert first == second
    assert "999 random divisions" in first.method
    assert first.p_value == pytest.approx(stats.two_sample(x, y, method="student").p_value, abs=0.02)
    assert (1000 * first.p_value) == pytest.approx(round(1000 * first.p_value))


def test_exact_rerandomisation_counts_every_allocation():
    test = stats.rerandomisation(difference, ALL, ARMS, exact=True, outcome=OUTCOME)
    twin = stats.two_sample(OUTCOME[:5], OUTCOME[5:], method="permutation")
    assert test.p_value == pytest.approx(twin.p_value, rel=1e-14)
    assert (test.conf_low, test.conf_high) == (pytest.approx(twin.conf_low), pytest.approx(twin.conf_high))
    assert (test.mc_error, test.n_draws, test.null_distribution.shape) == (0.0, 252, (252,))
    assert test.method == (
        "Re-randomisation test over all 252 allocations of the trial's procedure (Rosenberger and Lachin 2016)"
    )


def test_monte_carlo_counts_the_observed_allocation_among_the_draws():
    drawn = ALL[:99]
    test = stats.rerandomisation(difference, drawn, ARMS)
    far = int((np.abs(difference(drawn)) >= abs(difference(ARMS)) - 1e-9).sum())
    assert test.p_value == pytest.approx((1 + far) / 100)
    assert test.mc_error == pytest.approx(np.sqrt(test.p_value * (1 - test.p_value) / 100))
    assert (test.conf_low, test.conf_high) == (None, None)


def test_probabilities_weigh_the_allocations():
    allocations = np.array(list(dict.fromkeys(permutations([1, 1, 0, 0]))))
    weights = np.array([0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    outcome = np.array([5.0, 3.0, 2.5, 1.0])
    statistic = lambda codes: codes @ outcome - (1 - codes) @ outcome  # noqa: E731
    observed = allocations[2]
    test = stats.rerandomisation(statistic, allocations, observed, exact=True, probabilities=weights)
    far = np.abs(statistic(allocations)) >= abs(statistic(observed))
    assert test.p_value == pytest.approx(weights[far].sum(), rel=1e-14)


def test_allocations_come_whole_in_blocks_or_from_a_function():
    def blocks():
        yield ALL[:100]
        yield ALL[100:]

    results = [stats.rerandomisation(difference, source, ARMS) for source in (ALL, blocks(), blocks, [ALL])]
    assert len({result.p_value for result in results}) == 1
    assert [result.n_draws for result in results] == [252] * 4


def test_a_searched_interval_is_the_closed_one():
    def statistic(outcome, codes):
        return codes @ outcome / codes.sum(axis=1) - (1 - codes) @ outcome / (1 - codes).sum(axis=1)

    closed = stats.rerandomisation_interval(OUTCOME, ALL[:200], ARMS)
    searched = stats.rerandomisation_interval(OUTCOME, ALL[:200], ARMS, statistic=statistic)
    assert searched.conf_low == pytest.approx(closed.conf_low, abs=1e-6)
    assert searched.conf_high == pytest.approx(closed.conf_high, abs=1e-6)
    assert searched.method.endswith("interval by inverting the statistic given")
    assert closed.method.endswith("interval by inverting the difference of means")


def test_too_few_allocations_exclude_no_shift():
    interval = stats.rerandomisation_interval(OUTCOME, ALL[:10], ARMS)
    assert (interval.conf_low, interval.conf_high) == (-np.inf, np.inf)


def test_a_gee_statistic_is_rerandomised_in_one_batch():
    rng = np.random.default_rng(2)
    y = OUTCOME[:, np.newaxis] + rng.normal(size=(10, 3))

    def statistic(codes):
        design = np.ones((len(codes), 10, 3, 2))
        design[..., 1] = codes[:, :, np.newaxis]
        fits = stats.batch.gee(y, design, covariances=["kauermann-carroll"])
        return fits.statistic([0, 1], "kauermann-carroll")

    by_gee = stats.rerandomisation(statistic, ALL, ARMS, exact=True)
    # Complete data and an arm alone: the GEE effect is the difference of the participants' means, and its t
    # statistic grows with it, so that both order the allocations alike.
    means = y.mean(axis=1)
    by_means = stats.rerandomisation(lambda codes: codes @ means - (1 - codes) @ means, ALL, ARMS, exact=True)
    assert by_gee.p_value == pytest.approx(by_means.p_value)


def test_a_batch_marks_the_fits_it_cannot_make():
    y = np.random.default_rng(1).normal(size=(3, 8, 2))
    design = np.ones((3, 8, 2, 2))
    design[:, :4, :, 1] = 0.0
    design[1, :, :, 1] = 1.0  # the arm repeats the intercept
    design[2, 1:, :, 1] = 0.0
    design[2, 0, :, 1] = 1.0  # one participant alone in an arm
    fits = stats.batch.gee(y, design, covariances=["mancl-derouen", "robust"])
    assert fits.usable.tolist() == fits.exists["robust"].tolist() == [True, False, True]
    assert fits.exists["mancl-derouen"].tolist() == [True, False, False]
    assert np.isinf(np.diagonal(fits.covariances["mancl-derouen"][1:], axis1=-2, axis2=-1)).all()
    assert not np.isnan(fits.covariances["robust"]).any()
    assert fits.statistic([0, 1], "mancl-derouen")[1:].tolist() == [0.0, 0.0]
    assert fits.statistic([0, 1], "robust")[2] != 0


def test_a_batch_keeps_its_leading_axes():
    y = np.random.default_rng(1).normal(size=(2, 3, 8, 2))
    fits = stats.batch.gee(y, np.ones((8, 2, 1)))
    assert (fits.beta.shape, fits.scale.shape) == ((2, 3, 1), (2, 3))
    np.testing.assert_allclose(fits.beta[..., 0], y.mean(axis=(-1, -2)), rtol=1e-12)


REFUSED = {
    "few": (lambda: stats.two_sample([1, 2], [1]), "y: has 1 known of the 2 values needed at least; give more values"),
    "constant_each": (
        lambda: stats.two_sample([1, 1], [2, 2]),
        "x, y: do not vary within either sample; use the wilcoxon or permutation method",
    ),
    "constant": (
        lambda: stats.two_sample([1, 1], [1, 1]),
        "x, y = 1.0: is the value of every observation; there is nothing to compare",
    ),
    "text": (lambda: stats.two_sample([1, "a"], [1, 2]), "x: holds something that is not a number; give numbers only"),
    "infinite": (
        lambda: stats.two_sample([1, np.inf], [1, 2]),
        "x: holds an infinite value; correct it or mark it as missing",
    ),
    "table": (lambda: stats.two_sample([[1, 2]], [1, 2]), "x: has 2 dimensions; give one sequence of numbers"),
    "method": (
        lambda: stats.two_sample([1, 2], [1, 2], method="z"),
        "method = z: is not offered; choose one of student, welch, wilcoxon, permutation",
    ),
    "no_source": (
        lambda: stats.two_sample(np.arange(20), np.arange(20), method="permutation"),
        "rng: is needed to draw among 137846528820 divisions; give a numpy.random.Generator with its seed",
    ),
    "count": (lambda: stats.clopper_pearson(3, 2), "x = 3: does not lie between 0 and n = 2; check both counts"),
    "total": (
        lambda: stats.newcombe(1, 2, 0, 0),
        "n2 = 0: is not a number of subjects; give a whole number of 1 or more",
    ),
    "level": (
        lambda: stats.mean_interval([1, 2], level=1.0),
        "level = 1.0: is not a confidence level; give a number between 0 and 1, such as 0.95",
    ),
    "shape": (
        lambda: stats.rerandomisation(difference, np.zeros((5, 3)), [0, 1]),
        "allocations = (5, 3): does not give a code to each of 2 participants; check both",
    ),
    "none": (
        lambda: stats.rerandomisation(difference, [], [0, 1]),
        "allocations: holds no allocation; draw at least some thousands",
    ),
    "no_allocations": (
        lambda: stats.rerandomisation(difference, None, [0, 1]),
        "allocations: are no sequences of arm codes; give an array (R, n) or blocks of it",
    ),
    "no_function": (
        lambda: stats.rerandomisation(3, ALL, ARMS),
        "statistic = 3: is not a function; give one that takes codes (r, n), returns (r,)",
    ),
    "observed": (
        lambda: stats.rerandomisation(difference, ALL, [[0, 1]]),
        "observed = (1, 2): is not one code a participant; give one sequence of arm codes",
    ),
    "statistic": (
        lambda: stats.rerandomisation(np.sum, ALL, ARMS),
        "statistic = (): is not one number for each of 1 rows; return (r,)",
    ),
    "undefined": (
        lambda: stats.rerandomisation(lambda codes: np.full(len(codes), np.nan), ALL, ARMS),
        "statistic: is not finite for 1 allocations; give a value to allocations that leave an arm empty, or draw "
        "given that none is",
    ),
    "incomplete": (
        lambda: stats.rerandomisation(difference, ALL[:-1], 1 - ARMS, exact=True),
        "allocations: do not hold the observed allocation; list every one, or give exact=False",
    ),
    "probabilities": (
        lambda: stats.rerandomisation(difference, ALL, ARMS, exact=True, probabilities=[0.5, 0.4]),
        "probabilities: are not 252 probabilities that sum to one; check the list",
    ),
    "weighted_draws": (
        lambda: stats.rerandomisation(difference, ALL, ARMS, probabilities=np.full(252, 1 / 252)),
        "probabilities: are for a complete list of allocations; give exact=True",
    ),
    "outcome": (
        lambda: stats.rerandomisation_interval([1, np.nan], [[1, 0]], [0, 1]),
        "outcome: is not 2 finite numbers; leave out participants without an outcome",
    ),
    "text_outcome": (
        lambda: stats.rerandomisation_interval(["high", "low"], [[1, 0]], [0, 1]),
        "outcome: holds something that is not a number; give numbers",
    ),
    "same": (
        lambda: stats.rerandomisation_interval([1, 1], [[1, 0]], [0, 1]),
        "outcome = 1.0: is the value of every participant; there is nothing to compare",
    ),
    "arms": (
        lambda: stats.rerandomisation_interval([1, 2, 3], [[1, 0, 2]], [0, 1, 2]),
        "allocations: do not hold exactly two arms; give an interval for two arms only",
    ),
    "one_arm": (
        lambda: stats.rerandomisation_interval([1, 2], [[1, 1]], [0, 1]),
        "allocations[0]: gives everyone the same arm, which has no difference of means; draw from the procedure given "
        "that both arms occur, or test without an interval",
    ),
    "batch_few": (
        lambda: stats.batch.gee(np.zeros((3, 2)), np.ones((3, 2, 4))),
        "X = (3, 4): has 3 clusters for 4 coefficients; drop columns",
    ),
    "batch_shape": (
        lambda: stats.batch.gee(np.zeros((3, 2)), np.ones((4, 2, 4))),
        "y, X = ((3, 2), (4, 2, 4)): do not agree; give y (..., n, T) and X (..., n, T, p)",
    ),
    "batch_axes": (
        lambda: stats.batch.gee(np.zeros((3, 6, 2)), np.ones((4, 6, 2, 1))),
        "y, X: have leading axes that do not agree (y (3, 6, 2), X (4, 6, 2, 1), observed (6, 2)); check the shapes",
    ),
    "batch_observed": (
        lambda: stats.batch.gee(np.zeros((6, 2)), np.ones((6, 2, 1)), np.ones((6, 3))),
        "observed = (6, 3): does not end in (6, 2); give (..., n, T)",
    ),
    "batch_values": (
        lambda: stats.batch.gee(np.zeros((6, 2)), np.full((6, 2, 1), np.nan)),
        "X: holds 12 values that cannot be used; correct them",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_say_what_to_do(case):
    act, text = REFUSED[case]
    with pytest.raises(refusals.StatisticsRefusal) as refused:
        act()
    assert str(refused.value) == text


def test_separation_by_a_covariate_is_told_from_a_strong_effect():
    x = np.linspace(-2, 2, 20)
    design = np.column_stack([np.ones(20), x])
    apart = (x > 0).astype(float)
    mixed = np.where(np.arange(20) == 2, 1.0, apart)
    assert 1 in separating_columns("binomial", apart, design)
    assert separating_columns("binomial", mixed, design) == ()
    assert separating_columns("binomial", special.expit(x), design) == ()


def test_a_statistic_that_is_always_the_same_rejects_nothing():
    codes = np.random.default_rng(1).permuted(np.tile([0.0, 1.0], (999, 3)), axis=1)
    found = stats.rerandomisation(lambda rows: np.zeros(len(rows)), codes, codes[0])
    assert found.p_value == 1.0
