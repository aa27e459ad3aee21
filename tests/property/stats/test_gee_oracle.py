"""GEE against a plain second implementation: one subject at a time, T by T matrices, as the papers write it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import linalg, special

from equipoise import stats
from equipoise.stats.refusals import NotConverged, NotIdentified, Separation, TooFewClusters

MEANS = {
    "gaussian": (lambda eta: eta, np.ones_like, np.ones_like),
    "binomial": (special.expit, lambda mu: mu * (1 - mu), lambda mu: mu * (1 - mu)),
    "poisson": (np.exp, lambda mu: mu, lambda mu: mu),
    "gamma": (lambda eta: 1 / eta, lambda mu: mu**2, lambda mu: -(mu**2)),
}
WORKINGS = ("independence", "exchangeable", "ar1", "toeplitz", "2-dependent", "unstructured")


def trial(seed, n, visits, gaps, family):
    """A long frame of one simulated trial with two arms, a covariate and missing visits."""
    rng = np.random.default_rng(seed)
    person = rng.normal(size=n)
    rows = []
    for who in range(n):
        age = round(float(rng.normal()), 3)
        for visit in range(visits):
            level = 0.4 * person[who] + rng.normal()
            outcome = {
                "gaussian": 100 + 20 * level,
                "binomial": float(level > 0),
                "poisson": float(rng.poisson(np.exp(0.8 + 0.3 * person[who]))),
                "gamma": float(rng.gamma(4, np.exp(0.2 * person[who]))) + 0.1,
            }[family]
            rows.append((f"P{who:02d}", visit, "NK" if who % 2 else "ART", age, outcome))
    frame = pd.DataFrame(rows, columns=["id", "visit", "arm", "age", "y"])
    frame.loc[rng.random(len(frame)) < gaps, "y"] = np.nan
    return frame


class Plain:
    """Each subject's matrices at given coefficients, scale and working correlation."""

    def __init__(self, frame, fit, family):
        known = frame.dropna(subset="y").sort_values(["id", "visit"])
        mean, variance, slope = MEANS[family]
        self.k, self.p, self.n_rows = known["id"].nunique(), fit.beta.size, len(known)
        self.visits = sorted(known["visit"].unique())
        self.d, self.v, self.e, self.a, self.places = [], [], [], [], []
        for _, own in known.groupby("id"):
            x = np.column_stack([np.ones(len(own)), own["arm"] == "NK", own["visit"], own["age"]]).astype(float)
            mu = mean(x @ fit.beta + own.get("offset", 0.0))
            places = [self.visits.index(visit) for visit in own["visit"]]
            root = np.diag(np.sqrt(variance(mu) / own.get("weight", 1.0)))
            self.places.append(places)
            self.d.append(slope(mu)[:, np.newaxis] * x)
            self.a.append(root)
            self.v.append(fit.scale * root @ fit.working_correlation[np.ix_(places, places)] @ root)
            self.e.append(own["y"].to_numpy() - mu)
        self.bread = np.linalg.inv(sum(d.T @ np.linalg.inv(v) @ d for d, v in zip(self.d, self.v, strict=True)))

    def score(self):
        return sum(d.T @ np.linalg.solve(v, e) for d, v, e in zip(self.d, self.v, self.e, strict=True))

    def pearson(self):
        """(K, T), Pearson residuals by visit, NaN where not seen."""
        table = np.full((self.k, len(self.visits)), np.nan)
        for row, places, a, e in zip(table, self.places, self.a, self.e, strict=True):
            row[places] = e / np.diag(a)
        return table

    def sandwich(self, correct):
        """The sandwich with each subject's residuals corrected by `correct(H, e)`."""
        meat = np.zeros((self.p, self.p))
        for d, v, e in zip(self.d, self.v, self.e, strict=True):
            hat = d @ self.bread @ d.T @ np.linalg.inv(v)
            u = d.T @ np.linalg.solve(v, correct(hat, e))
            meat += np.outer(u, u)
        return self.bread @ meat @ self.bread

    def fay_graubard_terms(self, bound=0.75):
        for d, v, e in zip(self.d, self.v, self.e, strict=True):
            share = d.T @ np.linalg.solve(v, d)
            own = np.zeros(self.p) if bound is None else np.minimum(bound, np.diag(share @ self.bread))
            factor = np.diag((1 - own) ** -0.5)
            yield factor, share, d.T @ np.linalg.solve(v, e)

    def pooled(self, residuals, spent):
        """Pan's pooled covariance of Pearson residuals, by pairs of visits."""
        visits = len(self.visits)
        common = np.zeros((visits, visits))
        for j in range(visits):
            for k in range(visits):
                both = ~np.isnan(residuals[:, j]) & ~np.isnan(residuals[:, k])
                if both.any():
                    common[j, k] = (residuals[both, j] * residuals[both, k]).sum() / (both.sum() - spent)
        meat = np.zeros((self.p, self.p))
        for d, v, a, places in zip(self.d, self.v, self.a, self.places, strict=True):
            pull = d.T @ np.linalg.inv(v) @ a
            meat += pull @ common[np.ix_(places, places)] @ pull.T
        return self.bread @ meat @ self.bread

    def wang_long_residuals(self):
        table = np.full((self.k, len(self.visits)), np.nan)
        for row, places, d, v, a, e in zip(table, self.places, self.d, self.v, self.a, self.e, strict=True):
            hat = d @ self.bread @ d.T @ np.linalg.inv(v)
            row[places] = np.linalg.solve(np.eye(len(e)) - hat, e) / np.diag(a)
        return table

    def morel_bokossa_neerchal(self):
        plain = self.sandwich(lambda hat, e: e)
        c = (self.n_rows - 1) / (self.n_rows - self.p) * self.k / (self.k - 1)
        delta = min(0.5, self.p / (self.k - self.p))
        effect = max(1.0, c * np.trace(np.linalg.inv(self.bread) @ plain) / self.p)
        return c * plain + delta * effect * self.bread

    def fay_graubard_df(self, row, corrected):
        """The degrees of freedom of one contrast by Kp by Kp matrices, as in section 3 of the paper."""
        terms = list(self.fay_graubard_terms(0.75 if corrected else None))
        k, p = self.k, self.p
        total = sum(share for _, share, _ in terms)
        gather = np.eye(k * p) - np.vstack([share for _, share, _ in terms]) @ self.bread @ np.hstack([np.eye(p)] * k)
        picks = [factor @ self.bread @ np.outer(row, row) @ self.bread @ factor for factor, _, _ in terms]
        form = gather.T @ linalg.block_diag(*picks) @ gather
        weights = np.array([row @ (np.linalg.inv(total - share) - self.bread) @ row for _, share, _ in terms])
        common = sum(np.outer(factor @ u, factor @ u) for factor, _, u in terms)
        spread = linalg.block_diag(*[weight / weights.sum() * common for weight in weights])
        product = spread @ form
        return np.trace(product) ** 2 / np.trace(product @ product)


