"""What of a donor could be given now: bags in the store, and those issued already to the one who is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from equipoise.donors.custody import STEP_FROM
from equipoise.donors.infusion import HeldBag, lot_reasons
from equipoise.donors.lots import expiry
from equipoise.protocol.interventions import Product


@dataclass(frozen=True, slots=True)
class StockedBag:
    """A bag that a participant could be given now.

    Args:
        bag: its code.
        lot: the code of its lot.
        product: the product's id.
        expires_at: when it can be given no more; None when it does not expire.
        conditional: whether its lot is released conditionally, so that somebody must say why it is used.
        issued_for: the course for which it is issued to this participant; None while it is in the store.
    """

    bag: str
    lot: str
    product: str
    expires_at: datetime | None
    conditional: bool
    issued_for: str | None


def stock_for(
    participant: str, bags: Iterable[HeldBag], *, products: Mapping[str, Product], at: datetime
) -> tuple[StockedBag, ...]:
    """The bags that a participant could be given at a moment, the first to expire first.

    A bag counts when it is in the store or issued to this participant, its donor is eligible, and neither its lot, its
    age nor a temperature speaks against it. What else an infusion asks (match, course, dose) is not asked here.

    Args:
        participant: their code.
        bags: of any donor and status.
        products: those that the participant may receive, by id; bags of others do not count.
        at: the moment, with its offset.
    """
    free = [held for held in bags if held.lot.product in products and _is_free(held, participant)]
    found = [
        _stocked(held, products[held.lot.product])
        for held in free
        if not held.donor_not_eligible and _can_be_given(held, products[held.lot.product], at)
    ]
    return tuple(sorted(found, key=lambda bag: (bag.expires_at is None, bag.expires_at or at, bag.bag)))


def _is_free(held: HeldBag, participant: str) -> bool:
    """Whether the bag can be issued, or is issued to this participant and not begun."""
    return held.status in STEP_FROM["issued"] or (held.status == "issued" and held.issued_to == participant)


def _can_be_given(held: HeldBag, product: Product, at: datetime) -> bool:
    return all(reason.code == "lot-conditional" for reason in lot_reasons(product, held, at=at))


def _stocked(held: HeldBag, product: Product) -> StockedBag:
    lot = held.lot
    issued_for = held.issued_for if held.status == "issued" else None
    conditional = lot.status == "conditionally released"
    return StockedBag(held.bag.id, lot.id, lot.product, expiry(lot, product), conditional, issued_for)
