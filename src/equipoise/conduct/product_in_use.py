"""What an amendment must keep of product: what there are lots of, and what was given to anybody."""

from __future__ import annotations

from collections.abc import Iterable

from equipoise.conduct.in_force import InForce
from equipoise.conduct.refusing import NotAccepted
from equipoise.ledger import Tables

NAMED_AT_MOST = 10


def check_product_kept(tables: Tables, new: InForce) -> None:
    """Let a new version pass that still has every product with lots, and every course that was given or is running.

    Otherwise an infusion under way could not be finished, and what was given would be in no plan.

    Raises:
        NotAccepted: naming the lots or the participants.
    """
    _check_products(tables, new)
    _check_courses(tables, new)


def _check_products(tables: Tables, new: InForce) -> None:
    kept = {product.id for product in new.protocol.products}
    gone: dict[str, list[str]] = {}
    for row in tables.rows("lot"):
        if row["product"] not in kept:
            gone.setdefault(str(row["product"]), []).append(str(row["lot"]))
    if gone:
        product, lots = next(iter(gone.items()))
        raise NotAccepted("products", product, f"has lots and is left out: {_named(lots)}", "keep the product")


def _check_courses(tables: Tables, new: InForce) -> None:
    arms = {str(row["participant"]): str(row["arm"]) for row in tables.rows("allocation")}
    products = {str(row["bag"]): str(row["product"]) for row in tables.rows("bag")}
    gone: dict[tuple[str, str], list[str]] = {}
    for row in tables.rows("infusion"):
        participant, course, product = str(row["participant"]), str(row["course"]), products[str(row["bag"])]
        regimen = new.regimens_of(arms[participant]).get(product)
        if regimen is None or course not in {part.id for part in regimen.courses}:
            gone.setdefault((product, course), []).append(participant)
    if gone:
        (product, course), participants = next(iter(gone.items()))
        problem = f"of {product} was started and is left out for who received it: {_named(participants)}"
        remedy = "keep the intervention, its product, and the course in its regimen"
        raise NotAccepted("courses", course, problem, remedy)


def _named(codes: Iterable[str]) -> str:
    listed = list(dict.fromkeys(codes))
    more = len(listed) - NAMED_AT_MOST
    return ", ".join(listed[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
