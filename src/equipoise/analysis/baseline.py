"""The baseline table of CONSORT 2025 item 25: who was randomised, by arm. No P values: chance made any difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from equipoise import stats
from equipoise.analysis.counting import count_row
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import BaselineRow

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

ALL = "total"


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `baseline.<item>.<arm>.mean|sd|median|q1|q3|count.<code>|missing`, for each arm and for `total`.

    A value is the last one at or before the baseline visit.
    """
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    rows: list[Row] = []
    for asked in protocol.report.baseline:
        known = baseline_values(protocol, snapshot, asked.item)
        for arm in (*protocol.arm_ids, ALL):
            members = people if arm == ALL else people[people["arm"] == arm]
            found = known[known["participant"].isin(members["participant"])]
            rows.extend(item_rows(protocol, asked, None if arm == ALL else arm, found, len(members)))
    first = {row.id: row for row in reversed(rows)}  # an item may be asked twice, or an arm be called `total`
    kept = tuple(row for row in rows if first[row.id] is row)
    return Answer(kept, {"baseline": TEXT} if kept else {})


TEXT = (
    "The last value at or before the baseline visit. Medians and quartiles by linear interpolation between order "
    "statistics (R's type 7). No tests: participants were allocated at random."
)


def baseline_values(protocol: Protocol, snapshot: Snapshot, item: str) -> pd.DataFrame:
    """Participant, value and number of each participant's last known value up to the baseline visit."""
    visits = [visit.id for visit in protocol.screening_visits]
    if protocol.baseline_visit is not None:
        visits.append(protocol.baseline_visit.id)
    found = snapshot.item(item)
    early = found[found["visit"].isin(visits) & found["value"].notna()]
    placed = early.assign(place=early["visit"].map({visit: place for place, visit in enumerate(visits)}))
    return placed.sort_values(["participant", "place"]).groupby("participant", as_index=False).last()


def item_rows(
    protocol: Protocol, asked: BaselineRow, arm: str | None, found: pd.DataFrame, n_members: int
) -> Iterator[Row]:
    """One row of the table in one arm."""
    item = protocol.items[asked.item]
    label = asked.label or item.question
    path = ("baseline", asked.item, arm or ALL)
    columns: dict[str, Any] = {"arm": arm, "outcome": asked.item, "role": "descriptive", "label": label}
    n = len(found)
    if n < n_members:
        yield count_row(*path, "missing", count=n_members - n, n=n_members, **(columns | {"term": "missing"}))
    if asked.summary == "count":
        for code, text in codes_of(protocol, asked.item, found):
            count = int((found["value"] == code).sum())
            yield count_row(*path, "count", code, count=count, n=n, **(columns | {"term": code, "label": text}))
        return
    for name, value in described(asked.summary, found["number"].dropna()):
        yield Row(
            id=".".join((*path, name)), analysis="baseline", method=name, estimate=value, n=n, unit=item.unit, **columns
        )


def described(summary: str, values: pd.Series[float]) -> Iterator[tuple[str, float]]:
    """Mean and SD, or median and quartiles, as far as there are values."""
    if values.empty:
        return
    if summary == "median":
        quartiles = stats.median_quartiles(values.to_numpy())
        yield from (("median", quartiles.median), ("q1", quartiles.lower), ("q3", quartiles.upper))
    elif len(values) == 1:
        yield "mean", float(values.iloc[0])
    else:
        found = stats.mean_interval(values.to_numpy())
        yield from (("mean", found.mean), ("sd", found.sd))


def codes_of(protocol: Protocol, item_name: str, found: pd.DataFrame) -> list[tuple[str, str]]:
    """The codes that are counted with what they mean: the code list's, or the values that occur."""
    item = protocol.items[item_name]
    if item.codelist is not None:
        return list(protocol.codelists[item.codelist].items())
    if item.type == "yes-no":
        return [("yes", "yes"), ("no", "no")]
    return [(str(value), str(value)) for value in sorted(set(found["value"]))]
