"""The virtual trial: what a rehearsal draws for people, outcomes, visits, flaws and events.

Every quantity is assumed by the trial's designers; none is a result.
"""

from decimal import Decimal
from typing import Literal, Self

from pydantic import Field, model_validator

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.parts import Code, Count, Day, Filled, Id, Number, Part, Positive, RuleText, Share, Text


class LogSpread(Part):
    """Standard deviations on the log scale: between persons, of a slow process, and within (one visit to the next)."""

    between: Number
    slow: Number = Field(ge=0)
    within: Number


class ScreeningDraw(Part):
    """Screening items that hold an early value of the outcome, drawn again until it lies within the limits."""

    items: Filled[Code]
    min: Number
    max: Number


class OutcomeCurve(Part):
    """A laboratory outcome: mean by arm and visit and its spread. `y = mean x exp(b + o(t) + e - v/2)`.

    The screening draw shares the person's `b` and takes the mean of the first visit.
    """

    item: Code
    means: dict[Id, dict[Id, Number]]
    log_sd: LogSpread
    screening: ScreeningDraw | None = None


class Correlation(Part):
    """Correlation of the two outcomes in each of the three parts."""

    between: Number = Field(ge=-1, le=1)
    slow: Number = Field(ge=-1, le=1)
    within: Number = Field(ge=-1, le=1)


class OutcomeModel(Part):
    """Outcomes drawn jointly; the slow process has correlation exp(-months apart / slow_months)."""

    curves: Filled[OutcomeCurve] = Field(max_length=2)
    correlation: Correlation | None = None
    slow_months: Positive = 12


class Measurement(Part):
    """A laboratory value without an effect of the arm of its own: its mean and two spreads.

    The mean is a number, a number by sex, or a formula over the values already drawn at the visit.
    `log` spreads are coefficients of variation about the mean, `plain` ones are in the item's unit.
    """

    item: Code
    mean: Number | None = None
    mean_by_sex: dict[Text, Number] = Field(default_factory=dict)
    formula: RuleText | None = None
    between: Number = Field(ge=0)
    within: Number = Field(ge=0)
    scale: Literal["log", "plain"] = "log"

    @model_validator(mode="after")
    def _one_mean(self) -> Self:
        if [self.mean is not None, bool(self.mean_by_sex), self.formula is not None].count(True) != 1:
            raise FieldFault("needs exactly one of mean, mean_by_sex, formula", "keep one of them")
        return self


class Choice(Part):
    """An item drawn from its codes with the shares given, or a number from a normal distribution cut to limits."""

    item: Code
    shares: dict[Text, Share] = Field(default_factory=dict)
    mean: Number | None = None
    sd: Number | None = None
    min: Number | None = None
    max: Number | None = None


class ScreenFailure(Part):
    """A reason for which candidates fail, its share among failures, and the item values that bring it about.

    A value `48..74` is drawn between the two. Without values the candidate declines with `code`, one of
    `discontinuation.screening`.
    """

    reason: Text
    share: Share
    set: dict[Code, Text] = Field(default_factory=dict)
    code: Text | None = None


class Symptoms(Part):
    """The items of a form that ask for symptoms: whether any, which (by term), and the highest temperature."""

    any: Code
    which: Code
    temperature: Code | None = None
    temperature_term: Code | None = None


class Medicines(Part):
    """The items of a repeating form that ask for other medicines: which, and what for."""

    medicine: Code
    reason: Code | None = None


class VisitBehaviour(Part):
    """How visits go: share missed, how far days spread (window / spread = SD), share of lost samples, loss.

    Participants are lost at `lost_per_year` with the reason `lost_code`; `withdrawals` more leave by their own wish
    with `withdrawal_code`. Both are reasons of `discontinuation.trial`. `lost_sample_code` is a missing code, the two
    deviations are codes of `deviations`.
    """

    missed: Share
    missed_because: Text
    missed_deviation: Code | None = None
    window_deviation: Code | None = None
    spread: Number = Field(gt=0)
    lost_sample: Share
    lost_sample_code: Code
    lost_per_year: Share
    lost_code: Text
    withdrawals: Count = 1
    withdrawal_code: Text


class DataEntry(Part):
    """How data are typed: the share of values mistyped and corrected later."""

    mistyped: Share
    found_after_days: Positive


class VirtualEvent(Part):
    """An adverse event and how often: per participant-year, or with a course in one arm.

    `medicine` is what is given against it, a code of the item that asks for medicines.
    """

    term: Code
    per_year: Number | None = None
    arm: Id | None = None
    course: Id | None = None
    probability: Share | None = None
    grades: dict[Text, Share]
    related: Share
    days: Positive = 1
    medicine: Code | None = None


class TissuePanel(Part):
    """The panel of donors, and from what donors' and participants' tissue types are drawn.

    `haplotypes` are alleles of HLA-C and HLA-B together (`C*06:02 B*13:02`), `hla_a` alleles, `kir` the genes of one
    KIR haplotype, each with its weight. `low_resolution` and `missing` are shares of HLA-A and -B reports with a flaw;
    `excluded` donors are found not eligible by the infection test `excluded_by`; the others serve `most_recipients`
    participants each, and more only when no other donor can.
    """

    donors: Positive
    haplotypes: dict[Text, Positive]
    hla_a: dict[Text, Positive]
    kir: dict[Text, Positive]
    low_resolution: Share = Decimal(0)
    missing: Share = Decimal(0)
    most_recipients: Positive = 4
    excluded: Count = 0
    excluded_by: Code | None = None


class LotQuantity(Part):
    """What a test of a lot finds: a gamma distribution with mean and SD, or what is so far below `below`."""

    mean: Number = Field(gt=0)
    sd: Number = Field(ge=0)
    below: Number | None = None
    places: Count = 1


class LotDraw(Part):
    """The lots of a product: results by release criterion, and a bag's cells and volume.

    `results` are drawn, `texts` are what the other tests say. A lot is received `hours_before` its infusion.
    """

    product: Id
    results: dict[Id, LotQuantity] = Field(default_factory=dict)
    texts: dict[Id, Text] = Field(default_factory=dict)
    cells: LotQuantity
    volume_ml: Number = Field(gt=0)
    hours_before: Positive = 6


class Rehearsal(Part):
    """The whole virtual trial."""

    start: Day
    recruitment_days: Positive
    screen_failure: Share
    failures: tuple[ScreenFailure, ...]
    people: tuple[Choice, ...]
    usual: dict[Code, Text] = Field(default_factory=dict)
    outcomes: OutcomeModel
    measurements: tuple[Measurement, ...] = ()
    symptoms: Symptoms | None = None
    medicines: Medicines | None = None
    visits: VisitBehaviour
    entry: DataEntry
    events: tuple[VirtualEvent, ...] = ()
    panel: TissuePanel | None = None
    lots: tuple[LotDraw, ...] = ()
