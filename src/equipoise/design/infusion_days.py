"""The product in a rehearsal: a fresh lot for each course, tested, released, issued, infused and followed to its end.

A lot that fails its tests is rejected and another one made while the course's window is open; a course whose window
closes is recorded as missed. What follows an infusion (fevers and the like) is the ward's, told by `infused`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from equipoise import conduct
from equipoise.capture import target_date
from equipoise.design.agenda import Agenda, office_time
from equipoise.design.donor_panel import LABORATORY, QUALITY, DonorPanel
from equipoise.design.virtual_donors import draw_quantity
from equipoise.donors import Bag, Label
from equipoise.ledger import Actor
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.conduct import Trial
    from equipoise.protocol.interventions import Course, Product, Regimen
    from equipoise.protocol.rehearsal import LotDraw

FOR_INFUSIONS = 0xD2  # which generator, beside the rehearsal's seed
RECEIVED, TESTED, RELEASED, ISSUED, STARTED = 200, 205, 220, 235, 260  # minutes after the office opens
AGAIN_AFTER = 2  # days until another lot is there
CULTURE = timedelta(days=14)
NORMAL = {
    "temperature": (36.6, 0.2),
    "systolic": (122, 9),
    "diastolic": (77, 6),
    "pulse": (74, 7),
    "saturation": (98, 1),
}
PLACES = {"temperature": 1}


Infused = Callable[[str, datetime], None]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is infused: code, site, the day of allocation, the donor matched, body weight in kg."""

    code: str
    site: str
    randomised_on: date
    donor: str
    weight_kg: Decimal


