"""The frames of lots, bags, custody and infusions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from equipoise.capture import study_day
from equipoise.conduct.frames import Record, day_of, flag_of, moment_of, number_of
from equipoise.conduct.in_force import InForce
from equipoise.conduct.product_tables import DOSES, VITAL_SIGNS
from equipoise.ledger import Row, Tables

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "lots": (
        "lot", "product", "donor", "received_at", "expires_at", "status", "conditionally_released_at",
        "conditionally_released_by", "released_at", "released_by", "bags",
    ),
    "lot_results": ("lot", "criterion", "test", "value", "unit", "passes", "blocking", "due_on", "at"),
    "bags": ("bag", "lot", "product", "donor", "cells", "volume_ml", "status", "participant", "course"),
    "custody": ("bag", "position", "at", "event", "giver", "receiver", "place", "celsius"),
    "infusions": (
        "participant", "arm", "course", "bag", "lot", "donor", "target", "opens", "closes", "started_at",
        "stopped_at", "on", "day", "in_window", "volume_ml", "volume_given_ml", "weight_kg", *DOSES, "completed",
        "stop_reason", "checked_by", "findings",
    ),
    "missed_courses": ("participant", "course", "on", "cause"),
    "infusion_vital_signs": ("participant", "course", "minutes", *VITAL_SIGNS, "corrections"),
    "infusion_refusals": ("participant", "course", "bag", "at", "code", "reason", "by"),
}  # fmt: skip


def lots(tables: Tables) -> Iterator[Record]:
    """Every lot and where it stands."""
    moments = ("received_at", "expires_at", "conditionally_released_at", "released_at")
    for row in tables.rows("lot"):
        yield {**row, **{name: moment_of(row[name]) for name in moments}}


def lot_results(tables: Tables) -> Iterator[Record]:
    """Results in the order in which they were recorded; a test that was repeated has several."""
    for row in tables.rows("lot_result"):
        flags = {name: flag_of(row[name]) for name in ("passes", "blocking")}
        yield {**row, **flags, "due_on": day_of(row["due_on"]), "at": moment_of(row["at"])}


def bags(tables: Tables) -> Iterator[Record]:
    """Every bag and where it stands."""
    for row in tables.rows("bag"):
        yield {**row, **{name: number_of(row[name]) for name in ("cells", "volume_ml")}}


def custody(tables: Tables) -> Iterator[Record]:
    """Every step of every bag."""
    for row in tables.rows("custody"):
        yield {**row, "at": moment_of(row["at"]), "celsius": number_of(row["celsius"])}


def infusions(in_force: InForce, tables: Tables) -> Iterator[Record]:
    """Every infusion that was started, against its course; doses are there once it is finished."""
    arms = {row["participant"]: row["arm"] for row in tables.rows("allocation")}
    anchors = {row["participant"]: day_of(row["randomised_on"]) for row in tables.rows("participant")}
    for row in tables.rows("infusion"):
        anchor, on = anchors[row["participant"]], day_of(row["started_on"])
        assert anchor is not None, "only who is randomised is infused"
        assert on is not None, "an infusion has a day"
        plan = in_force.planned_courses(str(arms[row["participant"]]), anchor).get(str(row["course"]))
        yield {
            **row,
            **{name: number_of(row[name]) for name in ("volume_ml", "volume_given_ml", "weight_kg", *DOSES)},
            "arm": arms[row["participant"]],
            "target": plan.target if plan else None,
            "opens": plan.opens if plan else None,
            "closes": plan.closes if plan else None,
            "started_at": moment_of(row["started_at"]),
            "stopped_at": moment_of(row["stopped_at"]),
            "on": on,
            "day": study_day(on, anchor),
            "in_window": plan.includes(on) if plan else None,
            "completed": flag_of(row["completed"]),
            "checked_by": tuple(json.loads(str(row["checked_by"]))),
            "findings": tuple(
                code for part in ("start_findings", "end_findings") for code in json.loads(str(row[part] or "[]"))
            ),
        }


def missed_courses(tables: Tables) -> Iterator[Record]:
    """Courses that were not given, and why, but for those of which that was taken back."""
    for row in tables.rows("missed_course", taken_back_on=None):
        yield {**row, "on": day_of(row["missed_on"])}


def infusion_vital_signs(tables: Tables) -> Iterator[Record]:
    """Vital signs by minutes from the start of the infusion, as they stand."""
    for row in tables.rows("infusion_vital_signs", stands=1):
        yield {**row, **{name: number_of(row[name]) for name in VITAL_SIGNS}}


def infusion_refusals(tables: Tables) -> Iterator[Record]:
    """Each reason for which an infusion was refused."""
    for row in tables.rows("infusion_refusal"):
        yield {**row, "at": moment_of(row["at"]), "by": row["actor"]}


def treated(tables: Tables, arm: str) -> tuple[str, ...]:
    """The participants of an arm whose first infusion was started, in the order of those starts."""
    arms = {row["participant"]: row["arm"] for row in tables.rows("allocation")}
    first: dict[str, Row] = {}
    for row in sorted(tables.rows("infusion"), key=lambda row: str(row["started_at"])):
        if arms.get(row["participant"]) == arm:
            first.setdefault(str(row["participant"]), row)
    return tuple(first)
