"""Rubin's rules: one answer from the analyses of several completed sets of data.

The degrees of freedom are Barnard and Rubin's, which do not exceed those of complete data.
Equations: docs/methods/imputation.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from equipoise.stats.coefficients import quantile, two_sided_p
from equipoise.stats.refusals import BadSample, NotIdentified, check_level, is_number
from equipoise.stats.samples import Vector, refuse_extremes

FEWEST_DRAWS = 2
FEWEST_DF = 0.01  # below it the t quantile nears the largest float


@dataclass(frozen=True, slots=True)
class Pooled:
    """An estimate pooled over M analyses, in the units of the estimates.

    `within`, `between` and `total` are variances; `total` is the square of `std_error`. `relative_increase` is what
    missing values add to the variance, relative to `within`; `missing_information` the fraction of information
    they cost. `mc_error` is the standard error of `estimate` that is due to M being finite.
    """

    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    level: float
    within: float
    between: float
    total: float
    relative_increase: float
    missing_information: float
    mc_error: float
    draws: int
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Rubin's rules for p estimates side by side; each array is (p,)."""

    estimate: Vector
    within: Vector
    between: Vector
    total: Vector
    df: Vector
    relative_increase: Vector
    missing_information: Vector
    mc_error: Vector


def pool(
    estimates: ArrayLike, variances: ArrayLike, df_complete: float = float("inf"), *, level: float = 0.95
) -> Pooled:
    """Pool one estimate over the completed sets of data.

    Args:
        estimates: (M,), of each completed set.
        variances: (M,), the squares of their standard errors.
        df_complete: degrees of freedom that the analysis would have without missing values; infinite for a normal
            reference distribution.
        level: of the interval.

    Raises:
        BadSample: fewer than two estimates, shapes that differ, values that are not finite, a variance that is not
            above zero, or degrees of freedom that are not.
        NotIdentified: variances that are nothing beside the variance between estimates.

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys, section 3.1; Barnard and Rubin (1999), Biometrika
        86:948-955; equations (rubin), (barnard-rubin) and (missing-information) in docs/methods/imputation.md.
    """
    check_level(level)
    values, squares = checked(estimates, variances, df_complete)
    found = combine(values[:, np.newaxis], squares[:, np.newaxis], np.array([df_complete], dtype=np.float64))
    estimate, std_error, df = found.estimate, np.sqrt(found.total), found.df
    half = quantile(level, df) * std_error
    return Pooled(
        float(estimate[0]),
        float(std_error[0]),
        float(df[0]),
        float((estimate / std_error)[0]),
        float(two_sided_p(estimate / std_error, df)[0]),
        float((estimate - half)[0]),
        float((estimate + half)[0]),
        level,
        float(found.within[0]),
        float(found.between[0]),
        float(found.total[0]),
        float(found.relative_increase[0]),
        float(found.missing_information[0]),
        float(found.mc_error[0]),
        len(values),
        sentence(len(values), df_complete),
    )


def checked(estimates: ArrayLike, variances: ArrayLike, df_complete: float) -> tuple[Vector, Vector]:
    """Both as vectors of one length.

    Raises:
        BadSample: as for `pool`.
    """
    values = finite_vector(estimates, "estimates")
    squares = finite_vector(variances, "variances")
    if len(values) < FEWEST_DRAWS:
        raise BadSample(
            "estimates", None, f"has {len(values)} of the 2 needed at least", "analyse two completed sets or more"
        )
    if len(squares) != len(values):
        raise BadSample(
            "variances", None, f"has {len(squares)} values for {len(values)} estimates", "give one variance an estimate"
        )
    if not (squares > 0).all():
        raise BadSample("variances", float(squares.min()), "is not above zero", "give squares of standard errors")
    refuse_extremes(values, "estimates")
    refuse_extremes(np.append(np.sqrt(squares), 0.0), "variances")
    if not (is_number(df_complete) and df_complete > 0):
        raise BadSample(
            "df_complete", df_complete, "is not a number of degrees of freedom", "give one above zero, or infinity"
        )
    return values, squares


def finite_vector(values: ArrayLike, name: str) -> Vector:
    """Numbers in the order given; refused unless one-dimensional and finite."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample(name, None, "holds something that is not a number", "give numbers only") from None
    if array.ndim != 1 or not np.isfinite(array).all():
        raise BadSample(name, None, "is not one sequence of finite numbers", "give one number a completed set")
    return array


def combine(estimates: Vector, variances: Vector, df_complete: Vector) -> Combined:
    """Equations (rubin), (barnard-rubin) and (missing-information).

    Args:
        estimates: (M, p).
        variances: (M, p).
        df_complete: (p,), infinite for a normal reference distribution.

    Raises:
        NotIdentified: variances within sets that are nothing beside the variance between them.
    """
    draws = len(estimates)
    # The mean of differences from the first, so that a large common shift costs no digits.
    shifted = estimates - estimates[0]
    mean = shifted.mean(axis=0)
    within = variances.mean(axis=0)
    between = ((shifted - mean) ** 2).sum(axis=0) / (draws - 1)
    extra = (1 + 1 / draws) * between
    total = within + extra
    df = pooled_df(extra / total, draws, df_complete)
    refuse_no_information(df)
    increase = extra / within
    return Combined(
        estimates[0] + mean,
        within,
        between,
        total,
        df,
        increase,
        (increase + 2 / (df + 3)) / (increase + 1),
        np.sqrt(between / draws),
    )


def refuse_no_information(df: Vector) -> None:
    """Refuse degrees of freedom at which no interval is finite, as missing values leave nothing of the information."""
    if df.min() < FEWEST_DF:
        raise NotIdentified(
            "variances",
            None,
            f"are nothing beside the variance between sets: less than {FEWEST_DF:g} degrees of freedom are left",
            "check that they are squares of standard errors, in the unit of the estimates",
        )


def pooled_df(share: Vector, draws: int, df_complete: Vector) -> Vector:
    """Barnard and Rubin's degrees of freedom, equation (barnard-rubin).

    Args:
        share: (p,), of the total variance that missing values cause.
        draws: M.
        df_complete: (p,).
    """
    with np.errstate(divide="ignore"):
        old = (draws - 1) / share**2
    bounded = np.where(np.isinf(df_complete), 1.0, df_complete)
    seen = (bounded + 1) / (bounded + 3) * bounded * (1 - share)
    with np.errstate(divide="ignore"):
        rate = 1 / old + np.where(np.isinf(df_complete), 0.0, 1 / seen)
        return np.asarray(1 / rate)


def sentence(draws: int, df_complete: float) -> str:
    """What was done, in one sentence for the report."""
    complete = "no bound from complete data" if np.isinf(df_complete) else f"{df_complete:g} df in complete data"
    return (
        f"Rubin's rules over {draws} completed data sets (Rubin 1987), degrees of freedom by Barnard and Rubin (1999), "
        f"{complete}"
    )
