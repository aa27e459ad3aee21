"""Where each bag went: the chain of handovers, the balance, and the way from donor to recipient and back.

Chain of identity is the codes that link donor, lot, bag and participant; chain of custody is every handover with who,
when, where and how warm (21 CFR 1271.290; FACT-JACIE).
Terms: *handover* (one step of a bag), *holder* (who has the bag now), *link* (a bag with donor, lot and recipient).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeVar

from equipoise.donors.lots import Bag, Excursion, Lot, Temperature, excursions
from equipoise.donors.measured import plain
from equipoise.donors.reasons import Reason, minute, person_key, same_person
from equipoise.protocol.interventions import Storage

BagStatus = Literal["received", "issued", "infusing", "infused", "returned", "destroyed"]
Step = Literal["received", "issued", "handed over", "infusing", "infused", "returned", "destroyed"]

#: From which status each step may be taken; None is a bag that has not come yet.
STEP_FROM: Mapping[Step, tuple[BagStatus | None, ...]] = {
    "received": (None,),
    "issued": ("received", "returned"),
    "handed over": ("received", "issued", "returned"),
    "infusing": ("issued",),
    "infused": ("infusing",),
    "returned": ("issued",),
    "destroyed": ("received", "issued", "returned", "infused", "destroyed"),
}
WITHOUT_RECEIVER = ("infusing", "infused", "destroyed")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Handover:
    """One step of a bag.

    Args:
        bag: its code.
        step: what was done with it.
        at: when, with its offset.
        giver: who had it.
        receiver: who has it now; blank for infusing, infused and destroyed.
        place: where.
        celsius: temperature read of the bag; None when none was.
        volume_ml: given, for infused; destroyed, for destroyed, where None is all that is left.
        participant: to whom, for issued.
        course: for which course, for issued.
    """

    bag: str
    step: Step
    at: datetime
    giver: str
    receiver: str
    place: str
    celsius: Decimal | None = None
    volume_ml: Decimal | None = None
    participant: str | None = None
    course: str | None = None


def bag_status(chain: Sequence[Handover]) -> BagStatus | None:
    """Where a bag stands after its handovers; None before it came.

    What is left of an infused bag may be destroyed, and it stays infused. A bag of which a part was destroyed stands as
    destroyed, since its dose is no more that of its lot: the rest can only be destroyed too.
    """
    status: BagStatus | None = None
    for handover in chain:
        if handover.step != "handed over" and status != "infused":
            status = handover.step
    return status


def holder(chain: Sequence[Handover]) -> str | None:
    """Who has the bag; None before it came."""
    return next((one.receiver or one.giver for one in reversed(chain)), None)


def handover_reasons(bag: Bag, chain: Sequence[Handover], new: Handover) -> tuple[Reason, ...]:
    """Every reason against adding a step to a bag's chain; empty when it may be added.

    Codes: `bag-other`, `custody-step`, `custody-giver`, `custody-receiver`, `custody-same-person`, `custody-time`,
    `custody-issue`, `custody-volume`.
    """
    found = []
    status = bag_status(chain)
    if new.bag != bag.id or any(one.bag != bag.id for one in chain):
        found.append(Reason("bag-other", "bag", new.bag, f"is not bag {bag.id}", "scan the bag again"))
    if status not in STEP_FROM[new.step]:
        first = " or ".join(one or "not yet received" for one in STEP_FROM[new.step] if one != new.step)
        problem = f"cannot be {new.step}" if new.step != "handed over" else "cannot be handed over"
        found.append(Reason("custody-step", f"bag {bag.id}", status, problem, f"it must be {first} first"))
    holds = holder(chain)
    if not person_key(new.giver):
        found.append(Reason("custody-giver", "giver", None, "is blank", "name who gives the bag"))
    elif holds is not None and not same_person(new.giver, holds):
        problem = f"does not hold bag {bag.id}, {holds} does"
        found.append(Reason("custody-giver", "giver", new.giver, problem, "record the handover between them first"))
    if new.step not in WITHOUT_RECEIVER:
        if not person_key(new.receiver):
            found.append(Reason("custody-receiver", "receiver", None, "is blank", "name who takes the bag"))
        elif new.step == "handed over" and same_person(new.giver, new.receiver):
            problem = "is the giver too"
            found.append(Reason("custody-same-person", "receiver", new.receiver, problem, "name who takes the bag"))
    if new.step == "issued" and not (new.participant and new.course):
        problem = f"bag {bag.id} is issued to nobody"
        found.append(Reason("custody-issue", "participant", new.participant, problem, "name participant and course"))
    if chain and new.at < chain[-1].at:
        problem = f"is before the last handover, {minute(chain[-1].at)}"
        found.append(Reason("custody-time", "at", new.at, problem, "correct the time"))
    found += _volume_reasons(bag, chain, new)
    return tuple(found)


def _volume_reasons(bag: Bag, chain: Sequence[Handover], new: Handover) -> list[Reason]:
    if new.step not in ("infused", "destroyed"):
        return []
    left = balance_of(bag, chain).left_ml
    if new.step == "destroyed" and chain and left == 0:
        return [Reason("custody-volume", f"bag {bag.id}", None, "has nothing left", "record nothing")]
    if new.volume_ml is None:
        if new.step == "destroyed":
            return []
        return [Reason("custody-volume", "volume_ml", None, "is missing", "write the volume given in mL")]
    if not new.volume_ml.is_finite() or new.volume_ml < 0:
        return [Reason("custody-volume", "volume_ml", new.volume_ml, "is below zero", "write the volume in mL")]
    if new.volume_ml > left:
        problem = f"is above the {plain(left)} mL left in bag {bag.id}"
        return [Reason("custody-volume", "volume_ml", new.volume_ml, problem, "correct the volume")]
    return []


def chain_excursions(storage: Storage | None, chain: Sequence[Handover]) -> tuple[Excursion, ...]:
    """The temperatures outside storage that were read at handovers."""
    temperatures = (Temperature(one.at, one.celsius) for one in chain if one.celsius is not None)
    return excursions(storage, temperatures)


@dataclass(frozen=True, slots=True)
class BagBalance:
    """What became of a bag's volume, in mL."""

    bag: str
    received_ml: Decimal
    infused_ml: Decimal
    destroyed_ml: Decimal

    @property
    def left_ml(self) -> Decimal:
        """What is still to be accounted for; zero closes the bag."""
        return self.received_ml - self.infused_ml - self.destroyed_ml


