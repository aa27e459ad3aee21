"""The production path: the same question has the same arm, and an impossible past stops it."""

import random

import pytest

from equipoise.randomisation import (
    Allocated,
    AllocationRefused,
    MethodRefused,
    Place,
    allocate,
    parse_method,
    sequence,
    stratum_of,
)

EVERY_METHOD = [
    ("simple", {}),
    ("permuted_blocks", {"block_size": 4}),
    ("permuted_blocks", {"block_sizes": [2, 4, 6]}),
    ("random_allocation_rule", {"n": 24}),
    ("biased_coin", {}),
    ("wei_urn", {}),
    ("big_stick", {}),
    ("maximal_procedure", {"n": 24}),
    ("minimisation", {"factors": ["sex", "cd4"], "weights": {"cd4": 2}}),
]


def newcomers(number):
    source = random.Random(7)
    return [{"sex": source.choice("FM"), "cd4": source.choice(["low", "high"])} for _ in range(number)]


def one_by_one(method, secret, factors_of_each, stratum=""):
    past = []
    for factors in factors_of_each:
        past.append(allocate(method, secret, trial="DEMO", stratum=stratum, past=past, factors=factors))
    return tuple(past)


def test_simple_randomisation_gives_the_published_arms(two_arms, secret):
    allocated = one_by_one(two_arms("simple"), secret, [{}] * 20)
    assert "".join(each.arm for each in allocated) == "BAAABBABABABBBAABAAA"
    assert [each.number for each in allocated] == list(range(1, 21))


@pytest.mark.parametrize(("name", "parameters"), EVERY_METHOD)
def test_a_retry_gives_the_same_arm_and_one_pass_gives_the_same_sequence(two_arms, secret, name, parameters):
    method = two_arms(name, **parameters)
    factors = newcomers(24)
    allocated = one_by_one(method, secret, factors)
    again = allocate(method, secret, trial="DEMO", stratum="", past=allocated[:9], factors=factors[9])
    assert again == allocated[9]
    assert sequence(method, secret, trial="DEMO", places=[Place("", each) for each in factors]) == allocated


@pytest.mark.parametrize(("name", "parameters"), EVERY_METHOD[:-1])
def test_strata_are_sequences_of_their_own(two_arms, secret, name, parameters):
    method = two_arms(name, **parameters)
    women, men = (one_by_one(method, secret, [{}] * 24, stratum) for stratum in ("sex=F", "sex=M"))
    assert [each.arm for each in women] != [each.arm for each in men]
    mixed = [each for pair in zip(women, men, strict=True) for each in pair]
    places = [Place(each.stratum) for each in mixed]
    assert sequence(method, secret, trial="DEMO", places=places) == tuple(mixed)
    assert allocate(method, secret, trial="DEMO", stratum="sex=F", past=mixed[:20]) == women[10]


def test_another_trial_has_other_arms(two_arms, secret):
    method = two_arms("simple")
    sequences = {sequence(method, secret, trial=trial, places=[Place()] * 64) for trial in ("DEMO", "DEMO2")}
    assert len(sequences) == 2


def test_printing_an_allocation_does_not_tell_the_arm(secret):
    method = parse_method("simple", ("NKART", "CONTROL"), {"NKART": 1, "CONTROL": 1})
    allocated = allocate(method, secret, trial="DEMO", past=[])
    assert repr(allocated) == "Allocated(number=1, stratum='', factors=mappingproxy({}))"
    assert allocated.arm in method.arms


@pytest.mark.parametrize("name", ["random_allocation_rule", "maximal_procedure"])
def test_a_used_up_sequence_is_refused(two_arms, secret, name):
    method = two_arms(name, n=4)
    past = one_by_one(method, secret, [{}] * 4)
    with pytest.raises(AllocationRefused) as refused:
        allocate(method, secret, trial="DEMO", past=past)
    assert str(refused.value) == (
        "allocation.n = 4: all places of the sequence are used; "
        "stop randomising here, or amend the protocol with a sequence of its own for those to come"
    )


@pytest.mark.parametrize("name", ["random_allocation_rule", "maximal_procedure"])
def test_the_number_may_come_with_the_question(two_arms, secret, name):
    asked = allocate(two_arms(name), secret, trial="DEMO", past=[], n=20)
    assert asked == allocate(two_arms(name, n=20), secret, trial="DEMO", past=[])
    with pytest.raises(MethodRefused) as refused:
        allocate(two_arms(name), secret, trial="DEMO", past=[])
    assert str(refused.value) == f"allocation.n: {name} needs it; give the number of participants"


