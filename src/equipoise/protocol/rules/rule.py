"""A rule: text of the protocol that can be asked of a record or of a whole frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from equipoise.protocol.rules.checking import Checker, Problem
from equipoise.protocol.rules.evaluating import value_of
from equipoise.protocol.rules.kinds import Kind, Kinds
from equipoise.protocol.rules.operators import NAMED
from equipoise.protocol.rules.parsing import tree_of
from equipoise.protocol.rules.refused import Mismatch, RuleRefused
from equipoise.protocol.rules.tree import Aggregate, Name, Node, depth_of, nodes
from equipoise.protocol.rules.values import Record, Result, Scope
from equipoise.protocol.rules.writing import written

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read; made by `parse_rule`.

    Args:
        text: as it stands in the protocol; rules are equal when their texts are.
        tree: its meaning.
    """

    text: str
    tree: Node = field(compare=False, repr=False)

    def __str__(self) -> str:
        """The rule in its plainest writing: single spaces, brackets only where they are needed."""
        return written(self.tree)

    @property
    def names(self) -> frozenset[str]:
        """The names that it reads, such as `screen.cd4`; of a repeated group its items, `ae.grade`."""
        return frozenset(node.name for node in nodes(self.tree) if isinstance(node, Name))

    @property
    def groups(self) -> frozenset[str]:
        """The repeated groups whose rows it asks."""
        return frozenset(node.group for node in nodes(self.tree) if isinstance(node, Aggregate))

    @property
    def size(self) -> int:
        """Number of parts: names, values, signs, functions."""
        return sum(1 for _ in nodes(self.tree))

    @property
    def depth(self) -> int:
        """Levels of parts within each other; of a single name 1."""
        return depth_of(self.tree)

    def evaluate(self, record: Record) -> Result:
        """The rule's value for one record; None is unknown.

        Args:
            record: values by name; None or no entry is unknown. A repeated group is a list of
                mappings under the group's name, from the item's name without the group's.

        Raises:
            RuleRefused: when the record holds values of kinds that do not go together.
        """
        try:
            value = value_of(self.tree, Scope(record))
            if isinstance(value, frozenset):
                raise Mismatch(f"{NAMED['many']} is no answer", "write 'CODE' in the name")
        except Mismatch as mismatch:
            raise RuleRefused(self.text, mismatch.problem, mismatch.remedy) from None
        return value

    def evaluate_frame(self, frame: pd.DataFrame) -> pd.Series:
        """The rule's value for every row of a frame.

        Args:
            frame: columns called as the names of the rule; a repeated group is a column of lists.

        Returns:
            One value a row, with the frame's index: `boolean` for yes or no, `Float64` for numbers,
            else `object` with None as unknown. Each is what `evaluate` gives for the row.

        Raises:
            RuleRefused: when a column is missing, or values are of kinds that do not go together.
        """
        from equipoise.protocol.rules.frames import column_of_values  # pandas only where a frame comes

        return column_of_values(self, frame)

    def holds(self, record: Record) -> bool:
        """Whether the rule is known to be true: what is unknown never passes. Raises as `evaluate`."""
        return self.evaluate(record) is True

    def check_types(self, kinds: Kinds) -> tuple[Problem, ...]:
        """What is wrong with the rule where names are of these kinds; empty when nothing is."""
        checker = Checker(kinds)
        checker.kind(self.tree)
        return tuple(sorted(set(checker.problems)))

    def kind(self, kinds: Kinds) -> Kind | None:
        """The kind of the rule's value; None when a fault keeps it from being told."""
        return Checker(kinds).kind(self.tree)

    def is_number(self, kinds: Kinds) -> bool:
        """Whether the rule gives a number, as a derived item does and a condition must not."""
        kind = self.kind(kinds)
        return kind is not None and kind.sort == "number"


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        RuleRefused: naming the column, what is wrong there, and what to write.
    """
    return Rule(text, tree_of(text))
