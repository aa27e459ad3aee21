"""Repeated-measures analysis of variance with type III sums of squares.

Each subject is one row of cell means; each effect is a contrast between subjects crossed with a contrast
within them. Subjects without every cell are left out whole, counted and named.
Equations: docs/methods/rm-anova.md.
Terms: *within* (factors that change within a subject), *between* (factors that do not), *cell* (one
combination of within levels).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from narwhals.typing import IntoDataFrame
from numpy.typing import NDArray

from equipoise.stats.anova_strata import Effect, effects_of, pillai, wilks
from equipoise.stats.designs import sort_rank
from equipoise.stats.frames import Frame, Opened, column, like, named_rows, numbers, opened
from equipoise.stats.refusals import (
    BadSample,
    DuplicateVisit,
    MissingCovariate,
    RankDeficient,
    TooFewClusters,
)
from equipoise.stats.samples import Matrix, refuse_extremes

NO_ERROR = 1e-24  # relative to the variation of the outcome


@dataclass(frozen=True, slots=True, eq=False)
class RepeatedMeasuresAnova:
    """A repeated-measures analysis of variance.

    `table` has a row an effect: effect, df_num, df_den, statistic (F), p_value, epsilon_gg, p_gg, epsilon_hf, p_hf,
    mauchly_w, mauchly_p, eta_sq_generalised, eta_sq_partial, sum_sq, sum_sq_error. Epsilons are one, and
    Mauchly's W one with P one, where a single degree of freedom leaves no sphericity to assume. `sphericity`
    has effect, mauchly_w, mauchly_p, epsilon_gg, epsilon_hf for the effects that do assume it. An epsilon_hf
    above one is shown as it is and taken as one in `p_hf`. Mauchly's columns are empty where subjects are
    too few for the test. `multivariate` has effect, pillai, pillai_f, pillai_df_num, pillai_df_den, pillai_p and the
    same for wilks; its columns are empty where subjects are too few for the error to have an inverse.
    """

    table: Frame
    sphericity: Frame
    multivariate: Frame
    left_out: tuple[str, ...]
    n_subjects: int
    n_observations: int
    n_left_out: int
    cells: tuple[str, ...]
    method: str
    notes: tuple[str, ...]
    data: "Cells" = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """One row a subject: outcomes (n, C) by cell less `origin`, the factors' names and levels, and who was left out."""

    outcomes: Matrix
    origin: float
    names: tuple[str, ...]
    within: tuple[tuple[Any, ...], ...]
    between: pd.DataFrame
    labels: tuple[str, ...]
    left_out: tuple[str, ...]


def rm_anova(
    data: IntoDataFrame,
    *,
    outcome: str,
    subject: str,
    within: "str | Sequence[str]",
    between: "str | Sequence[str] | None" = None,
) -> RepeatedMeasuresAnova:
    """Repeated-measures analysis of variance, type III, with sphericity corrections and effect sizes.

    Args:
        data: one row a subject and cell.
        outcome: the column of the outcome.
        subject: the column that says whose it is.
        within: the factor or factors that change within a subject.
        between: the factor or factors that do not, such as the arm.

    Raises:
        StatisticsRefusal: each defect of the data, by name.

    Source:
        Greenhouse and Geisser (1959), Psychometrika 24:95-112; Huynh and Feldt (1976), Journal of Educational
        Statistics 1:69-82, as corrected by Lecoutre (1991), 16:371-372; Mauchly (1940), Annals of
        Mathematical Statistics 11:204-209; Olejnik and Algina (2003), Psychological Methods 8:434-447.
    """
    frame = opened(data)
    inner, outer = as_names(within, "within"), as_names(between, "between")
    cells = by_subject(frame, outcome, subject, inner, outer)
    designs = between_designs(cells.between)
    whole = np.hstack([matrix for _, matrix in designs])
    n, p = whole.shape
    if n <= p:
        raise TooFewClusters(
            "subject", subject, f"has {n} complete subjects for {p} groups or contrasts", "merge groups"
        )
    if np.linalg.matrix_rank(whole) < p:
        raise RankDeficient(
            "between", ", ".join(outer), "has a combination of levels with no complete subject", "merge levels"
        )
    effects, total_error, _ = effects_of(
        cells.outcomes.T[:, :, np.newaxis], np.ones((n, 1)), within_contrasts(inner, cells.within), designs
    )
    refuse_no_error(effects, cells.outcomes)
    return RepeatedMeasuresAnova(
        like(frame, table_columns(effects, float(total_error[0]))),
        like(frame, sphericity_columns(effects)),
        like(frame, multivariate_columns(effects)),
        cells.left_out,
        n,
        cells.outcomes.size,
        len(cells.left_out),
        cells.labels,
        sentence(cells, n),
        notes(effects),
        cells,
    )


