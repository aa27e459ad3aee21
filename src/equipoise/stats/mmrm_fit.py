"""Mixed models for repeated measures from a formula and a frame.

One fit by (restricted) maximum likelihood, with any of its covariances and degrees of freedom afterwards. In a trial
of twenty patients the usual degrees of freedom reject too often, so the default is Kenward and Roger's in its linear
form. Equations: docs/methods/mmrm.md.
Terms: *subject* (a participant), *visit* (one of the T places in time), *group* (subjects who share a covariance).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from narwhals.typing import IntoDataFrame
from numpy.typing import ArrayLike
from scipy import special

from equipoise.stats.coefficients import (
    JointTest,
    Terms,
    coefficient_columns,
    contrast_rows,
    quantile,
    two_sided_p,
    wald_test,
)
from equipoise.stats.designs import FormulaRecipe
from equipoise.stats.frames import Frame, Opened, like, named_rows, opened
from equipoise.stats.mmrm_box import box_test
from equipoise.stats.mmrm_data import EVERYONE, Coordinates, Longitudinal, Posed, by_visit, pose
from equipoise.stats.mmrm_empirical import POWERS, bell_mccaffrey, sandwich
from equipoise.stats.mmrm_engine import Index, Solution, solve
from equipoise.stats.mmrm_inference import (
    adjusted,
    kenward_roger_f,
    orthogonal_contrasts,
    parameter_covariance,
    pooled_df,
    satterthwaite,
)
from equipoise.stats.mmrm_structures import SENTENCES, STRUCTURES, covariance_by_group
from equipoise.stats.refusals import BadSample, NotConverged, NotIdentified, UnknownChoice, check_level, choose
from equipoise.stats.samples import Matrix, Vector

METHODS = ("reml", "ml")
DF_RULES = ("kenward-roger", "kenward-roger-linear", "satterthwaite", "between-within", "residual")
KENWARD_ROGER = ("kenward-roger", "kenward-roger-linear")
FEWER_PARAMETERS = "use a structure with fewer parameters, such as cs or ar1"
VCOVS = ("model", *POWERS)
FEW_SUBJECTS = 40
NO_VARIANCE = 1e-12  # relative to the model covariance
SINGULAR = 1e-6  # least eigenvalue of a correlation of visits at which a fit that stops short is called singular
LIKELIHOODS = {"reml": "restricted maximum likelihood", "ml": "maximum likelihood"}
COVARIANCE_SENTENCES = {
    "model": "model covariance",
    "empirical": "empirical covariance (Liang and Zeger 1986)",
    "empirical-bias-reduced": "bias-reduced empirical covariance (Bell and McCaffrey 2002)",
    "empirical-jackknife": "jackknife empirical covariance (Mancl and DeRouen 2001)",
}
DF_SENTENCES = {
    "kenward-roger": "Kenward-Roger covariance and degrees of freedom (Kenward and Roger 1997)",
    "kenward-roger-linear": "Kenward-Roger covariance and degrees of freedom, linear form (Kenward and Roger 1997)",
    "satterthwaite": "Satterthwaite degrees of freedom (Giesbrecht and Burns 1985; Fai and Cornelius 1996)",
    "between-within": "between-within degrees of freedom (Schluchter and Elashoff 1990)",
    "residual": "residual degrees of freedom",
}
EMPIRICAL_DF = "Satterthwaite degrees of freedom of the empirical covariance (Bell and McCaffrey 2002)"


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """A weighted sum of coefficients, in the outcome's units, with its test against zero."""

    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """What a fit knows before a covariance of the coefficients is chosen."""

    long: Longitudinal
    posed: Posed
    solution: Solution
    spread: Matrix  # of the covariance parameters, in the engine's units
    beta: Vector
    likelihood: str
    level: float
    frame: Opened

    @property
    def root(self) -> Matrix:
        """(p, p), which times its transpose is the model covariance of the coefficients."""
        return np.asarray(self.posed.scale * self.posed.back @ self.solution.state.root[0])


