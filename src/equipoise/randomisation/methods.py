"""The methods of randomisation: frozen values, each giving the chances of the next arm as whole numbers.

A sequence method runs in *stretches* (a block; the whole sequence of n places; or one without end) and its
chances depend on the arms so far in the stretch. Minimisation looks at all past participants and their factors.
Chances (17, 3) mean 17/20 and 3/20. Symbols: docs/methods/randomisation.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from fractions import Fraction
from typing import ClassVar, Self

from equipoise.randomisation.imbalance import Imbalance, imbalance_if
from equipoise.randomisation.paths import paths_to_balance

Chances = tuple[int, ...]
Parameter = int | str | list[int | str] | dict[str, int]


@dataclass(frozen=True, slots=True)
class Method:
    """One way of allocating, with its parameters; made by `parse_method`, equal when it allocates alike."""

    name: ClassVar[str]
    arms: tuple[str, ...]
    ratio: tuple[int, ...]  # participants planned for each arm, in lowest terms

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters as plain values, fractions written as text: what the commitment covers."""
        own = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("arms", "ratio")}
        return {name: _plain(value) for name, value in own.items() if value is not None}

    @property
    def described(self) -> str:
        """The method and its parameters in words, as a table names it: `big stick, mti = 3`."""
        ratio = [] if self.is_even else [":".join(map(str, self.ratio))]
        told = [f"{name.replace('_', ' ')} = {_told(value)}" for name, value in self.parameters.items()]
        return ", ".join([self.name.replace("_", " "), *ratio, *told])

    @property
    def is_even(self) -> bool:
        """Whether every arm is planned for the same number of participants."""
        return set(self.ratio) == {1}

    @property
    def planned_number(self) -> int | None:
        """Places in a stratum's sequence; None where the method runs without end or none was given."""
        return None

    @property
    def needs_number(self) -> bool:
        """Whether the method cannot run without a planned number of places."""
        return False


@dataclass(frozen=True, slots=True)
class SequenceMethod(Method, ABC):
    """A method whose chances depend only on the arms so far in the same stratum."""

    @abstractmethod
    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """The chances of each arm at the next place, as whole numbers.

        Args:
            counts: participants of each arm so far in the stretch, in arm order.
            length: places in the stretch; 0 for a stretch without end.
        """

    @property
    def stretch_lengths(self) -> tuple[int, ...]:
        """The lengths that a stretch may have, each equally likely; (0,) for one without end."""
        return (0,)


@dataclass(frozen=True, slots=True)
class Simple(SequenceMethod):
    """Each participant independently, in the planned ratio."""

    name: ClassVar[str] = "simple"

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """The ratio, whatever came before."""
        return self.ratio


@dataclass(frozen=True, slots=True)
class PermutedBlocks(SequenceMethod):
    """Blocks that each hold the ratio exactly, every order equally likely; several sizes are chosen at random."""

    name: ClassVar[str] = "permuted_blocks"
    block_sizes: tuple[int, ...]  # ascending, each a multiple of the ratio's sum

    @property
    def stretch_lengths(self) -> tuple[int, ...]:
        """The block sizes."""
        return self.block_sizes

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """The places left for each arm in the block."""
        return _places_left(self.ratio, counts, length)


@dataclass(frozen=True, slots=True)
class PlannedMethod(SequenceMethod, ABC):
    """A method that fixes the whole sequence's balance, so that it must know its length beforehand."""

    n: int | None

    @property
    def planned_number(self) -> int | None:
        """Places in a stratum's sequence; None until one is given."""
        return self.n

    @property
    def needs_number(self) -> bool:
        """Always."""
        return True

    @property
    def stretch_lengths(self) -> tuple[int, ...]:
        """The one planned length."""
        assert self.n is not None
        return (self.n,)

    def with_number(self, n: int) -> Self:
        """The method with its planned number of places, already checked."""
        return replace(self, n=n)


@dataclass(frozen=True, slots=True)
class RandomAllocationRule(PlannedMethod):
    """All sequences of n places that hold the ratio exactly, equally likely (Lachin 1988)."""

    name: ClassVar[str] = "random_allocation_rule"

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """The places left for each arm in the sequence."""
        return _places_left(self.ratio, counts, length)


