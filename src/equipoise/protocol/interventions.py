"""What participants receive: interventions, products and their release, regimens, the donor rule (M11 6)."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Code, Filled, Id, Number, Part, Positive, RuleText, Share, Text, Whole
from equipoise.protocol.schedule import TimePoint, Window


class Intervention(Part):
    """Something given to participants of an arm, the background treatment included."""

    id: Id
    name: Text
    role: Literal[
        "Experimental Intervention",
        "Background Treatment",
        "Active Comparator",
        "Placebo",
        "Rescue Medicine",
        "Additional Required Treatment",
        "Challenge Agent",
        "Diagnostic",
    ]
    type: Literal["BIOLOGIC", "DRUG", "PROCEDURE", "DEVICE", "BEHAVIORAL", "DIETARY SUPPLEMENT", "OTHER"]
    product: Id | None = None
    regimen: Id | None = None
    description: Text | None = None


class ReleaseCriterion(Part):
    """A test that a lot must pass: a rule on `value`.

    `due_days`, counted from the end of manufacture, allows a conditional release before the result is back. Under
    `per_kg` the rule is on the value of one bag divided by the participant's weight, and is judged at each infusion.
    """

    id: Id
    test: Text
    rule: RuleText
    unit: Text | None = None
    method: Text | None = None
    per_kg: bool = False
    blocking: bool = True
    due_days: Positive | None = None


class ShelfLife(Part):
    """How long a product keeps: exactly one of hours or days."""

    hours: Positive | None = None
    days: Positive | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.hours is None) == (self.days is None):
            raise FieldFault("must have exactly one of hours, days", "keep one of them")
        return self


class Storage(Part):
    """Temperatures in degrees Celsius between which a product is kept."""

    min_celsius: Number
    max_celsius: Number

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_celsius >= self.max_celsius:
            problem = f"min_celsius = {self.min_celsius} is not below max_celsius = {self.max_celsius}"
            raise FieldFault(problem, "exchange them")
        return self


class DonorEligibility(Part):
    """Infection tests that must be negative before a donor's product leaves quarantine (21 CFR 1271.60, 1271.85).

    `within_days` is the most days from the sample to the donation; a sample taken after it counts too.
    """

    tests: Filled[Code]
    within_days: Positive


class Composition(Part):
    """Which release criteria hold what a dose is computed from.

    `viability`, `nk` and `cd3` are shares of cells in %, `endotoxin` is in [EU]/mL.
    """

    viability: Id | None = None
    nk: Id | None = None
    cd3: Id | None = None
    endotoxin: Id | None = None


class DoseLimit(Part):
    """A limit on what one bag gives a participant: a rule on `value`, the quantity named, in cells or [EU]."""

    id: Id
    quantity: Literal["viable_nk", "cd3_per_kg", "endotoxin_per_kg"]
    rule: RuleText
    blocking: bool = True


class Product(Part):
    """A product under the trial's control, made and released in lots."""

    id: Id
    name: Text
    designation: Literal["IMP", "NIMP"] = "IMP"
    dose_form: Text
    shelf_life: ShelfLife | None = None
    storage: Storage | None = None
    donor_eligibility: DonorEligibility | None = None
    release: tuple[ReleaseCriterion, ...] = ()
    composition: Composition = Composition()
    dose_limits: tuple[DoseLimit, ...] = ()


class Dose(Part):
    """A planned dose and by how much, as a share of it, the given dose may differ."""

    value: Number = Field(gt=0)
    unit: Text
    per: Literal["injection", "kg", "day"] = "injection"
    allowed_deviation: Share = Decimal(0)


class Course(Part):
    """One dated dose of a regimen; `after` names a visit whose samples must be taken first."""

    id: Id
    at: TimePoint
    window: Window = Window()
    after: Id | None = None


class Precondition(Part):
    """A question that must be answered with yes before an infusion starts."""

    id: Id
    text: Text


class Regimen(Part):
    """How a product is given, and how the participant is watched meanwhile.

    `vital_signs_minutes` count from the start of the infusion, those before it negative. `identity_checks` is how many
    different persons compare bag and participant at the bedside.
    """

    id: Id
    dose: Dose
    route: Text
    courses: Filled[Course]
    preconditions: tuple[Precondition, ...] = ()
    identity_checks: Whole = Field(default=2, ge=2)
    vital_signs_minutes: tuple[Whole, ...] = ()
    observe_hours: Positive | None = None
    stop_if: RuleText | None = None


class DonorMatching(Part):
    """The rule that decides which donor may serve which participant, named and versioned.

    `rule` is one of those of `equipoise donors match`. `requires` names the typings that must be whole before it
    decides: `donor.` or `participant.` with `hla_a`, `hla_b`, `hla_c` or `kir`; the ligands of the loci named count, or
    of all three when none is. `ligands`, where given, must name the same ones. With this part, criteria may ask for
    `participant.hla_typed` and for `donors.eligible`, how many eligible donors serve the participant.
    """

    rule: Code
    version: Positive
    requires: tuple[Code, ...] = ()
    when: Literal["screening", "after_randomisation"] = "screening"
    ligands: tuple[Code, ...] = ()
    reference_data: Text | None = None
