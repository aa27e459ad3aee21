"""Re-randomisation tests: the trial's own procedure, drawn again, is the reference distribution.

The statistic is computed once as the arms were allocated and once for each re-drawn allocation; nothing is
assumed of the outcome. Equations: docs/methods/rerandomisation.md.
Terms: *allocation* (an arm for each participant), *shift* (what the second arm adds to the outcome).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.refusals import BadSample, check_level
from equipoise.stats.samples import Vector
from equipoise.stats.shift_intervals import arm_codes, changing_shifts, searched_limit, shift_limits

Codes: TypeAlias = NDArray[Any]
Statistic: TypeAlias = Callable[[Codes], ArrayLike]
OutcomeStatistic: TypeAlias = Callable[[Vector, Codes], ArrayLike]
Allocations: TypeAlias = "Codes | Iterable[Codes] | Callable[[], Iterable[Codes]]"
TIE = 1e-10  # relative; the same statistic summed in another order differs by less
ROWS_AT_A_TIME = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Rerandomisation:
    """A re-randomisation test.

    `null_distribution` (R,) holds the statistic of each re-drawn allocation. `mc_error` is the standard
    error of a Monte Carlo P, zero for an exact one. `conf_low` and `conf_high` are None unless the outcome was
    given; they may be infinite where the allocations are too few to exclude anything.
    """

    statistic: float
    p_value: float
    n_draws: int
    mc_error: float
    conf_low: float | None
    conf_high: float | None
    level: float
    null_distribution: Vector
    exact: bool
    method: str


@dataclass(frozen=True, slots=True)
class ShiftInterval:
    """The shifts between the arms that a re-randomisation test does not reject, in the outcome's units."""

    estimate: float
    conf_low: float
    conf_high: float
    level: float
    n_draws: int
    method: str


def rerandomisation(
    statistic: Statistic,
    allocations: Allocations,
    observed: ArrayLike,
    *,
    exact: bool = False,
    probabilities: ArrayLike | None = None,
    outcome: ArrayLike | None = None,
    level: float = 0.95,
) -> Rerandomisation:
    """Test that the arm makes no difference, by allocations re-drawn from the trial's own procedure.

    Args:
        statistic: takes arm codes (r, n) and returns (r,); its distance from zero, either way, counts.
        allocations: (R, n) arm codes, or an iterable of such blocks, or a function that returns one.
        observed: (n,), the arms as they were allocated.
        exact: whether the allocations are every one the procedure can make, the observed one among them.
        probabilities: (R,), of each allocation when exact and not all alike; they must sum to one.
        outcome: (n,), for an interval of the shift by inverting the test of the difference of means.
        level: of that interval.

    Returns:
        Exact P is the probability of the allocations whose statistic is at least as far from zero; Monte Carlo P
        is (1 + their number) / (R + 1), equations (exact) and (monte-carlo).

    Raises:
        BadSample: shapes that do not agree, a statistic that is not finite, or probabilities that do not sum to one.

    Source:
        Rosenberger and Lachin (2016), Randomization in Clinical Trials, chapter 6; Ernst (2004), Statistical
        Science 19:676-685; Phipson and Smyth (2010), Statistical Applications in Genetics 9:39.
    """
    check_level(level)
    arms = np.asarray(observed)
    drawn = np.concatenate(list(checked_blocks(allocations, arms)))
    here = evaluate(statistic, arms[np.newaxis])[0]
    null = np.concatenate(
        [evaluate(statistic, drawn[at : at + ROWS_AT_A_TIME]) for at in range(0, len(drawn), ROWS_AT_A_TIME)]
    )
    mass = masses(probabilities, len(null), exact=exact)
    check_listed(drawn, arms, exact=exact)
    far = np.abs(null) >= abs(here) - TIE * max(abs(here), float(np.abs(null).max()))
    p_value = 1.0 if far.all() else min(1.0, float(mass[far].sum()) + (0.0 if exact else 1 / (len(null) + 1)))
    interval = None
    if outcome is not None:
        interval = rerandomisation_interval(outcome, drawn, arms, exact=exact, probabilities=probabilities, level=level)
    return Rerandomisation(
        float(here),
        p_value,
        len(null),
        0.0 if exact else float(np.sqrt(p_value * (1 - p_value) / (len(null) + 1))),
        None if interval is None else interval.conf_low,
        None if interval is None else interval.conf_high,
        level,
        null,
        exact,
        sentence(len(null), exact=exact),
    )


def rerandomisation_interval(
    outcome: ArrayLike,
    allocations: Allocations,
    observed: ArrayLike,
    *,
    statistic: OutcomeStatistic | None = None,
    exact: bool = False,
    probabilities: ArrayLike | None = None,
    level: float = 0.95,
) -> ShiftInterval:
    """The shifts between two arms that one-sided re-randomisation tests at half the error do not reject.

    Args:
        outcome: (n,), every participant's.
        allocations: as for `rerandomisation`.
        observed: (n,), the arms as allocated; the shift is what the second code in sorted order adds.
        statistic: takes the outcome (n,), centred, and codes of 0 and 1 (r, n), returns (r,), larger where code 1
            has larger outcomes; None is the difference of means, whose limits need no search.
        exact: whether the allocations are all there are.
        probabilities: of each allocation when exact and not all alike.
        level: of the interval.

    Raises:
        BadSample: more than two arms, an allocation of everyone to one arm, or an outcome that is missing.

    Source:
        Ernst (2004), Statistical Science 19:676-685, section 3; equation (changing) in
        docs/methods/rerandomisation.md.
    """
    check_level(level)
    arms = np.asarray(observed)
    drawn = np.concatenate(list(checked_blocks(allocations, arms)))
    values = known_outcome(outcome, arms.size)
    codes, treated = arm_codes(drawn, arms)
    mass = masses(probabilities, len(codes), exact=exact)
    check_listed(drawn, arms, exact=exact)
    always = 0.0 if exact else 1 / (len(codes) + 1)
    tail = (1 - level) / 2
    estimate = float(values[treated == 1].mean() - values[treated == 0].mean())
    if statistic is None:
        shifts, moves = changing_shifts(values, codes, treated)
        low, high = shift_limits(shifts, moves, mass, always, tail)
    else:
        low, high = searched_limits(statistic, values, codes, treated, mass, always, tail, estimate)
    how = "difference of means" if statistic is None else "statistic given"
    return ShiftInterval(
        estimate, low, high, level, len(codes), f"{sentence(len(codes), exact=exact)}; interval by inverting the {how}"
    )


