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
from scipy import special

from equipoise.stats.designs import sort_rank
from equipoise.stats.frames import Frame, Opened, column, like, named_rows, numbers, opened
from equipoise.stats.refusals import (
    BadSample,
    DuplicateVisit,
    MissingCovariate,
    RankDeficient,
    TooFewClusters,
)
from equipoise.stats.samples import Matrix

SINGULAR = 1e-12  # relative to the largest eigenvalue
NO_ERROR = 1e-24  # relative to the variation of the outcome


@dataclass(frozen=True, slots=True, eq=False)
class RepeatedMeasuresAnova:
    """A repeated-measures analysis of variance.

    `table` has a row an effect: effect, df_num, df_den, statistic (F), p_value, epsilon_gg, p_gg, epsilon_hf, p_hf,
    mauchly_w, mauchly_p, eta_sq_generalised, eta_sq_partial, sum_sq, sum_sq_error. Epsilons are one, and
    Mauchly's W one with P one, where a single degree of freedom leaves no sphericity to assume. `sphericity`
    has effect, mauchly_w, mauchly_p, epsilon_gg, epsilon_hf for the effects that do assume it. An epsilon_hf
    above one is shown as it is and taken as one in `p_hf`. Mauchly's columns are empty where subjects are
    too few for the test.
    """

    table: Frame
    sphericity: Frame
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