def as_names(names: "str | Sequence[str] | None", field: str) -> tuple[str, ...]:
    """Column names as a tuple, whether one, several or none were given.

    Raises:
        BadSample: something else.
    """
    if names is None:
        return ()
    listed = (names,) if isinstance(names, str) else names
    if not isinstance(listed, Sequence) or not all(isinstance(name, str) for name in listed):
        raise BadSample(field, names, "is not a name", "give the name of a factor, or several")
    return tuple(listed)


def by_subject(frame: Opened, outcome: str, subject: str, within: Sequence[str], between: Sequence[str]) -> Cells:
    """The long frame as one row a subject, subjects and levels in their own order.

    Raises:
        MissingCovariate: a row without its subject or a factor.
        DuplicateVisit: two rows for one subject and cell.
        BadSample: a between factor that changes within a subject, a factor with one level, a column named twice, or
            outcomes that are not finite or too large to square.
    """
    if not within:
        raise BadSample("within", None, "names no factor", "name the column of the visit")
    refuse_one_column_twice((outcome, subject, *within, *between))
    roles = [("subject", subject), *(("within", name) for name in within), *(("between", name) for name in between)]
    factors = pd.DataFrame({name: column(frame, name, role) for role, name in roles})
    values = numbers(column(frame, outcome, "outcome"), "outcome")
    if np.isinf(values).any():
        raise BadSample("outcome", outcome, "holds an infinite value", "correct it or mark it as missing")
    refuse_gaps(factors)
    refuse_repeats(factors[[subject, *within]])
    owners, people = ranked(factors[subject])
    _, first = np.unique(owners, return_index=True)
    for name in between:
        refuse_changing(factors[name], owners, first, people)
    coded = [ranked(factors[name]) for name in within]
    for name, (_, levels) in zip(within, coded, strict=True):
        if len(levels) < 2:
            raise BadSample(name, None, "has one level", "name a factor with two levels or more")
    sizes = tuple(len(levels) for _, levels in coded)
    places = np.ravel_multi_index(tuple(codes for codes, _ in coded), sizes)
    wide = np.full((len(people), int(np.prod(sizes))), np.nan)
    wide[owners, places] = values
    complete = ~np.isnan(wide).any(axis=1)
    if not complete.any():
        raise BadSample("data", None, "has no subject with every cell", "use gee, which takes incomplete subjects")
    refuse_extremes(values[~np.isnan(values)], outcome)
    origin = float(wide[complete].mean())
    return Cells(
        wide[complete] - origin,
        origin,
        tuple(within),
        tuple(levels for _, levels in coded),
        pd.DataFrame({name: factors[name].array[first[complete]] for name in between}, index=range(complete.sum())),
        tuple(" ".join(map(str, cell)) for cell in product(*(levels for _, levels in coded))),
        tuple(str(who) for who, kept in zip(people, complete, strict=True) if not kept),
    )


def refuse_one_column_twice(names: tuple[str, ...]) -> None:
    """Refuse a column that was named for two parts of the analysis."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadSample(
            "outcome, subject, within, between", None, f"name {', '.join(twice)} twice", "name each column once"
        )


def ranked(values: "pd.Series[Any]") -> tuple[NDArray[np.intp], tuple[Any, ...]]:
    """Codes 0, 1, ... in a column's own order, and its levels in that order."""
    ranks = sort_rank(values)
    _, first, codes = np.unique(ranks, return_index=True, return_inverse=True)
    return codes, tuple(values.iloc[first])