@dataclass(frozen=True, slots=True, eq=False)
class MmrmFit:
    """A mixed model for repeated measures.

    `beta` (p,) and `covariance` (p, p) are of the coefficients, `df` (p,). `theta` are the covariance parameters by
    name, `visit_covariance` the (T, T) covariance of the visits by group ("all" without groups), in the order of
    `visits`. `aic` counts covariance parameters, and coefficients too under ml; `bic` has the number of subjects.
    `gradient` is the relative gradient at the end, in standard errors of the covariance parameters; `condition` the
    largest ratio of eigenvalues of the correlation of the visits. `notes` are what a reader must know.
    """

    coefficients: Frame
    beta: Vector
    covariance: Matrix
    vcov: str
    df: Vector
    df_rule: str
    theta: dict[str, float]
    visit_covariance: dict[Any, Matrix]
    visits: tuple[Any, ...]
    log_likelihood: float
    aic: float
    bic: float
    n_subjects: int
    n_observations: int
    n_left_out: int
    converged: bool
    iterations: int
    gradient: float
    condition: float
    method: str
    notes: tuple[str, ...]
    estimates: Estimates = field(repr=False)

    def with_df(self, df: str) -> "MmrmFit":
        """The same fit with other degrees of freedom (under kenward-roger another covariance too); not fitted again.

        Raises:
            UnknownChoice: a name that is not offered, or that does not go with the covariance.
        """
        return reported(self.estimates, df, self.vcov)

    def with_vcov(self, vcov: str, df: str | None = None) -> "MmrmFit":
        """The same fit with another covariance of the coefficients, and other degrees of freedom if named.

        Raises:
            UnknownChoice: a name that is not offered, or two that do not go together.
            NotIdentified: a correction that a subject with full leverage makes infinite.
        """
        return reported(self.estimates, df or self.df_rule, vcov)

    @property
    def recipe(self) -> FormulaRecipe:
        """How the design of the fit is made for other rows."""
        return self.estimates.long.design.recipe

    def df_of(self, contrasts: ArrayLike) -> Vector:
        """(m,), the degrees of freedom of contrasts (m, p) or (p,), one by one."""
        rows = contrast_matrix(contrasts, self.beta.size)
        return degrees_of_freedom(self.estimates, self.df_rule, self.vcov, rows)

    def contrast(self, weights: ArrayLike) -> Contrast:
        """The estimate, test and interval of a contrast (p,).

        Raises:
            BadSample: weights of the wrong number, or all zero.
        """
        row = contrast_matrix(weights, self.beta.size)
        if len(row) > 1:
            raise BadSample("weights", None, f"has {len(row)} rows", "give one contrast, or use joint_test")
        df = self.df_of(row)
        estimate = float((row @ self.beta)[0])
        std_error = float(np.sqrt((row @ self.covariance @ row.T)[0, 0]))
        half = float(quantile(self.estimates.level, df)[0]) * std_error
        statistic = estimate / std_error
        p_value = float(two_sided_p(np.array([statistic]), df)[0])
        return Contrast(estimate, std_error, float(df[0]), statistic, p_value, estimate - half, estimate + half)

    def joint_test(self, terms: Terms) -> JointTest:
        """F test that terms, columns or the contrasts L (q, p) are zero together.

        Under kenward-roger the statistic is scaled; under satterthwaite the denominator is Fai and Cornelius's;
        under between-within and residual it is the least over the rows.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another.
            NotIdentified: a test for which Kenward and Roger's approximation has no solution.
        """
        rows = contrast_rows(terms, self.estimates.long.design.columns, self.estimates.long.design.terms)
        return joint(self, rows)

    def box_test(self, terms: Terms) -> JointTest:
        """Least-squares F test of the same hypotheses with the modified Box correction, for very small trials.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another.
            NotIdentified: a test for which the correction does not exist.

        Source:
            Skene and Kenward (2010), Statistics in Medicine 29:2838-2856; equation (box) in docs/methods/mmrm.md.
        """
        estimates, posed = self.estimates, self.estimates.posed
        rows = contrast_rows(terms, estimates.long.design.columns, estimates.long.design.terms)
        theta = estimates.solution.state.theta
        return box_test(posed.problem, theta, rows @ posed.back, posed.shift / posed.scale)


