"""How the trial is analysed: the plan, the sample size, the report (M11 10; SPIRIT 2025 items 19, 27)."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from equipoise.protocol.parts import Count, Id, Number, Part, Positive, Share, Text

GeeCovariance = Literal["model", "robust", "df-adjusted", "kauermann-carroll", "mancl-derouen", "kc-md-average"]


class _Analysis(Part):
    """What every analysis of the plan states."""

    id: Id
    outcome: Id
    estimand: Id | None = None
    analysis_set: Id
    role: Literal["main", "sensitivity", "supplementary", "descriptive"]
    alpha: Share = Decimal("0.05")
    missing: Text | None = None
    published: Text | None = None


class MeansByVisit(_Analysis):
    """Mean, SD and interval by arm at each of the outcome's visits."""

    method: Literal["means-by-visit"]


class TwoSample(_Analysis):
    """Difference between arms at the outcome's time point."""

    method: Literal["two-sample"]
    test: Literal["student", "welch", "wilcoxon", "permutation"]


class Ancova(_Analysis):
    """Difference at the time point, adjusted for the baseline value."""

    method: Literal["ancova"]
    covariance: Literal["model", "hc2", "hc3"] = "model"


class RepeatedMeasuresAnova(_Analysis):
    """Arm by visit, over complete participants, with Mauchly, Greenhouse-Geisser and Huynh-Feldt."""

    method: Literal["rm-anova"]


class Gee(_Analysis):
    """Overall effect of the arm over the follow-up visits, with the covariances to print side by side.

    `believe` names the covariance whose answer the report calls the trial's; the others stand beside it.
    """

    method: Literal["gee"]
    family: Literal["gaussian", "binomial", "poisson", "gamma"] = "gaussian"
    working: Literal["independence", "exchangeable", "ar1", "unstructured", "toeplitz"] = "exchangeable"
    adjust_for: tuple[Literal["visit", "baseline"], ...] = ()
    covariances: tuple[GeeCovariance, ...] = ("robust", "mancl-derouen", "kauermann-carroll")
    believe: GeeCovariance = "kauermann-carroll"


class Rerandomisation(_Analysis):
    """The allocation procedure replayed: where the observed difference stands among those it could have given."""

    method: Literal["rerandomisation"]
    statistic: Literal["difference-in-means", "gee"] = "difference-in-means"
    draws: Positive = 20_000
    seed: Count = 1


Analysis = Annotated[
    MeansByVisit | TwoSample | Ancova | RepeatedMeasuresAnova | Gee | Rerandomisation, Field(discriminator="method")
]


class SampleSize(Part):
    """The assumptions behind the number of participants; recomputed by the design room, not only told."""

    n: Positive
    alpha: Share
    power: Share | None = None
    effect: Number | None = None
    sd: Number | None = None
    note: Text | None = None


class BaselineRow(Part):
    """A row of the baseline table: an item and how it is summarised."""

    item: Text
    summary: Literal["mean", "median", "count"]
    label: Text | None = None


class Report(Part):
    """Text that only people can write, by the CONSORT 2025 item that it answers, and what the report shows."""

    statements: dict[Text, Text] = Field(default_factory=dict)
    baseline: tuple[BaselineRow, ...] = ()
    language: Literal["en"] = "en"
