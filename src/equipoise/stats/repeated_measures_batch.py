"""Thousands of repeated-measures analyses of variance at once, from arrays; `rm_anova` is the batch of one.

Shapes: leading axes (...) are independent trials; n subjects, C cells, E effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.anova_strata import Effect, Named, effects_of
from equipoise.stats.blocks import blocks
from equipoise.stats.refusals import BadSample, RankDeficient, TooFewClusters
from equipoise.stats.repeated_measures import NO_ERROR, between_designs, within_contrasts
from equipoise.stats.samples import LARGEST, Matrix, Vector

# The columns, and what stands in each where a trial is not usable.
COLUMNS = {
    "statistic": 0.0,
    "df_num": 0.0,
    "df_den": 0.0,
    "p_value": 1.0,
    "epsilon_gg": 1.0,
    "p_gg": 1.0,
    "epsilon_hf": 1.0,
    "p_hf": 1.0,
    "mauchly_w": 1.0,
    "mauchly_p": 1.0,
}


@dataclass(frozen=True, slots=True, eq=False)
class RmAnovaBatch:
    """Many analyses of variance; the last axis of each array is the effect, in the order of `effects`.

    Columns as in `rm_anova`'s table, (..., E). `mauchly_p` is one where the test cannot be made. `n_subjects` (...)
    counts the complete ones. Where `usable` (...) is False too few were complete or nothing varies: F is zero, P one.
    """

    effects: tuple[str, ...]
    statistic: Vector
    df_num: Vector
    df_den: Vector
    p_value: Vector
    epsilon_gg: Vector
    p_gg: Vector
    epsilon_hf: Vector
    p_hf: Vector
    mauchly_w: Vector
    mauchly_p: Vector
    n_subjects: NDArray[np.intp]
    usable: NDArray[np.bool_]

    def effect(self, name: str) -> int:
        """The place of an effect on the last axis.

        Raises:
            BadSample: a name that is not among `effects`.
        """
        if name not in self.effects:
            raise BadSample("name", name, "is not an effect", f"choose one of {', '.join(self.effects)}")
        return self.effects.index(name)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The columns (B, E) of one block of trials."""

    effects: tuple[str, ...]
    columns: dict[str, Vector]
    n_subjects: NDArray[np.intp]
    usable: NDArray[np.bool_]


def rm_anova_batch(
    y: ArrayLike, between: ArrayLike | None = None, *, within: int | Sequence[int] | None = None
) -> RmAnovaBatch:
    """Analyse each leading index as a trial of its own, type III.

    Args:
        y: (..., n, C), outcomes by subject and cell, NaN where missing; such a subject is left out whole.
        between: (n,), the group of each subject, the same in every trial; None for one group.
        within: how many levels the factors within subjects have, whose product is C, the last factor changing fastest;
            None for one factor.

    Returns:
        Effects named `between`, `within` (`within1`, `within2` … where there are several) and their interactions.

    Raises:
        BadSample: shapes that do not agree, no trial, or outcomes that are infinite or too large to square.
        TooFewClusters: no more subjects than groups.
        RankDeficient: one group alone.
    """
    outcomes = np.asarray(y, dtype=np.float64)
    if outcomes.ndim < 2:
        raise BadSample("y", outcomes.shape, "has no axes of subjects and cells", "give y (..., n, C)")
    if not outcomes.size:
        raise BadSample("y", outcomes.shape, "holds no trial", "give at least one")
    if np.isinf(outcomes).any():
        raise BadSample("y", None, "holds an infinite value", "correct it or mark it as missing")
    if (np.abs(outcomes) > LARGEST).any():
        raise BadSample("y", None, f"holds values beyond {LARGEST:g}", "give it in another unit")
    (n, cells), lead = outcomes.shape[-2:], outcomes.shape[:-2]
    inner, outer = contrasts_of(within, cells), designs_of(between, n)
    flat = outcomes.reshape(-1, n, cells)
    parts = [analysed(flat[block], inner, outer) for block in blocks(len(flat), 4 * n * cells)]

    joined = {name: np.concatenate([part.columns[name] for part in parts]).reshape(*lead, -1) for name in COLUMNS}
    return RmAnovaBatch(
        effects=parts[0].effects,
        **joined,
        n_subjects=np.concatenate([part.n_subjects for part in parts]).reshape(lead),
        usable=np.concatenate([part.usable for part in parts]).reshape(lead),
    )


