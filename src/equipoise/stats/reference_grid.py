"""The reference grid of a fit: every combination of its factors' levels, covariates at one value each.

As R's emmeans defines it (Lenth): covariates stand at their mean over the rows fitted, unless they have two values at
most, which count as levels, or `at` gives others.
Equations: docs/methods/marginal-means.md.
Terms: *factor* (a covariate that stands for levels), *cell* (one row of the grid), *count* (rows of data in a cell).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Protocol

import numpy as np
import pandas as pd

from equipoise.stats.designs import sort_rank
from equipoise.stats.frames import named_rows
from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice, choose
from equipoise.stats.samples import Matrix, Vector

WEIGHTS = ("equal", "proportional", "outer", "cells", "flat")
MOST_CELLS = 10_000
FEW_VALUES = 2


class Recipe(Protocol):
    """How a fit makes its design from covariates."""

    @property
    def rows(self) -> pd.DataFrame:
        """The covariates of the rows fitted."""

    @property
    def categorical(self) -> frozenset[str]:
        """The covariates that stand for levels."""

    @property
    def terms(self) -> tuple[frozenset[str], ...]:
        """The covariates of each term."""

    @property
    def link(self) -> str:
        """The link between mean and linear predictor."""

    @property
    def offset(self) -> str | None:
        """The column that is added to the linear predictor."""

    def design(self, rows: pd.DataFrame) -> Matrix:
        """(n, p), the design of rows of covariates."""


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """One covariate of the grid: its values, whether they are levels, and each row's level (N,), -1 where left out."""

    name: str
    values: tuple[Any, ...]
    is_factor: bool
    codes: "np.ndarray[Any, np.dtype[np.intp]]"


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceGrid:
    """Axes, the design (*sizes, p) at every cell, and the counts (*sizes) of rows."""

    axes: tuple[Axis, ...]
    design: Matrix
    counts: Vector
    offset: float
    notes: tuple[str, ...]

    def place(self, name: str) -> int:
        """Which axis a name is."""
        return [axis.name for axis in self.axes].index(name)


def reference_grid(recipe: Recipe, at: Mapping[str, Any] | None) -> ReferenceGrid:
    """Build the grid of a fit.

    Args:
        recipe: how the fit makes its design.
        at: values of covariates, or levels of factors, one or several by name.

    Raises:
        UnknownChoice: a name or a level in `at` that the model does not have.
        BadSample: no mapping, values in it that are not finite or come twice, or more than 10,000 cells.
        NotIdentified: a cell at which the formula has no value.
    """
    if at is not None and not isinstance(at, Mapping):
        raise BadSample("at", at, "is not a mapping", "give values by name, such as {'age': 40}")
    given = {name: values_of(name, values) for name, values in (at or {}).items()}
    known = [str(name) for name in recipe.rows.columns]
    offset = offset_of(recipe, given)
    for name in given:
        if name not in known:
            raise UnknownChoice("at", name, "is not in the model", f"choose from {', '.join(known)}")
    axes = tuple(axis_of(name, recipe, given.get(name)) for name in known)
    sizes = tuple(len(axis.values) for axis in axes)
    if np.prod(sizes, dtype=float) > MOST_CELLS:
        raise BadSample(
            "at", None, f"leaves a grid of more than {MOST_CELLS} cells", "give covariates with two values one of them"
        )
    cells = list(product(*(axis.values for axis in axes)))
    table = pd.DataFrame(
        {axis.name: as_fitted(recipe.rows[axis.name], column) for axis, column in columns_of(axes, cells)}
    )
    if not known:
        table = pd.DataFrame(index=range(1))
    matrix = recipe.design(table)
    refuse_undefined(axes, cells, matrix)
    counts = counted(axes, sizes)
    notes = (*outside(recipe, axes, given), *without_offset(recipe, at or {}))
    return ReferenceGrid(axes, matrix.reshape(*sizes, -1), counts, offset, notes)


