"""From a formula and a frame to an outcome, a design matrix and the names of its columns.

Rows are sorted before anything is computed, so that every result is the same to the last bit in whatever
order the rows came. Rows without an outcome are left out and counted; every other defect is refused.
Terms: *term* (a part of the formula, such as arm:visit), *column* (one column of the design).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor
from formulaic.transforms import TRANSFORMS
from formulaic.utils.variables import get_required_variables as factor_variables

from equipoise.stats.frames import Opened, column, named_rows, numbers
from equipoise.stats.refusals import BadFormula, BadSample, MissingCovariate, RankDeficient
from equipoise.stats.samples import Matrix, Vector, refuse_extremes

DEPENDENT = 1e-8  # relative length of what a column adds to the columns before it


@dataclass(frozen=True, slots=True, eq=False)
class FormulaRecipe:
    """How a formula makes a design from covariates, and the rows that it was fitted to.

    `rows` holds the covariates of the rows fitted; `categorical` names those that stand for levels; `terms` are
    the covariates of each term. A fit names its own `link`, and the column that it adds as an `offset`.
    """

    spec: Any
    rows: pd.DataFrame
    categorical: frozenset[str]
    terms: tuple[frozenset[str], ...]
    link: str = "identity"
    offset: str | None = None

    def design(self, rows: pd.DataFrame) -> Matrix:
        """(n, p), the design of other rows of the same covariates; NaN where the formula has no value there."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self.spec.get_model_matrix(rows, context={}).to_numpy(dtype=np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """An outcome and its design, rows sorted, with the columns that came along.

    `outcome` is (N,), `matrix` (N, p). `beside` holds the further columns asked for, row by row.
    """

    outcome: Vector
    matrix: Matrix
    columns: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    beside: pd.DataFrame
    n_left_out: int
    recipe: FormulaRecipe


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """A design whose columns are centred and of unit root mean square: `matrix = original @ back`.

    Coefficients go back by `back @ gamma`, covariances by `back @ C @ back.T`; (p, p).
    """

    matrix: Matrix
    back: Matrix
    intercept: int | None


def read_formula(formula: str) -> Formula:
    """The formula, parsed.

    Raises:
        BadFormula: when it cannot be parsed or names no outcome.
    """
    try:
        parsed = Formula(formula)
    except (FormulaicError, SyntaxError) as fault:
        raise BadFormula(
            "formula", formula, f"cannot be read ({first_line(fault)})", "write it as 'outcome ~ arm * visit'"
        ) from None
    if not hasattr(parsed, "lhs"):
        raise BadFormula("formula", formula, "names no outcome", "write it as 'outcome ~ arm * visit'")
    if isinstance(parsed.lhs, tuple) or isinstance(parsed.rhs, tuple):
        raise BadFormula("formula", formula, "has several parts", "write one, as 'outcome ~ arm * visit'")
    return parsed


def variables_of(side: Any, columns: Sequence[str]) -> list[str]:
    """The columns that one side of a formula needs, in their own order; `a.b` is a column where the data has it.

    From the text of each factor: the formula itself knows none inside a transform that keeps a state, such as poly().
    """
    factors = [factor for term in side for factor in term.factors]
    called = [factor.expr for factor in factors if factor.eval_method is Factor.EvalMethod.PYTHON]
    plain = {factor.expr for factor in factors if factor.eval_method is Factor.EvalMethod.LOOKUP}
    inside = {name for text in called for name in factor_variables(text)}
    roots = {str(name if str(name) in columns else name.root) for name in inside if name.root not in TRANSFORMS}
    return sorted(plain | roots)


def first_line(fault: Exception) -> str:
    """The first line of an exception's text."""
    return str(fault).strip().split("\n")[0].rstrip(".")