def fitted(frame, family, working, **beside):
    """The fit, or a random case that the fit rightly refuses set aside."""
    formula = "y ~ arm + visit + age"
    try:
        return stats.gee(formula, frame, cluster="id", time="visit", family=family, working=working, **beside)
    except (NotIdentified, NotConverged, Separation, TooFewClusters):
        assume(False)


def assert_near(ours, theirs, tolerance=1e-7):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * np.abs(theirs).max())


CASES = {
    "seed": st.integers(0, 2**32 - 1),
    "n": st.integers(7, 16),
    "visits": st.integers(2, 5),
    "gaps": st.sampled_from([0.0, 0.1, 0.3]),
    "family": st.sampled_from(sorted(MEANS)),
    "working": st.sampled_from(WORKINGS),
}


@settings(max_examples=40)
@given(**CASES)
def test_fit_solves_the_equations_of_liang_and_zeger(seed, n, visits, gaps, family, working):
    frame = trial(seed, n, visits, gaps, family)
    fit = fitted(frame, family, working)
    plain = Plain(frame, fit, family)
    # The score in standard errors: how far the solution is from where it should be.
    assert plain.score() @ plain.bread @ plain.score() < 1e-14 * plain.p
    residuals = plain.pearson()
    assert fit.scale == pytest.approx(np.nansum(residuals**2) / (plain.n_rows - plain.p), rel=1e-9)


@settings(max_examples=40)
@given(**CASES)
def test_working_correlation_is_the_moment_estimate(seed, n, visits, gaps, family, working):
    frame = trial(seed, n, visits, gaps, family)
    fit = fitted(frame, family, working)
    plain = Plain(frame, fit, family)
    residuals, t = plain.pearson(), len(plain.visits)
    pairs = [(j, k) for j in range(t) for k in range(j + 1, t)]

    def alpha(chosen):
        products = np.concatenate([residuals[:, j] * residuals[:, k] for j, k in chosen])
        known = products[~np.isnan(products)]
        return known.sum() / (known.size - plain.p) / fit.scale

    def expected(j, k):
        lag = k - j
        if working == "independence" or (working == "2-dependent" and lag > 2):
            return 0.0
        if working == "exchangeable":
            return alpha(pairs)
        if working == "ar1":
            return alpha([pair for pair in pairs if pair[1] - pair[0] == 1]) ** lag
        return alpha([(j, k)] if working == "unstructured" else [pair for pair in pairs if pair[1] - pair[0] == lag])

    for j, k in pairs:
        assert fit.working_correlation[j, k] == pytest.approx(expected(j, k), abs=1e-7)
        assert fit.working_correlation[k, j] == fit.working_correlation[j, k]


