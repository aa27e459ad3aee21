"""Receive a lot, record its results, release, reject and recall it.

Who makes or treats does not release: that is for the quality unit. A result that fails after the release sends the
lot back to quarantine, and the event names who received what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from equipoise.capture import number_text
from equipoise.conduct.acting import acting
from equipoise.conduct.details import Number, check_code, exact, moment, moment_text, words
from equipoise.conduct.donating import donor_row, donor_tests
from equipoise.conduct.in_force import check_known
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_record import (
    check_reasons,
    check_step,
    lot_of,
    lot_row,
    results_of,
    step_payload,
)
from equipoise.conduct.product_tables import RELEASED
from equipoise.conduct.refusing import NotAccepted, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.donors import (
    Bag,
    CriterionVerdict,
    Handover,
    Lot,
    LotResult,
    OutOfSpecification,
    Recipient,
    accepted_value,
    check_donation,
    donor_reasons,
    expiry,
    judge_criterion,
    judge_lot,
    out_of_specification,
    release_reasons,
    status_reasons,
)
from equipoise.ledger import Actor, Row, Tables


def receive_lot(
    trial: Trial,
    lot: str,
    *,
    product: str,
    donor: str,
    donated_on: date,
    made_at: datetime,
    expires_at: datetime | None = None,
    bags: Sequence[Bag],
    made: Mapping[str, str] | None = None,
    giver: str,
    place: str,
    celsius: Number | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> Lot:
    """Take a lot into the store, in quarantine. Every bag comes from `giver` into the hands of who acts.

    Args:
        trial: the trial.
        lot: its code.
        product: of the protocol.
        donor: the donor's code.
        donated_on: day of the donation.
        made_at: end of manufacture.
        expires_at: as the maker states it; the protocol's shelf life may end sooner.
        bags: each with its code, cells and volume in mL.
        made: other facts of the manufacture, in the maker's words.
        giver: who brought it.
        place: where it is stored.
        celsius: temperature on arrival.
        by: who receives it.
        reason: why.
        at: when (UTC).

    Returns:
        The lot, with the expiry that its label must say.

    Raises:
        NotFound: when there is no such product or donor.
        NotAccepted: when a code or detail is none.
        OutOfOrder: when the lot or one of its bags is there already.
        ProductRefused: when the lot cannot be as it is told.
    """
    with acting(trial, Kind.LOT_RECEIVED, by=by, reason=reason, at=at) as act:
        in_force = trial.newest(act.writer)
        part = in_force.product(product)
        donor_row(act.writer, donor)
        check_code("lot", lot, "L01")
        if act.writer.row("lot", lot) is not None:
            raise OutOfOrder("lot", lot, "is received already", "check the code")
        for bag in bags:
            check_code("bag", bag.id, "L01-1")
            if act.writer.row("bag", bag.id) is not None:
                raise OutOfOrder("bag", bag.id, "is received already", "check the code")
        ends = None if expires_at is None else moment("expires_at", expires_at)
        made_in_zone = moment("made_at", made_at).astimezone(in_force.timezone)
        received_in_zone = at.astimezone(in_force.timezone)
        received = Lot(lot, product, donor, donated_on, made_in_zone, received_in_zone, tuple(bags), ends)
        check_donation(received)
        facts = {name: words(f"made.{name}", text, "leave it out") for name, text in (made or {}).items()}
        warm = None if celsius is None else exact("celsius", celsius)
        steps = [Handover(bag.id, "received", at, giver, by.id, place, warm) for bag in bags]
        for bag, step in zip(bags, steps, strict=True):
            check_step(bag, (), step)
        last = expiry(received, part)
        payload = {
            "lot": lot,
            "product": product,
            "donor": donor,
            "donated_on": donated_on.isoformat(),
            "made_at": moment_text(moment("made_at", received.made_at)),
            "stated_expiry": None if ends is None else moment_text(ends),
            "expires_at": None if last is None else moment_text(moment("expires_at", last)),
            "made": facts,
            "status": received.status,
            "bags": [
                {
                    "cells": number_text(bag.cells),
                    "volume_ml": number_text(bag.volume_ml),
                    **step_payload(step, ()),
                }
                for bag, step in zip(bags, steps, strict=True)
            ],
        }
        act.append(payload, stream=lot_stream(lot), in_force=in_force)
    return replace(received, expires_at=last)


def record_lot_result(
    trial: Trial,
    lot: str,
    criterion: str,
    *,
    value: str,
    unit: str | None = None,
    invalidates: str = "",
    by: Actor,
    reason: str,
    at: datetime,
) -> CriterionVerdict:
    """Record the result of a release test, whatever became of the lot: late results are told too.

    Repeated results stand beside each other, unless one invalidates the others.

    Args:
        trial: the trial.
        lot: the lot's code.
        criterion: of the product's release.
        value: as the laboratory reports it: a number, a bound such as `< 0.05`, or a word such as NEGATIVE.
        unit: the criterion's.
        invalidates: why every earlier result of the criterion does not count; blank when they do.
        by: who records it.
        reason: why.
        at: when (UTC).

    Returns:
        What the criterion now says of the lot.

    Raises:
        NotFound: when there is no such lot or criterion.
        NotAccepted: when it is to invalidate results and there are none.
        ProductRefused: when the value or unit cannot be read.
    """
    with acting(trial, Kind.LOT_RESULT_RECORDED, by=by, reason=reason, at=at) as act:
        row = lot_row(act.writer, lot)
        in_force = trial.newest(act.writer)
        product = in_force.product(str(row["product"]))
        criteria = {part.id: part for part in product.release}
        check_known("criterion", criterion, criteria)
        before = results_of(act.writer, lot)
        if invalidates and criterion not in {result.criterion for result in before}:
            remedy = "leave invalidates out"
            raise NotAccepted("invalidates", invalidates, f"there is no earlier result of {criterion}", remedy)
        kept = accepted_value(criteria[criterion], value, unit)
        results = (*before, LotResult(criterion, kept, at, unit, invalidates))
        stands = lot_of(act.writer, row, in_force.timezone)
        verdict = judge_criterion(criteria[criterion], results, made_at=stands.made_at)
        alone = judge_criterion(criteria[criterion], results[-1:], made_at=stands.made_at)
        notices = [
            notice
            for notice in out_of_specification(product, stands, results, _received(act.writer, lot))
            if notice.criterion == criterion
        ]
        sent_back = row["status"] in RELEASED and any(notice.blocking for notice in notices)
        payload = {
            "lot": lot,
            "criterion": criterion,
            "test": criteria[criterion].test,
            "value": kept,
            "unit": unit,
            "invalidates": invalidates.strip() or None,
            "number": len(results),
            "passes": {"passes": True, "fails": False}.get(alone.verdict),
            "blocking": criteria[criterion].blocking,
            "due_on": None if verdict.due_on is None else verdict.due_on.isoformat(),
            "verdict": verdict.verdict,
            "text": verdict.text,
            "out_of_specification": [_notice(notice) for notice in notices],
            "status": "quarantine" if sent_back else None,
            "status_reason": str(notices[0]) if sent_back else None,
        }
        act.append(payload, stream=lot_stream(lot), in_force=in_force)
    return verdict


def release_lot(
    trial: Trial,
    lot: str,
    *,
    conditional: bool = False,
    certificate: str,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Release a lot, or release it conditionally while blocking results are to come by a known day.

    Args:
        trial: the trial.
        lot: the lot's code.
        conditional: whether results are still to come.
        certificate: the certificate of analysis, by its number or name.
        by: who releases, of the quality unit; nobody who has acted as investigator, or gave a bag of it.
        reason: why.
        at: when (UTC).

    Raises:
        NotFound: when there is no such lot.
        NotAccepted: when the certificate is blank.
        Against: with every reason against the release.
    """
    with acting(trial, Kind.LOT_RELEASED, by=by, reason=reason, at=at) as act:
        row = lot_row(act.writer, lot)
        in_force = trial.newest(act.writer)
        product = in_force.product(str(row["product"]))
        stands, results = lot_of(act.writer, row, in_force.timezone), results_of(act.writer, lot)
        certificate = words("certificate", certificate, "name the certificate of analysis")
        eligible = donor_row(act.writer, stands.donor)["eligible"]
        tests = donor_tests(act.writer, stands.donor)
        against = (
            *release_reasons(
                product,
                stands,
                results,
                conditional=conditional,
                donor_eligible=None if eligible is None else bool(eligible),
                released_by=by.id,
                investigators=[str(known["id"]) for known in act.writer.rows("investigator")],
                checkers=_checkers(act.writer, lot),
                at=at.astimezone(in_force.timezone),
            ),
            *donor_reasons(product.donor_eligibility, tests, donor=stands.donor, donated_on=stands.donated_on),
        )
        check_reasons("lot", lot, against)
        payload = {
            "lot": lot,
            "status": "conditionally released" if conditional else "released",
            "status_reason": None,
            "certificate": certificate,
            "verdicts": [
                {"criterion": verdict.criterion, "verdict": verdict.verdict, "text": verdict.text}
                for verdict in judge_lot(product, stands, results)
            ],
        }
        act.append(payload, stream=lot_stream(lot), in_force=in_force)


