"""Multiple imputation of longitudinal outcomes, missing at random or by reference to another arm.

A base model of all visits is fitted or drawn from its posterior; each subject's missing outcomes are then drawn, or
taken as their mean, given the subject's known ones under the strategy of its arm.
Equations: docs/methods/imputation.md.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from narwhals.typing import IntoDataFrame

from equipoise.stats.frames import named_rows, opened
from equipoise.stats.imputation_data import (
    Delta,
    Event,
    Longitudinal,
    Names,
    Strategy,
    covariate_names,
    deltas,
    read,
)
from equipoise.stats.imputation_model import COVARIANCES, Parameters, conditional_draws, likeliest, posed, posterior
from equipoise.stats.imputation_sets import DELTA_RULES, Imputed, counted
from equipoise.stats.imputation_strategies import SENTENCES, Distribution, marginal
from equipoise.stats.mmrm_engine import Index
from equipoise.stats.refusals import BadSample, UnknownChoice, choose, is_whole
from equipoise.stats.rubin import FEWEST_DRAWS
from equipoise.stats.samples import Matrix

METHODS = ("bayes", "conditional-mean")
DRAWS = 100
STEPS = 100


def impute(
    data: IntoDataFrame,
    *,
    subject: str,
    visit: str,
    outcome: str,
    arm: str,
    covariates: str | Sequence[str] = (),
    reference: Any = None,
    strategy: Strategy = "mar",
    method: str = "bayes",
    covariance: str = "common",
    draws: int | None = None,
    steps: int = STEPS,
    delta: Delta = None,
    delta_for: str = "after-event",
    ice: Event = None,
    seed: int | np.random.Generator | None = None,
) -> Imputed:
    """Complete a longitudinal outcome of a trial.

    Args:
        data: pandas or polars, one row a subject and visit; a missing outcome is empty, or its row is not there.
        subject: the column that says whose row it is.
        visit: the column of the visit: numbers, or categories in the order of the visits. The baseline is no visit; it
            goes into the covariates.
        outcome: the column that is imputed, in units of its own.
        arm: the column of the arm.
        covariates: columns known before allocation, one value a subject; each has an effect of its own at each visit.
        reference: the arm that strategies refer to and that others are compared with.
        strategy: mar, jump-to-reference, copy-reference, copy-increments or last-mean-carried-forward, for all arms or
            by arm (mar where an arm is not named). It holds from the intercurrent event on; what is missing before is
            imputed as missing at random.
        method: `bayes` draws parameters from their posterior and outcomes given them; `conditional-mean` imputes means
            at the restricted maximum likelihood estimate, once with everyone and once without each subject.
        covariance: `common` to the arms, which then share the covariates' effects too, or `by-arm`, each arm by itself.
        draws: completed sets, 100 unless given; for bayes alone.
        steps: of data augmentation, where a value is missing before a known one; for bayes alone.
        delta: added to imputed values, by arm a number or a mapping by visit, in the outcome's units.
        delta_for: `after-event`, imputed values from the intercurrent event on, or `all-imputed`.
        ice: the first visit that the intercurrent event affects, by subject, or a column that is true from there on.
            None takes the visit after the last one with an outcome. Outcomes known after the event are kept; unless the
            strategy is mar, the base model does without them.
        seed: an integer or a generator; bayes needs one.

    Returns:
        The completed sets; `.ancova(visit)` and `.analyse(function)` give the pooled result.

    Raises:
        StatisticsRefusal: each defect of the arguments or the data, by name.

    Source:
        Carpenter, Roger and Kenward (2013), Journal of Biopharmaceutical Statistics 23:1352-1371; Wolbers et al.
        (2022), Pharmaceutical Statistics 21:1246-1257.
    """
    choose("method", method, METHODS)
    choose("covariance", covariance, COVARIANCES)
    choose("delta_for", delta_for, DELTA_RULES)
    check_method(method, draws, steps, seed)
    frame = opened(data)
    names = Names(subject, visit, outcome, arm, covariate_names(covariates))
    long = read(frame, names, reference=reference, strategy=strategy, ice=ice)
    refuse_nothing_to_carry(long)
    model = posed(long, covariance, spare=int(method == "conditional-mean"))
    n = len(long.subjects)
    if method == "bayes":
        generator = np.random.default_rng(seed)
        left_out = np.full(DRAWS if draws is None else draws, -1, dtype=np.intp)
        values = completed(long, posterior(model, len(left_out), steps, generator), generator)
    else:
        left_out = np.arange(-1, n, dtype=np.intp)
        weights = (left_out[:, np.newaxis] != np.arange(n)).astype(np.float64)
        values = completed(long, likeliest(model, weights), None)
    return Imputed(
        long.subjects,
        long.visits,
        long.arms,
        values,
        deltas(long, delta),
        delta_for,
        left_out,
        counted(long, frame),
        n,
        int(long.seen.sum()),
        int((~long.seen).sum()),
        sentence(long, method, covariance, len(left_out)),
        notes(long),
        long,
        frame,
    )


def check_method(method: str, draws: int | None, steps: int, seed: int | np.random.Generator | None) -> None:
    """Refuse draws and seeds that do not go with the method.

    Raises:
        UnknownChoice: draws or a seed for conditional means, which have none.
        BadSample: no seed or one that is none, fewer than two draws, or no step.
    """
    if method == "conditional-mean":
        for name, given in (("draws", draws), ("seed", seed)):
            if given is not None:
                raise UnknownChoice(
                    name,
                    None,
                    "does not go with conditional-mean, which draws nothing",
                    "leave it out, or use method bayes",
                )
        return
    if seed is None:
        raise BadSample(
            "seed", None, "is needed by method bayes", "give an integer, so that the draws can be made again"
        )
    if not isinstance(seed, np.random.Generator) and not (is_whole(seed) and seed >= 0):
        raise BadSample("seed", seed, "is not a seed", "give a whole number of 0 or more, or a numpy.random.Generator")
    if draws is not None and (not is_whole(draws) or draws < FEWEST_DRAWS):
        raise BadSample("draws", draws, "is not a number of sets to pool", "give 2 or more, such as 100")
    if not is_whole(steps) or steps < 1:
        raise BadSample("steps", steps, "is not a number of steps", "give 1 or more, such as 100")


def refuse_nothing_to_carry(long: Longitudinal) -> None:
    """Refuse to carry a mean forward from before the first visit."""
    carried = np.array([name == "last-mean-carried-forward" for name in long.strategies])[long.arm]
    early = np.flatnonzero(carried & (long.event == 0) & ~long.seen.all(axis=1))
    if early.size:
        who = named_rows([str(long.subjects[place]) for place in early])
        raise BadSample(
            "strategy",
            "last-mean-carried-forward",
            f"has no visit before the intercurrent event of {who} to carry forward",
            "use another strategy, or leave these subjects out",
        )


def completed(long: Longitudinal, parameters: Parameters, generator: np.random.Generator | None) -> Matrix:
    """(D, missing), the imputed values; equations (strategies) and (conditional).

    Args:
        long: what was read.
        parameters: D of them.
        generator: the source of the draws; conditional means without one.
    """
    slots = np.cumsum(~long.seen.ravel()).reshape(long.seen.shape) - 1
    values = np.zeros((len(parameters.coefficients), int((~long.seen).sum())))
    for who in alike(long):
        first = int(who[0])
        code, event = int(long.arm[first]), int(long.event[first])
        covariates = long.covariates[who]
        own = Distribution(parameters.mean(covariates, code), parameters.covariance[:, code])
        other = code if long.reference is None else long.reference
        reference = Distribution(parameters.mean(covariates, other), parameters.covariance[:, other])
        under = marginal(long.strategies[code], own, reference, event)
        known, missing = np.flatnonzero(long.seen[first]), np.flatnonzero(~long.seen[first])
        values[:, slots[who[:, np.newaxis], missing]] = conditional_draws(
            long.outcome[np.newaxis, who], under.mean, under.covariance, known, missing, generator
        )
    return values


def alike(long: Longitudinal) -> Iterator[Index]:
    """Subjects with something missing, by arm, event and which visits were seen."""
    keys = np.column_stack([long.arm, long.event, long.seen])
    _, of_subject = np.unique(keys, axis=0, return_inverse=True)
    for place in range(int(of_subject.max()) + 1):
        who = np.flatnonzero(of_subject.ravel() == place)
        if not long.seen[who[0]].all():
            yield who


def sentence(long: Longitudinal, method: str, covariance: str, sets: int) -> str:
    """What was done, in one sentence for the report."""
    shared = "one covariance" if covariance == "common" else "each arm by itself"
    model = f"a multivariate normal model of {len(long.visits)} visits, unstructured, {shared}"
    how = (
        f"{sets} draws from the posterior of {model} (Rubin 1987; Schafer 1997)"
        if method == "bayes"
        else f"conditional means under {model}, restricted maximum likelihood (Wolbers et al. 2022)"
    )
    by_arm = [f"{arm} {SENTENCES[name]}" for arm, name in zip(long.arms, long.strategies, strict=True)]
    missing = int((~long.seen).sum())
    refers = "" if long.reference is None else f", reference {long.arms[long.reference]}"
    cited = "" if set(long.strategies) == {"mar"} else " (Carpenter, Roger and Kenward 2013)"
    return (
        f"Imputation of {missing} missing outcomes of {missing + int(long.seen.sum())}, {len(long.subjects)} subjects: "
        f"{how}; {', '.join(by_arm)}{refers}{cited}"
    )


def notes(long: Longitudinal) -> tuple[str, ...]:
    """What a reader must know of what was kept and of who has no outcome."""
    found = []
    kept = int((long.seen & long.affected).sum())
    if kept:
        aside = int((long.seen & np.isnan(long.modelled)).sum())
        found.append(
            f"Outcomes known after an intercurrent event: {kept}, all kept; the base model did without {aside}"
        )
    silent = int((~long.seen.any(axis=1)).sum())
    if silent:
        found.append(f"Subjects without any outcome: {silent}, imputed from arm and covariates alone")
    return tuple(found)
