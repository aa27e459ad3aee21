"""What a method does to balance and to predictability, worked out before anybody is randomised.

For methods with a sequence the whole distribution is followed place by place (exact fractions up to
`LARGEST_EXACT_NUMBER` participants, doubles beyond); minimisation, whose state is too large, is simulated.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from equipoise.randomisation.following import Probability, follow
from equipoise.randomisation.methods import Method, Minimisation, SequenceMethod
from equipoise.randomisation.parsing import LARGEST_PLANNED_NUMBER, parse_method, with_planned_number
from equipoise.randomisation.refusing import MethodRefused
from equipoise.randomisation.simulation import simulate_minimisation

LARGEST_EXACT_NUMBER = 200
LEAST_RUNS = 100


@dataclass(frozen=True, slots=True)
class SimulationError:
    """Monte Carlo standard errors of simulated properties, in the units of what they belong to."""

    runs: int
    probability_balanced: float
    imbalance_variance: float
    expected_correct_guesses: float


@dataclass(frozen=True, slots=True)
class DesignProperties:
    """Balance and predictability of a method for n participants in two equal arms.

    D is the difference between the arms' numbers at the end. Guesses follow the convergence strategy of Blackwell
    and Hodges: guess the arm that is behind, toss a coin when neither is. An allocation is forced when the method
    and the past arms leave one arm possible.
    """

    method: str
    n: int
    imbalance: tuple[tuple[int, Probability], ...]  # |D| and its probability, ascending
    imbalance_variance: Probability  # E(D^2), participants squared; E(D) = 0 by symmetry
    expected_correct_guesses: Probability  # of n
    expected_forced: Probability  # of n
    simulation_error: SimulationError | None  # None when exact

    @property
    def exact(self) -> bool:
        """Whether the numbers were worked out and not simulated (to rounding of doubles for large n)."""
        return self.simulation_error is None

    @property
    def probability_balanced(self) -> Probability:
        """P(D = 0); 0 for odd n."""
        return dict(self.imbalance).get(0, Fraction(0))

    @property
    def imbalance_sd(self) -> float:
        """Standard deviation of D, in participants."""
        return math.sqrt(self.imbalance_variance)

    def probability_imbalance_at_least(self, k: int) -> Probability:
        """P(|D| >= k).

        Args:
            k: participants.
        """
        return sum((chance for size, chance in self.imbalance if size >= k), start=Fraction(0))


def properties(
    name: str,
    n: int = 20,
    *,
    levels: Mapping[str, int] | None = None,
    runs: int = 20_000,
    seed: int = 20,
    **parameters: object,
) -> DesignProperties:
    """The properties of a method for two arms 1:1, by name and parameters as in `parse_method`.

    Args:
        name: one of `METHODS`.
        n: participants, 1 to 2000.
        levels: for minimisation, how many equally likely levels each factor has; 2 where not given.
        runs: for minimisation, simulated trials.
        seed: for minimisation, of the simulation.
        **parameters: as in `parse_method`, without n.

    Raises:
        MethodRefused: when the method or n cannot be run.
    """
    method = parse_method(name, ("A", "B"), {"A": 1, "B": 1}, **parameters)
    return properties_of(method, n, levels=levels, runs=runs, seed=seed)


def properties_of(
    method: Method, n: int, *, levels: Mapping[str, int] | None = None, runs: int = 20_000, seed: int = 20
) -> DesignProperties:
    """The properties of one stratum's sequence of n places, or of a trial of n under minimisation.

    Args:
        method: for two arms 1:1.
        n: as in `properties`.
        levels: as in `properties`.
        runs: as in `properties`.
        seed: as in `properties`.

    Raises:
        MethodRefused: when the method has more arms or another ratio, or n cannot be run.

    Source:
        Blackwell and Hodges (1957), Annals of Mathematical Statistics 28:449-460; definitions in
        docs/methods/randomisation.md.
    """
    if method.ratio != (1, 1):
        ratio = ":".join(map(str, method.ratio))
        remedy = "leave the table out for this ratio; simulate the trial instead"
        raise MethodRefused("allocation.ratio", ratio, "properties are worked out for two arms 1:1", remedy)
    if not 1 <= n <= LARGEST_PLANNED_NUMBER:
        raise MethodRefused("n", n, f"not from 1 to {LARGEST_PLANNED_NUMBER}", "give the number of participants")
    if isinstance(method, Minimisation):
        return _simulated(method, n, levels or {}, runs, seed)
    planned = with_planned_number(method, n)
    assert isinstance(planned, SequenceMethod)
    followed = follow(planned, n, exact=n <= LARGEST_EXACT_NUMBER)
    return DesignProperties(
        method=planned.described,
        n=n,
        imbalance=followed.imbalance,
        imbalance_variance=followed.variance,
        expected_correct_guesses=followed.guesses,
        expected_forced=followed.forced,
        simulation_error=None,
    )


def _simulated(method: Minimisation, n: int, levels: Mapping[str, int], runs: int, seed: int) -> DesignProperties:
    for factor, number in levels.items():
        if factor not in method.factors or number < 1:
            remedy = f"give at least one level to {', '.join(method.factors)}"
            raise MethodRefused(f"levels.{factor}", number, "not a factor's number of levels", remedy)
    if runs < LEAST_RUNS:
        raise MethodRefused("runs", runs, "too few to tell anything", f"simulate at least {LEAST_RUNS} trials")
    simulated = simulate_minimisation(method, n, [levels.get(factor, 2) for factor in method.factors], runs, seed)
    balanced = dict(simulated.imbalance).get(0, 0.0)
    return DesignProperties(
        method=method.described,
        n=n,
        imbalance=simulated.imbalance,
        imbalance_variance=simulated.variance,
        expected_correct_guesses=simulated.guesses,
        expected_forced=Fraction(0),  # p lies below 1, so that no arm is ever impossible
        simulation_error=SimulationError(
            runs=runs,
            probability_balanced=math.sqrt(balanced * (1 - balanced) / runs),
            imbalance_variance=simulated.variance_error,
            expected_correct_guesses=simulated.guesses_error,
        ),
    )
