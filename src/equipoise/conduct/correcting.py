"""Correct what was recorded. What stood before is kept, with who changed it, when and why."""

from __future__ import annotations

from datetime import date, datetime

from equipoise.capture import Answer, AnswerError, Finding, FormSheet, Missing
from equipoise.capture.forms import read_answer
from equipoise.conduct.acting import Act, acting
from equipoise.conduct.in_force import DATED, check_known
from equipoise.conduct.kinds import Kind
from equipoise.conduct.recording import (
    Comments,
    changes,
    check_findings,
    check_visit_day,
    findings_payload,
    new_findings,
)
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.conduct.visit_data import NO_ANSWER, Page, VisitData, visit_data
from equipoise.ledger import Actor


def correct(
    trial: Trial,
    participant: str,
    visit: str,
    form: str,
    item: str,
    value: object,
    *,
    repeat: int = 1,
    comment: str | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> tuple[Finding, ...]:
    """Set one item of a recorded form anew.

    What follows is corrected with it: derived items are computed again, items no longer asked lose their answer, on
    every form of the visit that reads the item.

    Args:
        trial: the trial.
        participant: the participant's code.
        visit: the visit's id; with its date for an unscheduled one, as `extra@2018-05-02`.
        form: the form's id.
        item: the item's id.
        value: the right answer; None takes an answer away that is not required; `Missing(code)` where there is none.
        repeat: which page of a repeating form.
        comment: what to say of the doubts that the correction raises.
        by: who corrects.
        reason: why the answer was wrong.
        at: when (UTC).

    Returns:
        The doubts that the correction raises, commented on.

    Raises:
        NotFound: when participant, visit, form or item is not there.
        NotAccepted: when the value cannot be read, is what stands already, or the item is computed or not asked.
        FormRefused: with every fault that the correction would make, and every doubt without a comment.
    """
    with acting(trial, Kind.ITEM_CORRECTED, by=by, reason=reason, at=at) as act:
        return _set(act, participant, visit, (form, repeat), item, value, comment)


def mark_missing(
    trial: Trial,
    participant: str,
    visit: str,
    form: str,
    item: str,
    code: str,
    *,
    repeat: int = 1,
    comment: str | None = None,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Say by a missing code why an item of a recorded form has no answer. What stood there is kept in the trail.

    Raises:
        NotFound: when participant, visit, form or item is not there.
        NotAccepted: when the code is not one of the item's, or stands there already.
    """
    with acting(trial, Kind.ITEM_MISSING, by=by, reason=reason, at=at) as act:
        _set(act, participant, visit, (form, repeat), item, Missing(code), comment)


def correct_visit_date(
    trial: Trial, participant: str, visit: str, day: date, *, by: Actor, reason: str, at: datetime
) -> None:
    """Set the date of a planned visit anew.

    Raises:
        NotFound: when participant or visit is not there.
        OutOfOrder: when the visit did not take place.
        NotAccepted: when the date stands there already or cannot be.
        FormRefused: when an answer of the visit contradicts the new date.
    """
    with acting(trial, Kind.VISIT_REDATED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        old = _day_of_visit(act, participant, visit)
        if DATED in visit:
            problem = "is named by its date"
            raise NotAccepted("visit", visit, problem, "record it under the right date, and say so in a deviation")
        if day == old:
            raise NotAccepted("visit_date", day, "is what stands there", "leave it")
        check_visit_day(act, in_force, row, visit, day)
        before = visit_data(in_force, act.writer, participant, visit, old)
        pages = before.reading(["visit"])
        after = VisitData(in_force, day, before.pages).settled(pages)
        changed = changes(act.writer, participant, visit, before, after, pages)
        names = {f"{change['form']}.{change['item']}" for change in changed}
        check_findings(visit, new_findings(before, after, pages, {"visit.date", *names}), {})
        payload = {
            "participant": participant,
            "visit": visit,
            "old": old.isoformat(),
            "new": day.isoformat(),
            "changes": changed,
        }
        act.append(payload, stream=participant, in_force=in_force)


def _set(
    act: Act, participant: str, visit: str, page: Page, item: str, value: object, comment: str | None
) -> tuple[Finding, ...]:
    in_force = act.in_force_for(act.participant(participant))
    before = visit_data(in_force, act.writer, participant, visit, _day_of_visit(act, participant, visit))
    if page not in before.pages:
        name = f"{visit}.{page[0]}" if page[1] == 1 else f"{visit}.{page[0]} page {page[1]}"
        raise NotFound("form", name, f"is not recorded for {participant}", "record the form instead")
    sheet = before.sheet(page)
    check_known("item", item, tuple(sheet.items))
    name = sheet.name(item)
    answer = _answer(sheet, item, value)
    if answer == before.pages[page].get(item, NO_ANSWER):
        raise NotAccepted(name, _shown(value), "is what stands there", "leave it")
    pages = before.reading([page[0]])
    others = {known: stands for known, stands in before.pages[page].items() if known != item}
    standing = others if answer == NO_ANSWER else {**others, item: answer}
    after = before.with_page(page, standing).settled(pages)
    if answer != NO_ANSWER and after.pages[page].get(item) != answer:
        raise NotAccepted(name, _shown(value), "is not asked here", "correct first the item that hides it")
    comments: Comments = {} if comment is None else {name: comment}
    changed = changes(act.writer, participant, visit, before, after, pages, comments, (page, item))
    findings = new_findings(before, after, pages, {f"{change['form']}.{change['item']}" for change in changed})
    on_all = comments if comment is None else {finding.item: comment for finding in findings}
    check_findings(f"{visit}.{page[0]}", findings, on_all, {name})
    payload = {"participant": participant, "changes": changed, "findings": findings_payload(findings, on_all)}
    act.append(payload, stream=participant, in_force=in_force)
    return findings


def _day_of_visit(act: Act, participant: str, visit: str) -> date:
    row = act.writer.row("visit", participant, visit)
    if row is None:
        raise NotFound("visit", visit, f"is not recorded for {participant}", "record its forms first")
    if row["date"] is None:
        raise OutOfOrder("visit", visit, f"of {participant} is marked missed", "record its forms first")
    return date.fromisoformat(str(row["date"]))


def _answer(sheet: FormSheet, item: str, value: object) -> Answer:
    try:
        return NO_ANSWER if value is None else read_answer(sheet, item, value)
    except AnswerError as error:
        raise NotAccepted(sheet.name(item), _shown(value), error.problem, error.remedy) from None


def _shown(value: object) -> object:
    return value.code if isinstance(value, Missing) else value
