"""How the trial is analysed: the plan, the sample size, the report (M11 10; SPIRIT 2025 items 19, 27)."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from equipoise.protocol.parts import Count, Id, Number, Part, Positive, Share, Text

VisitCovariance = Literal["us", "toeph", "toep", "adh", "ad", "ar1h", "ar1", "csh", "cs"]
ImputationStrategy = Literal[
    "mar", "jump-to-reference", "copy-reference", "copy-increments", "last-mean-carried-forward"
]
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


class Mmrm(_Analysis):
    """Effect of the arm at each follow-up visit by a mixed model for repeated measures: at the time point, on average.

    `fallback` names the covariances to try, in order, when `covariance` cannot be fitted to the data; the results say
    which was used and why. `baseline` is a covariate whose slope differs by visit, is the same, or is left out.
    """

    method: Literal["mmrm"]
    covariance: VisitCovariance = "us"
    fallback: tuple[VisitCovariance, ...] = ()
    df: Literal["kenward-roger-linear", "kenward-roger", "satterthwaite", "between-within", "residual"] = (
        "kenward-roger-linear"
    )
    baseline: Literal["by-visit", "common", "none"] = "by-visit"


class TippingPoint(Part):
    """Shifts of the test arm's imputed values, in the outcome's unit, at which the arms are compared anew."""

    lowest: Number
    highest: Number
    step: Number

    @property
    def shifts(self) -> tuple[Decimal, ...]:
        """From the lowest to the highest, in steps."""
        return tuple(self.lowest + place * self.step for place in range(self.count))

    @property
    def count(self) -> int:
        """How many shifts there are; none where the step is not above zero."""
        return 0 if self.step <= 0 else int((self.highest - self.lowest) // self.step) + 1


class Imputation(_Analysis):
    """Difference at the time point, adjusted for the baseline value, with missing values filled in.

    `strategies` says for each arm how its participants would have gone on after their last known value; an arm that is
    not named is imputed as missing at random. `bayes` draws the values, with `draws` and a `seed`; `conditional-mean`
    takes their means, draws nothing, and has its standard error by the jackknife.
    """

    method: Literal["imputation"]
    strategies: dict[Id, ImputationStrategy] = Field(default_factory=dict)
    procedure: Literal["conditional-mean", "bayes"] = "conditional-mean"
    covariance: Literal["common", "by-arm"] = "common"
    draws: Positive | None = None
    seed: Count | None = None
    tipping_point: TippingPoint | None = None


class Rerandomisation(_Analysis):
    """The allocation procedure replayed: where the observed difference stands among those it could have given."""

    method: Literal["rerandomisation"]
    statistic: Literal["difference-in-means", "gee"] = "difference-in-means"
    draws: Positive = 20_000
    seed: Count = 1


Analysis = Annotated[
    MeansByVisit | TwoSample | Ancova | RepeatedMeasuresAnova | Gee | Mmrm | Imputation | Rerandomisation,
    Field(discriminator="method"),
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
