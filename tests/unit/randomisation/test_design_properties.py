"""Balance and predictability before the first participant: known values, limits and refusals."""

import math
from fractions import Fraction

import pytest

from equipoise.randomisation import MethodRefused, compare, parse_method, properties, properties_of
from equipoise.randomisation.comparison import OPEN_LABEL_NOTE, USUAL_METHODS
from equipoise.randomisation.following import follow


def test_simple_randomisation_of_twenty():
    found = properties("simple", 20)
    assert found.probability_balanced == Fraction(46189, 262144)
    assert f"{float(found.probability_imbalance_at_least(6)):.6f}" == "0.263176"
    assert found.expected_correct_guesses == 10
    assert found.expected_forced == 0
    assert found.imbalance_variance == 20
    assert found.imbalance_sd == math.sqrt(20)
    assert found.exact
    assert found.simulation_error is None


def test_the_biased_coin_of_twenty():
    found = properties("biased_coin", 20, p="2/3")
    assert f"{float(found.probability_balanced):.6f}" == "0.508311"
    assert f"{float(found.expected_correct_guesses):.5f}" == "12.34107"


def test_blocks_of_four_for_twenty():
    found = properties("permuted_blocks", 20, block_size=4)
    assert found.probability_balanced == 1
    assert found.expected_correct_guesses == Fraction(85, 6)  # 14.16667
    assert found.expected_forced == Fraction(20, 3)  # 6.6667


