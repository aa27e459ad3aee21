"""Rehearse a trial: virtual participants go through the real acts, in the order of a calendar.

People are drawn from generators of their own (seed and number), so that a change in one course does not disturb the
others, and the same seed gives the same ledger to the last byte. What they get wrong, people put right, through the
acts and with a reason, as at a ward.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from equipoise import conduct
from equipoise.capture import Missing, target_date, value_of
from equipoise.conduct import FormRefused, Trial
from equipoise.design.agenda import Agenda, office_time
from equipoise.design.donor_panel import DonorPanel
from equipoise.design.infusion_days import InfusionDays, Recipient
from equipoise.design.virtual_donors import VirtualTissue
from equipoise.design.virtual_outcomes import measured
from equipoise.design.virtual_people import VirtualPerson, answer_on, as_typed, draw_person, mistyped
from equipoise.ledger import Actor
from equipoise.protocol import parse
from equipoise.protocol.rehearsal import ScreenFailure
from equipoise.randomisation import Secret
from equipoise.refusals import Refusal
from equipoise.safety.dictionary import DictionaryRefused

if TYPE_CHECKING:
    from equipoise.protocol import Protocol
    from equipoise.protocol.forms import Item
    from equipoise.protocol.interventions import Intervention
    from equipoise.protocol.rehearsal import Rehearsal, VirtualEvent
    from equipoise.protocol.schedule import Visit

Truth = Literal["model", "null"]
Progress = Callable[[int, int], None]

DAYS_A_YEAR = 365.25
MOST_CANDIDATES = 50  # for each participant planned
PANEL_OPENS_BEFORE = 10  # days before the first candidate
TYPED_AFTER = 3  # days after screening, before eligibility is judged
OF_BODIES = 0xD3  # which generator, beside the rehearsal's seed and the person
WEIGHT_KG = (64.5, 8.0)  # mean and SD, assumed
AFTER_INFUSION = 480  # minutes after the office opens, when the ward tells of what followed
NO_DONOR = "No donor of the panel is a mismatch"
SCREENING_CHECKED_AFTER = 2  # days until the investigator's check of the screening forms finds a slip
SCREENING_JUDGED_AFTER = 5  # days, at least, until eligibility is judged
CONFIRMED = "Confirmed against the source document"


def rehearse(
    folder: Path,
    protocol_bytes: bytes,
    *,
    seed: int,
    truth: Truth = "model",
    database_url: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Trial:
    """Run the whole trial of a protocol with virtual participants into a new trial folder.

    Args:
        folder: where the trial is made; must hold no trial yet.
        protocol_bytes: the protocol file, with a `rehearsal` section.
        seed: the same seed gives the same ledger.
        truth: `null` gives every arm the reference arm's means.
        database_url: another database than the folder's own.
        progress: called with actions done and known so far.

    Raises:
        ProtocolRefused: when the protocol has faults.
        Refusal: when it has no rehearsal section, was allocated elsewhere, or the folder holds a trial.
    """
    protocol = parse(protocol_bytes)
    if protocol.rehearsal is None:
        remedy = "add a rehearsal section; examples/nk-hiv/protocol.yaml shows one"
        raise Refusal("rehearsal", None, "the protocol has no rehearsal section", remedy)
    if protocol.allocation.method == "external":
        raise Refusal("allocation.method", "external", "the trial was allocated elsewhere", "analyse its data instead")
    opens = PANEL_OPENS_BEFORE if protocol.rehearsal.panel is not None else 0
    at = office_time(protocol.rehearsal.start - timedelta(days=opens), -60)
    trial = conduct.create(
        folder,
        protocol_bytes,
        secret=_rehearsal_secret(seed),
        by=Actor("dm-01", "data_manager"),
        reason="Rehearsal before the first participant",
        at=at,
        database_url=database_url,
        rehearsal=f"rehearsal with virtual participants, seed {seed}, truth {truth}",
    )
    _Ward(trial, protocol, protocol.rehearsal, seed, truth).run(progress)
    return trial


def _rehearsal_secret(seed: int) -> Secret:
    """A secret that the seed gives, so that a rehearsal can be repeated; a real trial's comes from the system."""
    generator = np.random.default_rng([seed, 0x5EC])
    return Secret.generate(generator.bytes)