def columns_of(axes: tuple[Axis, ...], cells: list[tuple[Any, ...]]) -> list[tuple[Axis, list[Any]]]:
    """Each axis with its value in every cell."""
    return [(axis, [cell[place] for cell in cells]) for place, axis in enumerate(axes)]


def as_fitted(fitted: "pd.Series[Any]", values: list[Any]) -> "pd.Series[Any]":
    """Values of a covariate as the kind of column that was fitted."""
    if isinstance(fitted.dtype, pd.CategoricalDtype):
        return pd.Series(pd.Categorical(values, dtype=fitted.dtype))
    return pd.Series(values)


def values_of(name: str, values: Any) -> tuple[Any, ...]:
    """One value or several as a tuple.

    Raises:
        BadSample: no value, or one that comes twice.
    """
    plain = not isinstance(values, Iterable) or isinstance(values, str)
    several = [values] if plain else list(values)
    found = tuple(one.item() if isinstance(one, np.generic) else one for one in several)
    if not found:
        raise BadSample(f"at[{name}]", None, "gives no value", "give one or several, or leave the name out")
    if len(set(found)) < len(found):
        raise BadSample(f"at[{name}]", None, "gives a value twice", "give each value once")
    return found


def offset_of(recipe: Recipe, given: dict[str, tuple[Any, ...]]) -> float:
    """The offset at which means are taken, out of `given`; zero unless it is there."""
    if recipe.offset is None or recipe.offset not in given or recipe.offset in recipe.rows:
        return 0.0
    values = given.pop(recipe.offset)
    return number(recipe.offset, values[0] if len(values) == 1 else values)


def number(name: str, value: Any) -> float:
    """A value as a finite number.

    Raises:
        BadSample: anything else.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = np.nan
    if not np.isfinite(found):
        raise BadSample(f"at[{name}]", value, "is not a finite number", "give a number")
    return found


def axis_of(name: str, recipe: Recipe, given: tuple[Any, ...] | None) -> Axis:
    """The values that a covariate takes in the grid."""
    column = recipe.rows[name]
    codes, levels = levels_of(column)
    is_factor = name in recipe.categorical
    if is_factor or (given is None and len(levels) <= FEW_VALUES):
        chosen = levels if given is None else given
        for level in chosen:
            if level not in levels:
                offered = ", ".join(map(label, levels))
                raise UnknownChoice(f"at[{name}]", label(level), "is not a level", f"choose from {offered}")
        places = np.array([chosen.index(level) if level in chosen else -1 for level in levels])
        return Axis(name, chosen, True, places[codes])
    whole = np.zeros(len(column), dtype=np.intp)
    if given is not None:
        return Axis(name, tuple(number(name, value) for value in given), False, whole)
    values = column.to_numpy(dtype=np.float64)
    origin = float(values[0])  # a large common shift costs no digits
    return Axis(name, (origin + float((values - origin).mean()),), False, whole)


def levels_of(column: "pd.Series[Any]") -> "tuple[np.ndarray[Any, np.dtype[np.intp]], tuple[Any, ...]]":
    """Codes of a column and its levels as plain values, in the column's own order."""
    _, first, codes = np.unique(sort_rank(column), return_index=True, return_inverse=True)
    return codes, tuple(one.item() if isinstance(one, np.generic) else one for one in column.iloc[first])


