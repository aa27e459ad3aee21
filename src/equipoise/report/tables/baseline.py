"""The baseline table: who was randomised, by arm and in all. It has no P values."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import BaselineRow
from equipoise.report.lookup import Lookup
from equipoise.report.numbers import DASH, places_of_summary, unit_text
from equipoise.report.tables.model import Body, Head, Row, Table

TOTAL = "total"
KINDS = {"mean": "mean (SD)", "median": "median [quartiles]", "count": "n/N"}


def baseline_table(protocol: Protocol, results: Results) -> Table | None:
    """One row for each item of the plan, or one for each of its codes; None where the plan asks for none."""
    if not results.find(analysis="baseline"):
        return None
    lookup = Lookup(results)
    groups = (*protocol.arm_ids, TOTAL)
    bodies = tuple(Body(tuple(_rows(protocol, lookup, asked, groups))) for asked in protocol.report.baseline)
    heads = (
        Head("Characteristic", numeric=False),
        *(_arm_head(lookup, f"flow.randomised.{arm.id}", arm.name) for arm in protocol.arms),
        _arm_head(lookup, "flow.randomised", "All"),
    )
    return Table("table-baseline", "Participants at baseline, as randomised", (heads,), bodies)


def _arm_head(lookup: Lookup, id: str, name: str) -> Head:
    return Head(Markup("{} (N = {})").format(name, lookup.number(id)))


def _rows(protocol: Protocol, lookup: Lookup, asked: BaselineRow, groups: Sequence[str]) -> list[Row]:
    item = protocol.items[asked.item]
    label = asked.label or item.question
    unit = unit_of(protocol, asked.item)
    title = f"{label}, {unit}" if unit else label
    if asked.summary == "count":
        rows = [Row(f"{title}, {KINDS['count']}", ("",) * len(groups))]
        rows += [_count_row(lookup, asked.item, code, text, groups) for code, text in _codes(lookup, asked.item)]
    else:
        printed = _mean if asked.summary == "mean" else _median
        places = places_of_summary(item)
        cells = tuple(printed(lookup, f"baseline.{asked.item}.{group}", places) for group in groups)
        rows = [Row(f"{title}, {KINDS[asked.summary]}", cells)]
    missing = [lookup.results.maybe(f"baseline.{asked.item}.{group}.missing") for group in groups]
    if any(row is not None for row in missing):
        rows.append(Row("not known", tuple(lookup.share(row) if row else "0" for row in missing), indented=True))
    return rows


def unit_of(protocol: Protocol, item_name: str) -> str:
    """The unit that a reader is shown: an outcome's own words for its variable, or the item's unit."""
    outcomes = (outcome.unit for outcome in protocol.outcomes if outcome.variable == item_name and outcome.unit)
    return unit_text(next(outcomes, protocol.items[item_name].unit))


def _codes(lookup: Lookup, item: str) -> list[tuple[str, str]]:
    found = lookup.results.find(analysis="baseline", outcome=item, arm=None, method="count")
    return [(row.term or "", row.label or "") for row in found if row.id.startswith(f"baseline.{item}.{TOTAL}.count.")]


def _count_row(lookup: Lookup, item: str, code: str, text: str, groups: Sequence[str]) -> Row:
    found = [lookup.results.maybe(f"baseline.{item}.{group}.count.{code}") for group in groups]
    return Row(text, tuple(lookup.share(row) if row else DASH for row in found), indented=True)


def _mean(lookup: Lookup, id: str, places: int) -> str:
    mean, spread = lookup.results.maybe(f"{id}.mean"), lookup.results.maybe(f"{id}.sd")
    if mean is None:
        return DASH
    if spread is None:
        return lookup.of(mean, places)
    return Markup("{} ({})").format(lookup.of(mean, places), lookup.of(spread, places))


def _median(lookup: Lookup, id: str, places: int) -> str:
    median, low, high = (lookup.results.maybe(f"{id}.{name}") for name in ("median", "q1", "q3"))
    if median is None or low is None or high is None:
        return DASH
    return Markup("{} [{} to {}]").format(*(lookup.of(row, places) for row in (median, low, high)))
