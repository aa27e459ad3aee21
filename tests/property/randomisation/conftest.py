"""Plain versions to hold the room against: textbook probabilities, one sequence at a time, in fractions."""

import itertools
from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

import pytest


def chance_of_a(name, parameters, past) -> Fraction:
    """P(next is A) as the textbooks write it, for two arms; past is a text of A and B."""
    difference = past.count("A") - past.count("B")
    if name == "biased_coin":
        p = Fraction(parameters["p"])
        return Fraction(1, 2) if difference == 0 else (p if difference < 0 else 1 - p)
    if name == "wei_urn":
        a, b = parameters["alpha"], parameters["beta"]
        total = 2 * a + b * len(past)
        return Fraction(a + b * past.count("B"), total) if total else Fraction(1, 2)
    if name == "big_stick":
        if abs(difference) < parameters["mti"]:
            return Fraction(1, 2)
        return Fraction(int(difference < 0))
    assert name == "simple"
    return Fraction(1, 2)


def is_admissible(name, parameters, arms) -> bool:
    """Whether a whole sequence is one of those that the method draws from evenly."""
    if arms.count("A") != arms.count("B"):
        return False
    ahead = [arms[:j].count("A") - arms[:j].count("B") for j in range(len(arms) + 1)]
    return name == "random_allocation_rule" or max(map(abs, ahead)) <= parameters["mti"]


def of_blocks(sizes, n) -> Iterator[tuple[str, Fraction]]:
    """Every sequence of n places cut from permuted blocks of random size, with its probability, in parts."""
    if n <= 0:
        yield "", Fraction(1)
        return
    for size in sizes:
        blocks = {"".join(block) for block in itertools.permutations("A" * (size // 2) + "B" * (size // 2))}
        for block in sorted(blocks):
            for rest, chance in of_blocks(sizes, n - size):
                yield (block + rest)[:n], chance / len(sizes) / len(blocks)


def sequence_chances(name, parameters, n) -> dict[str, Fraction]:
    """Every possible sequence of n places with its probability."""
    everything = ["".join(arms) for arms in itertools.product("AB", repeat=n)]
    if name == "permuted_blocks":
        chances = dict.fromkeys(everything, Fraction(0))
        for arms, chance in of_blocks(parameters["block_sizes"], n):
            chances[arms] += chance
    elif name in ("random_allocation_rule", "maximal_procedure"):
        admissible = [arms for arms in everything if is_admissible(name, parameters, arms)]
        chances = dict.fromkeys(admissible, Fraction(1, len(admissible)))
    else:
        chances = {}
        for arms in everything:
            chance = Fraction(1)
            for place, arm in enumerate(arms):
                of_a = chance_of_a(name, parameters, arms[:place])
                chance *= of_a if arm == "A" else 1 - of_a
            chances[arms] = chance
    return {arms: chance for arms, chance in chances.items() if chance}


def plain_properties(chances) -> dict[str, Fraction]:
    """The definitions of docs/methods/randomisation.md, summed over sequences and prefixes."""
    n = len(next(iter(chances)))
    prefixes: dict[str, Fraction] = {}
    for arms, chance in chances.items():
        for place in range(n + 1):
            prefixes[arms[:place]] = prefixes.get(arms[:place], Fraction(0)) + chance
    guesses, forced = Fraction(0), Fraction(0)
    for past, chance in prefixes.items():
        if len(past) < n:
            ahead = past.count("A") - past.count("B")
            next_a = prefixes.get(past + "A", Fraction(0))
            next_b = prefixes.get(past + "B", Fraction(0))
            guesses += chance / 2 if ahead == 0 else (next_a if ahead < 0 else next_b)
            forced += chance if 0 in (next_a, next_b) else 0
    ends = {arms: abs(arms.count("A") - arms.count("B")) for arms in chances}
    return {
        "balanced": sum(chance for arms, chance in chances.items() if ends[arms] == 0),
        "variance": sum(chance * ends[arms] ** 2 for arms, chance in chances.items()),
        "at_least_two": sum(chance for arms, chance in chances.items() if ends[arms] >= 2),
        "guesses": guesses,
        "forced": forced,
    }


def minimised_chances(factors_of_each, arms, parameters) -> dict[str, float]:
    """Every sequence of arms under Pocock and Simon's rule with ties broken by every order, in floats."""
    chances = {"": 1.0}
    for place, newcomer in enumerate(factors_of_each):
        following: dict[str, float] = {}
        for past, chance in chances.items():
            for arm, share in minimised_shares(newcomer, factors_of_each[:place], past, arms, parameters).items():
                following[past + arm] = following.get(past + arm, 0.0) + chance * share
        chances = following
    return chances


def minimised_shares(newcomer, earlier, past, arms, parameters) -> dict[str, float]:
    scores = {}
    for tried in arms:
        scores[tried] = 0.0
        for factor, weight in parameters["weights"].items():
            given = [arm for arm, other in zip(past, earlier, strict=True) if other[factor] == newcomer[factor]]
            counts = [[*given, tried].count(arm) for arm in arms]
            mean = sum(counts) / len(counts)
            variance = sum((count - mean) ** 2 for count in counts) / len(counts)
            measures = {"range": max(counts) - min(counts), "variance": variance, "sd": sqrt(variance)}
            scores[tried] += weight * measures[parameters["imbalance"]]
    p, shares = float(Fraction(parameters["p"])), dict.fromkeys(arms, 0.0)
    orders = [
        order
        for order in itertools.permutations(arms)
        if all(scores[a] <= scores[b] + 1e-9 for a, b in itertools.pairwise(order))
    ]
    for order in orders:
        for rank, arm in enumerate(order):
            shares[arm] += (p if rank == 0 else (1 - p) / (len(arms) - 1)) / len(orders)
    return shares


@pytest.fixture(scope="session")
def plain():
    """The plain versions: `plain.sequence_chances`, `plain.properties`, `plain.minimised_chances`."""

    class Plain:
        sequence_chances = staticmethod(sequence_chances)
        properties = staticmethod(plain_properties)
        minimised_chances = staticmethod(minimised_chances)

    return Plain
