"""How the trial is built: arms, periods, consent and the way participants are allocated (M11 1.1, 4, 6.7)."""

from typing import Literal

from pydantic import Field

from equipoise.protocol.parts import Code, Day, Id, Part, Positive, Text

EpochType = Literal[
    "SCREENING",
    "RUN-IN",
    "BASELINE",
    "TREATMENT",
    "OPEN LABEL TREATMENT",
    "WASHOUT",
    "FOLLOW-UP",
    "LONG-TERM FOLLOW-UP",
]
ArmType = Literal[
    "Experimental Arm",
    "Active Comparator Arm",
    "Placebo Comparator Arm",
    "Sham Comparator Arm",
    "No Intervention Arm",
    "Control Arm",
    "Treatment Arm",
]


class Design(Part):
    """The trial's kind, in CDISC terms."""

    type: Literal["INTERVENTIONAL"] = "INTERVENTIONAL"
    phase: Literal[
        "Early Phase 1",
        "Phase 1",
        "Phase 1/Phase 2",
        "Phase 2",
        "Phase 2/Phase 3",
        "Phase 3",
        "Phase 4",
        "NOT APPLICABLE",
    ]
    model: Literal["PARALLEL", "CROSS-OVER", "FACTORIAL", "SEQUENTIAL", "SINGLE GROUP"]
    purpose: Literal["TREATMENT", "PREVENTION", "DIAGNOSTIC", "SUPPORTIVE CARE", "BASIC SCIENCE"]
    control: Literal["NONE", "ACTIVE", "PLACEBO", "SHAM", "DOSE RESPONSE"]
    blinding: Literal["OPEN LABEL", "SINGLE BLIND", "DOUBLE BLIND", "OBSERVER BLIND"]
    blinded_roles: tuple[Text, ...] = ()
    framework: Literal["superiority", "non-inferiority", "equivalence", "exploratory"] = "superiority"


class Conventions(Part):
    """How time is counted. `months: calendar` is the same day of a later month, clamped to its end."""

    anchor: Literal["randomisation"] = "randomisation"
    months: Literal["calendar"] = "calendar"
    first_day: Literal[1] = 1
    timezone: Text = "UTC"


class Epoch(Part):
    """A period of the trial, in order."""

    id: Id
    type: EpochType


class Arm(Part):
    """One of the groups to which participants are allocated."""

    id: Id
    name: Text
    type: ArmType
    interventions: tuple[Id, ...] = ()


class Allocation(Part):
    """How participants are allocated: the method with its parameters, ratio and factors.

    `external` says that the trial was allocated elsewhere; its data can be analysed, nobody can be randomised here.
    """

    method: Literal[
        "simple",
        "permuted_blocks",
        "random_allocation_rule",
        "biased_coin",
        "wei_urn",
        "big_stick",
        "maximal_procedure",
        "minimisation",
        "external",
    ]
    ratio: dict[Id, Positive]
    strata: tuple[Code, ...] = ()
    concealment: Text | None = None
    description: Text | None = None
    block_size: Positive | None = None
    block_sizes: tuple[Positive, ...] = ()
    p: Text | None = Field(default=None, pattern=r"^\d+/\d+$|^0?\.\d+$")
    alpha: int | None = Field(default=None, ge=0)
    beta: int | None = Field(default=None, ge=0)
    mti: Positive | None = None
    factors: tuple[Code, ...] = ()
    weights: dict[Code, Positive] = Field(default_factory=dict)
    imbalance: Literal["range", "sd", "variance"] | None = None


class ConsentForm(Part):
    """A version of the information and consent form and what it covers."""

    id: Id
    version: Text
    date: Day
    covers: tuple[Id, ...] = ("trial",)
    approved_at: Day | None = None
    before: Literal["any_procedure", "randomisation", "samples"] = "any_procedure"
