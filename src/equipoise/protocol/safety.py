"""How harm is watched: grading scale, adverse events, stopping rules, discontinuation (M11 7, 9; SPIRIT 17, 28)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.grading import Ladder
from equipoise.protocol.parts import Code, Id, Number, Part, Positive, RuleText, Share, Text


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
    """A deadline that starts when the site becomes aware that an event is what it is for: exactly one of hours, days.

    `suspected unexpected` and `fatal or life-threatening` are of serious events that are suspected to be related and
    are not expected. `to` is who must be told: unless said the sponsor of a serious event, the authority of the others.
    """

    for_: Literal["serious", "suspected unexpected", "fatal or life-threatening"] = Field(alias="for")
    hours: Positive | None = None
    days: Positive | None = None
    to: Literal["sponsor", "committee", "authority"] | None = None

    @model_validator(mode="after")
    def _one_unit(self) -> Self:
        if (self.hours is None) == (self.days is None):
            raise FieldFault("must have exactly one of hours, days", "keep one of them")
        return self

    @property
    def receiver(self) -> str:
        """Who must be told."""
        return self.to or ("sponsor" if self.for_ == "serious" else "authority")


class CodingDictionary(Part):
    """By what events are coded: a dictionary and its version, as the publisher names them, such as MedDRA 27.1."""

    name: Text
    version: Text

    @property
    def label(self) -> str:
        """Both together."""
        return f"{self.name} {self.version}"


class AdverseEventRules(Part):
    """What is asked of each adverse event and how soon it must be told.

    `terms` is the trial's own short dictionary: a code and the name that the report prints; `systems` says to which
    system of the body each belongs. With `dictionary` each event is coded by that, too, and the report counts by its
    preferred terms.
    """

    related_to: tuple[Id, ...]
    causality: tuple[Text, ...] = ("RELATED", "NOT RELATED")
    related_means: tuple[Text, ...] = ("RELATED",)
    of_interest: tuple[Text, ...] = ()
    collected_from: Literal["consent", "randomisation", "first_dose"] = "consent"
    terms: dict[Code, Text] = Field(default_factory=dict)
    systems: dict[Code, Text] = Field(default_factory=dict)
    dictionary: CodingDictionary | None = None
    report_within: tuple[ReportingClock, ...] = ()
    expected: tuple[Code, ...] = ()


class Safety(Part):
    """The scale and the rules for adverse events."""

    grading: GradingScale
    adverse_events: AdverseEventRules


class BetaPrior(Part):
    """A beta distribution of the event's rate, as if `a` events had been seen in `a + b` participants."""

    a: Number = Field(gt=0)
    b: Number = Field(gt=0)


MOST_WATCHED = 2_000
"""The most participants that a boundary is worked out for."""

BOUNDARY_KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "pocock": (("acceptable_rate", "error", "planned"), ()),
        "bayesian": (("acceptable_rate", "prior", "threshold", "planned"), ()),
        "fixed": (("limit",), ("planned",)),
    }
)
"""For each boundary, the keys that it needs and those that it may have."""


class StoppingRule(Part):
    """When harm stops the trial: events counted by a rule in one arm against a boundary with known error.

    What `pauses` names is refused from the event that crosses the boundary until the decision on it is recorded.
    """

    id: Id
    text: Text
    arm: Id
    event: RuleText
    boundary: Literal["pocock", "bayesian", "fixed"]
    acceptable_rate: Share | None = None
    error: Share | None = None
    prior: BetaPrior | None = None
    threshold: Share | None = None
    planned: Positive | None = None
    limit: Positive | None = None
    counts: Literal["participants", "events"] = "participants"
    pauses: tuple[Literal["randomisation", "infusion"], ...] = ()

    @model_validator(mode="after")
    def _keys_of_its_boundary(self) -> Self:
        needed, allowed = BOUNDARY_KEYS[self.boundary]
        for key in needed:
            if getattr(self, key) is None:
                raise FieldFault("is missing", f"add {key}: a {self.boundary} boundary needs {_listed(needed)}", (key,))
        others = {key for keys, _ in BOUNDARY_KEYS.values() for key in keys} - {*needed, *allowed}
        for key in sorted(others & self.model_fields_set):
            remedy = f"remove it: a {self.boundary} boundary takes {_listed((*needed, *allowed))}"
            raise FieldFault(f"is not a key of a {self.boundary} boundary", remedy, (key,))
        if self.counts == "events" and self.boundary != "fixed":
            remedy = "count participants, or make the boundary fixed"
            raise FieldFault(f"does not go with a {self.boundary} boundary, which is on a rate", remedy, ("counts",))
        return self

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        for key in ("acceptable_rate", "error", "threshold"):
            if getattr(self, key) in (0, 1):
                raise FieldFault("is not above 0 and below 1", "give a share, such as 0.2", (key,))
        if self.planned is not None and self.planned > MOST_WATCHED:
            raise FieldFault(f"is more than {MOST_WATCHED}", "give the participants of the rule's arm", ("planned",))
        if self.acceptable_rate is not None and self.error is not None and self.planned is not None:
            chance = float(self.acceptable_rate) ** self.planned
            if chance > self.error:
                problem = f"cannot be kept: an event in all {self.planned} has a chance of {chance:.4g}"
                raise FieldFault(problem, "plan more participants, or bear a larger error", ("error",))
        return self


def _listed(keys: tuple[str, ...]) -> str:
    return ", ".join(keys[:-1]) + f" and {keys[-1]}" if len(keys) > 1 else keys[0]


class Discontinuation(Part):
    """Reasons (code: text) for leaving before randomisation, leaving the intervention, and leaving the trial."""

    screening: dict[Text, Text] = Field(default_factory=dict)
    intervention: dict[Text, Text] = Field(default_factory=dict)
    trial: dict[Text, Text] = Field(default_factory=dict)
