"""Screen a participant, record the consent, say who may enter and who may not."""

from __future__ import annotations

from datetime import date, datetime

from equipoise.conduct.acting import (
    Act,
    acting,
    check_in_trial,
    check_not_before,
    check_not_future,
    check_site,
)
from equipoise.conduct.eligibility import check_eligible, verdict_payload, verdicts
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted, NotEligible, OutOfOrder, listed
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row
from equipoise.protocol.design import ConsentForm


def screen(trial: Trial, *, site: str, on: date, by: Actor, reason: str, at: datetime) -> str:
    """Take a person into screening.

    Args:
        trial: the trial.
        site: the site's id.
        on: the day of screening.
        by: who acts.
        reason: why.
        at: when (UTC).

    Returns:
        The participant's code: site and running number, such as `01-001`.

    Raises:
        NotFound: when there is no such site, or it is not the person's.
        NotAccepted: when the day is to come, or the site has approved no protocol.
    """
    with acting(trial, Kind.PARTICIPANT_SCREENED, by=by, reason=reason, at=at) as act:
        check_site(by, site)
        in_force = trial.at_site(act.writer, site)
        check_not_future("on", on, in_force.day_of(at))
        row = act.writer.row("site", site)
        assert row is not None, "the site was found"
        number = int(row["screened"] or 0) + 1
        participant = f"{site}-{number:03d}"
        payload = {"participant": participant, "site": site, "number": number, "on": on.isoformat()}
        act.append(payload, stream=participant, in_force=in_force)
    return participant


def consent(
    trial: Trial,
    participant: str,
    *,
    consent_id: str,
    version: str,
    signed_on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record that a participant signed a version of a consent form.

    Raises:
        NotFound: when the participant is not in this trial.
        NotAccepted: when the protocol in force has no such form or version, or the day cannot be.
        OutOfOrder: when that version is signed already, or the participant has left.
    """
    with acting(trial, Kind.CONSENT_RECORDED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        check_in_trial(participant, row)
        in_force = act.in_force_for(row)
        form = _consent_form(in_force, consent_id, version)
        check_not_future("signed_on", signed_on, in_force.day_of(at))
        check_not_before("signed_on", signed_on, form.date, f"the date of version {version}")
        if act.writer.row("consent", participant, consent_id, version) is not None:
            problem = f"has signed {consent_id} version {version} already"
            raise OutOfOrder("participant", participant, problem, "record another version, or leave it")
        payload = {
            "participant": participant,
            "consent": consent_id,
            "version": version,
            "signed_on": signed_on.isoformat(),
            "first_signed_on": min(signed_on.isoformat(), str(row["consented_on"] or signed_on)),
        }
        act.append(payload, stream=participant, in_force=in_force)


def declare_eligible(trial: Trial, participant: str, *, by: Actor, reason: str, at: datetime) -> None:
    """Declare that a participant meets every criterion; the event keeps each verdict.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: without consent, or when declared already, randomised, failed or gone.
        NotEligible: naming every criterion that is not met or not known.
    """
    with acting(trial, Kind.ELIGIBILITY_DECLARED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        check_in_trial(participant, row)
        in_force = act.in_force_for(row)
        if row["declared_on"] is not None:
            problem = f"was declared eligible on {row['declared_on']}"
            raise OutOfOrder("participant", participant, problem, "go on to randomise")
        check_consented(act, in_force, row)
        found = verdicts(trial, in_force, act.writer, row)
        check_eligible(participant, found)
        on = in_force.day_of(at).isoformat()
        payload = {"participant": participant, "on": on, "verdicts": verdict_payload(found)}
        act.append(payload, stream=participant, in_force=in_force)


def fail_screening(
    trial: Trial, participant: str, *, reason_code: str | None = None, by: Actor, reason: str, at: datetime
) -> tuple[str, ...]:
    """Record that a participant does not enter.

    Args:
        trial: the trial.
        participant: the participant's code.
        reason_code: one of the protocol's `discontinuation.screening`; needed when no criterion is known to fail.
        by: who acts.
        reason: why.
        at: when (UTC).

    Returns:
        The ids of the criteria that are known to keep the participant out, computed from what was recorded.

    Raises:
        NotFound: when the participant is not in this trial.
        NotAccepted: when the reason code is not in the protocol.
        NotEligible: when no criterion fails and no reason is given.
        OutOfOrder: when the participant is randomised, failed or gone.
    """
    with acting(trial, Kind.SCREENING_FAILED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        check_in_trial(participant, row)
        if row["randomised_on"] is not None:
            problem = f"was randomised on {row['randomised_on']}"
            raise OutOfOrder("participant", participant, problem, "record a withdrawal or a deviation instead")
        in_force = act.in_force_for(row)
        _check_reason(in_force, reason_code)
        found = verdicts(trial, in_force, act.writer, row)
        failed = tuple(verdict.criterion for verdict in found if verdict.fails)
        if not failed and reason_code is None:
            codes = ", ".join(in_force.protocol.discontinuation.screening)
            remedy = f"record what fails, or give a reason code ({codes})" if codes else "record what fails"
            raise NotEligible("participant", participant, "no criterion is known to fail", remedy)
        payload = {
            "participant": participant,
            "on": in_force.day_of(at).isoformat(),
            "failed_criteria": list(failed),
            "reason_code": reason_code,
            "verdicts": verdict_payload(found),
        }
        act.append(payload, stream=participant, in_force=in_force)
    return failed


def check_consented(act: Act, in_force: InForce, participant: Row) -> None:
    """Let a participant pass who signed a version, valid today, of every form that covers the trial.

    Raises:
        OutOfOrder: naming what is not signed.
    """
    wanted: dict[str, list[str]] = {}
    for form in in_force.protocol.consents:
        if "trial" in form.covers:
            wanted.setdefault(form.id, []).append(form.version)
    code = str(participant["participant"])
    signed = {(row["consent"], row["version"]) for row in act.writer.rows("consent", participant=code)}
    lacking = [
        f"{consent_id} version {' or '.join(versions)}"
        for consent_id, versions in wanted.items()
        if not any((consent_id, version) in signed for version in versions)
    ]
    if lacking:
        problem = f"has not signed the consent in force: {listed(lacking)}"
        raise OutOfOrder("participant", code, problem, "obtain and record the consent first")


def _consent_form(in_force: InForce, consent_id: str, version: str) -> ConsentForm:
    forms = in_force.protocol.consents
    for form in forms:
        if (form.id, form.version) == (consent_id, version):
            return form
    there = ", ".join(f"{form.id} {form.version}" for form in forms)
    remedy = f"use one of {there}" if there else "amend the protocol to name its consent forms"
    raise NotAccepted("consent", f"{consent_id} {version}", "is not in the protocol in force", remedy)


def _check_reason(in_force: InForce, reason_code: str | None) -> None:
    codes = in_force.protocol.discontinuation.screening
    if reason_code is not None and reason_code not in codes:
        remedy = f"use one of {', '.join(codes)}" if codes else "amend the protocol to name its reasons"
        raise NotAccepted("reason_code", reason_code, "is not in discontinuation.screening", remedy)
