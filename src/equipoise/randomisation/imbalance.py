"""The imbalance that minimisation weighs, in whole numbers so that a tie is a tie."""

from collections.abc import Sequence
from enum import Enum
from math import isqrt

ROOT_BITS = 256  # binary places kept of a square root: see `_spread`


class Imbalance(Enum):
    """How far the arms' counts at one factor level lie apart (Pocock and Simon 1975, section 3.2)."""

    RANGE = "range"
    SD = "sd"
    VARIANCE = "variance"


def imbalance_if(arm: int, counts: Sequence[Sequence[int]], weights: Sequence[int], measure: Imbalance) -> int:
    """The weighted sum of imbalances over the factors, were the next participant given this arm.

    Args:
        arm: the arm tried, as its place in the arms.
        counts: for each factor, participants of each arm at the newcomer's level; shape (factors, arms).
        weights: one whole number a factor.
        measure: how the counts of one level are compared.

    Returns:
        A whole number that orders the arms; its unit differs by measure. For `SD` square roots are cut at
        `ROOT_BITS` binary places after their square factors are taken out, so equal sums give equal numbers.

    Source:
        Pocock and Simon (1975), Biometrics 31:103-115.
    """
    return sum(
        weight * _spread([number + (index == arm) for index, number in enumerate(level)], measure)
        for level, weight in zip(counts, weights, strict=True)
    )


def _spread(counts: Sequence[int], measure: Imbalance) -> int:
    if measure is Imbalance.RANGE:
        return max(counts) - min(counts)
    scaled_variance = len(counts) * sum(number * number for number in counts) - sum(counts) ** 2
    return scaled_variance if measure is Imbalance.VARIANCE else _root(scaled_variance)


def _root(value: int) -> int:
    """The square root times 2**ROOT_BITS, cut: s * floor(sqrt(d)) for value = s * s * d with d free of squares."""
    side, rest, factor = 1, value, 2
    while factor * factor <= rest:
        while rest % (factor * factor) == 0:
            rest //= factor * factor
            side *= factor
        factor += 1
    return side * isqrt(rest << (2 * ROOT_BITS))
