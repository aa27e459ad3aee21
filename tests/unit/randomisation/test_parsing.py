"""Methods are built whole or refused with the field, the value and what to do."""

from decimal import Decimal
from fractions import Fraction

import pytest

from equipoise.randomisation import METHODS, MethodRefused, parse_method, with_planned_number

EVEN = {"A": 1, "B": 1}
THREE = {"A": 1, "B": 1, "C": 1}

REFUSALS = [
    (
        ("coin", EVEN, {}),
        "allocation.method = coin: not a known method; choose simple, permuted_blocks, random_allocation_rule, "
        "biased_coin, wei_urn, big_stick, maximal_procedure, minimisation",
    ),
    (("simple", EVEN, {"p": "1/2"}), "allocation.p = 1/2: simple has no such parameter; it takes none"),
    (
        ("permuted_blocks", EVEN, {"block_szie": 4}),
        "allocation.block_szie = 4: permuted_blocks has no such parameter; it takes block_size, block_sizes",
    ),
    (("simple", {"A": 1}, {}), "arms = ('A',): fewer than two arms; name at least two"),
    (("simple", {"A": 1, "": 1}, {}), "arms[1] = : not a text; write a text of at least one character"),
    (
        ("permuted_blocks", EVEN, {"block_size": 5}),
        "allocation.block_size = 5: cannot hold the ratio 1:1 exactly; choose a multiple of 2",
    ),
    (
        ("permuted_blocks", {"A": 2, "B": 1}, {}),
        "allocation.block_size = 4: cannot hold the ratio 2:1 exactly; choose a multiple of 3",
    ),
    (
        ("permuted_blocks", EVEN, {"block_size": 0}),
        "allocation.block_size = 0: not a whole number from 2 to 100; write one",
    ),
    (
        ("permuted_blocks", EVEN, {"block_size": True}),
        "allocation.block_size = True: not a whole number from 2 to 100; write one",
    ),
    (
        ("permuted_blocks", EVEN, {"block_size": 4, "block_sizes": [4, 6]}),
        "allocation.block_size = 4: given beside block_sizes; keep one",
    ),
    (
        ("permuted_blocks", EVEN, {"block_sizes": []}),
        "allocation.block_sizes = []: not a list of sizes; write a list, as [4, 6]",
    ),
    (
        ("permuted_blocks", EVEN, {"block_sizes": [4, 4]}),
        "allocation.block_sizes = [4, 4]: a size stands twice; name each size once",
    ),
    (
        ("permuted_blocks", EVEN, {"block_sizes": [4, 7]}),
        "allocation.block_sizes[1] = 7: cannot hold the ratio 1:1 exactly; choose a multiple of 2",
    ),
    (
        ("random_allocation_rule", EVEN, {"n": 21}),
        "allocation.n = 21: cannot hold the ratio 1:1 exactly; choose a multiple of 2",
    ),
    (
        ("maximal_procedure", EVEN, {"n": 10**9}),
        "allocation.n = 1000000000: not a whole number from 2 to 2000; write one",
    ),
    (
        ("biased_coin", EVEN, {"p": 0.85}),
        'allocation.p = 0.85: not an exact number; write a fraction or a decimal in quotes, as "2/3"',
    ),
    (
        ("biased_coin", EVEN, {"p": "1e999999"}),
        'allocation.p = 1e999999: not an exact number; write a fraction or a decimal in quotes, as "2/3"',
    ),
    (
        ("biased_coin", EVEN, {"p": Decimal("1e-999999")}),
        'allocation.p = 1E-999999: not an exact number; write a fraction or a decimal in quotes, as "2/3"',
    ),
    (
        ("biased_coin", EVEN, {"p": "1/0"}),
        'allocation.p = 1/0: not an exact number; write a fraction or a decimal in quotes, as "2/3"',
    ),
    (
        ("biased_coin", EVEN, {"p": "0.66666666"}),
        "allocation.p = 0.66666666: too fine a fraction; use a denominator of at most 1000000",
    ),
    (("biased_coin", EVEN, {"p": "1/3"}), "allocation.p = 1/3: not from 1/2 to below 1; choose 2/3, as Efron did"),
    (("biased_coin", EVEN, {"p": 1}), "allocation.p = 1: not from 1/2 to below 1; choose 2/3, as Efron did"),
    (
        ("wei_urn", EVEN, {"beta": 0}),
        "allocation.beta = 0: not a whole number from 1 to 1000000; write one",
    ),
    (
        ("wei_urn", EVEN, {"alpha": -1}),
        "allocation.alpha = -1: not a whole number from 0 to 1000000; write one",
    ),
    (("big_stick", EVEN, {"mti": 0}), "allocation.mti = 0: not a whole number from 1 to 50; write one"),
    (("maximal_procedure", EVEN, {"mti": 51}), "allocation.mti = 51: not a whole number from 1 to 50; write one"),
    (
        ("minimisation", EVEN, {}),
        "allocation.factors: no list of factors to balance; name at least one",
    ),
    (
        ("minimisation", EVEN, {"factors": "sex"}),
        "allocation.factors = sex: no list of factors to balance; name at least one",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex", "sex"]}),
        "allocation.factors[1] = sex: named twice; name each factor once",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex"], "imbalance": "mad"}),
        "allocation.imbalance = mad: not a known measure; choose range, sd or variance",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex"], "weights": {"age": 2}}),
        "allocation.weights.age = 2: not one of the factors; weigh sex",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex"], "weights": [2]}),
        "allocation.weights = [2]: not a weight for each factor; write factor: weight",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex"], "weights": {"sex": 0}}),
        "allocation.weights.sex = 0: not above 0; give a positive weight, or leave the factor out",
    ),
    (
        ("minimisation", EVEN, {"factors": ["a", "b"], "weights": {"a": "1/999983", "b": 2}}),
        "allocation.weights = {'a': '1/999983', 'b': 2}: too fine together; write whole numbers up to 1000000",
    ),
    (
        ("minimisation", EVEN, {"factors": ["sex"], "p": "1/2"}),
        "allocation.p = 1/2: not above 1/2 and below 1; choose 0.85, say; at 1 nearly all is predictable",
    ),
    (
        ("minimisation", THREE, {"factors": ["sex"], "p": "1"}),
        "allocation.p = 1: not above 1/3 and below 1; choose 0.85, say; at 1 nearly all is predictable",
    ),
    (
        ("minimisation", {"A": 2, "B": 1}, {"factors": ["sex"]}),
        "allocation.ratio = 2:1: minimisation in an unequal ratio can give participants unequal chances of an arm, "
        "which biases the comparison (Kaiser 2012); plan equal arms, or choose simple, permuted_blocks or "
        "random_allocation_rule",
    ),
]


