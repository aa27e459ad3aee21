"""Start a course at the bedside, once it is checked.

Every refused attempt to start is recorded with all its reasons, whoever made it, and nothing is recorded as given. What
cannot be recorded is an attempt without a reason or with a clock set back: no event can be made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from equipoise.capture import number_text
from equipoise.conduct.acting import Act
from equipoise.conduct.details import Number, check_past, exact, moment, moment_text, quantity
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.permissions import PERMITTED, check_actor, check_permitted
from equipoise.conduct.product_record import (
    bag_row,
    chain_of,
    held_bag,
    reasons_payload,
    regimen_of,
    standing_of,
    step_payload,
)
from equipoise.conduct.refusing import InfusionRefused, Locked, NotAccepted
from equipoise.conduct.stopping_watch import Start, pause_of, standings_after_start
from equipoise.conduct.tables import TRIAL
from equipoise.conduct.trials import Trial, trial_row
from equipoise.donors import (
    Attempt,
    Handover,
    HeldBag,
    Label,
    Reason,
    check_infusion,
    handover_reasons,
    holder,
    planned_dose,
    same_person,
    start_findings,
)
from equipoise.ledger import Actor, Row
from equipoise.protocol.interventions import Product, Regimen
from equipoise.refusals import Refusal, shown


def start_infusion(
    trial: Trial,
    participant: str,
    course: str,
    bag: str,
    *,
    label: Label,
    second: Actor,
    further: Sequence[Actor] = (),
    preconditions: Mapping[str, bool | None],
    weight_kg: Number | None,
    started_at: datetime | None = None,
    ends_at: datetime | None = None,
    accept_conditional: str = "",
    accept_weight: str = "",
    told_late: str = "",
    place: str = "",
    celsius: Number | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> tuple[Reason, ...]:
    """Start a course, once two persons have compared bag, label and wristband and nothing speaks against it.

    One transaction: what is checked cannot change before the start is recorded, so that a bag and a course are given
    once, whoever else tries at the same moment.

    Args:
        trial: the trial.
        participant: who is to receive it.
        course: which course.
        bag: the bag's code, as scanned.
        label: what was read at the bedside.
        second: who compared it beside the one who acts.
        further: who else did, where the protocol asks for more than two.
        preconditions: answers by id.
        weight_kg: of the participant today; None when not measured.
        started_at: when; `at` when None.
        ends_at: when it is expected to end, if told.
        accept_conditional: why a conditionally released lot is used.
        accept_weight: why the weight differs so much from that recorded last.
        told_late: why the start is told so long after it.
        place: where.
        celsius: temperature of the bag.
        by: who acts, and holds the bag (or another of those who compared it does).
        reason: why.
        at: when (UTC).

    Returns:
        What must be noted, such as a start that is told late; the event keeps it.

    Raises:
        InfusionRefused: with every reason against it; the attempt is recorded.
        NotPermitted, Locked, NotFound, NotAccepted: as for every act; the attempt is recorded too.
    """
    refused: Refusal
    with trial.ledger.writing() as writer:
        act = Act(trial, Kind.INFUSION_STARTED, writer, by, reason, at, "act")
        asked = {"participant": participant, "course": course, "bag": bag}
        others = (second, *further)
        told = _told(label, others)
        try:
            _check_may_act(act, others)
            _check_readable(asked)
            bedside = _at_bedside(act, participant, course, bag)
            times = _times(bedside, started_at, ends_at)
            accepted = {
                "accept_conditional": accept_conditional,
                "accept_weight": accept_weight,
                "told_late": told_late,
            }
            attempt = _attempt(bedside, asked, label, others, times, weight_kg, preconditions, accepted)
            warm = None if celsius is None else exact("celsius", celsius)
            step = Handover(bag, "infusing", attempt.started_at, _hands(bedside, by, others), "", place, warm)
            against = _against(bedside, attempt, step, others)
            if not against:
                return _append_start(bedside, attempt, step, told)
            refused = InfusionRefused(bag, against)
            codes = reasons_payload(against)
        except Refusal as refusal:
            refused = refusal
            codes = [{"code": _code_of(refusal), "text": str(refusal)}]
        _append_refusal(act, asked, told, codes)
    raise refused


@dataclass(frozen=True, slots=True)
class _Bedside:
    """What the record holds of those who meet at the bedside."""

    act: Act
    in_force: InForce
    person: Row
    product: Product
    regimen: Regimen
    held: HeldBag
    arm: str | None


def _check_may_act(act: Act, others: Sequence[Actor]) -> None:
    check_permitted(act.kind, act.by)
    for one in others:
        check_actor(one)
    row = trial_row(act.writer)
    if row["locked"]:
        raise Locked("trial", row["code"], "is locked", "ask the data_manager to unlock it")


def _told(label: Label, others: Sequence[Actor]) -> dict[str, Any]:
    """The label as read and the other persons, on one line each: what is scanned may be anything, and is kept."""
    read: dict[str, Any] = {name: shown(getattr(label, name)) for name in ("bag", "lot", "participant")}
    read |= {"expires_at": None if label.expires_at is None else label.expires_at.isoformat()}
    second, *further = [
        {"id": shown(one.id), "role": shown(one.role), "site": None if one.site is None else shown(one.site)}
        for one in others
    ]
    return {"label": read, "second": second, "further": further}


def _check_readable(asked: Mapping[str, str]) -> None:
    for name, code in asked.items():
        if shown(code) != code:
            raise NotAccepted(name, code, "holds what no code does", "stop; scan it again")


def _at_bedside(act: Act, participant: str, course: str, bag: str) -> _Bedside:
    person = act.participant(participant)
    in_force = act.in_force_for(person)
    row = bag_row(act, bag)
    product = in_force.product(str(row["product"]))
    allocated = act.writer.row("allocation", participant)
    arm = None if allocated is None else str(allocated["arm"])
    regimen = regimen_of(in_force, arm, product.id)
    if regimen is None:
        raise NotAccepted("product", product.id, "is given to no arm of this protocol", "check the protocol")
    held = held_bag(act.writer, product, row, in_force.timezone)
    return _Bedside(act, in_force, person, product, regimen, held, arm)


def _times(
    bedside: _Bedside, started_at: datetime | None, ends_at: datetime | None
) -> tuple[datetime, datetime | None]:
    """Start and expected end in the trial's zone."""
    act, zone = bedside.act, bedside.in_force.timezone
    started = act.at if started_at is None else moment("started_at", started_at)
    check_past("started_at", started, act.at)
    ends = None if ends_at is None else moment("ends_at", ends_at).astimezone(zone)
    return started.astimezone(zone), ends