def mmrm(
    formula: str,
    data: IntoDataFrame,
    *,
    subject: str,
    visit: str,
    covariance: str = "us",
    group: str | None = None,
    weights: str | None = None,
    method: str = "reml",
    df: str = "kenward-roger-linear",
    vcov: str = "model",
    level: float = 0.95,
    coordinates: Coordinates = None,
) -> MmrmFit:
    """Fit a mixed model for repeated measures: normal outcomes whose visits covary within a subject.

    Args:
        formula: such as `cd4 ~ baseline + arm * visit`.
        data: pandas or polars, one row a subject and visit; rows without an outcome are left out and counted.
        subject: the column that says whose observation it is.
        visit: the column of the visit; ordered by value, or as its categories are declared.
        covariance: us, cs, csh, ar1, ar1h, toep, toeph, ad, adh or sp_exp.
        group: the column of groups of subjects that have each their own covariance.
        weights: the column of prior weights; a covariance is divided by the root of the product of two.
        method: reml or ml.
        df: kenward-roger, kenward-roger-linear, satterthwaite, between-within or residual. `kenward-roger` takes
            second derivatives of the covariance in SAS's parameterisation; us, cs and toep have none.
        vcov: model (adjusted under kenward-roger), empirical, empirical-bias-reduced or empirical-jackknife.
        level: of the intervals.
        coordinates: for sp_exp, the column or the mapping from visits to places on an axis; None takes the visits.

    Raises:
        StatisticsRefusal: each defect of the arguments or the data, by name.

    Source:
        Mallinckrodt et al. (2008), Drug Information Journal 42:303-319; Kenward and Roger (1997), Biometrics
        53:983-997.
    """
    check_level(level)
    choose("covariance", covariance, STRUCTURES)
    choose("method", method, METHODS)
    check_choices(df, vcov, method)
    frame = opened(data)
    long = by_visit(
        formula,
        frame,
        subject=subject,
        visit=visit,
        group=group,
        weights=weights,
        structure=covariance,
        coordinates=coordinates,
    )
    posed = pose(long, covariance, reml=method == "reml")
    solution, spread = solved(posed)
    beta = posed.back @ (posed.shift + posed.scale * solution.state.beta[0])
    return reported(Estimates(long, posed, solution, spread[0], beta, method, level, frame), df, vcov)


def check_choices(df: str, vcov: str, method: str) -> None:
    """Refuse names that are not offered or do not go together.

    Raises:
        UnknownChoice: which, and what goes with it.
    """
    choose("df", df, DF_RULES)
    choose("vcov", vcov, VCOVS)
    if df in KENWARD_ROGER and vcov != "model":
        raise UnknownChoice(
            "df", df, f"does not go with the {vcov} covariance", "use satterthwaite, between-within or residual"
        )
    if df in KENWARD_ROGER and method != "reml":
        raise UnknownChoice(
            "df", df, "is defined for restricted likelihood only", "use method reml, or satterthwaite with ml"
        )


def solved(posed: Posed) -> tuple[Solution, Matrix]:
    """The solution of one fit and the covariance of its covariance parameters (1, q, q).

    Raises:
        NotIdentified: a search that meets singular information, or ends with parameters that are not determined.
        NotConverged: an iteration that did not settle.
    """
    try:
        solution = solve(posed.problem)
        spread, known = parameter_covariance(posed.problem, solution)
    except np.linalg.LinAlgError:
        raise NotIdentified(
            "covariance",
            posed.problem.structure.name,
            "leads the search to where the information is singular",
            FEWER_PARAMETERS,
        ) from None
    check_solution(posed, solution, known=bool(known[0]))
    return solution, spread


