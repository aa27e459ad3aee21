"""The tables of donors, typings and matches, and how events fill them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.conduct.folding import Fold, Payload, as_json
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_tables import lot_standing
from equipoise.ledger import Event, Put, Table

DONOR, PARTICIPANT = "donor", "participant"
"""The two sides of a typing."""

TABLES = (
    Table(
        "donor",
        ("donor",),
        {
            "donor": str, "sex": str, "birth_year": int, "registered_on": str, "eligible": int,
            "eligibility_note": str, "judged_on": str,
        },
    ),
    Table(
        "donor_test",
        ("donor", "test", "sampled_on"),
        {"donor": str, "test": str, "sampled_on": str, "result": str},
    ),
    Table(
        "typing",
        ("side", "person"),
        {
            "side": str, "person": str, "seq": int, "hla": str, "kir": str, "method": str, "laboratory": str,
            "reported_on": str, "ligands": str, "b_content": str, "reference": str, "warnings": str,
        },
    ),
    Table(
        "match",
        ("participant", "donor"),
        {
            "participant": str, "donor": str, "seq": int, "matched_on": str, "rule": str, "rule_version": int,
            "verdict": str, "missing_ligands": str, "gvh": str, "hvg": str, "receptor_ligand": str,
            "missing_ligand": str, "educated": str, "b_content": str, "explanation": str, "warnings": str,
            "reference": str, "accepted": str,
        },
    ),
)  # fmt: skip

SETS = ("missing_ligands", "gvh", "hvg", "receptor_ligand", "missing_ligand", "educated")
"""What a match keeps as names, divided by spaces in its row."""


def _registered(event: Event, payload: Payload) -> Iterator[Put]:
    values = {"sex": payload["sex"], "birth_year": payload["birth_year"], "registered_on": payload["on"]}
    yield Put("donor", (payload["donor"],), values)


def _tested(event: Event, payload: Payload) -> Iterator[Put]:
    donor, day = payload["donor"], payload["sampled_on"]
    for test, result in payload["results"].items():
        yield Put("donor_test", (donor, test, day), {"result": result})
    if payload["suspended"] is not None:
        yield Put("donor", (donor,), {"eligible": None, "eligibility_note": payload["suspended"], "judged_on": None})
        yield from lot_standing(payload["quarantined"], "quarantine", payload["suspended"])


def _judged(event: Event, payload: Payload) -> Iterator[Put]:
    values = {"eligible": int(payload["eligible"]), "eligibility_note": payload["statement"]}
    yield Put("donor", (payload["donor"],), {**values, "judged_on": payload["on"]})
    yield from lot_standing(payload["quarantined"], "quarantine", payload["statement"])


def _typed(event: Event, payload: Payload) -> Iterator[Put]:
    side = PARTICIPANT if event.kind == Kind.PARTICIPANT_TYPED else DONOR
    names = ("kir", "method", "laboratory", "reported_on", "ligands", "b_content", "reference")
    values = {name: payload[name] for name in names}
    lists = {"hla": as_json(payload["hla"]), "warnings": as_json(payload["warnings"])}
    yield Put("typing", (side, payload[side]), {"seq": event.seq, **values, **lists})


def _matched(event: Event, payload: Payload) -> Iterator[Put]:
    names = ("rule", "rule_version", "verdict", "b_content", "explanation", "reference", "accepted")
    values = {name: payload[name] for name in names}
    sets = {name: " ".join(payload[name]) for name in SETS}
    more = {"seq": event.seq, "matched_on": payload["on"], "warnings": as_json(payload["warnings"])}
    yield Put("match", (payload["participant"], payload["donor"]), {**values, **sets, **more})


FOLDS: Mapping[Kind, Fold] = {
    Kind.DONOR_REGISTERED: _registered,
    Kind.DONOR_TESTED: _tested,
    Kind.DONOR_JUDGED: _judged,
    Kind.DONOR_TYPED: _typed,
    Kind.PARTICIPANT_TYPED: _typed,
    Kind.DONOR_MATCHED: _matched,
}
