"""How often each test rejects in small trials where there is nothing to find.

Trials of two equal arms and seven visits without any effect of the arm: normal outcomes, every pair of a participant's
visits correlated by 0.5, complete or with one participant in five leaving at a visit drawn at random after the
first. The hypothesis is that of no arm-by-visit effect, tested at 5%. One method is one function in `METHODS`: it
takes `Trials` and yields `Rejections`.

    python benchmarks/type_one_error.py --trials 100000 --processes 2 --write

writes the table into docs/methods/type-one-error.md; without `--write` it prints it, from 2,000 trials unless told.
The same seed gives the same table whatever the number of processes.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from equipoise.stats import batch
from equipoise.stats.gee_covariance import COVARIANCES, DF_COVARIANCES
from equipoise.stats.mmrm_batch import arranged, mmrm_by_rule

SEED = 20180224
VISITS = 7
CORRELATION = 0.5
ALPHA = 0.05
SIZES = (10, 20, 40, 60, 80, 100, 150, 200)
SMALL = (10, 20, 40)
DF_RULES = ("kenward-roger-linear", "satterthwaite")  # unstructured and compound symmetry are linear: so is SAS's kr
DROPOUT = (0.0, 0.2)
TRIALS_A_TURN = 2_000
DRAWS = 99  # with the observed one 100, of which 5% are a whole number: the test keeps its level exactly
DRAWS_A_TURN = 40  # trials' worth
PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods" / "type-one-error.md"
OPENING, CLOSING = "<!-- table: made by benchmarks/type_one_error.py -->\n", "<!-- end of table -->\n"


@dataclass(frozen=True)
class Trials:
    """Outcomes (m, n, T), which were seen, the arm of each participant (n,), and where random numbers come from."""

    outcomes: np.ndarray
    seen: np.ndarray
    arm: np.ndarray
    dropout: float
    number: int
    rng: np.random.Generator

    @property
    def design(self) -> np.ndarray:
        """(n, T, p): intercept, arm, visit, arm by visit."""
        arm = self.arm[:, np.newaxis] * np.ones(VISITS)
        visit = np.arange(VISITS) * np.ones((len(self.arm), 1))
        return np.stack([np.ones_like(arm), arm, visit, arm * visit], axis=-1)


@dataclass(frozen=True)
class Rejections:
    """How many of how many trials a test rejected: the row and the column of the table, and its trials."""

    test: str
    reference: str
    rejected: int
    trials: int


def generalised_estimating_equations(trials: Trials) -> Iterator[Rejections]:
    """Each covariance with the normal distribution, t on clusters less coefficients, and estimated df."""
    contrast = [0.0, 0.0, 0.0, 1.0]
    observed = trials.seen if trials.dropout else None
    covariances = COVARIANCES if len(trials.arm) in SMALL else ("model", "robust", "kauermann-carroll", "mancl-derouen")
    df = ("pan-wall", "fay-graubard") if len(trials.arm) in SMALL else ()
    fits = batch.gee(
        trials.outcomes, trials.design, observed, covariances=covariances, df=df, contrasts=[contrast], tolerance=1e-6
    )
    references = {"normal": np.inf, "between": len(trials.arm) - 4.0}
    for name in covariances:
        own = references | {rule: fits.df[name, rule][:, 0] for rule in df if name in DF_COVARIANCES[rule]}
        for rule, values in own.items():
            rejected = int((fits.p_value(contrast, name, values) <= ALPHA).sum())
            yield Rejections(f"GEE {name}", rule, rejected, len(trials.outcomes))


def repeated_measures(trials: Trials) -> Iterator[Rejections]:
    """Analysis of variance of those with every visit: the interaction, uncorrected and with both corrections."""
    if len(trials.arm) not in SMALL:
        return
    known = np.where(trials.seen, trials.outcomes, np.nan)
    fits = batch.rm_anova(known, trials.arm)
    place = fits.effect("between:within")
    columns = {"uncorrected": fits.p_value, "Greenhouse-Geisser": fits.p_gg, "Huynh-Feldt": fits.p_hf}
    for name, values in columns.items():
        rejected = int((values[:, place] <= ALPHA).sum())
        yield Rejections("RM-ANOVA, complete participants", name, rejected, len(known))


def mixed_models(trials: Trials) -> Iterator[Rejections]:
    """Unstructured and compound-symmetric fits: all arm-by-visit effects at once, and the arm at the last visit."""
    if len(trials.arm) not in SMALL:
        return
    cell = np.eye(VISITS)[np.newaxis] * np.ones((len(trials.arm), 1, 1))
    design = np.concatenate([cell, cell * trials.arm[:, np.newaxis, np.newaxis]], axis=-1)
    effects = np.eye(2 * VISITS)[VISITS:]
    arrays = arranged(trials.outcomes, design, trials.seen if trials.dropout else None)
    for covariance, name in (("us", "unstructured"), ("cs", "compound symmetry")):
        fits = mmrm_by_rule(
            arrays, DF_RULES, covariance=covariance, contrasts=effects[-1:], joint=effects[1:] - effects[0]
        )
        for rule, found in fits.items():
            joint = int((found.joint_p_value[found.joint_usable] <= ALPHA).sum())
            yield Rejections(f"MMRM {name}", rule, joint, len(trials.outcomes))
        for rule, found in fits.items():
            last = int((found.p_value[found.usable, 0] <= ALPHA).sum())
            yield Rejections(f"MMRM {name}, last visit", rule, last, len(trials.outcomes))
        for rule, found in fits.items():
            yield Rejections(f"MMRM {name}", f"{rule}: has a test", int(found.joint_usable.sum()), len(trials.outcomes))


def rerandomisation(trials: Trials) -> Iterator[Rejections]:
    """The GEE estimate of arm by visit among those of re-drawn equal divisions."""
    if len(trials.arm) not in SMALL:
        return
    rejected = 0
    for start in range(0, len(trials.outcomes), DRAWS_A_TURN):
        outcomes = trials.outcomes[start : start + DRAWS_A_TURN]
        codes = trials.rng.permuted(np.broadcast_to(trials.arm, (len(outcomes), DRAWS, trials.arm.size)), axis=-1)
        codes = np.concatenate([np.broadcast_to(trials.arm, (len(outcomes), 1, trials.arm.size)), codes], axis=1)
        arm = codes[..., np.newaxis] * np.ones(VISITS)
        visit = np.broadcast_to(np.arange(VISITS) * 1.0, arm.shape)
        seen = trials.seen[start : start + len(outcomes), np.newaxis] if trials.dropout else None
        fits = batch.gee(
            outcomes[:, np.newaxis],
            np.stack([np.ones_like(arm), arm, visit, arm * visit], axis=-1),
            seen,
            covariances=(),
            tolerance=1e-6,
        )
        effects = np.abs(fits.beta[..., 3])
        share = (effects >= effects[:, :1] * (1 - 1e-9)).mean(axis=1)  # the observed one is among them
        rejected += int((share <= ALPHA).sum())
    yield Rejections("re-randomisation of the GEE estimate", f"{DRAWS} draws", rejected, len(trials.outcomes))


METHODS: tuple[Callable[[Trials], Iterator[Rejections]], ...] = (
    generalised_estimating_equations,
    repeated_measures,
    mixed_models,
    rerandomisation,
)


def simulated(clusters: int, dropout: float, trials: int) -> Iterator[Trials]:
    """Trials without an effect, some at a time; the same for the same seed whatever methods there are."""
    rng = np.random.default_rng([SEED, clusters, int(100 * dropout)])
    for number in range(0, trials, TRIALS_A_TURN):
        shape = (min(TRIALS_A_TURN, trials - number), clusters, VISITS)
        person = rng.normal(size=(*shape[:2], 1)) * np.sqrt(CORRELATION)
        outcomes = person + rng.normal(size=shape) * np.sqrt(1 - CORRELATION)
        leaves = rng.random(shape[:2]) < dropout
        last = np.where(leaves, rng.integers(1, VISITS, shape[:2]), VISITS)
        seen = np.arange(VISITS) < last[..., np.newaxis]
        arm = np.repeat([0.0, 1.0], clusters // 2)
        yield Trials(outcomes, seen, arm, dropout, number, np.random.default_rng([SEED, clusters, number]))


def counted(setting: tuple[int, float, int]) -> dict[tuple[str, str], Rejections]:
    """Every method's rejections in one setting: participants, share that leaves, trials."""
    totals: dict[tuple[str, str], Rejections] = {}
    for part in simulated(*setting):
        for method in METHODS:
            for found in method(part):
                before = totals.get((found.test, found.reference), Rejections(found.test, found.reference, 0, 0))
                totals[found.test, found.reference] = Rejections(
                    found.test, found.reference, before.rejected + found.rejected, before.trials + found.trials
                )
    return totals


