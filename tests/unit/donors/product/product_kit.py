"""A product, a regimen, a lot that may be given and an infusion that may start; tests change one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from equipoise.donors import (
    Attempt,
    Bag,
    DonorMatch,
    HeldBag,
    Label,
    Lot,
    LotResult,
    RecordedWeight,
    Standing,
    Temperature,
    check_infusion,
    excursions,
)
from equipoise.protocol.interventions import Product, Regimen

SHANGHAI = timezone(timedelta(hours=8))
MADE = datetime(2018, 3, 1, 18, 0, tzinfo=SHANGHAI)
RECEIVED = datetime(2018, 3, 1, 20, 0, tzinfo=SHANGHAI)
STARTED = datetime(2018, 3, 2, 9, 0, tzinfo=SHANGHAI)
EXPIRES = datetime(2018, 3, 2, 18, 0, tzinfo=SHANGHAI)
OPENS, CLOSES = date(2018, 3, 1), date(2018, 3, 8)

PRODUCT = Product.model_validate(
    {
        "id": "nk_cells",
        "name": "NK cells",
        "dose_form": "INJECTION, SUSPENSION",
        "shelf_life": {"hours": 24},
        "storage": {"min_celsius": 2, "max_celsius": 8},
        "donor_eligibility": {"tests": ["HIV", "HBV"], "within_days": 30},
        "release": [
            {"id": "viability", "test": "Viability", "unit": "%", "rule": "value >= 85"},
            {"id": "nk_purity", "test": "CD3-CD56+ cells", "unit": "%", "rule": "value >= 80"},
            {"id": "cd3", "test": "CD3+ cells", "unit": "%", "rule": "value <= 20"},
            {"id": "endotoxin", "test": "Endotoxin", "unit": "[EU]/mL", "rule": "value < 5"},
            {"id": "lysis", "test": "K562 lysis", "unit": "%", "rule": "value > 20", "blocking": False},
            {"id": "sterility", "test": "Sterility of 14 days", "rule": "value == 'NEGATIVE'", "due_days": 14},
        ],
        "composition": {"viability": "viability", "nk": "nk_purity", "cd3": "cd3", "endotoxin": "endotoxin"},
        "dose_limits": [
            {"id": "cd3_kg", "quantity": "cd3_per_kg", "rule": "value <= 200000"},
            {"id": "endotoxin_kg", "quantity": "endotoxin_per_kg", "rule": "value <= 5"},
            {"id": "viable", "quantity": "viable_nk", "rule": "value >= 50000000", "blocking": False},
        ],
    }
)
REGIMEN = Regimen.model_validate(
    {
        "id": "nk_courses",
        "dose": {"value": 100_000_000, "unit": "Therapeutic Cells", "allowed_deviation": Decimal("0.1")},
        "route": "INTRAVENOUS",
        "courses": [
            {"id": "C1", "at": {"days": 1}, "window": {"days_after": 7}},
            {"id": "C2", "at": {"days": 31}, "window": {"days_before": 7, "days_after": 7}, "after": "m1"},
            {"id": "C3", "at": {"days": 61}, "window": {"days_before": 7, "days_after": 7}},
        ],
        "preconditions": [
            {"id": "afebrile", "text": "No fever within 24 hours"},
            {"id": "no_infection", "text": "No acute infection"},
        ],
    }
)


def product(**changes: object) -> Product:
    """The product with keys of its protocol section changed."""
    return Product.model_validate(PRODUCT.model_dump() | changes)


def regimen(**changes: object) -> Regimen:
    """The regimen with keys of its protocol section changed."""
    return Regimen.model_validate(REGIMEN.model_dump() | changes)


def result(criterion: str, value: str, *, hours: int = 1, invalidates: str = "") -> LotResult:
    """A result in the criterion's unit, some hours after manufacture."""
    unit = next(one.unit for one in PRODUCT.release if one.id == criterion)
    return LotResult(criterion, value, MADE + timedelta(hours=hours), unit, invalidates)


