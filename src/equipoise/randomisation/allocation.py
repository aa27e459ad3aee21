"""Give the next arm: the one path by which participants, replays and simulations are allocated.

Pure: the past, the secret and the newcomer in, the arm out. Asking twice gives the same arm; nothing is used up.
The past is checked, since an arm that the method cannot have given means that the record is not what was run.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType

from equipoise.randomisation.drawing import Purpose, draw
from equipoise.randomisation.methods import Chances, Method, Minimisation, SequenceMethod
from equipoise.randomisation.parsing import with_planned_number
from equipoise.randomisation.refusing import AllocationRefused
from equipoise.randomisation.secret import Secret
from equipoise.randomisation.standing import Standing, standing_at_start
from equipoise.randomisation.texts import check_text

NO_FACTORS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Allocated:
    """One participant's place in a sequence. Printing it does not tell the arm."""

    number: int  # place in the stratum's sequence, from 1
    arm: str = field(repr=False)
    stratum: str = ""
    factors: Mapping[str, str] = field(default_factory=lambda: NO_FACTORS, hash=False)


@dataclass(frozen=True, slots=True)
class Place:
    """One participant still to be allocated: the stratum, and the factors that minimisation balances."""

    stratum: str = ""
    factors: Mapping[str, str] = field(default_factory=lambda: NO_FACTORS, hash=False)


def allocate(
    method: Method,
    secret: Secret,
    *,
    trial: str,
    stratum: str = "",
    past: Sequence[Allocated],
    factors: Mapping[str, str] = NO_FACTORS,
    n: int | None = None,
) -> Allocated:
    """The next participant's place and arm.

    Args:
        method: the trial's method.
        secret: the trial's secret.
        trial: the trial's code.
        stratum: the newcomer's stratum, empty when there is one sequence; always empty for minimisation.
        past: all earlier allocations of the trial, each stratum's in order; other strata's are passed over.
        factors: the newcomer's level of each factor, for minimisation.
        n: places in a stratum's sequence, for methods that need it and were set up without.

    Raises:
        AllocationRefused: when the sequence is used up, a factor is missing, minimisation is stratified, or the
            past has gaps or an arm that the method cannot have given.
        MethodRefused: when the method's number of places is missing or does not fit.
    """
    planned = with_planned_number(method, n)
    _check_stratum(planned, stratum)
    standing = _standing(planned, secret, trial, stratum)
    number = 1
    for index, allocated in enumerate(past):
        if allocated.stratum == stratum:
            _follow(standing, planned, allocated, number, f"past[{index}]")
            number += 1
    arm = _next_arm(standing, planned, secret, trial, Place(stratum, factors), number)
    return Allocated(number, planned.arms[arm], stratum, MappingProxyType(dict(factors)))


def sequence(
    method: Method, secret: Secret, *, trial: str, places: Iterable[Place], n: int | None = None
) -> tuple[Allocated, ...]:
    """All the arms that a secret gives to participants in this order, in one pass.

    The same draws as calling `allocate` for each. With another secret it is another run of the very procedure,
    as a re-randomisation test needs.

    Args:
        method: the trial's method.
        secret: the trial's secret, or any other.
        trial: the trial's code.
        places: the participants in order of allocation.
        n: places in a stratum's sequence, for methods that need it and were set up without.

    Raises:
        AllocationRefused: as `allocate`.
        MethodRefused: as `allocate`.
    """
    planned = with_planned_number(method, n)
    standings: dict[str, Standing] = {}
    numbers: dict[str, int] = {}
    allocations = []
    for place in places:
        stratum = place.stratum
        if stratum not in standings:
            _check_stratum(planned, stratum)
            standings[stratum] = _standing(planned, secret, trial, stratum)
        numbers[stratum] = numbers.get(stratum, 0) + 1
        arm = _next_arm(standings[stratum], planned, secret, trial, place, numbers[stratum])
        standings[stratum].take(arm, place.factors)
        allocations.append(Allocated(numbers[stratum], planned.arms[arm], stratum, place.factors))
    return tuple(allocations)


def stratum_of(levels: Mapping[str, str]) -> str:
    """The name of the stratum with these levels, such as `cd4=low|sex=F`; empty for no levels.

    Args:
        levels: each stratifying factor's level; their order does not matter.

    Raises:
        AllocationRefused: when a factor or level holds `=` or `|`, or could be spelled in two ways.
    """
    for factor, level in levels.items():
        check_text(f"strata.{factor}", factor, AllocationRefused)
        check_text(f"strata.{factor}", level, AllocationRefused)
        if set(factor + level) & set("=|"):
            raise AllocationRefused(f"strata.{factor}", level, "holds = or |", "use a code without these two signs")
    return "|".join(f"{factor}={levels[factor]}" for factor in sorted(levels))


def _check_stratum(method: Method, stratum: str) -> None:
    check_text("stratum", stratum, AllocationRefused, empty=True)
    if isinstance(method, Minimisation) and stratum:
        remedy = "give the stratifying factors to minimisation as factors"
        raise AllocationRefused("stratum", stratum, "minimisation runs over the whole trial", remedy)


def _standing(method: Method, secret: Secret, trial: str, stratum: str) -> Standing:
    return standing_at_start(method, _length_picker(method, secret, trial, stratum))


def _length_picker(method: Method, secret: Secret, trial: str, stratum: str) -> Callable[[int], int]:
    lengths = method.stretch_lengths if isinstance(method, SequenceMethod) else (0,)

    def pick(stretch: int) -> int:
        if len(lengths) == 1:
            return lengths[0]
        purpose = Purpose.BLOCK_SIZE
        return lengths[draw(secret, trial=trial, stratum=stratum, number=stretch, below=len(lengths), purpose=purpose)]

    return pick


def _follow(standing: Standing, method: Method, allocated: Allocated, number: int, field: str) -> None:
    """Take one earlier allocation, refusing one that the method cannot have made. The arm is not told."""
    remedy = "do not randomise; verify the trial's record first"
    if allocated.number != number:
        problem = f"place {number} of the stratum is expected here"
        raise AllocationRefused(f"{field}.number", allocated.number, problem, remedy)
    possible = dict(zip(method.arms, standing.chances(allocated.factors), strict=True))
    if not possible.get(allocated.arm):
        problem = f"an arm that {method.described} cannot have given here"
        raise AllocationRefused(f"{field}.arm", None, problem, remedy)
    standing.take(method.arms.index(allocated.arm), allocated.factors)


def _next_arm(standing: Standing, method: Method, secret: Secret, trial: str, place: Place, number: int) -> int:
    chances = standing.chances(place.factors)
    drawn = draw(secret, trial=trial, stratum=place.stratum, number=number, below=sum(chances))
    return arm_drawn(chances, drawn)


def arm_drawn(chances: Chances, drawn: int) -> int:
    """The arm whose share of 0, 1, ..., sum(chances) - 1 holds the number drawn; shares lie in arm order."""
    return next(arm for arm, end in enumerate(accumulate(chances)) if drawn < end)
