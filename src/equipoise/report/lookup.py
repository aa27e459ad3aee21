"""A number on the page, looked up by its id and marked with it, so that page and results can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from equipoise.analysis.results import Results, Row
from equipoise.report import numbers

Field = str
DASH = Markup("\N{EN DASH}")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Prints numbers of one `Results`; each stands in a `<data>` with the id, the column and the value in full."""

    results: Results

    def number(self, id: str, places: int = 0, field: Field = "estimate", unit: str | None = None) -> Markup:
        """A number with so many decimals, and its unit.

        Raises:
            KeyError: when the results have no such row: a number is never made up.
        """
        return self.of(self.results.row(id), places, field, unit)

    def of(self, row: Row, places: int = 0, field: Field = "estimate", unit: str | None = None) -> Markup:
        """As `number`, of a row at hand."""
        return _marked(row, field, lambda value: numbers.with_unit(numbers.fixed(value, places), unit))

    def p(self, row: Row) -> Markup:
        """The row's P value."""
        return _marked(row, "p_value", numbers.probability)

    def p_statement(self, row: Row) -> Markup:
        """The row's P value with its letter: `P = 0.024`."""
        return _marked(row, "p_value", numbers.p_statement)

    def degrees(self, row: Row, field: Field = "df") -> Markup:
        """The row's degrees of freedom."""
        return _marked(row, field, numbers.degrees)

    def interval(self, row: Row, places: int) -> Markup:
        """The row's interval, with the word between its limits; an open end is named."""
        if row.conf_low is None and row.conf_high is None:
            return DASH
        low = "no lower limit" if row.conf_low is None else self.of(row, places, "conf_low")
        high = "no upper limit" if row.conf_high is None else self.of(row, places, "conf_high")
        return Markup('<span class="interval">{} to {}</span>').format(low, high)

    def share(self, row: Row) -> Markup:
        """A count of how many: `3/10`, with a per cent only where enough were counted."""
        of = row.n or 0
        shown = Markup("{}/{}").format(self.of(row), self.of(row, field="n"))
        per_cent = None if row.estimate is None else numbers.per_cent(row.estimate, of)
        return shown if per_cent is None else Markup("{} ({})").format(shown, per_cent)

    def share_or_dash(self, id: str) -> Markup:
        """As `share`, of the row with this id; a dash where the results have none."""
        row = self.results.maybe(id)
        return DASH if row is None else self.share(row)

    def median_range(self, id: str, places: int) -> Markup:
        """The median of values summarised under this id with the lowest and highest: `101 (70 to 101)`, or a dash."""
        found = [self.results.maybe(f"{id}.{part}") for part in ("median", "lowest", "highest")]
        if any(row is None for row in found):
            return DASH
        median, low, high = (self.of(row, places) for row in found if row is not None)
        return Markup("{} ({} to {})").format(median, low, high)


def _marked(row: Row, field: Field, shown: Callable[[float | None], str]) -> Markup:
    value = getattr(row, field)
    if value is None:
        return DASH
    return Markup('<data class="number" data-id="{}" data-field="{}" value="{}">{}</data>').format(
        row.id, field, repr(value), shown(value)
    )
