"""The trial at one moment as tidy frames: what analysis, report and export read.

Folded in memory from the events up to a position or a time, by the same fold that fills the tables; a snapshot pinned
to a position is the same for ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

import pandas as pd

from equipoise.capture import PlannedVisit, Timing, planned_visits, study_day
from equipoise.conduct import donor_frames, harm_frames, product_frames
from equipoise.conduct.frames import Record, day_of
from equipoise.conduct.in_force import InForce
from equipoise.conduct.refusing import NotAccepted
from equipoise.conduct.tables import PROJECTION
from equipoise.conduct.trials import SOFTWARE, Trial, trial_row
from equipoise.ledger import MemoryTables, Reader, Row
from equipoise.protocol import Protocol
from equipoise.protocol.forms import NUMERIC_TYPES

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "participants": (
        "participant", "site", "status", "screened_on", "consent_version", "consented_on", "eligible",
        "failed_criteria", "failure_reason", "randomised_on", "arm", "allocation_number", "stratum", "withdrawn_on",
        "withdrawal_scope", "withdrawal_reason", "withdrawal_reasons",
    ),
    "visits": (
        "participant", "visit", "status", "date", "day", "target", "opens", "closes", "in_window", "reason",
    ),
    "values": (
        "participant", "visit", "form", "repeat", "item", "value", "number", "missing", "unit", "corrections",
    ),
    "deviations": ("participant", "category", "on", "description", "major"),
    "corrections": ("participant", "visit", "item", "old", "new", "reason", "at", "by", "cause"),
    **donor_frames.COLUMNS,
    **product_frames.COLUMNS,
    **harm_frames.COLUMNS,
}  # fmt: skip
"""The columns of each frame, in order."""


def _frame(name: str, records: Iterable[Record]) -> pd.DataFrame:
    columns = COLUMNS[name]
    rows = [[record[column] for column in columns] for record in records]
    return pd.DataFrame(rows, columns=list(columns), dtype=object)


@dataclass(frozen=True)
class Snapshot:
    """A trial at one moment.

    Frames have text and dates as Python objects with None where absent; `values.number` is a float, NaN where the
    item is no number. Each is sorted by its leading columns.

    Attributes:
        protocol: the newest version of the protocol then.
        protocol_hash: its SHA-256.
        position: the last event's number; 0 for data captured elsewhere.
        head_hash: the last event's hash, or the foreign file's SHA-256.
        as_of: the time of the last event, UTC.
        rehearsal: what a rehearsal says of itself; None for a trial.
        source: `ledger`, or the foreign file's name and hash.
        software: name and version.
        first_event_at: the time of the first event, UTC.
        counts: events by kind.
    """

    protocol: Protocol
    protocol_hash: str
    position: int
    head_hash: str
    as_of: datetime
    rehearsal: str | None
    source: str
    software: str
    first_event_at: datetime
    participants: pd.DataFrame
    visits: pd.DataFrame
    values: pd.DataFrame
    adverse_events: pd.DataFrame
    deviations: pd.DataFrame
    corrections: pd.DataFrame
    donors: pd.DataFrame = field(default_factory=partial(_frame, "donors", ()))
    matches: pd.DataFrame = field(default_factory=partial(_frame, "matches", ()))
    lots: pd.DataFrame = field(default_factory=partial(_frame, "lots", ()))
    lot_results: pd.DataFrame = field(default_factory=partial(_frame, "lot_results", ()))
    bags: pd.DataFrame = field(default_factory=partial(_frame, "bags", ()))
    custody: pd.DataFrame = field(default_factory=partial(_frame, "custody", ()))
    infusions: pd.DataFrame = field(default_factory=partial(_frame, "infusions", ()))
    missed_courses: pd.DataFrame = field(default_factory=partial(_frame, "missed_courses", ()))
    infusion_vital_signs: pd.DataFrame = field(default_factory=partial(_frame, "infusion_vital_signs", ()))
    infusion_refusals: pd.DataFrame = field(default_factory=partial(_frame, "infusion_refusals", ()))
    stopping: pd.DataFrame = field(default_factory=partial(_frame, "stopping", ()))
    counts: Mapping[str, int] = field(default_factory=dict)

    def item(self, item: str) -> pd.DataFrame:
        """One item's answers: participant, visit, value, number, missing."""
        chosen = self.values[self.values["item"] == item]
        return chosen[["participant", "visit", "value", "number", "missing"]].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class _Past:
    """What was folded: the tables, and of the events their count and ends."""

    tables: MemoryTables
    counts: Mapping[str, int]
    position: int
    hash: str
    first_at: datetime
    last_at: datetime


