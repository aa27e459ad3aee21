"""The chances of the next arm, at states worked out by hand."""

from fractions import Fraction

import pytest

from equipoise.randomisation import parse_method
from equipoise.randomisation.imbalance import Imbalance, imbalance_if
from equipoise.randomisation.paths import paths_to_balance


def share(chances):
    return [Fraction(chance, sum(chances)) for chance in chances]


@pytest.mark.parametrize(
    ("name", "parameters", "counts", "length", "of_a"),
    [
        ("simple", {}, (9, 0), 0, "1/2"),
        ("permuted_blocks", {}, (2, 1), 4, "0"),
        ("permuted_blocks", {}, (1, 0), 4, "1/3"),
        ("permuted_blocks", {"block_sizes": [4, 6]}, (1, 0), 6, "2/5"),
        ("random_allocation_rule", {"n": 20}, (9, 7), 20, "1/4"),
        ("biased_coin", {}, (4, 4), 0, "1/2"),
        ("biased_coin", {}, (5, 4), 0, "1/3"),
        ("biased_coin", {"p": "0.85"}, (1, 4), 0, "17/20"),
        ("wei_urn", {}, (0, 0), 0, "1/2"),
        ("wei_urn", {}, (1, 0), 0, "0"),
        ("wei_urn", {}, (2, 1), 0, "1/3"),
        ("wei_urn", {"alpha": 1, "beta": 3}, (2, 1), 0, "4/11"),
        ("big_stick", {}, (5, 3), 0, "1/2"),
        ("big_stick", {}, (6, 3), 0, "0"),
        ("big_stick", {}, (3, 6), 0, "1"),
        # n = 4, mti = 1: only ABAB, ABBA, BAAB, BABA. n = 4, mti = 2 adds AABB and BBAA: after A, two of three go to B.
        ("maximal_procedure", {"n": 4, "mti": 1}, (1, 0), 4, "0"),
        ("maximal_procedure", {"n": 4, "mti": 2}, (1, 0), 4, "1/3"),
        ("maximal_procedure", {"n": 4, "mti": 2}, (0, 0), 4, "1/2"),
    ],
)
def test_two_arms(two_arms, name, parameters, counts, length, of_a):
    assert share(two_arms(name, **parameters).chances(counts, length)) == [Fraction(of_a), 1 - Fraction(of_a)]


def test_unequal_ratios():
    arms, ratio = ("A", "B", "C"), {"A": 1, "B": 2, "C": 3}
    assert parse_method("simple", arms, ratio).chances((0, 0, 0), 0) == (1, 2, 3)
    assert parse_method("permuted_blocks", arms, ratio, block_size=12).chances((2, 1, 4), 12) == (0, 3, 2)
    assert parse_method("random_allocation_rule", arms, ratio, n=6).chances((0, 2, 2), 6) == (1, 0, 1)


# With mti = 1 each even place doubles the ways; with a corridor too wide to matter they are binomial coefficients.
def test_ways_back_to_balance():
    assert [paths_to_balance(6, 1)[remaining][0] for remaining in range(7)] == [1, 0, 2, 0, 4, 0, 8]
    assert [paths_to_balance(6, 3)[6][0], paths_to_balance(6, 2)[6][0]] == [20, 18]
    assert paths_to_balance(6, 6)[5] == (0, 10, 0, 5, 0, 1, 0)


# Three arms, newcomer's levels hold (2, 1, 1) and (3, 3, 0). Were A given: (3, 1, 1) and (4, 3, 0), and so on.
@pytest.mark.parametrize(
    ("measure", "scores"),
    [
        (Imbalance.RANGE, [2 + 4, 1 + 4, 1 + 2]),
        (Imbalance.VARIANCE, [8 + 26, 2 + 26, 2 + 8]),  # three times the sum of squares, minus the square of the sum
    ],
)
def test_imbalance_at_the_newcomers_levels(measure, scores):
    counts = [(2, 1, 1), (3, 3, 0)]
    assert [imbalance_if(arm, counts, (1, 1), measure) for arm in range(3)] == scores


def test_standard_deviations_tie_exactly():
    # sqrt(8) = 2 sqrt(2): arm 0 has one factor of variance 8 (weight 1), arm 1 one of variance 2 (weight 2).
    eight = imbalance_if(0, [(2, 1, 1)], (1,), Imbalance.SD)
    two = imbalance_if(1, [(2, 1, 1)], (2,), Imbalance.SD)
    assert eight == two
    assert eight >> 256 == 2


def minimised(three_or_two, counts, **parameters):
    arms = ("A", "B", "C")[:three_or_two]
    method = parse_method("minimisation", arms, dict.fromkeys(arms, 1), **parameters)
    return share(method.chances(counts))


def test_minimisation_prefers_the_arm_of_least_imbalance():
    chances = minimised(2, [(3, 1), (2, 1)], factors=["sex", "cd4"], p="0.85")
    assert chances == [Fraction(3, 20), Fraction(17, 20)]
    assert minimised(2, [(3, 1), (0, 2)], factors=["sex", "cd4"], p="0.85") == [Fraction(1, 2), Fraction(1, 2)]
    heavier = minimised(2, [(3, 1), (0, 2)], factors=["sex", "cd4"], weights={"cd4": 2}, p="0.85")
    assert heavier == [Fraction(17, 20), Fraction(3, 20)]


def test_minimisation_with_three_arms_breaks_ties_at_random():
    # One least: p, then (1 - p) / 2 each. Two least: a fair toss decides which has p. Three: thirds.
    assert minimised(3, [(1, 1, 0)], factors=["sex"], p="4/5") == [Fraction(1, 10), Fraction(1, 10), Fraction(4, 5)]
    assert minimised(3, [(1, 0, 0)], factors=["sex"], p="4/5") == [Fraction(1, 10), Fraction(9, 20), Fraction(9, 20)]
    assert minimised(3, [(1, 1, 1)], factors=["sex"], p="4/5") == [Fraction(1, 3)] * 3