def build_design(
    formula: str, frame: Opened, *, order_by: Sequence[tuple[str, str]], beside: Sequence[tuple[str, str]]
) -> Design:
    """Evaluate a formula on a frame.

    Args:
        formula: such as `cd4 ~ arm * visit`; evaluated on the data alone.
        frame: the data, one row an observation.
        order_by: (role, column) pairs that order the rows first; the formula's own columns break ties.
        beside: further (role, column) pairs to keep beside the design.

    Raises:
        BadFormula: a formula that cannot be read or evaluated.
        UnknownColumn: a name that is not a column.
        MissingCovariate: a row with an outcome but without another value that is needed.
        BadSample: no row left, or a value that is not finite.
        RankDeficient: a column that repeats others.
    """
    parsed = read_formula(formula)
    outcomes, covariates = variables_of(parsed.lhs, frame.columns), variables_of(parsed.rhs, frame.columns)
    asked = [*order_by, *beside, *(("formula", name) for name in outcomes + covariates)]
    table = pd.DataFrame({name: column(frame, name, role) for role, name in asked})
    table = table.assign(**{name: numbers(table[name], "formula") for name in outcomes})
    known = table[outcomes].notna().all(axis=1)
    needed = [name for name in table.columns if name not in outcomes]
    refuse_missing(table, known, needed)
    ordered = in_order(table[known], [name for _, name in order_by], outcomes + covariates)
    if ordered.empty:
        raise BadSample("data", None, f"has no row with a known {', '.join(outcomes)}", "check the outcome's column")
    used = without_unused_levels(ordered)
    outcome, design = evaluated(parsed, formula, used)
    names = tuple(map(str, design.model_spec.column_names))
    refuse_repeated(names)
    matrix = design.to_numpy(dtype=np.float64)
    check_finite(outcome, matrix, names)
    terms = {str(term): tuple(places) for term, places in design.model_spec.term_indices.items() if str(term) != "1"}
    check_levels(terms)
    check_rank(matrix, names)
    recipe = recipe_of(design.model_spec, used[covariates])
    return Design(outcome, matrix, names, terms, ordered, int((~known).sum()), recipe)


def refuse_repeated(names: tuple[str, ...]) -> None:
    """Refuse two columns of the design under one name, as when a covariate is called Intercept."""
    again = list(dict.fromkeys(name for name in names if names.count(name) > 1))
    if again:
        raise BadFormula(
            "formula", None, f"makes several columns named {named_rows(again)}", "rename the covariate in the data"
        )


def recipe_of(spec: Any, rows: pd.DataFrame) -> FormulaRecipe:
    """The recipe of an evaluated formula; text and categories stand for levels, and so does what C() holds."""
    covariates = set(map(str, rows.columns))
    encoded = [str(factor) for factor, (kind, _) in spec.encoder_state.items() if kind is Factor.Kind.CATEGORICAL]
    held = {factor.expr: set(map(str, variables)) for factor, variables in spec.factor_variables.items()}
    categorical = frozenset().union(*(held[factor] & covariates for factor in encoded))
    terms = tuple(frozenset(set(map(str, variables)) & covariates) for variables in spec.term_variables.values())
    return FormulaRecipe(spec, rows, categorical, terms)


def refuse_missing(table: pd.DataFrame, known: "pd.Series[bool]", needed: list[str]) -> None:
    """Refuse rows whose outcome is known while a needed value is not."""
    for name in needed:
        gaps = known & table[name].isna()
        if gaps.any():
            rows = [str(place + 1) for place in np.flatnonzero(gaps)]
            raise MissingCovariate(
                name,
                None,
                f"is missing in row {named_rows(rows)}, where the outcome is known",
                "fill it in, leave the row's outcome empty, or drop the covariate",
            )


def in_order(table: pd.DataFrame, first: list[str], then: list[str]) -> pd.DataFrame:
    """The rows sorted by the first columns, ties broken by the others, numbered from zero."""
    leading = [sort_rank(table[name]) for name in dict.fromkeys(first)]
    order = np.lexsort(leading[::-1]) if leading else np.arange(len(table))
    steps = [np.diff(rank[order]) for rank in leading]
    if not steps or (np.abs(steps).sum(axis=0) == 0).any():
        by = list(dict.fromkeys([*first, *then]))
        order = np.lexsort([sort_rank(table[name]) for name in reversed(by)])
    return table.iloc[order].reset_index(drop=True)


