"""Design properties agree with the plain sum over all sequences, as fractions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomisation import properties

NAMED = st.one_of(
    st.tuples(st.just("simple"), st.just({})),
    st.tuples(
        st.just("permuted_blocks"),
        st.fixed_dictionaries(
            {"block_sizes": st.lists(st.sampled_from([2, 4, 6]), min_size=1, max_size=3, unique=True)}
        ),
    ),
    st.tuples(st.just("random_allocation_rule"), st.just({})),
    st.tuples(
        st.just("biased_coin"),
        st.fixed_dictionaries({"p": st.fractions("1/2", "99/100", max_denominator=100).map(str)}),
    ),
    st.tuples(st.just("wei_urn"), st.fixed_dictionaries({"alpha": st.integers(0, 4), "beta": st.integers(1, 4)})),
    st.tuples(st.just("big_stick"), st.fixed_dictionaries({"mti": st.integers(1, 5)})),
    st.tuples(st.just("maximal_procedure"), st.fixed_dictionaries({"mti": st.integers(1, 5)})),
)


@settings(max_examples=60)
@given(named=NAMED, n=st.integers(1, 8))
def test_properties_are_the_plain_sums(plain, named, n):
    name, parameters = named
    if name in ("random_allocation_rule", "maximal_procedure"):
        n += n % 2
    found = properties(name, n, **parameters)
    known = plain.properties(plain.sequence_chances(name, parameters, n))
    assert found.probability_balanced == known["balanced"]
    assert found.imbalance_variance == known["variance"]
    assert found.probability_imbalance_at_least(2) == known["at_least_two"]
    assert found.expected_correct_guesses == known["guesses"]
    assert found.expected_forced == known["forced"]


@pytest.mark.parametrize("imbalance", ["range", "sd", "variance"])
def test_simulated_minimisation_agrees_with_the_plain_sum(plain, imbalance):
    # Two factors of two levels, three participants: 64 equally likely combinations of levels.
    parameters = {"weights": {"a": 2, "b": 1}, "imbalance": imbalance, "p": "4/5"}
    levels = [{"a": a, "b": b} for a in "12" for b in "12"]
    total = {"balanced_variance": 0.0, "guesses": 0.0}
    for combination in [(x, y, z) for x in levels for y in levels for z in levels]:
        chances = plain.minimised_chances(list(combination), ("A", "B"), parameters)
        known = plain.properties(chances)
        total["balanced_variance"] += known["variance"] / 64
        total["guesses"] += known["guesses"] / 64
    found = properties("minimisation", 3, factors=["a", "b"], runs=200_000, **parameters)
    error = found.simulation_error
    assert abs(found.imbalance_variance - total["balanced_variance"]) < 4 * error.imbalance_variance
    assert abs(found.expected_correct_guesses - float(total["guesses"])) < 4 * error.expected_correct_guesses