@dataclass(frozen=True, slots=True)
class BiasedCoin(SequenceMethod):
    """Efron's biased coin: the smaller arm with probability p (Efron 1971, Biometrika 58:403-417)."""

    name: ClassVar[str] = "biased_coin"
    p: Fraction

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """Even at D = 0; otherwise p for the smaller arm."""
        smaller, larger = self.p.numerator, self.p.denominator - self.p.numerator
        difference = counts[0] - counts[1]
        if difference == 0:
            return (1, 1)
        return (larger, smaller) if difference > 0 else (smaller, larger)


@dataclass(frozen=True, slots=True)
class WeiUrn(SequenceMethod):
    """Wei's urn UD(alpha, beta): beta balls of the other arm after each draw (Wei 1977, JASA 72:382-386)."""

    name: ClassVar[str] = "wei_urn"
    alpha: int
    beta: int

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """The balls of each arm; an empty urn (alpha = 0, first place) is even."""
        balls = (self.alpha + self.beta * counts[1], self.alpha + self.beta * counts[0])
        return balls if any(balls) else (1, 1)


@dataclass(frozen=True, slots=True)
class BigStick(SequenceMethod):
    """A fair coin inside |D| < mti, the smaller arm at the border (Soares and Wu 1983)."""

    name: ClassVar[str] = "big_stick"
    mti: int

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """Even inside the border, forced on it."""
        difference = counts[0] - counts[1]
        return (int(difference < self.mti), int(difference > -self.mti))


@dataclass(frozen=True, slots=True)
class MaximalProcedure(PlannedMethod):
    """All balanced sequences with |D| <= mti throughout, equally likely (Berger, Ivanova and Knoll 2003)."""

    name: ClassVar[str] = "maximal_procedure"
    mti: int

    def chances(self, counts: Sequence[int], length: int) -> Chances:
        """How many admissible sequences go on with each arm."""
        ways = paths_to_balance(length, self.mti)[length - sum(counts) - 1]
        difference = counts[0] - counts[1]
        return tuple(ways[abs(after)] if abs(after) <= self.mti else 0 for after in (difference + 1, difference - 1))


@dataclass(frozen=True, slots=True)
class Minimisation(Method):
    """Pocock and Simon's minimisation: the arm that leaves the least imbalance, with probability p."""

    name: ClassVar[str] = "minimisation"
    factors: tuple[str, ...]
    imbalance: Imbalance
    weights: tuple[tuple[str, int], ...]  # each factor's, in lowest terms
    p: Fraction

    def chances(self, counts: Sequence[Sequence[int]]) -> Chances:
        """The chances of each arm, as whole numbers.

        The arm of least imbalance has p, each other arm an equal share of 1 - p; arms tied for least share
        evenly what breaking the tie at random would give them.

        Args:
            counts: for each factor, participants of each arm at the newcomer's level; shape (factors, arms).
        """
        arms = range(len(self.arms))
        weights = [weight for _, weight in self.weights]
        scores = [imbalance_if(arm, counts, weights, self.imbalance) for arm in arms]
        tied = scores.count(min(scores))
        rest = self.p.denominator - self.p.numerator
        least = (len(scores) - 1) * self.p.numerator + (tied - 1) * rest
        return tuple(least if score == min(scores) else tied * rest for score in scores)


def _places_left(ratio: Sequence[int], counts: Sequence[int], length: int) -> Chances:
    rounds = length // sum(ratio)
    return tuple(rounds * share - taken for share, taken in zip(ratio, counts, strict=True))


def _plain(value: object) -> Parameter:
    """A parameter as JSON holds it without loss."""
    if isinstance(value, tuple):
        return dict(value) if isinstance(value[0], tuple) else list(value)
    if isinstance(value, Enum):
        return str(value.value)
    return value if isinstance(value, int) else str(value)


def _told(value: Parameter) -> str:
    if isinstance(value, dict):
        return " and ".join(f"{number} for {name}" for name, number in value.items())
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)
