"""The production path gives every sequence as often as the textbook says, over many secrets."""

import hashlib

import pytest
from scipy.stats import chi2

from equipoise.randomisation import Place, Secret, parse_method, sequence

SECRETS = 6_000


def secrets():
    return [Secret(hashlib.sha256(b"distribution %d" % index).digest()) for index in range(SECRETS)]


def p_value(method, places, chances):
    """Pearson's chi-square of the sequences drawn against their chances; an impossible sequence gives 0."""
    seen = dict.fromkeys(chances, 0)
    for secret in secrets():
        arms = "".join(each.arm for each in sequence(method, secret, trial="DEMO", places=places))
        if arms not in seen:
            return 0.0
        seen[arms] += 1
    statistic = sum(
        (seen[arms] - SECRETS * float(share)) ** 2 / (SECRETS * float(share)) for arms, share in chances.items()
    )
    return chi2.sf(statistic, len(chances) - 1)


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


@pytest.mark.parametrize(("name", "parameters"), METHODS)
def test_every_sequence_of_six_is_as_likely_as_it_should_be(plain, name, parameters):
    method = parse_method(name, ("A", "B"), {"A": 1, "B": 1}, **parameters)
    chances = plain.sequence_chances(name, parameters, 6)
    assert sum(chances.values()) == 1
    assert p_value(method, [Place()] * 6, chances) > 0.001


@pytest.mark.parametrize("imbalance", ["range", "sd", "variance"])
def test_minimisation_of_three_arms_is_as_likely_as_it_should_be(plain, imbalance):
    parameters = {"weights": {"sex": 2, "cd4": 1}, "imbalance": imbalance, "p": "3/5"}
    arms = ("A", "B", "C")
    factors = [{"sex": sex, "cd4": cd4} for sex, cd4 in ("Fl", "Fh", "Ml", "Fl")]
    method = parse_method("minimisation", arms, dict.fromkeys(arms, 1), factors=["sex", "cd4"], **parameters)
    chances = plain.minimised_chances(factors, arms, parameters)
    assert sum(chances.values()) == pytest.approx(1, abs=1e-12)
    assert p_value(method, [Place("", each) for each in factors], chances) > 0.001


@pytest.mark.parametrize(
    ("name", "parameters"), [("permuted_blocks", {"block_size": 6}), ("random_allocation_rule", {"n": 6})]
)
def test_three_arms_in_unequal_ratio_are_all_orders_alike(name, parameters):
    method = parse_method(name, ("A", "B", "C"), {"A": 1, "B": 2, "C": 3}, **parameters)
    orders = {"".join(letters) for letters in distinct_orders("ABBCCC")}
    assert p_value(method, [Place()] * 6, dict.fromkeys(orders, 1 / len(orders))) > 0.001


def test_the_test_sees_a_method_with_another_corridor(plain):
    method = parse_method("big_stick", ("A", "B"), {"A": 1, "B": 1}, mti=3)
    assert p_value(method, [Place()] * 6, plain.sequence_chances("big_stick", {"mti": 2}, 6)) < 0.001
    coin = parse_method("biased_coin", ("A", "B"), {"A": 1, "B": 1}, p="0.70")
    assert p_value(coin, [Place()] * 6, plain.sequence_chances("biased_coin", {"p": "2/3"}, 6)) < 0.001


def distinct_orders(letters):
    if not letters:
        yield ""
    for letter in sorted(set(letters)):
        for rest in distinct_orders(letters.replace(letter, "", 1)):
            yield letter + rest
