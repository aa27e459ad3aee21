"""Issue a bag for a participant, hand it over, return it, destroy it: each step with who, where and how warm."""

from __future__ import annotations

from datetime import datetime

from equipoise.capture import number_text
from equipoise.conduct.acting import Act, acting
from equipoise.conduct.details import Number, exact, moment_text, quantity, words
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_record import (
    bag_of,
    bag_row,
    chain_of,
    check_reasons,
    check_step,
    held_bag,
    open_excursions,
    regimen_of,
    standing_of,
    step_payload,
)
from equipoise.conduct.refusing import NotAccepted, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.donors import Attempt, Handover, Label, Reason, Step, check_infusion
from equipoise.ledger import Actor, Row

ISSUE_CODES = frozenset(
    {
        "trial-stopped", "not-randomised", "withdrawn", "product-not-planned", "product-stopped", "course-unknown",
        "course-given", "course-missed", "bag-used", "bag-other-product", "donor-not-matched", "donor-verdict",
        "donor-not-eligible", "lot-status", "out-of-specification", "criterion-undecided", "criterion-pending",
        "expired", "storage-excursion",
    }
)  # fmt: skip
"""What already speaks against issuing a bag; the rest is asked when the infusion starts."""


def issue_bag(
    trial: Trial,
    bag: str,
    *,
    participant: str,
    course: str,
    receiver: str,
    place: str,
    celsius: Number | None = None,
    giver: str | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Issue a bag for a course of a participant.

    Args:
        trial: the trial.
        bag: the bag's code.
        participant: for whom.
        course: for which course.
        receiver: who takes it.
        place: where.
        celsius: its temperature.
        giver: who holds it; who acts when None.
        by: who acts.
        reason: why.
        at: when (UTC).

    Raises:
        NotFound: when the bag or participant is not in this trial.
        Against: with every reason against it: a lot that is not released, a donor who is not matched, and the like.
    """
    with acting(trial, Kind.BAG_ISSUED, by=by, reason=reason, at=at) as act:
        row = bag_row(act, bag)
        person = act.participant(participant)
        in_force = act.in_force_for(person)
        warm = None if celsius is None else exact("celsius", celsius)
        new = Handover(bag, "issued", at, giver or by.id, receiver, place, warm, None, participant, course)
        against = _against_issue(act, in_force, row, person, course)
        check_reasons("bag", bag, against)
        chain = chain_of(act.writer, bag)
        check_step(bag_of(row), chain, new)
        act.append(step_payload(new, chain), stream=bag_stream(bag), in_force=in_force)


def hand_over_bag(
    trial: Trial,
    bag: str,
    *,
    giver: str,
    receiver: str,
    place: str,
    celsius: Number | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record that a bag went from one hand into another.

    Raises:
        NotFound: when the bag is not in this trial.
        Against: when the giver does not hold it, or it was given or destroyed.
    """
    _move(trial, Kind.BAG_HANDED_OVER, "handed over", bag, (giver, receiver, place), celsius, by, reason, at)


def accept_excursion(trial: Trial, bag: str, *, statement: str, by: Actor, reason: str, at: datetime) -> None:
    """Say why a bag that was outside its storage temperatures may be used; what is read of it later counts again.

    Raises:
        NotFound: when the bag is not in this trial.
        NotAccepted: when the statement is blank.
        OutOfOrder: when no temperature outside storage is open.
    """
    with acting(trial, Kind.EXCURSION_ACCEPTED, by=by, reason=reason, at=at) as act:
        row = bag_row(act, bag)
        in_force = trial.newest(act.writer)
        statement = words("statement", statement, "say why the bag may be used")
        found = open_excursions(in_force.product(str(row["product"])), row, chain_of(act.writer, bag))
        if not found:
            raise OutOfOrder("bag", bag, "has no temperature outside storage that is open", "leave it")
        payload = {
            "bag": bag,
            "steps": row["steps"],
            "excursions": [{"at": moment_text(one.at), "celsius": number_text(one.celsius)} for one in found],
            "statement": statement,
        }
        act.append(payload, stream=bag_stream(bag), in_force=in_force)


def return_bag(
    trial: Trial,
    bag: str,
    *,
    giver: str,
    receiver: str,
    place: str,
    celsius: Number | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Take an issued bag back into the store; it is nobody's any more.

    Raises:
        NotFound: when the bag is not in this trial.
        Against: when it is not issued, or the giver does not hold it.
    """
    _move(trial, Kind.BAG_RETURNED, "returned", bag, (giver, receiver, place), celsius, by, reason, at)


def destroy_bag(
    trial: Trial,
    bag: str,
    *,
    giver: str | None = None,
    place: str,
    volume_ml: Number | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Destroy a bag, a part of it, or what is left of it; what was destroyed in part is given to nobody.

    Args:
        trial: the trial.
        bag: the bag's code.
        giver: who holds it; who acts when None.
        place: where.
        volume_ml: how much; all that is left when None.
        by: who destroys it.
        reason: why.
        at: when (UTC).

    Raises:
        NotFound: when the bag is not in this trial.
        Against: when it is being infused, or holds less or nothing.
    """
    with acting(trial, Kind.BAG_DESTROYED, by=by, reason=reason, at=at) as act:
        row = bag_row(act, bag)
        volume = None if volume_ml is None else quantity("volume_ml", volume_ml, "mL")
        new = Handover(bag, "destroyed", at, giver or by.id, "", place, None, volume)
        _append(act, row, new)


def bag_stream(bag: str) -> str:
    """The stream of a bag's events; never that of a participant."""
    return f"bag {bag}"


def _move(
    trial: Trial,
    kind: Kind,
    step: Step,
    bag: str,
    ways: tuple[str, str, str],
    celsius: Number | None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    giver, receiver, place = ways
    with acting(trial, kind, by=by, reason=reason, at=at) as act:
        row = bag_row(act, bag)
        warm = None if celsius is None else exact("celsius", celsius)
        _append(act, row, Handover(bag, step, at, giver, receiver, place, warm))


def _append(act: Act, row: Row, new: Handover) -> None:
    chain = chain_of(act.writer, new.bag)
    check_step(bag_of(row), chain, new)
    act.append(step_payload(new, chain), stream=bag_stream(new.bag), in_force=act.trial.newest(act.writer))


def _against_issue(act: Act, in_force: InForce, row: Row, person: Row, course: str) -> tuple[Reason, ...]:
    participant, product_id = str(person["participant"]), str(row["product"])
    product = in_force.product(product_id)
    allocated = act.writer.row("allocation", participant)
    regimen = regimen_of(in_force, None if allocated is None else str(allocated["arm"]), product_id)
    if regimen is None:
        raise NotAccepted("product", product_id, "is given to no arm of this protocol", "check the protocol")
    held = held_bag(act.writer, product, row, in_force.timezone)
    label = Label(held.bag.id, held.lot.id, participant, held.lot.expires_at)
    started = act.at.astimezone(in_force.timezone)
    reasons = check_infusion(
        Attempt(participant, course, held.bag.id, label, (), started),
        product=product,
        regimen=regimen,
        standing=standing_of(act.trial, in_force, act.writer, person, product_id, by_day=started.date()),
        held=held,
        opens=None,
        closes=None,
    )
    return tuple(reason for reason in reasons if reason.code in ISSUE_CODES)
