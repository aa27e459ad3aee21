"""Completed sets of longitudinal data: what was seen, what was imputed, and analyses of both.

Equations: docs/methods/imputation.md.
Shapes: D sets, n subjects, T visits, A arms.
"""

from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.stats.frames import Frame, Opened, like
from equipoise.stats.imputation_analysis import (
    Analysed,
    Analysis,
    Counts,
    ImputedFit,
    analysed,
    least_squares,
    pooled_fit,
)
from equipoise.stats.imputation_data import Delta, Longitudinal, covariate_names, deltas
from equipoise.stats.mmrm_engine import Index
from equipoise.stats.refusals import BadSample, UnknownChoice, check_level, choose, is_whole
from equipoise.stats.samples import Matrix

DELTA_RULES = ("after-event", "all-imputed")


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """Completed sets of a longitudinal outcome.

    `values` (D, missing) are the imputed ones before `delta` (A, T), in the order of subjects and, within them, of
    visits. After a jackknife set 0 has everyone and set i leaves out subject `left_out[i]` (-1 for none). `counts` has
    a row an arm and visit: n, observed, imputed, and of these after_event. `notes` are what a reader must know.
    """

    subjects: tuple[Any, ...]
    visits: tuple[Any, ...]
    arms: tuple[Any, ...]
    values: Matrix
    delta: Matrix
    delta_for: str
    left_out: Index
    counts: Frame
    n_subjects: int
    n_observations: int
    n_imputed: int
    method: str
    notes: tuple[str, ...]
    long: Longitudinal
    frame: Opened

    @property
    def sets(self) -> int:
        """How many completed sets there are; after a jackknife one more than subjects."""
        return len(self.values)

    @property
    def jackknife(self) -> bool:
        """Whether the sets are those of a jackknife."""
        return bool((self.left_out >= 0).any())

    @property
    def shifted(self) -> NDArray[np.bool_]:
        """(n, T), which outcomes delta is added to; equation (delta)."""
        missing = ~self.long.seen
        return np.asarray(missing & self.long.affected if self.delta_for == "after-event" else missing)

    def outcome(self, number: int) -> Matrix:
        """(n, T), the completed outcomes of a set, delta added, in the order of `subjects` and `visits`."""
        table = self.long.outcome.copy()
        table[~self.long.seen] = self.values[self.checked(number)]
        return np.asarray(table + self.shifted * self.delta[self.long.arm])

    def outcomes_at(self, visit: Any) -> Matrix:
        """(D, n), the completed outcomes at one visit, delta added."""
        place = self.place_of(visit)
        slots = np.cumsum(~self.long.seen.ravel()).reshape(self.long.seen.shape)[:, place] - 1
        known = self.long.seen[:, place]
        table = np.repeat(self.long.outcome[np.newaxis, :, place], self.sets, axis=0)
        table[:, ~known] = self.values[:, slots[~known]]
        return np.asarray(table + self.shifted[:, place] * self.delta[self.long.arm, place])

    def completed(self, number: int = 0) -> Frame:
        """A completed set as a long frame of the kind that came in: subject, visit, arm, covariates, outcome."""
        names, long = self.long.names, self.long
        n, visits = long.outcome.shape
        who = np.repeat(np.arange(n), visits)
        outcome = self.outcome(number).ravel()
        kept = who != self.left_out[number]
        who = who[kept]
        first = long.first_rows
        table = {names.subject: first[names.subject].iloc[who].reset_index(drop=True)}
        table[names.visit] = visit_column(long, n)[kept].reset_index(drop=True)
        for name in (names.arm, *names.covariates):
            table[name] = first[name].iloc[who].reset_index(drop=True)
        table[names.outcome] = pd.Series(outcome[kept])
        if self.frame.implementation.is_pandas():
            return pd.DataFrame(table)
        schema = {name: self.frame.schema[name] for name in table} | {names.outcome: nw.Float64()}
        plain = {name: values.tolist() for name, values in table.items()}
        return nw.from_dict(plain, schema=schema, backend=self.frame.implementation).to_native()

    def with_delta(self, delta: Delta, *, delta_for: str | None = None) -> "Imputed":
        """The same imputed values with another delta in place of the present one.

        Raises:
            UnknownChoice: an arm, a visit or a rule that is not known.
            BadSample: a delta that is not a finite number.
        """
        rule = choose("delta_for", delta_for or self.delta_for, DELTA_RULES)
        return replace(self, delta=deltas(self.long, delta), delta_for=rule)

    def ancova(
        self,
        visit: Any = None,
        *,
        covariates: tuple[str, ...] | None = None,
        df: float | None = None,
        level: float = 0.95,
    ) -> ImputedFit:
        """Analysis of covariance of the outcome at one visit, in each set, then pooled.

        Args:
            visit: which; None for the last.
            covariates: some of those of the imputation; None for all of them.
            df: degrees of freedom of complete data; None for subjects less coefficients, infinity for the normal
                distribution (which Wolbers et al. take after a jackknife).
            level: of the intervals.

        Returns:
            The fit; the arms are compared with the reference arm, or with the first where there is none.

        Raises:
            UnknownChoice: a visit or a covariate that is not there.
            BadSample: no more subjects than coefficients, or no residual variation.
        """
        check_level(level)
        label = self.visits[-1] if visit is None else visit
        outcome = self.outcomes_at(label)
        found = self.compared(outcome, covariates)
        return pooled_fit(
            found,
            jackknife=self.jackknife,
            df=df,
            level=level,
            frame=self.frame,
            counts=self.tally,
            method=f"{self.method}; analysis of covariance at visit {label}",
        )

    def compared(self, outcome: Matrix, covariates: tuple[str, ...] | None) -> Analysed:
        """The analysis of covariance of outcomes (D, n) on covariates and arms."""
        design, columns, terms = self.design_of(covariates)
        estimates, covariances = least_squares(outcome, design, self.left_out)
        df = np.full(len(columns), float(len(design) - len(columns)))
        return Analysed(columns, terms, estimates, covariances, df)

    def analyse(self, analysis: Analysis, *, df: float | None = None, level: float = 0.95) -> ImputedFit:
        """Any analysis of the completed long frames, then pooled.

        Args:
            analysis: takes a completed frame (see `completed`) and returns a fit of this room, or an object with
                coefficients (a column term), beta, covariance and df.
            df: degrees of freedom of complete data; None for those of the fits, averaged over the sets.
            level: of the intervals.

        Raises:
            BadSample: a result without these, or coefficients that differ between sets.
        """
        check_level(level)
        found = analysed(analysis, map(self.completed, range(self.sets)), jackknife=self.jackknife)
        return pooled_fit(
            found,
            jackknife=self.jackknife,
            df=df,
            level=level,
            frame=self.frame,
            counts=self.tally,
            method=f"{self.method}; analysis of each completed set",
        )

    @property
    def tally(self) -> Counts:
        """Subjects and outcomes, counted."""
        return Counts(self.n_subjects, self.n_observations, self.n_imputed)

    @property
    def base(self) -> int:
        """The arm that others are compared with: the reference, or the first."""
        return 0 if self.long.reference is None else self.long.reference

    def design_of(
        self, covariates: tuple[str, ...] | None
    ) -> tuple[Matrix, tuple[str, ...], dict[str, tuple[int, ...]]]:
        """The constant, the covariates and indicators of the arms (n, p), their names and which each term takes."""
        wanted = self.long.names.covariates if covariates is None else covariate_names(covariates)
        columns, labels, terms = [self.long.covariates[:, 0]], [self.long.columns[0]], {}
        for name in wanted:
            if name not in self.long.columns_of:
                offered = ", ".join(self.long.names.covariates) or "none, as the imputation has none"
                raise UnknownChoice(
                    "covariates", name, "is not a covariate of the imputation", f"choose from {offered}"
                )
            own = self.long.columns_of[name]
            terms[name] = tuple(range(len(labels), len(labels) + len(own)))
            columns.extend(self.long.covariates[:, place] for place in own)
            labels.extend(self.long.columns[place] for place in own)
        others = [code for code in range(len(self.arms)) if code != self.base]
        name = self.long.names.arm
        terms[name] = tuple(range(len(labels), len(labels) + len(others)))
        columns.extend((self.long.arm == code).astype(np.float64) for code in others)
        labels.extend(self.arm_term(code) for code in others)
        return np.column_stack(columns), tuple(labels), terms

    def arm_term(self, code: int) -> str:
        """The name of the coefficient that compares an arm with the base."""
        return f"{self.long.names.arm}[T.{self.arms[code]}]"

    def place_of(self, visit: Any) -> int:
        """The visit's place.

        Raises:
            UnknownChoice: when there is no such visit.
        """
        if visit not in self.visits:
            raise UnknownChoice(
                "visit", visit, "is not a visit of the data", f"choose one of {', '.join(map(str, self.visits))}"
            )
        return self.visits.index(visit)

    def checked(self, number: int) -> int:
        """The number of a set.

        Raises:
            BadSample: when there is no such set.
        """
        if not is_whole(number) or not 0 <= number < self.sets:
            raise BadSample("number", number, f"is not one of the {self.sets} sets", f"give 0 to {self.sets - 1}")
        return number


def visit_column(long: Longitudinal, subjects: int) -> "pd.Series[Any]":
    """(n T,), each visit's label, subject by subject, of the type that came in."""
    labels = pd.Series(list(long.visits) * subjects)
    return labels.astype(long.first_rows[long.names.visit].dtype)


def counted(long: Longitudinal, frame: Opened) -> Frame:
    """A row an arm and visit: n, observed, imputed, and how many of these come after the event."""
    rows: dict[str, list[Any]] = {name: [] for name in ("arm", "visit", "n", "observed", "imputed", "after_event")}
    for code, arm in enumerate(long.arms):
        own = long.arm == code
        for place, visit in enumerate(long.visits):
            seen = long.seen[own, place]
            rows["arm"].append(arm)
            rows["visit"].append(visit)
            rows["n"].append(int(own.sum()))
            rows["observed"].append(int(seen.sum()))
            rows["imputed"].append(int((~seen).sum()))
            rows["after_event"].append(int((~seen & long.affected[own, place]).sum()))
    return like(frame, rows)
