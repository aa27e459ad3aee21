"""A small trial that the conduct tests act on: two sites, one follow-up rule of each kind, a clock that ticks."""

# ruff: noqa: E501 (the protocol's lines)

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from equipoise import conduct
from equipoise.donors import Bag, Label
from equipoise.ledger import Actor
from equipoise.randomisation import Secret

PROTOCOL = """\
equipoise: 1
protocol: {id: KIT, version: "1.0", date: 2018-01-01, status: Final}
titles: {full: A trial to test with, short: Kit}
parties: {sponsor: {name: Sponsor}}
sites: [{id: "01", name: North, country: CN}, {id: "02", name: South, country: CN}]
design:
  {phase: Phase 2, model: PARALLEL, purpose: TREATMENT, control: ACTIVE, blinding: OPEN LABEL}
conventions: {timezone: Asia/Shanghai}
epochs:
  [{id: SCREEN, type: SCREENING}, {id: BASE, type: BASELINE}, {id: FOLLOW, type: FOLLOW-UP}]
arms:
  - {id: NEW, name: New, type: Experimental Arm, interventions: [cells]}
  - {id: OLD, name: Old, type: Active Comparator Arm}
allocation: {method: permuted_blocks, ratio: {NEW: 1, OLD: 1}, block_size: 4, strata: [entry.sex]}
consents:
  - {id: main, version: "1.0", date: 2018-01-01}
  - {id: main, version: "1.1", date: 2018-02-10}
  - {id: genes, version: "1.0", date: 2018-01-01, covers: [genes], before: samples}
population: {condition: HIV-1 infection, planned: 20}
eligibility:
  inclusion:
    - {id: AGE, text: Age 18 to 65 years, rule: 18 <= entry.age <= 65}
    - {id: CD4, text: CD4 below 350, rule: blood.cd4 < 350}
    - {id: SIGNED, text: Consent signed, rule: known(consent.signed_on)}
  exclusion:
    - {id: PREG, text: Pregnant, rule: entry.sex == 'F' and entry.pregnant == yes}
interventions:
  - {id: cells, name: Cells, role: Experimental Intervention, type: BIOLOGIC, product: cells, regimen: two}
products:
  - id: cells
    name: Cells
    dose_form: INJECTION
    shelf_life: {hours: 24}
    storage: {min_celsius: 2, max_celsius: 8}
    donor_eligibility: {tests: [HIV, HBV, HCV, SYPHILIS], within_days: 30}
    release:
      - {id: viability, test: Viability, unit: "%", rule: value >= 85}
      - {id: nk, test: CD3-CD56+ cells, unit: "%", rule: value >= 80}
      - {id: cd3, test: CD3+ cells, unit: "%", rule: value <= 10}
      - {id: endotoxin, test: Endotoxin, unit: "[EU]/mL", rule: value < 5}
      - {id: sterility, test: Sterility of 14 days, rule: value == 'NEGATIVE', due_days: 14}
      - {id: lysis, test: Lysis of K562, unit: "%", rule: value > 20, blocking: false}
    composition: {viability: viability, nk: nk, cd3: cd3, endotoxin: endotoxin}
    dose_limits: [{id: cd3_kg, quantity: cd3_per_kg, rule: value <= 200000}]
regimens:
  - id: two
    dose: {value: 1e8, unit: Therapeutic Cells, allowed_deviation: 0.1}
    route: INTRAVENOUS
    courses:
      - {id: C1, at: {days: 1}, window: {days_before: 0, days_after: 7}}
      - {id: C2, at: {days: 31}, window: {days_before: 7, days_after: 7}, after: m1}
    preconditions: [{id: afebrile, text: No fever within 24 hours}]
    identity_checks: 2
    vital_signs_minutes: [-15, 15, 30, 60]
    observe_hours: 4
    stop_if: any(ae.grade >= 3 and ae.related == 'RELATED')
donor_matching:
  {rule: hla_c_group_mismatch_gvh, version: 1, requires: [donor.hla_c, donor.kir, participant.hla_c], when: after_randomisation, ligands: [C1, C2]}
visits:
  - {id: scr, number: 0, name: Screening, epoch: SCREEN, at: {days: -14}, window: {days_before: 28, days_after: 6}, forms: [entry]}
  - {id: m0, number: 1, name: Baseline, epoch: BASE, at: {days: -1}, window: {days_before: 6, days_after: 1}, forms: [blood]}
  - {id: m1, number: 2, name: Month 1, epoch: FOLLOW, at: {months: 1}, window: {days_before: 7, days_after: 7}, forms: [blood, symptoms, drugs]}
  - {id: m3, number: 3, name: Month 3, epoch: FOLLOW, at: {months: 3}, window: {days_before: 14, days_after: 14}, forms: [blood, symptoms]}
unscheduled: [{id: extra, name: Unscheduled, forms: [blood, symptoms]}]
codelists:
  SEX: {F: Female, M: Male}
  SYMPTOM: {FEVER: Fever, RASH: Rash, COUGH: Cough}
missing_codes: {ND: Not done, CLOT: Clotted}
panels:
  - id: cells
    specimen: BLOOD
    missing: [ND, CLOT]
    tests:
      - {id: cd4, name: CD4, unit: /uL, required: true, range: {hard: {min: 0, max: 5000}, soft: {min: 10, max: 1500}}}
      - {id: cd8, name: CD8, unit: /uL, range: {hard: {min: 0}}}
forms:
  - id: entry
    title: Entry
    items:
      - {id: sex, question: Sex, type: choice, codelist: SEX, required: true}
      - {id: age, question: Age, type: integer, unit: a, required: true, range: {hard: {min: 0, max: 120}}}
      - {id: pregnant, question: Pregnant, type: yes-no, required: true, show_if: sex == 'F'}
      - {id: note, question: Note, type: text, max_length: 20}
  - id: blood
    title: Blood
    panels: [cells]
    items:
      - {id: drawn, question: Drawn on, type: date, required: true}
      - {id: ratio, question: Ratio, type: derived, unit: "1", places: 3, formula: cd4 / cd8}
  - id: symptoms
    title: Symptoms
    items:
      - {id: any, question: Any symptom, type: yes-no, required: true, missing: [ND]}
      - {id: which, question: Which, type: many, codelist: SYMPTOM, show_if: any == yes, required: true}
      - {id: tmax, question: Highest temperature, type: decimal, unit: Cel, places: 1, show_if: "'FEVER' in which", range: {hard: {min: 30, max: 44}}}
      - {id: taken, question: Taken at, type: time}
      - {id: burden, question: Symptoms per 100 CD4, type: derived, places: 2, formula: "if(any == yes, 100 / blood.cd4, 0)"}
  - id: drugs
    title: Drugs
    repeating: true
    items: [{id: name, question: Name, type: text, required: true}]
checks:
  - {id: UPSIDE, on: blood, when: cd4 > cd8, severity: soft, message: CD4 is above CD8}
  - {id: LATER, on: blood, when: drawn > visit.date, severity: hard, message: Drawn after the visit}
  - {id: WELL, on: symptoms, when: blood.cd4 < 50 and any == no, severity: soft, message: No symptom at a CD4 below 50}
deviations: {WINDOW: Outside the window, PROCEDURE: Procedure left out}
safety:
  grading: {scale: DAIDS, version: "2.1"}
  adverse_events:
    related_to: [cells, procedure]
    terms: {FEVER: Fever, RASH: Rash}
discontinuation:
  screening: {DECLINED: Declined}
  intervention: {WISH: Wish}
  trial: {LOST: Lost to follow-up, WISH: Wish}
"""

