"""Lots and bags of a product: what they are, which status follows which, expiry, and temperatures outside storage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from equipoise.donors.measured import plain
from equipoise.donors.reasons import ProductRefused, Reason
from equipoise.protocol.interventions import Product, Storage

LotStatus = Literal["quarantine", "conditionally released", "released", "rejected", "recalled"]

#: Which status may follow which. A released lot goes back to quarantine while a doubt is looked into.
STATUS_AFTER: Mapping[LotStatus, tuple[LotStatus, ...]] = {
    "quarantine": ("conditionally released", "released", "rejected", "recalled"),
    "conditionally released": ("released", "quarantine", "recalled"),
    "released": ("quarantine", "recalled"),
    "rejected": (),
    "recalled": (),
}


@dataclass(frozen=True, slots=True)
class Bag:
    """One container of a lot: its cells and its volume in mL."""

    id: str
    cells: Decimal
    volume_ml: Decimal

    def __post_init__(self) -> None:
        """Refuse a bag without a code, without cells or without volume."""
        _named("bag", self.id)
        for field, value in (("cells", self.cells), ("volume_ml", self.volume_ml)):
            if not (value.is_finite() and value > 0):
                raise ProductRefused(f"bag {self.id} {field}", value, "is not above zero", "write what was counted")


@dataclass(frozen=True, slots=True)
class LotResult:
    """The result of a release test, as reported.

    `invalidates` says why every earlier result of the criterion does not count; without it a repeated test stands
    beside the first and does not replace it.
    """

    criterion: str
    value: str
    at: datetime
    unit: str | None = None
    invalidates: str = ""

    def __post_init__(self) -> None:
        """Refuse a time without an offset."""
        _aware(f"result of {self.criterion}", self.at)


@dataclass(frozen=True, slots=True)
class Lot:
    """What was made of one donation, in one or more bags.

    Args:
        id: the lot's code.
        product: the product's id in the protocol.
        donor: the donor's code.
        donated_on: day of the donation.
        made_at: end of manufacture, from which the shelf life counts; in the trial's zone, since its day counts too.
        received_at: when it came into the trial's store.
        bags: at least one.
        expires_at: as its label says; None when it says nothing. An amended shelf life may end sooner, see `expiry`.
        status: where its release stands.
    """

    id: str
    product: str
    donor: str
    donated_on: date
    made_at: datetime
    received_at: datetime
    bags: tuple[Bag, ...]
    expires_at: datetime | None = None
    status: LotStatus = "quarantine"

    def __post_init__(self) -> None:
        """Refuse a lot without bags, with a bag named twice, or with times out of order."""
        for field, code in (("lot", self.id), ("donor", self.donor)):
            _named(field, code)
        if not self.bags:
            raise ProductRefused("bags", None, f"lot {self.id} has none", "enter each bag with cells and volume")
        ids = [bag.id for bag in self.bags]
        for bag_id in ids:
            if ids.count(bag_id) > 1:
                raise ProductRefused("bag", bag_id, "stands twice in the lot", "give each bag its own code")
        for field, at in (
            ("made_at", self.made_at),
            ("received_at", self.received_at),
            ("expires_at", self.expires_at),
        ):
            if at is not None:
                _aware(field, at)
        if self.received_at < self.made_at:
            remedy = "correct one of the two times"
            raise ProductRefused("received_at", self.received_at, f"is before made_at = {self.made_at}", remedy)
        if self.expires_at is not None and self.expires_at <= self.made_at:
            remedy = "correct one of the two times"
            raise ProductRefused("expires_at", self.expires_at, f"is not after made_at = {self.made_at}", remedy)

    def bag(self, bag_id: str) -> Bag | None:
        """The bag of that code; None when the lot has none."""
        return next((bag for bag in self.bags if bag.id == bag_id), None)


def check_donation(lot: Lot) -> None:
    """Let a lot pass whose donation was not after the day of its manufacture.

    Asked once, when it is received: were the trial's zone amended, a lot could seem to be made on the day before.

    Raises:
        ProductRefused: when it was.
    """
    made_on = lot.made_at.date()
    if lot.donated_on > made_on:
        remedy = "correct one of the two days"
        raise ProductRefused("donated_on", lot.donated_on, f"is after the day of manufacture, {made_on}", remedy)


def status_reasons(lot: Lot, to: LotStatus) -> tuple[Reason, ...]:
    """Why the lot may not take a status; empty when it may. Code: `lot-status`."""
    after = STATUS_AFTER[lot.status]
    if to in after:
        return ()
    remedy = f"it may become {' or '.join(after)}" if after else "nothing follows; receive another lot"
    return (Reason("lot-status", f"lot {lot.id}", lot.status, f"cannot become {to}", remedy),)


def expiry(lot: Lot, product: Product) -> datetime | None:
    """When the lot expires: as its label says, or at the end of the shelf life in force if sooner; None for neither.

    So an amendment may shorten what is left of a lot, and never lengthens it.
    """
    ends = [] if lot.expires_at is None else [lot.expires_at]
    if product.shelf_life is not None:
        ends.append(
            lot.made_at + timedelta(hours=product.shelf_life.hours or 0, days=product.shelf_life.days or 0),
        )
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature in degrees Celsius that was read of a bag or its store."""

    at: datetime
    celsius: Decimal


@dataclass(frozen=True, slots=True)
class Excursion:
    """A temperature outside storage."""

    at: datetime
    celsius: Decimal
    storage: Storage

    def __str__(self) -> str:
        """As `9.5 °C, outside 2 to 8 °C`."""
        least, most = plain_celsius(self.storage.min_celsius), plain_celsius(self.storage.max_celsius)
        return f"{plain_celsius(self.celsius)} °C, outside {least} to {most} °C"


def plain_celsius(value: Decimal) -> str:
    """A temperature in digits."""
    return plain(value) if value >= 0 else f"-{plain(-value)}"


def excursions(storage: Storage | None, temperatures: Iterable[Temperature]) -> tuple[Excursion, ...]:
    """The temperatures outside storage, in order; none where the protocol states no storage."""
    if storage is None:
        return ()
    return tuple(
        Excursion(one.at, one.celsius, storage)
        for one in temperatures
        if not storage.min_celsius <= one.celsius <= storage.max_celsius
    )


def _named(field: str, code: str) -> None:
    if not code.strip():
        raise ProductRefused(field, code, "is blank", "write its code")


def _aware(field: str, at: datetime) -> None:
    if at.utcoffset() is None:
        raise ProductRefused(field, at, "has no time zone", "give the time with its offset, such as +08:00")
