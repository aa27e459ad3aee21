"""Record that a course is not given, and take that back when it was recorded by mistake."""

from __future__ import annotations

from datetime import datetime

from equipoise.conduct.acting import acting
from equipoise.conduct.details import words
from equipoise.conduct.in_force import check_known
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_record import missed_courses
from equipoise.conduct.refusing import OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor


def miss_course(
    trial: Trial, participant: str, course: str, *, cause: str, by: Actor, reason: str, at: datetime
) -> None:
    """Record that a course is not given, and why.

    Raises:
        NotFound: when the participant is not in this trial, or their arm has no such course.
        OutOfOrder: when they are not randomised, or it was given or missed already.
        NotAccepted: when the cause is blank.
    """
    with acting(trial, Kind.COURSE_MISSED, by=by, reason=reason, at=at) as act:
        person = act.participant(participant)
        in_force = act.in_force_for(person)
        allocated = act.writer.row("allocation", participant)
        if allocated is None:
            raise OutOfOrder("participant", participant, "is not randomised", "randomise first")
        regimens = in_force.regimens_of(str(allocated["arm"]))
        check_known("course", course, [part.id for regimen in regimens.values() for part in regimen.courses])
        if act.writer.row("infusion", participant, course) is not None:
            raise OutOfOrder("course", course, "was given already", "leave it")
        if course in missed_courses(act.writer, participant):
            raise OutOfOrder("course", course, "is recorded as missed already", "leave it")
        cause = words("cause", cause, "say why the course is not given")
        on = in_force.day_of(at).isoformat()
        payload = {"participant": participant, "course": course, "on": on, "cause": cause}
        act.append(payload, stream=participant, in_force=in_force)


def take_back_missed_course(
    trial: Trial, participant: str, course: str, *, by: Actor, reason: str, at: datetime
) -> None:
    """Take back that a course is recorded as missed: it is open again, to be given or recorded anew.

    Args:
        trial: the trial.
        participant: the participant's code.
        course: the course.
        by: who takes it back.
        reason: why it was wrong.
        at: when (UTC).

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: when the course is not recorded as missed.
    """
    with acting(trial, Kind.MISSED_COURSE_TAKEN_BACK, by=by, reason=reason, at=at) as act:
        person = act.participant(participant)
        if course not in missed_courses(act.writer, participant):
            raise OutOfOrder("course", course, f"is not recorded as missed for {participant}", "leave it")
        row = act.writer.row("missed_course", participant, course)
        assert row is not None, "what is recorded as missed has a row"
        in_force = act.in_force_for(person)
        payload = {
            "participant": participant,
            "course": course,
            "on": in_force.day_of(at).isoformat(),
            "missed_on": row["missed_on"],
            "cause": row["cause"],
        }
        act.append(payload, stream=participant, in_force=in_force)
