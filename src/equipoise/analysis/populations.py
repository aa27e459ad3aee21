"""Who belongs to each analysis set: the protocol's rule, asked of each participant's course.

A rule that cannot be decided leaves the participant out: unknown is not true.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from equipoise.capture import Value, value_of
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot


def populations_of(protocol: Protocol, snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """The participants of each analysis set by its id, in order of their codes."""
    records = participant_records(protocol, snapshot)
    found: dict[str, tuple[str, ...]] = {}
    for analysis_set in protocol.analysis_sets:
        among = records.keys() if analysis_set.subset_of is None else found[analysis_set.subset_of]
        found[analysis_set.id] = tuple(sorted(code for code in among if analysis_set.rule.holds(records[code])))
    return found


def participant_records(protocol: Protocol, snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """For each participant the values that `names.analysis_names` promises a rule; what is absent is unknown.

    A foreign table cannot tell withdrawals and deviations: there they are unknown.
    """
    foreign = snapshot.source != "ledger"
    major = set(snapshot.deviations.loc[snapshot.deviations["major"].astype(bool), "participant"])
    followed = visits_done(protocol, snapshot)
    asked = answers_before_allocation(protocol, snapshot)
    records: dict[str, dict[str, Any]] = {}
    for person in snapshot.participants.to_dict("records"):
        code = person["participant"]
        records[code] = asked.get(code, {}) | {
            "consent.signed_on": as_date(person["consented_on"]),
            "participant.screened_on": as_date(person["screened_on"]),
            "participant.site": person["site"],
            "participant.arm": person["arm"],
            "participant.consented": None if foreign else person["consented_on"] is not None,
            "participant.eligible": person["eligible"],
            "participant.randomised": person["arm"] is not None,
            "participant.withdrawn": None if foreign else person["withdrawal_scope"] == "trial",
            "participant.major_deviation": None if foreign else code in major,
            "participant.follow_up_visits_done": followed.get(code, 0),
        }
    return records


def as_date(value: date | None) -> date | None:
    """A date, or None where the frame holds none."""
    return value if isinstance(value, date) else None


def visits_done(protocol: Protocol, snapshot: Snapshot) -> dict[str, int]:
    """How many follow-up visits each participant has had."""
    follow_up = [visit.id for visit in protocol.follow_up_visits]
    visits: pd.DataFrame = snapshot.visits
    done = visits[(visits["status"] == "done") & visits["visit"].isin(follow_up)]
    return {str(code): int(count) for code, count in done.groupby("participant").size().items()}


def answers_before_allocation(protocol: Protocol, snapshot: Snapshot) -> dict[str, dict[str, Value]]:
    """Each participant's last known answer to each item asked up to the baseline visit."""
    visits = [visit.id for visit in protocol.screening_visits]
    if protocol.baseline_visit is not None:
        visits.append(protocol.baseline_visit.id)
    values: pd.DataFrame = snapshot.values
    early = values[values["visit"].isin(visits) & values["value"].notna() & (values["repeat"] == 1)]
    place = early["visit"].map({visit: number for number, visit in enumerate(visits)})
    answers: dict[str, dict[str, Value]] = {}
    for row in early.assign(place=place).sort_values(["participant", "place"]).to_dict("records"):
        item = protocol.items[row["item"]]
        answers.setdefault(row["participant"], {})[row["item"]] = value_of(item, row["value"])
    return answers