IMPOSSIBLE = [
    ("permuted_blocks", {"block_size": 4}, "AAA", "past[2].arm", "permuted blocks, block sizes = 4"),
    ("random_allocation_rule", {"n": 4}, "BBB", "past[2].arm", "random allocation rule, n = 4"),
    ("wei_urn", {}, "AA", "past[1].arm", "wei urn, alpha = 0, beta = 1"),
    ("big_stick", {"mti": 2}, "ABBBB", "past[4].arm", "big stick, mti = 2"),
    ("maximal_procedure", {"n": 6, "mti": 2}, "AAA", "past[2].arm", "maximal procedure, n = 6, mti = 2"),
    ("simple", {}, "AZ", "past[1].arm", "simple"),
]


@pytest.mark.parametrize(("name", "parameters", "arms", "field", "described"), IMPOSSIBLE)
def test_a_past_that_the_method_cannot_have_made_is_refused(two_arms, secret, name, parameters, arms, field, described):
    past = [Allocated(number, arm) for number, arm in enumerate(arms, start=1)]
    with pytest.raises(AllocationRefused) as refused:
        allocate(two_arms(name, **parameters), secret, trial="DEMO", past=past)
    assert str(refused.value) == (
        f"{field}: an arm that {described} cannot have given here; do not randomise; verify the trial's record first"
    )


@pytest.mark.parametrize("numbers", [(2, 3), (1, 3), (1, 1), (2, 1), (0, 1)])
def test_a_past_with_a_gap_or_out_of_order_is_refused(two_arms, secret, numbers):
    past = [Allocated(number, "A") for number in numbers]
    index = next(index for index, number in enumerate(numbers) if number != index + 1)
    with pytest.raises(AllocationRefused) as refused:
        allocate(two_arms("simple"), secret, trial="DEMO", past=past)
    assert str(refused.value) == (
        f"past[{index}].number = {numbers[index]}: place {index + 1} of the stratum is expected here; "
        "do not randomise; verify the trial's record first"
    )


def test_minimisation_needs_every_factor_and_no_stratum(two_arms, secret):
    method = two_arms("minimisation", factors=["sex", "cd4"])
    with pytest.raises(AllocationRefused) as refused:
        allocate(method, secret, trial="DEMO", past=[], factors={"sex": "F"})
    assert str(refused.value) == "factors.cd4: no level; give every factor that the method balances"
    with pytest.raises(AllocationRefused) as refused:
        allocate(method, secret, trial="DEMO", stratum="sex=F", past=[], factors={"sex": "F", "cd4": "low"})
    assert str(refused.value) == (
        "stratum = sex=F: minimisation runs over the whole trial; "
        "give the stratifying factors to minimisation as factors"
    )


def test_what_is_handed_in_is_not_kept(two_arms, secret):
    factors = {"sex": "F"}
    allocated = allocate(two_arms("minimisation", factors=["sex"]), secret, trial="DEMO", past=[], factors=factors)
    factors["sex"] = "M"
    assert dict(allocated.factors) == {"sex": "F"}
    with pytest.raises(TypeError):
        allocated.factors["sex"] = "M"


def test_strata_are_named_by_their_levels_in_any_order():
    assert stratum_of({"sex": "F", "cd4": "low"}) == stratum_of({"cd4": "low", "sex": "F"}) == "cd4=low|sex=F"
    assert stratum_of({}) == ""


@pytest.mark.parametrize(
    ("levels", "text"),
    [
        ({"sex": "F|cd4=low"}, "strata.sex = F|cd4=low: holds = or |; use a code without these two signs"),
        ({"a=b": "c"}, "strata.a=b = c: holds = or |; use a code without these two signs"),
        ({"sex": ""}, "strata.sex = : not a text; write a text of at least one character"),
        ({"sex": "F\0"}, r"strata.sex = F\x00: holds a character that does not show; take it out"),
    ],
)
def test_levels_that_could_pass_for_another_stratum_are_refused(levels, text):
    with pytest.raises(AllocationRefused) as refused:
        stratum_of(levels)
    assert str(refused.value) == text