@dataclass(frozen=True, slots=True)
class Sphericity:
    """Mauchly's test and both epsilons of one contrast within subjects; the test is None when it cannot be made."""

    w: float | None
    p_value: float | None
    greenhouse_geisser: float
    huynh_feldt: float


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of the table, before sums of squares are compared across effects."""

    name: str
    df_num: int
    df_den: int
    sum_sq: float
    sum_sq_error: float
    sphericity: Sphericity
    spherical: bool


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
    inner, outer = as_names(within), as_names(between)
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
    effects = [
        effect
        for name, contrast in within_contrasts(inner, cells.within)
        for effect in effects_of(name, contrast, cells.outcomes, designs, whole)
    ]
    q, _ = np.linalg.qr(whole)
    total_error = float(((cells.outcomes - q @ (q.T @ cells.outcomes)) ** 2).sum())
    return RepeatedMeasuresAnova(
        like(frame, table_columns(effects, total_error)),
        like(frame, sphericity_columns(effects)),
        cells.left_out,
        n,
        cells.outcomes.size,
        len(cells.left_out),
        cells.labels,
        sentence(cells, n),
        notes(effects),
        cells,
    )


def as_names(names: "str | Sequence[str] | None") -> tuple[str, ...]:
    """Column names as a tuple, whether one, several or none were given."""
    if names is None:
        return ()
    return (names,) if isinstance(names, str) else tuple(names)


def by_subject(frame: Opened, outcome: str, subject: str, within: Sequence[str], between: Sequence[str]) -> Cells:
    """The long frame as one row a subject, subjects and levels in their own order.

    Raises:
        MissingCovariate: a row without its subject or a factor.
        DuplicateVisit: two rows for one subject and cell.
        BadSample: a between factor that changes within a subject, or a factor with one level.
    """
    if not within:
        raise BadSample("within", None, "names no factor", "name the column of the visit")
    roles = [("subject", subject), *(("within", name) for name in within), *(("between", name) for name in between)]
    factors = pd.DataFrame({name: column(frame, name, role) for role, name in roles})
    values = numbers(column(frame, outcome, "outcome"), "outcome")
    if np.isinf(values).any():
        raise BadSample("outcome", outcome, "holds an infinite value", "correct it or mark it as missing")
    refuse_gaps(factors)
    refuse_repeats(factors[[subject, *within]])
    owners, people = ranked(factors[subject])
    refuse_changing(factors, subject, between)
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
    first = factors.groupby(owners)[list(between)].first() if between else pd.DataFrame(index=range(len(people)))
    origin = float(wide[complete].mean())
    return Cells(
        wide[complete] - origin,
        origin,
        tuple(within),
        tuple(levels for _, levels in coded),
        first[complete].reset_index(drop=True),
        tuple(" ".join(map(str, cell)) for cell in product(*(levels for _, levels in coded))),
        tuple(str(who) for who, kept in zip(people, complete, strict=True) if not kept),
    )


def ranked(values: "pd.Series[Any]") -> tuple[np.ndarray[Any, np.dtype[np.intp]], tuple[Any, ...]]:
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


def refuse_changing(factors: pd.DataFrame, subject: str, between: Sequence[str]) -> None:
    """Refuse a between factor that changes within a subject."""
    for name in between:
        levels = factors[[subject, name]].drop_duplicates()
        moving = levels[subject][levels[subject].duplicated()]
        if len(moving):
            who = named_rows(sorted(map(str, moving)))
            raise BadSample(name, None, f"changes within subject {who}", "name it in within, or correct the rows")


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


def effects_of(
    within: str, contrast: Matrix, outcomes: Matrix, designs: list[tuple[str, Matrix]], whole: Matrix
) -> Iterator[Effect]:
    """Every between effect on one contrast within subjects, equations (hypothesis) and (error)."""
    scores = outcomes @ contrast
    n, p = whole.shape
    # Residuals from Q rather than from normal equations: unequal groups cost no digits.
    q, r = np.linalg.qr(whole)
    coefficients = np.linalg.solve(r, q.T @ scores)
    residuals = scores - whole @ coefficients
    error = residuals.T @ residuals
    k, df_error = contrast.shape[1], n - p
    shape = sphericity(error, df_error)
    inverse = np.linalg.inv(r)
    start = 0
    for name, columns in designs:
        stop = start + columns.shape[1]
        own, spread = coefficients[start:stop], inverse[start:stop] @ inverse[start:stop].T
        if within or name:
            refuse_no_error(float(np.trace(error)), outcomes, within)
            sum_sq = float(np.trace(own.T @ np.linalg.solve(spread, own)))
            label = ":".join(part for part in (name, within) if part)
            yield Effect(label, (stop - start) * k, df_error * k, sum_sq, float(np.trace(error)), shape, k == 1)
        start = stop


def refuse_no_error(error: float, outcomes: Matrix, within: str) -> None:
    """Refuse a stratum without residual variation, which has no F."""
    if error <= NO_ERROR * float((outcomes**2).sum()):
        about = f"the effect of {within}" if within else "the subjects' means"
        raise BadSample("outcome", None, f"leaves no residual variation for {about}", "check for copied values")


def sphericity(error: Matrix, df: int) -> Sphericity:
    """Epsilons and Mauchly's test from the error products (k, k) of orthonormal contrasts.

    Equations (gg), (hf) and (mauchly) in docs/methods/rm-anova.md.
    """
    k = len(error)
    if k == 1:
        return Sphericity(1.0, 1.0, 1.0, 1.0)
    gg = float(np.trace(error) ** 2 / (k * (error**2).sum()))
    room = k * (df - k * gg)
    hf = ((df + 1) * k * gg - 2) / room if room > SINGULAR else 1.0
    scaled = np.linalg.eigvalsh(error) * k / np.trace(error)
    if df < k or scaled[0] <= SINGULAR * scaled[-1]:
        return Sphericity(None, None, gg, hf)
    log_w = float(np.log(scaled).sum())
    return Sphericity(float(np.exp(log_w)), mauchly_p(log_w, k, df), gg, hf)


def mauchly_p(log_w: float, k: int, df: int) -> float:
    """P of Mauchly's W by Box's expansion to the second order (Anderson 1958, section 10.7).

    Args:
        log_w: natural logarithm of W.
        k: number of contrasts.
        df: degrees of freedom of the error products.
    """
    rho = 1 - (2 * k**2 + k + 2) / (6 * k * df)
    second = (k + 2) * (k - 1) * (k - 2) * (2 * k**3 + 6 * k**2 + 3 * k + 2) / (288 * (df * k * rho) ** 2)
    chi2 = -df * rho * log_w
    f = k * (k + 1) // 2 - 1
    first, later = float(special.chdtrc(f, chi2)), float(special.chdtrc(f + 4, chi2))
    return min(max(first + second * (later - first), 0.0), 1.0)


def table_columns(effects: list[Effect], total_error: float) -> dict[str, Any]:
    """The table of effects, one list a column.

    Args:
        effects: in the order of the table.
        total_error: error sums of squares over every stratum, for generalised eta squared.
    """
    statistic = [e.sum_sq / e.df_num / (e.sum_sq_error / e.df_den) for e in effects]
    gg = [e.sphericity.greenhouse_geisser for e in effects]
    hf = [e.sphericity.huynh_feldt for e in effects]
    return {
        "effect": [e.name for e in effects],
        "df_num": [e.df_num for e in effects],
        "df_den": [e.df_den for e in effects],
        "statistic": statistic,
        "p_value": tails(effects, statistic, [1.0] * len(effects)),
        "epsilon_gg": gg,
        "p_gg": tails(effects, statistic, gg),
        "epsilon_hf": hf,
        "p_hf": tails(effects, statistic, [min(epsilon, 1.0) for epsilon in hf]),
        "mauchly_w": [e.sphericity.w for e in effects],
        "mauchly_p": [e.sphericity.p_value for e in effects],
        "eta_sq_generalised": [e.sum_sq / (e.sum_sq + total_error) for e in effects],
        "eta_sq_partial": [e.sum_sq / (e.sum_sq + e.sum_sq_error) for e in effects],
        "sum_sq": [e.sum_sq for e in effects],
        "sum_sq_error": [e.sum_sq_error for e in effects],
    }


def tails(effects: list[Effect], statistic: list[float], epsilon: list[float]) -> list[float]:
    """P of each F with both degrees of freedom times epsilon."""
    return [
        float(special.fdtrc(e.df_num * shrink, e.df_den * shrink, f))
        for e, f, shrink in zip(effects, statistic, epsilon, strict=True)
    ]


def sphericity_columns(effects: list[Effect]) -> dict[str, Any]:
    """The effects that assume sphericity, one list a column."""
    assuming = [effect for effect in effects if not effect.spherical]
    return {
        "effect": [e.name for e in assuming],
        "mauchly_w": [e.sphericity.w for e in assuming],
        "mauchly_p": [e.sphericity.p_value for e in assuming],
        "epsilon_gg": [e.sphericity.greenhouse_geisser for e in assuming],
        "epsilon_hf": [e.sphericity.huynh_feldt for e in assuming],
    }


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
    above = [e.name for e in effects if not e.spherical and e.sphericity.huynh_feldt > 1]
    untested = [e.name for e in effects if e.sphericity.w is None]
    said = []
    if above:
        said.append(f"The Huynh-Feldt epsilon of {named_rows(above)} is above one and was taken as one")
    if untested:
        said.append(f"Mauchly's test of {named_rows(untested)} needs more subjects than it has contrasts")
    return tuple(said)
