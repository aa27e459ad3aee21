"""From a method's name and parameters, as a person wrote them, to a `Method`, or the whole reason why not."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

from equipoise.randomisation.imbalance import Imbalance
from equipoise.randomisation.methods import (
    BiasedCoin,
    BigStick,
    MaximalProcedure,
    Method,
    Minimisation,
    PermutedBlocks,
    PlannedMethod,
    RandomAllocationRule,
    Simple,
    WeiUrn,
)
from equipoise.randomisation.rationals import exact_fraction
from equipoise.randomisation.refusing import MethodRefused
from equipoise.randomisation.texts import check_text

LARGEST_PLANNED_NUMBER = 2_000
LARGEST_BLOCK = 100
LARGEST_MTI = 50
LARGEST_WEIGHT = 1_000_000

Given = Mapping[str, object]


def parse_method(name: str, arms: Sequence[str], ratio: Mapping[str, int], **parameters: object) -> Method:
    """The method a protocol names, checked whole.

    Args:
        name: one of `METHODS`.
        arms: the arms' codes; their order decides how draws map to arms, so keep the protocol's.
        ratio: participants planned for each arm, whole numbers; 2:2 is 1:1.
        **parameters: by method:
            `simple`: none. `permuted_blocks`: block_size=4, or block_sizes=[4, 6] chosen at random.
            `random_allocation_rule`: n. `biased_coin`: p="2/3". `wei_urn`: alpha=0, beta=1. `big_stick`: mti=3.
            `maximal_procedure`: n, mti=3. `minimisation`: factors, imbalance="range" | "sd" | "variance",
            weights={factor: 1}, p="0.85". n may be left out here and given to `allocate`.

    Raises:
        MethodRefused: with the field as the protocol file spells it.
    """
    if name not in _BUILDERS:
        raise MethodRefused("allocation.method", name, "not a known method", f"choose {', '.join(METHODS)}")
    known, build = _BUILDERS[name]
    for parameter, value in parameters.items():
        if parameter not in known:
            remedy = f"it takes {', '.join(known)}" if known else "it takes none"
            raise MethodRefused(f"allocation.{parameter}", value, f"{name} has no such parameter", remedy)
    codes = _arms(arms)
    return build(codes, _ratio(codes, ratio), parameters)


def with_planned_number(method: Method, n: int | None) -> Method:
    """The method with its number of places, where it needs one.

    Args:
        method: any method.
        n: places in one stratum's sequence; None when not given, ignored by methods that run without end.

    Raises:
        MethodRefused: when the method needs a number and has none, has another, or cannot run with this one.
    """
    if not isinstance(method, PlannedMethod):
        return method
    if n is None:
        if method.n is None:
            raise MethodRefused("allocation.n", None, f"{method.name} needs it", "give the number of participants")
        return method
    if method.n is not None and n != method.n:
        raise MethodRefused("allocation.n", n, f"the method was set up for {method.n}", f"give {method.n}")
    return method.with_number(_number(method.ratio, n))


def _arms(arms: Sequence[str]) -> tuple[str, ...]:
    if isinstance(arms, str) or len(arms) < 2:
        raise MethodRefused("arms", arms, "fewer than two arms", "name at least two")
    for index, arm in enumerate(arms):
        check_text(f"arms[{index}]", arm, MethodRefused)
        if arm in arms[:index]:
            raise MethodRefused(f"arms[{index}]", arm, "named twice", "give each arm a code of its own")
    return tuple(arms)


def _ratio(arms: tuple[str, ...], ratio: Mapping[str, int]) -> tuple[int, ...]:
    for arm in ratio:
        if arm not in arms:
            raise MethodRefused(f"allocation.ratio.{arm}", ratio[arm], "not an arm", f"use {', '.join(arms)}")
    for arm in arms:
        if arm not in ratio:
            raise MethodRefused(f"allocation.ratio.{arm}", None, "missing", "give each arm a whole number")
    shares = [_whole(f"allocation.ratio.{arm}", ratio[arm], 1, LARGEST_BLOCK) for arm in arms]
    return tuple(share // gcd(*shares) for share in shares)


def _whole(field: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise MethodRefused(field, value, f"not a whole number from {least} to {most}", "write one")
    return value


def _only_two_even_arms(name: str, arms: tuple[str, ...], ratio: tuple[int, ...]) -> None:
    if len(arms) != 2:
        raise MethodRefused(
            "allocation.method",
            name,
            f"made for two arms, not {len(arms)}",
            "choose simple, permuted_blocks, random_allocation_rule or minimisation",
        )
    if set(ratio) != {1}:
        raise MethodRefused(
            "allocation.ratio",
            ":".join(map(str, ratio)),
            f"{name} is made for 1:1",
            "choose simple, permuted_blocks or random_allocation_rule for an unequal ratio",
        )


def _simple(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    return Simple(arms, ratio)


def _permuted_blocks(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    if "block_size" in given and "block_sizes" in given:
        raise MethodRefused("allocation.block_size", given["block_size"], "given beside block_sizes", "keep one")
    if "block_sizes" not in given:
        return PermutedBlocks(arms, ratio, (_block(ratio, "allocation.block_size", given.get("block_size", 4)),))
    sizes = given["block_sizes"]
    if not isinstance(sizes, (list, tuple)) or not sizes:
        raise MethodRefused("allocation.block_sizes", sizes, "not a list of sizes", "write a list, as [4, 6]")
    checked = [_block(ratio, f"allocation.block_sizes[{index}]", size) for index, size in enumerate(sizes)]
    if len(set(checked)) < len(checked):
        raise MethodRefused("allocation.block_sizes", sizes, "a size stands twice", "name each size once")
    return PermutedBlocks(arms, ratio, tuple(sorted(checked)))


def _block(ratio: tuple[int, ...], field: str, value: object) -> int:
    size = _whole(field, value, 2, LARGEST_BLOCK)
    return _multiple(ratio, field, size)


def _multiple(ratio: tuple[int, ...], field: str, value: int) -> int:
    if value % sum(ratio):
        written = ":".join(map(str, ratio))
        remedy = f"choose a multiple of {sum(ratio)}"
        raise MethodRefused(field, value, f"cannot hold the ratio {written} exactly", remedy)
    return value


def _number(ratio: tuple[int, ...], value: object) -> int:
    return _multiple(ratio, "allocation.n", _whole("allocation.n", value, 2, LARGEST_PLANNED_NUMBER))


def _planned(ratio: tuple[int, ...], given: Given) -> int | None:
    return None if given.get("n") is None else _number(ratio, given["n"])


def _random_allocation_rule(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    return RandomAllocationRule(arms, ratio, _planned(ratio, given))


def _biased_coin(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    _only_two_even_arms(BiasedCoin.name, arms, ratio)
    p = exact_fraction("allocation.p", given.get("p", "2/3"))
    if not Fraction(1, 2) <= p < 1:
        raise MethodRefused("allocation.p", given["p"], "not from 1/2 to below 1", "choose 2/3, as Efron did")
    return BiasedCoin(arms, ratio, p)


def _wei_urn(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    _only_two_even_arms(WeiUrn.name, arms, ratio)
    alpha = _whole("allocation.alpha", given.get("alpha", 0), 0, LARGEST_WEIGHT)
    return WeiUrn(arms, ratio, alpha, _whole("allocation.beta", given.get("beta", 1), 1, LARGEST_WEIGHT))


def _mti(given: Given) -> int:
    return _whole("allocation.mti", given.get("mti", 3), 1, LARGEST_MTI)


def _big_stick(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    _only_two_even_arms(BigStick.name, arms, ratio)
    return BigStick(arms, ratio, _mti(given))


def _maximal_procedure(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    _only_two_even_arms(MaximalProcedure.name, arms, ratio)
    return MaximalProcedure(arms, ratio, _planned(ratio, given), _mti(given))


def _minimisation(arms: tuple[str, ...], ratio: tuple[int, ...], given: Given) -> Method:
    if set(ratio) != {1}:
        raise MethodRefused(
            "allocation.ratio",
            ":".join(map(str, ratio)),
            "minimisation in an unequal ratio can give participants unequal chances of an arm, which biases the "
            "comparison (Kaiser 2012)",
            "plan equal arms, or choose simple, permuted_blocks or random_allocation_rule",
        )
    factors = _factors(given.get("factors"))
    p = exact_fraction("allocation.p", given.get("p", "0.85"))
    if not Fraction(1, len(arms)) < p < 1:
        problem = f"not above 1/{len(arms)} and below 1"
        raise MethodRefused("allocation.p", given["p"], problem, "choose 0.85, say; at 1 nearly all is predictable")
    return Minimisation(arms, ratio, factors, _measure(given), _weights(factors, given.get("weights")), p)


def _factors(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise MethodRefused("allocation.factors", value, "no list of factors to balance", "name at least one")
    for index, factor in enumerate(value):
        check_text(f"allocation.factors[{index}]", factor, MethodRefused)
        if factor in value[:index]:
            raise MethodRefused(f"allocation.factors[{index}]", factor, "named twice", "name each factor once")
    return tuple(value)


def _measure(given: Given) -> Imbalance:
    value = given.get("imbalance", "range")
    for measure in Imbalance:
        if value in (measure, measure.value):
            return measure
    raise MethodRefused("allocation.imbalance", value, "not a known measure", "choose range, sd or variance")


def _weights(factors: tuple[str, ...], value: object) -> tuple[tuple[str, int], ...]:
    written = {} if value is None else value
    if not isinstance(written, Mapping):
        raise MethodRefused("allocation.weights", value, "not a weight for each factor", "write factor: weight")
    for factor in written:
        if factor not in factors:
            remedy = f"weigh {', '.join(factors)}"
            raise MethodRefused(f"allocation.weights.{factor}", written[factor], "not one of the factors", remedy)
    weights = [_positive(f"allocation.weights.{factor}", written.get(factor, 1)) for factor in factors]
    scale = lcm(*(weight.denominator for weight in weights))
    whole = [int(weight * scale) for weight in weights]
    if max(whole) > LARGEST_WEIGHT:
        remedy = f"write whole numbers up to {LARGEST_WEIGHT}"
        raise MethodRefused("allocation.weights", value, "too fine together", remedy)
    return tuple((factor, weight // gcd(*whole)) for factor, weight in zip(factors, whole, strict=True))


def _positive(field: str, value: object) -> Fraction:
    weight = exact_fraction(field, value)
    if weight <= 0:
        raise MethodRefused(field, value, "not above 0", "give a positive weight, or leave the factor out")
    return weight


Builder = Callable[[tuple[str, ...], tuple[int, ...], Given], Method]

_BUILDERS: dict[str, tuple[tuple[str, ...], Builder]] = {
    Simple.name: ((), _simple),
    PermutedBlocks.name: (("block_size", "block_sizes"), _permuted_blocks),
    RandomAllocationRule.name: (("n",), _random_allocation_rule),
    BiasedCoin.name: (("p",), _biased_coin),
    WeiUrn.name: (("alpha", "beta"), _wei_urn),
    BigStick.name: (("mti",), _big_stick),
    MaximalProcedure.name: (("n", "mti"), _maximal_procedure),
    Minimisation.name: (("factors", "imbalance", "weights", "p"), _minimisation),
}

METHODS = tuple(_BUILDERS)
"""The names `parse_method` knows."""
