"""One analysis of the plan with all that it needs, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from equipoise.analysis.contrasts import Contrast, contrasts_of_analysis
from equipoise.analysis.datasets import outcome_data
from equipoise.analysis.refusals import CannotAnalyse
from equipoise.analysis.results import Histogram, Residual, Row
from equipoise.analysis.words import counted, listed
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

FEWEST_IN_AN_ARM = 2
COEFFICIENT_NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class Question:
    """An analysis of the plan, its outcome, its participants and their data (see `datasets.outcome_data`)."""

    protocol: Protocol
    snapshot: Snapshot
    analysis: Analysis
    outcome: Outcome
    members: tuple[str, ...]
    data: pd.DataFrame

    @property
    def level(self) -> float:
        """The level of confidence intervals."""
        return float(1 - self.analysis.alpha)

    @property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The comparisons asked for."""
        return contrasts_of_analysis(self.protocol, self.analysis)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the comparisons name, in the protocol's order."""
        named = {arm for contrast in self.contrasts for arm in contrast.arms}
        return tuple(arm for arm in self.protocol.arm_ids if arm in named)

    def visit_names(self, visits: tuple[str, ...]) -> str:
        """Visits in words: `Month 1, Month 3 and Month 24`."""
        return listed([self.protocol.visit(visit).name for visit in visits])

    def place(self, contrast: Contrast) -> tuple[str, ...]:
        """What a contrast adds to an id: nothing when it is the only one."""
        return () if len(self.contrasts) == 1 else (contrast.name,)

    def row(self, *path: str, **columns: Any) -> Row:
        """A row of this analysis; its id is the analysis and the path."""
        stated: dict[str, Any] = {
            "role": self.analysis.role,
            "outcome": self.outcome.id,
            "population": self.analysis.analysis_set,
            "unit": self.outcome.unit,
        }
        return Row(id=".".join((self.analysis.id, *path)), analysis=self.analysis.id, **(stated | columns))

    def count(self, *path: str, count: int, n: int | None = None, **columns: Any) -> Row:
        """A row that holds a count."""
        stated: dict[str, Any] = {"unit": None, "method": "count"}
        return self.row(*path, estimate=float(count), n=count if n is None else n, **(stated | columns))

    def sizes(self, data: pd.DataFrame) -> tuple[Row, ...]:
        """How many participants of each compared arm the data hold."""
        counts = data.groupby("arm")["participant"].nunique()
        return tuple(
            self.count(arm, "n", count=int(counts.get(arm, 0)), arm=arm, label="participants analysed")
            for arm in self.arms
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows, sentences, histograms and standardised residuals of one analysis."""

    rows: tuple[Row, ...] = ()
    sentences: Mapping[str, str] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    residuals: Mapping[str, tuple[Residual, ...]] = field(default_factory=dict)

    def with_sentence(self, id: str, text: str) -> Answer:
        """The same answer with one sentence more."""
        return replace(self, sentences={**self.sentences, id: text})


def question_of(protocol: Protocol, snapshot: Snapshot, analysis: Analysis, members: tuple[str, ...]) -> Question:
    """The analysis with its data; raises `CannotAnalyse` as `datasets.outcome_data` does."""
    outcome = protocol.outcome(analysis.outcome)
    return Question(protocol, snapshot, analysis, outcome, members, outcome_data(protocol, snapshot, outcome, members))


def numbers_of(coefficient: pd.Series[Any]) -> dict[str, float]:
    """The numbers of one line of a fit's coefficients, under the names that a row has for them."""
    return {name: float(coefficient[name]) for name in COEFFICIENT_NUMBERS}


def check_arms(data: pd.DataFrame, contrast: Contrast, what: str) -> None:
    """Refuse a comparison in which an arm has fewer than two participants.

    Args:
        data: with columns participant and arm, outcomes known.
        contrast: the arms compared.
        what: which values were looked for, in words, such as "a value at visit M24".

    Raises:
        CannotAnalyse: naming the first such arm.
    """
    for arm in contrast.arms:
        n = int(data.loc[data["arm"] == arm, "participant"].nunique())
        if n < FEWEST_IN_AN_ARM:
            problem = f"has {counted(n, 'participant')} with {what}, and a comparison needs {FEWEST_IN_AN_ARM} in each"
            raise CannotAnalyse(f"arm {arm}", None, problem, "wait for more data")


def with_test_code(data: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    """The rows of the two arms, with column `test`: 1.0 in the test arm and 0.0 in the reference arm."""
    both = data[data["arm"].isin(contrast.arms)].reset_index(drop=True)
    return both.assign(test=(both["arm"] == contrast.test).astype("float64"))
