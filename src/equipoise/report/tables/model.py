"""A table as a value: a caption, heads, bodies of rows, notes. One template draws every table from it."""

from __future__ import annotations

from dataclasses import dataclass, field

Text = str  # plain text is escaped on the page; a `Markup` is not


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head, or one over several columns."""

    text: Text
    span: int = 1
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its name, then its cells."""

    head: Text
    cells: tuple[Text, ...]
    strong: bool = False
    indented: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """Rows that belong together, under a title where they have one."""

    rows: tuple[Row, ...]
    title: Text = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the report.

    Args:
        id: unique on the page.
        caption: what it shows, units and intervals named.
        heads: rows of heads; the first head of each stands over the row names.
        bodies: the rows, in groups.
        notes: what must be read with it.
        wordy: columns (from 0, without the row names) that hold text and may wrap.
        listing: whether it lists records under codes rather than results under names; such a table may be long.
    """

    id: str
    caption: Text
    heads: tuple[tuple[Head, ...], ...]
    bodies: tuple[Body, ...]
    notes: tuple[Text, ...] = ()
    wordy: frozenset[int] = field(default_factory=frozenset)
    listing: bool = False

    def kind_of(self, column: int) -> str:
        """How a column's cells are set: `numeric` to the right, `text` to the left, `words` to the left and wrapped."""
        if column in self.wordy:
            return "words"
        return "numeric" if self.heads[-1][column + 1].numeric else "text"

    @property
    def columns(self) -> int:
        """How many columns, row names included."""
        return sum(head.span for head in self.heads[-1])
