"""What participants receive: interventions, products and their release, regimens, the donor rule (M11 6)."""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Code, Filled, Id, Number, Part, Positive, RuleText, Share, Text
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
    """A test that a lot must pass: a rule on `value`. `due_days` allows a release before the result is back."""

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


class Product(Part):
    """A product under the trial's control, made and released in lots."""

    id: Id
    name: Text
    designation: Literal["IMP", "NIMP"] = "IMP"
    dose_form: Text
    shelf_life: ShelfLife | None = None
    storage: Storage | None = None
    release: tuple[ReleaseCriterion, ...] = ()


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


class Regimen(Part):
    """How a product is given."""

    id: Id
    dose: Dose
    route: Text
    courses: Filled[Course]
    stop_if: RuleText | None = None


class DonorMatching(Part):
    """The rule that decides which donor may serve which participant, named and versioned."""

    rule: Code
    version: Positive
    requires: tuple[Code, ...] = ()
    when: Literal["screening", "after_randomisation"] = "screening"
    ligands: tuple[Code, ...] = ()
    reference_data: Text | None = None