# Blackwell and Hodges (1957): n places that must end even are guessed n/2 - 1/2 + 2^(n-1) / C(n, n/2) times.
@pytest.mark.parametrize("n", [2, 4, 20, 100])
def test_the_random_allocation_rule_is_guessed_as_blackwell_and_hodges_found(n):
    known = Fraction(n - 1, 2) + Fraction(2 ** (n - 1), math.comb(n, n // 2))
    assert properties("random_allocation_rule", n).expected_correct_guesses == known
    assert properties("permuted_blocks", 2 * n, block_size=n).expected_correct_guesses == 2 * known


# Under UD(0, 1) E(D^2) after j + 1 places is 1 + (1 - 2/j) times that after j, which gives n / 3 from n = 3 on.
@pytest.mark.parametrize("n", [3, 20, 61])
def test_the_variance_of_weis_urn(n):
    assert properties("wei_urn", n).imbalance_variance == Fraction(n, 3)


def test_a_biased_coin_of_a_half_and_a_corridor_too_wide_are_what_they_contain():
    simple = properties("simple", 12)
    for name, parameters in [("biased_coin", {"p": "1/2"}), ("big_stick", {"mti": 12})]:
        found = properties(name, 12, **parameters)
        assert (found.imbalance, found.expected_correct_guesses) == (simple.imbalance, simple.expected_correct_guesses)
    rule, wide = properties("random_allocation_rule", 12), properties("maximal_procedure", 12, mti=6)
    assert rule.expected_correct_guesses == wide.expected_correct_guesses
    assert rule.expected_forced == wide.expected_forced


def test_a_corridor_of_one_is_blocks_of_two():
    blocks = properties("permuted_blocks", 20, block_size=2)
    for name in ("big_stick", "maximal_procedure"):
        found = properties(name, 20, mti=1)
        assert found.expected_correct_guesses == blocks.expected_correct_guesses == 15
        assert found.expected_forced == blocks.expected_forced == 10


def test_random_block_sizes_force_less_than_the_smallest_block():
    mixed = properties("permuted_blocks", 20, block_sizes=[4, 6])
    assert mixed.expected_forced < properties("permuted_blocks", 20, block_size=6).expected_forced
    assert mixed.expected_correct_guesses < properties("permuted_blocks", 20, block_size=4).expected_correct_guesses


@pytest.mark.parametrize("name", ["simple", "wei_urn", "big_stick", "maximal_procedure", "permuted_blocks"])
def test_doubles_agree_with_fractions(two_arms, name):
    method = two_arms(name, **({"n": 60} if name == "maximal_procedure" else {}))
    exact, doubles = follow(method, 60, exact=True), follow(method, 60, exact=False)
    assert isinstance(exact.guesses, Fraction)
    assert isinstance(doubles.guesses, float)
    assert doubles.guesses == pytest.approx(float(exact.guesses), rel=1e-12)
    assert doubles.forced == pytest.approx(float(exact.forced), rel=1e-12, abs=1e-300)
    assert doubles.variance == pytest.approx(float(exact.variance), rel=1e-12, abs=1e-300)
    assert [size for size, _ in doubles.imbalance] == [size for size, _ in exact.imbalance]


def test_large_numbers_are_followed_in_doubles():
    found = properties("simple", 400)
    assert isinstance(found.probability_balanced, float)
    assert found.probability_balanced == pytest.approx(math.comb(400, 200) / 2**400, rel=1e-12)
    assert found.exact
    guessed = properties("maximal_procedure", 2000).expected_correct_guesses
    assert 1000 < guessed < 1500


def test_odd_numbers_are_never_balanced():
    found = properties("simple", 21)
    assert found.probability_balanced == 0
    assert sum(chance for _, chance in found.imbalance) == 1


def test_minimisation_is_simulated_with_its_error():
    found = properties("minimisation", 20, factors=["sex", "cd4"], p="0.85")
    again = properties("minimisation", 20, factors=["sex", "cd4"], p="0.85")
    assert found == again
    assert not found.exact
    assert found.simulation_error.runs == 20_000
    p = found.probability_balanced
    assert found.simulation_error.probability_balanced == pytest.approx(math.sqrt(p * (1 - p) / 20_000))
    assert found.expected_forced == 0
    other = properties("minimisation", 20, factors=["sex", "cd4"], p="0.85", seed=21)
    assert other.expected_correct_guesses != found.expected_correct_guesses
    error = found.simulation_error.expected_correct_guesses
    assert abs(other.expected_correct_guesses - found.expected_correct_guesses) < 5 * math.sqrt(2) * error


@pytest.mark.parametrize("imbalance", ["range", "sd", "variance"])
def test_minimisation_of_one_factor_with_one_level_is_a_biased_coin(imbalance):
    coin = properties("biased_coin", 20, p="3/4")
    found = properties("minimisation", 20, factors=["all"], p="3/4", levels={"all": 1}, imbalance=imbalance)
    error = found.simulation_error
    assert abs(found.probability_balanced - coin.probability_balanced) < 4 * error.probability_balanced
    assert abs(found.imbalance_variance - coin.imbalance_variance) < 4 * error.imbalance_variance
    assert abs(found.expected_correct_guesses - coin.expected_correct_guesses) < 4 * error.expected_correct_guesses


def test_refusals():
    unequal = parse_method("simple", ("A", "B"), {"A": 2, "B": 1})
    three = parse_method("simple", ("A", "B", "C"), {"A": 1, "B": 1, "C": 1})
    asked = [
        (lambda: properties_of(unequal, 20), "allocation.ratio = 2:1: properties are worked out for two arms 1:1; "
         "leave the table out for this ratio; simulate the trial instead"),
        (lambda: properties_of(three, 20), "allocation.ratio = 1:1:1: properties are worked out for two arms 1:1; "
         "leave the table out for this ratio; simulate the trial instead"),
        (lambda: properties("simple", 0), "n = 0: not from 1 to 2000; give the number of participants"),
        (lambda: properties("simple", 2001), "n = 2001: not from 1 to 2000; give the number of participants"),
        (lambda: properties("maximal_procedure", 21),
         "allocation.n = 21: cannot hold the ratio 1:1 exactly; choose a multiple of 2"),
        (lambda: properties("minimisation", factors=["sex"], levels={"age": 2}),
         "levels.age = 2: not a factor's number of levels; give at least one level to sex"),
        (lambda: properties("minimisation", factors=["sex"], levels={"sex": 0}),
         "levels.sex = 0: not a factor's number of levels; give at least one level to sex"),
        (lambda: properties("minimisation", factors=["sex"], runs=10),
         "runs = 10: too few to tell anything; simulate at least 100 trials"),
    ]  # fmt: skip
    for ask, text in asked:
        with pytest.raises(MethodRefused) as refused:
            ask()
        assert str(refused.value) == text


def test_the_table_shows_what_balance_costs():
    rows = {row.method: row for row in compare(20)}
    assert len(rows) == len(USUAL_METHODS) == 8
    simple, blocks = rows["simple"], rows["permuted blocks, block sizes = 4"]
    assert f"{simple.probability_imbalance_at_least:.6f}" == "0.263176"
    assert (simple.imbalance, simple.expected_correct_guesses, simple.guesses_error) == (6, 10.0, None)
    assert (blocks.probability_balanced, blocks.imbalance_sd) == (1.0, 0.0)
    assert f"{blocks.expected_correct_guesses:.5f} {blocks.expected_forced:.4f}" == "14.16667 6.6667"
    assert all(row.exact for row in rows.values())


def test_the_table_leaves_out_what_an_odd_number_cannot_run():
    assert len(compare(21)) == len(USUAL_METHODS) - 2


def test_the_table_of_chosen_methods(two_arms):
    methods = [two_arms("minimisation", factors=["sex"]), two_arms("big_stick")]
    simulated, exact = compare(10, methods, imbalance=4)
    assert (simulated.exact, exact.exact) == (False, True)
    assert simulated.guesses_error > 0
    assert exact.imbalance == 4
    assert exact.probability_imbalance_at_least == 0


def test_the_note_speaks_of_open_label_sites():
    assert OPEN_LABEL_NOTE.startswith("In an open-label trial at one site the past arms are known.")


def test_the_documented_table_is_what_comes_out(checkout):
    text = (checkout / "docs" / "methods" / "randomisation.md").read_text(encoding="utf-8")
    for row in compare(20):
        cells = (
            row.method,
            f"{row.probability_balanced:.6f}",
            f"{row.imbalance_sd:.4f}",
            f"{row.probability_imbalance_at_least:.6f}",
            f"{row.expected_correct_guesses:.5f}",
            f"{row.expected_forced:.4f}",
        )
        assert f"| {' | '.join(cells)} |\n" in text
