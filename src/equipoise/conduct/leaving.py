"""Record what departs from the plan: deviations, and participants who leave."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from equipoise.conduct.acting import acting, check_not_before, check_not_future, stream_of
from equipoise.conduct.in_force import nearest
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, NotPermitted, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, is_blank


def deviation(
    trial: Trial,
    participant: str | None,
    *,
    category: str,
    on: date,
    description: str,
    major: bool,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Report a deviation from the protocol, of a participant or (None) of the trial.

    Raises:
        NotFound: when the participant is not in this trial.
        NotPermitted: when a person bound to a site reports one of the whole trial.
        NotAccepted: when the category is not in the protocol, the day is to come, or the description is blank.
    """
    with acting(trial, Kind.DEVIATION_REPORTED, by=by, reason=reason, at=at) as act:
        if participant is None:
            if by.site is not None:
                problem = "is bound to a site and may not report for the whole trial"
                raise NotPermitted("actor", by.id, problem, "name the participant, or ask the data_manager")
            in_force = trial.newest(act.writer)
        else:
            in_force = act.in_force_for(act.participant(participant))
        categories = in_force.protocol.deviations
        if categories and category not in categories:
            raise NotAccepted("category", category, "is not in deviations", nearest(category, categories))
        check_not_future("on", on, in_force.day_of(at))
        if is_blank(description):
            raise NotAccepted("description", None, "is blank", "say what was done and what was planned")
        payload = {
            "participant": participant,
            "category": category,
            "on": on.isoformat(),
            "description": description.strip(),
            "major": major,
        }
        act.append(payload, stream=stream_of(participant), in_force=in_force)


def withdraw(
    trial: Trial,
    participant: str,
    *,
    scope: Literal["trial", "intervention"] = "trial",
    reason_code: str,
    on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record that a participant leaves the trial, or only the intervention (visits then go on).

    Args:
        trial: the trial.
        participant: the participant's code.
        scope: what is left.
        reason_code: one of the protocol's `discontinuation.trial` or `.intervention`.
        on: the day of leaving.
        by: who acts.
        reason: why it is recorded.
        at: when (UTC).

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: when the participant failed screening, left already, or leaves an intervention before allocation.
        NotAccepted: when the code is not the protocol's or the day cannot be.
    """
    with acting(trial, Kind.PARTICIPANT_WITHDRAWN, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        if row["failed_on"] is not None:
            problem = f"is a screen failure since {row['failed_on']}"
            raise OutOfOrder("participant", participant, problem, "nothing is left to withdraw from")
        left = {str(found["scope"]): found for found in act.writer.rows("withdrawal", participant=participant)}
        for earlier in ("trial", scope):
            if earlier in left:
                problem = f"left the {earlier} on {left[earlier]['withdrawn_on']}"
                raise OutOfOrder("participant", participant, problem, "it is recorded already")
        if scope == "intervention" and row["randomised_on"] is None:
            remedy = "withdraw from the trial, or record the screening failure"
            raise OutOfOrder("participant", participant, "is not randomised", remedy)
        in_force = act.in_force_for(row)
        discontinuation = in_force.protocol.discontinuation
        codes = discontinuation.trial if scope == "trial" else discontinuation.intervention
        if reason_code not in codes:
            problem = f"is not in discontinuation.{scope}"
            raise NotAccepted("reason_code", reason_code, problem, nearest(reason_code, codes))
        check_not_future("on", on, in_force.day_of(at))
        if row["randomised_on"] is None:
            check_not_before("on", on, row["screened_on"], "the day of screening")
        else:
            check_not_before("on", on, row["randomised_on"], "the day of randomisation")
        payload = {"participant": participant, "scope": scope, "reason_code": reason_code, "on": on.isoformat()}
        act.append(payload, stream=participant, in_force=in_force)