class InfusionDays:
    """Plans and records the infusions of one product and regimen."""

    def __init__(
        self,
        trial: Trial,
        agenda: Agenda,
        panel: DonorPanel,
        product: Product,
        regimen: Regimen,
        plan: LotDraw,
        seed: int,
    ) -> None:
        """Keep what every infusion shares; arguments as of the rehearsal."""
        self.trial = trial
        self.agenda = agenda
        self.panel = panel
        self.product = product
        self.regimen = regimen
        self.plan = plan
        self.rng = np.random.default_rng([seed, FOR_INFUSIONS])
        self.lots = 0
        self.sampled: set[tuple[str, date]] = set()

    def plan_course(self, recipient: Recipient, course: Course, samples_on: date | None, infused: Infused) -> None:
        """Put a course on the agenda.

        Args:
            recipient: who is to be infused.
            course: of the regimen.
            samples_on: the day of the visit whose samples come first, if there is one and it takes place.
            infused: told the course and when its infusion ended.
        """
        target = target_date(course.at, recipient.randomised_on)
        closes = target + timedelta(days=course.window.days_after)
        opens = target - timedelta(days=course.window.days_before)
        if course.after is not None and (samples_on is None or samples_on > closes):
            self._miss(recipient, course, closes, f"Samples of visit {course.after} were not taken in time")
            return
        early = max(opens, samples_on or opens, recipient.randomised_on + timedelta(days=1))
        day = min(max(target, early) + timedelta(days=int(self.rng.integers(0, 4))), closes)
        self._attempt(recipient, course, day, closes, infused)

    def _attempt(self, recipient: Recipient, course: Course, day: date, closes: date, infused: Infused) -> None:
        self._at(day, RECEIVED, lambda at: self._make(recipient, course, closes, infused, at))

    def _make(self, recipient: Recipient, course: Course, closes: date, infused: Infused, at: datetime) -> None:
        """Receive a lot, test it, release it and go on; or reject it and make another."""
        if not self._still_here(recipient):
            return
        self.lots += 1
        lot, bag = f"L{self.lots:03d}", f"B{self.lots:03d}"
        made_at = at - timedelta(hours=self.plan.hours_before)
        donated_on = at.date() - CULTURE
        self._test_donor(recipient, donated_on, at)
        cells = Decimal(round(draw_quantity(self.plan.cells, self.rng), -5))
        conduct.receive_lot(
            self.trial,
            lot,
            product=self.product.id,
            donor=recipient.donor,
            donated_on=donated_on,
            made_at=made_at,
            bags=(Bag(bag, cells, self.plan.volume_ml),),
            giver="cell laboratory",
            place="ward pharmacy",
            celsius=Decimal("4.0"),
            by=LABORATORY,
            reason="Delivered by the cell laboratory",
            at=at,
        )
        self._results(lot, at + timedelta(minutes=TESTED - RECEIVED))
        self._at(at.date(), RELEASED, lambda at: self._release(recipient, course, lot, bag, closes, infused, at))

    def _release(
        self,
        recipient: Recipient,
        course: Course,
        lot: str,
        bag: str,
        closes: date,
        infused: Infused,
        at: datetime,
    ) -> None:
        """Release the lot and go on to the bedside, or reject it and make another."""
        try:
            conduct.release_lot(
                self.trial,
                lot,
                conditional=any(criterion.due_days for criterion in self.product.release),
                certificate=f"CoA-{lot}",
                by=QUALITY,
                reason="Results reviewed",
                at=at,
            )
        except Refusal as refused:
            conduct.reject_lot(self.trial, lot, statement=refused.problem, by=QUALITY, reason="Results reviewed", at=at)
            self._destroy(bag, "Lot rejected", at)
            self._again(recipient, course, closes, infused, at)
            return
        self._at(at.date(), ISSUED, lambda at: self._issue(recipient, course, bag, at))
        self._at(at.date(), STARTED, lambda at: self._infuse(recipient, course, lot, bag, closes, infused, at))

    def _test_donor(self, recipient: Recipient, donated_on: date, at: datetime) -> None:
        """The donor's infection tests again, since those of the panel's opening grow old."""
        tests = () if self.product.donor_eligibility is None else self.product.donor_eligibility.tests
        sample = (recipient.donor, donated_on)
        if tests and sample not in self.sampled:
            self.sampled.add(sample)
            conduct.record_donor_tests(
                self.trial,
                recipient.donor,
                results=dict.fromkeys(tests, "NEGATIVE"),
                sampled_on=sample[1],
                by=LABORATORY,
                reason="Tests at the donation",
                at=at,
            )

    def _results(self, lot: str, at: datetime) -> None:
        """What is back when the lot arrives; what is due later comes on its day."""
        for place, criterion in enumerate(self.product.release):
            when = at + timedelta(minutes=place)
            if criterion.id in self.plan.results:
                quantity = self.plan.results[criterion.id]
                value = f"{draw_quantity(quantity, self.rng):.{quantity.places}f}"
            else:
                value = self.plan.texts[criterion.id]
            if criterion.due_days:
                when = at + timedelta(days=criterion.due_days)
                self.agenda.put(when + timedelta(days=1), self._completing(lot))
            self.agenda.put(when, self._recording(lot, criterion.id, value, criterion.unit))

    def _recording(self, lot: str, criterion: str, value: str, unit: str | None) -> Callable[[datetime], None]:
        def record(at: datetime) -> None:
            conduct.record_lot_result(
                self.trial,
                lot,
                criterion,
                value=value,
                unit=unit,
                by=LABORATORY,
                reason="Report of the cell laboratory",
                at=at,
            )

        return record

    def _completing(self, lot: str) -> Callable[[datetime], None]:
        """Complete a conditional release, once the last result is there."""

        def complete(at: datetime) -> None:
            with self.trial.ledger.reading() as reader:
                row = reader.row("lot", lot)
            if row is not None and row["status"] == "conditionally released":
                conduct.release_lot(
                    self.trial,
                    lot,
                    certificate=f"CoA-{lot}, completed",
                    by=QUALITY,
                    reason="The last result is there and passes",
                    at=at,
                )

        return complete

    def _issue(self, recipient: Recipient, course: Course, bag: str, at: datetime) -> None:
        conduct.issue_bag(
            self.trial,
            bag,
            participant=recipient.code,
            course=course.id,
            receiver="nurse-01",
            place="ward",
            celsius=Decimal("4.5"),
            by=LABORATORY,
            reason="Ordered by the ward",
            at=at,
        )

    def _infuse(
        self,
        recipient: Recipient,
        course: Course,
        lot: str,
        bag: str,
        closes: date,
        infused: Infused,
        at: datetime,
    ) -> None:
        nurse = Actor("nurse-01", "coordinator", recipient.site)
        try:
            conduct.start_infusion(
                self.trial,
                recipient.code,
                course.id,
                bag,
                label=Label(bag, lot, recipient.code, self._expires(lot)),
                second=Actor("pi-01", "investigator", recipient.site),
                preconditions={question.id: True for question in self.regimen.preconditions},
                weight_kg=recipient.weight_kg,
                accept_conditional="Sterility of 14 days is to come, as the protocol allows",
                place="bedside",
                celsius=Decimal("5.0"),
                by=nurse,
                reason=f"Course {course.id}",
                at=at,
            )
        except conduct.InfusionRefused as refused:
            self._take_back(recipient, course, bag, closes, infused, refused, at)
            return
        stopped = at + timedelta(minutes=int(self.rng.integers(40, 75)))
        self.agenda.put(stopped, lambda at: self._finish(recipient, course, nurse, infused, at))
        self._vital_signs(recipient, course, nurse, at)

    def _take_back(
        self,
        recipient: Recipient,
        course: Course,
        bag: str,
        closes: date,
        infused: Infused,
        refused: conduct.InfusionRefused,
        at: datetime,
    ) -> None:
        """What was refused at the bedside goes back and is destroyed; another lot is made."""
        conduct.return_bag(
            self.trial,
            bag,
            giver="nurse-01",
            receiver=LABORATORY.id,
            place="ward pharmacy",
            celsius=Decimal("5.0"),
            by=LABORATORY,
            reason=refused.problem,
            at=at,
        )
        self._destroy(bag, "Refused at the bedside", at)
        self._again(recipient, course, closes, infused, at)

    def _destroy(self, bag: str, reason: str, at: datetime) -> None:
        conduct.destroy_bag(self.trial, bag, place="ward pharmacy", by=LABORATORY, reason=reason, at=at)

    def _again(self, recipient: Recipient, course: Course, closes: date, infused: Infused, at: datetime) -> None:
        """Another lot in some days, or no course when its window closes before."""
        again = at.date() + timedelta(days=AGAIN_AFTER)
        if again <= closes:
            self._attempt(recipient, course, again, closes, infused)
        else:
            self._miss(recipient, course, closes, "No lot could be given within the window")

    def _finish(
        self,
        recipient: Recipient,
        course: Course,
        nurse: Actor,
        infused: Infused,
        at: datetime,
    ) -> None:
        conduct.finish_infusion(
            self.trial,
            recipient.code,
            course.id,
            stopped_at=at,
            volume_given_ml=self.plan.volume_ml,
            completed=True,
            by=nurse,
            reason="Infusion ended",
            at=at,
        )
        infused(course.id, at)

    def _expires(self, lot: str) -> datetime | None:
        """What the bag's label says."""
        with self.trial.ledger.reading() as reader:
            row = reader.row("lot", lot)
        assert row is not None
        return None if row["expires_at"] is None else datetime.fromisoformat(str(row["expires_at"]))

    def _vital_signs(self, recipient: Recipient, course: Course, nurse: Actor, started: datetime) -> None:
        last = max((*self.regimen.vital_signs_minutes, 0))
        for minutes in self.regimen.vital_signs_minutes:
            values = {name: self._measured(name) for name in NORMAL}
            at = max(started + timedelta(minutes=minutes), started + timedelta(minutes=last))
            self.agenda.put(at, self._watching(recipient, course, minutes, values, nurse))

    def _measured(self, name: str) -> Decimal:
        mean, sd = NORMAL[name]
        drawn = min(self.rng.normal(mean, sd), 100 if name == "saturation" else np.inf)
        return Decimal(f"{drawn:.{PLACES.get(name, 0)}f}")

    def _watching(
        self, recipient: Recipient, course: Course, minutes: int, values: dict[str, Decimal], nurse: Actor
    ) -> Callable[[datetime], None]:
        def watch(at: datetime) -> None:
            conduct.record_infusion_vital_signs(
                self.trial,
                recipient.code,
                course.id,
                minutes=minutes,
                values=values,
                by=nurse,
                reason="Watched at the bedside",
                at=at,
            )

        return watch

    def _miss(self, recipient: Recipient, course: Course, closes: date, cause: str) -> None:
        def miss(at: datetime) -> None:
            if self._still_here(recipient):
                conduct.miss_course(
                    self.trial,
                    recipient.code,
                    course.id,
                    cause=cause,
                    by=Actor("pi-01", "investigator", recipient.site),
                    reason="Window closed",
                    at=at,
                )

        self._at(closes + timedelta(days=1), 40, miss)

    def _still_here(self, recipient: Recipient) -> bool:
        with self.trial.ledger.reading() as reader:
            row = reader.row("participant", recipient.code)
        return row is not None and row["withdrawn_on"] is None

    def _at(self, day: date, minutes: int, action: Callable[[datetime], None]) -> None:
        self.agenda.put(office_time(day, minutes), action)