def label(value: Any) -> str:
    """A level in words: whole numbers without a fraction."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def cell_label(names: Sequence[str], values: Sequence[Any]) -> str:
    """A cell in words, such as `arm = NK, visit = 3`."""
    return ", ".join(f"{name} = {label(value)}" for name, value in zip(names, values, strict=True))


def refuse_undefined(axes: tuple[Axis, ...], cells: list[tuple[Any, ...]], matrix: Matrix) -> None:
    """Refuse cells at which the formula has no value, such as the logarithm of zero."""
    undefined = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if undefined.size:
        named = [f"({cell_label([axis.name for axis in axes], cells[place])})" for place in undefined]
        raise NotIdentified(
            "at", None, f"leaves the formula without a value at {named_rows(named)}", "give other values"
        )


def counted(axes: tuple[Axis, ...], sizes: tuple[int, ...]) -> Vector:
    """How many rows of data each cell has, by its factors alone."""
    if not axes:
        return np.zeros(sizes)
    factors = [axis for axis in axes if axis.is_factor]
    kept = np.all([axis.codes >= 0 for axis in axes], axis=0)
    shown = tuple(len(axis.values) for axis in factors)
    if not factors:
        return np.full(sizes, float(kept.sum()))
    places = np.ravel_multi_index(tuple(axis.codes[kept] for axis in factors), shown)
    found = np.bincount(places, minlength=int(np.prod(shown))).astype(np.float64)
    spread = tuple(len(axis.values) if axis.is_factor else 1 for axis in axes)
    return np.broadcast_to(found.reshape(spread), sizes)


def outside(recipe: Recipe, axes: tuple[Axis, ...], given: dict[str, tuple[Any, ...]]) -> list[str]:
    """What to say of values beyond those that the model was fitted to."""
    said = []
    for axis in axes:
        if axis.is_factor or axis.name not in given:
            continue
        low, high = float(recipe.rows[axis.name].min()), float(recipe.rows[axis.name].max())
        beyond = [label(float(value)) for value in axis.values if not low <= value <= high]
        if beyond:
            said.append(
                f"{axis.name} = {named_rows(beyond)} is outside the data ({low:g} to {high:g}): "
                "the mean there is the model's extrapolation"
            )
    return said


def without_offset(recipe: Recipe, at: Mapping[str, Any]) -> list[str]:
    """What to say of an offset that nobody gave a value for."""
    if recipe.offset is None or recipe.offset in at:
        return []
    return [f"Means are at {recipe.offset} = 0, the offset"]


def averaging_weights(grid: ReferenceGrid, kept: Sequence[int], weights: str) -> Vector:
    """(*sizes), what each cell weighs in the mean of its combination of the kept axes; sums to one over the others.

    Equation (weights).

    Raises:
        UnknownChoice: weights that are not offered.
        NotIdentified: a combination without any row under weights that count rows.
    """
    choose("weights", weights, WEIGHTS)
    away = tuple(place for place in range(len(grid.axes)) if place not in kept)
    counts = grid.counts
    raw = np.broadcast_to(unscaled_weights(counts, tuple(kept), away, weights), counts.shape)
    totals = raw.sum(axis=away, keepdims=True)
    if (totals == 0).any():
        empty = np.argwhere(np.broadcast_to(totals == 0, totals.shape))
        names = [grid.axes[place].name for place in kept]
        cells = [[grid.axes[place].values[cell[place]] for place in kept] for cell in empty]
        raise NotIdentified(
            "weights",
            weights,
            f"has no row to count at {named_rows([f'({cell_label(names, cell)})' for cell in cells])}",
            "use equal weights, or leave these levels out with at",
        )
    return np.asarray(raw / totals)


def unscaled_weights(counts: Vector, kept: tuple[int, ...], away: tuple[int, ...], weights: str) -> Vector:
    """What each cell weighs before the weights of a mean are made to sum to one."""
    if weights == "proportional":
        return np.asarray(counts.sum(axis=kept, keepdims=True))
    if weights == "outer":
        return margins_product(counts, away)
    if weights == "cells":
        return counts
    return (counts > 0).astype(np.float64) if weights == "flat" else np.ones_like(counts)


def margins_product(counts: Vector, away: tuple[int, ...]) -> Vector:
    """The product of the one-way counts of the axes averaged over."""
    found = np.ones([1] * counts.ndim)
    for place in away:
        others = tuple(other for other in range(counts.ndim) if other != place)
        found = found * counts.sum(axis=others, keepdims=True)
    return found
