"""Record a form, and visits that did not take place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from equipoise.capture import Answer, Checked, Finding, check_form, planned_visits
from equipoise.conduct.acting import Act, acting, check_in_trial, check_not_before, check_not_future
from equipoise.conduct.in_force import InForce, check_known
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import FormRefused, NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.trials import Trial
from equipoise.conduct.visit_data import NO_ANSWER, Page, VisitData, visit_data
from equipoise.ledger import Actor, Row, Tables, is_blank

NO_COMMENTS: Mapping[str, str] = MappingProxyType({})

Comments = Mapping[str, str]


def record(
    trial: Trial,
    participant: str,
    visit: str,
    form: str,
    values: Mapping[str, object],
    *,
    visit_date: date,
    comments: Comments = NO_COMMENTS,
    repeat: int = 1,
    by: Actor,
    reason: str,
    at: datetime,
    source: str = "act",
) -> tuple[Finding, ...]:
    """Record a whole form of a visit.

    Args:
        trial: the trial.
        participant: the participant's code.
        visit: the visit's id.
        form: the form's id.
        values: answers by item id, as they came; `capture.Missing(code)` where there is none. Derived items are
            computed and may not be given; hidden ones may not either.
        visit_date: the day of the visit; the first form of a visit sets it.
        comments: by item id, `form.item` or check id; each doubt (soft finding) needs one.
        repeat: which page of a repeating form, from 1.
        by: who acts.
        reason: why.
        at: when (UTC).
        source: by which entry it came.

    Returns:
        The doubts, each commented on.

    Raises:
        NotFound: when participant, visit or form is not there.
        NotAccepted: when the visit's date cannot be.
        OutOfOrder: without consent, for a follow-up visit before randomisation, for a form that is recorded already.
        FormRefused: with every fault, and every doubt without a comment; nothing is then recorded.
    """
    with acting(trial, Kind.FORM_RECORDED, by=by, reason=reason, at=at, source=source) as act:
        row = act.participant(participant)
        in_force = act.in_force_for(row)
        code = in_force.visit_code(visit, visit_date)
        check_known("form", form, in_force.forms_at(code))
        check_visit_day(act, in_force, row, code, visit_date)
        _check_same_day(act.writer, participant, code, visit_date)
        page = (form, repeat)
        before = visit_data(in_force, act.writer, participant, code, visit_date)
        _check_page(in_force, before, f"{code}.{form}", page)
        checked = check_form(in_force.sheet(form), values, before.around(page))
        after = before.with_page(page, checked.answers)
        others = tuple(other for other in after.reading([form]) if other != page)
        after = after.settled(others)
        findings = (*checked.findings, *_order_finding(act.writer, in_force, row, code, visit_date))
        findings += new_findings(before, after, others, {f"{form}.{item}" for item in checked.answers})
        _check_comment_names(in_force, form, comments)
        required = {finding.item for finding in checked.findings if finding.check == "required"}
        check_findings(f"{code}.{form}", findings, comments, required)
        payload = {
            "participant": participant,
            "visit": code,
            "form": form,
            "repeat": repeat,
            "date": visit_date.isoformat(),
            "answers": _answers(in_force, form, checked, comments),
            "findings": findings_payload(findings, comments),
            "changes": changes(act.writer, participant, code, before, after, others, comments),
        }
        act.append(payload, stream=participant, in_force=in_force)
    return findings


def miss_visit(trial: Trial, participant: str, visit: str, *, cause: str, by: Actor, reason: str, at: datetime) -> None:
    """Record that a planned follow-up visit did not take place. Should it be recorded later, that counts.

    Raises:
        NotFound: when participant or visit is not there.
        NotAccepted: when the visit is no follow-up visit, its window has not opened, or the cause is blank.
        OutOfOrder: before randomisation, after withdrawal, or when the visit took place or is marked already.
    """
    with acting(trial, Kind.VISIT_MISSED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        check_in_trial(participant, row)
        in_force = act.in_force_for(row)
        check_known("visit", visit, tuple(in_force.planned))
        if in_force.before_allocation(visit):
            raise NotAccepted("visit", visit, "is not a follow-up visit", "record it, or the screening failure")
        check_randomised(row, visit)
        stands = act.writer.row("visit", participant, visit)
        if stands is not None:
            problem = f"of {participant} is {stands['status']} already"
            raise OutOfOrder("visit", visit, problem, "correct its forms instead")
        if is_blank(cause):
            raise NotAccepted("cause", None, "is blank", "say why the visit was missed")
        randomised_on = date.fromisoformat(str(row["randomised_on"]))
        planned = planned_visits([in_force.planned[visit]], randomised_on)[0]
        today = in_force.day_of(at)
        if today < planned.opens:
            problem = f"opens on {planned.opens} for {participant}, after today, {today}"
            raise NotAccepted("visit", visit, problem, "wait until it is due")
        payload = {"participant": participant, "visit": visit, "cause": cause.strip()}
        act.append(payload, stream=participant, in_force=in_force)


def check_visit_day(act: Act, in_force: InForce, participant: Row, visit: str, day: date) -> None:
    """Let a day pass on which the visit can have taken place.

    Raises:
        OutOfOrder: when something must come first, or the participant had left.
        NotAccepted: when the day cannot be.
    """
    code = str(participant["participant"])
    check_not_future("visit_date", day, in_force.day_of(act.at))
    if participant["failed_on"] is not None:
        check_in_trial(code, participant)
    if _gone(participant, day):
        problem = f"is after {participant['withdrawn_on']}, when {code} left the trial"
        raise NotAccepted("visit_date", day, problem, "record only what was seen before")
    _check_signed(act.writer, in_force, code, day)
    if in_force.before_allocation(visit):
        if participant["randomised_on"] is not None and day.isoformat() > str(participant["randomised_on"]):
            problem = f"is after the day of randomisation, {participant['randomised_on']}, and {visit} comes before it"
            raise NotAccepted("visit_date", day, problem, "correct the date, or choose the visit that it was")
    elif visit in in_force.planned:
        check_randomised(participant, visit)
        check_not_before("visit_date", day, participant["randomised_on"], "the day of randomisation")


def check_randomised(participant: Row, visit: str) -> None:
    """Let a follow-up visit pass of a participant who is randomised.

    Raises:
        OutOfOrder: when the participant is not.
    """
    if participant["randomised_on"] is None:
        problem = f"is not randomised, and {visit} is a follow-up visit"
        raise OutOfOrder("participant", participant["participant"], problem, "randomise first")


def check_findings(form: str, findings: Sequence[Finding], comments: Comments, required: Collection[str] = ()) -> None:
    """Let a form pass that has no faults, and no doubts but those commented on.

    Args:
        form: visit and form, for the refusal.
        findings: what was found.
        comments: the comments given.
        required: the items that must be answered now; others that an answer brings up can only be answered next.

    Raises:
        FormRefused: with all that stand in its way.
    """
    against = [
        finding
        for finding in findings
        if (finding.check != "required" or finding.item in required)
        and (finding.severity == "hard" or is_blank(comment_on(finding, comments)))
    ]
    if against:
        raise FormRefused(form, against)


def comment_on(finding: Finding, comments: Comments) -> str:
    """The comment on a finding, by its item id, `form.item` or check; empty when there is none."""
    item = finding.item.partition(".")[2]
    return next((comments[key].strip() for key in (finding.item, item, finding.check) if key in comments), "")


def findings_payload(findings: Iterable[Finding], comments: Comments) -> list[dict[str, Any]]:
    """The doubts as an event keeps them."""
    return [
        {
            "item": finding.item,
            "check": finding.check,
            "value": finding.value,
            "message": finding.message,
            "comment": comment_on(finding, comments),
        }
        for finding in findings
    ]


def new_findings(
    before: VisitData, after: VisitData, pages: Iterable[Page], changed: Collection[str]
) -> tuple[Finding, ...]:
    """What the checks say of these pages that they did not say before, or that concerns an item changed.

    Args:
        before: the visit as it was.
        after: the visit as it will be.
        pages: the pages to check.
        changed: the items that differ, as `form.item`, and `visit.date` when it does.
    """
    chosen = tuple(pages)
    known = before.findings(page for page in chosen if page in before.pages)
    return tuple(
        finding
        for key, finding in after.findings(chosen).items()
        if key not in known or after.sheet(key[0]).concerns(finding, changed)
    )


def changes(
    tables: Tables,
    participant: str,
    visit: str,
    before: VisitData,
    after: VisitData,
    pages: Iterable[Page],
    comments: Comments = NO_COMMENTS,
    corrected: tuple[Page, str] | None = None,
) -> list[dict[str, Any]]:
    """What differs on these pages, old and new, as an event keeps it. `corrected` names the item that a person set."""
    found = []
    for page in pages:
        sheet = after.sheet(page)
        for item in sheet.items.values():
            old = before.pages[page].get(item.id, NO_ANSWER)
            new = after.pages[page].get(item.id, NO_ANSWER)
            if old == new:
                continue
            by_hand = (page, item.id) == corrected
            row = tables.row("value", participant, visit, *page, item.id)
            earlier = 0 if row is None else int(str(row["corrections"]))
            found.append(
                {
                    "visit": visit,
                    "form": page[0],
                    "repeat": page[1],
                    "item": item.id,
                    "cause": "corrected" if by_hand else "derived" if item.type == "derived" else "hidden",
                    "old": old.value,
                    "old_missing": old.missing,
                    "new": new.value,
                    "new_missing": new.missing,
                    "unit": item.unit,
                    "comment": comments.get(item.id) or comments.get(sheet.name(item.id)),
                    # a derived item that is computed for the first time corrects nothing
                    "corrections": earlier + (1 if by_hand or row is not None else 0),
                }
            )
    return found


def _check_same_day(tables: Tables, participant: str, visit: str, day: date) -> None:
    stands = tables.row("visit", participant, visit)
    if stands is not None and stands["date"] not in (None, day.isoformat()):
        problem = f"visit {visit} of {participant} took place on {stands['date']}"
        raise NotAccepted("visit_date", day, problem, "give that date, or correct the visit's date first")


def _gone(participant: Row, day: date) -> bool:
    return participant["withdrawn_on"] is not None and day.isoformat() > str(participant["withdrawn_on"])


def _check_signed(tables: Tables, in_force: InForce, participant: str, day: date) -> None:
    """Every consent that must come before any procedure is signed, in some version, by the visit's day."""
    first: dict[str, str] = {}
    for row in tables.rows("consent", participant=participant):
        consent_id, signed_on = str(row["consent"]), str(row["signed_on"])
        first[consent_id] = min(signed_on, first.get(consent_id, signed_on))
    for form in in_force.protocol.consents:
        if form.before != "any_procedure":
            continue
        if form.id not in first:
            problem = f"has not signed consent {form.id}, which comes before any procedure"
            raise OutOfOrder("participant", participant, problem, "record the consent first")
        check_not_before("visit_date", day, first[form.id], f"the day on which consent {form.id} was signed")