def _attempt(
    bedside: _Bedside,
    asked: Mapping[str, str],
    label: Label,
    others: Sequence[Actor],
    times: tuple[datetime, datetime | None],
    weight_kg: Number | None,
    preconditions: Mapping[str, bool | None],
    accepted: Mapping[str, str],
) -> Attempt:
    if label.expires_at is not None:
        moment("label.expires_at", label.expires_at)
    for name, answer in preconditions.items():
        if answer is not None and not isinstance(answer, bool):
            raise NotAccepted(f"preconditions.{name}", answer, "is neither yes nor no", "answer True or False")
    started, ends = times
    return Attempt(
        **asked,
        label=label,
        checked_by=(bedside.act.by.id, *(one.id for one in others)),
        started_at=started,
        preconditions=dict(preconditions),
        weight_kg=None if weight_kg is None else quantity("weight_kg", weight_kg, "kg"),
        ends_at=ends,
        told_at=bedside.act.at.astimezone(bedside.in_force.timezone),
        **accepted,
    )


def _hands(bedside: _Bedside, by: Actor, others: Sequence[Actor]) -> str:
    """Who of those at the bedside holds the bag, as far as the record tells; otherwise who acts."""
    holds = holder(chain_of(bedside.act.writer, bedside.held.bag.id))
    return next((one.id for one in others if holds is not None and same_person(one.id, holds)), by.id)


