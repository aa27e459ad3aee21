"""How often each test rejects in small trials where there is nothing to find.

Trials of two equal arms and seven visits without any effect of the arm: normal outcomes, every pair of a participant's
visits correlated by 0.5, complete or with one participant in five leaving at a visit drawn at random after the
first. The hypothesis is that of no arm-by-visit effect, tested at 5%. One method is one function in `METHODS`: it
takes `Trials` and yields `Rejections`.

    python benchmarks/type_one_error.py --trials 100000 --processes 2 --write

writes the table into docs/methods/type-one-error.md; without `--write` it prints it, from 2,000 trials unless told.
`--methods mixed_model --sizes 20 --dropout 0` runs a part, whose cells alone are written. A setting is one process's,
so that the numbers are the same for any number of processes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from equipoise.stats import batch
from equipoise.stats.gee_covariance import COVARIANCES, DF_COVARIANCES
from equipoise.stats.mmrm_batch import mmrm_by_rule

SEED = 20180224
VISITS = 7
CORRELATION = 0.5
ALPHA = 0.05
SIZES = (10, 20, 40, 60, 80, 100, 150, 200)
SMALL = (10, 20, 40)
DROPOUT = (0.0, 0.2)
TRIALS_A_TURN = 2_000
DRAWS = 99  # with the observed one 100, of which 5% are a whole number: the test keeps its level exactly
DRAWS_A_TURN = 40  # trials' worth
PAGE = Path(__file__).resolve().parent.parent / "docs" / "methods" / "type-one-error.md"
Cells = dict[tuple[str, str, str], str]  # by test, reference and head of the column
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
    """How many of how many trials a test rejected, by the row of the table.

    `usable` is in how many trials the test could be made, None where that is not told.
    """

    test: str
    reference: str
    rejected: int
    trials: int
    usable: int | None = None

    def __add__(self, other: "Rejections") -> "Rejections":
        usable = None if self.usable is None or other.usable is None else self.usable + other.usable
        rejected, trials = self.rejected + other.rejected, self.trials + other.trials
        return Rejections(self.test, self.reference, rejected, trials, usable)


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


def mixed_model(trials: Trials) -> Iterator[Rejections]:
    """An unstructured covariance, arm and visit as factors: the six contrasts of arm by visit, and the last visit's."""
    if len(trials.arm) not in SMALL:
        return
    visit = np.broadcast_to(np.eye(VISITS), (len(trials.arm), VISITS, VISITS))
    visit = np.concatenate([np.ones((len(trials.arm), VISITS, 1)), visit[..., 1:]], axis=-1)
    design = np.concatenate([visit, trials.arm[:, np.newaxis, np.newaxis] * visit], axis=-1)
    by_arm = np.eye(2 * VISITS)[VISITS:]
    fits = mmrm_by_rule(
        trials.outcomes,
        design,
        trials.seen if trials.dropout else None,
        rules=("satterthwaite", "kenward-roger-linear", "kenward-roger"),
        contrasts=by_arm[:1] + by_arm[-1:],
        joint=by_arm[1:],
    )
    many = len(trials.outcomes)
    for rule, fit in fits.items():
        rejected, usable = int((fit.joint_p_value <= ALPHA).sum()), int(fit.joint_usable.sum())
        yield Rejections("MMRM unstructured, arm by visit", rule, rejected, many, usable)
    for rule, fit in fits.items():
        rejected, usable = int((fit.p_value <= ALPHA).sum()), int(fit.usable.sum())
        yield Rejections("MMRM unstructured, arm at visit 6", rule, rejected, many, usable)