@pytest.mark.parametrize(("asked", "text"), REFUSALS)
def test_refusals_name_field_value_and_remedy(asked, text):
    name, ratio, parameters = asked
    with pytest.raises(MethodRefused) as refused:
        parse_method(name, tuple(ratio), ratio, **parameters)
    assert str(refused.value) == text


@pytest.mark.parametrize("name", ["biased_coin", "wei_urn", "big_stick", "maximal_procedure"])
def test_methods_for_two_equal_arms_refuse_more_arms_and_other_ratios(name):
    with pytest.raises(MethodRefused) as refused:
        parse_method(name, tuple(THREE), THREE)
    assert str(refused.value) == (
        f"allocation.method = {name}: made for two arms, not 3; "
        "choose simple, permuted_blocks, random_allocation_rule or minimisation"
    )
    with pytest.raises(MethodRefused) as refused:
        parse_method(name, ("A", "B"), {"A": 2, "B": 1})
    assert str(refused.value) == (
        f"allocation.ratio = 2:1: {name} is made for 1:1; "
        "choose simple, permuted_blocks or random_allocation_rule for an unequal ratio"
    )


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ({"A": 1, "C": 1}, "allocation.ratio.C = 1: not an arm; use A, B"),
        ({"A": 1}, "allocation.ratio.B: missing; give each arm a whole number"),
        ({"A": 1, "B": 0}, "allocation.ratio.B = 0: not a whole number from 1 to 100; write one"),
        ({"A": 1, "B": 1.5}, "allocation.ratio.B = 1.5: not a whole number from 1 to 100; write one"),
    ],
)
def test_the_ratio_names_each_arm_once_with_a_whole_number(ratio, text):
    with pytest.raises(MethodRefused) as refused:
        parse_method("simple", ("A", "B"), ratio)
    assert str(refused.value) == text


