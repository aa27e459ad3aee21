"""The protocol as one frozen value, and the look-ups that the rooms above ask of it."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, PrivateAttr

from equipoise.protocol.aims import AnalysisSet, Estimand, Objective, Outcome
from equipoise.protocol.design import Allocation, Arm, ConsentForm, Conventions, Design, Epoch
from equipoise.protocol.eligibility import Criterion, Eligibility, Population
from equipoise.protocol.external_data import LongTable
from equipoise.protocol.forms import Check, Form, Item, LaboratoryTest, Panel
from equipoise.protocol.identity import (
    Amendment,
    Committee,
    Identifier,
    Parties,
    ProtocolVersion,
    Site,
    Titles,
)
from equipoise.protocol.interventions import DonorMatching, Intervention, Product, Regimen
from equipoise.protocol.parts import Code, Filled, Id, Part, Text
from equipoise.protocol.plan import Analysis, Report, SampleSize
from equipoise.protocol.rehearsal import Rehearsal
from equipoise.protocol.safety import Discontinuation, Safety, StoppingRule
from equipoise.protocol.schedule import UnscheduledVisit, Visit


class Protocol(Part):
    """A whole trial. Build it with `load` or `parse`, which also check that the parts fit together."""

    equipoise: Literal[1]
    protocol: ProtocolVersion
    titles: Titles
    identifiers: tuple[Identifier, ...] = ()
    parties: Parties
    sites: Filled[Site]
    design: Design
    conventions: Conventions = Conventions()
    epochs: Filled[Epoch]
    arms: Filled[Arm]
    allocation: Allocation
    consents: tuple[ConsentForm, ...] = ()
    population: Population
    eligibility: Eligibility = Eligibility()
    interventions: tuple[Intervention, ...] = ()
    products: tuple[Product, ...] = ()
    regimens: tuple[Regimen, ...] = ()
    donor_matching: DonorMatching | None = None
    visits: Filled[Visit]
    unscheduled: tuple[UnscheduledVisit, ...] = ()
    codelists: dict[Id, dict[Code, Text]] = Field(default_factory=dict)
    missing_codes: dict[Code, Text] = Field(default_factory=dict)
    panels: tuple[Panel, ...] = ()
    forms: Filled[Form]
    checks: tuple[Check, ...] = ()
    deviations: dict[Code, Text] = Field(default_factory=dict)
    safety: Safety | None = None
    stopping_rules: tuple[StoppingRule, ...] = ()
    committees: tuple[Committee, ...] = ()
    discontinuation: Discontinuation = Discontinuation()
    objectives: tuple[Objective, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    analysis_sets: tuple[AnalysisSet, ...] = ()
    estimands: tuple[Estimand, ...] = ()
    analyses: tuple[Analysis, ...] = ()
    sample_size: SampleSize | None = None
    report: Report = Report()
    data_sharing: Text | None = None
    amendments: tuple[Amendment, ...] = ()
    data: LongTable | None = None
    rehearsal: Rehearsal | None = None

    _text: str = PrivateAttr(default="")
    _sha256: str = PrivateAttr(default="")

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self._text

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's UTF-8 bytes, in hexadecimal: the protocol hash of every event."""
        return self._sha256

    @cached_property
    def arm_ids(self) -> tuple[str, ...]:
        """The arms in the order of the file."""
        return tuple(arm.id for arm in self.arms)

    def arm(self, arm_id: str) -> Arm:
        """The arm of that id."""
        return next(arm for arm in self.arms if arm.id == arm_id)

    def site(self, site_id: str) -> Site:
        """The site of that id."""
        return next(site for site in self.sites if site.id == site_id)

    def visit(self, visit_id: str) -> Visit:
        """The planned visit of that id."""
        return next(visit for visit in self.visits if visit.id == visit_id)

    def form(self, form_id: str) -> Form:
        """The form of that id."""
        return next(form for form in self.forms if form.id == form_id)

    def outcome(self, outcome_id: str) -> Outcome:
        """The outcome of that id."""
        return next(outcome for outcome in self.outcomes if outcome.id == outcome_id)

    def analysis_set(self, set_id: str) -> AnalysisSet:
        """The analysis set of that id."""
        return next(analysis_set for analysis_set in self.analysis_sets if analysis_set.id == set_id)

    def epoch_type(self, visit: Visit) -> str:
        """The CDISC type of the visit's epoch; empty when there is no such epoch, which a cross-check tells."""
        return next((epoch.type for epoch in self.epochs if epoch.id == visit.epoch), "")

    @cached_property
    def screening_visits(self) -> tuple[Visit, ...]:
        """Visits before allocation at which eligibility is asked (epochs SCREENING and RUN-IN)."""
        return tuple(visit for visit in self.visits if self.epoch_type(visit) in ("SCREENING", "RUN-IN"))

    @cached_property
    def baseline_visit(self) -> Visit | None:
        """The visit of the BASELINE epoch."""
        return next((visit for visit in self.visits if self.epoch_type(visit) == "BASELINE"), None)

    @cached_property
    def follow_up_visits(self) -> tuple[Visit, ...]:
        """Visits after baseline, in order."""
        before = {visit.id for visit in self.screening_visits}
        if self.baseline_visit is not None:
            before.add(self.baseline_visit.id)
        return tuple(visit for visit in self.visits if visit.id not in before)

    @cached_property
    def items(self) -> dict[str, Item]:
        """Every item by `form.item`; the tests of a form's panels are items of it."""
        return {f"{form.id}.{item.id}": item for form in self.forms for item in self.form_items(form.id)}

    def form_items(self, form_id: str) -> tuple[Item, ...]:
        """The items of a form in order: its own, then one decimal item for each test of its panels."""
        form = self.form(form_id)
        panels = {panel.id: panel for panel in self.panels}
        tests = (
            test_item(test, panels[panel_id])
            for panel_id in form.panels
            if panel_id in panels
            for test in panels[panel_id].tests
        )
        return (*form.items, *tests)

    def panel_of(self, item_name: str) -> Panel | None:
        """The panel whose test the item `form.item` is, if it is one."""
        form_id, _, test_id = item_name.partition(".")
        wanted = self.form(form_id).panels
        return next(
            (panel for panel in self.panels if panel.id in wanted and any(test.id == test_id for test in panel.tests)),
            None,
        )

    def visits_with(self, form_id: str) -> tuple[Visit, ...]:
        """The planned visits at which the form is filled in."""
        return tuple(visit for visit in self.visits if form_id in visit.forms)

    @cached_property
    def criteria(self) -> tuple[tuple[Literal["INCLUSION", "EXCLUSION"], Criterion], ...]:
        """Every criterion with its category (IECAT)."""
        inclusion = tuple(("INCLUSION", criterion) for criterion in self.eligibility.inclusion)
        exclusion = tuple(("EXCLUSION", criterion) for criterion in self.eligibility.exclusion)
        return inclusion + exclusion  # type: ignore[return-value]


def test_item(test: LaboratoryTest, panel: Panel) -> Item:
    """The form item of a laboratory test."""
    return Item(
        id=test.id,
        question=test.name,
        type="decimal",
        unit=test.unit,
        required=test.required,
        range=test.range,
        places=test.places,
        missing=panel.missing,
    )