def toeplitz_of(visits):
    return linalg.toeplitz(0.6 ** np.arange(visits))


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(34, 44),
    visits=st.integers(3, 4),
    working=st.sampled_from([*WORKINGS[2:], "given"]),
    leavers=st.booleans(),
    beside=st.booleans(),
)
def test_sums_by_pairs_of_visits_solve_the_papers_equations(seed, n, visits, working, leavers, beside):
    frame = trial(seed, n, visits, 0.0, "gaussian")
    rng = np.random.default_rng(seed)
    if leavers:
        frame.loc[frame["visit"].eq(visits - 1) & (rng.random(len(frame)) < 0.3), "y"] = np.nan
    names = {}
    if beside:
        frame["weight"], frame["offset"] = rng.uniform(0.5, 2, len(frame)), 5 * rng.normal(size=len(frame))
        names = {"weights": "weight", "offset": "offset"}
    fit = fitted(frame, "gaussian", toeplitz_of(visits) if working == "given" else working, **names)
    assert fit.estimates.sandwich.posed.laid.pairs_are_fewer
    plain = Plain(frame, fit, "gaussian")
    assert plain.score() @ plain.bread @ plain.score() < 1e-14 * plain.p
    assert fit.scale == pytest.approx(np.nansum(plain.pearson() ** 2) / (plain.n_rows - plain.p), rel=1e-10)
    assert_near(fit.with_covariance("model").covariance, plain.bread, 1e-10)
    assert_near(fit.robust_covariance, plain.sandwich(lambda hat, e: e), 1e-10)
    md = plain.sandwich(lambda hat, e: np.linalg.solve(np.eye(len(e)) - hat, e))
    assert_near(fit.with_covariance("mancl-derouen").covariance, md, 1e-10)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    working=st.sampled_from([*WORKINGS[2:], "given"]),
    share=st.tuples(*[st.booleans()] * 4),
    scale=st.sampled_from([None, "pearson-n", 2.5]),
)
def test_sums_by_pairs_of_visits_give_what_the_observations_give(seed, working, share, scale):
    # Patterns that each fit brings for itself go by observations, the same patterns given once by sums.
    rng, (fits, n, visits, p) = np.random.default_rng(seed), (3, 48, 4, 4)
    own_design, weighted, shifted, leavers = share
    seen = np.arange(visits) < np.where(rng.random(n) < 0.3 * leavers, visits - 1, visits)[:, np.newaxis]
    x = rng.normal(size=(fits if own_design else 1, n, visits, p))
    x[..., 0] = 1.0
    y = 100 + 15 * rng.normal(size=(fits, n, 1)) + 20 * rng.normal(size=(fits, n, visits))
    given_to_both = {
        "working": toeplitz_of(visits) if working == "given" else working,
        "covariances": ["robust", "mancl-derouen", "pan"],
        "weights": rng.uniform(0.5, 2, (n, visits)) if weighted else None,
        "offset": 5 * rng.normal(size=(fits, n, visits)) if shifted else None,
        "scale": scale,
    }
    by_sums = stats.batch.gee(y, x, seen, **given_to_both)
    by_observations = stats.batch.gee(y, x, np.broadcast_to(seen, y.shape), **given_to_both)
    np.testing.assert_array_equal(by_sums.usable, by_observations.usable)
    assume(by_sums.usable.all())
    assert_near(by_sums.beta, by_observations.beta, 1e-10)
    assert_near(by_sums.scale, by_observations.scale, 1e-10)
    for name, matrix in by_observations.covariances.items():
        assert_near(by_sums.covariances[name], matrix, 1e-10)


