"""Working correlations of generalised estimating equations, and their moment estimates.

Every structure is estimated from the same (T, T) sums over subjects of products of Pearson residuals, so
that an iteration costs the same whichever is chosen. Positions are visits, not the order of what was seen.
Equations: docs/methods/gee.md. Leading axes are independent fits.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from equipoise.stats.refusals import BadSample, NotIdentified, UnknownChoice
from equipoise.stats.samples import Matrix, Vector

STRUCTURES = ("independence", "exchangeable", "ar1", "unstructured", "toeplitz", "m-dependent")
ORDERED = ("ar1", "toeplitz", "m-dependent", "given")
MARGIN = 1e-6  # how far inside the positive definite matrices an iterate is kept
SMALLEST_EIGENVALUE = 1e-8
RUNAWAY = 1e6  # no correlation: a moment estimate against a scale that has nothing to do with the residuals


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """A working correlation: its name, how many lags it lets differ from zero, or the matrix itself."""

    name: str
    lags: int = 0
    given: Matrix | None = None

    @property
    def estimated(self) -> bool:
        """Whether it has a parameter to estimate."""
        return self.name not in ("independence", "given")

    @property
    def sentence(self) -> str:
        """Its name in a sentence."""
        return f"{self.lags}-dependent" if self.name == "m-dependent" else self.name


def read_working(working: "str | ArrayLike", visits: int) -> Working:
    """A working correlation by name, or a (T, T) correlation matrix.

    Args:
        working: one of `STRUCTURES`; "2-dependent" says the number of lags, "m-dependent" alone means one.
        visits: T.

    Raises:
        UnknownChoice: a name that is not offered.
        BadSample: what is neither a name nor a correlation matrix of T visits.
    """
    if not isinstance(working, str):
        return Working("given", given=checked_correlation(as_numbers(working), visits))
    lags = re.fullmatch(r"([1-9]\d*)-dependent", working)
    if working == "m-dependent" or lags:
        return Working("m-dependent", int(lags[1]) if lags else 1)
    if working not in STRUCTURES:
        raise UnknownChoice(
            "working", working, "is not offered", f"choose one of {', '.join(STRUCTURES)}, or give a matrix"
        )
    return Working(working)


def as_numbers(working: ArrayLike) -> Matrix:
    """The matrix that was given as floats.

    Raises:
        BadSample: something that is not a table of numbers.
    """
    try:
        return np.asarray(working, dtype=np.float64)
    except (TypeError, ValueError):
        raise BadSample(
            "working", None, "is neither a name nor a table of numbers", f"choose one of {', '.join(STRUCTURES)}"
        ) from None


def checked_correlation(matrix: Matrix, visits: int) -> Matrix:
    """The matrix if it is a positive definite correlation matrix of the visits."""
    if matrix.shape != (visits, visits):
        raise BadSample(
            "working", matrix.shape, f"is not the shape of {visits} visits", f"give a {visits} by {visits} matrix"
        )
    unit = np.allclose(np.diag(matrix), 1, rtol=0, atol=1e-12)
    if not (np.isfinite(matrix).all() and unit and np.allclose(matrix, matrix.T, rtol=0, atol=1e-12)):
        raise BadSample(
            "working", None, "is not a correlation matrix", "give a symmetric matrix with ones on its diagonal"
        )
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < SMALLEST_EIGENVALUE:
        raise BadSample(
            "working",
            None,
            f"is not positive definite (smallest eigenvalue {smallest:.2g})",
            "correct its correlations",
        )
    return matrix


def lag_matrix(visits: int) -> NDArray[np.intp]:
    """(T, T), how many visits apart two visits are."""
    places = np.arange(visits)
    return np.asarray(np.abs(places[:, np.newaxis] - places), dtype=np.intp)


def pair_groups(working: Working, visits: int) -> NDArray[np.intp]:
    """(T, T), which parameter each pair of visits shares; -1 where the correlation is fixed at zero or one."""
    lags = lag_matrix(visits)
    if working.name == "exchangeable":
        return np.where(lags > 0, 0, -1)
    if working.name == "ar1":
        return np.where(lags == 1, 0, -1)
    if working.name == "m-dependent":
        return np.where((lags > 0) & (lags <= working.lags), lags - 1, -1)
    if working.name == "toeplitz":
        return lags - 1
    groups = np.full((visits, visits), -1)
    if working.name == "unstructured":
        upper = np.triu_indices(visits, 1)
        groups[upper] = np.arange(upper[0].size)
        groups = np.maximum(groups, groups.T)
    return groups


def check_identified(working: Working, counts: Matrix, spent: int) -> None:
    """Refuse a structure with a parameter that too few pairs of observations inform.

    Args:
        working: the structure.
        counts: (..., T, T), subjects seen at both visits.
        spent: what is taken from the number of pairs in the divisor.

    Raises:
        NotIdentified: naming the visits, or the lag.
    """
    if not working.estimated:
        return
    visits = counts.shape[-1]
    groups = pair_groups(working, visits)
    upper = np.triu(np.ones((visits, visits), bool), 1)
    for group in range(groups.max() + 1):
        members = (groups == group) & upper
        pairs = int(counts[..., members].sum(axis=-1).min())
        if pairs <= spent:
            first, second = (int(place[0]) + 1 for place in np.nonzero(members))
            where = f"visits {first} and {second}" if members.sum() == 1 else f"visits {second - first} apart"
            where = "a subject's visits" if working.name == "exchangeable" else where
            raise NotIdentified(
                "working",
                working.sentence,
                f"has only {pairs} pairs of observations for {where}, and more than {spent} are needed",
                "use exchangeable or independence",
            )
    if groups.max() < 0:
        raise NotIdentified("working", working.sentence, "needs subjects with two visits", "use independence")


def estimate(
    working: Working, products: Matrix, counts: Matrix, scale: Vector, spent: int, largest: Vector
) -> tuple[Matrix, NDArray[np.bool_]]:
    """The moment estimate of the working correlation, equation (alpha) in docs/methods/gee.md.

    Args:
        working: the structure.
        products: (B, T, T), sums over subjects of products of Pearson residuals.
        counts: (b, T, T), subjects seen at both visits; b is B or 1.
        scale: (B,), phi.
        spent: taken from the number of pairs in the divisor: p, or 0 for geepack's.
        largest: (b,), the most visits that one subject has.

    Returns:
        (B, T, T), kept inside the positive definite matrices, and whether the estimate itself was (B,).
    """
    visits = products.shape[-1]
    if working.given is not None or not working.estimated:
        matrix = np.eye(visits) if working.given is None else working.given
        return np.broadcast_to(matrix, products.shape).copy(), np.ones(len(products), bool)
    groups = pair_groups(working, visits)
    upper = np.triu(np.ones((visits, visits), bool), 1)
    labels = groups[upper]
    used = labels >= 0
    indicator = np.zeros((int(used.sum()), groups.max() + 1))
    indicator[np.arange(len(indicator)), labels[used]] = 1.0
    totals = products[..., upper][..., used] @ indicator
    pairs = counts[..., upper][..., used] @ indicator
    if working.name in ("exchangeable", "ar1"):
        alpha, inside = one_correlation(working.name, totals[:, 0], pairs[:, 0] - spent, scale, largest)
        return one_parameter(working, alpha, visits), inside
    alpha = totals / ((pairs - spent) * scale[:, np.newaxis])
    # A fit that ran away has no correlation; independence keeps the others' arithmetic going.
    finite = np.asarray((np.abs(alpha) <= RUNAWAY).all(axis=-1))
    alpha = np.where(finite[:, np.newaxis], alpha, 0.0)
    matrix = np.zeros_like(products)
    matrix[...] = np.eye(visits)
    matrix[:, groups >= 0] = alpha[:, groups[groups >= 0]]
    kept, inside = kept_positive(matrix)
    return kept, inside & finite


def one_correlation(
    name: str, total: Vector, divisor: Vector, scale: Vector, largest: Vector
) -> tuple[Vector, NDArray[np.bool_]]:
    """The moment estimate (B,) of the one correlation of exchangeable or ar1, and whether it lay inside its bounds.

    Args:
        name: exchangeable or ar1.
        total: (B,), the sum of products of Pearson residuals over the pairs that share it.
        divisor: (B,) or (1,), the number of pairs less what is spent.
        scale: (B,), phi.
        largest: (B,) or (1,), the most visits that one subject has, two at least.
    """
    alpha = total / (divisor * scale)
    # A fit that ran away has no correlation; independence keeps the others' arithmetic going.
    finite = np.isfinite(alpha)
    alpha = np.where(finite, alpha, 0.0)
    low = -1 / (largest - 1) if name == "exchangeable" else np.full_like(largest, -1.0)
    inside = finite & (alpha > low + MARGIN) & (alpha < 1 - MARGIN)
    return np.minimum(np.maximum(alpha, low + MARGIN), 1 - MARGIN), np.asarray(inside)


def one_parameter(working: Working, alpha: Vector, visits: int) -> Matrix:
    """(B, T, T), exchangeable or ar1 with the given alpha (B,)."""
    lags = lag_matrix(visits)
    powers = np.minimum(lags, 1) if working.name == "exchangeable" else lags
    return np.asarray(alpha[:, np.newaxis, np.newaxis] ** powers, dtype=np.float64)


def kept_positive(matrix: Matrix) -> tuple[Matrix, NDArray[np.bool_]]:
    """The matrices, those that are not positive definite drawn towards the identity, and which were."""
    smallest = np.linalg.eigvalsh(matrix)[..., 0]
    inside = smallest > SMALLEST_EIGENVALUE
    shrink = np.where(inside, 0.0, np.maximum(-smallest, 0.0) + 1e-3)[..., np.newaxis, np.newaxis]
    return (matrix + shrink * np.eye(matrix.shape[-1])) / (1 + shrink), inside


def inverses(working: Working, correlation: Matrix, patterns: NDArray[np.bool_]) -> Matrix:
    """The inverse of the correlation on the visits of each pattern, zero elsewhere.

    Args:
        working: the structure; exchangeable has a closed form.
        correlation: (B, T, T).
        patterns: (b, K, T), which visits were seen; b is B, or 1 where all fits share the patterns.

    Returns:
        (B, K, T, T).
    """
    visits = patterns.shape[-1]
    both = patterns[..., np.newaxis] & patterns[..., np.newaxis, :]
    identity = np.eye(visits)
    if working.name == "independence":
        return np.broadcast_to(identity * both, (len(correlation), *both.shape[1:]))
    if working.name == "exchangeable" and visits > 1:
        alpha = correlation[:, 0, 1][:, np.newaxis]
        spread = alpha / (1 + (patterns.sum(axis=-1) - 1) * alpha)
        full = identity - spread[..., np.newaxis, np.newaxis]
        return np.asarray(full * both / (1 - alpha[..., np.newaxis, np.newaxis]))
    inner = np.where(both, correlation[:, np.newaxis], identity)
    return np.asarray(np.linalg.inv(inner) * both)
