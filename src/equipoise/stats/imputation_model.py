"""The base model of an imputation: normal outcomes, each visit with its own coefficients, unstructured covariance.

Either one covariance for all arms and effects of the covariates that arms share, or each arm by itself. Two ways to
its parameters: restricted maximum likelihood, by the engine of `mmrm`, for many weightings of the subjects at once; and
draws from the posterior, exact where what is missing follows what is known, by monotone data augmentation where not.
Equations: docs/methods/imputation.md.
Shapes: D weightings or draws, A arms, n subjects, T visits, q covariates, r columns of a model (q, or q with arms).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.frames import named_rows
from equipoise.stats.imputation_data import Longitudinal
from equipoise.stats.mmrm_engine import Index, Problem, Solution, solve, transposed
from equipoise.stats.mmrm_rows import cells_of
from equipoise.stats.mmrm_structures import Array, Structure, covariance_by_group, structure_of
from equipoise.stats.refusals import BadSample, NotConverged, NotIdentified, RankDeficient
from equipoise.stats.samples import Matrix, Vector

COVARIANCES = ("common", "by-arm")
DEPENDENT = 1e-8  # relative length of what a column adds to the columns before it
NO_RESIDUAL = 1e-10  # root mean square residual relative to the outcome's
FULL_LEVERAGE = 1 - 1e-10
NUMBERS_A_BLOCK = 400_000


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """Of each arm: `coefficients` (D, A, q, T) of the covariates, `covariance` (D, A, T, T) of the visits."""

    coefficients: Array
    covariance: Array

    def mean(self, covariates: Matrix, arm: int) -> Array:
        """(D, m, T), of subjects with these covariates (m, q) in an arm."""
        return np.asarray(covariates @ self.coefficients[:, arm])


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Subjects who share a model: all of them, or an arm.

    `members` (m,) are places among the n; `design` (m, r) has orthogonal columns of mean square one; `back` (r, r)
    turns its coefficients into those of the covariates (q of them) followed by those of `arms[1:]`.
    """

    members: Index
    design: Matrix
    back: Matrix
    outcome: Matrix
    arms: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What the base model is fitted to, the outcome without its mean and divided by its standard deviation."""

    long: Longitudinal
    parts: tuple[Part, ...]
    shift: float
    scale: float


def posed(long: Longitudinal, covariance: str, *, spare: int) -> Model:
    """The model of what was read.

    Args:
        long: what was read.
        covariance: common or by-arm.
        spare: how many subjects must be dispensable at each visit: one for the jackknife, else none.

    Raises:
        RankDeficient: covariates that repeat one another among those seen at a visit.
        NotIdentified: too few subjects at a visit, two visits that nobody has together, or a subject that cannot be
            spared.
        BadSample: a visit without variation about the model.
    """
    outcome = long.modelled
    known = outcome[~np.isnan(outcome)]
    shift = float(known[0] + (known - known[0]).mean())
    scale = float(np.sqrt(((known - shift) ** 2).mean()))
    if scale == 0:
        raise BadSample(
            "outcome", long.names.outcome, "has the same value everywhere", "there is nothing to impute from"
        )
    standard = (outcome - shift) / scale
    arms = range(len(long.arms))
    groups = [tuple(arms)] if covariance == "common" else [(arm,) for arm in arms]
    parts = []
    for group in groups:
        members = np.flatnonzero(np.isin(long.arm, group))
        indicators = (long.arm[members, np.newaxis] == np.array(group[1:], dtype=np.intp)).astype(np.float64)
        columns = np.concatenate([long.covariates[members], indicators], axis=1)
        design, back = orthogonal(columns, [*long.columns, *(f"arm {long.arms[arm]}" for arm in group[1:])])
        parts.append(Part(members, design, back, standard[members], group))
        check_part(long, parts[-1], spare)
    return Model(long, tuple(parts), shift, scale)


def orthogonal(columns: Matrix, labels: list[str]) -> tuple[Matrix, Matrix]:
    """The columns (m, r) made orthogonal with mean square one, and the way back.

    Raises:
        RankDeficient: a column that is a combination of those before it.
    """
    centres = np.concatenate([[0.0], columns[0, 1:] + (columns - columns[0])[:, 1:].mean(axis=0)])
    lengths = np.sqrt(((columns - centres) ** 2).mean(axis=0))
    lengths = np.where(lengths > 0, lengths, 1.0)
    move = np.eye(len(labels))
    move[0] -= centres
    move = move / lengths
    scaled = (columns - centres) / lengths
    q, triangle = np.linalg.qr(scaled)
    added = np.zeros(len(labels))
    added[: min(triangle.shape)] = np.abs(np.diag(triangle)) / np.sqrt(len(columns))
    refuse_dependent(added, labels, "")
    size = np.sqrt(len(columns))
    return np.asarray(q * size), np.asarray(move @ np.linalg.inv(triangle) * size)


def refuse_dependent(added: Vector, labels: list[str], where: str) -> None:
    """Refuse columns that add nothing to those before them."""
    dependent = [label for label, length in zip(labels, added, strict=True) if length < DEPENDENT]
    if dependent:
        raise RankDeficient(
            "covariates",
            None,
            f"make {', '.join(dependent)} a combination of the columns before{where}",
            "drop a covariate, or merge categories that are rare",
        )


def check_part(long: Longitudinal, part: Part, spare: int) -> None:
    """Refuse what these subjects cannot determine, by visit."""
    seen = ~np.isnan(part.outcome)
    r = part.design.shape[1]
    who = f" of arm {long.arms[part.arms[0]]}" if len(part.arms) == 1 else ""
    for visit, label in enumerate(long.visits):
        own = part.design[seen[:, visit]]
        needed = r + visit + 1 + spare
        if len(own) < needed:
            raise NotIdentified(
                "base model",
                None,
                f"needs {needed} subjects{who} with an outcome at visit {label}, and there are {len(own)}",
                "drop covariates, or leave visits out",
            )
        q, triangle = np.linalg.qr(own)
        columns = [*long.columns, *(f"arm {long.arms[arm]}" for arm in part.arms[1:])]
        refuse_dependent(np.abs(np.diag(triangle)) / np.sqrt(len(own)), columns, f" at visit {label}")
        outcome = part.outcome[seen[:, visit], visit]
        residual = outcome - q @ (q.T @ outcome)
        if np.sqrt((residual**2).mean()) <= NO_RESIDUAL * np.sqrt((outcome**2).mean()):
            raise BadSample(
                "visit",
                label,
                "has outcomes that the covariates predict exactly",
                "leave the baseline visit's rows out",
            )
        if spare:
            refuse_indispensable(long, part.members[seen[:, visit]], (q**2).sum(axis=1), label)
    refuse_apart(long, seen, who, spare)


def refuse_apart(long: Longitudinal, seen: NDArray[np.bool_], who: str, spare: int) -> None:
    """Refuse pairs of visits that too few subjects (m, T) have together."""
    together = seen.T.astype(np.intp) @ seen
    pairs = [(a, b) for b in range(len(together)) for a in range(b) if together[a, b] <= spare]
    if pairs:
        few = "no subject" if spare == 0 else "no more than one subject"
        named = named_rows([f"{long.visits[a]} with {long.visits[b]}" for a, b in pairs])
        raise NotIdentified(
            "base model", None, f"is not determined: {few}{who} has an outcome at {named}", "leave a visit out"
        )


def refuse_indispensable(long: Longitudinal, members: Index, leverage: Vector, label: object) -> None:
    """Refuse subjects whom the jackknife cannot leave out."""
    alone = [str(long.subjects[who]) for who in members[leverage > FULL_LEVERAGE]]
    if alone:
        raise NotIdentified(
            "method",
            "conditional-mean",
            f"leaves out each subject, and {named_rows(alone)} determines a coefficient alone at visit {label}",
            "drop a covariate, merge categories that are rare, or use method bayes",
        )


def likeliest(model: Model, weights: Matrix) -> Parameters:
    """Restricted maximum likelihood estimates for each weighting of the subjects; equation (weights).

    Args:
        model: what is fitted.
        weights: (D, n), how often each subject counts.

    Raises:
        NotConverged: an iteration that did not settle.
    """
    visits = len(model.long.visits)
    found: list[tuple[Array, Array]] = []
    for part in model.parts:
        coefficients, covariance = [], []
        for problem in problems(part, weights[:, part.members], visits):
            solution = solve(problem)
            check_settled(solution)
            coefficients.append(solution.state.beta.reshape(len(solution.state.beta), -1, visits))
            covariance.append(covariance_by_group(problem.structure, solution.state.theta, 1)[:, 0])
        found.append((np.concatenate(coefficients), np.concatenate(covariance)))
    return in_units(model, found)


def check_settled(solution: Solution) -> None:
    """Refuse a fit that did not settle."""
    if not solution.converged.all():
        raise NotConverged(
            "method",
            "conditional-mean",
            "needs fits of the base model, with everyone and without each subject, and not all settle",
            "drop covariates, leave visits with few outcomes out, or use method bayes",
        )


def unstructured(labels: Sequence[Any]) -> Structure:
    """The covariance structure of the base model."""
    return structure_of("us", labels, np.arange(len(labels), dtype=np.float64))


def problems(part: Part, weights: Matrix, visits: int) -> Iterator[Problem]:
    """The engine's problems, a block of weightings (D, m) at a time."""
    r = part.design.shape[1]
    structure = unstructured(range(visits))
    seen = ~np.isnan(part.outcome)
    kept = np.flatnonzero(seen.any(axis=1))
    cells = cells_of(seen[kept], np.zeros(len(kept), dtype=np.intp))
    members = [kept[cells.of_subject == cell] for cell in range(len(cells.seen))]
    functions = np.zeros((r, visits, r * visits))
    for column in range(r):
        functions[column, range(visits), column * visits + np.arange(visits)] = 1.0
    values = np.concatenate([part.design, np.where(seen, part.outcome, 0.0)], axis=1)
    rows = sum(min(len(own), r) for own in members)
    size = max(1, NUMBERS_A_BLOCK // (rows * visits * r * visits))
    for begin in range(0, len(weights), size):
        block = weights[begin : begin + size]
        design, outcome, owner, rest = [], [], [], []
        for cell, own in enumerate(members):
            weighted = np.sqrt(block[:, own])[..., np.newaxis] * values[own]
            triangle: Array = np.asarray(np.linalg.qr(weighted, mode="r") if len(own) > r else weighted)
            top, below = triangle[:, :r], triangle[:, r:, r:]
            mask = cells.seen[cell][:, np.newaxis]
            design.append((top[..., :r] @ functions.reshape(r, -1)).reshape(len(block), -1, visits, r * visits) * mask)
            outcome.append(top[..., r:])
            owner.append(np.full(top.shape[1], cell))
            rest.append(transposed(below) @ below)
        yield Problem(
            np.concatenate(design, axis=1),
            np.concatenate(outcome, axis=1),
            np.concatenate(owner)[np.newaxis],
            np.stack(rest, axis=1),
            np.stack([block[:, own].sum(axis=1) for own in members], axis=1),
            cells.seen[np.newaxis],
            cells.group[np.newaxis],
            1,
            structure,
            True,
        )


def in_units(model: Model, found: list[tuple[Array, Array]]) -> Parameters:
    """Parameters by arm and in the user's units, from those of each part: (D, r, T) and (D, T, T)."""
    q = model.long.covariates.shape[1]
    draws, visits = len(found[0][0]), len(model.long.visits)
    coefficients = np.zeros((draws, len(model.long.arms), q, visits))
    covariance = np.zeros((draws, len(model.long.arms), visits, visits))
    for part, (turned, spread) in zip(model.parts, found, strict=True):
        plain = part.back @ turned * model.scale
        for place, arm in enumerate(part.arms):
            coefficients[:, arm] = plain[:, :q]
            coefficients[:, arm, 0] += model.shift
            if place:
                coefficients[:, arm, 0] += plain[:, q + place - 1]
            covariance[:, arm] = spread * model.scale**2
    return Parameters(coefficients, covariance)


def posterior(model: Model, draws: int, steps: int, generator: np.random.Generator) -> Parameters:
    """Independent draws from the posterior of the base model; equations (posterior) and (augmentation).

    Args:
        model: what is fitted.
        draws: D.
        steps: of data augmentation, where a value is missing before a known one.
        generator: the source of the draws.

    Raises:
        NotIdentified: a completed visit that is a combination of the visits before it.

    Source:
        Rubin (1987), Multiple Imputation for Nonresponse in Surveys, pages 166-168; Schafer (1997), Analysis of
        Incomplete Multivariate Data, section 6.5.
    """
    return in_units(model, [part_posterior(part, draws, steps, generator) for part in model.parts])


def part_posterior(part: Part, draws: int, steps: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """(D, r, T) and (D, T, T), drawn for the subjects who share a model."""
    seen = ~np.isnan(part.outcome)
    visits = seen.shape[1]
    length = np.where(seen.any(axis=1), visits - seen[:, ::-1].argmax(axis=1), 0)
    gap = ~seen & (np.arange(visits) < length[:, np.newaxis])
    broken = gap.any(axis=1)
    rows = np.concatenate([part.design, np.where(seen, part.outcome, 0.0)], axis=1)
    whole = [cross_product(rows[~broken & (length > visit)]) for visit in range(visits)]
    counts = [int((length > visit).sum()) for visit in range(visits)]
    if not broken.any():
        return sequential([each[np.newaxis] for each in whole], counts, part.design.shape[1], draws, generator)
    own = np.repeat(rows[broken][np.newaxis], draws, axis=0)
    fill = Gaps(part.design[broken], seen[broken], gap[broken])
    r = part.design.shape[1]
    state = start(part, draws)
    for _ in range(steps):
        own[..., r:] = fill.filled(own[..., r:], *state, generator)
        state = sequential(
            [whole[visit] + cross_product(own[:, length[broken] > visit]) for visit in range(visits)],
            counts,
            r,
            draws,
            generator,
        )
    return state


def start(part: Part, draws: int) -> tuple[Array, Array]:
    """Where data augmentation starts: the restricted maximum likelihood estimate, (D, r, T) and (D, T, T)."""
    visits = part.outcome.shape[1]
    problem = next(problems(part, np.ones((1, len(part.design))), visits))
    state = solve(problem).state
    coefficients = state.beta.reshape(1, -1, visits)
    covariance = covariance_by_group(problem.structure, state.theta, 1)[:, 0]
    return np.repeat(coefficients, draws, axis=0), np.repeat(covariance, draws, axis=0)


def cross_product(rows: Array) -> Array:
    """(..., k, k), of rows (..., m, k)."""
    return np.asarray(transposed(rows) @ rows)


def sequential(
    crosses: list[Array], counts: list[int], r: int, draws: int, generator: np.random.Generator
) -> tuple[Array, Array]:
    """One draw of the regressions of each visit on the covariates and the visits before; equation (posterior).

    Args:
        crosses: T of them, (D or 1, r + T, r + T), sums of cross-products over the subjects who reach the visit.
        counts: how many these are.
        r: columns of the covariates.
        draws: D.
        generator: the source of the draws.

    Returns:
        Coefficients (D, r, T) of the marginal means, and the covariance (D, T, T).
    """
    visits = len(crosses)
    on_covariates = np.zeros((draws, r, visits))
    on_visits = np.zeros((draws, visits, visits))
    spread = np.zeros((draws, visits))
    for visit, (cross, count) in enumerate(zip(crosses, counts, strict=True)):
        k = r + visit
        factor = factored(cross[:, : k + 1, : k + 1])
        freedom = count - k
        spread[:, visit] = factor[:, k, k] / np.sqrt(generator.chisquare(freedom, draws))
        noise = spread[:, visit, np.newaxis] * generator.standard_normal((draws, k))
        drawn = np.linalg.solve(transposed(factor[:, :k, :k]), (factor[:, k, :k] + noise)[..., np.newaxis])[..., 0]
        on_covariates[..., visit] = drawn[:, :r]
        on_visits[:, visit, :visit] = drawn[:, r:]
    # Each visit less what the visits before predict: (I - on_visits) y = on_covariates' z + spread e.
    unravel: Array = np.asarray(np.linalg.inv(np.eye(visits) - on_visits))
    half = unravel * spread[:, np.newaxis]
    return on_covariates @ transposed(unravel), half @ transposed(half)


def factored(cross: Array) -> Array:
    """The Cholesky factor of cross-products (D, k, k).

    Raises:
        NotIdentified: when a column is a combination of the others.
    """
    try:
        return np.asarray(np.linalg.cholesky(cross))
    except np.linalg.LinAlgError:
        raise NotIdentified(
            "base model",
            None,
            "has a singular covariance: a visit is a combination of other visits",
            "leave a visit out, or check for copied columns",
        ) from None


class Gaps:
    """Values missing before a known one, drawn again at each step of data augmentation.

    Args:
        design: (m, r), of the subjects with such gaps.
        seen: (m, T).
        gap: (m, T).
    """

    def __init__(self, design: Matrix, seen: NDArray[np.bool_], gap: NDArray[np.bool_]) -> None:
        self.design = design
        patterns, of_subject = np.unique(np.concatenate([seen, gap], axis=1), axis=0, return_inverse=True)
        visits = seen.shape[1]
        self.patterns = [
            (np.flatnonzero(of_subject.ravel() == place), np.flatnonzero(row[:visits]), np.flatnonzero(row[visits:]))
            for place, row in enumerate(patterns)
        ]

    def filled(self, outcome: Array, coefficients: Array, covariance: Array, generator: np.random.Generator) -> Array:
        """The outcomes (D, m, T) with the gaps drawn given what is known and the parameters."""
        new = outcome.copy()
        for who, known, missing in self.patterns:
            mean = self.design[who] @ coefficients
            new[:, who[:, np.newaxis], missing] = conditional_draws(
                outcome[:, who], mean, covariance, known, missing, generator
            )
        return new


def conditional_draws(
    outcome: Array,
    mean: Array,
    covariance: Array,
    known: Index,
    missing: Index,
    generator: np.random.Generator | None,
) -> Array:
    """(D, m, missing), drawn given what is known, or the conditional means without a generator; equation (conditional).

    Args:
        outcome: (D or 1, m, T); what is not known is not read.
        mean: (D, m, T).
        covariance: (D, T, T).
        known: places of visits.
        missing: places of visits.
        generator: the source of the draws.
    """
    across = covariance[:, known[:, np.newaxis], missing]
    slope: Array = np.asarray(np.linalg.solve(covariance[:, known[:, np.newaxis], known], across))
    centre = mean[..., missing] + (outcome[..., known] - mean[..., known]) @ slope
    if generator is None:
        return np.asarray(centre)
    left = covariance[:, missing[:, np.newaxis], missing] - transposed(slope) @ across
    root = factored(np.asarray((left + transposed(left)) / 2))
    return np.asarray(centre + generator.standard_normal(centre.shape) @ transposed(root))
