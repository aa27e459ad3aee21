"""Marginal means of a fit: what its model predicts for each level of some factors, averaged over the others.

Means of every fit that says how its design is made: gee, mmrm, ancova, and rm_anova by its cell means.
Equations: docs/methods/marginal-means.md.
Terms: *reference grid* (every combination of the factors' levels, covariates at one value each), *link scale* (that of
the linear predictor), *response scale* (that of the outcome).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from equipoise.stats.cell_means import MODELS, cell_means
from equipoise.stats.coefficients import quantile
from equipoise.stats.contrasts import (
    Contrasts,
    Group,
    JointTests,
    LinearFit,
    MeanSet,
    consecutive,
    contrasts_of,
    joint_tests,
    std_errors,
)
from equipoise.stats.frames import Frame, like, named_rows, opened
from equipoise.stats.gee_families import LINKS
from equipoise.stats.reference_grid import ReferenceGrid, averaging_weights, cell_label, label, reference_grid
from equipoise.stats.refusals import BadSample, UnknownChoice, check_level, choose
from equipoise.stats.repeated_measures import RepeatedMeasuresAnova, as_names
from equipoise.stats.samples import Matrix

TYPES = ("link", "response")
# Of the tables of means, contrasts and joint tests: a factor of that name would take the column's place.
TABLE_COLUMNS = (
    *("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"),
    *("contrast", "df_num", "df_den"),
)


@dataclass(frozen=True, slots=True, eq=False)
class MarginalMeans:
    """Marginal means.

    `table` has the columns of `by`, of the factors, then estimate, std_error, df, conf_low, conf_high. `rows` (m, p)
    are the means as weights on the coefficients, `covariance` (m, m) theirs, both on the link scale. `type` says on
    which scale the table is. `notes` are what a reader must know.
    """

    table: Frame
    rows: Matrix
    covariance: Matrix
    factors: tuple[str, ...]
    by: tuple[str, ...]
    weights: str
    type: str
    level: float
    method: str
    notes: tuple[str, ...]
    means: MeanSet = field(repr=False)

    def contrasts(
        self,
        kind: str = "pairwise",
        *,
        adjust: str = "none",
        reference: Any = None,
        coefficients: Mapping[str, Sequence[float]] | None = None,
        alternative: str = "two-sided",
        level: float | None = None,
    ) -> Contrasts:
        """Contrast the means of each group of `by`.

        Args:
            kind: pairwise, reference, custom, polynomial, consecutive, mean_change or effect.
            adjust: none, bonferroni, holm, hochberg, sidak, tukey, dunnett or mvt, within each group.
            reference: for the kind reference, the level compared with (with several factors, the label with blanks
                between levels); None takes the first.
            coefficients: for the kind custom, the weights of the means by the contrast's name.
            alternative: two-sided, greater or less.
            level: of the intervals; None takes that of the means.

        Raises:
            StatisticsRefusal: arguments that are not offered or do not go together.
        """
        return contrasts_of(
            self.means,
            kind,
            adjust=adjust,
            reference=reference,
            coefficients=coefficients,
            alternative=alternative,
            level=self.level if level is None else level,
        )

    def joint_test(self) -> JointTests:
        """The test that all means of a group of `by` are equal, group by group.

        Raises:
            BadSample: groups of one mean.
        """
        if len(self.means.groups[0].places) < 2:
            raise BadSample("factor", None, "has one level, with nothing to compare it with", "leave out by or at")
        hypotheses = [consecutive(group.labels)[1] @ self.rows[list(group.places)] for group in self.means.groups]
        return joint_tests(self.means, hypotheses, f"equal marginal means of {', '.join(self.factors)}")


def marginal_means(
    fit: "LinearFit | RepeatedMeasuresAnova",
    factor: "str | Sequence[str]",
    *,
    by: "str | Sequence[str] | None" = None,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    type: str = "link",
    model: str = "multivariate",
    level: float = 0.95,
) -> MarginalMeans:
    """Marginal (least-squares) means over a reference grid.

    Args:
        fit: of gee, mmrm, ancova or rm_anova.
        factor: whose means; several give the means of their combinations.
        by: factors that group the means; contrasts, adjustments and joint tests stay within a group.
        at: values of covariates (else their mean), or levels of factors to keep, by name.
        weights: how the other factors' levels are averaged: equal; proportional to their combinations' rows; outer
            (to the product of each one's rows); cells (to the rows of each cell); flat (equal over cells with rows).
        type: link, or response: means back from the link of a gee, standard errors by the delta method, intervals
            back from the link scale.
        model: of rm_anova alone: multivariate (an unstructured covariance of the cells) or univariate (strata).
        level: of the intervals.

    Returns:
        The means, in the order of `by` and then of the factors, the last changing fastest.

    Raises:
        StatisticsRefusal: each defect of the arguments, by name.

    Source:
        Searle, Speed and Milliken (1980), American Statistician 34:216-221; Lenth (2023), R package emmeans 1.8.4;
        equations (grid), (weights) and (mean).
    """
    choose("type", type, TYPES)
    choose("model", model, MODELS)
    check_level(level)
    fitted = cell_means(fit, model) if isinstance(fit, RepeatedMeasuresAnova) else fit
    if not hasattr(fitted, "recipe"):
        raise BadSample(
            "fit", fit.__class__.__name__, "has no marginal means", "give a fit of gee, mmrm, ancova or rm_anova"
        )
    factors, groups = as_names(factor, "factor"), as_names(by, "by")
    check_names(factors, groups, [str(name) for name in fitted.recipe.rows.columns])
    grid = reference_grid(fitted.recipe, at)
    names = (*groups, *factors)
    kept = [grid.place(name) for name in names]
    shares = averaging_weights(grid, kept, weights)
    rows = averaged(grid, kept, shares)
    means = MeanSet(fitted, rows, grouped(grid, groups, factors), groups, grid.offset, type == "response")
    covariance = rows @ fitted.covariance @ rows.T
    return MarginalMeans(
        like(
            opened(fitted.coefficients),
            {**cell_columns(grid, names), **estimates(means, level)},
        ),
        rows,
        covariance,
        factors,
        groups,
        weights,
        type,
        level,
        sentence(fitted, grid, factors, groups, weights, type, level),
        (*grid.notes, *empty_cells(grid, names), *interactions(fitted, grid, names)),
        means,
    )


def check_names(factors: tuple[str, ...], by: tuple[str, ...], known: list[str]) -> None:
    """Refuse names that are not in the model, come twice, are columns of the results, or are none.

    Raises:
        UnknownChoice: a name that is not in the model.
        BadSample: no factor, a name that comes twice, or that of a column of the results.
    """
    if not factors:
        raise BadSample("factor", None, "names no factor", "name the factor whose means are wanted")
    for role, names in (("factor", factors), ("by", by)):
        for name in names:
            if name not in known:
                raise UnknownChoice(role, name, "is not in the model", f"choose from {', '.join(known)}")
    taken = [name for name in (*factors, *by) if name in TABLE_COLUMNS]
    if taken:
        raise BadSample("factor", taken[0], "is the name of a column of the results as well", "rename it in the data")
    both = [name for name in factors if name in by]
    if both:
        raise BadSample("by", both[0], "is a factor as well", "name it once")
    names = (*factors, *by)
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise BadSample("factor", again[0], "comes twice", "name it once")


def averaged(grid: ReferenceGrid, kept: list[int], shares: Matrix) -> Matrix:
    """(m, p), the weights on the coefficients of each mean, equation (mean); kept axes in the order asked for."""
    away = tuple(place for place in range(len(grid.axes)) if place not in kept)
    means = (grid.design * shares[..., np.newaxis]).sum(axis=away, keepdims=True)
    turned = np.transpose(means, (*kept, *away, len(grid.axes)))
    return np.asarray(turned.reshape(-1, grid.design.shape[-1]))


def cell_columns(grid: ReferenceGrid, names: Sequence[str]) -> dict[str, list[Any]]:
    """The levels of each mean, a column a factor."""
    cells = combinations_of(grid, names)
    return {name: [cell[place] for cell in cells] for place, name in enumerate(names)}


def combinations_of(grid: ReferenceGrid, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Every combination of the values of some axes, the last changing fastest."""
    cells: list[tuple[Any, ...]] = [()]
    for name in names:
        cells = [(*cell, value) for cell in cells for value in grid.axes[grid.place(name)].values]
    return cells


def grouped(grid: ReferenceGrid, by: tuple[str, ...], factors: tuple[str, ...]) -> tuple[Group, ...]:
    """The means by group, in the order of the table."""
    labels = tuple(" ".join(map(label, cell)) for cell in combinations_of(grid, factors))
    size = len(labels)
    return tuple(
        Group(values, tuple(range(place * size, (place + 1) * size)), labels)
        for place, values in enumerate(combinations_of(grid, by))
    )


def estimates(means: MeanSet, level: float) -> dict[str, Any]:
    """Estimate, standard error, df and interval of each mean, equation (response) on that scale."""
    fit = means.fit
    estimate = means.rows @ fit.beta + means.offset
    names = [f"the mean of {name}" for group in means.groups for name in group.labels]
    std_error, df = std_errors(fit, means.rows, names), fit.df_of(means.rows)
    half = quantile(level, df) * std_error
    low, high = estimate - half, estimate + half
    if means.response:
        link = LINKS[fit.recipe.link]
        std_error = np.abs(link.slope(estimate)) * std_error
        ends = link.mean(low), link.mean(high)
        estimate, low, high = link.mean(estimate), np.minimum(*ends), np.maximum(*ends)
    return {"estimate": estimate, "std_error": std_error, "df": df, "conf_low": low, "conf_high": high}


def empty_cells(grid: ReferenceGrid, names: Sequence[str]) -> list[str]:
    """What to say of means of combinations that no row of the data has."""
    places = [grid.place(name) for name in names]
    if not all(grid.axes[place].is_factor for place in places):
        return []
    away = tuple(place for place in range(len(grid.axes)) if place not in places)
    seen = np.transpose(grid.counts.sum(axis=away, keepdims=True), (*places, *away)).ravel()
    cells = combinations_of(grid, names)
    empty = [f"({cell_label(names, cell)})" for cell, count in zip(cells, seen, strict=True) if count == 0]
    return [f"No row of the data has {named_rows(empty)}: the mean there rests on the model alone"] if empty else []


def interactions(fit: LinearFit, grid: ReferenceGrid, names: Sequence[str]) -> list[str]:
    """What to say of factors averaged over, or covariates held, that interact with those asked for."""
    asked = set(names)
    meeting = {other for term in fit.recipe.terms if term & asked for other in term - asked}
    found = [axis.name for axis in grid.axes if axis.name in meeting]
    if not found:
        return []
    return [f"{', '.join(names)} interacts with {', '.join(found)} in the model: means at its levels may tell more"]


def sentence(
    fit: LinearFit,
    grid: ReferenceGrid,
    factors: tuple[str, ...],
    by: tuple[str, ...],
    weights: str,
    type: str,
    level: float,
) -> str:
    """What was done, in one sentence for the report."""
    others = [axis for axis in grid.axes if axis.name not in (*factors, *by)]
    over = [axis.name for axis in others if len(axis.values) > 1]
    held = [f"{axis.name} = {axis.values[0]:.6g}" for axis in others if not axis.is_factor and len(axis.values) == 1]
    parts = [
        f"Marginal means of {', '.join(factors)}" + (f" by {', '.join(by)}" if by else ""),
        *([f"{weights} weights over {', '.join(over)}"] if over else []),
        *([f"at {', '.join(held)}"] if held else []),
        *(["back from the link, standard errors by the delta method"] if type == "response" else []),
        f"{100 * level:g}% intervals",
    ]
    return f"{', '.join(parts)} (Searle, Speed and Milliken 1980); {fit.method}"