MANAGER = Actor("d.manager", "data_manager")
DOCTOR = Actor("l.doctor", "investigator", "01")
NURSE = Actor("n.nurse", "coordinator", "01")
OTHER_DOCTOR = Actor("s.doctor", "investigator", "02")
LABORATORY = Actor("c.lab", "pharmacist")
QUALITY = Actor("q.unit", "quality")
SECRET = Secret(bytes(range(32)))
START = datetime(2018, 2, 1, 2, tzinfo=UTC)
DAY = date(2018, 2, 1)


#: Results within specification, and their units.
RESULTS = {
    "viability": ("90", "%"),
    "nk": ("95", "%"),
    "cd3": ("2", "%"),
    "endotoxin": ("0.5", "[EU]/mL"),
    "lysis": ("40", "%"),
    "sterility": ("NEGATIVE", None),
}


class Kit:
    """An open trial with a clock, and short ways of doing what most tests only need done."""

    PROTOCOL = PROTOCOL
    MANAGER, DOCTOR, NURSE, OTHER_DOCTOR, SECRET, DAY = MANAGER, DOCTOR, NURSE, OTHER_DOCTOR, SECRET, DAY
    LABORATORY, QUALITY, RESULTS = LABORATORY, QUALITY, RESULTS

    def __init__(self, folder, protocol=PROTOCOL, **more):
        self.now = START
        common = {"secret": SECRET, "by": MANAGER, "reason": "first version", "at": self.now}
        self.trial = conduct.create(folder, protocol.encode(), **(common | more))

    @classmethod
    def copied(cls, template, folder):
        """A trial just created, copied from one that is closed; its protocol need not be parsed again."""
        shutil.copytree(template.trial.folder, folder)
        kit = cls.__new__(cls)
        kit.now = START
        trial = conduct.open_trial(folder)
        kit.trial = conduct.Trial(folder, trial.ledger, template.trial._versions)
        return kit

    @property
    def today(self):
        """The trial's date."""
        return (self.now + timedelta(hours=8)).date()

    def tick(self):
        """A minute later."""
        self.now += timedelta(minutes=1)
        return self.now

    def wait(self, days):
        """Days later."""
        self.now += timedelta(days=days)

    def entry(self, by=DOCTOR, reason="as seen"):
        """Who, why, when."""
        return {"by": by, "reason": reason, "at": self.tick()}

    def head(self):
        """The ledger's head."""
        with self.trial.ledger.reading() as reader:
            return reader.head

    def rows(self, table, **equals):
        """Rows of a read table."""
        with self.trial.ledger.reading() as reader:
            return reader.rows(table, **equals)

    def events(self, kind):
        """The events of a kind."""
        with self.trial.ledger.reading() as reader:
            return list(reader.events(kinds=[kind]))

    def screened(self, by=DOCTOR, site="01"):
        """A participant in screening."""
        return conduct.screen(self.trial, site=site, on=self.today, **self.entry(by))

    def consented(self, by=DOCTOR, site="01"):
        """A participant who signed."""
        participant = self.screened(by, site)
        conduct.consent(
            self.trial, participant, consent_id="main", version="1.0", signed_on=self.today, **self.entry(by)
        )
        return participant

    def record(self, participant, visit, form, values, *, on=None, by=DOCTOR, **more):
        """Record a form, today unless told otherwise."""
        day = self.today if on is None else on
        return conduct.record(self.trial, participant, visit, form, values, visit_date=day, **more, **self.entry(by))

    def assessed(self, by=DOCTOR, site="01", **answers):
        """A participant with screening and baseline answers."""
        participant = self.consented(by, site)
        self.record(participant, "scr", "entry", {"sex": "M", "age": 40, **answers}, by=by)
        self.record(participant, "m0", "blood", {"drawn": self.today, "cd4": 139, "cd8": 734}, by=by)
        return participant

    def declared(self, by=DOCTOR, site="01", **answers):
        """A participant who was declared eligible."""
        participant = self.assessed(by, site, **answers)
        conduct.declare_eligible(self.trial, participant, **self.entry(by))
        return participant

    def randomised(self, by=DOCTOR, site="01", **answers):
        """A randomised participant."""
        participant = self.declared(by, site, **answers)
        conduct.randomise(self.trial, participant, **self.entry(by))
        return participant

    def in_arm(self, arm, by=DOCTOR, site="01"):
        """A participant whom chance gave the arm; others may be randomised on the way."""
        while True:
            participant = self.randomised(by, site)
            if self.rows("allocation", participant=participant)[0]["arm"] == arm:
                return participant

    def registered(self, donor="D01"):
        """A donor of the trial."""
        conduct.register_donor(self.trial, donor, sex="M", birth_year=1985, **self.entry(LABORATORY))
        return donor

    def tested(self, donor="D01", **results):
        """A registered donor whose infection tests are negative but for those given."""
        self.registered(donor)
        results = dict.fromkeys(("HIV", "HBV", "HCV", "SYPHILIS"), "NEGATIVE") | results
        conduct.record_donor_tests(self.trial, donor, results=results, sampled_on=self.today, **self.entry(LABORATORY))
        return donor

    def typed_donor(self, donor="D01", c=("C*07:01", "C*05:01"), kir="2DL1 2DL3 3DL1 2DS4"):
        """A donor who is tested, judged eligible and typed, and shows C1 and C2 unless told otherwise."""
        self.tested(donor)
        conduct.judge_donor(self.trial, donor, eligible=True, statement="all negative", **self.entry(QUALITY))
        self.type_donor(donor, c, kir)
        return donor

    def type_donor(self, donor, c, kir="2DL1 2DL3 3DL1 2DS4"):
        """Record a typing of HLA-C and KIR."""
        report = {"method": "NGS", "laboratory": "Central", "reported_on": self.today}
        return conduct.type_donor(self.trial, donor, hla={"C": c}, kir=kir, **report, **self.entry(LABORATORY))

    def type_participant(self, participant, c=("C*07:01", "C*07:02"), by=DOCTOR):
        """Record a typing of HLA-C, C1 alone unless told otherwise."""
        report = {"method": "NGS", "laboratory": "Central", "reported_on": self.today}
        return conduct.type_participant(self.trial, participant, hla={"C": c}, **report, **self.entry(by))

    def matched(self, donor="D01", by=DOCTOR, site="01"):
        """A participant of the arm with cells, matched with the donor."""
        participant = self.in_arm("NEW", by, site)
        self.type_participant(participant, by=by)
        conduct.match_donor(self.trial, participant, donor, **self.entry(LABORATORY))
        return participant

    def received(self, lot="L01", donor="D01", bags=3, **given):
        """A lot in quarantine, three bags of 1.2e8 cells in 100 mL unless told otherwise."""
        facts = {
            "product": "cells",
            "donor": donor,
            "donated_on": self.today,
            "made_at": self.now,
            "bags": [self.bag(f"{lot}-{number}") for number in range(1, bags + 1)],
            "made": {"culture": "14 days with feeder cells"},
            "giver": "courier",
            "place": "store",
            "celsius": "4",
        }
        conduct.receive_lot(self.trial, lot, **(facts | self.entry(LABORATORY) | given))
        return lot

    @staticmethod
    def bag(code):
        """A bag of 1.2e8 cells in 100 mL."""
        return Bag(code, Decimal("1.2e8"), Decimal(100))

    def result(self, lot, criterion, value=None, **given):
        """A result of a lot, within specification unless given."""
        usual, unit = RESULTS[criterion]
        facts = {"value": usual if value is None else value, "unit": unit} | self.entry(LABORATORY) | given
        return conduct.record_lot_result(self.trial, lot, criterion, **facts)

    def measured(self, lot="L01", donor="D01", bags=3, **results):
        """A lot with every result but sterility, those given instead of the usual ones."""
        self.received(lot, donor, bags)
        for criterion in RESULTS:
            if criterion != "sterility":
                self.result(lot, criterion, results.get(criterion))
        return lot

    def released(self, lot="L01", donor="D01", bags=3, **results):
        """A released lot."""
        self.measured(lot, donor, bags, **results)
        self.result(lot, "sterility")
        self.release(lot)
        return lot

    def release(self, lot="L01", **given):
        """Release a lot."""
        facts = {"certificate": f"CoA {lot}"} | self.entry(QUALITY) | given
        conduct.release_lot(self.trial, lot, **facts)

    def issue(self, participant, bag="L01-1", course="C1", **given):
        """Issue a bag to the nurse."""
        facts = {"participant": participant, "course": course, "receiver": NURSE.id, "place": "ward", "celsius": "5"}
        conduct.issue_bag(self.trial, bag, **(facts | self.entry(LABORATORY) | given))

    def issued(self):
        """A participant at whose bedside all is ready: matched, with a bag of a released lot issued for course C1."""
        self.typed_donor()
        participant = self.matched()
        self.released()
        self.issue(participant)
        return participant

    def label(self, participant, bag="L01-1", lot="L01"):
        """What is read on a bag and wristband when both are right."""
        expires = datetime.fromisoformat(self.rows("lot", lot=lot)[0]["expires_at"])
        return Label(bag, lot, participant, expires)

    def infuse(self, participant, course="C1", bag="L01-1", **given):
        """Start an infusion, as it should be but for what is given."""
        lot = bag.rpartition("-")[0]
        facts = {
            "label": self.label(participant, bag, lot) if self.rows("lot", lot=lot) else None,
            "second": DOCTOR,
            "preconditions": {"afebrile": True},
            "weight_kg": "60",
            "place": "ward",
        }
        return conduct.start_infusion(self.trial, participant, course, bag, **(facts | self.entry(NURSE) | given))

    def infused(self):
        """A participant whose first course was given."""
        participant = self.issued()
        self.infuse(participant)
        self.finish(participant)
        return participant

    def finish(self, participant, course="C1", **given):
        """End an infusion of the whole bag, half an hour after its start."""
        self.now += timedelta(minutes=30)
        entry = self.entry(NURSE)
        facts = {"stopped_at": entry["at"], "volume_given_ml": "100", "completed": True} | entry | given
        return conduct.finish_infusion(self.trial, participant, course, **facts)

    def harmed(self, participant, **facts):
        """Report a harmless adverse event, but for the facts given."""
        common = {
            "term": "FEVER",
            "verbatim": "felt hot",
            "onset": self.today,
            "grade": 1,
            "serious": False,
            "related": {"cells": "NOT RELATED", "procedure": "NOT RELATED"},
            "outcome": "NOT RECOVERED/NOT RESOLVED",
            "aware_at": self.now,
        }
        return conduct.report_adverse_event(self.trial, participant, **(common | facts), **self.entry())

    def amended(self, *changes, version="2.0"):
        """The protocol with pieces of text exchanged and a version of its own."""
        text = PROTOCOL.replace('id: KIT, version: "1.0"', f'id: KIT, version: "{version}"')
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        return text.encode()
