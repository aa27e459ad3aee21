"""Compare methods of allocation for a protocol: the one that it names beside the usual ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from equipoise.randomisation import OPEN_LABEL_NOTE, USUAL_METHODS, MethodRow, compare
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row a method for `n` participants; `chosen` is the protocol's own method."""

    n: int
    chosen: str
    rows: tuple[MethodRow, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The comparison as plain values."""
        return {"n": self.n, "chosen": self.chosen, "methods": [asdict(row) for row in self.rows], "notes": self.notes}

    def as_table(self) -> list[tuple[str, ...]]:
        """Header and rows as text."""
        least = self.rows[0].imbalance
        header = ("method", "P(balanced)", "SD of imbalance", f"P(|D| >= {least})", "correct guesses", "forced")
        return [
            header,
            *(
                (
                    row.method,
                    f"{row.probability_balanced:.4f}",
                    f"{row.imbalance_sd:.2f}",
                    f"{row.probability_imbalance_at_least:.4f}",
                    f"{row.expected_correct_guesses:.2f}",
                    f"{row.expected_forced:.2f}",
                )
                for row in self.rows
            ),
        ]


def compare_methods(protocol: Protocol, *, n: int | None = None) -> Comparison:
    """The usual methods for two equal arms and `n` participants (the protocol's planned number by default).

    Raises:
        Refusal: when the protocol has other than two arms in equal shares.
    """
    if len(protocol.arms) != 2 or len(set(protocol.allocation.ratio.values())) != 1:
        problem = "the comparison is made for two arms in equal shares"
        raise Refusal("allocation.ratio", dict(protocol.allocation.ratio), problem, "compare a 1:1 design")
    number = n or protocol.population.planned
    methods = [method for method in USUAL_METHODS if number % 2 == 0 or not method.needs_number]
    chosen = protocol.allocation.method
    notes = (
        f"{number} participants, two arms 1:1; the protocol names {chosen}. D is the difference between the arms.",
        "Correct guesses: of all allocations, by always guessing the arm that is behind. Forced: known beforehand.",
        OPEN_LABEL_NOTE,
    )
    return Comparison(number, chosen, compare(number, methods), notes)