def contrasts_of(within: int | Sequence[int] | None, cells: int) -> Named:
    """The contrasts of every effect within subjects.

    Raises:
        BadSample: levels whose product is not the number of cells, or a factor with one level.
    """
    levels = (cells,) if within is None else (within,) if isinstance(within, int) else tuple(within)
    if int(np.prod(levels)) != cells or min(levels) < 2:
        raise BadSample("within", levels, f"do not make {cells} cells", "give the levels of each factor, two or more")
    names = ("within",) if len(levels) == 1 else tuple(f"within{place}" for place in range(1, len(levels) + 1))
    return within_contrasts(names, tuple(tuple(range(size)) for size in levels))


def designs_of(between: ArrayLike | None, n: int) -> Named:
    """The columns of the effect between subjects, and the intercept."""
    if between is None:
        return between_designs(pd.DataFrame(index=range(n)))
    groups = np.asarray(between)
    if groups.shape != (n,):
        raise BadSample("between", groups.shape, f"is not one group for each of {n} subjects", "give (n,)")
    sizes = np.unique(groups).size
    if sizes < 2:
        raise RankDeficient("between", groups[0], "is the group of every subject", "leave between out")
    if n <= sizes:
        raise TooFewClusters("between", sizes, f"groups for {n} subjects leave no error", "merge groups")
    return between_designs(pd.DataFrame({"between": groups}))


def analysed(outcomes: Matrix, within: Named, between: Named) -> Block:
    """One block of trials (B, n, C)."""
    known = np.asarray(~np.isnan(outcomes).any(axis=-1), dtype=bool)
    numbers = known.sum(axis=-1)
    values = np.where(known[..., np.newaxis], outcomes, 0.0)
    centre = values.sum(axis=(-1, -2)) / np.maximum(numbers * values.shape[-1], 1)
    values = np.asarray(np.where(known[..., np.newaxis], values - centre[:, np.newaxis, np.newaxis], 0.0))
    complete = known[:1] if known.all() else known
    with np.errstate(all="ignore"):  # trials with too few complete subjects, marked below
        effects, _, determined = effects_of(
            np.ascontiguousarray(values.transpose(2, 1, 0)), complete.T.astype(np.float64), within, between
        )
        least = NO_ERROR * (values**2).sum(axis=(-1, -2))
        usable = determined & np.all([effect.sum_sq_error > least for effect in effects], axis=0)
        tables = [columns_of(effect) for effect in effects]
    columns = {
        name: np.where(usable, np.stack([table[name] for table in tables]), unknown).T
        for name, unknown in COLUMNS.items()
    }
    return Block(tuple(effect.name for effect in effects), columns, numbers, usable)


def columns_of(effect: Effect) -> dict[str, Vector]:
    """The columns (B,) of one effect."""
    ones = np.ones_like(effect.statistic)
    w, mauchly_p, made = effect.stratum.mauchly
    gg, hf = effect.stratum.greenhouse_geisser, effect.stratum.huynh_feldt
    return {
        "statistic": effect.statistic,
        "df_num": effect.df_num * ones,
        "df_den": effect.df_den,
        "p_value": effect.p_value(ones),
        "epsilon_gg": gg,
        "p_gg": effect.p_value(gg),
        "epsilon_hf": hf,
        "p_hf": effect.p_value(np.minimum(hf, 1.0)),
        "mauchly_w": w,
        "mauchly_p": np.where(made, mauchly_p, 1.0),
    }
