"""Generalised estimating equations from a formula and a frame.

One fit, with any of its covariances and degrees of freedom afterwards. With few clusters the usual sandwich
rejects too often, so `auto` corrects it and says so. Equations: docs/methods/gee.md.
Terms: *cluster* (a participant, whose visits belong together), *visit* (a position within the cluster).
"""

from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from narwhals.typing import IntoDataFrame
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.coefficients import JointTest, Terms, coefficient_columns, contrast_rows, wald_test
from equipoise.stats.designs import Design, FormulaRecipe, Standardised, build_design, standardise
from equipoise.stats.frames import Frame, Opened, like, named_rows, numbers, opened
from equipoise.stats.gee_covariance import (
    CITATIONS,
    COVARIANCES,
    DF_COVARIANCES,
    FORMULAS,
    LEVERAGE_CORRECTED,
    Sandwich,
    estimated_df,
    robust,
    summed,
)
from equipoise.stats.gee_diagnostics import Influence, influence, residual_columns, score_test
from equipoise.stats.gee_engine import Posed, Solution, linear_predictor, pose, solve
from equipoise.stats.gee_families import Family, Link, check_outcome, family_and_link
from equipoise.stats.gee_working import ORDERED, Working, read_working
from equipoise.stats.refusals import (
    BadSample,
    DuplicateVisit,
    NotConverged,
    NotIdentified,
    TooFewClusters,
    UnknownChoice,
    check_level,
    choose,
)
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.separation import SEPARABLE, refuse_separation

DF_RULES = ("normal", "between", "fay-graubard", "pan-wall")
FEW_CLUSTERS = (
    150  # below which the sandwich rejects too often by half a point and more: docs/methods/type-one-error.md
)
GEEPACK_DIVISORS = "pearson-n"
POOLED = ("pan", "gosho-sato-takeuchi", "wang-long")
REFERENCES = {
    "normal": "normal reference distribution",
    "between": "t tests on {df} df (clusters less coefficients)",
    "fay-graubard": "t tests on estimated df (Fay and Graubard 2001)",
    "pan-wall": "t tests on estimated df (Pan and Wall 2002)",
}
NO_RESIDUAL = 1e-24  # residual variation relative to that of the outcome
SINGULAR = 1e-11  # smallest eigenvalue of the information with unit diagonal
NO_VARIANCE = 1e-14  # relative to the model covariance


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """What a fit knows before a covariance is chosen: the coefficients, and what every covariance is made of."""

    beta: Vector
    sandwich: Sandwich
    columns: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    clusters: tuple[Any, ...]
    visits: tuple[Any, ...]
    positioned: bool
    n_observations: int
    n_left_out: int
    qic: float
    cic: float
    level: float
    frame: Opened
    recipe: FormulaRecipe
    shift: float

    @property
    def model(self) -> str:
        """Family, link and working correlation, for a sentence."""
        posed = self.sandwich.posed
        return f"{posed.family.name} family, {posed.link.name} link, {posed.working.sentence} working correlation"