def results(**values: str | None) -> tuple[LotResult, ...]:
    """Good results of every criterion, each changed by name; None leaves one out."""
    good: dict[str, str | None] = {
        "viability": "90", "nk_purity": "95", "cd3": "2", "endotoxin": "0.5", "lysis": "65", "sterility": "NEGATIVE",
    }  # fmt: skip
    return tuple(result(criterion, value) for criterion, value in (good | values).items() if value is not None)


BAG = Bag("B1", Decimal("120000000"), Decimal(100))
LOT = Lot("L1", "nk_cells", "D1", date(2018, 2, 15), MADE, RECEIVED, (BAG, replace(BAG, id="B2")), EXPIRES, "released")
HELD = HeldBag(BAG, LOT, results(), "issued", "P1", "C1")
STANDING = Standing("P1", products=frozenset({"nk_cells"}), matches={"D1": DonorMatch("mismatch")})
ATTEMPT = Attempt(
    "P1",
    "C1",
    "B1",
    Label("B1", "L1", "P1", EXPIRES),
    ("nurse.li", "nurse.wang"),
    STARTED,
    {"afebrile": True, "no_infection": True},
    Decimal(60),
    STARTED + timedelta(hours=1),
)
GOOD = {
    "attempt": ATTEMPT,
    "product": PRODUCT,
    "regimen": REGIMEN,
    "standing": STANDING,
    "held": HELD,
    "opens": OPENS,
    "closes": CLOSES,
    "trial_stopped": "",
}

