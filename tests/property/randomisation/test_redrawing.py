"""Thousands of runs at once, against the chances of the textbooks and against the runs of secrets."""

import hashlib
from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from equipoise.randomisation import (
    AllocationRefused,
    MethodRefused,
    Place,
    Secret,
    every_allocation,
    parse_method,
    redraw,
    sequence,
)
from equipoise.randomisation.redrawing import BITS, decided, distinct_rows, drawn_arms

DRAWS = 40_000
EVEN = {"A": 1, "B": 1}
METHODS = [
    ("simple", {}),
    ("permuted_blocks", {"block_sizes": [4]}),
    ("permuted_blocks", {"block_sizes": [2, 4]}),
    ("random_allocation_rule", {"n": 6}),
    ("biased_coin", {"p": "2/3"}),
    ("wei_urn", {"alpha": 1, "beta": 2}),
    ("wei_urn", {"alpha": 0, "beta": 1}),
    ("big_stick", {"mti": 2}),
    ("maximal_procedure", {"n": 6, "mti": 2}),
]


def written(arms, codes):
    """Each run as a text of arms."""
    return ["".join(arms[code] for code in row) for row in codes]


def p_value(runs, chances):
    """Pearson's chi-square of the runs against their chances; an impossible run gives 0."""
    found, numbers = np.unique(runs, return_counts=True)
    if not set(found) <= set(chances):
        return 0.0
    seen = dict(zip(found, numbers, strict=True))
    expected = {run: len(runs) * float(share) for run, share in chances.items()}
    statistic = sum((seen.get(run, 0) - number) ** 2 / number for run, number in expected.items())
    return chi2.sf(statistic, len(chances) - 1)


@pytest.mark.parametrize(("name", "parameters"), METHODS)
def test_runs_are_as_likely_as_the_textbooks_say(plain, name, parameters):
    method = parse_method(name, ("A", "B"), EVEN, **parameters)
    runs = written("AB", redraw(method, [Place()] * 6, DRAWS, seed=11))
    assert p_value(runs, plain.sequence_chances(name, parameters, 6)) > 0.001


@pytest.mark.parametrize("imbalance", ["range", "sd", "variance"])
def test_minimised_runs_are_as_likely_as_the_paper_says(plain, imbalance):
    parameters = {"weights": {"sex": 2, "cd4": 1}, "imbalance": imbalance, "p": "3/5"}
    factors = [{"sex": sex, "cd4": cd4} for sex, cd4 in ("Fl", "Fh", "Ml", "Fl")]
    method = parse_method("minimisation", tuple("ABC"), dict.fromkeys("ABC", 1), factors=["sex", "cd4"], **parameters)
    runs = written("ABC", redraw(method, [Place("", each) for each in factors], DRAWS, seed=11))
    chances = plain.minimised_chances(factors, tuple("ABC"), parameters)
    assert p_value(runs, chances) > 0.001
    other = plain.minimised_chances(factors, tuple("ABC"), parameters | {"p": "7/10"})
    assert p_value(runs, other) < 0.001  # what the test can see


def test_runs_are_like_those_of_secrets():
    method = parse_method("permuted_blocks", ("A", "B"), EVEN, block_sizes=[2, 4])
    places = [Place(stratum) for stratum in ("F", "M", "F", "F", "M", "M")]
    secrets = [Secret(hashlib.sha256(b"again %d" % number).digest()) for number in range(4_000)]
    slow = ["".join(one.arm for one in sequence(method, secret, trial="DEMO", places=places)) for secret in secrets]
    fast = written("AB", redraw(method, places, 4_000, seed=3))
    kinds = sorted({*slow, *fast})
    table = [[runs.count(kind) for kind in kinds] for runs in (slow, fast)]
    assert chi2_contingency(table).pvalue > 0.001


def test_the_same_seed_gives_the_same_runs():
    method = parse_method("big_stick", ("A", "B"), EVEN, mti=2)
    first, second, other = (redraw(method, [Place()] * 20, 50, seed) for seed in (5, 5, 6))
    assert first.tobytes() == second.tobytes() != other.tobytes()
    assert (first.shape, first.dtype) == ((50, 20), np.int8)