def check_solution(posed: Posed, solution: Solution, *, known: bool) -> None:
    """Refuse a fit that stopped short or whose covariance parameters are not determined.

    Raises:
        NotIdentified: a singular covariance of the visits, or information that is not positive definite.
        NotConverged: any other iteration that did not settle.
    """
    name = posed.problem.structure.name
    settled = bool(solution.converged[0])
    if not settled and least_eigenvalue(posed, solution) < SINGULAR:
        raise NotIdentified(
            "covariance", name, "fits best where the covariance of the visits is singular", FEWER_PARAMETERS
        )
    if not known:
        raise NotIdentified(
            "covariance",
            name,
            "has parameters that the data do not determine",
            FEWER_PARAMETERS,
        )
    if not settled:
        raise NotConverged(
            "covariance",
            name,
            f"has not settled after {int(solution.iterations[0])} steps (relative gradient {solution.length[0]:.1e})",
            FEWER_PARAMETERS,
        )


def correlation_eigenvalues(posed: Posed, solution: Solution) -> Matrix:
    """(G, T), eigenvalues of the correlation of the visits, ascending."""
    sigma = covariance_by_group(posed.problem.structure, solution.state.theta, posed.problem.groups)[0]
    lengths = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
    return np.linalg.eigvalsh(sigma / (lengths[:, :, np.newaxis] * lengths[:, np.newaxis, :]))


def least_eigenvalue(posed: Posed, solution: Solution) -> float:
    """The least eigenvalue of a correlation of the visits."""
    return float(correlation_eigenvalues(posed, solution).min())


def reported(estimates: Estimates, df: str, vcov: str) -> MmrmFit:
    """The fit with the covariance and degrees of freedom asked for."""
    check_choices(df, vcov, estimates.likelihood)
    long, posed, solution = estimates.long, estimates.posed, estimates.solution
    problem, p = posed.problem, estimates.beta.size
    matrix = coefficient_covariance(estimates, df, vcov)
    refuse_no_variance(estimates, matrix, df, vcov)
    values = degrees_of_freedom(estimates, df, vcov, np.eye(p))
    table = coefficient_columns(long.design.columns, estimates.beta, matrix, values, estimates.level)
    sigma = posed.scale**2 * covariance_by_group(problem.structure, solution.state.theta, problem.groups)[0]
    likelihood = log_likelihood(estimates)
    parameters = solution.state.theta.shape[-1] + (0 if problem.reml else p)
    eigenvalues = correlation_eigenvalues(posed, solution)
    return MmrmFit(
        like(estimates.frame, table),
        estimates.beta,
        matrix,
        vcov,
        values,
        df,
        named_parameters(estimates),
        dict(zip(long.groups, sigma, strict=True)),
        long.visits,
        likelihood,
        2 * parameters - 2 * likelihood,
        float(np.log(len(long.subjects))) * parameters - 2 * likelihood,
        len(long.subjects),
        len(long.owner),
        long.design.n_left_out,
        bool(solution.converged[0]),
        int(solution.iterations[0]),
        float(solution.length[0]),
        float((eigenvalues[:, -1] / eigenvalues[:, 0]).max()),
        sentence(estimates, df, vcov),
        notes(estimates, df, vcov),
        estimates,
    )