@dataclass(frozen=True, slots=True, eq=False)
class GeeFit:
    """A GEE fit.

    `beta` (p,) and `covariance` (p, p) are of the coefficients; `robust_covariance` is Liang and Zeger's,
    whatever covariance was asked for. `df` (p,) is infinite for the normal distribution. `scale` is phi;
    `working_correlation` (T, T) is by visit, in the order of `visits`. `notes` are what a reader of the
    table must know.
    """

    coefficients: Frame
    beta: Vector
    covariance: Matrix
    robust_covariance: Matrix
    covariance_name: str
    df: Vector
    df_rule: "str | float"
    scale: float
    working_correlation: Matrix
    visits: tuple[Any, ...]
    qic: float
    cic: float
    n_subjects: int
    n_observations: int
    n_left_out: int
    converged: bool
    iterations: int
    method: str
    notes: tuple[str, ...]
    estimates: Estimates = field(repr=False)

    def with_covariance(self, covariance: str = "auto", df: "str | float" = "auto") -> "GeeFit":
        """The same coefficients with another covariance and other degrees of freedom; nothing is fitted again.

        Raises:
            UnknownChoice: a name that is not offered, or two that do not go together.
            NotIdentified: a correction that a subject with full leverage makes infinite.
        """
        return reported(self.estimates, covariance, df)

    @property
    def recipe(self) -> FormulaRecipe:
        """How the design of the fit is made for other rows."""
        return self.estimates.recipe

    def df_of(self, rows: Matrix) -> Vector:
        """(q,), the degrees of freedom of contrasts (q, p), one by one, by the fit's rule."""
        return degrees_of_freedom(self.estimates.sandwich, self.covariance_name, self.df_rule, rows)

    def joint_test(self, terms: Terms) -> JointTest:
        """Wald test that terms, columns or the contrasts L (q, p) are zero together.

        The denominator degrees of freedom follow the fit's rule; under fay-graubard and pan-wall, which are
        rules for one contrast, they are the least over the rows of L.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another, or more than the covariance has rank for.
        """
        rows = contrast_rows(terms, self.estimates.columns, self.estimates.terms)
        return wald_test(rows, self.beta, self.covariance, float(self.df_of(rows).min()))

    def score_test(self, terms: Terms) -> JointTest:
        """The generalised score test that terms, columns or the contrasts L (q, p) are zero together.

        The model is fitted again under the hypothesis; whatever covariance the fit has, the test uses the robust one
        there and the chi-squared distribution.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another, leave no coefficient, or are too many for the clusters.
            NotConverged: a restricted fit that does not settle.
        """
        rows = contrast_rows(terms, self.estimates.columns, self.estimates.terms)
        return score_test(self.estimates.sandwich, self.beta, rows)

    def influence(self) -> Influence:
        """What each cluster does to the coefficients: those without it, Cook's distance, leverage.

        Raises:
            NotIdentified: a cluster that determines a coefficient alone.
        """
        refuse_alone(self.estimates, "influence", None, "drop that term")
        return influence(self.estimates.sandwich, self.beta, self.estimates.clusters)

    def residuals(self) -> Frame:
        """One row an observation, by cluster and visit: cluster, visit, outcome, fitted, raw, pearson, standardised."""
        known = self.estimates
        return like(known.frame, residual_columns(known.sandwich, known.shift, known.clusters, known.visits))


@dataclass(frozen=True, slots=True, eq=False)
class Longitudinal:
    """The data by cluster and visit: outcome (1, n, T), design (1, n, T, p), seen (1, n, T), their labels."""

    outcome: Vector
    design: Matrix
    seen: NDArray[np.bool_]
    offset: Vector | None
    weight: Vector | None
    clusters: tuple[Any, ...]
    visits: tuple[Any, ...]


