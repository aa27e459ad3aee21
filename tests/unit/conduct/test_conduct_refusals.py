"""Every refusal of an act, its whole text, and that it leaves the ledger as it was."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

from datetime import UTC, date, datetime, timedelta

import pytest

from equipoise import conduct
from equipoise.ledger import Actor
from equipoise.refusals import Refusal


def screen(kit, **given):
    return conduct.screen(kit.trial, **({"site": "01", "on": kit.today} | kit.entry() | given))


def sign(kit, participant, **given):
    facts = {"consent_id": "main", "version": "1.0", "signed_on": kit.today}
    return conduct.consent(kit.trial, participant, **(facts | kit.entry() | given))


def correct(kit, participant, item, value, visit="m0", form="blood", **given):
    return conduct.correct(kit.trial, participant, visit, form, item, value, **(kit.entry() | given))


def withdraw(kit, participant, **given):
    facts = {"reason_code": "LOST", "on": kit.today}
    return conduct.withdraw(kit.trial, participant, **(facts | kit.entry() | given))


def deviate(kit, participant, **given):
    facts = {"category": "WINDOW", "on": kit.today, "description": "late", "major": False}
    return conduct.deviation(kit.trial, participant, **(facts | kit.entry() | given))


def approve(kit, version="2.0", site="01", **given):
    return conduct.approve_amendment(kit.trial, version, site, **({"on": kit.today} | kit.entry() | given))


def amend(kit, *changes, version="2.0"):
    return conduct.amend(kit.trial, kit.amended(*changes, version=version), **kit.entry(kit.MANAGER))


def randomise(kit, participant, **given):
    return conduct.randomise(kit.trial, participant, **(kit.entry() | given))


def lock(kit, **given):
    return conduct.lock(kit.trial, **(kit.entry(kit.MANAGER) | given))


def missed(kit, participant, visit, cause="away"):
    return conduct.miss_visit(kit.trial, participant, visit, cause=cause, **kit.entry())


def gone(kit):
    participant = kit.randomised()
    withdraw(kit, participant)
    return participant


def failed(kit):
    participant = kit.assessed(age=70)
    conduct.fail_screening(kit.trial, participant, **kit.entry())
    return participant


def after(days, prepare):
    """What `prepare` makes, some days later."""

    def act(kit):
        participant = prepare(kit)
        kit.wait(days)
        return participant

    return act


def at_month_1(kit):
    participant = after(28, lambda kit: kit.randomised())(kit)
    kit.record(participant, "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    kit.record(participant, "m1", "symptoms", {"any": "no"})
    return participant


def amended(kit):
    participant = kit.randomised()
    amend(kit)
    return participant


def locked(kit):
    participant = kit.screened()
    lock(kit, accept_open=True)
    return participant


def nothing(kit):
    return None


def screened(kit):
    return kit.screened()


def consented(kit):
    return kit.consented()


def assessed(kit):
    return kit.assessed()


def declared(kit):
    return kit.declared()


def randomised(kit):
    return kit.randomised()


def randomised_later(kit):
    participant = kit.declared()
    kit.wait(2)
    randomise(kit, participant)
    return participant


TOMORROW = date(2018, 2, 2)

#: What comes first, the act that is refused, the whole text.
CASES = {
    "role may not screen": (
        nothing,
        lambda kit, _: screen(kit, by=Actor("s.tat", "statistician")),
        "role = statistician: may not record 'participant screened'; ask the investigator or coordinator",
    ),
    "administrator may not record": (
        assessed,
        lambda kit, p: kit.record(p, "m0", "blood", {}, by=Actor("a.dm", "administrator")),
        "role = administrator: may not record 'form recorded'; ask the investigator or coordinator",
    ),
    "no such role": (
        nothing,
        lambda kit, _: screen(kit, by=Actor("x", "wizard")),
        "role = wizard: is not a role; use one of investigator, coordinator, pharmacist, quality, monitor, statistician, data_manager, administrator",
    ),
    "coordinator may not declare": (
        assessed,
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry(kit.NURSE)),
        "role = coordinator: may not record 'eligibility declared'; ask the investigator",
    ),
    "blank reason": (
        nothing,
        lambda kit, _: screen(kit, reason=" "),
        "reason: is blank; say why this is done",
    ),
    "clock set back": (
        screened,
        lambda kit, _: screen(kit, at=datetime(2018, 2, 1, 1, tzinfo=UTC)),
        "at = 2018-02-01T01:00:00.000000Z: is before 2018-02-01T02:01:00.000000Z, the time of the last event; set this machine's clock right and repeat the act",
    ),
    "time without zone": (
        nothing,
        lambda kit, _: screen(kit, at=datetime(2018, 2, 1, 3)),
        "at = 2018-02-01T03:00:00: is not a UTC time; pass a time with the UTC zone",
    ),
    "screen at another's site": (
        nothing,
        lambda kit, _: screen(kit, site="02"),
        "site = 02: is not a site of yours; use 01",
    ),
    "screen at no site": (
        nothing,
        lambda kit, _: screen(kit, site="09", by=Actor("c", "coordinator")),
        "site = 09: is not a site of the trial; use one of 01, 02",
    ),
    "screen tomorrow": (
        nothing,
        lambda kit, _: screen(kit, on=TOMORROW),
        "on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "consent of nobody": (
        nothing,
        lambda kit, _: sign(kit, "01-009"),
        "participant = 01-009: is not in this trial; check the code",
    ),
    "consent of another site's participant": (
        screened,
        lambda kit, p: sign(kit, p, by=kit.OTHER_DOCTOR),
        "participant = 01-001: is not in this trial; check the code",
    ),
    "consent form unknown": (
        screened,
        lambda kit, p: sign(kit, p, version="3.0"),
        "consent = main 3.0: is not in the protocol in force; use one of main 1.0, main 1.1, genes 1.0",
    ),
    "consent signed tomorrow": (
        screened,
        lambda kit, p: sign(kit, p, signed_on=TOMORROW),
        "signed_on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "consent signed before its version": (
        screened,
        lambda kit, p: sign(kit, p, version="1.1"),
        "signed_on = 2018-02-01: is before the date of version 1.1, 2018-02-10; correct the date",
    ),
    "consent signed twice": (
        consented,
        lambda kit, p: sign(kit, p),
        "participant = 01-001: has signed main version 1.0 already; record another version, or leave it",
    ),
    "consent after failing": (
        failed,
        lambda kit, p: sign(kit, p),
        "participant = 01-001: is a screen failure since 2018-02-01; screen anew, under a new code",
    ),
    "consent after leaving": (
        gone,
        lambda kit, p: sign(kit, p),
        "participant = 01-001: left the trial on 2018-02-01; nothing more can be done for this participant",
    ),
    "form before consent": (
        screened,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "M", "age": 40}),
        "participant = 01-001: has not signed consent main, which comes before any procedure; record the consent first",
    ),
    "visit before consent": (
        consented,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "M", "age": 40}, on=date(2018, 1, 31)),
        "visit_date = 2018-01-31: is before the day on which consent main was signed, 2018-02-01; correct the date",
    ),
    "visit tomorrow": (
        consented,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "M", "age": 40}, on=TOMORROW),
        "visit_date = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "visit unknown": (
        consented,
        lambda kit, p: kit.record(p, "m2", "entry", {}),
        "visit = m2: is not in the protocol; use one of scr, m0, m1, m3, extra",
    ),
    "form unknown at visit": (
        consented,
        lambda kit, p: kit.record(p, "scr", "blood", {}),
        "form = blood: is not in the protocol; use one of entry",
    ),
    "form recorded already": (
        assessed,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "F", "age": 40, "pregnant": "no"}),
        "form = scr.entry: is recorded already; correct its items instead",
    ),
    "form on another day": (
        after(1, at_month_1),
        lambda kit, p: kit.record(p, "m1", "drugs", {"name": "x"}),
        "visit_date = 2018-03-02: visit m1 of 01-001 took place on 2018-03-01; give that date, or correct the visit's date first",
    ),
    "page of a form that does not repeat": (
        consented,
        lambda kit, p: kit.record(p, "scr", "entry", {}, repeat=2),
        "repeat = 2: form entry does not repeat; leave repeat out",
    ),
    "page out of order": (
        at_month_1,
        lambda kit, p: kit.record(p, "m1", "drugs", {"name": "x"}, repeat=2),
        "repeat = 2: the next page of m1.drugs is 1; give repeat = 1",
    ),
    "follow-up before randomisation": (
        declared,
        lambda kit, p: kit.record(p, "m1", "blood", {}),
        "participant = 01-001: is not randomised, and m1 is a follow-up visit; randomise first",
    ),
    "follow-up dated before randomisation": (
        randomised_later,
        lambda kit, p: kit.record(p, "m1", "blood", {}, on=date(2018, 2, 2)),
        "visit_date = 2018-02-02: is before the day of randomisation, 2018-02-03; correct the date",
    ),
    "baseline dated after randomisation": (
        after(1, lambda kit: kit.randomised()),
        lambda kit, p: kit.record(p, "m0", "blood", {}),
        "visit_date = 2018-02-02: is after the day of randomisation, 2018-02-01, and m0 comes before it; correct the date, or choose the visit that it was",
    ),
    "visit after leaving": (
        after(30, gone),
        lambda kit, p: kit.record(p, "m1", "blood", {}),
        "visit_date = 2018-03-03: is after 2018-02-01, when 01-001 left the trial; record only what was seen before",
    ),
    "visit after failing": (
        failed,
        lambda kit, p: kit.record(p, "m0", "blood", {}),
        "participant = 01-001: is a screen failure since 2018-02-01; screen anew, under a new code",
    ),
    "unscheduled visit with two dates": (
        randomised,
        lambda kit, p: kit.record(p, "extra@2018-02-02", "blood", {}),
        "visit = extra@2018-02-02: names another date than 2018-02-01; give the date once, or the same twice",
    ),
    "form with faults": (
        consented,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "X", "age": "old", "pregnant": "no", "sexx": 1}),
        "form = scr.entry: [entry.sexx: is not an item of the form; did you mean sex?] [entry.sex = X: is not in the code list; choose one of F, M] [entry.age = old: is not a number; write digits, such as 139 or 1.5] [entry.pregnant = no: is not asked here; leave it out]; nothing was recorded; mend these and send it again",
    ),
    "form with a doubt": (
        consented,
        lambda kit, p: kit.record(p, "m0", "blood", {"drawn": kit.today, "cd4": 1600, "cd8": 1700}),
        "form = m0.blood: [blood.cd4 = 1600: is above 1500 /uL; check the value and its unit, or add a comment]; nothing was recorded; mend these and send it again",
    ),
    "comment on nothing": (
        consented,
        lambda kit, p: kit.record(p, "scr", "entry", {"sex": "M", "age": 40}, comments={"aeg": "x"}),
        "comments = aeg: is neither an item of form entry nor a check; name what it is about",
    ),
    "visits in another order": (
        after(70, lambda kit: at_month_1(kit)),
        lambda kit, p: kit.record(p, "m3", "symptoms", {"any": "no"}, on=date(2018, 2, 20)),
        "form = m3.symptoms: [visit.date = 2018-02-20: visit m3 would be before visit m1, which was on 2018-03-01; correct the date, or add a comment on visit.date]; nothing was recorded; mend these and send it again",
    ),
    "correct a form not recorded": (
        consented,
        lambda kit, p: correct(kit, p, "cd4", 1),
        "visit = m0: is not recorded for 01-001; record its forms first",
    ),
    "correct a page not recorded": (
        at_month_1,
        lambda kit, p: correct(kit, p, "name", "x", "m1", "drugs", repeat=2),
        "form = m1.drugs page 2: is not recorded for 01-001; record the form instead",
    ),
    "correct a missed visit": (
        after(60, lambda kit: (lambda p: missed(kit, p, "m1") or p)(after(30, lambda kit: kit.randomised())(kit))),
        lambda kit, p: correct(kit, p, "cd4", 1, "m1"),
        "visit = m1: of 01-001 is marked missed; record its forms first",
    ),
    "correct an item unknown": (
        assessed,
        lambda kit, p: correct(kit, p, "cd44", 1),
        "item = cd44: is not in the protocol; did you mean cd4?",
    ),
    "correct to the same": (
        assessed,
        lambda kit, p: correct(kit, p, "cd4", "139.0"),
        "blood.cd4 = 139.0: is what stands there; leave it",
    ),
    "correct to no number": (
        assessed,
        lambda kit, p: correct(kit, p, "cd4", "139 cells"),
        "blood.cd4 = 139 cells: is not a number; write digits, such as 139 or 1.5",
    ),
    "correct a derived item": (
        assessed,
        lambda kit, p: correct(kit, p, "ratio", "0.2"),
        "blood.ratio = 0.2: is computed, not entered; leave it out",
    ),
    "correct a hidden item": (
        assessed,
        lambda kit, p: correct(kit, p, "pregnant", "no", "scr", "entry"),
        "entry.pregnant = no: is not asked here; correct first the item that hides it",
    ),
    "correct out of range": (
        assessed,
        lambda kit, p: correct(kit, p, "cd4", 5001),
        "form = m0.blood: [blood.cd4 = 5001: is above 5000 /uL; check the value and its unit] [blood.cd4 = 5001: CD4 is above CD8; correct the answers, or add a comment]; nothing was recorded; mend these and send it again",
    ),
    "correct to a doubt": (
        assessed,
        lambda kit, p: correct(kit, p, "cd4", 800),
        "form = m0.blood: [blood.cd4 = 800: CD4 is above CD8; correct the answers, or add a comment]; nothing was recorded; mend these and send it again",
    ),
    "correct a required item away": (
        assessed,
        lambda kit, p: correct(kit, p, "cd4", None),
        "form = m0.blood: [blood.cd4: is required; answer it, or mark it missing (ND, CLOT)]; nothing was recorded; mend these and send it again",
    ),
    "mark missing by an unknown code": (
        assessed,
        lambda kit, p: conduct.mark_missing(kit.trial, p, "m0", "blood", "cd4", "LOST", **kit.entry()),
        "blood.cd4 = LOST: is not a missing code of the item; use one of ND, CLOT",
    ),
    "mark missing an item without codes": (
        assessed,
        lambda kit, p: conduct.mark_missing(kit.trial, p, "scr", "entry", "age", "ND", **kit.entry()),
        "entry.age = ND: is not a missing code of the item; answer it; it has no missing codes",
    ),
    "redate to the same day": (
        assessed,
        lambda kit, p: conduct.correct_visit_date(kit.trial, p, "m0", kit.today, **kit.entry()),
        "visit_date = 2018-02-01: is what stands there; leave it",
    ),
    "redate against an answer": (
        at_month_1,
        lambda kit, p: conduct.correct_visit_date(kit.trial, p, "m1", kit.today - timedelta(days=1), **kit.entry()),
        "form = m1: [blood.drawn = 2018-03-01: Drawn after the visit; correct the answers]; nothing was recorded; mend these and send it again",
    ),
    "redate a visit not recorded": (
        consented,
        lambda kit, p: conduct.correct_visit_date(kit.trial, p, "m0", kit.today, **kit.entry()),
        "visit = m0: is not recorded for 01-001; record its forms first",
    ),
    "redate to tomorrow": (
        assessed,
        lambda kit, p: conduct.correct_visit_date(kit.trial, p, "m0", TOMORROW, **kit.entry()),
        "visit_date = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "redate an unscheduled visit": (
        lambda kit: (lambda p: kit.record(p, "extra", "symptoms", {"any": "no"}) or p)(kit.assessed()),
        lambda kit, p: conduct.correct_visit_date(kit.trial, p, "extra@2018-02-01", kit.today, **kit.entry()),
        "visit = extra@2018-02-01: is named by its date; record it under the right date, and say so in a deviation",
    ),
    "miss a screening visit": (
        consented,
        lambda kit, p: missed(kit, p, "scr"),
        "visit = scr: is not a follow-up visit; record it, or the screening failure",
    ),
    "miss an unknown visit": (
        randomised,
        lambda kit, p: missed(kit, p, "m2"),
        "visit = m2: is not in the protocol; use one of scr, m0, m1, m3",
    ),
    "miss a visit before randomisation": (
        declared,
        lambda kit, p: missed(kit, p, "m1"),
        "participant = 01-001: is not randomised, and m1 is a follow-up visit; randomise first",
    ),
    "miss a visit not yet open": (
        randomised,
        lambda kit, p: missed(kit, p, "m1"),
        "visit = m1: opens on 2018-02-22 for 01-001, after today, 2018-02-01; wait until it is due",
    ),
    "miss a visit that took place": (
        at_month_1,
        lambda kit, p: missed(kit, p, "m1"),
        "visit = m1: of 01-001 is done already; correct its forms instead",
    ),
    "miss a visit without cause": (
        after(30, lambda kit: kit.randomised()),
        lambda kit, p: missed(kit, p, "m1", " "),
        "cause: is blank; say why the visit was missed",
    ),
    "miss a visit after leaving": (
        after(30, gone),
        lambda kit, p: missed(kit, p, "m1"),
        "participant = 01-001: left the trial on 2018-02-01; nothing more can be done for this participant",
    ),
    "declare without consent": (
        screened,
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry()),
        "participant = 01-001: has not signed the consent in force: [main version 1.0 or 1.1]; obtain and record the consent first",
    ),
    "declare with nothing known": (
        consented,
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry()),
        "participant = 01-001: [AGE not known: Age 18 to 65 years] [CD4 not known: CD4 below 350] [PREG not known: Pregnant]; record what is missing or correct what is wrong; otherwise record the screen failure",
    ),
    "declare a woman who is pregnant": (
        lambda kit: kit.assessed(sex="F", pregnant="yes", age=70),
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry()),
        "participant = 01-001: [AGE not met: Age 18 to 65 years] [PREG present: Pregnant]; record what is missing or correct what is wrong; otherwise record the screen failure",
    ),
    "declare with pregnancy not known": (
        lambda kit: (lambda p: correct(kit, p, "sex", "F", "scr", "entry") and p)(kit.assessed()),
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry()),
        "participant = 01-001: [PREG not known: Pregnant]; record what is missing or correct what is wrong; otherwise record the screen failure",
    ),
    "declare twice": (
        declared,
        lambda kit, p: conduct.declare_eligible(kit.trial, p, **kit.entry()),
        "participant = 01-001: was declared eligible on 2018-02-01; go on to randomise",
    ),
    "fail with nothing that fails": (
        consented,
        lambda kit, p: conduct.fail_screening(kit.trial, p, **kit.entry()),
        "participant = 01-001: no criterion is known to fail; record what fails, or give a reason code (DECLINED)",
    ),
    "fail for an unknown reason": (
        consented,
        lambda kit, p: conduct.fail_screening(kit.trial, p, reason_code="TIRED", **kit.entry()),
        "reason_code = TIRED: is not in discontinuation.screening; use one of DECLINED",
    ),
    "fail the randomised": (
        randomised,
        lambda kit, p: conduct.fail_screening(kit.trial, p, **kit.entry()),
        "participant = 01-001: was randomised on 2018-02-01; record a withdrawal or a deviation instead",
    ),
    "fail twice": (
        failed,
        lambda kit, p: conduct.fail_screening(kit.trial, p, **kit.entry()),
        "participant = 01-001: is a screen failure since 2018-02-01; screen anew, under a new code",
    ),
    "randomise nobody": (
        nothing,
        lambda kit, _: randomise(kit, "01-001"),
        "participant = 01-001: is not in this trial; check the code",
    ),
    "randomise another site's participant": (
        declared,
        lambda kit, p: randomise(kit, p, by=kit.OTHER_DOCTOR),
        "participant = 01-001: is not in this trial; check the code",
    ),
    "randomise without consent": (
        screened,
        randomise,
        "participant = 01-001: has not signed the consent in force: [main version 1.0 or 1.1]; obtain and record the consent first",
    ),
    "randomise undeclared": (
        assessed,
        randomise,
        "participant = 01-001: was not declared eligible; ask the investigator to declare eligibility first",
    ),
    "randomise twice": (
        randomised,
        randomise,
        "participant = 01-001: was randomised on 2018-02-01; open its record instead",
    ),
    "randomise the withdrawn": (
        lambda kit: (lambda p: withdraw(kit, p) or p)(kit.declared()),
        randomise,
        "participant = 01-001: left the trial on 2018-02-01; nothing more can be done for this participant",
    ),
    "randomise a screen failure": (
        failed,
        randomise,
        "participant = 01-001: is a screen failure since 2018-02-01; screen anew, under a new code",
    ),
    "randomise the no longer eligible": (
        lambda kit: (lambda p: correct(kit, p, "cd4", 400) or p)(kit.declared()),
        randomise,
        "participant = 01-001: [CD4 not met: CD4 below 350]; record what is missing or correct what is wrong; otherwise record the screen failure",
    ),
    "harm before consent": (
        screened,
        lambda kit, p: kit.harmed(p),
        "participant = 01-001: has no consent yet, and events are collected from consent on; record it as history on a form",
    ),
    "harm that began before consent": (
        consented,
        lambda kit, p: kit.harmed(p, onset=date(2018, 1, 31)),
        "onset = 2018-01-31: is before the day of consent, 2018-02-01; correct the date",
    ),
    "harm that begins tomorrow": (
        consented,
        lambda kit, p: kit.harmed(p, onset=TOMORROW),
        "onset = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "harm by an unknown term": (
        consented,
        lambda kit, p: kit.harmed(p, term="FEVR"),
        "term = FEVR: is not a code for this; did you mean FEVER?",
    ),
    "harm without words": (
        consented,
        lambda kit, p: kit.harmed(p, verbatim=" "),
        "verbatim: is blank; write the event in the reporter's words",
    ),
    "harm without a grade": (
        consented,
        lambda kit, p: kit.harmed(p, grade=6),
        "grade = 6: is not a grade from 1 to 5; grade it by the protocol's scale",
    ),
    "harm by an unknown criterion": (
        consented,
        lambda kit, p: kit.harmed(p, serious=True, criteria=["DEATH"]),
        "criteria = DEATH: is not a code for this; use one of AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG, AESMIE",
    ),
    "harm serious without criterion": (
        consented,
        lambda kit, p: kit.harmed(p, serious=True),
        "serious = True: has no criterion; name what it meets: AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG, AESMIE",
    ),
    "harm with criterion not serious": (
        consented,
        lambda kit, p: kit.harmed(p, criteria=["AESHOSP"]),
        "serious = False: has a criterion of seriousness but is not serious; make both agree",
    ),
    "harm fatal in one place only": (
        consented,
        lambda kit, p: kit.harmed(p, grade=5),
        "adverse event = grade 5, NOT RECOVERED/NOT RESOLVED, not serious: death is grade 5, outcome FATAL and criterion AESDTH together; make the three agree",
    ),
    "harm related to something unknown": (
        consented,
        lambda kit, p: kit.harmed(p, related={"art": "RELATED"}),
        "related = art: is not a code for this; use one of cells, procedure",
    ),
    "harm related in another way": (
        consented,
        lambda kit, p: kit.harmed(p, related={"cells": "MAYBE", "procedure": "RELATED"}),
        "related.cells = MAYBE: is not a code for this; use one of RELATED, NOT RELATED",
    ),
    "harm with causality not answered": (
        consented,
        lambda kit, p: kit.harmed(p, related={"cells": "RELATED"}),
        "related.procedure: is not answered; answer one of RELATED, NOT RELATED",
    ),
    "harm with an unknown outcome": (
        consented,
        lambda kit, p: kit.harmed(p, outcome="BETTER"),
        "outcome = BETTER: is not a code for this; use one of RECOVERED/RESOLVED, RECOVERED/RESOLVED WITH SEQUELAE, FATAL, RECOVERING/RESOLVING, NOT RECOVERED/NOT RESOLVED, UNKNOWN",
    ),
    "harm with an unknown action": (
        consented,
        lambda kit, p: kit.harmed(p, action="NONE"),
        "action = NONE: is not a code for this; use one of DOSE NOT CHANGED, DOSE REDUCED, DOSE INCREASED, DOSE RATE REDUCED, DRUG INTERRUPTED, DRUG WITHDRAWN, NOT APPLICABLE, UNKNOWN",
    ),
    "harm after an unknown course": (
        consented,
        lambda kit, p: kit.harmed(p, course="C3"),
        "course = C3: is not a code for this; use one of C1, C2",
    ),
    "harm ended without a day": (
        consented,
        lambda kit, p: kit.harmed(p, outcome="RECOVERED/RESOLVED"),
        "outcome = RECOVERED/RESOLVED: needs the day on which it ended; make outcome and resolved agree",
    ),
    "harm not ended with a day": (
        consented,
        lambda kit, p: kit.harmed(p, resolved=kit.today),
        "outcome = NOT RECOVERED/NOT RESOLVED: does not go with a day of ending; make outcome and resolved agree",
    ),
    "harm ended before it began": (
        after(2, lambda kit: kit.consented()),
        lambda kit, p: kit.harmed(p, outcome="RECOVERED/RESOLVED", resolved=kit.today - timedelta(days=1)),
        "resolved = 2018-02-02: is before the onset, 2018-02-03; correct the date",
    ),
    "harm known later than now": (
        consented,
        lambda kit, p: kit.harmed(p, aware_at=kit.now + timedelta(days=1)),
        "aware_at = 2018-02-02T02:02:00.000000+00:00: is after now; correct the time",
    ),
    "harm known at a time without zone": (
        consented,
        lambda kit, p: kit.harmed(p, aware_at=datetime(2018, 2, 1)),
        "aware_at = 2018-02-01T00:00:00: does not say its time zone; pass a time with its zone",
    ),
    "follow up an unknown event": (
        consented,
        lambda kit, p: conduct.follow_up_adverse_event(kit.trial, p, 1, grade=2, **kit.entry()),
        "number = 1: is not an adverse event of 01-001; check the number, or report the event",
    ),
    "follow up with nothing new": (
        lambda kit: (lambda p: kit.harmed(p) and p)(kit.consented()),
        lambda kit, p: conduct.follow_up_adverse_event(kit.trial, p, 1, grade=1, **kit.entry()),
        "adverse event = 1: nothing differs from what stands there; leave it",
    ),
    "deviation of the trial by a site": (
        nothing,
        lambda kit, _: deviate(kit, None),
        "actor = l.doctor: is bound to a site and may not report for the whole trial; name the participant, or ask the data_manager",
    ),
    "deviation of an unknown category": (
        screened,
        lambda kit, p: deviate(kit, p, category="WIND"),
        "category = WIND: is not in deviations; did you mean WINDOW?",
    ),
    "deviation without description": (
        screened,
        lambda kit, p: deviate(kit, p, description=""),
        "description: is blank; say what was done and what was planned",
    ),
    "deviation tomorrow": (
        screened,
        lambda kit, p: deviate(kit, p, on=TOMORROW),
        "on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "withdraw for an unknown reason": (
        randomised,
        lambda kit, p: withdraw(kit, p, reason_code="BORED"),
        "reason_code = BORED: is not in discontinuation.trial; use one of LOST, WISH",
    ),
    "withdraw from the intervention before it": (
        declared,
        lambda kit, p: withdraw(kit, p, scope="intervention", reason_code="WISH"),
        "participant = 01-001: is not randomised; withdraw from the trial, or record the screening failure",
    ),
    "withdraw twice": (
        gone,
        lambda kit, p: withdraw(kit, p),
        "participant = 01-001: left the trial on 2018-02-01; it is recorded already",
    ),
    "withdraw from the intervention after the trial": (
        gone,
        lambda kit, p: withdraw(kit, p, scope="intervention", reason_code="WISH"),
        "participant = 01-001: left the trial on 2018-02-01; it is recorded already",
    ),
    "withdraw a screen failure": (
        failed,
        lambda kit, p: withdraw(kit, p),
        "participant = 01-001: is a screen failure since 2018-02-01; nothing is left to withdraw from",
    ),
    "withdraw before randomisation's day": (
        randomised,
        lambda kit, p: withdraw(kit, p, on=date(2018, 1, 31)),
        "on = 2018-01-31: is before the day of randomisation, 2018-02-01; correct the date",
    ),
    "amend to the same version": (
        nothing,
        lambda kit, _: amend(kit, version="1.0"),
        "protocol.version = 1.0: was in force already; give the amended protocol a version of its own",
    ),
    "amend to another trial": (
        nothing,
        lambda kit, _: amend(kit, ("id: KIT", "id: KAT")),
        "protocol.id = KAT: is another trial than KIT; keep the id, or create a trial of its own",
    ),
    "amend the arms": (
        randomised,
        lambda kit, _: amend(kit, ("{id: NEW,", "{id: NEWER,"), ("{NEW: 1", "{NEWER: 1")),
        "arms = NEWER, OLD: were NEW, OLD when the first participant was randomised; keep the arms and their order",
    ),
    "amend the allocation": (
        randomised,
        lambda kit, _: amend(kit, ("block_size: 4", "block_size: 2")),
        "allocation: cannot change after the first randomisation; keep the allocation, and the planned number where the method uses it",
    ),
    "amend the strata": (
        randomised,
        lambda kit, _: amend(kit, (", strata: [entry.sex]", "")),
        "allocation: cannot change after the first randomisation; keep the allocation, and the planned number where the method uses it",
    ),
    "amend a site away": (
        screened,
        lambda kit, _: amend(kit, ('{id: "01", name: North, country: CN}, ', "")),
        "sites = 01: has participants and is left out; keep the site",
    ),
    "amend by the doctor": (
        nothing,
        lambda kit, _: conduct.amend(kit.trial, kit.amended(), **kit.entry()),
        "role = investigator: may not record 'protocol amended'; ask the data_manager or administrator",
    ),
    "approve an unknown version": (
        amended,
        lambda kit, _: approve(kit, "3.0"),
        "version = 3.0: is not a version of the protocol; use one of 1.0, 2.0",
    ),
    "approve for another's site": (
        amended,
        lambda kit, _: approve(kit, site="02"),
        "site = 02: is not a site of yours; use 01",
    ),
    "approve for no site": (
        amended,
        lambda kit, _: approve(kit, site="03", **kit.entry(kit.MANAGER)),
        "site = 03: is not a site of version 2.0; use one of 01, 02",
    ),
    "approve what is in force": (
        amended,
        lambda kit, _: approve(kit, "1.0"),
        "site = 01: version 1.0 or a newer one is in force there; nothing needs to be approved",
    ),
    "approve tomorrow": (
        amended,
        lambda kit, _: approve(kit, on=TOMORROW),
        "on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "lock with work left": (
        screened,
        lambda kit, _: lock(kit),
        "lock: 1 open: [01-001: neither randomised nor a screen failure]; close them, or lock with accept_open and say why in the reason",
    ),
    "screen in a locked trial": (
        locked,
        lambda kit, _: screen(kit),
        "trial = KIT: is locked; ask the data_manager to unlock it",
    ),
    "correct in a locked trial": (
        locked,
        lambda kit, p: correct(kit, p, "cd4", 1),
        "trial = KIT: is locked; ask the data_manager to unlock it",
    ),
    "randomise in a locked trial": (
        locked,
        randomise,
        "trial = KIT: is locked; ask the data_manager to unlock it",
    ),
    "lock a locked trial": (
        locked,
        lambda kit, _: lock(kit, accept_open=True),
        "trial = KIT: is locked; ask the data_manager to unlock it",
    ),
    "unlock an open trial": (
        nothing,
        lambda kit, _: conduct.unlock(kit.trial, second=kit.DOCTOR, **kit.entry(kit.MANAGER)),
        "trial: is not locked; lock it first",
    ),
    "unlock alone": (
        locked,
        lambda kit, _: conduct.unlock(kit.trial, second=kit.MANAGER, **kit.entry(kit.MANAGER)),
        "second = d.manager: is the same person; ask another person to unlock it with you",
    ),
    "unlock with the nurse": (
        locked,
        lambda kit, _: conduct.unlock(kit.trial, second=kit.NURSE, **kit.entry(kit.MANAGER)),
        "role = coordinator: may not record 'trial unlocked'; ask the investigator or statistician or data_manager",
    ),
    "reveal an open trial": (
        nothing,
        lambda kit, _: conduct.reveal(kit.trial, **kit.entry(kit.MANAGER)),
        "trial: is not locked; lock it first",
    ),
    "allocations before the reveal": (
        locked,
        lambda kit, _: conduct.allocations_file(kit.trial),
        "randomisation: is not revealed; lock the trial and reveal it first",
    ),
    "snapshot of the future": (
        nothing,
        lambda kit, _: conduct.snapshot(kit.trial, 99),
        "position = 99: is not in the ledger, which has 2 events; name a position from 1 to 2",
    ),
    "snapshot before the first event": (
        nothing,
        lambda kit, _: conduct.snapshot(kit.trial, datetime(2018, 1, 1, tzinfo=UTC)),
        "as_of = 2018-01-01 00:00:00+00:00: is before the trial's first event; name a later time",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_is_wrong_and_records_nothing(kit, name):
    before, act, text = CASES[name]
    participant = before(kit)
    head = kit.head()
    with pytest.raises(Refusal) as refused:
        act(kit, participant)
    assert str(refused.value) == text
    assert kit.head() == head