@dataclass(frozen=True, slots=True)
class LotBalance:
    """What became of a lot's bags, in numbers of bags; `left_ml` is the volume still to be accounted for."""

    lot: str
    made: int
    in_stock: int
    issued: int
    infused: int
    destroyed: int
    left_ml: Decimal

    @property
    def difference(self) -> int:
        """Bags of the lot that no chain speaks of; zero when all are accounted for."""
        return self.made - self.in_stock - self.issued - self.infused - self.destroyed

    @property
    def closed(self) -> bool:
        """Whether every bag, to its last mL, was infused or destroyed."""
        return self.infused + self.destroyed == self.made and self.left_ml == 0


def balance_of(bag: Bag, chain: Sequence[Handover]) -> BagBalance:
    """A bag's balance after its handovers, each of which `handover_reasons` let pass."""
    received = bag.volume_ml if chain else Decimal(0)
    infused = destroyed = Decimal(0)
    for one in chain:
        if one.step == "infused" and one.volume_ml is not None:
            infused += one.volume_ml
        if one.step == "destroyed":
            destroyed += received - infused - destroyed if one.volume_ml is None else one.volume_ml
    return BagBalance(bag.id, received, infused, destroyed)


def lot_balance(lot: Lot, chains: Mapping[str, Sequence[Handover]]) -> LotBalance:
    """A lot's balance; `chains` are the handovers by bag."""
    own = {bag.id: chains.get(bag.id, ()) for bag in lot.bags}
    states = [bag_status(chain) for chain in own.values()]
    return LotBalance(
        lot.id,
        made=len(lot.bags),
        in_stock=states.count("received") + states.count("returned"),
        issued=states.count("issued") + states.count("infusing"),
        infused=states.count("infused"),
        destroyed=states.count("destroyed"),
        left_ml=sum((balance_of(bag, own[bag.id]).left_ml for bag in lot.bags), Decimal(0)),
    )


@dataclass(frozen=True, slots=True)
class Link:
    """One bag from donor to final disposition.

    `participant` and `course` are those who received it; None when nobody did. `status` is None for a bag of which no
    handover is known.
    """

    donor: str
    lot: str
    bag: str
    status: BagStatus | None
    participant: str | None
    course: str | None
    started_at: datetime | None


def links_of(lots: Iterable[Lot], chains: Mapping[str, Sequence[Handover]]) -> tuple[Link, ...]:
    """Every bag of every lot with who received it, in the order of lots and bags.

    A bag that was started counts as received, whether or not the infusion was finished.
    """
    return tuple(_link(lot, bag, chains.get(bag.id, ())) for lot in lots for bag in lot.bags)


def _link(lot: Lot, bag: Bag, chain: Sequence[Handover]) -> Link:
    started = next((one for one in chain if one.step == "infusing"), None)
    issued = [one for one in chain if one.step == "issued"]
    status = bag_status(chain)
    if started is None or not issued:
        return Link(lot.donor, lot.id, bag.id, status, None, None, None)
    return Link(lot.donor, lot.id, bag.id, status, issued[-1].participant, issued[-1].course, started.at)


@dataclass(frozen=True, slots=True)
class Trace:
    """The rows that belong to what was asked, and their donors, lots, bags and participants, each once and in order."""

    links: tuple[Link, ...]

    @property
    def donors(self) -> tuple[str, ...]:
        """Codes of the donors."""
        return _once(link.donor for link in self.links)

    @property
    def lots(self) -> tuple[str, ...]:
        """Codes of the lots."""
        return _once(link.lot for link in self.links)

    @property
    def bags(self) -> tuple[str, ...]:
        """Codes of the bags."""
        return _once(link.bag for link in self.links)

    @property
    def participants(self) -> tuple[str, ...]:
        """Who received any of the bags."""
        return _once(link.participant for link in self.links if link.participant is not None)


def trace(
    links: Iterable[Link],
    *,
    donor: str | None = None,
    lot: str | None = None,
    bag: str | None = None,
    participant: str | None = None,
) -> Trace:
    """Follow product in either direction: from a donor to everybody who received it, from a participant to donors.

    What is given narrows the rows; several are joined by and.
    """
    asked = {"donor": donor, "lot": lot, "bag": bag, "participant": participant}
    wanted = {field: code for field, code in asked.items() if code is not None}
    return Trace(tuple(link for link in links if all(getattr(link, field) == code for field, code in wanted.items())))


def _once(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
