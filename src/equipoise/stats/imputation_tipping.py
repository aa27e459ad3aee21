"""How far imputed values must be shifted before a conclusion changes.

Equations: docs/methods/imputation.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import optimize

from equipoise.stats.frames import Frame, like
from equipoise.stats.imputation_analysis import ImputedFit, pooled_fit
from equipoise.stats.imputation_sets import Imputed
from equipoise.stats.refusals import BadSample, UnknownChoice, check_level
from equipoise.stats.samples import refuse_extremes

ACCURACY = 1e-12  # of the tipping delta, relative to the width of the grid


@dataclass(frozen=True, slots=True, eq=False)
class TippingPoint:
    """A comparison of arms by delta.

    `table` has a row a delta: delta, estimate, std_error, df, p_value, conf_low, conf_high. `tipping` is the delta,
    nearest to zero within the grid, at which P crosses 1 - level; None where it does not.
    """

    table: Frame
    tipping: float | None
    term: str
    level: float
    method: str


def tipping_point(
    imputed: Imputed,
    *,
    arm: Any,
    deltas: Iterable[float],
    visit: Any = None,
    covariates: tuple[str, ...] | None = None,
    df: float | None = None,
    level: float = 0.95,
) -> TippingPoint:
    """Shift an arm's imputed values and compare it with the reference arm anew.

    Args:
        imputed: completed sets; each delta is added to what `imputed.delta` adds already.
        arm: whose imputed values are shifted, and which is compared.
        deltas: two or more, in the outcome's units.
        visit: of the comparison; None for the last.
        covariates: of the analysis of covariance; None for those of the imputation.
        df: as for `Imputed.ancova`.
        level: of the intervals; P is held against 1 - level.

    Raises:
        UnknownChoice: an arm or a visit that is not there, or the arm that others are compared with.
        BadSample: fewer than two deltas, or nothing to shift.

    Source:
        Carpenter, Roger and Kenward (2013), Journal of Biopharmaceutical Statistics 23:1352-1371; equation (tipping)
        in docs/methods/imputation.md.
    """
    check_level(level)
    if not isinstance(imputed, Imputed):
        raise BadSample("imputed", type(imputed).__name__, "holds no completed sets", "give what impute returned")
    code = shifted_arm(imputed, arm)
    label = imputed.visits[-1] if visit is None else visit
    base = imputed.outcomes_at(label)
    moves = (imputed.shifted[:, imputed.place_of(label)] & (imputed.long.arm == code)).astype(np.float64)
    if not moves.any():
        raise BadSample("arm", arm, f"has no imputed value at visit {label} to shift", "choose another visit or arm")
    grid = grid_of(deltas)
    term = imputed.arm_term(code)

    def fit(delta: float) -> ImputedFit:
        return pooled_fit(
            imputed.compared(base + delta * moves, covariates),
            jackknife=imputed.jackknife,
            df=df,
            level=level,
            frame=imputed.frame,
            counts=imputed.tally,
            method=f"{imputed.method}; analysis of covariance at visit {label}",
        )

    fits = [fit(delta) for delta in grid]
    place = fits[0].columns.index(term)
    names = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
    table = {name: [float(each.coefficients[name][place]) for each in fits] for name in names}

    def excess(delta: float) -> float:
        return float(fit(delta).coefficients["p_value"][place]) - (1 - level)

    tipping = crossing(grid, [p - (1 - level) for p in table["p_value"]], excess)
    return TippingPoint(like(imputed.frame, {"delta": grid} | table), tipping, term, level, fits[0].method)


def shifted_arm(imputed: Imputed, arm: Any) -> int:
    """The arm's code; refused unless it is an arm other than the one that others are compared with."""
    others = [each for code, each in enumerate(imputed.arms) if code != imputed.base]
    if arm not in others:
        raise UnknownChoice(
            "arm",
            arm,
            f"is not an arm that is compared with {imputed.arms[imputed.base]}",
            f"choose one of {', '.join(map(str, others))}",
        )
    return imputed.arms.index(arm)


def grid_of(deltas: Iterable[float]) -> list[float]:
    """The deltas in ascending order, each once."""
    try:
        grid = sorted({float(delta) for delta in deltas})
    except (TypeError, ValueError):
        grid = []
    if len(grid) < 2 or not np.isfinite(grid).all():
        raise BadSample("deltas", None, "are not two or more finite numbers", "give a grid such as -30, -20, -10, 0")
    refuse_extremes(np.array(grid), "deltas")
    return grid


def crossing(grid: list[float], excess: list[float], function: Any) -> float | None:
    """Where the function changes sign nearest to zero, between neighbours of the grid; equation (tipping)."""
    sides = [
        (min(abs(low), abs(high)) if low * high > 0 else 0.0, place)
        for place, (low, high) in enumerate(pairwise(grid))
        if (excess[place] < 0) != (excess[place + 1] < 0)
    ]
    if not sides:
        return None
    place = min(sides)[1]
    width = grid[-1] - grid[0]
    return float(optimize.brentq(function, grid[place], grid[place + 1], xtol=ACCURACY * width))
