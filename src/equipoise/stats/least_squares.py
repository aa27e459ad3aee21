"""Analysis of covariance: one outcome a participant, ordinary least squares.

The model covariance gives the exact t test; hc2 and hc3 hold when the arms differ in variance.
Equations: docs/methods/ancova.md.
"""

from dataclasses import dataclass, field

import numpy as np
from narwhals.typing import IntoDataFrame
from scipy import linalg

from equipoise.stats.coefficients import JointTest, Terms, coefficient_columns, contrast_rows, wald_test
from equipoise.stats.designs import FormulaRecipe, build_design, standardise
from equipoise.stats.frames import Frame, like, opened
from equipoise.stats.refusals import BadSample, NotIdentified, check_level, choose
from equipoise.stats.samples import Matrix, Vector

COVARIANCES = ("model", "hc2", "hc3")
CITATIONS = {
    "model": "model covariance",
    "hc2": "heteroscedasticity-consistent covariance HC2 (MacKinnon and White 1985)",
    "hc3": "heteroscedasticity-consistent covariance HC3 (MacKinnon and White 1985)",
}
FULL_LEVERAGE = 1 - 1e-10
NO_RESIDUAL = 1e-13  # relative to the spread of the outcome


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquaresFit:
    """An analysis of covariance. `beta` is (p,), `covariance` (p, p), `residual_sd` in the outcome's units."""

    coefficients: Frame
    beta: Vector
    covariance: Matrix
    df: float
    residual_sd: float
    r_squared: float
    n_subjects: int
    n_observations: int
    n_left_out: int
    converged: bool
    iterations: int
    method: str
    columns: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    recipe: FormulaRecipe = field(repr=False)

    def df_of(self, rows: Matrix) -> Vector:
        """(q,), the degrees of freedom of contrasts (q, p): the same for each."""
        return np.full(len(rows), self.df)

    def joint_test(self, terms: Terms) -> JointTest:
        """Wald F test that terms, columns or the contrasts L (q, p) are zero together.

        Raises:
            UnknownChoice: a name that is not in the model.
            BadSample: contrasts that repeat one another.
        """
        return wald_test(contrast_rows(terms, self.columns, self.terms), self.beta, self.covariance, self.df)


def ancova(formula: str, data: IntoDataFrame, *, covariance: str = "model", level: float = 0.95) -> LeastSquaresFit:
    """Fit `outcome ~ baseline + arm` by least squares.

    Args:
        formula: such as `cd4_m24 ~ cd4_m0 + arm`.
        data: one row a participant; rows without an outcome are left out and counted.
        covariance: model, hc2 or hc3.
        level: of the intervals.

    Returns:
        The fit; t tests on N - p degrees of freedom under every covariance.

    Raises:
        StatisticsRefusal: each defect of the formula or the data, by name.

    Source:
        MacKinnon and White (1985), Journal of Econometrics 29:305-325; equations (hc2) and (hc3)
        in docs/methods/ancova.md.
    """
    choose("covariance", covariance, COVARIANCES)
    check_level(level)
    frame = opened(data)
    design = build_design(formula, frame, order_by=(), beside=())
    n, p = design.matrix.shape
    if n <= p:
        raise BadSample("data", None, f"has {n} rows for {p} coefficients", "drop covariates from the formula")
    standard = standardise(design.matrix)
    origin = float(design.outcome[0]) if standard.intercept is not None else 0.0
    outcome = design.outcome - origin
    q, r = np.linalg.qr(standard.matrix)
    gamma = linalg.solve_triangular(r, q.T @ outcome)
    residuals = outcome - standard.matrix @ gamma
    spread = float(((outcome - outcome.mean()) ** 2).sum())
    left = float(residuals @ residuals)
    if left <= NO_RESIDUAL**2 * float(outcome @ outcome):
        raise BadSample("data", None, "has no residual variation about the model", "check for copied columns")
    half = standard.back @ linalg.solve_triangular(r, np.eye(p))
    matrix = half @ meat(covariance, q, residuals) @ half.T
    beta = standard.back @ gamma
    if standard.intercept is not None:
        beta[standard.intercept] += origin / design.matrix[0, standard.intercept]
    df = float(n - p)
    return LeastSquaresFit(
        like(frame, coefficient_columns(design.columns, beta, matrix, np.full(p, df), level)),
        beta,
        matrix,
        df,
        float(np.sqrt(left / df)),
        1 - left / spread if spread > 0 else 0.0,
        n,
        n,
        design.n_left_out,
        True,
        1,
        sentence(covariance, n, design.n_left_out, n - p),
        design.columns,
        design.terms,
        design.recipe,
    )


def meat(covariance: str, q: Matrix, residuals: Vector) -> Matrix:
    """The (p, p) middle of the covariance in the coordinates of Q, whose cross product is the identity."""
    n, p = q.shape
    if covariance == "model":
        return np.asarray(np.eye(p) * float(residuals @ residuals) / (n - p))
    leverage = (q**2).sum(axis=1)
    alone = int((leverage > FULL_LEVERAGE).sum())
    if alone:
        raise NotIdentified(
            "covariance",
            covariance,
            f"needs every row to share its coefficients with others, and {alone} do not",
            "use the model covariance or drop the term that only one row informs",
        )
    weights = residuals**2 / (1 - leverage) ** (1 if covariance == "hc2" else 2)
    return np.asarray((q * weights[:, np.newaxis]).T @ q)


def sentence(covariance: str, n: int, n_left_out: int, df: int) -> str:
    """What was done, in one sentence for the report."""
    left_out = f" ({n_left_out} left out without an outcome)" if n_left_out else ""
    return f"Analysis of covariance by least squares, {n} rows{left_out}, {CITATIONS[covariance]}, t tests on {df} df"
