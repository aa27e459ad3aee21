"""What the trial asks: objectives, outcomes, analysis sets and estimands (M11 3, 10.2; ICH E9(R1))."""

from typing import Literal

from pydantic import Field

from equipoise.protocol.parts import Code, Id, Part, RuleText, Text

Level = Literal["Primary", "Secondary", "Exploratory"]


class Objective(Part):
    """What is to be learned, and the outcomes that answer it."""

    id: Id
    level: Level
    text: Text
    outcomes: tuple[Id, ...] = ()


class Outcome(Part):
    """A result by which the arms are compared: variable, metric, aggregation and time point (CONSORT 2025 item 14)."""

    id: Id
    name: Text
    level: Level
    variable: Code
    unit: Text | None = None
    metric: Literal["value", "change from baseline"] = "value"
    aggregation: Literal["mean", "proportion"] = "mean"
    timepoint: Id
    visits: tuple[Id, ...] = ()
    better: Literal["higher", "lower", "neither"] = "higher"
    places: int = Field(default=1, ge=0, le=10)


class AnalysisSet(Part):
    """Who is analysed, by a rule on the participant's course."""

    id: Id
    name: Text
    text: Text
    rule: RuleText
    subset_of: Id | None = None


class Treatments(Part):
    """The arm that is tested and the one it is compared with."""

    test: Id
    reference: Id


class IntercurrentEvent(Part):
    """Something after randomisation that bears on the outcome, and the strategy that handles it."""

    event: Text
    strategy: Literal[
        "treatment policy", "hypothetical", "composite variable", "while on treatment", "principal stratum"
    ]


class Estimand(Part):
    """The five attributes of ICH E9(R1)."""

    id: Id
    population: Id
    treatments: Treatments
    variable: Id
    intercurrent_events: tuple[IntercurrentEvent, ...] = ()
    summary: Literal["difference in means", "difference in mean change", "odds ratio", "risk difference", "rate ratio"]
