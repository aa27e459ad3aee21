"""How harm is watched: grading scale, adverse events, stopping rules, discontinuation (M11 7, 9; SPIRIT 17, 28)."""

from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.grading import Ladder
from equipoise.protocol.parts import Code, Count, Id, Part, Positive, RuleText, Share, Text


class GradingScale(Part):
    """The scale by which severity is graded: a published one, or the trial's own with all its ladders."""

    scale: Literal["DAIDS", "CTCAE", "own"]
    version: Text
    hiv_infected: bool = False
    ladders: tuple[Ladder, ...] = ()

    @model_validator(mode="after")
    def _has_ladders_if_own(self) -> Self:
        if (self.scale == "own") != bool(self.ladders):
            raise FieldFault(
                "ladders go with scale own, and own needs them",
                "write the ladders of an own scale, or name a published one without any",
            )
        return self


class ReportingClock(Part):
    """A deadline that starts when the site becomes aware of an event."""

    for_: Literal["serious", "suspected unexpected", "fatal or life-threatening"] = Field(alias="for")
    hours: Positive | None = None
    days: Positive | None = None


class AdverseEventRules(Part):
    """What is asked of each adverse event and how soon it must be told.

    `terms` is the trial's own short dictionary: a code and the name that the report prints.
    """

    related_to: tuple[Id, ...]
    causality: tuple[Text, ...] = ("RELATED", "NOT RELATED")
    related_means: tuple[Text, ...] = ("RELATED",)
    of_interest: tuple[Text, ...] = ()
    collected_from: Literal["consent", "randomisation", "first_dose"] = "consent"
    terms: dict[Code, Text] = Field(default_factory=dict)
    report_within: tuple[ReportingClock, ...] = ()
    expected: tuple[Code, ...] = ()


class Safety(Part):
    """The scale and the rules for adverse events."""

    grading: GradingScale
    adverse_events: AdverseEventRules


class StoppingRule(Part):
    """When harm stops the trial: events counted by a rule in one arm against a boundary with known error."""

    id: Id
    text: Text
    arm: Id
    event: RuleText
    boundary: Literal["pocock", "bayesian", "fixed"]
    acceptable_rate: Share | None = None
    error: Share | None = None
    planned: Positive | None = None
    limit: Count | None = None


class Discontinuation(Part):
    """Reasons (code: text) for leaving before randomisation, leaving the intervention, and leaving the trial."""

    screening: dict[Text, Text] = Field(default_factory=dict)
    intervention: dict[Text, Text] = Field(default_factory=dict)
    trial: dict[Text, Text] = Field(default_factory=dict)