def _check_page(in_force: InForce, before: VisitData, name: str, page: Page) -> None:
    form, repeat = page
    if page in before.pages:
        raise OutOfOrder("form", name, "is recorded already", "correct its items instead")
    if repeat != 1 and not in_force.protocol.form(form).repeating:
        raise NotAccepted("repeat", repeat, f"form {form} does not repeat", "leave repeat out")
    due = 1 + sum(1 for known_form, _ in before.pages if known_form == form)
    if repeat != due:
        raise NotAccepted("repeat", repeat, f"the next page of {name} is {due}", f"give repeat = {due}")


def _check_comment_names(in_force: InForce, form: str, comments: Comments) -> None:
    sheet = in_force.sheet(form)
    checks = {check.id for check in in_force.protocol.checks}
    for key in comments:
        if key not in sheet.items and key not in checks and "." not in key:
            raise NotFound("comments", key, f"is neither an item of form {form} nor a check", "name what it is about")


def _order_finding(tables: Tables, in_force: InForce, participant: Row, visit: str, day: date) -> tuple[Finding, ...]:
    """A doubt when planned visits would have taken place in another order than planned."""
    order = list(in_force.planned)
    if visit not in order:
        return ()
    for row in tables.rows("visit", participant=participant["participant"], status="done"):
        other, other_day = str(row["visit"]), str(row["date"])
        if other not in order or other == visit:
            continue
        earlier = order.index(visit) < order.index(other)
        if (earlier and day.isoformat() > other_day) or (not earlier and day.isoformat() < other_day):
            side = "after" if earlier else "before"
            message = f"visit {visit} would be {side} visit {other}, which was on {other_day}"
            remedy = "correct the date, or add a comment on visit.date"
            return (Finding("visit.date", "order", "soft", day.isoformat(), message, remedy),)
    return ()


def _answers(in_force: InForce, form: str, checked: Checked, comments: Comments) -> dict[str, dict[str, Any]]:
    items = in_force.sheet(form).items

    def entry(item: str, answer: Answer) -> dict[str, Any]:
        comment = comments.get(item) or comments.get(f"{form}.{item}")
        return {"value": answer.value, "missing": answer.missing, "unit": items[item].unit, "comment": comment}

    return {item: entry(item, answer) for item, answer in checked.answers.items()}
