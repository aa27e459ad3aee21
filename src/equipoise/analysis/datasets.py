"""Analysis data sets: tidy frames of one outcome, made from a snapshot's values and nothing else.

Terms: *value* (as measured), *baseline* (the value at the baseline visit), *change* (value less baseline), *outcome*
(what is analysed: the value, or the change where the outcome's metric says so).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from equipoise.analysis.refusals import CannotAnalyse
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

COLUMNS = ("participant", "arm", "visit", "value", "baseline", "change", "outcome")
YES_NO = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


def visits_of(protocol: Protocol, outcome: Outcome) -> tuple[str, ...]:
    """The outcome's visits in the protocol's order, the baseline visit first where the item is asked there."""
    wanted = {outcome.timepoint, *outcome.visits}
    form_id = outcome.variable.partition(".")[0]
    baseline = protocol.baseline_visit
    if baseline is not None and form_id in baseline.forms:
        wanted.add(baseline.id)
    return tuple(visit.id for visit in protocol.visits if visit.id in wanted)


def followed_visits(protocol: Protocol, outcome: Outcome) -> tuple[str, ...]:
    """The outcome's own visits after baseline, in the protocol's order."""
    return tuple(visit.id for visit in protocol.follow_up_visits if visit.id in outcome.visits)


def own_visits(protocol: Protocol, outcome: Outcome) -> tuple[str, ...]:
    """The outcome's visits as the protocol lists them, in order; a change has no value at baseline."""
    if outcome.metric == "change from baseline":
        return followed_visits(protocol, outcome)
    return tuple(visit.id for visit in protocol.visits if visit.id in outcome.visits)


def outcome_data(protocol: Protocol, snapshot: Snapshot, outcome: Outcome, members: Sequence[str]) -> pd.DataFrame:
    """One row for each member and visit of the outcome, sorted by participant and visit.

    Args:
        protocol: that the snapshot follows.
        snapshot: of the trial.
        outcome: whose variable is analysed.
        members: participants of the analysis set.

    Returns:
        Columns participant, arm, visit (an ordered category), value, baseline, change, outcome; the last four are
        floats in the outcome's unit, NaN where unknown.

    Raises:
        CannotAnalyse: a participant with two values at one visit, or a value that is no number.
    """
    visits = visits_of(protocol, outcome)
    known = measured(protocol, snapshot, outcome)
    arms = snapshot.participants.set_index("participant")["arm"].to_dict()
    baseline = protocol.baseline_visit
    rows = []
    for participant in sorted(members):
        if arms.get(participant) is None:
            continue
        start = known.get((participant, baseline.id), np.nan) if baseline is not None else np.nan
        for visit in visits:
            value = known.get((participant, visit), np.nan)
            change = np.nan if baseline is None or visit == baseline.id else value - start
            analysed = change if outcome.metric == "change from baseline" else value
            rows.append((participant, arms[participant], visit, value, start, change, analysed))
    data = pd.DataFrame(rows, columns=list(COLUMNS))
    data["visit"] = pd.Categorical(data["visit"], categories=list(visits), ordered=True)
    return data.astype(dict.fromkeys(COLUMNS[3:], "float64"))


def measured(protocol: Protocol, snapshot: Snapshot, outcome: Outcome) -> dict[tuple[str, str], float]:
    """The known values of the outcome's variable by participant and visit."""
    found = snapshot.item(outcome.variable)
    yes_no = protocol.items[outcome.variable].type == "yes-no"
    values: dict[tuple[str, str], float] = {}
    for participant, visit, value, number in zip(
        found["participant"], found["visit"], found["value"], found["number"], strict=True
    ):
        if value is None:
            continue
        here = (participant, visit)
        if here in values:
            raise CannotAnalyse(
                outcome.variable,
                participant,
                f"has two values at visit {visit}",
                "name an item of a form that is not repeated",
            )
        values[here] = YES_NO.get(str(value).lower(), np.nan) if yes_no else float(number)
        if np.isnan(values[here]):
            raise CannotAnalyse(outcome.variable, value, "is not a number", "name an item that holds numbers")
    if outcome.aggregation == "proportion" and not set(values.values()) <= {0.0, 1.0}:
        raise CannotAnalyse(
            outcome.variable,
            None,
            "is neither yes or no nor 0 or 1",
            "derive an item that is 1 where the event is there",
        )
    return values


def at_visit(data: pd.DataFrame, visit: str) -> pd.DataFrame:
    """The rows of one visit whose outcome is known, numbered from zero."""
    return data[(data["visit"] == visit) & data["outcome"].notna()].reset_index(drop=True)