@pytest.mark.parametrize(("name", "parameters"), METHODS)
def test_the_list_of_allocations_is_the_textbooks(plain, name, parameters):
    method = parse_method(name, ("A", "B"), EVEN, **parameters)
    codes, shares = every_allocation(method, [Place()] * 6)
    chances = plain.sequence_chances(name, parameters, 6)
    assert written("AB", codes) == sorted(chances)
    np.testing.assert_allclose(shares, [float(chances[run]) for run in sorted(chances)], rtol=1e-12)


def test_strata_multiply_and_minimisation_is_listed_too(plain):
    method = parse_method("random_allocation_rule", ("A", "B"), EVEN, n=2)
    codes, shares = every_allocation(method, [Place(stratum) for stratum in "FMMF"])
    assert written("AB", codes) == ["AABB", "ABAB", "BABA", "BBAA"]
    assert shares.tolist() == [0.25] * 4
    parameters = {"weights": {"sex": 1}, "imbalance": "range", "p": "3/4"}
    minimised = parse_method("minimisation", ("A", "B"), EVEN, factors=["sex"], **parameters)
    factors = [{"sex": sex} for sex in "FFMF"]
    codes, shares = every_allocation(minimised, [Place("", each) for each in factors])
    chances = plain.minimised_chances(factors, ("A", "B"), parameters)
    assert dict(zip(written("AB", codes), shares, strict=True)) == pytest.approx(chances)


def test_a_list_that_would_be_too_long_is_not_made():
    simple = parse_method("simple", ("A", "B"), EVEN)
    assert len(every_allocation(simple, [Place()] * 10, most=1024)[0]) == 1024
    assert every_allocation(simple, [Place()] * 10, most=1023) is None
    assert every_allocation(simple, [Place()] * 200, most=1023) is None


class Digits:
    """A generator that gives the digits that it was given."""

    def __init__(self, *digits):
        self.digits = list(digits)

    def integers(self, below, size=None):
        assert below == 2**BITS
        return np.array([self.digits.pop(0) for _ in range(size)]) if size else self.digits.pop(0)


def test_a_draw_on_the_cut_takes_further_digits():
    # Chances 1 and 2: the cut is a third, whose digits in base 2**62 are all (2**62 - 1) / 3.
    third = (2**BITS - 1) // 3
    for further, arm in (((third - 1,), 0), ((third + 1,), 1), ((third, third, third - 1), 0)):
        assert drawn_arms([(1, 2)], np.zeros(1, dtype=np.intp), Digits(third, *further)).tolist() == [arm]
    assert drawn_arms([(1, 1)], np.zeros(1, dtype=np.intp), Digits(2**61)).tolist() == [1]  # on the cut, exactly
    assert drawn_arms([(0, 3, 0)], np.zeros(2, dtype=np.intp), Digits(0, 2**BITS - 1)).tolist() == [1, 1]


def test_chances_too_large_for_a_machine_word_are_exact():
    chances = (2**200, 2**201, 2**200)
    shares = [float(Fraction(end, sum(chances))) for end in accumulate(chances)]
    assert shares == [0.25, 0.75, 1.0]
    for drawn, arm in ((2**60 - 1, 0), (2**60, 1), (3 * 2**60 - 1, 1), (3 * 2**60, 2)):
        assert decided(chances, drawn, Digits()) == arm


def test_rows_of_large_numbers_are_told_apart():
    rows = np.array([[10**12, 0, 10**12], [0, 10**12, 5], [10**12, 0, 10**12]])
    found, which = distinct_rows(rows)
    np.testing.assert_array_equal(found[which], rows)
    assert len(found) == 2


def test_what_cannot_be_allocated_is_refused():
    rule = parse_method("random_allocation_rule", ("A", "B"), EVEN, n=4)
    with pytest.raises(AllocationRefused) as refused:
        redraw(rule, [Place("F")] * 5, 10, seed=1)
    assert str(refused.value) == (
        "allocation.n = 4: fewer than the 5 participants of the sequence; give the number that was planned"
    )
    assert redraw(rule, [Place("F")] * 4 + [Place("M")] * 4, 10, seed=1).sum() == 40
    minimised = parse_method("minimisation", ("A", "B"), EVEN, factors=["sex"])
    with pytest.raises(AllocationRefused) as refused:
        every_allocation(minimised, [Place("", {"sex": "F"}), Place()])
    assert str(refused.value) == ("places[1].factors.sex: no level; give every factor that the method balances")
    with pytest.raises(MethodRefused):
        redraw(parse_method("random_allocation_rule", ("A", "B"), EVEN), [Place()], 10, seed=1)