def reject_lot(trial: Trial, lot: str, *, statement: str, by: Actor, reason: str, at: datetime) -> None:
    """Reject a lot in quarantine.

    Raises:
        NotFound: when there is no such lot.
        NotAccepted: when the statement is blank.
        Against: when the lot is not in quarantine.
    """
    with acting(trial, Kind.LOT_REJECTED, by=by, reason=reason, at=at) as act:
        row = lot_row(act.writer, lot)
        in_force = trial.newest(act.writer)
        statement = words("statement", statement, "say why the lot is rejected")
        check_reasons("lot", lot, status_reasons(lot_of(act.writer, row, in_force.timezone), "rejected"))
        payload = {"lot": lot, "status": "rejected", "status_reason": statement}
        act.append(payload, stream=lot_stream(lot), in_force=in_force)


def recall_lot(
    trial: Trial, lot: str, *, statement: str, by: Actor, reason: str, at: datetime
) -> tuple[Recipient, ...]:
    """Recall a lot: no bag of it can be given any more.

    Returns:
        Who received a bag of it; the event names them, and the bags that are left.

    Raises:
        NotFound: when there is no such lot.
        NotAccepted: when the statement is blank.
        Against: when the lot is rejected or recalled already.
    """
    with acting(trial, Kind.LOT_RECALLED, by=by, reason=reason, at=at) as act:
        row = lot_row(act.writer, lot)
        in_force = trial.newest(act.writer)
        statement = words("statement", statement, "say why the lot is recalled")
        stands = lot_of(act.writer, row, in_force.timezone)
        check_reasons("lot", lot, status_reasons(stands, "recalled"))
        received = _received(act.writer, lot)
        given = {one.bag for one in received}
        payload = {
            "lot": lot,
            "status": "recalled",
            "status_reason": statement,
            "received": [{"bag": one.bag, "participant": one.participant} for one in received],
            "left": [bag.id for bag in stands.bags if bag.id not in given],
        }
        act.append(payload, stream=lot_stream(lot), in_force=in_force)
    return received


def lot_stream(lot: str) -> str:
    """The stream of a lot's events; never that of a participant."""
    return f"lot {lot}"


def _received(tables: Tables, lot: str) -> tuple[Recipient, ...]:
    """Who received which bag of a lot."""
    rows: list[Row] = tables.rows("infusion", lot=lot)
    return tuple(Recipient(str(row["bag"]), str(row["participant"])) for row in rows)


def _checkers(tables: Tables, lot: str) -> set[str]:
    """Who checked an infusion of a bag of a lot."""
    return {person for row in tables.rows("infusion", lot=lot) for person in json.loads(str(row["checked_by"]))}


def _notice(notice: OutOfSpecification) -> dict[str, object]:
    return {
        "text": str(notice),
        "received": [{"bag": one.bag, "participant": one.participant} for one in notice.received],
        "left": list(notice.left),
    }
