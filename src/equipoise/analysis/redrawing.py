"""The trial's allocation run again: the same procedure, the same participants in the same order, other draws."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.analysis.populations import answers_before_allocation
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.protocol.crosschecks import allocation_parameters
from equipoise.protocol.document import Protocol
from equipoise.randomisation import Method, Place, parse_method, redraw

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

Codes: TypeAlias = NDArray[np.int8]
PLANNED = ("random_allocation_rule", "maximal_procedure")


def redrawn(protocol: Protocol, snapshot: Snapshot, draws: int, seed: int) -> tuple[tuple[str, ...], Codes]:
    """Allocations that the trial's procedure could as well have made.

    Args:
        protocol: with an allocation of its own.
        snapshot: who was randomised, in which stratum and order.
        draws: how many, R.
        seed: of NumPy's PCG64; the same seed gives the same draws.

    Returns:
        The participants in order of allocation, and (R, n) codes that count the protocol's arms from 0.

    Raises:
        CannotAnalyse: an order of allocation that is not known.
    """
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    if people["allocation_number"].isna().any():
        raise CannotAnalyse("allocation", None, "the order of allocation is not known", "leave the analysis out")
    ordered = people.sort_values(["stratum", "allocation_number"])
    places = tuple(places_of(protocol, snapshot, ordered))
    return tuple(ordered["participant"]), drawn(method_of(protocol), places, draws, seed)


def method_of(protocol: Protocol) -> Method:
    """The trial's method of allocation."""
    allocation = protocol.allocation
    parameters = allocation_parameters(allocation)
    if allocation.method in PLANNED:
        parameters["n"] = protocol.population.planned
    return parse_method(allocation.method, protocol.arm_ids, allocation.ratio, **parameters)


def places_of(protocol: Protocol, snapshot: Snapshot, people: pd.DataFrame) -> list[Place]:
    """Each participant's place: the stratum as recorded, and the levels that minimisation balances."""
    factors = protocol.allocation.factors
    answers = answers_before_allocation(protocol, snapshot) if factors else {}
    places = []
    for person in people.to_dict("records"):
        known: Mapping[str, object] = {**answers.get(person["participant"], {}), "site": person["site"]}
        levels = {name: level_text(known.get(name)) for name in factors}
        places.append(Place(person["stratum"] or "", levels))
    return places


def level_text(value: object) -> str:
    """A level as the record holds it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def drawn(method: Method, places: tuple[Place, ...], draws: int, seed: int) -> Codes:
    """(R, n) arm codes of the places."""
    key = tuple((place.stratum, tuple(place.factors.items())) for place in places)
    return _drawn(method, key, draws, seed)


@lru_cache(maxsize=4)
def _drawn(method: Method, key: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], draws: int, seed: int) -> Codes:
    """Kept for the analyses that share a seed, and for plans that are run again on the same participants."""
    codes = redraw(method, [Place(stratum, dict(factors)) for stratum, factors in key], draws, seed)
    codes.setflags(write=False)
    return codes
