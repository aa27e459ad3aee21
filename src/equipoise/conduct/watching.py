"""Watch an infusion: vital signs by minutes from its start, and what was recorded wrongly of them put right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from equipoise.capture import number_text
from equipoise.conduct.acting import Act, acting
from equipoise.conduct.details import Number, exact
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_record import infusion_row
from equipoise.conduct.product_tables import VITAL_SIGNS
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Row

PLAUSIBLE: Mapping[str, tuple[int, int, str]] = {
    "temperature": (30, 45, "Cel"),
    "systolic": (40, 300, "mm[Hg]"),
    "diastolic": (20, 200, "mm[Hg]"),
    "pulse": (20, 300, "/min"),
    "respiration": (4, 80, "/min"),
    "saturation": (30, 100, "%"),
}
"""Between which numbers a vital sign can be, and its unit: beyond them it was mistyped."""
WATCHED_FROM, WATCHED_TO = -24 * 60, 30 * 24 * 60


def record_infusion_vital_signs(
    trial: Trial,
    participant: str,
    course: str,
    *,
    minutes: int,
    values: Mapping[str, Number],
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record vital signs at a time of an infusion.

    Args:
        trial: the trial.
        participant: who is infused.
        course: which course.
        minutes: from the start of the infusion; those before it negative.
        values: by name of `VITAL_SIGNS`: temperature in Cel, pressures in mm[Hg], pulse and respiration a minute,
            saturation in %.
        by: who measured.
        reason: why.
        at: when (UTC).

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: when the course was not started, or those minutes are recorded already.
        NotAccepted: when a name or number cannot be, or the minutes are to come.
    """
    with acting(trial, Kind.INFUSION_VITAL_SIGNS, by=by, reason=reason, at=at) as act:
        person = act.participant(participant)
        infusion = infusion_row(act, participant, course)
        _check_free("minutes", act, participant, course, minutes)
        _check_happened("minutes", act, infusion, minutes)
        if not values:
            raise NotAccepted("values", None, "are none", f"give some of {', '.join(VITAL_SIGNS)}")
        read = {name: _vital_sign(name, value) for name, value in values.items()}
        payload = {"participant": participant, "course": course, "minutes": minutes, "values": read}
        act.append(payload, stream=participant, in_force=act.in_force_for(person))


def correct_infusion_vital_signs(
    trial: Trial,
    participant: str,
    course: str,
    *,
    minutes: int,
    values: Mapping[str, Number | None] | None = None,
    right_minutes: int | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Put vital signs of an infusion right. What stood before is kept in the event.

    Args:
        trial: the trial.
        participant: who is or was infused.
        course: which course.
        minutes: those at which the signs are recorded.
        values: the signs that were wrong, as they should be; None takes one away that was not measured. The others stay
            as they are; when none is left, nothing is recorded for those minutes any more.
        right_minutes: those at which they were measured, when `minutes` is wrong.
        by: who corrects.
        reason: why it was wrong.
        at: when (UTC).

    Raises:
        NotFound: when the participant is not in this trial, or nothing is recorded for those minutes.
        OutOfOrder: when the course was not started, or other signs are recorded for the right minutes.
        NotAccepted: when a name or number cannot be, the right minutes are to come, or nothing differs from what
            stands there.
    """
    with acting(trial, Kind.INFUSION_VITAL_SIGNS_CORRECTED, by=by, reason=reason, at=at) as act:
        person = act.participant(participant)
        infusion = infusion_row(act, participant, course)
        row = _standing_row(act, participant, course, minutes)
        if row is None:
            problem = f"hold no vital signs of course {course}"
            raise NotFound("minutes", minutes, problem, "check the minutes, or record the vital signs")
        right = minutes if right_minutes is None else right_minutes
        if right != minutes:
            _check_free("right_minutes", act, participant, course, right)
            _check_happened("right_minutes", act, infusion, right)
        old = {name: str(row[name]) for name in VITAL_SIGNS if row[name] is not None}
        new = _corrected(old, values or {})
        if (right, new) == (minutes, old):
            raise NotAccepted("minutes", minutes, "nothing differs from what stands there", "leave it")
        payload = {
            "participant": participant,
            "course": course,
            "minutes": right,
            "values": new,
            "old_minutes": minutes,
            "old_values": old,
            "corrections": int(str(row["corrections"])) + 1,
        }
        act.append(payload, stream=participant, in_force=act.in_force_for(person))


def _corrected(old: Mapping[str, str], values: Mapping[str, Number | None]) -> dict[str, str]:
    new = dict(old)
    for name, value in values.items():
        if value is not None:
            new[name] = _vital_sign(name, value)
        elif new.pop(name, None) is None:
            raise NotAccepted("values", name, "is not recorded for those minutes", "leave it out")
    return new


def _standing_row(act: Act, participant: str, course: str, minutes: int) -> Row | None:
    """The vital signs of those minutes; None when there are none, or what was there was taken away."""
    row = act.writer.row("infusion_vital_signs", participant, course, minutes)
    return row if row is not None and row["stands"] else None


def _check_free(field: str, act: Act, participant: str, course: str, minutes: int) -> None:
    if type(minutes) is not int or not WATCHED_FROM <= minutes <= WATCHED_TO:
        raise NotAccepted(field, minutes, "are not minutes of an infusion", "count from its start")
    if _standing_row(act, participant, course, minutes) is not None:
        problem = f"are recorded already for course {course}"
        raise OutOfOrder(field, minutes, problem, "give the minutes at which it was measured")


def _check_happened(field: str, act: Act, infusion: Row, minutes: int) -> None:
    """Minutes are whole, so both times are cut to the minute before they are compared."""
    started, now = (
        time.astimezone(UTC).replace(second=0, microsecond=0)
        for time in (datetime.fromisoformat(str(infusion["started_at"])), act.at)
    )
    since = (now - started) // timedelta(minutes=1)
    if minutes > since:
        problem = f"are to come, the start was {since} min ago"
        raise NotAccepted(field, minutes, problem, "give the minutes at which it was measured, once it is")


def _vital_sign(name: str, raw: Number) -> str:
    if name not in PLAUSIBLE:
        raise NotAccepted("values", name, "is not a vital sign", f"use some of {', '.join(PLAUSIBLE)}")
    least, most, unit = PLAUSIBLE[name]
    value = exact(name, raw)
    if not least <= value <= most:
        raise NotAccepted(name, number_text(value), f"is not from {least} to {most} {unit}", "measure or type it again")
    return number_text(value)