def refuse_gaps(factors: pd.DataFrame) -> None:
    """Refuse rows without a subject or a factor."""
    for name in factors:
        gaps = factors[name].isna()
        if gaps.any():
            rows = [str(place + 1) for place in np.flatnonzero(gaps)]
            raise MissingCovariate(
                str(name), None, f"is missing in row {named_rows(rows)}", "fill it in or drop the row"
            )


def refuse_repeats(keys: pd.DataFrame) -> None:
    """Refuse two rows for one subject and cell."""
    again = keys.duplicated()
    if again.any():
        labels = [" at ".join(map(str, row)) for row in keys[again].itertuples(index=False)]
        raise DuplicateVisit(
            ", ".join(map(str, keys)), None, f"has more than one row for {named_rows(labels)}", "keep one row a cell"
        )


def refuse_changing(
    values: "pd.Series[Any]", owners: NDArray[np.intp], first: NDArray[np.intp], people: tuple[Any, ...]
) -> None:
    """Refuse a between factor that changes within a subject.

    Args:
        values: of the factor, row by row.
        owners: (N,), whose row it is.
        first: (n,), a row of each subject.
        people: the n subjects.
    """
    ranks = sort_rank(values)
    moving = np.unique(owners[ranks != ranks[first][owners]])
    if moving.size:
        who = named_rows(sorted(str(people[place]) for place in moving))
        raise BadSample(
            str(values.name), None, f"changes within subject {who}", "name it in within, or correct the rows"
        )


def sum_to_zero(levels: int) -> Matrix:
    """(levels, levels - 1), contrasts that sum to zero: what makes type III tests those of unweighted means."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])


def between_designs(factors: pd.DataFrame) -> list[tuple[str, Matrix]]:
    """The columns (n, k) of the intercept and of every between effect, by name."""
    codings = {}
    for name in factors:
        codes, levels = ranked(factors[name])
        if len(levels) < 2:
            raise BadSample(str(name), None, "has one level among complete subjects", "drop it from between")
        codings[str(name)] = sum_to_zero(len(levels))[codes]
    designs = [("", np.ones((len(factors), 1)))]
    for names in subsets(tuple(codings)):
        columns = reduce(row_products, (codings[name] for name in names))
        designs.append((":".join(names), columns))
    return designs


def row_products(first: Matrix, second: Matrix) -> Matrix:
    """(n, a b), every product of a column of the first with one of the second."""
    return np.asarray((first[:, :, np.newaxis] * second[:, np.newaxis, :]).reshape(len(first), -1))


def subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every non-empty choice of names, smaller ones first."""
    for size in range(1, len(names) + 1):
        yield from combinations(names, size)


def within_contrasts(names: tuple[str, ...], levels: tuple[tuple[Any, ...], ...]) -> list[tuple[str, Matrix]]:
    """Orthonormal contrasts (C, k) of every within effect, the mean over cells first, by name."""
    means = [np.full((len(one), 1), 1 / np.sqrt(len(one))) for one in levels]
    changes = [np.linalg.qr(np.column_stack([mean, np.eye(len(mean))[:, 1:]]))[0][:, 1:] for mean in means]
    contrasts = [("", reduce(np.kron, means))]
    for chosen in subsets(names):
        parts = [changes[place] if name in chosen else means[place] for place, name in enumerate(names)]
        contrasts.append((":".join(chosen), reduce(np.kron, parts)))
    return contrasts


def refuse_no_error(effects: list[Effect], outcomes: Matrix) -> None:
    """Refuse a stratum without residual variation, which has no F."""
    for effect in effects:
        if effect.sum_sq_error[0] <= NO_ERROR * float((outcomes**2).sum()):
            about = f"the effect of {effect.stratum.name}" if effect.stratum.name else "the subjects' means"
            raise BadSample("outcome", None, f"leaves no residual variation for {about}", "check for copied values")


