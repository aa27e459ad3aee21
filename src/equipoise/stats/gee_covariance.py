"""Covariances of the coefficients of a GEE, and the degrees of freedom that go with them.

Every sandwich is a sum over subjects of products of their terms of the estimating equation, each multiplied
by a correction that depends on the subject's leverage. All are written in p dimensions: where a paper
corrects the T residuals of a subject, the same correction of its p-vector is derived in docs/methods/gee.md.
Shapes: B fits, n subjects, T visits, p coefficients.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.gee_engine import Moments, Posed, Solution, less_mean, moments
from equipoise.stats.samples import Matrix, Vector
from equipoise.stats.stacked import solved

COVARIANCES = (
    "model",
    "robust",
    "df-adjusted",
    "kauermann-carroll",
    "mancl-derouen",
    "fay-graubard",
    "morel-bokossa-neerchal",
    "pan",
    "gosho-sato-takeuchi",
    "wang-long",
    "kc-md-average",
)
CITATIONS = {
    "model": "model-based covariance (Liang and Zeger 1986)",
    "robust": "robust sandwich covariance (Liang and Zeger 1986)",
    "df-adjusted": "robust sandwich covariance times K/(K - p) (MacKinnon and White 1985)",
    "kauermann-carroll": "bias-corrected sandwich covariance (Kauermann and Carroll 2001)",
    "mancl-derouen": "bias-corrected sandwich covariance (Mancl and DeRouen 2001)",
    "fay-graubard": "bias-corrected sandwich covariance (Fay and Graubard 2001)",
    "morel-bokossa-neerchal": "bias-corrected sandwich covariance (Morel, Bokossa and Neerchal 2003)",
    "pan": "pooled sandwich covariance (Pan 2001)",
    "gosho-sato-takeuchi": "pooled sandwich covariance over K - p (Gosho, Sato and Takeuchi 2014)",
    "wang-long": "pooled bias-corrected sandwich covariance (Wang and Long 2011)",
    "kc-md-average": "average of Kauermann-Carroll and Mancl-DeRouen standard errors (Ford and Westgate 2017)",
}
DF_COVARIANCES = {
    "pan-wall": ("robust", "df-adjusted", "kauermann-carroll", "mancl-derouen", "fay-graubard", "kc-md-average"),
    "fay-graubard": ("robust", "fay-graubard"),
}
LEVERAGE_CORRECTED = ("kauermann-carroll", "mancl-derouen", "kc-md-average", "wang-long")
FULL_LEVERAGE = 1 - 1e-9
FAY_GRAUBARD_BOUND = 0.75
MOREL_DIVISOR = 2
MOREL_LEAST_EFFECT = 1.0


@dataclass(frozen=True, eq=False)
class Sandwich:
    """What every covariance is made of, at the solution of one block of fits.

    `bread` (B, p, p) is the inverse information without the scale; `scores` (p, n, B) and `shares`
    (p, p, n, B), entries first, are each subject's part of the estimating equation and of the information. `basis`
    (p, p) turns the coefficients back into those of the formula; covariances come out in these.
    """

    posed: Posed
    solution: Solution
    basis: Matrix

    @cached_property
    def moments(self) -> Moments:
        """Everything at the solution, observation by observation."""
        if self.solution.known is not None:
            return self.solution.known
        return moments(less_mean(self.posed.laid, self.solution.near), self.solution.step)

    @cached_property
    def root(self) -> Matrix:
        """(B, p, p), C with `bread = C C'`."""
        values, vectors = np.linalg.eigh(self.solution.information)
        largest = np.maximum(values[..., -1:], np.finfo(float).tiny)
        # A fit whose information is singular is marked as not converged; its numbers need only be finite.
        values = np.maximum(values, largest * 1e-15)
        return np.asarray(vectors / np.sqrt(values)[..., np.newaxis, :])

    @cached_property
    def bread(self) -> Matrix:
        """(B, p, p), the inverse of the information without the scale."""
        return np.asarray(self.root @ np.swapaxes(self.root, -1, -2))

    @cached_property
    def scores(self) -> Matrix:
        """(p, n, B), each subject's term of the estimating equation."""
        if self.solution.subjects is not None:
            return self.solution.subjects.scores
        now = self.moments
        return np.ascontiguousarray(np.einsum("btnp,btn->pnb", now.weighted, now.residuals))

    @cached_property
    def shares(self) -> Matrix:
        """(p, p, n, B), each subject's part of the information."""
        if self.solution.subjects is not None:
            return self.solution.subjects.shares
        slopes = np.moveaxis(self.moments.slopes, 1, 3)
        return np.ascontiguousarray((slopes @ np.moveaxis(self.moments.weighted, 1, 2)).transpose(2, 3, 1, 0))

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """(B, n), subjects who determine some combination of coefficients by themselves.

        None of them has leverages that sum to less than one; only where they do not are eigenvalues needed.
        """
        whole = np.einsum("bac,acnb->bn", self.bread, self.shares)
        found = np.asarray(~(whole < FULL_LEVERAGE))
        if found.any():
            fits, people = np.nonzero(found)
            values, _ = self.leverages_of(fits, people)
            found[fits, people] = values[:, -1] > FULL_LEVERAGE
        return found

    def leverages_of(self, fits: NDArray[np.intp], people: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
        """Eigenvalues (m, p) and vectors (m, p, p) of some subjects' shares, in coordinates where all sum to I."""
        shares = np.broadcast_to(self.shares, (*self.shares.shape[:3], self.n_fits))
        root = self.root[fits]
        values, vectors = np.linalg.eigh(
            np.swapaxes(root, -1, -2) @ np.moveaxis(shares[:, :, people, fits], -1, 0) @ root
        )
        return np.clip(values, 0.0, 1.0), vectors

    @cached_property
    def alike(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """One subject of each kind, by fit and place, and which kind each subject (B, n) is of.

        Subjects with the same design and the same visits share their leverages, which are so found once.
        """
        kinds = self.posed.kinds if self.posed.plain else np.arange(self.n_subjects)[np.newaxis]
        kinds = np.broadcast_to(kinds, (self.n_fits, self.n_subjects))
        codes = kinds + (kinds.max() + 1) * np.arange(self.n_fits)[:, np.newaxis]
        _, first, kind_of = np.unique(codes, return_index=True, return_inverse=True)
        return first // self.n_subjects, first % self.n_subjects, kind_of.reshape(codes.shape)

    @cached_property
    def rooted_scores(self) -> Matrix:
        """(B, n, p), the scores in coordinates where the information is I."""
        return np.asarray(self.scores.transpose(2, 1, 0) @ self.root)

    @property
    def n_fits(self) -> int:
        """B."""
        return len(self.solution.beta)

    @property
    def n_subjects(self) -> int:
        """The subjects, K in the papers."""
        return self.posed.n_subjects

    @property
    def n_coefficients(self) -> int:
        """The coefficients, p in the papers."""
        return self.posed.n_coefficients

    @cached_property
    def without(self) -> Matrix:
        """(p, p, n, B), the information that the others leave, B - Q_i; all of it where they would not leave enough."""
        mine = np.where(self.alone.T, 0.0, self.shares) if self.alone.any() else self.shares
        return np.asarray(self.solution.information.transpose(1, 2, 0)[:, :, np.newaxis] - mine)

    @cached_property
    def pulls(self) -> Matrix:
        """(p, n, B), (B - Q_i)^-1 u_i: what the coefficients would move by, were a subject's residuals left out."""
        return solved(self.without, self.scores[:, np.newaxis])[0][:, 0]

    @cached_property
    def half_pulls(self) -> Matrix:
        """(B, n, p), the rooted scores times (I - leverage) ** -1/2."""
        fits, people, kind_of = self.alike
        values, vectors = self.leverages_of(fits, people)
        stretch = (vectors * (np.where(values > FULL_LEVERAGE, 1.0, 1 - values) ** -0.5)[:, np.newaxis]) @ np.swapaxes(
            vectors, -1, -2
        )
        return np.asarray((stretch[kind_of] @ self.rooted_scores[..., np.newaxis])[..., 0])

    @property
    def independent_information(self) -> Matrix:
        """(b, p, p), the information without the scale, were visits independent."""
        if self.solution.subjects is not None:
            return np.moveaxis(self.solution.subjects.rows.gram, -1, 0)
        flat = self.moments.slopes.reshape(len(self.moments.slopes), -1, self.n_coefficients)
        return np.asarray(np.swapaxes(flat, -1, -2) @ flat)

    def corrected(self, name: str) -> Matrix:
        """(B, n, p), terms of the engine's coefficients, their residuals multiplied by a correction or none."""
        if name == "mancl-derouen":
            return np.asarray(self.pulls.transpose(2, 1, 0))
        rooted = self.half_pulls if name == "kauermann-carroll" else self.rooted_scores
        return np.asarray(rooted @ np.swapaxes(self.root, -1, -2))

    def terms(self, name: str) -> Matrix:
        """(B, n, p), corrected terms whose products sum to the covariance, in the formula's coefficients.

        Only for the covariances that are such sums: robust, df-adjusted, kauermann-carroll, mancl-derouen,
        fay-graubard, kc-md-average (the average of both corrections, for degrees of freedom alone).
        """
        if name == "fay-graubard":
            back = np.linalg.inv(self.basis)
            scores = self.scores.transpose(2, 1, 0) @ back
            return np.asarray((scores * self.fay_graubard_factors()) @ self.basis @ self.bread @ self.basis.T)
        if name == "kc-md-average":
            both = self.corrected("kauermann-carroll") + self.corrected("mancl-derouen")
            return np.asarray(both / 2 @ self.basis.T)
        return np.asarray(self.corrected(name) @ self.basis.T)

    def fay_graubard_factors(self) -> Matrix:
        """(B, n, p), equation (fay-graubard): what multiplies each element of a subject's score."""
        back = np.linalg.inv(self.basis)
        shares = self.shares.transpose(3, 2, 0, 1)
        within = back.T @ (shares @ self.bread[:, np.newaxis]) @ self.basis.T
        own = np.minimum(np.diagonal(within, axis1=-2, axis2=-1), FAY_GRAUBARD_BOUND)
        return np.asarray(1 / np.sqrt(1 - own))


def in_formula(sandwich: Sandwich, covariance: Matrix) -> Matrix:
    """A covariance (B, p, p) of the engine's coefficients as one of the formula's, exactly symmetric."""
    turned = sandwich.basis @ covariance @ sandwich.basis.T
    return np.asarray((turned + np.swapaxes(turned, -1, -2)) / 2)


def model(sandwich: Sandwich) -> Matrix:
    """The scale times the bread; right when the working correlation is."""
    return in_formula(sandwich, sandwich.solution.scale[:, np.newaxis, np.newaxis] * sandwich.bread)


def summed(terms: Matrix) -> Matrix:
    """(B, p, p), the sum over subjects of products of their terms (B, n, p)."""
    product = np.swapaxes(terms, -1, -2) @ terms
    return np.asarray((product + np.swapaxes(product, -1, -2)) / 2)


def robust(sandwich: Sandwich) -> Matrix:
    """Liang and Zeger's sandwich; too small below some 150 subjects."""
    return summed(sandwich.terms("robust"))


def df_adjusted(sandwich: Sandwich) -> Matrix:
    """The sandwich times K / (K - p)."""
    subjects = sandwich.n_subjects
    return robust(sandwich) * subjects / (subjects - sandwich.n_coefficients)


def kauermann_carroll(sandwich: Sandwich) -> Matrix:
    """Residuals times (I - H) ** -1/2: unbiased when the working correlation is right."""
    return summed(sandwich.terms("kauermann-carroll"))


def mancl_derouen(sandwich: Sandwich) -> Matrix:
    """Residuals times (I - H) ** -1; as much too large as the sandwich is too small."""
    return summed(sandwich.terms("mancl-derouen"))


def fay_graubard(sandwich: Sandwich) -> Matrix:
    """Each element of a score over the root of one less its leverage, bounded by 0.75."""
    return summed(sandwich.terms("fay-graubard"))


def kc_md_average(sandwich: Sandwich) -> Matrix:
    """Standard errors that average those of both corrections; correlations of their mean covariance."""
    first, second = kauermann_carroll(sandwich), mancl_derouen(sandwich)
    errors = [np.sqrt(np.diagonal(matrix, axis1=-2, axis2=-1)) for matrix in (first, second)]
    mean = (first + second) / 2
    own = np.diagonal(mean, axis1=-2, axis2=-1)
    ratio = (errors[0] + errors[1]) / 2 / np.sqrt(np.where(own > 0, own, 1.0))
    return np.asarray(mean * ratio[..., np.newaxis] * ratio[..., np.newaxis, :])


def morel_bokossa_neerchal(sandwich: Sandwich) -> Matrix:
    """The sandwich enlarged, with a multiple of the model covariance added, equation (mbn)."""
    subjects, p = sandwich.n_subjects, sandwich.n_coefficients
    plain, based = robust(sandwich), model(sandwich)
    rooted = sandwich.rooted_scores
    scale = sandwich.solution.scale
    observed = np.trace(sandwich.posed.counts, axis1=-2, axis2=-1)
    enlarged = (observed - 1) / (observed - p) * subjects / (subjects - 1)
    effect = np.maximum(enlarged * (rooted**2).sum(axis=(-1, -2)) / (scale * p), MOREL_LEAST_EFFECT)
    added = p / (subjects - p) if subjects > (MOREL_DIVISOR + 1) * p else 1 / MOREL_DIVISOR
    return np.asarray(enlarged[:, np.newaxis, np.newaxis] * plain + (added * effect)[:, np.newaxis, np.newaxis] * based)


def pooled(sandwich: Sandwich, residuals: Vector, spent: int) -> Matrix:
    """The sandwich with one covariance of residuals, pooled over all subjects, by pairs of visits.

    Args:
        sandwich: the fits.
        residuals: (B, T, n), Pearson residuals, corrected or not.
        spent: taken from the number of subjects in the divisor.
    """
    counts = sandwich.posed.counts - spent
    products = residuals @ np.swapaxes(residuals, -1, -2)
    common = np.where(counts > 0, products / np.where(counts > 0, counts, 1.0), 0.0)
    weighted = np.moveaxis(sandwich.moments.weighted, 1, 2)
    meat = (np.swapaxes(weighted, -1, -2) @ (common[:, np.newaxis] @ weighted)).sum(axis=1)
    return in_formula(sandwich, sandwich.bread @ meat @ sandwich.bread)


def pan(sandwich: Sandwich) -> Matrix:
    """Residual products pooled over K subjects."""
    return pooled(sandwich, sandwich.moments.residuals, 0)


def gosho_sato_takeuchi(sandwich: Sandwich) -> Matrix:
    """Residual products pooled over K - p."""
    return pooled(sandwich, sandwich.moments.residuals, sandwich.n_coefficients)


def wang_long(sandwich: Sandwich) -> Matrix:
    """Products of Mancl and DeRouen's residuals pooled over K, equation (wang-long)."""
    now, pull = sandwich.moments, sandwich.pulls.transpose(2, 1, 0)
    slopes = np.broadcast_to(now.slopes, now.weighted.shape)
    return pooled(sandwich, now.residuals + np.einsum("btnp,bnp->btn", slopes, pull), 0)


FORMULAS: dict[str, Callable[[Sandwich], Matrix]] = {
    "model": model,
    "robust": robust,
    "df-adjusted": df_adjusted,
    "kauermann-carroll": kauermann_carroll,
    "mancl-derouen": mancl_derouen,
    "fay-graubard": fay_graubard,
    "morel-bokossa-neerchal": morel_bokossa_neerchal,
    "pan": pan,
    "gosho-sato-takeuchi": gosho_sato_takeuchi,
    "wang-long": wang_long,
    "kc-md-average": kc_md_average,
}


def estimated_df(sandwich: Sandwich, covariance: str, rule: str, rows: Matrix) -> Matrix:
    """(B, q), the degrees of freedom of contrasts (q, p) by a rule that estimates them and goes with the covariance."""
    assert covariance in DF_COVARIANCES[rule]
    if rule == "pan-wall":
        return pan_wall_df(sandwich.terms(covariance), rows)
    return fay_graubard_df(sandwich, rows, corrected=covariance == "fay-graubard")


def pan_wall_df(terms: Matrix, rows: Matrix) -> Matrix:
    """Degrees of freedom of contrasts by the variance of their estimated variance, equation (pan-wall).

    Args:
        terms: (B, n, p), as `Sandwich.terms`.
        rows: (q, p), contrasts.

    Returns:
        (B, q).

    Source:
        Pan and Wall (2002), Statistics in Medicine 21:1429-1441.
    """
    subjects = terms.shape[1]
    squares = (terms @ rows.T) ** 2
    mean = squares.mean(axis=1, keepdims=True)
    spread = ((squares - mean) ** 2).sum(axis=1) * subjects / (subjects - 1)
    # Subjects that all say the same leave the variance certain.
    return np.where(spread > 0, 2 * (subjects * mean[:, 0]) ** 2 / np.where(spread > 0, spread, 1.0), np.inf)


def fay_graubard_df(sandwich: Sandwich, rows: Matrix, *, corrected: bool) -> Matrix:
    """Degrees of freedom of contrasts by matching moments of their estimated variance, equation (fay-graubard-df).

    Args:
        sandwich: the fits.
        rows: (q, p), contrasts of the formula's coefficients.
        corrected: whether the covariance is Fay and Graubard's; else the plain sandwich.

    Returns:
        (B, q).

    Source:
        Fay and Graubard (2001), Biometrics 57:1198-1206, section 3, the second estimator.
    """
    back = np.linalg.inv(sandwich.basis)
    bread = sandwich.basis @ sandwich.bread @ sandwich.basis.T
    shares = back.T @ sandwich.shares.transpose(3, 2, 0, 1) @ back
    scores = sandwich.scores.transpose(2, 1, 0) @ back
    factors = sandwich.fay_graubard_factors() if corrected else np.ones_like(scores)
    results = []
    for row in rows:
        pull = bread @ row
        own = factors * pull[:, np.newaxis]
        inner = sandwich.basis.T @ row
        reach, _ = solved(sandwich.without, inner[:, np.newaxis, np.newaxis, np.newaxis])
        gains = np.einsum("p,pnb->bn", inner, reach[:, 0])
        weights = gains - (pull @ row)[:, np.newaxis]
        weights = weights / weights.sum(axis=1, keepdims=True)
        common = np.einsum("bnp,bnq->bpq", factors * scores, factors * scores)
        spread = weights[..., np.newaxis, np.newaxis] * common[:, np.newaxis]
        results.append(matched_df(bread, shares, own, spread))
    return np.stack(results, axis=-1)


def matched_df(bread: Matrix, shares: Matrix, own: Matrix, spread: Matrix) -> Vector:
    """(B,), tr(S)^2 / tr(S S) for the covariance S (n, n) of the corrected terms of one contrast.

    Args:
        bread: (B, p, p).
        shares: (B, n, p, p).
        own: (B, n, p), what multiplies each subject's estimated score.
        spread: (B, n, p, p), the estimated covariance of each subject's score.
    """
    pulled = (bread[:, np.newaxis] @ (shares @ own[..., np.newaxis]))[..., 0]
    spent = (spread @ own[..., np.newaxis])[..., 0]
    cross = spent @ np.swapaxes(pulled, -1, -2)
    joint = pulled @ spread.sum(axis=1) @ np.swapaxes(pulled, -1, -2) - cross - np.swapaxes(cross, -1, -2)
    places = np.arange(joint.shape[-1])
    joint[:, places, places] += (own * spent).sum(axis=-1)
    return np.asarray(np.trace(joint, axis1=-2, axis2=-1) ** 2 / (joint**2).sum(axis=(-1, -2)))
