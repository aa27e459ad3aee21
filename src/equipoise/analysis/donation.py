"""Donors and product in numbers: who was typed, eligible and matched, whose product was given; lots and bags.

Donors are codes here as everywhere in the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from equipoise.analysis.counting import count_row
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

VERDICTS = ("mismatch", "match", "ambiguous", "not-evaluable")
LOT_STATES = ("quarantine", "conditionally released", "released", "rejected", "recalled")
BAG_STATES = ("received", "issued", "infusing", "infused", "returned", "destroyed")


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `donors.…`, `matches.…`, `lots.<status>` and `bags.<status>`; none where the protocol has no product."""
    if not protocol.products or snapshot.source != "ledger":
        return Answer()
    return Answer((*donor_rows(snapshot), *match_rows(snapshot), *product_rows(snapshot)))


def donor_rows(snapshot: Snapshot) -> Iterator[Row]:
    """How many donors there are, how they stand, and of each how many lots, infusions and recipients."""
    donors, given = snapshot.donors, snapshot.infusions
    n = len(donors)
    yield count_row("donors", "registered", count=n, label="donors registered")
    yield count_row("donors", "typed", count=int(donors["hla"].notna().sum()), n=n, label="donors typed")
    yield count_row("donors", "eligible", count=int(donors["eligible"].eq(True).sum()), n=n, label="donors eligible")
    served = set(given["donor"].dropna())
    yield count_row("donors", "served", count=len(served), n=n, label="donors whose product was given")
    for donor in donors["donor"]:
        own = given[given["donor"] == donor]
        lots = int((snapshot.lots["donor"] == donor).sum())
        path = ("donors", "of", str(donor))
        yield count_row(*path, "lots", count=lots, n=len(snapshot.lots), term=str(donor))
        yield count_row(*path, "infusions", count=len(own), n=len(given), term=str(donor))
        yield count_row(*path, "recipients", count=own["participant"].nunique(), term=str(donor))


def match_rows(snapshot: Snapshot) -> Iterator[Row]:
    """How many pairs were matched, with which verdict, and how many participants have a donor by the rule."""
    matches = snapshot.matches
    asked = matches["participant"].nunique()
    yield count_row("matches", "pairs", count=len(matches), label="pairs matched")
    for verdict in VERDICTS:
        count = int((matches["verdict"] == verdict).sum())
        yield count_row("matches", "verdict", verdict, count=count, n=len(matches), term=verdict)
    yield count_row("matches", "participants", count=asked, label="participants matched")
    can = matches.loc[matches["verdict"] == "mismatch", "participant"].nunique()
    yield count_row("matches", "participants", "mismatch", count=can, n=asked, label="with a mismatched donor")


def product_rows(snapshot: Snapshot) -> Iterator[Row]:
    """How many lots and bags stand where."""
    for name, frame, states in (("lots", snapshot.lots, LOT_STATES), ("bags", snapshot.bags, BAG_STATES)):
        yield count_row(name, "in_all", count=len(frame), label=f"{name} received")
        for state in states:
            yield count_row(name, state, count=int((frame["status"] == state).sum()), n=len(frame), term=state)