def snapshot(trial: Trial, as_of: int | datetime | None = None) -> Snapshot:
    """The trial as it was after an event or at a time (UTC, inclusive), or as it is.

    Raises:
        NotAccepted: when nothing had happened by then, the position is not in the ledger, or `as_of` is neither.
        NotUtc: when the time is not UTC.
    """
    with trial.ledger.reading() as reader:
        past = _folded(reader, as_of)
    tables = past.tables
    row = trial_row(tables)
    in_force = trial.newest(tables)
    return Snapshot(
        protocol=in_force.protocol,
        protocol_hash=in_force.hash,
        position=past.position,
        head_hash=past.hash,
        as_of=past.last_at,
        rehearsal=None if row["rehearsal"] is None else str(row["rehearsal"]),
        source="ledger",
        software=SOFTWARE,
        first_event_at=past.first_at,
        participants=_frame("participants", _participants(tables)),
        visits=_frame("visits", _visits(in_force, tables, in_force.day_of(past.last_at))),
        values=_values(in_force, tables),
        adverse_events=_frame("adverse_events", harm_frames.adverse_events(in_force, tables)),
        deviations=_frame("deviations", _deviations(tables)),
        corrections=_frame("corrections", _corrections(tables)),
        donors=_frame("donors", donor_frames.donors(tables)),
        matches=_frame("matches", donor_frames.matches(tables)),
        lots=_frame("lots", product_frames.lots(tables)),
        lot_results=_frame("lot_results", product_frames.lot_results(tables)),
        bags=_frame("bags", product_frames.bags(tables)),
        custody=_frame("custody", product_frames.custody(tables)),
        infusions=_frame("infusions", product_frames.infusions(in_force, tables)),
        missed_courses=_frame("missed_courses", product_frames.missed_courses(tables)),
        infusion_vital_signs=_frame("infusion_vital_signs", product_frames.infusion_vital_signs(tables)),
        infusion_refusals=_frame("infusion_refusals", product_frames.infusion_refusals(tables)),
        stopping=_frame("stopping", harm_frames.stopping(tables)),
        counts=past.counts,
    )


def _folded(reader: Reader, as_of: int | datetime | None) -> _Past:
    known = as_of is None or (isinstance(as_of, int | datetime) and not isinstance(as_of, bool))
    if not known:  # a day or a text would else be taken for None, and the whole trial be shown
        remedy = "pass a position such as 412, or a datetime in UTC"
        raise NotAccepted("as_of", as_of, "is neither a position nor a time", remedy)
    last = reader.head.seq
    if isinstance(as_of, int) and not 1 <= as_of <= last:
        problem = f"is not in the ledger, which has {last} events"
        raise NotAccepted("position", as_of, problem, f"name a position from 1 to {last}")
    upto = as_of if isinstance(as_of, int) else None
    until = as_of if isinstance(as_of, datetime) else None
    tables, counts, first, event = MemoryTables(PROJECTION), dict[str, int](), None, None
    for event in reader.events(upto=upto, until=until):
        first = first or event
        tables.apply(event)
        counts[event.kind] = counts.get(event.kind, 0) + 1
    if first is None or event is None:
        raise NotAccepted("as_of", as_of, "is before the trial's first event", "name a later time")
    return _Past(tables, dict(sorted(counts.items())), event.seq, event.hash, first.at, event.at)


def status_of(row: Row) -> str:
    """Where a participant stands."""
    for column, status in (
        ("withdrawn_on", "withdrawn"),
        ("randomised_on", "randomised"),
        ("failed_on", "screen failure"),
        ("declared_on", "eligible"),
        ("consented_on", "consented"),
    ):
        if row[column] is not None:
            return status
    return "screening"