def coefficient_covariance(estimates: Estimates, df: str, vcov: str) -> Matrix:
    """(p, p), in the user's units.

    Raises:
        NotIdentified: a correction that a subject with full leverage makes infinite.
    """
    posed, solution = estimates.posed, estimates.solution
    if df in KENWARD_ROGER:
        linear = df == "kenward-roger-linear"
        inner = adjusted(posed.problem, solution, estimates.spread[np.newaxis], linear=linear)[0]
    elif vcov == "model":
        return np.asarray(estimates.root @ estimates.root.T)
    else:
        inner, alone = sandwich(posed.subjects, solution.state, vcov)
        if vcov != "empirical" and alone.size:
            raise NotIdentified(
                "vcov",
                vcov,
                f"is not defined: {named_subjects(estimates, alone)} determines a coefficient alone",
                "use the model or empirical covariance, or drop that term",
            )
    return np.asarray(posed.scale**2 * posed.back @ inner @ posed.back.T)


def refuse_no_variance(estimates: Estimates, matrix: Matrix, df: str, vcov: str) -> None:
    """Refuse a covariance that leaves a coefficient without variance, relative to the model covariance.

    Raises:
        NotIdentified: which coefficients.
    """
    model = (estimates.root**2).sum(axis=1)
    names = estimates.long.design.columns
    without = [
        name for name, own, other in zip(names, np.diag(matrix), model, strict=True) if own < NO_VARIANCE * other
    ]
    if without:
        adjusting = df in KENWARD_ROGER
        raise NotIdentified(
            "df" if adjusting else "vcov",
            df if adjusting else vcov,
            f"gives no variance to {', '.join(without)}",
            "use satterthwaite" if adjusting else "drop the term, or use the model covariance",
        )


def named_subjects(estimates: Estimates, places: Index) -> str:
    """A few subjects by name."""
    return named_rows([str(estimates.long.subjects[place]) for place in places])


def degrees_of_freedom(estimates: Estimates, df: str, vcov: str, rows: Matrix) -> Vector:
    """(m,), of contrasts (m, p), one by one; equations (satterthwaite), (bell-mccaffrey) and (between-within)."""
    if df == "residual":
        return np.full(len(rows), float(len(estimates.long.owner) - estimates.beta.size))
    if df == "between-within":
        own = between_within(estimates.long)
        return np.array([own[row != 0].min() for row in rows])
    standard = rows @ estimates.root
    if vcov != "model":
        return bell_mccaffrey(estimates.posed.subjects, estimates.solution.state, vcov, standard)
    turned = estimates.solution.slopes.turned
    return np.asarray(satterthwaite(standard[np.newaxis], turned, estimates.spread[np.newaxis])[0])


def between_within(long: Longitudinal) -> Vector:
    """(p,), by coefficient: those that vary within no subject are tested between subjects, all others within.

    Source:
        Schluchter and Elashoff (1990), Journal of Statistical Computation and Simulation 37:69-87.
    """
    matrix, owner = long.design.matrix, long.owner
    first = np.searchsorted(owner, np.arange(len(long.subjects)))
    within = (matrix != matrix[first[owner]]).any(axis=0)
    constant = (matrix == matrix[0]).all(axis=0)
    between = len(long.subjects) - int((~within).sum())
    inside = len(owner) - len(long.subjects) - int(within.sum())
    return np.where(within | constant, float(inside), float(between))


def joint(fit: MmrmFit, rows: Matrix) -> JointTest:
    """The joint test of contrasts (q, p) under the fit's rule."""
    estimates, q = fit.estimates, len(rows)
    if fit.df_rule not in KENWARD_ROGER:
        return wald_test(rows, fit.beta, fit.covariance, denominator(fit, rows))
    across = (rows @ estimates.root)[np.newaxis]
    scaled = kenward_roger_f(across, estimates.solution.slopes.turned, estimates.spread[np.newaxis])
    if not scaled.exists[0]:
        raise NotIdentified(
            "terms",
            None,
            f"asks for {q} contrasts at once, more than Kenward and Roger's approximation allows here",
            "test fewer, or use box_test",
        )
    df, factor = float(scaled.df[0]), float(scaled.factor[0])
    statistic = factor * wald_test(rows, fit.beta, fit.covariance, df).statistic
    return JointTest(
        statistic,
        q,
        df,
        float(special.fdtrc(q, df, statistic)),
        f"Kenward-Roger F on {q} and {df:g} df, scaled by {factor:g}",
    )