#: Changes of the parts, each of which is one defect: name, the changes by part, and the code of its reason.
DEFECTS: dict[str, tuple[dict[str, object], str]] = {
    "trial stopped": ({"trial_stopped": "the stopping boundary was crossed"}, "trial-stopped"),
    "not randomised": ({"standing": {"randomised": False}}, "not-randomised"),
    "withdrawn": ({"standing": {"withdrawn": True}}, "withdrawn"),
    "other arm": ({"standing": {"products": frozenset()}}, "product-not-planned"),
    "stopped for them": ({"standing": {"stopped": "a related event of grade 3"}}, "product-stopped"),
    "no such course": ({"attempt": {"course": "C9"}, "held": {"issued_for": "C9"}}, "course-unknown"),
    "given already": ({"standing": {"given": frozenset({"C1"})}}, "course-given"),
    "recorded as missed": ({"standing": {"missed": frozenset({"C1"})}}, "course-missed"),
    "later given": ({"standing": {"given": frozenset({"C2"})}}, "course-order"),
    "earlier not given": (
        {
            "attempt": {"course": "C2"},
            "held": {"issued_for": "C2"},
            "standing": {"visits_done": frozenset({"m1"})},
        },
        "course-order",
    ),
    "too early": ({"opens": date(2018, 3, 3)}, "course-window"),
    "too late": ({"closes": date(2018, 3, 1)}, "course-window"),
    "samples not taken": (
        {
            "attempt": {"course": "C2"},
            "held": {"issued_for": "C2"},
            "standing": {"missed": frozenset({"C1"})},
        },
        "course-after-visit",
    ),
    "ends before it starts": ({"attempt": {"ends_at": STARTED - timedelta(minutes=1)}}, "ends-before-start"),
    "told the next day": ({"attempt": {"told_at": STARTED + timedelta(hours=23)}}, "told-late"),
    "no such bag": ({"held": None}, "bag-unknown"),
    "bag running": ({"held": {"status": "infusing"}}, "bag-used"),
    "bag used": ({"held": {"status": "infused"}}, "bag-used"),
    "bag in stock": ({"held": {"status": "received", "issued_to": None, "issued_for": None}}, "bag-not-issued"),
    "bag destroyed": ({"held": {"status": "destroyed"}}, "bag-not-issued"),
    "bag of another": ({"held": {"issued_to": "P2"}}, "bag-other-participant"),
    "bag of another course": ({"held": {"issued_for": "C2"}}, "bag-other-course"),
    "other product": ({"lot": {"product": "t_cells"}}, "bag-other-product"),
    "donor not matched": ({"standing": {"matches": {"D2": DonorMatch("mismatch")}}}, "donor-not-matched"),
    "donor matches": ({"standing": {"matches": {"D1": DonorMatch("match")}}}, "donor-verdict"),
    "donor ambiguous": ({"standing": {"matches": {"D1": DonorMatch("ambiguous", "  ")}}}, "donor-verdict"),
    "lot in quarantine": ({"lot": {"status": "quarantine"}}, "lot-status"),
    "lot rejected": ({"lot": {"status": "rejected"}}, "lot-status"),
    "lot recalled": ({"lot": {"status": "recalled"}}, "lot-status"),
    "lot conditional": ({"lot": {"status": "conditionally released"}}, "lot-conditional"),
    "donor no longer eligible": ({"held": {"donor_not_eligible": "HBV positive"}}, "donor-not-eligible"),
    "late bad result": ({"held": {"results": results(sterility="POSITIVE")}}, "out-of-specification"),
    "result that does not tell": ({"held": {"results": results(viability="> 80")}}, "criterion-undecided"),
    "expired": (
        {"lot": {"expires_at": STARTED}, "label": {"expires_at": STARTED}, "attempt": {"ends_at": None}},
        "expired",
    ),
    "expires during": (
        {
            "lot": {"expires_at": STARTED + timedelta(minutes=30)},
            "label": {"expires_at": STARTED + timedelta(minutes=30)},
        },
        "expires-during",
    ),
    "too warm": ({"warm": Decimal("9.5")}, "storage-excursion"),
    "label of another bag": ({"label": {"bag": "B2"}}, "label-bag"),
    "label of another lot": ({"label": {"lot": "L2"}}, "label-lot"),
    "another wristband": ({"label": {"participant": "P2"}}, "label-participant"),
    "label of another day": ({"label": {"expires_at": EXPIRES + timedelta(days=1)}}, "label-expiry"),
    "label without expiry": ({"label": {"expires_at": None}}, "label-expiry"),
    "checker who released": ({"held": {"released_by": ("Nurse.WANG",)}}, "checker-released"),
    "one checker": ({"attempt": {"checked_by": ("nurse.li",)}}, "identity-checkers"),
    "one checker twice": ({"attempt": {"checked_by": ("nurse.li", " Nurse.LI ")}}, "identity-checkers"),
    "question unanswered": ({"attempt": {"preconditions": {"afebrile": True}}}, "precondition-unanswered"),
    "question answered no": (
        {"attempt": {"preconditions": {"afebrile": False, "no_infection": True}}},
        "precondition-no",
    ),
    "question unknown": (
        {"attempt": {"preconditions": {"afebrile": True, "no_infection": True, "fasting": True}}},
        "precondition-unknown",
    ),
    "weight missing": ({"attempt": {"weight_kg": None}}, "dose-limit"),
    "weight zero": ({"attempt": {"weight_kg": Decimal(0)}}, "weight"),
    "weight beyond belief": ({"attempt": {"weight_kg": Decimal(586)}}, "weight"),
    "weight of another": ({"standing": {"weight": RecordedWeight(Decimal(75), OPENS)}}, "weight-change"),
    "T cells": ({"held": {"results": results(cd3="15")}}, "dose-limit"),
    "endotoxin": ({"held": {"results": results(endotoxin="4.9")}, "attempt": {"weight_kg": Decimal(50)}}, "dose-limit"),
}  # fmt: skip


def changed(*changes: dict[str, object]) -> dict[str, object]:
    """The arguments of a good infusion with several changes on it, the later over the earlier."""
    parts = dict(GOOD)
    for change in changes:
        for part, value in change.items():
            held = parts["held"]
            if part == "label":
                parts["attempt"] = replace(parts["attempt"], label=replace(parts["attempt"].label, **value))
            elif part == "lot":
                if held is not None:
                    parts["held"] = replace(held, lot=replace(held.lot, **value))
            elif part == "warm":
                if held is not None:
                    found = excursions(PRODUCT.storage, [Temperature(RECEIVED, value)])
                    parts["held"] = replace(held, excursions=found)
            elif isinstance(value, dict):
                if parts[part] is not None:
                    parts[part] = replace(parts[part], **value)
            else:
                parts[part] = value
    return parts


def reasons_after(*changes: dict[str, object]):
    """The reasons against an infusion with the changes."""
    return check_infusion(**changed(*changes))
