"""Contrasts of means, tested one by one, adjusted for multiplicity, or together.

Means are weighted sums of a fit's coefficients; contrasts of means are so too, and are taken within each group of
`by`. Families of contrasts carry the names and directions of R's emmeans.
Equations: docs/methods/marginal-means.md.
Terms: *mean set* (means by group), *kind* (a rule that makes contrasts from the number of means).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from itertools import pairwise as neighbours
from typing import Any, Protocol

import numpy as np

from equipoise.stats.coefficients import JointTest
from equipoise.stats.frames import Frame, like, named_rows, opened
from equipoise.stats.multiplicity import ADJUSTMENTS, ALTERNATIVES, CITATIONS, STEPWISE, Adjusted, Family, adjusted
from equipoise.stats.reference_grid import Recipe, label
from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice, check_level, choose
from equipoise.stats.samples import Matrix, Vector

KINDS = ("pairwise", "reference", "custom", "polynomial", "consecutive", "mean_change", "effect")
RATIOS = {"log": "ratios", "logit": "odds ratios"}
SUMS_TO_ZERO = 1e-9
NO_VARIANCE = 1e-14  # of a weighted sum, relative to what its parts have without their covariance
NO_WEIGHT = 1e-12  # of a row of weights on the coefficients, relative to the means' own
DEPENDENT = 1e-9
DEGREES = ("linear", "quadratic", "cubic", "quartic")
MOST_DEGREES = 6


class LinearFit(Protocol):
    """What a fit must offer for marginal means: coefficients, their covariance, df and tests of weighted sums."""

    @property
    def coefficients(self) -> Frame:
        """A table of the kind of frame that came in."""

    @property
    def beta(self) -> Vector:
        """(p,)."""

    @property
    def covariance(self) -> Matrix:
        """(p, p), of beta."""

    @property
    def recipe(self) -> Recipe:
        """How the design is made for other rows."""

    @property
    def method(self) -> str:
        """What was done, in one sentence."""

    def df_of(self, rows: Matrix, /) -> Vector:
        """(q,), the degrees of freedom of weighted sums (q, p), one by one."""

    def joint_test(self, rows: Matrix, /) -> JointTest:
        """The test that weighted sums (q, p) are zero together."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The means of one combination of `by` levels: its values, where its means stand, and what they are called."""

    values: tuple[Any, ...]
    places: tuple[int, ...]
    labels: tuple[str, ...]

    def named(self, by: Sequence[str]) -> str:
        """The group in words."""
        return ", ".join(f"{name} = {label(value)}" for name, value in zip(by, self.values, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class MeanSet:
    """Means as rows (m, p) of weights on the coefficients of a fit, plus an offset, by group."""

    fit: LinearFit
    rows: Matrix
    groups: tuple[Group, ...]
    by: tuple[str, ...]
    offset: float
    response: bool

    @property
    def ratio(self) -> str | None:
        """What a difference becomes on the response scale: a ratio where the link is a logarithm."""
        return RATIOS.get(self.fit.recipe.link) if self.response else None


@dataclass(frozen=True, slots=True, eq=False)
class Contrasts:
    """Contrasts of means.

    `table` has the columns of `by`, then contrast, estimate, std_error, df, statistic, p_value, conf_low, conf_high.
    `scale` says what an estimate is: differences, ratios or odds ratios; statistics and P values are of the linear
    predictor. `rows` (q, p) are weights on the coefficients, `covariance` (q, q) on the linear predictor's scale.
    `error` is the largest three standard errors of an adjusted P value, zero where the adjustment is exact. One-sided
    intervals end at infinity. `notes` are what a reader must know.
    """

    table: Frame
    rows: Matrix
    covariance: Matrix
    kind: str
    adjust: str
    scale: str
    error: float
    method: str
    notes: tuple[str, ...]
    means: MeanSet = field(repr=False)
    families: tuple[tuple[int, ...], ...] = field(repr=False)

    def joint_test(self) -> "JointTests":
        """The test that all contrasts of a group are zero together, group by group.

        Contrasts that follow from those before them are left out, which leaves the hypothesis as it is.
        """
        return joint_tests(self.means, [self.rows[list(places)] for places in self.families], f"{self.kind} contrasts")


@dataclass(frozen=True, slots=True, eq=False)
class JointTests:
    """One test a group. `table` has the columns of `by`, then df_num, df_den, statistic (F), p_value."""

    table: Frame
    method: str


def contrasts_of(
    means: MeanSet,
    kind: str,
    *,
    adjust: str,
    reference: Any,
    coefficients: Mapping[str, Sequence[float]] | None,
    alternative: str,
    level: float,
) -> Contrasts:
    """Contrast the means of each group.

    Args:
        means: by group.
        kind: one of `KINDS`.
        adjust: one of `ADJUSTMENTS`, within each group.
        reference: for the kind reference, the level or label compared with; None takes the first.
        coefficients: for the kind custom, the weights of the means by the contrast's name.
        alternative: two-sided, greater or less.
        level: of the intervals.

    Raises:
        UnknownChoice: a name that is not offered, or two that do not go together.
        BadSample: coefficients that do not fit, or groups of one mean.
        NotIdentified: a contrast on which the model has no say.
    """
    choose("kind", kind, KINDS)
    choose("adjust", adjust, ADJUSTMENTS)
    choose("alternative", alternative, ALTERNATIVES)
    check_level(level)
    check_pairing(kind, adjust, alternative, reference, coefficients)
    made = [family_of(kind, group, reference, coefficients, means) for group in means.groups]
    rows = np.vstack(
        [weights @ means.rows[list(group.places)] for group, (_, weights) in zip(means.groups, made, strict=True)]
    )
    names = [name for family, _ in made for name in family]
    refuse_unsaid(rows, means, names)
    ends = np.cumsum([len(family) for family, _ in made])
    families = tuple(tuple(range(end - len(family), end)) for end, (family, _) in zip(ends, made, strict=True))
    fit = means.fit
    covariance = rows @ fit.covariance @ rows.T
    std_error, df = std_errors(fit, rows, names), fit.df_of(rows)
    sums = np.concatenate([weights.sum(axis=1) for _, weights in made])
    estimate = rows @ fit.beta + means.offset * sums
    statistic = estimate / std_error
    results = [
        adjusted(one_family(places, statistic, df, covariance, len(group.places), alternative), adjust, level)
        for places, group in zip(families, means.groups, strict=True)
    ]
    limits = np.concatenate([one.limits for one in results]) * std_error
    low = np.full_like(limits, -np.inf) if alternative == "less" else estimate - limits
    high = np.full_like(limits, np.inf) if alternative == "greater" else estimate + limits
    scale = (means.ratio if (np.abs(sums) < SUMS_TO_ZERO).all() else None) or "differences"
    if scale != "differences":
        estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
        std_error = std_error * estimate
    columns = {
        **group_columns(means, [len(places) for places in families]),
        "contrast": names,
        "estimate": estimate,
        "std_error": std_error,
        "df": df,
        "statistic": statistic,
        "p_value": np.concatenate([one.p_values for one in results]),
        "conf_low": low,
        "conf_high": high,
    }
    error = max(one.error for one in results)
    return Contrasts(
        like(opened(fit.coefficients), columns),
        rows,
        covariance,
        kind,
        adjust,
        scale,
        error,
        sentence(means, kind, adjust, alternative, scale, level),
        tuple(notes(means, adjust, scale, error, results)),
        means,
        families,
    )


def check_pairing(
    kind: str, adjust: str, alternative: str, reference: Any, coefficients: Mapping[str, Sequence[float]] | None
) -> None:
    """Refuse arguments that do not go together.

    Raises:
        UnknownChoice: an adjustment for another kind or for two sides only.
        BadSample: an argument that the kind does not take, or lacks.
    """
    if adjust == "tukey" and kind != "pairwise":
        raise UnknownChoice("adjust", adjust, f"is for pairwise contrasts, not {kind}", "use mvt or holm")
    if adjust == "tukey" and alternative != "two-sided":
        raise UnknownChoice("adjust", adjust, f"is two-sided, and the alternative is {alternative}", "use mvt or holm")
    if adjust == "dunnett" and kind != "reference":
        raise UnknownChoice("adjust", adjust, f"is for contrasts with a reference, not {kind}", "use mvt or holm")
    if reference is not None and kind != "reference":
        raise BadSample("reference", reference, f"has no meaning for {kind} contrasts", "leave it out")
    if (coefficients is None) == (kind == "custom"):
        remedy = "give a mapping from names to weights" if kind == "custom" else "leave them out"
        problem = "are needed" if kind == "custom" else f"have no meaning for {kind} contrasts"
        raise BadSample("coefficients", None, problem, remedy)


def family_of(
    kind: str,
    group: Group,
    reference: Any,
    coefficients: Mapping[str, Sequence[float]] | None,
    means: MeanSet,
) -> tuple[list[str], Matrix]:
    """Names and weights (q, k) of the contrasts of a group of k means."""
    if kind == "custom":
        assert coefficients is not None
        return custom(group.labels, coefficients)
    if len(group.labels) < 2:
        where = f" at {group.named(means.by)}" if means.by else ""
        raise BadSample("kind", kind, f"finds one mean{where}, with nothing to compare it with", "leave out by or at")
    dash = " - " if means.ratio is None else " / "
    if kind == "reference":
        return with_reference(group.labels, dash, reference)
    return RULES[kind](group.labels, dash)


def pairwise(labels: Sequence[str], dash: str = " - ") -> tuple[list[str], Matrix]:
    """Each mean less each later one."""
    pairs = list(combinations(range(len(labels)), 2))
    identity = np.eye(len(labels))
    return [f"{labels[one]}{dash}{labels[two]}" for one, two in pairs], np.array(
        [identity[one] - identity[two] for one, two in pairs]
    )


def with_reference(labels: Sequence[str], dash: str, reference: Any) -> tuple[list[str], Matrix]:
    """Each mean less that of the reference.

    Raises:
        UnknownChoice: a reference that is not among the means.
    """
    wanted = labels[0] if reference is None else label(reference)
    if wanted not in labels:
        raise UnknownChoice("reference", wanted, "is not one of the means", f"choose from {', '.join(labels)}")
    base, identity = labels.index(wanted), np.eye(len(labels))
    others = [place for place in range(len(labels)) if place != base]
    return [f"{labels[place]}{dash}{wanted}" for place in others], identity[others] - identity[base]


def consecutive(labels: Sequence[str], dash: str = " - ") -> tuple[list[str], Matrix]:
    """Each mean less the one before."""
    names = [f"{after}{dash}{before}" for before, after in neighbours(labels)]
    return names, np.diff(np.eye(len(labels)), axis=0)


def mean_change(labels: Sequence[str], _: str) -> tuple[list[str], Matrix]:
    """The mean of the means from each on, less the mean of those before."""
    k = len(labels)
    weights = np.array([[-1 / split] * split + [1 / (k - split)] * (k - split) for split in range(1, k)])
    return [f"{before}|{after}" for before, after in neighbours(labels)], weights


def effect(labels: Sequence[str], _: str) -> tuple[list[str], Matrix]:
    """Each mean less the mean of all."""
    return [f"{one} effect" for one in labels], np.eye(len(labels)) - 1 / len(labels)


def polynomial(labels: Sequence[str], _: str) -> tuple[list[str], Matrix]:
    """Orthogonal trends over the means in their order, taken as equally spaced, equation (polynomial)."""
    k = len(labels)
    degree = min(MOST_DEGREES, k - 1)
    centred = np.arange(k) - (k - 1) / 2
    powers, triangle = np.linalg.qr(np.vander(centred, degree + 1, increasing=True))
    trends = (powers * np.sign(np.diag(triangle))).T[1:]
    names = [DEGREES[place] if place < len(DEGREES) else f"degree {place + 1}" for place in range(degree)]
    return names, np.array([whole_numbers(trend) for trend in trends])


def whole_numbers(trend: Vector) -> Vector:
    """The multiple of a trend, in the least steps, that is nearest to whole numbers."""
    scaled = trend / trend[trend > 0.01].min()
    off = np.abs(scaled - np.round(scaled)).max()
    while off > 0.05:
        scaled = scaled / off
        off = np.abs(scaled - np.round(scaled)).max()
    return np.asarray(np.round(scaled))


RULES: dict[str, Callable[[Sequence[str], str], tuple[list[str], Matrix]]] = {
    "pairwise": pairwise,
    "polynomial": polynomial,
    "consecutive": consecutive,
    "mean_change": mean_change,
    "effect": effect,
}


def custom(labels: Sequence[str], coefficients: Mapping[str, Sequence[float]]) -> tuple[list[str], Matrix]:
    """Weights by name.

    Raises:
        BadSample: none, or weights that are too many or few, not finite, or all zero.
    """
    if not isinstance(coefficients, Mapping) or not coefficients:
        raise BadSample("coefficients", None, "name no contrast", "give a mapping from names to weights")
    for name, weights in coefficients.items():
        try:
            found = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            found = np.full(len(labels), np.nan)
        if found.shape != (len(labels),) or not np.isfinite(found).all() or not found.any():
            raise BadSample(
                f"coefficients[{name}]",
                None,
                f"are not {len(labels)} finite weights that are not all zero",
                f"give one weight for each of {', '.join(labels)}",
            )
    return list(coefficients), np.array([list(weights) for weights in coefficients.values()], dtype=np.float64)


def refuse_unsaid(rows: Matrix, means: MeanSet, names: list[str]) -> None:
    """Refuse contrasts that are zero whatever the coefficients are, which have no standard error."""
    empty = np.flatnonzero(np.abs(rows).max(axis=1) <= NO_WEIGHT * np.abs(means.rows).max())
    if empty.size:
        raise NotIdentified(
            "kind", None, f"asks for {names[empty[0]]}, which the model takes as equal", "contrast other means"
        )


def std_errors(fit: LinearFit, rows: Matrix, names: Sequence[str]) -> Vector:
    """(q,), the standard errors of weighted sums (q, p) of the coefficients.

    Raises:
        NotIdentified: a sum to which the covariance gives no variance beyond rounding.
    """
    variances = np.einsum("qp,pr,qr->q", rows, fit.covariance, rows)
    apart = (np.abs(rows) @ np.sqrt(np.diag(fit.covariance))) ** 2
    without = [name for name, own, parts in zip(names, variances, apart, strict=True) if not own > NO_VARIANCE * parts]
    if without:
        raise NotIdentified(
            "fit", None, f"gives no variance to {named_rows(without)}", "use the model covariance, or fewer terms"
        )
    return np.asarray(np.sqrt(variances))


def one_family(
    places: tuple[int, ...], statistic: Vector, df: Vector, covariance: Matrix, means: int, alternative: str
) -> Family:
    """The tests at some places as a family."""
    chosen = list(places)
    spread = covariance[np.ix_(chosen, chosen)]
    lengths = np.sqrt(np.diag(spread))
    return Family(statistic[chosen], df[chosen], spread / np.outer(lengths, lengths), means, alternative)


def group_columns(means: MeanSet, sizes: list[int]) -> dict[str, list[Any]]:
    """The columns of `by`, each group's values repeated."""
    return {
        name: [group.values[place] for group, size in zip(means.groups, sizes, strict=True) for _ in range(size)]
        for place, name in enumerate(means.by)
    }


def joint_tests(means: MeanSet, hypotheses: list[Matrix], what: str) -> JointTests:
    """Test hypotheses (q, p), one a group."""
    tests = [means.fit.joint_test(independent(rows)) for rows in hypotheses]
    columns = {
        **group_columns(means, [1] * len(tests)),
        "df_num": [test.df_num for test in tests],
        "df_den": [test.df_den for test in tests],
        "statistic": [test.statistic for test in tests],
        "p_value": [test.p_value for test in tests],
    }
    within = f" within each {', '.join(means.by)}" if means.by else ""
    return JointTests(
        like(opened(means.fit.coefficients), columns),
        f"Joint test of {what}{within}; {means.fit.method}",
    )


def independent(rows: Matrix) -> Matrix:
    """The rows that do not follow from those before them."""
    basis: list[Vector] = []
    kept = []
    for row in rows:
        left = row / np.linalg.norm(row)
        for _ in range(2):  # the second pass takes out what rounding left
            left = left - sum((one * (one @ left) for one in basis), np.zeros_like(left))
        length = np.linalg.norm(left)
        if length > DEPENDENT:
            basis.append(left / length)
            kept.append(row)
    return np.array(kept)


def sentence(means: MeanSet, kind: str, adjust: str, alternative: str, scale: str, level: float) -> str:
    """What was done, in one sentence for the report."""
    within = f" within each {', '.join(means.by)}" if means.by else ""
    sided = "" if alternative == "two-sided" else f", one-sided ({alternative})"
    return (
        f"{kind.replace('_', ' ').capitalize()} contrasts of marginal means ({scale}), "
        f"{CITATIONS[adjust]}{within}{sided}, {100 * level:g}% intervals; {means.fit.method}"
    )


def notes(means: MeanSet, adjust: str, scale: str, error: float, results: list[Adjusted]) -> list[str]:
    """What a reader of the table must know."""
    said = []
    several = any(one.p_values.size > 1 for one in results)
    if adjust in STEPWISE and several:
        said.append(f"The {adjust} method has no simultaneous intervals; those shown are Bonferroni's")
    if error > 0:
        limit = max(one.limit_error for one in results)
        said.append(
            f"Adjusted P values are by quasi-Monte Carlo, to within {error:.1g}, "
            f"and intervals to within {limit:.1g} standard errors"
        )
    if means.response and scale == "differences" and means.fit.recipe.link != "identity":
        said.append(f"Contrasts are on the scale of the {means.fit.recipe.link} link")
    return said