def denominator(fit: MmrmFit, rows: Matrix) -> float:
    """Denominator degrees of freedom of a joint test, without Kenward and Roger."""
    if fit.df_rule != "satterthwaite":
        return float(fit.df_of(rows).min())
    return float(pooled_df(fit.df_of(orthogonal_contrasts(rows, fit.covariance))))


def contrast_matrix(weights: ArrayLike, p: int) -> Matrix:
    """Contrasts (m, p), none of them zero.

    Raises:
        BadSample: another shape, values that are not finite, or a contrast of zeros.
    """
    try:
        rows = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    except (TypeError, ValueError):
        raise BadSample("weights", None, "are not numbers", f"give {p} finite weights a contrast") from None
    if rows.ndim != 2 or rows.shape[1] != p or not np.isfinite(rows).all() or not rows.any(axis=1).all():
        raise BadSample(
            "weights", None, f"are no contrasts of {p} coefficients", f"give {p} finite weights, not all zero"
        )
    return rows


def log_likelihood(estimates: Estimates) -> float:
    """The (restricted) log-likelihood in the outcome's units, equation (likelihood)."""
    posed, long = estimates.posed, estimates.long
    rows, reml = len(long.owner), posed.problem.reml
    free = rows - estimates.beta.size if reml else rows
    deviance = float(estimates.solution.state.deviance[0]) + free * np.log(2 * np.pi * posed.scale**2)
    if reml:
        deviance -= 2 * np.linalg.slogdet(posed.back)[1]
    return float(np.log(long.weight).sum() - deviance) / 2


def named_parameters(estimates: Estimates) -> dict[str, float]:
    """The covariance parameters by name, in the outcome's units; a group's name goes before."""
    structure, groups = estimates.posed.problem.structure, estimates.long.groups
    values = estimates.solution.state.theta.reshape(len(groups), -1)
    values = values * estimates.posed.scale ** (2 * np.array(structure.powers))
    before = [""] if groups == (EVERYONE,) else [f"{group}: " for group in groups]
    return {
        f"{whose}{name}": float(value)
        for whose, own in zip(before, values, strict=True)
        for name, value in zip(structure.parameters, own, strict=True)
    }


def sentence(estimates: Estimates, df: str, vcov: str) -> str:
    """What was done, in one sentence for the report."""
    long = estimates.long
    left_out = f" ({long.design.n_left_out} left out without an outcome)" if long.design.n_left_out else ""
    structure = SENTENCES[estimates.posed.problem.structure.name]
    by_group = "" if len(long.groups) == 1 else f" by group ({', '.join(map(str, long.groups))})"
    reference = DF_SENTENCES[df] if vcov == "model" or df != "satterthwaite" else EMPIRICAL_DF
    covariance = "" if df in KENWARD_ROGER else f"{COVARIANCE_SENTENCES[vcov]}, "
    return (
        f"Mixed model for repeated measures (Mallinckrodt et al. 2008) by {LIKELIHOODS[estimates.likelihood]}, "
        f"{structure} covariance of the visits{by_group}, {len(long.subjects)} subjects, {len(long.owner)} "
        f"observations{left_out}, {covariance}{reference}"
    )


def notes(estimates: Estimates, df: str, vcov: str) -> tuple[str, ...]:
    """What a reader of the table must know about its P values."""
    n = len(estimates.long.subjects)
    few = n < FEW_SUBJECTS
    said = []
    if few and df not in KENWARD_ROGER and vcov == "model":
        said.append(
            f"Joint tests by the model covariance reject too often with {n} subjects; prefer kenward-roger-linear"
        )
    if few and vcov == "empirical":
        said.append(
            f"The empirical covariance is too small with {n} subjects: tests reject too often; "
            "prefer the model covariance with kenward-roger-linear"
        )
    return tuple(said)
