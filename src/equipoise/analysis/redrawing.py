"""The trial's allocation run again: the same procedure, the same participants in the same order, other draws.

Where the procedure can give these participants few allocations, all of them with their probabilities; otherwise draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.analysis.populations import answers_before_allocation
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.protocol.crosschecks import allocation_parameters
from equipoise.protocol.document import Protocol
from equipoise.randomisation import Method, Place, every_allocation, parse_method, redraw

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

Codes: TypeAlias = NDArray[np.int8]
MOST_LISTED = 200_000
PLANNED = ("random_allocation_rule", "maximal_procedure")


@dataclass(frozen=True, slots=True, eq=False)
class Redrawn:
    """Allocations that the trial's procedure could as well have made.

    `people` are the participants in order of allocation; `codes` (R, n) count the protocol's arms from 0.
    `probabilities` (R,) are there when the allocations are all that the procedure can make, None when they were drawn.
    """

    people: tuple[str, ...]
    codes: Codes
    probabilities: NDArray[np.float64] | None


def redrawn(protocol: Protocol, snapshot: Snapshot, draws: int, seed: int) -> Redrawn:
    """Every allocation of the trial's procedure, or draws from it where there are more than `MOST_LISTED`.

    Args:
        protocol: with an allocation of its own.
        snapshot: who was randomised, in which stratum and order.
        draws: how many draws, R.
        seed: of NumPy's PCG64; the same seed gives the same draws.

    Raises:
        CannotAnalyse: an order of allocation that is not known.
    """
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    if people["allocation_number"].isna().any():
        raise CannotAnalyse("allocation", None, "the order of allocation is not known", "leave the analysis out")
    ordered = people.sort_values(["stratum", "allocation_number"])
    places = places_of(protocol, snapshot, ordered)
    key = tuple((place.stratum, tuple(place.factors.items())) for place in places)
    return Redrawn(tuple(ordered["participant"]), *allocations(method_of(protocol), key, draws, seed, MOST_LISTED))


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


@lru_cache(maxsize=4)
def allocations(
    method: Method, key: tuple[tuple[str, tuple[tuple[str, str], ...]], ...], draws: int, seed: int, most: int
) -> tuple[Codes, NDArray[np.float64] | None]:
    """Codes and probabilities as `Redrawn` holds them; `key` has each place's stratum and factor levels.

    Kept for the analyses that share a seed, and for plans that are run again on the same participants.
    """
    places = [Place(stratum, dict(factors)) for stratum, factors in key]
    listed = every_allocation(method, places, most=most)
    codes, probabilities = (redraw(method, places, draws, seed), None) if listed is None else listed
    codes.setflags(write=False)
    return codes, probabilities
