"""Where a sequence stands: what the past says about the chances of the next arm.

Private to the room. A standing takes arms one by one and keeps only the counts that the method needs, so that a
whole sequence is replayed in one pass.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from equipoise.randomisation.methods import Chances, Method, Minimisation, PlannedMethod, SequenceMethod
from equipoise.randomisation.refusing import AllocationRefused

Factors = Mapping[str, str]


class Standing(ABC):
    """The past of one sequence, as far as its method looks at it."""

    @abstractmethod
    def chances(self, factors: Factors) -> Chances:
        """The chances of each arm for a newcomer with these factors."""

    @abstractmethod
    def take(self, arm: int, factors: Factors) -> None:
        """Count a participant who was given this arm."""


class SequenceStanding(Standing):
    """The stretch that the next place lies in, and the arms in it so far."""

    def __init__(self, method: SequenceMethod, pick_length: Callable[[int], int]) -> None:
        """Stand before the first place.

        Args:
            method: with its number of places, where it needs one.
            pick_length: from a stretch's number (from 1) to its length.
        """
        self._method = method
        self._pick_length = pick_length
        self._stretch = 1
        self._length = pick_length(1)
        self._counts = [0] * len(method.arms)

    def chances(self, factors: Factors) -> Chances:
        """The chances of each arm at the next place; the factors play no part."""
        if self._length and sum(self._counts) == self._length:
            self._open_next_stretch()
        return self._method.chances(self._counts, self._length)

    def take(self, arm: int, factors: Factors) -> None:
        """Count one more of this arm."""
        self._counts[arm] += 1

    def _open_next_stretch(self) -> None:
        if isinstance(self._method, PlannedMethod):
            remedy = "stop randomising here, or amend the protocol with a sequence of its own for those to come"
            raise AllocationRefused("allocation.n", self._method.n, "all places of the sequence are used", remedy)
        self._stretch += 1
        self._length = self._pick_length(self._stretch)
        self._counts = [0] * len(self._counts)


class MinimisationStanding(Standing):
    """Participants of each arm at each level of each factor."""

    def __init__(self, method: Minimisation) -> None:
        """Stand before the first participant."""
        self._method = method
        self._counts: dict[tuple[str, str], list[int]] = {}

    def chances(self, factors: Factors) -> Chances:
        """The chances of each arm for a newcomer with these factors."""
        return self._method.chances([self._at(name, factors) for name in self._method.factors])

    def take(self, arm: int, factors: Factors) -> None:
        """Count the participant at each of its levels."""
        for name in self._method.factors:
            self._at(name, factors)[arm] += 1

    def _at(self, name: str, factors: Factors) -> list[int]:
        if not isinstance(factors.get(name), str):
            remedy = "give every factor that the method balances"
            raise AllocationRefused(f"factors.{name}", factors.get(name), "no level", remedy)
        return self._counts.setdefault((name, factors[name]), [0] * len(self._method.arms))


def standing_at_start(method: Method, pick_length: Callable[[int], int]) -> Standing:
    """A standing before the first place.

    Args:
        method: any method, with its number of places where it needs one.
        pick_length: from a stretch's number (from 1) to its length; not asked by minimisation.
    """
    if isinstance(method, Minimisation):
        return MinimisationStanding(method)
    assert isinstance(method, SequenceMethod)
    return SequenceStanding(method, pick_length)
