"""The table a trial's designers choose a method by."""

from collections.abc import Iterable
from dataclasses import dataclass

from equipoise.randomisation.design_properties import properties_of
from equipoise.randomisation.methods import Method
from equipoise.randomisation.parsing import parse_method

OPEN_LABEL_NOTE = (
    "In an open-label trial at one site the past arms are known. Whoever guesses the arm that is behind is right as "
    "often as the column of correct guesses says; forced allocations are known beforehand with certainty. More "
    "balance costs more of both."
)

_TWO_ARMS: tuple[tuple[str, ...], dict[str, int]] = (("A", "B"), {"A": 1, "B": 1})
USUAL_METHODS: tuple[Method, ...] = (
    parse_method("simple", *_TWO_ARMS),
    parse_method("wei_urn", *_TWO_ARMS),
    parse_method("biased_coin", *_TWO_ARMS),
    parse_method("big_stick", *_TWO_ARMS),
    parse_method("maximal_procedure", *_TWO_ARMS),
    parse_method("permuted_blocks", *_TWO_ARMS, block_sizes=[4, 6]),
    parse_method("permuted_blocks", *_TWO_ARMS, block_size=4),
    parse_method("random_allocation_rule", *_TWO_ARMS),
)
"""One of each kind for two arms 1:1, with its usual parameters."""


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One method's line of the table; numbers as doubles, for printing."""

    method: str
    probability_balanced: float
    imbalance_sd: float  # participants
    imbalance: int  # k of the next column
    probability_imbalance_at_least: float  # P(|D| >= k)
    expected_correct_guesses: float  # of n
    expected_forced: float  # of n
    exact: bool
    guesses_error: float | None  # Monte Carlo standard error of the guesses; None when exact


def compare(n: int, methods: Iterable[Method] | None = None, *, imbalance: int = 6) -> tuple[MethodRow, ...]:
    """Balance and predictability of methods for n participants, one row each, in the order given.

    Args:
        n: participants in one sequence.
        methods: for two arms 1:1; when not given, those of `USUAL_METHODS` that can run n places.
        imbalance: which difference between the arms counts as bad luck.

    Raises:
        MethodRefused: when a method or n cannot be run.
    """
    if methods is None:
        methods = [method for method in USUAL_METHODS if n % 2 == 0 or not method.needs_number]
    return tuple(_row(method, n, imbalance) for method in methods)


def _row(method: Method, n: int, imbalance: int) -> MethodRow:
    found = properties_of(method, n)
    error = found.simulation_error
    return MethodRow(
        method=found.method,
        probability_balanced=float(found.probability_balanced),
        imbalance_sd=found.imbalance_sd,
        imbalance=imbalance,
        probability_imbalance_at_least=float(found.probability_imbalance_at_least(imbalance)),
        expected_correct_guesses=float(found.expected_correct_guesses),
        expected_forced=float(found.expected_forced),
        exact=found.exact,
        guesses_error=None if error is None else error.expected_correct_guesses,
    )