def searched_limits(
    statistic: OutcomeStatistic,
    outcome: Vector,
    codes: Codes,
    treated: Vector,
    mass: Vector,
    always: float,
    tail: float,
    estimate: float,
) -> tuple[float, float]:
    """Both limits of the shift for any statistic, searched outwards from the difference of means."""

    def rejected(shift: float, side: int) -> bool:
        moved = outcome - shift * treated
        here = evaluate(lambda block: statistic(moved, block), treated[np.newaxis])[0]
        null = evaluate(lambda block: statistic(moved, block), codes)
        margin = TIE * max(abs(here), float(np.abs(null).max()))
        beyond = null >= here - margin if side < 0 else null <= here + margin
        return always + float(mass[beyond].sum()) <= tail * (1 + TIE)

    step = float(outcome.std()) / np.sqrt(outcome.size)
    low = searched_limit(lambda shift: rejected(shift, -1), estimate, step, -1)
    high = searched_limit(lambda shift: rejected(shift, 1), estimate, step, 1)
    return float(low), float(high)


def checked_blocks(allocations: Allocations, observed: Codes) -> Iterator[Codes]:
    """The allocations in blocks (r, n).

    Raises:
        BadSample: no allocation, or rows that are not as long as the observed one.
    """
    if observed.ndim != 1 or not observed.size:
        raise BadSample("observed", observed.shape, "is not one code a participant", "give one sequence of arm codes")
    source = allocations() if callable(allocations) else allocations
    if not isinstance(source, Iterable):
        raise BadSample("allocations", source, "are no sequences of arm codes", "give an array (R, n) or blocks of it")
    rows = 0
    for block in [source] if isinstance(source, np.ndarray) else source:
        codes = np.atleast_2d(np.asarray(block))
        if codes.ndim != 2 or codes.shape[1] != observed.size:
            raise BadSample(
                "allocations",
                codes.shape,
                f"does not give a code to each of {observed.size} participants",
                "check both",
            )
        rows += len(codes)
        yield codes
    if not rows:
        raise BadSample("allocations", None, "holds no allocation", "draw at least some thousands")


def evaluate(statistic: Statistic, codes: Codes) -> Vector:
    """The statistic of each row of codes.

    Raises:
        BadSample: no function, a result of another shape, or one that is not finite.
    """
    if not callable(statistic):
        raise BadSample("statistic", statistic, "is not a function", "give one that takes codes (r, n), returns (r,)")
    values = np.asarray(statistic(codes), dtype=np.float64)
    if values.shape != (len(codes),):
        raise BadSample("statistic", values.shape, f"is not one number for each of {len(codes)} rows", "return (r,)")
    if not np.isfinite(values).all():
        raise BadSample(
            "statistic",
            None,
            f"is not finite for {int((~np.isfinite(values)).sum())} allocations",
            "give a value to allocations that leave an arm empty, or draw given that none is",
        )
    return values


def masses(probabilities: ArrayLike | None, n: int, *, exact: bool) -> Vector:
    """(R,), what each allocation counts for.

    Raises:
        BadSample: probabilities without `exact`, of the wrong number, negative, or that do not sum to one.
    """
    if probabilities is None:
        return np.full(n, 1 / n if exact else 1 / (n + 1))
    given = np.asarray(probabilities, dtype=np.float64)
    if not exact:
        raise BadSample("probabilities", None, "are for a complete list of allocations", "give exact=True")
    if given.shape != (n,) or not (given >= 0).all() or abs(given.sum() - 1) > 1e-9:
        raise BadSample("probabilities", None, f"are not {n} probabilities that sum to one", "check the list")
    return given


def check_listed(drawn: Codes, observed: Codes, *, exact: bool) -> None:
    """Refuse a list said to be complete that lacks the allocation that was made."""
    if exact and not (drawn == observed).all(axis=1).any():
        raise BadSample(
            "allocations", None, "do not hold the observed allocation", "list every one, or give exact=False"
        )


def known_outcome(outcome: ArrayLike, n: int) -> Vector:
    """The outcome, centred; refused unless every participant has one and they are not all alike."""
    try:
        values = np.asarray(outcome, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample("outcome", None, "holds something that is not a number", "give numbers") from None
    if values.shape != (n,) or not np.isfinite(values).all():
        raise BadSample("outcome", None, f"is not {n} finite numbers", "leave out participants without an outcome")
    if values.min() == values.max():
        raise BadSample("outcome", float(values[0]), "is the value of every participant", "there is nothing to compare")
    return np.asarray(values - values.mean())


def sentence(n: int, *, exact: bool) -> str:
    """What was done, in one sentence for the report."""
    if exact:
        return f"Re-randomisation test over all {n} allocations of the trial's procedure (Rosenberger and Lachin 2016)"
    return (
        f"Re-randomisation test over {n} allocations drawn again from the trial's procedure, the observed one "
        "counted among them (Rosenberger and Lachin 2016; Phipson and Smyth 2010)"
    )