def test_an_arm_named_twice_is_refused():
    with pytest.raises(MethodRefused) as refused:
        parse_method("simple", ("A", "A"), {"A": 1})
    assert str(refused.value) == "arms[1] = A: named twice; give each arm a code of its own"


def test_two_to_two_is_one_to_one():
    assert parse_method("simple", ("A", "B"), {"A": 2, "B": 2}) == parse_method("simple", ("A", "B"), EVEN)
    assert parse_method("simple", ("A", "B"), {"A": 4, "B": 2}).ratio == (2, 1)


@pytest.mark.parametrize("p", ["17/20", "0.85", "34/40", Decimal("0.85"), Fraction(17, 20)])
def test_probabilities_are_exact_fractions(p):
    assert parse_method("minimisation", ("A", "B"), EVEN, factors=["sex"], p=p).p == Fraction(17, 20)


def test_weights_are_brought_to_lowest_whole_numbers():
    method = parse_method("minimisation", ("A", "B"), EVEN, factors=["a", "b"], weights={"a": "1/2", "b": "1.5"})
    assert method.parameters["weights"] == {"a": 1, "b": 3}


PLAIN = {
    "simple": {},
    "permuted_blocks": {"block_sizes": [4]},
    "random_allocation_rule": {"n": 20},
    "biased_coin": {"p": "2/3"},
    "wei_urn": {"alpha": 0, "beta": 1},
    "big_stick": {"mti": 3},
    "maximal_procedure": {"n": 20, "mti": 3},
    "minimisation": {"factors": ["sex"], "imbalance": "range", "weights": {"sex": 1}, "p": "17/20"},
}
GIVEN = {"random_allocation_rule": {"n": 20}, "maximal_procedure": {"n": 20}, "minimisation": {"factors": ["sex"]}}


@pytest.mark.parametrize("name", METHODS)
def test_parameters_are_plain_and_build_the_method_again(name):
    method = parse_method(name, ("A", "B"), EVEN, **GIVEN.get(name, {}))
    assert method.parameters == PLAIN[name]
    assert parse_method(name, method.arms, EVEN, **method.parameters) == method


@pytest.mark.parametrize("name", METHODS)
def test_methods_do_not_change(name):
    method = parse_method(name, ("A", "B"), EVEN, **GIVEN.get(name, {}))
    with pytest.raises((AttributeError, TypeError)):
        method.arms = ("B", "A")


def test_methods_are_described_in_words():
    described = [
        parse_method("simple", ("A", "B"), {"A": 2, "B": 1}).described,
        parse_method("permuted_blocks", ("A", "B"), EVEN, block_sizes=[6, 4]).described,
        parse_method("minimisation", ("A", "B"), EVEN, factors=["sex", "cd4"], weights={"cd4": 2}).described,
    ]
    assert described == [
        "simple, 2:1",
        "permuted blocks, block sizes = 4 and 6",
        "minimisation, factors = sex and cd4, imbalance = range, weights = 1 for sex and 2 for cd4, p = 17/20",
    ]


def test_the_planned_number_is_given_once():
    open_ended = parse_method("maximal_procedure", ("A", "B"), EVEN)
    assert with_planned_number(open_ended, 20).planned_number == 20
    with pytest.raises(MethodRefused) as refused:
        with_planned_number(open_ended, None)
    assert str(refused.value) == "allocation.n: maximal_procedure needs it; give the number of participants"
    with pytest.raises(MethodRefused) as refused:
        with_planned_number(with_planned_number(open_ended, 20), 22)
    assert str(refused.value) == "allocation.n = 22: the method was set up for 20; give 20"


def test_methods_without_end_pass_the_planned_number_over():
    coin = parse_method("biased_coin", ("A", "B"), EVEN)
    assert with_planned_number(coin, 21) is coin