@dataclass
class _Course:
    """A participant's way through the rehearsal."""

    person: VirtualPerson
    rng: np.random.Generator
    code: str = ""
    site: str = ""
    arm: str = ""
    randomised_on: date = date.min
    leaves_on: date | None = None
    leaving_code: str = ""
    left: bool = False
    events: list[tuple[date, date, str]] = field(default_factory=list)  # onset, end, term
    tissue: VirtualTissue | None = None
    donor: str | None = None
    visit_days: dict[str, date] = field(default_factory=dict)  # of the visits that take place


class _Ward:
    """The people who run the rehearsed trial, and what they do when."""

    def __init__(self, trial: Trial, protocol: Protocol, plan: Rehearsal, seed: int, truth: Truth) -> None:
        self.trial = trial
        self.protocol = protocol
        self.plan = plan
        self.seed = seed
        self.agenda = Agenda()
        self.means = _means(protocol, plan, truth)
        self.last_day = plan.start
        self.panel = None if plan.panel is None else DonorPanel(trial, protocol, plan.panel, seed)
        self.infusions = self._infusions()

    def run(self, progress: Progress) -> None:
        """Recruit, follow, lock and reveal."""
        if self.panel is not None:
            self._at(self.plan.start - timedelta(days=PANEL_OPENS_BEFORE), 0, self.panel.open)
        courses = self._candidates()
        days = self.plan.recruitment_days
        for place, course in enumerate(courses):
            day = self.plan.start + timedelta(days=place * days // max(len(courses), 1))
            self._at(day, 5 * place % 300, lambda at, course=course: self._screen(course, at))  # type: ignore[misc]
        self._choose_withdrawals([course for course in courses if course.person.failure is None])
        self.agenda.run(progress)
        closing = office_time(self.last_day + timedelta(days=30), 0)
        self._code_events(closing - timedelta(minutes=1))
        conduct.lock(
            self.trial,
            accept_open=True,
            by=self._actor("data_manager"),
            reason="Last visit done, queries answered",
            at=closing,
        )
        conduct.reveal(
            self.trial,
            by=self._actor("data_manager"),
            reason="Database locked; the allocations can be checked",
            at=closing + timedelta(minutes=5),
        )

    def _candidates(self) -> list[_Course]:
        """Candidates in order of arrival, up to the planned number of eligible ones."""
        courses: list[_Course] = []
        eligible = 0
        while eligible < self.protocol.population.planned:
            rng = np.random.default_rng([self.seed, len(courses) + 1])
            person = draw_person(self.protocol, self.plan, len(courses) + 1, rng)
            tissue = None if self.panel is None else self.panel.tissue_of(len(courses) + 1)
            if tissue is not None and person.failure is None and not self._served(tissue):
                person = replace(person, failure=ScreenFailure(reason=NO_DONOR, share=Decimal(0)))
            site = self.protocol.sites[len(courses) % len(self.protocol.sites)].id
            courses.append(_Course(person, rng, site=site, tissue=tissue))
            eligible += person.failure is None
            if len(courses) > MOST_CANDIDATES * self.protocol.population.planned:
                remedy = "draw more donors in rehearsal.panel, or loosen donor_matching.rule"
                raise Refusal("rehearsal.panel", None, "hardly any candidate has a donor", remedy)
        return courses

    def _served(self, tissue: VirtualTissue) -> bool:
        """Whether a candidate has a donor, where the protocol asks for one before allocation."""
        matching = self.protocol.donor_matching
        assert self.panel is not None
        assert matching is not None
        return matching.when != "screening" or self.panel.serves(tissue)

    def _choose_withdrawals(self, courses: list[_Course]) -> None:
        """Some leave by their own wish, others are lost; which and when does not depend on the arm."""
        rng = np.random.default_rng([self.seed, 0])
        behaviour = self.plan.visits
        chosen = rng.choice(len(courses), size=min(behaviour.withdrawals, len(courses)), replace=False)
        for place, course in enumerate(courses):
            lost_after = course.rng.exponential(DAYS_A_YEAR / float(behaviour.lost_per_year))
            course.leaving_code = behaviour.lost_code
            if place in chosen:
                lost_after = rng.uniform(0.2, 0.9) * self._length()
                course.leaving_code = behaviour.withdrawal_code
            if lost_after < self._length():
                course.leaves_on = date.min + timedelta(days=int(lost_after))  # counted from allocation, set then

    def _length(self) -> float:
        """Days from allocation to the last visit's target."""
        anchor = self.plan.start
        return float((target_date(self.protocol.visits[-1].at, anchor) - anchor).days)

    def _screen(self, course: _Course, at: datetime) -> None:
        nurse = self._actor("coordinator", course.site)
        day = at.date()
        course.code = conduct.screen(
            self.trial, site=course.site, on=day, by=nurse, reason="Referred by the outpatient clinic", at=at
        )
        if course.person.declines:
            failure = course.person.failure
            assert failure is not None
            conduct.fail_screening(
                self.trial,
                course.code,
                reason_code=failure.code,
                by=self._actor("investigator", course.site),
                reason=failure.reason,
                at=at,
            )
            return
        form = self.protocol.consents[-1]
        conduct.consent(
            self.trial,
            course.code,
            consent_id=form.id,
            version=form.version,
            signed_on=day,
            by=self._actor("investigator", course.site),
            reason="Informed and signed",
            at=at,
        )
        minute = 20
        for visit in self.protocol.screening_visits:
            for form_id in visit.forms:
                later = at + timedelta(minutes=minute)
                self.agenda.put(later, self._recording(course, visit, form_id, day))
                minute += 10
        if course.tissue is not None:
            self._at(day + timedelta(days=TYPED_AFTER), 45, lambda at: self._type(course, at))
        judged = day + timedelta(days=SCREENING_JUDGED_AFTER + int(course.rng.integers(0, 3)))
        self._at(judged, 60, lambda at: self._judge(course, at))

    def _type(self, course: _Course, at: datetime) -> None:
        assert self.panel is not None
        assert course.tissue is not None
        self.panel.type_participant(course.code, course.tissue, self._actor("coordinator", course.site), at)

    def _judge(self, course: _Course, at: datetime) -> None:
        doctor = self._actor("investigator", course.site)
        if course.person.failure is not None:
            conduct.fail_screening(self.trial, course.code, by=doctor, reason=course.person.failure.reason, at=at)
            return
        conduct.declare_eligible(self.trial, course.code, by=doctor, reason="All criteria checked on the forms", at=at)
        day = at.date() + timedelta(days=int(course.rng.integers(2, 6)))
        baseline = self.protocol.baseline_visit
        if baseline is not None:
            self._visit(course, baseline, day)
        self._at(day + timedelta(days=1), 120, lambda at: self._randomise(course, at))

    def _randomise(self, course: _Course, at: datetime) -> None:
        doctor = self._actor("investigator", course.site)
        allocation = conduct.randomise(self.trial, course.code, by=doctor, reason="Eligible and consented", at=at)
        course.arm = allocation.arm
        course.randomised_on = at.date()
        if self.panel is not None and self._products(course.arm):
            self._at(at.date(), 150, lambda at: self._match(course, at))
        if course.leaves_on is not None:
            course.leaves_on = at.date() + (course.leaves_on - date.min)
            self._at(course.leaves_on, 200, lambda at: self._leave(course, at))
        self._draw_events(course)
        for visit in self.protocol.follow_up_visits:
            target = target_date(visit.at, course.randomised_on)
            spread = max(visit.window.days_before, visit.window.days_after) / float(self.plan.visits.spread)
            day = max(target + timedelta(days=round(course.rng.normal(1, spread))), at.date() + timedelta(days=1))
            closes = target + timedelta(days=visit.window.days_after)
            self.last_day = max(self.last_day, day, closes)
            if course.leaves_on is not None and day >= course.leaves_on:
                continue
            if course.rng.random() < float(self.plan.visits.missed):
                self._at(closes + timedelta(days=1), 30, lambda at, visit=visit: self._miss(course, visit, at))  # type: ignore[misc]
                continue
            course.visit_days[visit.id] = day
            self._visit(course, visit, day)
            opens = target - timedelta(days=visit.window.days_before)
            if not opens <= day <= closes and self.plan.visits.window_deviation is not None:
                self._at(day + timedelta(days=2), 90, lambda at, visit=visit: self._outside(course, visit, at))  # type: ignore[misc]

    def _products(self, arm: str) -> list[Intervention]:
        """What is given to an arm and made from a donor's cells."""
        given = self.protocol.arm(arm).interventions
        return [part for part in self.protocol.interventions if part.id in given and part.product is not None]

    def _match(self, course: _Course, at: datetime) -> None:
        assert self.panel is not None
        course.donor = self.panel.match(course.code, self._actor("investigator", course.site), at)
        if course.donor is None:
            return
        recipient = Recipient(course.code, course.site, course.randomised_on, course.donor, self._weight(course))
        for intervention in self._products(course.arm):
            for days in self.infusions:
                if days.product.id == intervention.product and days.regimen.id == intervention.regimen:
                    for part in days.regimen.courses:
                        samples = None if part.after is None else course.visit_days.get(part.after)
                        days.plan_course(recipient, part, samples, lambda given, at: self._infused(course, given, at))

    def _weight(self, course: _Course) -> Decimal:
        """What the ward's scales show: the weight on the forms, or one drawn where they ask for none."""
        recorded = conduct.last_weight(self.trial, course.code, by_day=course.randomised_on)
        if recorded is not None:
            return recorded.kg
        rng = np.random.default_rng([self.seed, course.person.number, OF_BODIES])
        return Decimal(f"{np.clip(rng.normal(*WEIGHT_KG), 42, 110):.1f}")

    def _infusions(self) -> list[InfusionDays]:
        """The products whose lots the rehearsal draws."""
        if self.panel is None:
            return []
        plans = {plan.product: plan for plan in self.plan.lots}
        regimens = {regimen.id: regimen for regimen in self.protocol.regimens}
        products = {product.id: product for product in self.protocol.products}
        return [
            InfusionDays(
                self.trial,
                self.agenda,
                self.panel,
                products[part.product],
                regimens[part.regimen],
                plans[part.product],
                self.seed,
            )
            for part in self.protocol.interventions
            if part.product in plans and part.regimen is not None and part.product is not None
        ]

    def _infused(self, course: _Course, given: str, ended: datetime) -> None:
        """Draw what follows an infusion."""
        for event in self.plan.events:
            expected = event.course == given and event.arm in (None, course.arm)
            if expected and course.rng.random() < float(event.probability or 0):
                self._plan_event(
                    course, event, ended.date(), ended + timedelta(minutes=int(course.rng.integers(30, 90)))
                )

    def _visit(self, course: _Course, visit: Visit, day: date) -> None:
        start = int(course.rng.integers(0, 120))
        for place, form_id in enumerate(visit.forms):
            self._at(day, start + 10 * place, self._recording(course, visit, form_id, day))

    def _recording(self, course: _Course, visit: Visit, form_id: str, day: date) -> Callable[[datetime], None]:
        return lambda at: self._record(course, visit, form_id, day, at)

    def _record(self, course: _Course, visit: Visit, form_id: str, day: date, at: datetime) -> None:
        if self.plan.medicines is not None and form_id == _form_of(self.plan.medicines.medicine):
            self._record_medicines(course, visit, form_id, day, at)
            return
        true = self._answers(course, visit, form_id, day)
        typed, slips = self._typed(course, form_id, true)
        nurse = self._actor("coordinator", course.site)
        try:
            self._enter(course, visit, form_id, day, typed, nurse, at)
        except FormRefused as refused:  # a hard check caught the slip while it was typed
            if not slips or not _hard(refused):
                raise
            self._enter(course, visit, form_id, day, true, nurse, at)
            return
        before_judged = visit in self.protocol.screening_visits
        found = timedelta(days=SCREENING_CHECKED_AFTER if before_judged else self.plan.entry.found_after_days)
        for place, (item_id, text) in enumerate(slips.items()):
            later = at + found + timedelta(minutes=place)
            self.agenda.put(later, self._correction(course, visit, form_id, item_id, text))

    def _record_medicines(self, course: _Course, visit: Visit, form_id: str, day: date, at: datetime) -> None:
        """A page for each medicine that was given against an event since the last visit, with the first reason."""
        plan, before = self.plan.medicines, self._day_before(visit, course)
        assert plan is not None
        against = {event.term: event.medicine for event in self.plan.events if event.medicine is not None}
        nurse = self._actor("coordinator", course.site)
        reasons: dict[str, str] = {}
        for onset, _, term in sorted(course.events):
            if before < onset <= day and term in against:
                reasons.setdefault(against[term], term)
        for page, (medicine, term) in enumerate(reasons.items(), start=1):
            values = {_item_of(plan.medicine): medicine}
            if plan.reason is not None:
                assert self.protocol.safety is not None
                values[_item_of(plan.reason)] = self.protocol.safety.adverse_events.terms[term]
            self._enter(course, visit, form_id, day, values, nurse, at, repeat=page)

    def _enter(
        self,
        course: _Course,
        visit: Visit,
        form_id: str,
        day: date,
        values: Mapping[str, object],
        nurse: Actor,
        at: datetime,
        repeat: int = 1,
    ) -> None:
        """Record a page of a form; what a soft check asks about is answered with a comment."""

        def enter(comments: Mapping[str, str]) -> None:
            conduct.record(
                self.trial,
                course.code,
                visit.id,
                form_id,
                values,
                visit_date=day,
                comments=comments,
                repeat=repeat,
                by=nurse,
                reason="Entered from the source documents",
                at=at,
            )

        try:
            enter({})
        except FormRefused as doubt:
            if _hard(doubt):
                raise
            enter({finding.item: CONFIRMED for finding in doubt.findings})

    def _correction(
        self, course: _Course, visit: Visit, form_id: str, item_id: str, text: str
    ) -> Callable[[datetime], None]:
        def correct(at: datetime) -> None:
            conduct.correct(
                self.trial,
                course.code,
                visit.id,
                form_id,
                item_id,
                text,
                comment=CONFIRMED,
                by=self._actor("coordinator", course.site),
                reason=f"Source document says {text}",
                at=at,
            )

        return correct

    def _typed(
        self, course: _Course, form_id: str, true: Mapping[str, object]
    ) -> tuple[dict[str, object], dict[str, str]]:
        """What is typed, and the true text of each slip."""
        typed, slips = dict(true), {}
        for item in self.protocol.form_items(form_id):
            text = true.get(item.id)
            if item.type not in ("integer", "decimal") or not isinstance(text, str):
                continue
            if course.rng.random() < float(self.plan.entry.mistyped):
                slip = mistyped(text, course.rng)
                if slip is not None:
                    typed[item.id], slips[item.id] = slip, text
        return typed, slips

    def _answers(self, course: _Course, visit: Visit, form_id: str, day: date) -> dict[str, object]:
        """What the source documents of a form say, item by item."""
        answers: dict[str, object] = {}
        known: dict[str, object] = {}
        lost = self._lost_panels(course, form_id)
        for item in self._in_order(form_id):
            if item.type == "derived" or (item.show_if is not None and not item.show_if.holds(known)):
                continue
            name = f"{form_id}.{item.id}"
            panel = self.protocol.panel_of(name)
            if panel is not None and panel.id in lost:
                answers[item.id] = Missing(self.plan.visits.lost_sample_code)
                continue
            answer = self._answer(course, visit, name, item, day, known)
            if answer is None:
                continue
            answers[item.id] = answer
            value = value_of(item, answer if isinstance(answer, str) else json.dumps(answer))
            known |= {item.id: value, name: value}
        return answers

    def _in_order(self, form_id: str) -> list[Item]:
        """The form's items, those whose mean is computed from others last."""
        computed = {part.item for part in self.plan.measurements if part.formula is not None}
        items = self.protocol.form_items(form_id)
        first = [item for item in items if f"{form_id}.{item.id}" not in computed]
        order = {part.item: place for place, part in enumerate(self.plan.measurements)}
        last = [item for item in items if f"{form_id}.{item.id}" in computed]
        return first + sorted(last, key=lambda item: order[f"{form_id}.{item.id}"])

    def _lost_panels(self, course: _Course, form_id: str) -> set[str]:
        share = float(self.plan.visits.lost_sample)
        code = self.plan.visits.lost_sample_code
        panels = {panel.id: panel for panel in self.protocol.panels}
        return {
            panel
            for panel in self.protocol.form(form_id).panels
            if code in panels[panel].missing and course.rng.random() < share
        }

    def _answer(
        self, course: _Course, visit: Visit, name: str, item: Item, day: date, known: Mapping[str, object]
    ) -> object | None:
        person, plan = course.person, self.plan
        if name in person.answers:
            return answer_on(item, person.answers[name], day)
        if (name, visit.id) in person.outcome.multipliers:
            arm = course.arm or self.protocol.arm_ids[0]
            return as_typed(item, self.means[name, arm, visit.id] * person.outcome.multipliers[name, visit.id])
        for measurement in plan.measurements:
            if measurement.item == name:
                if measurement.formula is not None:
                    mean = measurement.formula.evaluate(known)
                elif measurement.mean is not None:
                    mean = measurement.mean
                else:
                    mean = measurement.mean_by_sex[self._sex(course)]
                if not isinstance(mean, Decimal):
                    return None
                return as_typed(item, max(measured(measurement, float(mean), person.deviations[name][visit.id]), 0.0))
        if plan.symptoms is not None and name in (plan.symptoms.any, plan.symptoms.which, plan.symptoms.temperature):
            return self._symptom(course, visit, name, item, day)
        if item.type == "date":
            return day.isoformat()
        if item.type == "time":
            return f"{int(course.rng.integers(8, 10)):02d}:{int(course.rng.integers(0, 60)):02d}"
        return None

    def _sex(self, course: _Course) -> str:
        """The person's sex, from whichever item a measurement's means by sex can be read."""
        keys = {key for part in self.plan.measurements for key in part.mean_by_sex}
        return next(answer for answer in course.person.answers.values() if answer in keys)

    def _symptom(self, course: _Course, visit: Visit, name: str, item: Item, day: date) -> object:
        symptoms = self.plan.symptoms
        assert symptoms is not None
        before = self._day_before(visit, course)
        codes = self.protocol.codelists.get(self.protocol.items[symptoms.which].codelist or "", {})
        had = sorted({term for onset, _, term in course.events if before < onset <= day and term in codes})
        if name == symptoms.any:
            return "yes" if had else "no"
        if name == symptoms.which:
            return had
        return as_typed(item, float(course.rng.uniform(37.6, 38.6)))

    def _day_before(self, visit: Visit, course: _Course) -> date:
        """The target of the visit before: symptoms are asked since then."""
        order = list(self.protocol.visits)
        place = order.index(visit)
        if place == 0 or course.randomised_on == date.min:
            return date.min
        return target_date(order[place - 1].at, course.randomised_on)

    def _draw_events(self, course: _Course) -> None:
        end = course.leaves_on or course.randomised_on + timedelta(days=int(self._length()))
        for event in self.plan.events:
            after_infusion = event.course is not None and bool(self.infusions)
            if after_infusion or (event.arm is not None and event.arm != course.arm):
                continue
            for onset in self._onsets(event, course, end):
                if onset < end:
                    self._plan_event(course, event, onset)

    def _onsets(self, event: VirtualEvent, course: _Course, end: date) -> list[date]:
        if event.course is not None:
            given = next(
                part for regimen in self.protocol.regimens for part in regimen.courses if part.id == event.course
            )
            happens = course.rng.random() < float(event.probability or 0)
            return [target_date(given.at, course.randomised_on)] if happens else []
        days = (end - course.randomised_on).days
        times = course.rng.poisson(float(event.per_year or 0) * days / DAYS_A_YEAR)
        return [
            course.randomised_on + timedelta(days=int(day))
            for day in sorted(course.rng.integers(1, max(days, 2), size=times))
        ]

    def _plan_event(self, course: _Course, event: VirtualEvent, onset: date, moment: datetime | None = None) -> None:
        """Plan what comes of an event, whose moment is known when it follows an infusion."""
        shares = np.array([float(share) for share in event.grades.values()])
        grade = int(list(event.grades)[int(course.rng.choice(shares.size, p=shares / shares.sum()))])
        resolved = onset + timedelta(days=int(event.days))
        related = course.rng.random() < float(event.related)
        course.events.append((onset, resolved, event.term))
        aware = onset if event.course is not None else onset + timedelta(days=int(course.rng.integers(1, 15)))
        minutes = AFTER_INFUSION if event.course is not None else 240
        self._at(
            aware,
            minutes + len(course.events),
            lambda at: self._report(course, event, grade, moment or onset, resolved, related, at),
        )

    def _report(
        self,
        course: _Course,
        event: VirtualEvent,
        grade: int,
        onset: date | datetime,
        resolved: date,
        related: bool,
        at: datetime,
    ) -> None:
        safety = self.protocol.safety
        assert safety is not None
        rules = safety.adverse_events
        means, not_related = rules.related_means[0], rules.causality[-1]
        received = [part for part in rules.related_to if part in self.protocol.arm(course.arm).interventions]
        causes = dict.fromkeys(rules.related_to, not_related)
        if related:
            causes[received[0]] = means
        serious = grade >= 4 or (grade == 3 and event.days >= 14)
        number = conduct.report_adverse_event(
            self.trial,
            course.code,
            term=event.term,
            verbatim=rules.terms[event.term].lower(),
            onset=self._local(onset) if isinstance(onset, datetime) else onset,
            grade=grade,
            serious=serious,
            criteria=("AESHOSP",) if serious else (),
            related=causes,
            course=event.course,
            outcome="NOT RECOVERED/NOT RESOLVED" if resolved > at.date() else "RECOVERED/RESOLVED",
            resolved=None if resolved > at.date() else resolved,
            treatment=self._treatment(event),
            action="DOSE NOT CHANGED" if event.course is not None else "NOT APPLICABLE",
            aware_at=at,
            by=self._actor("investigator", course.site),
            reason="Reported by the participant",
            at=at,
        )
        if serious:
            self.agenda.put(at + timedelta(hours=2), lambda later: self._tell(course, number, later))
        self._let_it_go_on(at)
        if resolved > at.date():
            self._at(resolved, 300, lambda later: self._follow_up(course, number, resolved, later))

    def _treatment(self, event: VirtualEvent) -> str | None:
        """What is given against an event, by its name."""
        plan = self.plan.medicines
        if plan is None or event.medicine is None:
            return None
        codelist = self.protocol.items[plan.medicine].codelist
        return event.medicine if codelist is None else self.protocol.codelists[codelist][event.medicine]

    def _let_it_go_on(self, at: datetime) -> None:
        """A virtual committee decides at once that a trial whose stopping rule is crossed goes on to its end."""
        with self.trial.ledger.reading() as reader:
            paused = [str(row["rule"]) for row in reader.rows("stopping_state", paused=1)]
        for rule in paused:
            conduct.decide_stopping(
                self.trial,
                rule,
                decision="continue",
                committee=next((part.id for part in self.protocol.committees), None),
                statement="Rehearsed to its end",
                on=at.date(),
                by=self._actor("data_manager"),
                reason="The virtual committee met",
                at=at,
            )

    def _follow_up(self, course: _Course, number: int, resolved: date, at: datetime) -> None:
        conduct.follow_up_adverse_event(
            self.trial,
            course.code,
            number,
            outcome="RECOVERED/RESOLVED",
            resolved=resolved,
            by=self._actor("investigator", course.site),
            reason="Followed up to the end",
            at=at,
        )

    def _code_events(self, at: datetime) -> None:
        """Code each event by the term most like it; without the dictionary's files they stay uncoded, and count so."""
        safety = self.protocol.safety
        if safety is None or safety.adverse_events.dictionary is None:
            return
        try:
            dictionary = conduct.coding_dictionary(self.trial)
        except DictionaryRefused:
            return
        for event in conduct.event_codes(self.trial):
            alike = dictionary.exact(event.verbatim) or next(iter(dictionary.suggestions(event.verbatim, 1)), None)
            if alike is not None:
                place = self.trial, event.participant, event.number, alike.code
                conduct.code_adverse_event(*place, by=self._actor("data_manager"), reason="Coded before lock", at=at)

    def _tell(self, course: _Course, number: int, at: datetime) -> None:
        conduct.report_to(
            self.trial,
            course.code,
            number,
            to="sponsor",
            told_at=at,
            by=self._actor("investigator", course.site),
            reason="Serious event form sent",
            at=at,
        )

    def _local(self, moment: datetime) -> str:
        """A moment as the ward writes it, on its own clock."""
        return moment.astimezone(ZoneInfo(self.protocol.conventions.timezone)).strftime("%Y-%m-%dT%H:%M")

    def _miss(self, course: _Course, visit: Visit, at: datetime) -> None:
        if course.left:
            return
        nurse = self._actor("coordinator", course.site)
        because = self.plan.visits.missed_because
        conduct.miss_visit(
            self.trial, course.code, visit.id, cause=because, by=nurse, reason="Window closed without a visit", at=at
        )
        if self.plan.visits.missed_deviation is not None:
            self._deviate(course, self.plan.visits.missed_deviation, f"{visit.name} missed: {because}", at)

    def _outside(self, course: _Course, visit: Visit, at: datetime) -> None:
        assert self.plan.visits.window_deviation is not None
        self._deviate(course, self.plan.visits.window_deviation, f"{visit.name} outside its window", at)

    def _deviate(self, course: _Course, category: str, description: str, at: datetime) -> None:
        conduct.deviation(
            self.trial,
            course.code,
            category=category,
            on=at.date(),
            description=description,
            major=False,
            by=self._actor("investigator", course.site),
            reason="Seen when visits were reviewed",
            at=at,
        )

    def _leave(self, course: _Course, at: datetime) -> None:
        course.left = True
        conduct.withdraw(
            self.trial,
            course.code,
            scope="trial",
            reason_code=course.leaving_code,
            on=at.date(),
            by=self._actor("investigator", course.site),
            reason="Told the study nurse" if course.leaving_code == self.plan.visits.withdrawal_code else "Not reached",
            at=at,
        )

    def _at(self, day: date, minutes: int, action: Callable[[datetime], None]) -> None:
        self.agenda.put(office_time(day, minutes), action)

    def _actor(self, role: str, site: str | None = None) -> Actor:
        names = {"coordinator": "nurse-01", "investigator": "pi-01", "data_manager": "dm-01"}
        return Actor(names[role], role, site)


def _hard(refused: FormRefused) -> bool:
    return any(finding.severity == "hard" for finding in refused.findings)


def _means(protocol: Protocol, plan: Rehearsal, truth: Truth) -> dict[tuple[str, str, str], float]:
    """Mean by item, arm and visit; under the null every arm has the reference arm's."""
    reference = protocol.estimands[0].treatments.reference if protocol.estimands else protocol.arm_ids[-1]
    return {
        (curve.item, arm, visit): float(curve.means[reference if truth == "null" else arm][visit])
        for curve in plan.outcomes.curves
        for arm in protocol.arm_ids
        for visit in curve.means[arm]
    }


def _form_of(name: str) -> str:
    return name.partition(".")[0]


def _item_of(name: str) -> str:
    return name.partition(".")[2]