def gee(
    formula: str,
    data: IntoDataFrame,
    *,
    cluster: str,
    time: str | None = None,
    family: str = "gaussian",
    link: str | None = None,
    working: "str | ArrayLike" = "exchangeable",
    covariance: str = "auto",
    df: "str | float" = "auto",
    weights: str | None = None,
    offset: str | None = None,
    scale: "float | str | None" = None,
    level: float = 0.95,
) -> GeeFit:
    """Fit a marginal model to repeated outcomes by generalised estimating equations.

    Args:
        formula: such as `cd4 ~ arm * visit`.
        data: pandas or polars, one row an observation; rows without an outcome are left out and counted.
        cluster: the column that says whose observation it is.
        time: the column that says which visit; positions are the order of its values, or of its categories.
        family: gaussian, binomial, poisson or gamma.
        link: the canonical link unless named.
        working: independence, exchangeable, ar1, unstructured, toeplitz, "2-dependent" ("m-dependent" is one
            lag), or a (T, T) correlation matrix.
        covariance: one of `COVARIANCES`, or auto: kauermann-carroll below 150 clusters, else robust.
        df: normal, between (clusters less coefficients), fay-graubard, pan-wall, a number, or auto: between
            below 150 clusters, else normal.
        weights: the column of prior weights; the variance is the scale times the variance function over it.
        offset: the column added to the linear predictor.
        scale: None estimates phi by Pearson residuals over N - p, and correlations over pairs - p;
            "pearson-n" divides by N and by pairs, as geepack does; a number fixes phi.
        level: of the intervals.

    Raises:
        StatisticsRefusal: each defect of the arguments or the data, by name.

    Source:
        Liang and Zeger (1986), Biometrika 73:13-22; the covariances' own sources are in their citations.
    """
    check_level(level)
    chosen, tie = family_and_link(family, link)
    frame = opened(data)
    order_by = [("cluster", cluster)] + ([] if time is None else [("time", time)])
    beside = [(role, name) for role, name in (("weights", weights), ("offset", offset)) if name is not None]
    design = build_design(formula, frame, order_by=order_by, beside=beside)
    check_outcome(chosen, design.outcome)
    standard = standardise(design.matrix)
    shift = common_shift(chosen, tie, design, standard)
    long = by_visit(design, standard.matrix, design.outcome - shift, cluster, time, weights, offset)
    structure = read_working(working, len(long.visits))
    check_positions(structure, design, time)
    n, p = len(long.clusters), design.matrix.shape[1]
    if n <= p:
        raise TooFewClusters(
            "cluster", cluster, f"has {n} clusters for {p} coefficients", "drop terms from the formula"
        )
    resolved(covariance, df, n)
    fixed, without_p = read_scale(scale)
    posed = pose(
        long.outcome,
        long.design,
        long.seen,
        family=chosen,
        link=tie,
        working=structure,
        offset=long.offset,
        weight=long.weight,
        without_p=without_p,
        fixed_scale=fixed,
    )
    solution = solve(posed)
    refuse_separated(posed, solution, design.columns)
    check_solution(posed, solution)
    sandwich = Sandwich(posed, solution, standard.back)
    beta = standard.back @ solution.beta[0]
    if shift:
        beta[standard.intercept] += shift / design.matrix[0, standard.intercept]
    qic, cic = information_criteria(sandwich)
    estimates = Estimates(
        beta,
        sandwich,
        design.columns,
        design.terms,
        long.clusters,
        long.visits,
        time is not None,
        design.outcome.size,
        design.n_left_out,
        qic,
        cic,
        level,
        frame,
        replace(design.recipe, link=tie.name, offset=offset),
        shift,
    )
    return reported(estimates, covariance, df)


def reported(estimates: Estimates, covariance: str, df: "str | float") -> GeeFit:
    """The fit with the covariance and degrees of freedom asked for."""
    sandwich, n = estimates.sandwich, len(estimates.clusters)
    name, rule = resolved(covariance, df, n)
    matrix = checked_covariance(estimates, name)
    values = degrees_of_freedom(sandwich, name, rule, np.eye(estimates.beta.size))
    now = sandwich.solution
    columns = coefficient_columns(estimates.columns, estimates.beta, matrix, values, estimates.level)
    return GeeFit(
        like(estimates.frame, columns),
        estimates.beta,
        matrix,
        robust(sandwich)[0],
        name,
        values,
        rule,
        float(now.scale[0]),
        now.correlation[0],
        estimates.visits,
        estimates.qic,
        estimates.cic,
        n,
        estimates.n_observations,
        estimates.n_left_out,
        bool(sandwich.solution.converged[0]),
        int(sandwich.solution.iterations[0]),
        sentence(estimates, name, rule, chosen="auto" in (covariance, df)),
        notes(estimates, name, rule),
        estimates,
    )


def refuse_separated(posed: Posed, solution: Solution, columns: tuple[str, ...]) -> None:
    """Refuse an outcome that the covariates separate, from the means where the iteration stands."""
    if posed.family.name not in SEPARABLE:
        return
    with np.errstate(all="ignore"):  # a fit that ran away
        means = posed.link.mean(linear_predictor(posed, solution.beta)[posed.seen])
    refuse_separation(posed.family.name, posed.outcome[posed.seen], posed.design[posed.seen], means, columns)