def sort_rank(values: "pd.Series[Any]") -> Vector:
    """A column as numbers in its own order: categories as declared, text by letter, numbers by size."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes, dtype=np.float64)
    try:
        codes, _ = pd.factorize(values, sort=True)
    except TypeError:
        codes, _ = pd.factorize(values.astype(str), sort=True)
    return np.asarray(codes, dtype=np.float64)


def without_unused_levels(table: pd.DataFrame) -> pd.DataFrame:
    """The table with categories that no row uses taken out, as R's lm does."""
    categorical = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    return table.assign(**{str(name): table[name].cat.remove_unused_categories() for name in categorical})


def evaluated(parsed: Formula, formula: str, table: pd.DataFrame) -> tuple[Vector, Any]:
    """The outcome and the design matrix of a parsed formula."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            matrices = parsed.get_model_matrix(table, context={}, na_action="ignore", output="pandas")
    except Exception as fault:  # whatever the user's expression raises
        raise BadFormula(
            "formula", formula, f"cannot be evaluated ({first_line(fault)})", "check its names and functions"
        ) from None
    if matrices.lhs.shape[1] != 1:
        raise BadFormula(
            "formula", formula, "has an outcome that is not one column of numbers", "code the outcome as a number"
        )
    return numbers(matrices.lhs.iloc[:, 0], "formula"), matrices.rhs


def check_finite(outcome: Vector, matrix: Matrix, names: tuple[str, ...]) -> None:
    """Refuse values that are infinite, undefined as the logarithm of zero, or too large or too alike to square."""
    if not np.isfinite(outcome).all():
        count = int((~np.isfinite(outcome)).sum())
        raise BadSample("formula", None, f"gives an outcome that is not finite in {count} rows", "correct these values")
    refuse_extremes(outcome, "outcome")
    for place, name in enumerate(names):
        if not np.isfinite(matrix[:, place]).all():
            count = int((~np.isfinite(matrix[:, place])).sum())
            raise BadSample(name, None, f"is not finite in {count} rows", "correct these values")
        refuse_extremes(matrix[:, place], name)


def check_levels(terms: dict[str, tuple[int, ...]]) -> None:
    """Refuse a term that makes no column, which would otherwise vanish without a word."""
    empty = [term for term, places in terms.items() if not places]
    if empty:
        raise RankDeficient(
            "formula",
            None,
            f"has a term with one level only: {', '.join(empty)}",
            "drop the term, or check which rows have an outcome",
        )


def check_rank(matrix: Matrix, names: tuple[str, ...]) -> None:
    """Refuse a design in which a column is a combination of those before it, and name the columns."""
    if matrix.shape[1] == 0:
        raise BadFormula("formula", None, "has no column", "keep the intercept or name a covariate")
    standard = standardise(matrix).matrix
    added = np.zeros(len(names))
    # The triangle of a QR decomposition holds, on its diagonal, what each column adds to those before it.
    triangle = np.abs(np.diag(np.linalg.qr(standard, mode="r")))
    added[: triangle.size] = triangle / np.sqrt(len(matrix))
    dependent = [name for name, length in zip(names, added, strict=True) if length < DEPENDENT]
    if dependent:
        raise RankDeficient(
            "formula",
            None,
            f"makes {', '.join(dependent)} a combination of the columns before",
            "drop a term, or merge categories that never occur together",
        )


def standardise(matrix: Matrix) -> Standardised:
    """Centre and scale the columns of a design, so that its cross products lose no digits.

    Columns are centred only where a constant column (the intercept) can take up what is subtracted.

    Args:
        matrix: (N, p).
    """
    p = matrix.shape[1]
    constant = np.flatnonzero((matrix == matrix[:1]).all(axis=0) & (matrix[0] != 0))
    intercept = int(constant[0]) if constant.size else None
    centres = np.zeros(p)
    if intercept is not None:
        centres = matrix[0] + (matrix - matrix[0]).mean(axis=0)
        centres[intercept] = 0.0
    centred = matrix - centres
    scales = np.sqrt((centred**2).mean(axis=0))
    # What is left of a constant column after centring is rounding, not information.
    scales = np.where(scales > 1e-14 * np.abs(matrix).max(axis=0), scales, np.inf)
    back = np.diag(1 / scales)
    if intercept is not None:
        back[intercept] -= centres / scales / matrix[0, intercept]
    return Standardised(centred / scales, back, intercept)