METHODS: tuple[Callable[[Trials], Iterator[Rejections]], ...] = (
    generalised_estimating_equations,
    repeated_measures,
    rerandomisation,
    mixed_model,
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


def counted(setting: tuple[int, float], trials: int, methods: Sequence[str]) -> Cells:
    """The cells of one setting's column."""
    began = time.perf_counter()
    totals: dict[tuple[str, str], Rejections] = {}
    for part in simulated(*setting, trials):
        for method in METHODS:
            for found in method(part) if method.__name__ in methods else ():
                row = found.test, found.reference
                totals[row] = totals[row] + found if row in totals else found
    print(f"{head(setting)}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return {(*row, head(setting)): cell(found) for row, found in totals.items()}


def head(setting: tuple[int, float]) -> str:
    """The head of a setting's column."""
    clusters, dropout = setting
    return f"{clusters}, {'complete' if not dropout else f'{dropout:.0%} leave'}"


def cell(found: Rejections) -> str:
    """A share in percent with its Monte Carlo standard error, and that of trials with a test where it is told."""
    share = found.rejected / found.trials
    error = np.sqrt(share * (1 - share) / found.trials)
    usable = "" if found.usable is None else f" ({100 * found.usable / found.trials:.2f})"
    return f"{100 * share:.2f} ± {100 * error:.2f}{usable}"


def table(cells: Cells, sizes: Sequence[int]) -> list[str]:
    """The lines of one Markdown table over the settings of these sizes; none where no cell is of them."""
    heads = [head((size, dropout)) for size in sizes for dropout in DROPOUT]
    heads = [name for name in heads if any(name == key[2] for key in cells)]
    rows = dict.fromkeys(key[:2] for key in cells if key[2] in heads)
    if not heads:
        return []
    lines = [f"| test | reference | {' | '.join(heads)} |", f"|---|---|{'---|' * len(heads)}"]
    return lines + [f"| {' | '.join((*row, *(cells.get((*row, name), '') for name in heads)))} |" for row in rows]


def read_cells(text: str) -> Cells:
    """The cells of the tables in a text."""
    cells: Cells = {}
    heads: list[str] = []
    for line in text.splitlines():
        entries = [entry.strip() for entry in line.strip("|").split("|")]
        if line.startswith("| test |"):
            heads = entries[2:]
        elif line.startswith("| "):
            found = zip(heads, entries[2:], strict=True)
            cells |= {(entries[0], entries[1], name): entry for name, entry in found if entry}
    return cells


def report(cells: Cells, trials: int) -> str:
    """What is printed, or stands in the page."""
    lines = [opening_line(trials), "", *table(cells, SMALL)]
    if larger := table(cells, [size for size in SIZES if size not in SMALL]):
        lines += ["", "The GEE in larger trials:", "", *larger]
    return "\n".join(lines) + "\n"


def opening_line(trials: int) -> str:
    """How the table was made."""
    return (
        f"Seed {SEED}, {trials:,} trials a column: "
        f"`python benchmarks/type_one_error.py --trials {trials} --write`. "
        "Percent of trials rejected at 5%, ± its Monte Carlo standard error."
    )


def write(cells: Cells, trials: int) -> None:
    """Put the cells into the page, whose others stay if they are of as many trials."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(OPENING)
    made, _, after = rest.partition(CLOSING)
    kept = read_cells(made) if made.startswith(opening_line(trials)) else {}
    PAGE.write_text(before + OPENING + report(kept | cells, trials) + CLOSING + after, encoding="utf-8")


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables, or write them into the page."""
    names = [method.__name__ for method in METHODS]
    parser = argparse.ArgumentParser(description="Type I error in small trials.")
    parser.add_argument("--trials", type=int, default=2_000)
    parser.add_argument("--methods", nargs="+", choices=names, default=names)
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--dropout", type=float, nargs="+", choices=DROPOUT, default=DROPOUT)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(arguments)
    settings = [(size, dropout) for size in asked.sizes for dropout in asked.dropout]
    count = partial(counted, trials=asked.trials, methods=asked.methods)
    cells: Cells = {}
    with ProcessPoolExecutor(asked.processes) as processes:
        for found in processes.map(count, settings):
            cells |= found
    if asked.write:
        write(cells, asked.trials)
    else:
        print(report(cells, asked.trials))


if __name__ == "__main__":
    main(sys.argv[1:])
