"""The tables of lots, bags, custody and infusions, and how events fill them. Quantities are exact decimals, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from equipoise.conduct.folding import Fold, Payload, as_json
from equipoise.conduct.harm_tables import standings_put
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Event, Put, Table

VITAL_SIGNS = ("temperature", "systolic", "diastolic", "pulse", "respiration", "saturation")
DOSES = ("cells_given", "viable_nk", "cd3_per_kg", "endotoxin_per_kg", "planned_dose", "dose_share")

RELEASED = ("released", "conditionally released")

TABLES = (
    Table(
        "lot",
        ("lot",),
        {
            "lot": str, "product": str, "donor": str, "donated_on": str, "made": str, "made_at": str,
            "received_at": str, "stated_expiry": str, "expires_at": str, "status": str, "status_reason": str,
            "conditionally_released_at": str, "conditionally_released_by": str,
            "released_at": str, "released_by": str,
            "certificate": str, "bags": int, "results": int,
        },
    ),
    Table(
        "lot_result",
        ("lot", "number"),
        {
            "lot": str, "number": int, "criterion": str, "test": str, "value": str, "unit": str, "passes": int,
            "blocking": int, "due_on": str, "at": str, "invalidates": str,
        },
    ),
    Table(
        "bag",
        ("bag",),
        {
            "bag": str, "lot": str, "product": str, "donor": str, "cells": str, "volume_ml": str, "status": str,
            "participant": str, "course": str, "steps": int, "accepted_steps": int,
        },
    ),
    Table(
        "custody",
        ("bag", "position"),
        {
            "bag": str, "position": int, "at": str, "event": str, "giver": str, "receiver": str, "place": str,
            "celsius": str, "volume_ml": str, "participant": str, "course": str,
        },
    ),
    Table(
        "infusion",
        ("participant", "course"),
        {
            "participant": str, "course": str, "bag": str, "lot": str, "donor": str, "started_at": str,
            "stopped_at": str, "started_on": str, "volume_ml": str, "volume_given_ml": str, "weight_kg": str,
            **dict.fromkeys(DOSES, str), "completed": int, "stop_reason": str, "checked_by": str,
            "start_findings": str, "end_findings": str,
        },
    ),
    Table(
        "missed_course",
        ("participant", "course"),
        {"participant": str, "course": str, "missed_on": str, "cause": str, "taken_back_on": str},
    ),
    Table(
        "infusion_vital_signs",
        ("participant", "course", "minutes"),
        {
            "participant": str, "course": str, "minutes": int, **dict.fromkeys(VITAL_SIGNS, str), "corrections": int,
            "stands": int,
        },
    ),
    Table(
        "infusion_refusal",
        ("seq", "position"),
        {
            "seq": int, "position": int, "participant": str, "course": str, "bag": str, "at": str, "code": str,
            "reason": str, "actor": str,
        },
    ),
)  # fmt: skip


def _received(event: Event, payload: Payload) -> Iterator[Put]:
    lot, product, donor = payload["lot"], payload["product"], payload["donor"]
    at = event.at.isoformat()
    names = ("product", "donor", "donated_on", "made_at", "stated_expiry", "expires_at", "status")
    values = {name: payload[name] for name in names} | {"made": as_json(payload["made"])}
    yield Put("lot", (lot,), {**values, "received_at": at, "bags": len(payload["bags"]), "results": 0})
    for bag in payload["bags"]:
        of = {"lot": lot, "product": product, "donor": donor, "cells": bag["cells"], "volume_ml": bag["volume_ml"]}
        yield Put("bag", (bag["bag"],), of)
        yield from _step(event, bag)


def _step(event: Event, payload: Payload) -> Iterator[Put]:
    """One step of custody, and how the bag stands after it."""
    bag, position = payload["bag"], payload["position"]
    names = ("at", "event", "giver", "receiver", "place", "celsius", "volume_ml", "participant", "course")
    yield Put("custody", (bag, position), {name: payload["step"][name] for name in names})
    yield Put("bag", (bag,), {"steps": position, **payload["bag_now"]})


def _result(event: Event, payload: Payload) -> Iterator[Put]:
    lot = payload["lot"]
    names = ("criterion", "test", "value", "unit", "due_on", "invalidates")
    values = {name: payload[name] for name in names}
    passes = None if payload["passes"] is None else int(payload["passes"])
    more = {"passes": passes, "blocking": int(payload["blocking"]), "at": event.at.isoformat()}
    yield Put("lot_result", (lot, payload["number"]), {**values, **more})
    yield Put("lot", (lot,), {"results": payload["number"]})
    yield from _standing(event, payload)


def _standing(event: Event, payload: Payload) -> Iterator[Put]:
    """Where the lot stands after the event, when that changed."""
    if payload["status"] is not None:
        yield from lot_standing([payload["lot"]], payload["status"], payload["status_reason"])


def lot_standing(lots: Iterable[str], status: str, why: str | None) -> Iterator[Put]:
    """Lots that take a status."""
    for lot in lots:
        yield Put("lot", (lot,), {"status": status, "status_reason": why})


def _released(event: Event, payload: Payload) -> Iterator[Put]:
    yield from _standing(event, payload)
    how = "conditionally_released" if payload["status"] == "conditionally released" else "released"
    who = {f"{how}_at": event.at.isoformat(), f"{how}_by": event.actor.id, "certificate": payload["certificate"]}
    yield Put("lot", (payload["lot"],), who)


def _accepted(event: Event, payload: Payload) -> Iterator[Put]:
    """Temperatures up to a step of custody do not count against a bag; later ones do."""
    yield Put("bag", (payload["bag"],), {"accepted_steps": payload["steps"]})


def _started(event: Event, payload: Payload) -> Iterator[Put]:
    yield from _step(event, payload)
    names = ("bag", "lot", "donor", "volume_ml", "weight_kg", "planned_dose", "started_at")
    values = {name: payload[name] for name in names}
    when = {"started_on": payload["on"]}
    key = (payload["participant"], payload["course"])
    more = {"checked_by": as_json(payload["checked_by"]), "start_findings": _codes(payload.get("findings", ()))}
    yield Put("infusion", key, {**values, **when, **more})
    yield from standings_put(event, payload)


def _finished(event: Event, payload: Payload) -> Iterator[Put]:
    yield from _step(event, payload)
    names = ("stopped_at", "volume_given_ml", "stop_reason")
    values = {name: payload[name] for name in names} | {name: payload["dose"][name] for name in DOSES}
    key = (payload["participant"], payload["course"])
    found = {"end_findings": _codes(payload["findings"])}
    yield Put("infusion", key, {**values, **found, "completed": int(payload["completed"])})


def _codes(findings: Iterable[Payload]) -> str:
    return as_json([finding["code"] for finding in findings])


def _watched(event: Event, payload: Payload) -> Iterator[Put]:
    key = (payload["participant"], payload["course"], payload["minutes"])
    signs = {name: payload["values"].get(name) for name in VITAL_SIGNS}
    more = {"corrections": payload.get("corrections", 0), "stands": int(bool(payload["values"]))}
    yield Put("infusion_vital_signs", key, {**signs, **more})


def _watched_otherwise(event: Event, payload: Payload) -> Iterator[Put]:
    """Vital signs as they should be; nothing stands any more at minutes that were wrong."""
    key = (payload["participant"], payload["course"], payload["old_minutes"])
    yield Put("infusion_vital_signs", key, {"stands": 0})
    yield from _watched(event, payload)


def _missed(event: Event, payload: Payload) -> Iterator[Put]:
    key = (payload["participant"], payload["course"])
    yield Put("missed_course", key, {"missed_on": payload["on"], "cause": payload["cause"], "taken_back_on": None})


def _not_missed(event: Event, payload: Payload) -> Iterator[Put]:
    yield Put("missed_course", (payload["participant"], payload["course"]), {"taken_back_on": payload["on"]})


def _refused(event: Event, payload: Payload) -> Iterator[Put]:
    of = {name: payload[name] for name in ("participant", "course", "bag")}
    who = {"at": event.at.isoformat(), "actor": event.actor.id}
    for position, reason in enumerate(payload["reasons"], start=1):
        said = {"code": reason["code"], "reason": reason["text"]}
        yield Put("infusion_refusal", (event.seq, position), {**of, **who, **said})


FOLDS: Mapping[Kind, Fold] = {
    Kind.LOT_RECEIVED: _received,
    Kind.LOT_RESULT_RECORDED: _result,
    Kind.LOT_RELEASED: _released,
    Kind.LOT_REJECTED: _standing,
    Kind.LOT_RECALLED: _standing,
    Kind.BAG_ISSUED: _step,
    Kind.BAG_HANDED_OVER: _step,
    Kind.EXCURSION_ACCEPTED: _accepted,
    Kind.BAG_RETURNED: _step,
    Kind.BAG_DESTROYED: _step,
    Kind.INFUSION_STARTED: _started,
    Kind.INFUSION_REFUSED: _refused,
    Kind.INFUSION_FINISHED: _finished,
    Kind.INFUSION_VITAL_SIGNS: _watched,
    Kind.INFUSION_VITAL_SIGNS_CORRECTED: _watched_otherwise,
    Kind.COURSE_MISSED: _missed,
    Kind.MISSED_COURSE_TAKEN_BACK: _not_missed,
}
