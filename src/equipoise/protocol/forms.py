"""What is asked at a visit: forms, items, code lists, laboratory panels, edit checks (M11 8; ODM ItemGroupDef)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.eligibility import AgeRange
from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Code, Count, Day, Filled, Id, Number, Part, Positive, RuleText, Text

ItemType = Literal["integer", "decimal", "text", "date", "time", "choice", "many", "yes-no", "derived"]
NUMERIC_TYPES = ("integer", "decimal", "derived")


class Limits(Part):
    """The smallest and largest value, both allowed; an absent end is open."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise FieldFault("min is above max", "exchange min and max, or correct one of them")
        return self


class Range(Part):
    """A value outside `hard` is refused; one outside `soft` asks for a comment."""

    hard: Limits = Limits()
    soft: Limits = Limits()


class Item(Part):
    """One question of a form and how its answer is checked. Hidden (`show_if` not true) is not missing."""

    id: Id
    question: Text
    type: ItemType
    unit: Text | None = None
    codelist: Id | None = None
    required: bool = False
    range: Range = Range()
    places: Count | None = None
    max_length: Positive | None = None
    show_if: RuleText | None = None
    missing: tuple[Code, ...] = ()
    formula: RuleText | None = None
    cdash: Code | None = None
    help: Text | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if (self.type in ("choice", "many")) != (self.codelist is not None):
            raise FieldFault(
                "codelist goes with type choice or many, and these need one",
                "name a list of `codelists`, or change the type",
            )
        if (self.type == "derived") != (self.formula is not None):
            raise FieldFault(
                "formula goes with type derived, and derived needs one",
                "write the formula of a derived item, or change the type",
            )
        if self.type not in NUMERIC_TYPES and (self.range != Range() or self.places is not None):
            raise FieldFault(
                "range and places go with a number", "leave them out, or make the item an integer or a decimal"
            )
        return self


class Form(Part):
    """A page of items answered together; its panels add one decimal item for each laboratory test."""

    id: Id
    title: Text
    domain: Code | None = None
    repeating: bool = False
    panels: tuple[Id, ...] = ()
    items: tuple[Item, ...] = ()


class LaboratoryTest(Part):
    """One test of a panel: what a form asks, in which unit, within which limits."""

    id: Id
    name: Text
    unit: Text
    testcd: Code | None = None
    loinc: Code | None = None
    places: Count = 0
    required: bool = False
    range: Range = Range()


class ReferenceRange(Part):
    """A laboratory's limits of normal for a test, for a sex, ages, site and from a date where given."""

    low: Number | None = None
    high: Number | None = None
    sex: Literal["F", "M"] | None = None
    age: AgeRange = AgeRange()
    site: Code | None = None
    from_date: Day | None = None


class Panel(Part):
    """Laboratory tests made on one specimen."""

    id: Id
    specimen: Literal["BLOOD", "PLASMA", "SERUM", "SERUM OR PLASMA", "URINE"]
    missing: tuple[Code, ...] = ()
    tests: Filled[LaboratoryTest]
    reference_ranges: dict[Id, tuple[ReferenceRange, ...]] = Field(default_factory=dict)


class Check(Part):
    """An edit check: when its rule is true, a soft check asks for a comment and a hard one refuses."""

    id: Code
    on: Id
    when: RuleText
    message: Text
    severity: Literal["soft", "hard"]