def cell(found: Rejections | None) -> str:
    """A share in percent with its Monte Carlo standard error."""
    if found is None:
        return ""
    share = found.rejected / found.trials
    return f"{100 * share:.2f} ± {100 * np.sqrt(share * (1 - share) / found.trials):.2f}"


def table(settings: dict[tuple[int, float], dict[tuple[str, str], Rejections]], sizes: Sequence[int]) -> list[str]:
    """The lines of one Markdown table over the settings of these sizes."""
    columns = [key for key in settings if key[0] in sizes]
    tests = list(dict.fromkeys(test for key in columns for test in settings[key]))
    heads = [f"{clusters}, {'complete' if not dropout else f'{dropout:.0%} leave'}" for clusters, dropout in columns]
    lines = [f"| test | reference | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    for test in tests:
        cells = [cell(settings[key].get(test)) for key in columns]
        lines.append(f"| {test[0]} | {test[1]} | {' | '.join(cells)} |")
    return lines


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(description="Type I error in small trials.")
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    keys = [(clusters, dropout) for clusters in SIZES for dropout in DROPOUT]
    found = {}
    with Pool(asked.processes) as pool:
        heaviest = sorted(keys, key=lambda key: (key[0] in SMALL, *key), reverse=True)
        work = pool.imap(counted, [(*key, asked.trials) for key in heaviest])
        for key, counts in zip(heaviest, work, strict=True):
            found[key] = counts
            print(f"{key[0]} participants, {key[1]:.0%} dropout: done", file=sys.stderr, flush=True)
    settings = {key: found[key] for key in keys}
    larger = [size for size in SIZES if size not in SMALL]
    lines = [
        f"Seed {SEED}, {asked.trials:,} trials a column: "
        f"`python benchmarks/type_one_error.py --trials {asked.trials} --write`. "
        "Percent of trials rejected at 5%, ± its Monte Carlo standard error.",
        "",
        *table(settings, SMALL),
        "",
        "The GEE in larger trials:",
        "",
        *table(settings, larger),
    ]
    text = "\n".join(lines) + "\n"
    if not asked.write:
        print(text)
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(OPENING)
    _, _, after = rest.partition(CLOSING)
    PAGE.write_text(before + OPENING + text + CLOSING + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