def common_shift(family: Family, link: Link, design: Design, standard: Standardised) -> float:
    """What is taken from the outcome before the fit and given back to the intercept, so that no digits are lost."""
    plain = family.name == "gaussian" and link.name == "identity"
    return float(design.outcome[0]) if plain and standard.intercept is not None else 0.0


def by_visit(
    design: Design,
    matrix: Matrix,
    outcome: Vector,
    cluster: str,
    time: str | None,
    weights: str | None,
    offset: str | None,
) -> Longitudinal:
    """The rows laid out by cluster and visit.

    Raises:
        DuplicateVisit: two rows for one cluster and visit.
        BadSample: weights that are not positive, or an offset that is not finite.
    """
    owners, clusters = pd.factorize(design.beside[cluster], sort=False)
    if time is None:
        places = np.asarray(design.beside.groupby(owners).cumcount(), dtype=np.intp)
        visits: tuple[Any, ...] = tuple(range(1, int(places.max()) + 2))
    else:
        codes, levels = pd.factorize(design.beside[time], sort=True)
        places, visits = codes, tuple(levels)
        refuse_duplicates(design, owners, places, cluster, time)
    shape = (1, len(clusters), len(visits))
    seen = np.zeros(shape, bool)
    seen[0, owners, places] = True

    def laid(values: Vector, empty: float) -> Vector:
        table = np.full((*shape, *values.shape[1:]), empty)
        table[0, owners, places] = values
        return table

    weight = None if weights is None else numbers(design.beside[weights], "weights")
    add = None if offset is None else numbers(design.beside[offset], "offset")
    if weight is not None and not (np.isfinite(weight).all() and (weight > 0).all()):
        raise BadSample("weights", weights, "holds values that are not above zero", "leave those rows' outcome empty")
    if add is not None and not np.isfinite(add).all():
        raise BadSample("offset", offset, "holds values that are not finite", "correct them")
    return Longitudinal(
        laid(outcome, 0.0),
        laid(matrix, 0.0),
        seen,
        None if add is None else laid(add, 0.0),
        None if weight is None else laid(weight, 1.0),
        tuple(clusters),
        visits,
    )


def refuse_duplicates(
    design: Design, owners: NDArray[np.intp], places: NDArray[np.intp], cluster: str, time: str
) -> None:
    """Refuse two rows for one cluster and visit, and name them."""
    again = pd.DataFrame({"owner": owners, "place": places}).duplicated().to_numpy()
    if again.any():
        rows = design.beside[again]
        labels = [f"{who} at {when}" for who, when in zip(rows[cluster], rows[time], strict=True)]
        raise DuplicateVisit(
            f"{cluster}, {time}", None, f"has more than one row for {named_rows(labels)}", "keep one row a visit"
        )


def check_positions(working: Working, design: Design, time: str | None) -> None:
    """Refuse a working correlation by position where the positions are not known.

    Raises:
        BadSample: no `time`, or a time in text, whose alphabetical order is not the order of visits.
    """
    if working.name in ("independence", "exchangeable"):
        return
    if time is None:
        raise BadSample(
            "time", None, f"is needed by the {working.sentence} working correlation", "name the column of the visit"
        )
    values = design.beside[time]
    ordered = isinstance(values.dtype, pd.CategoricalDtype) or not pd.api.types.is_string_dtype(values.dtype)
    if working.name in ORDERED and not ordered:
        raise BadSample(
            "time",
            time,
            f"is text, whose alphabetical order is not the order that {working.sentence} needs",
            "give numbers, or categories in the order of the visits",
        )


def read_scale(scale: "float | str | None") -> tuple[float | None, bool]:
    """A fixed scale or None, and whether to divide by numbers of observations and pairs, not less p.

    Raises:
        UnknownChoice: text other than "pearson-n".
        BadSample: a number that is not above zero.
    """
    if scale is None or scale == GEEPACK_DIVISORS:
        return None, scale == GEEPACK_DIVISORS
    if isinstance(scale, str):
        raise UnknownChoice("scale", scale, "is not offered", f"give a number, None or {GEEPACK_DIVISORS}")
    if not (np.isfinite(scale) and scale > 0):
        raise BadSample("scale", scale, "is not above zero", "give a positive number, or None to estimate it")
    return float(scale), False


