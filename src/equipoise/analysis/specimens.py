"""When specimens were taken, and whether before the first treatment or after it.

A form may ask for the day and the time of the draw, in items that CDASH names --DAT and --TIM. Where it does not, or
nobody answered, the day is the visit's and the time is not known. A specimen of the day of the first treatment whose
time is not known was taken before it when its visit is planned for that day or an earlier one, and after it otherwise:
who is seen unplanned on that day is seen because of what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from equipoise.capture import target_date
from equipoise.protocol.document import Protocol
from equipoise.safety.laboratory import Moment, baseline_moment

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

DAY, TIME = "DAT", "TIM"  # how names of CDASH end

Page = tuple[str, str, str, int]
"""Participant, visit, form and repeat."""


@dataclass(frozen=True, slots=True)
class Treated:
    """When a participant's treatment began: the first infusion, or randomisation where none was given.

    Args:
        moment: with its time in the trial's zone where that is known.
        planned: the visits that are planned for its day or an earlier one.
    """

    moment: Moment
    planned: frozenset[str]


def specimens_taken(protocol: Protocol, snapshot: Snapshot) -> dict[Page, Moment]:
    """When the specimens of each page were taken, by the trial's own clock; a day where the time is not known."""
    zone = ZoneInfo(protocol.conventions.timezone)
    days = {(row["participant"], row["visit"]): row["date"] for row in snapshot.visits.to_dict("records")}
    told: dict[Page, dict[str, str]] = {}
    ends = {name: item.cdash[-3:] for name, item in protocol.items.items() if item.cdash and item.type in _TYPES}
    for row in snapshot.values[snapshot.values["item"].isin(list(protocol.items))].to_dict("records"):
        page = told.setdefault((row["participant"], row["visit"], row["form"], row["repeat"]), {})
        if row["value"] is not None and ends.get(row["item"]) in (DAY, TIME):
            page[ends[row["item"]]] = str(row["value"])
    return {
        page: _moment(answers, day, zone)
        for page, answers in told.items()
        if (day := days.get((page[0], page[1]))) is not None
    }


_TYPES = ("date", "time")


def _moment(answers: Mapping[str, str], visit: date, zone: ZoneInfo) -> Moment:
    day = date.fromisoformat(answers[DAY]) if DAY in answers else visit
    return datetime.combine(day, time.fromisoformat(answers[TIME]), zone) if TIME in answers else day


def treatment_begun(protocol: Protocol, snapshot: Snapshot) -> dict[str, Treated]:
    """For each randomised participant when treatment began."""
    zone = ZoneInfo(protocol.conventions.timezone)
    first: dict[str, datetime] = {}
    for row in snapshot.infusions.to_dict("records"):
        started = row["started_at"].astimezone(zone)
        first[row["participant"]] = min(started, first.get(row["participant"], started))
    people = snapshot.participants[snapshot.participants["arm"].notna()].to_dict("records")
    return {row["participant"]: _treated(protocol, row, first.get(row["participant"])) for row in people}


def _treated(protocol: Protocol, person: Mapping[Any, Any], first: datetime | None) -> Treated:
    anchor: date = person["randomised_on"]
    moment = baseline_moment(first, anchor)
    day = moment.date() if isinstance(moment, datetime) else moment
    planned = (visit.id for visit in protocol.visits if target_date(visit.at, anchor) <= day)
    return Treated(moment, frozenset(planned))
