"""When specimens were taken, and whether before the first treatment or after it.

A form may ask for the day and the time of the draw, in items that CDASH names --DAT and --TIM of its domain. Where it
does not, or nobody answered, the day is the visit's and the time is not known. A specimen of the day of the first
treatment whose time is not known was taken before it when its visit is planned for that day or an earlier one, and
after it otherwise: who is seen unplanned on that day is seen because of what happened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from equipoise.capture import target_date
from equipoise.protocol.document import Protocol
from equipoise.protocol.forms import Form
from equipoise.safety.laboratory import Moment, baseline_moment

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

DAY, TIME = "DAT", "TIM"  # how names of CDASH end
NAMED = re.compile(r"[A-Z]{2}(?:DAT|TIM)")

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
    ends = {name: end for form in protocol.forms for name, end in _draw_items(form).items()}
    for row in snapshot.values[snapshot.values["item"].isin(list(protocol.items))].to_dict("records"):
        page = told.setdefault((row["participant"], row["visit"], row["form"], row["repeat"]), {})
        if row["value"] is not None and row["item"] in ends:
            page[ends[row["item"]]] = str(row["value"])
    return {
        page: _moment(answers, day, zone)
        for page, answers in told.items()
        if (day := days.get((page[0], page[1]))) is not None
    }


def _draw_items(form: Form) -> dict[str, str]:
    """The items of a form that ask for day and time of the draw: of its own domain, or the first of another one.

    Such a name is a domain of two letters with DAT or TIM; CMSTDAT or BRTHDAT are days of something else.
    """
    found: dict[str, str] = {}
    for end, kind in ((DAY, "date"), (TIME, "time")):
        items = [item for item in form.items if item.type == kind and item.cdash and NAMED.fullmatch(item.cdash)]
        own = [item for item in items if item.cdash == f"{form.domain}{end}"]
        for item in (own or [item for item in items if str(item.cdash).endswith(end)])[:1]:
            found[f"{form.id}.{item.id}"] = end
    return found


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