def check_solution(posed: Posed, solution: Solution) -> None:
    """Refuse a fit that did not settle, or that settled where it means nothing.

    Raises:
        BadSample: no residual variation.
        NotIdentified: a working correlation whose estimate is not positive definite, or information that is singular.
        NotConverged: coefficients still moving after the last iteration.
    """
    spread = float((posed.outcome[posed.seen] ** 2).mean())
    if posed.fixed_scale is None and float(solution.scale[0]) <= NO_RESIDUAL * max(spread, 1e-300):
        raise BadSample("data", None, "has no residual variation about the model", "check for copied columns")
    if not solution.inside[0]:
        raise NotIdentified(
            "working",
            posed.working.sentence,
            "has an estimate that is not positive definite",
            "use exchangeable or independence; the robust covariances do not rest on the choice",
        )
    information = solution.information[0]
    lengths = np.sqrt(np.maximum(np.diag(information), np.finfo(float).tiny))
    if solution.converged[0] and np.linalg.eigvalsh(information / np.outer(lengths, lengths))[0] < SINGULAR:
        raise NotIdentified(
            "formula",
            None,
            "has coefficients that the data do not determine where the iteration settled",
            "use another link, or fewer terms",
        )
    if not solution.converged[0]:
        raise NotConverged(
            "formula",
            None,
            f"has coefficients that did not settle in {int(solution.iterations[0])} iterations",
            "use the independence working correlation, another link, or fewer terms",
        )


def resolved(covariance: str, df: "str | float", n: int) -> "tuple[str, str | float]":
    """The covariance and the rule for degrees of freedom, with `auto` decided by the number of clusters.

    Raises:
        UnknownChoice: a name that is not offered.
        BadSample: a number of degrees of freedom that is not above zero.
    """
    few = n < FEW_CLUSTERS
    if covariance == "auto":
        covariance = "kauermann-carroll" if few else "robust"
    choose("covariance", covariance, COVARIANCES)
    if isinstance(df, str):
        return covariance, choose("df", ("between" if few else "normal") if df == "auto" else df, DF_RULES)
    if not isinstance(df, Real) or not df > 0:
        raise BadSample("df", df, "is not a number above zero", "give a positive number or the name of a rule")
    return covariance, float(df)


def refuse_alone(estimates: Estimates, field: str, name: str | None, remedy: str) -> None:
    """Refuse what is infinite where a subject determines a coefficient alone, and name the subjects."""
    if estimates.sandwich.alone.any():
        alone = [str(estimates.clusters[place]) for place in np.flatnonzero(estimates.sandwich.alone[0])]
        problem = f"is infinite, because {named_rows(alone)} determines a coefficient alone"
        raise NotIdentified(field, name, problem, remedy)


def checked_covariance(estimates: Estimates, name: str) -> Matrix:
    """(p, p), the covariance by name.

    Raises:
        NotIdentified: a subject who determines a coefficient alone, visits that too few share, or no variance left.
        BadSample: a pooled covariance without positions.
    """
    sandwich = estimates.sandwich
    if name in LEVERAGE_CORRECTED:
        refuse_alone(estimates, "covariance", name, "drop that term, or use fay-graubard or morel-bokossa-neerchal")
    if name in POOLED:
        if not estimates.positioned:
            raise BadSample("time", None, f"is needed by the {name} covariance", "name the column of the visit")
        spent = estimates.beta.size if name == "gosho-sato-takeuchi" else 0
        counts = sandwich.posed.counts
        least = int(counts[counts > 0].min())
        if least <= spent:
            raise NotIdentified(
                "covariance",
                name,
                f"needs more than {spent} subjects at each pair of visits and has {least}",
                "use pan",
            )
    matrix: Matrix = FORMULAS[name](sandwich)[0]
    based = np.diag(FORMULAS["model"](sandwich)[0])
    without = [
        column
        for column, own, model in zip(estimates.columns, np.diag(matrix), based, strict=True)
        if not own > NO_VARIANCE * model
    ]
    if without:
        raise NotIdentified(
            "covariance",
            name,
            f"gives no variance to {', '.join(without)}",
            "drop the term, or use the model covariance",
        )
    return matrix


