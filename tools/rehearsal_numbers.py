"""Simulate many trials of the rehearsal's outcome model and print the table of docs/methods/rehearsal.md.

    python tools/rehearsal_numbers.py [TRIALS]        10,000 by default: about two minutes

Complete data, 20 people of examples/nk-hiv/protocol.yaml in each trial. The numbers tell what a rehearsal may show,
and how often each analysis of twenty people finds an effect where there is none.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from equipoise.design.virtual_outcomes import draw_outcomes
from equipoise.protocol import Protocol, load
from equipoise.protocol.rehearsal import OutcomeModel
from equipoise.stats import batch

Array = NDArray[np.float64]

CHECKOUT = Path(__file__).resolve().parents[1]
PROTOCOL = CHECKOUT / "examples" / "nk-hiv" / "protocol.yaml"
SEED = 20180201
PEOPLE = 20
OUTCOMES = ("blood.cd4", "blood.cd8")
CORRECTED = "kauermann-carroll"


@dataclass(frozen=True, slots=True)
class Trials:
    """Simulated trials: who got NK + ART (trials, people), and each outcome by visit (trials, people, visits)."""

    treated: NDArray[np.bool_]
    outcomes: dict[str, Array]


def simulate(protocol: Protocol, trials: int, *, simple: bool, effect: bool) -> Trials:
    """Draw the trials; ten in each arm, or by the toss of a coin for each person (two in each arm at least)."""
    assert protocol.rehearsal is not None
    model = protocol.rehearsal.outcomes
    rng = np.random.default_rng([SEED, int(simple), int(effect)])
    visits = [visit.id for visit in protocol.visits if visit.id in model.curves[0].means["ART"]]
    factors = np.array(
        [person(protocol, model, visits, rng) for _ in range(trials * PEOPLE)]
    )  # (people, outcomes, visits)
    factors = factors.reshape(trials, PEOPLE, len(OUTCOMES), len(visits))
    treated = allocate(trials, rng, simple=simple)
    curves = {curve.item: curve for curve in model.curves}
    outcomes = {}
    for place, item in enumerate(OUTCOMES):
        means = {arm: np.array([float(curves[item].means[arm][visit]) for visit in visits]) for arm in ("NKART", "ART")}
        mean = np.where(treated[:, :, None] & effect, means["NKART"], means["ART"])
        outcomes[item] = np.round(mean * factors[:, :, place])
    return Trials(treated, outcomes)


def person(protocol: Protocol, model: OutcomeModel, visits: list[str], rng: np.random.Generator) -> list[list[float]]:
    """One person's multipliers of the means, by outcome and visit."""
    drawn = draw_outcomes(protocol, model, rng).multipliers
    return [[drawn[item, visit] for visit in visits] for item in OUTCOMES]


def allocate(trials: int, rng: np.random.Generator, *, simple: bool) -> NDArray[np.bool_]:
    """Who gets NK + ART."""
    if not simple:
        return np.broadcast_to(np.arange(PEOPLE) < PEOPLE // 2, (trials, PEOPLE))
    treated = rng.random((trials, PEOPLE)) < 0.5
    while (few := np.abs(2 * treated.sum(axis=1) - PEOPLE) > PEOPLE - 4).any():
        treated[few] = rng.random((int(few.sum()), PEOPLE)) < 0.5
    return treated


def month_24(trials: Trials) -> tuple[Array, Array, Array]:
    """Difference, standard error and P of Student's t test of CD4 at the last visit."""
    y, treated = trials.outcomes["blood.cd4"][:, :, -1], trials.treated
    n = treated.sum(axis=1), (~treated).sum(axis=1)
    means = [np.where(arm, y, 0).sum(axis=1) / size for arm, size in zip((treated, ~treated), n, strict=True)]
    squares = sum(
        np.where(arm, (y - mean[:, None]) ** 2, 0).sum(axis=1)
        for arm, mean in zip((treated, ~treated), means, strict=True)
    )
    error = np.sqrt(squares / (PEOPLE - 2) * (1 / n[0] + 1 / n[1]))
    difference = means[0] - means[1]
    return difference, error, 2 * stats.t.sf(np.abs(difference / error), PEOPLE - 2)


def over_follow_up(trials: Trials, y: Array) -> tuple[Array, Array, dict[str, Array]]:
    """GEE coefficient of the arm, its usual robust standard error, and P by three references."""
    follow_up = y[:, :, 1:]
    ones = np.ones(follow_up.shape)
    design = np.stack([ones, ones * trials.treated[:, :, None]], axis=-1)
    fit = batch.gee(follow_up, design, covariances=("robust", CORRECTED), tolerance=1e-6)
    assert fit.usable.all()
    usual, corrected = (np.abs(fit.statistic([0, 1], name)) for name in ("robust", CORRECTED))
    p_values = {
        "usual, normal": 2 * stats.norm.sf(usual),
        "usual, t": 2 * stats.t.sf(usual, PEOPLE - 2),
        "corrected, t": 2 * stats.t.sf(corrected, PEOPLE - 2),
    }
    return fit.beta[:, 1], np.sqrt(fit.covariances["robust"][:, 1, 1]), p_values


def rows(trials: Trials) -> list[tuple[str, str]]:
    """The table's rows for one scenario."""
    difference, error, p_value = month_24(trials)
    table = [
        ("CD4 at month 24: mean difference (mean SE; SD of the difference)", three(difference, error)),
        ("Student's t: P < 0.05", share(p_value)),
    ]
    ratio = trials.outcomes["blood.cd4"] / trials.outcomes["blood.cd8"]
    for name, y in (("CD4", trials.outcomes["blood.cd4"]), ("CD8", trials.outcomes["blood.cd8"]), ("ratio", ratio)):
        beta, usual, p_values = over_follow_up(trials, y)
        places = 4 if name == "ratio" else 1
        table.append((f"GEE, {name}: mean coefficient (mean usual SE; SD)", three(beta, usual, places)))
        table.append((f"GEE, {name}: median P, usual SE with normal", f"{np.median(p_values['usual, normal']):.3f}"))
        table += [(f"GEE, {name}: P < 0.05, {reference}", share(p)) for reference, p in p_values.items()]
    return table


def three(estimates: Array, errors: Array, places: int = 1) -> str:
    """Mean estimate, mean standard error and the estimates' own SD."""
    return f"{estimates.mean():.{places}f} ({errors.mean():.{places}f}; {estimates.std(ddof=1):.{places}f})"


def share(p_values: Array) -> str:
    """The share below 0.05, in per cent."""
    return f"{100 * (p_values < 0.05).mean():.1f}%"


def main(trials: int) -> None:
    """Simulate the three scenarios and print the table in Markdown."""
    protocol = load(PROTOCOL)
    scenarios = {
        "model, 10 and 10": simulate(protocol, trials, simple=False, effect=True),
        "model, simple randomisation": simulate(protocol, trials, simple=True, effect=True),
        "no effect, 10 and 10": simulate(protocol, trials, simple=False, effect=False),
    }
    columns = [rows(each) for each in scenarios.values()]
    print(f"{trials} trials of {PEOPLE} people each, seed {SEED}")
    print("| | " + " | ".join(scenarios) + " |")
    print("|---" * (len(scenarios) + 1) + "|")
    for parts in zip(*columns, strict=True):
        print("| " + " | ".join([parts[0][0], *(text for _, text in parts)]) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