@settings(max_examples=40)
@given(**CASES)
def test_covariances_are_the_papers(seed, n, visits, gaps, family, working):
    frame = trial(seed, n, visits, gaps, family)
    fit = fitted(frame, family, working)
    plain = Plain(frame, fit, family)
    identity = {"robust": 1.0, "df-adjusted": plain.k / (plain.k - plain.p)}
    for name, factor in identity.items():
        assert_near(fit.with_covariance(name).covariance, factor * plain.sandwich(lambda hat, e: e))
    assert_near(fit.with_covariance("model").covariance, plain.bread)
    kc = plain.sandwich(lambda hat, e: np.real(linalg.inv(linalg.sqrtm(np.eye(len(e)) - hat))) @ e)
    md = plain.sandwich(lambda hat, e: np.linalg.solve(np.eye(len(e)) - hat, e))
    assert_near(fit.with_covariance("kauermann-carroll").covariance, kc)
    assert_near(fit.with_covariance("mancl-derouen").covariance, md)
    average = fit.with_covariance("kc-md-average").covariance
    assert_near(np.sqrt(np.diag(average)), (np.sqrt(np.diag(kc)) + np.sqrt(np.diag(md))) / 2)
    meat = sum(np.outer(factor @ u, factor @ u) for factor, _, u in plain.fay_graubard_terms())
    assert_near(fit.with_covariance("fay-graubard").covariance, plain.bread @ meat @ plain.bread)
    assert_near(fit.with_covariance("morel-bokossa-neerchal").covariance, plain.morel_bokossa_neerchal())


@settings(max_examples=30)
@given(**CASES | {"gaps": st.sampled_from([0.0, 0.1]), "n": st.integers(10, 16)})
def test_pooled_covariances_are_the_papers(seed, n, visits, gaps, family, working):
    frame = trial(seed, n, visits, gaps, family)
    fit = fitted(frame, family, working)
    plain = Plain(frame, fit, family)
    for name, residuals, spent in (
        ("pan", plain.pearson(), 0),
        ("gosho-sato-takeuchi", plain.pearson(), plain.p),
        ("wang-long", plain.wang_long_residuals(), 0),
    ):
        try:
            ours = fit.with_covariance(name).covariance
        except NotIdentified:
            assume(False)
        assert_near(ours, plain.pooled(residuals, spent))


@settings(max_examples=25)
@given(**CASES | {"n": st.integers(7, 11)})
def test_degrees_of_freedom_are_the_papers(seed, n, visits, gaps, family, working):
    frame = trial(seed, n, visits, gaps, family)
    fit = fitted(frame, family, working)
    plain = Plain(frame, fit, family)
    for name, corrected in (("robust", False), ("fay-graubard", True)):
        ours = fit.with_covariance(name, df="fay-graubard").df
        theirs = [plain.fay_graubard_df(row, corrected) for row in np.eye(plain.p)]
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    terms = np.array([d.T @ np.linalg.solve(v, e) for d, v, e in zip(plain.d, plain.v, plain.e, strict=True)])
    squares = (terms @ plain.bread) ** 2
    theirs = 2 * squares.sum(axis=0) ** 2 / (plain.k * squares.var(axis=0, ddof=1))
    np.testing.assert_allclose(fit.with_covariance("robust", df="pan-wall").df, theirs, rtol=1e-6)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 2**32 - 1),
    family=st.sampled_from(["gaussian", "poisson"]),
    working=st.sampled_from(["exchangeable", "ar1"]),
    own_gaps=st.booleans(),
)
def test_a_batch_is_its_fits_one_by_one(seed, family, working, own_gaps):
    frames = [trial(seed + number, 9, 4, 0.15, family) for number in range(3)]
    if not own_gaps:
        for frame in frames[1:]:
            frame["y"] = frame["y"].where(frames[0]["y"].notna(), np.nan)
            assume(frame["y"].notna().sum() > 20)
    fits = [fitted(frame, family, working) for frame in frames]
    y = np.stack([frame["y"].to_numpy().reshape(9, 4) for frame in frames])
    designs = []
    for frame in frames:
        columns = [np.ones(36), frame["arm"] == "NK", frame["visit"], frame["age"]]
        designs.append(np.column_stack(columns).astype(float).reshape(9, 4, 4))
    seen = ~np.isnan(y)
    batch = stats.batch.gee(
        np.nan_to_num(y), np.stack(designs), seen, family=family, working=working, covariances=["kauermann-carroll"]
    )
    assert batch.usable.all()
    for number, fit in enumerate(fits):
        assert_near(batch.beta[number], fit.beta)
        assert_near(batch.covariances["kauermann-carroll"][number], fit.covariance)
        assert batch.statistic([0, 1, 0, 0], "kauermann-carroll")[number] == pytest.approx(
            float(fit.coefficients["statistic"][1]), rel=1e-6
        )