def degrees_of_freedom(sandwich: Sandwich, covariance: str, rule: "str | float", rows: Matrix) -> Vector:
    """(q,), the degrees of freedom of contrasts (q, p) under a rule; infinite for the normal distribution.

    Raises:
        UnknownChoice: a rule that does not go with the covariance.
        NotIdentified: a subject who determines a coefficient alone.
    """
    if not isinstance(rule, str):
        return np.full(len(rows), rule)
    if rule == "normal":
        return np.full(len(rows), np.inf)
    if rule == "between":
        return np.full(len(rows), float(sandwich.n_subjects - sandwich.n_coefficients))
    allowed = DF_COVARIANCES[rule]
    if covariance not in allowed:
        raise UnknownChoice("df", rule, f"does not go with the {covariance} covariance", f"use {', '.join(allowed)}")
    if rule == "fay-graubard" and sandwich.alone.any():
        raise NotIdentified(
            "df",
            rule,
            "is not defined where one subject determines a coefficient alone",
            "use between, or drop that term",
        )
    return np.asarray(estimated_df(sandwich, covariance, rule, rows)[0])


def information_criteria(sandwich: Sandwich) -> tuple[float, float]:
    """QIC and CIC, equations (qic) and (cic) in docs/methods/gee.md.

    Source:
        Pan (2001), Biometrics 57:120-125; Hin and Wang (2009), Statistics in Medicine 28:642-658.
    """
    posed, solution = sandwich.posed, sandwich.solution
    scale = float(solution.scale[0])
    mean = posed.link.mean(linear_predictor(posed, solution.beta)[posed.seen])
    quasi = posed.family.quasi(posed.outcome[posed.seen], mean)
    quasi = quasi if posed.weight is None else quasi * posed.weight[posed.seen]
    cic = float(np.trace(sandwich.independent_information[0] @ summed(sandwich.corrected("robust"))[0])) / scale
    return -2 * float(quasi.sum()) / scale + 2 * cic, cic


def sentence(estimates: Estimates, covariance: str, rule: "str | float", *, chosen: bool) -> str:
    """What was done, in one sentence for the report."""
    n, p = len(estimates.clusters), estimates.beta.size
    left_out = f" ({estimates.n_left_out} left out without an outcome)" if estimates.n_left_out else ""
    reference = f"t tests on {rule:g} df" if not isinstance(rule, str) else REFERENCES[rule].format(df=n - p)
    few = "fewer than" if n < FEW_CLUSTERS else "at least"
    why = f", as is the rule for {few} {FEW_CLUSTERS} clusters" if chosen else ""
    return (
        f"Generalised estimating equations (Liang and Zeger 1986), {estimates.model}, "
        f"{n} clusters, {estimates.n_observations} observations{left_out}, {CITATIONS[covariance]}, {reference}{why}"
    )


def notes(estimates: Estimates, covariance: str, rule: "str | float") -> tuple[str, ...]:
    """What a reader of the table must know about its P values."""
    n, alone = len(estimates.clusters), estimates.sandwich.alone[0]
    said = []
    if alone.any() and covariance != "model":
        who = named_rows([str(estimates.clusters[place]) for place in np.flatnonzero(alone)])
        said.append(f"{who} determines a coefficient alone, and this covariance gives that no variance of its own")
    if n < FEW_CLUSTERS and covariance == "robust":
        said.append(
            f"The robust covariance is too small with {n} clusters: tests reject too often; "
            "prefer kauermann-carroll with between-cluster degrees of freedom"
        )
    elif n < FEW_CLUSTERS and rule == "normal" and covariance != "model":
        said.append(
            f"The normal distribution is too narrow with {n} clusters; prefer between-cluster degrees of freedom"
        )
    return tuple(said)