def table_columns(effects: list[Effect], total_error: float) -> dict[str, Any]:
    """The table of effects, one list a column.

    Args:
        effects: in the order of the table.
        total_error: error sums of squares over every stratum, for generalised eta squared.
    """
    one = np.ones(1)
    gg = [e.stratum.greenhouse_geisser for e in effects]
    hf = [e.stratum.huynh_feldt for e in effects]
    sums = [(float(e.sum_sq[0]), float(e.sum_sq_error[0])) for e in effects]
    return {
        "effect": [e.name for e in effects],
        "df_num": [e.df_num for e in effects],
        "df_den": [int(e.df_den[0]) for e in effects],
        "statistic": [float(e.statistic[0]) for e in effects],
        "p_value": [float(e.p_value(one)[0]) for e in effects],
        "epsilon_gg": [float(epsilon[0]) for epsilon in gg],
        "p_gg": [float(e.p_value(epsilon)[0]) for e, epsilon in zip(effects, gg, strict=True)],
        "epsilon_hf": [float(epsilon[0]) for epsilon in hf],
        "p_hf": [float(e.p_value(np.minimum(epsilon, 1.0))[0]) for e, epsilon in zip(effects, hf, strict=True)],
        "mauchly_w": [mauchly(e)[0] for e in effects],
        "mauchly_p": [mauchly(e)[1] for e in effects],
        "eta_sq_generalised": [own / (own + total_error) for own, _ in sums],
        "eta_sq_partial": [own / (own + error) for own, error in sums],
        "sum_sq": [own for own, _ in sums],
        "sum_sq_error": [error for _, error in sums],
    }


def mauchly(effect: Effect) -> tuple[float | None, float | None]:
    """W and its P; None where the test cannot be made."""
    w, p_value, made = effect.stratum.mauchly
    return (float(w[0]), float(p_value[0])) if made[0] else (None, None)


def sphericity_columns(effects: list[Effect]) -> dict[str, Any]:
    """The effects that assume sphericity, one list a column."""
    assuming = [effect for effect in effects if effect.stratum.contrasts > 1]
    return {
        "effect": [e.name for e in assuming],
        "mauchly_w": [mauchly(e)[0] for e in assuming],
        "mauchly_p": [mauchly(e)[1] for e in assuming],
        "epsilon_gg": [float(e.stratum.greenhouse_geisser[0]) for e in assuming],
        "epsilon_hf": [float(e.stratum.huynh_feldt[0]) for e in assuming],
    }


def multivariate_columns(effects: list[Effect]) -> dict[str, Any]:
    """The multivariate tests, one list a column."""
    columns: dict[str, Any] = {"effect": [e.name for e in effects]}
    for name, test in (("pillai", pillai), ("wilks", wilks)):
        found = [test(effect) for effect in effects]
        columns |= {
            name: [one and one.statistic for one in found],
            f"{name}_f": [one and one.f for one in found],
            f"{name}_df_num": [one and one.df_num for one in found],
            f"{name}_df_den": [one and one.df_den for one in found],
            f"{name}_p": [one and one.p_value for one in found],
        }
    return columns


def sentence(cells: Cells, n: int) -> str:
    """What was done, in one sentence for the report; who was left out comes first."""
    left_out = "none left out"
    if cells.left_out:
        left_out = f"{len(cells.left_out)} left out whole for a missing cell ({named_rows(list(cells.left_out))})"
    return (
        f"{n} complete subjects, {left_out}: repeated-measures analysis of variance, "
        "type III sums of squares, Greenhouse-Geisser (1959) and Huynh-Feldt (1976, Lecoutre 1991) corrections"
    )


def notes(effects: list[Effect]) -> tuple[str, ...]:
    """What a reader of the table must know about its corrections."""
    above = [e.name for e in effects if e.stratum.huynh_feldt[0] > 1]
    untested = [e.name for e in effects if mauchly(e)[0] is None]
    said = []
    if above:
        said.append(f"The Huynh-Feldt epsilon of {named_rows(above)} is above one and was taken as one")
    if untested:
        said.append(f"Mauchly's test of {named_rows(untested)} needs more subjects than it has contrasts")
    return tuple(said)
