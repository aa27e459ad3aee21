"""Who may enter: the population and the criteria, each with its text and the rule that decides it (M11 5)."""

from typing import Literal

from equipoise.protocol.parts import Code, Part, Positive, RuleText, Text


class AgeRange(Part):
    """Ages in completed years, both ends included."""

    from_years: Positive | None = None
    to_years: Positive | None = None


class Population(Part):
    """Whom the trial is for and how many it plans."""

    condition: Text
    age: AgeRange = AgeRange()
    sex: Literal["BOTH", "F", "M"] = "BOTH"
    healthy: bool = False
    planned: Positive


class Criterion(Part):
    """One criterion. An inclusion rule must be true, an exclusion rule must be false; unknown is neither.

    A criterion without a rule is judged by the investigator and recorded as an item, never assumed.
    """

    id: Code
    text: Text
    rule: RuleText
    rescreen: bool = False


class Eligibility(Part):
    """All inclusion and exclusion criteria."""

    inclusion: tuple[Criterion, ...] = ()
    exclusion: tuple[Criterion, ...] = ()