def _participants(tables: MemoryTables) -> Iterator[Record]:
    consents = _by_participant(tables.rows("consent"))
    withdrawals = _by_participant(tables.rows("withdrawal"))
    allocations = _by_participant(tables.rows("allocation"))
    for row in tables.rows("participant"):
        code = str(row["participant"])
        signed = max(consents.get(code, []), key=lambda consent: str(consent["signed_on"]), default={})
        # Leaving the trial says more than leaving the intervention, which may have come first.
        left = max(withdrawals.get(code, []), key=lambda withdrawal: withdrawal["scope"] == "trial", default={})
        allocated = allocations.get(code, [{}])[0]
        yield {
            "participant": code,
            "site": row["site"],
            "status": status_of(row),
            "screened_on": day_of(row["screened_on"]),
            "consent_version": signed.get("version"),
            "consented_on": day_of(row["consented_on"]),
            "eligible": True if row["declared_on"] else False if row["failed_on"] else None,
            "failed_criteria": tuple(json.loads(str(row["failed_criteria"] or "[]"))),
            "failure_reason": row["failure_reason"],
            "randomised_on": day_of(row["randomised_on"]),
            "arm": allocated.get("arm"),
            "allocation_number": allocated.get("number"),
            "stratum": allocated.get("stratum"),
            "withdrawn_on": day_of(left.get("withdrawn_on")),
            "withdrawal_scope": left.get("scope"),
            "withdrawal_reason": left.get("reason_code"),
            "withdrawal_reasons": tuple(str(each["reason_code"]) for each in withdrawals.get(code, [])),
        }


def _visits(in_force: InForce, tables: MemoryTables, today: date) -> Iterator[Record]:
    done = _by_participant(tables.rows("visit"))
    for row in tables.rows("participant"):
        code = str(row["participant"])
        anchor = day_of(row["randomised_on"])
        stands = {str(visit["visit"]): visit for visit in done.get(code, [])}
        planned = () if anchor is None else planned_visits(in_force.planned.values(), anchor)
        plan = {visit.visit: visit for visit in planned}
        baseline = in_force.protocol.baseline_visit
        wanted = [
            visit
            for visit in in_force.planned
            if visit in stands
            or (anchor and (not in_force.before_allocation(visit) or (baseline and visit == baseline.id)))
        ]
        unplanned = sorted(set(stands) - set(in_force.planned), key=lambda visit: (str(stands[visit]["date"]), visit))
        for visit in (*wanted, *unplanned):
            yield _visit(code, visit, stands.get(visit), plan.get(visit), anchor, day_of(row["withdrawn_on"]), today)


def _visit(
    code: str,
    visit: str,
    stands: Row | None,
    plan: PlannedVisit | None,
    anchor: date | None,
    withdrawn_on: date | None,
    today: date,
) -> Record:
    day = day_of(stands["date"]) if stands else None
    if stands:
        status = str(stands["status"])
    elif plan and withdrawn_on and plan.closes >= withdrawn_on:
        status = "withdrawn"
    else:
        status = "pending" if plan and plan.timing(today) is Timing.PENDING else "due"
    return {
        "participant": code,
        "visit": visit,
        "status": status,
        "date": day,
        "day": study_day(day, anchor) if day and anchor else None,
        "target": plan.target if plan else None,
        "opens": plan.opens if plan else None,
        "closes": plan.closes if plan else None,
        "in_window": plan.includes(day) if plan and day else None,
        "reason": stands["reason"] if stands else None,
    }


def _values(in_force: InForce, tables: MemoryTables) -> pd.DataFrame:
    items = in_force.protocol.items
    rank = _visit_rank(in_force)
    rows = [row for row in tables.rows("value") if row["value"] is not None or row["missing"] is not None]
    rows.sort(key=lambda row: (str(row["participant"]), rank(str(row["visit"]))))
    records = []
    for row in rows:
        item = f"{row['form']}.{row['item']}"
        known = items.get(item)
        is_number = known is not None and known.type in NUMERIC_TYPES and row["value"] is not None
        number = float(str(row["value"])) if is_number else float("nan")
        records.append({**row, "item": item, "number": number})
    frame = _frame("values", records)
    frame["number"] = frame["number"].astype("float64")
    return frame


def _deviations(tables: MemoryTables) -> Iterator[Record]:
    rows = tables.rows("deviation")
    for row in sorted(rows, key=lambda row: (str(row["participant"] or ""), str(row["happened_on"]), str(row["seq"]))):
        yield {**row, "on": day_of(row["happened_on"]), "major": bool(row["major"])}


def _corrections(tables: MemoryTables) -> Iterator[Record]:
    rows = tables.rows("correction")
    for row in sorted(rows, key=lambda row: (str(row["participant"]), int(str(row["seq"])), str(row["item"]))):
        old, new = row["old"] or row["old_missing"], row["new"] or row["new_missing"]
        yield {**row, "old": old, "new": new, "at": datetime.fromisoformat(str(row["at"])), "by": row["actor"]}


def _visit_rank(in_force: InForce) -> Callable[[str], tuple[int, str]]:
    order = {visit: index for index, visit in enumerate(in_force.planned)}
    return lambda visit: (order.get(visit, len(order)), visit)


def _by_participant(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["participant"]), []).append(row)
    return found