def _against(bedside: _Bedside, attempt: Attempt, step: Handover, others: Sequence[Actor]) -> list[Reason]:
    act, product = bedside.act, bedside.product
    on = bedside.person["randomised_on"]
    planned = {} if on is None else _planned(bedside, date.fromisoformat(str(on)))
    plan = planned.get(attempt.course)
    found = list(
        check_infusion(
            attempt,
            product=product,
            regimen=bedside.regimen,
            standing=standing_of(
                act.trial, bedside.in_force, act.writer, bedside.person, product.id, by_day=attempt.started_at.date()
            ),
            held=bedside.held,
            opens=plan.opens if plan else None,
            closes=plan.closes if plan else None,
        )
    )
    paused = pause_of(act.trial.newest(act.writer).protocol, act.writer, "infusion")
    if paused is not None:
        found.append(Reason("stopping-rule", paused.field, paused.value, paused.problem, paused.remedy))
    chain = chain_of(act.writer, bedside.held.bag.id)
    steps = handover_reasons(bedside.held.bag, chain, step)
    found += [reason for reason in steps if reason.code in ("custody-giver", "custody-time")]
    strangers = [(place, one) for place, one in enumerate(others) if not _of_the_ward(bedside, one)]
    return found + [_not_of_the_ward(bedside, one, place) for place, one in strangers]


def _of_the_ward(bedside: _Bedside, person: Actor) -> bool:
    return person.role in PERMITTED[bedside.act.kind] and person.site in (None, bedside.person["site"])


def _not_of_the_ward(bedside: _Bedside, person: Actor, place: int) -> Reason:
    field = "second" if place == 0 else f"further[{place - 1}]"
    problem = f"is not a {' or '.join(sorted(PERMITTED[bedside.act.kind]))} of the participant's site"
    return Reason("second-checker", field, person.id, problem, "let one who is compare bag and wristband")


def _planned(bedside: _Bedside, anchor: date) -> Mapping[str, Any]:
    return {} if bedside.arm is None else bedside.in_force.planned_courses(bedside.arm, anchor)


def _append_start(bedside: _Bedside, attempt: Attempt, step: Handover, told: Mapping[str, Any]) -> tuple[Reason, ...]:
    act, held = bedside.act, bedside.held
    found = start_findings(attempt, product=bedside.product, held=held)
    chain = chain_of(act.writer, held.bag.id)
    planned = planned_dose(bedside.regimen, attempt.weight_kg)
    payload = {
        "participant": attempt.participant,
        "course": attempt.course,
        "lot": held.lot.id,
        "donor": held.lot.donor,
        "started_at": moment_text(step.at.astimezone(UTC)),
        "on": attempt.started_at.date().isoformat(),
        "volume_ml": number_text(held.bag.volume_ml),
        "weight_kg": None if attempt.weight_kg is None else number_text(attempt.weight_kg),
        "planned_dose": None if planned is None else number_text(planned),
        "preconditions": dict(attempt.preconditions),
        "accept_conditional": attempt.accept_conditional.strip() or None,
        "accept_weight": attempt.accept_weight.strip() or None,
        "told_late": attempt.told_late.strip() or None,
        "checked_by": list(attempt.checked_by),
        "stopping": _standings(bedside, attempt),
        "findings": reasons_payload(found),
        **told,
        **step_payload(step, chain),
    }
    act.append(payload, stream=attempt.participant, in_force=bedside.in_force)
    return found


def _standings(bedside: _Bedside, attempt: Attempt) -> list[dict[str, Any]]:
    """Where the stopping rules of the arm stand once this infusion is started."""
    act = bedside.act
    assert bedside.arm is not None, "who is infused was randomised"
    protocol = act.trial.newest(act.writer).protocol
    start = Start(attempt.started_at.date().isoformat(), moment_text(attempt.started_at.astimezone(UTC)))
    return standings_after_start(protocol, act.writer, attempt.participant, bedside.arm, start)


def _append_refusal(
    act: Act, asked: Mapping[str, str], told: Mapping[str, Any], reasons: Sequence[Mapping[str, str]]
) -> None:
    """The refused attempt, under the participant's stream where there is one of that code."""
    plain = {name: shown(code) for name, code in asked.items()}
    known = act.writer.row("participant", plain["participant"]) is not None
    act.writer.append(
        Kind.INFUSION_REFUSED,
        {**plain, **told, "reasons": list(reasons)},
        stream=plain["participant"] if known else TRIAL,
        by=act.by,
        reason=act.reason,
        at=act.at,
        source=act.source,
        protocol_hash=act.trial.newest(act.writer).hash,
    )


def _code_of(refusal: Refusal) -> str:
    """A refusal that is not of the rules, by its kind: `not-found`, `not-permitted`, `locked`, `not-accepted`."""
    name = type(refusal).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
