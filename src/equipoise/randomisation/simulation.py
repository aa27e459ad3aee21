"""Simulate minimisation, whose state is every factor level's counts, on newcomers with random levels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.randomisation.imbalance import Imbalance
from equipoise.randomisation.methods import Minimisation


@dataclass(frozen=True, slots=True)
class Simulated:
    """Means over simulated trials of n participants in two equal arms, with their standard errors."""

    imbalance: tuple[tuple[int, float], ...]
    variance: float
    variance_error: float
    guesses: float
    guesses_error: float


def simulate_minimisation(method: Minimisation, n: int, levels: Sequence[int], runs: int, seed: int) -> Simulated:
    """Run the method on many trials at once.

    Args:
        method: for two arms.
        n: participants in each trial.
        levels: how many levels each factor has, each equally likely and independent of the others.
        runs: trials, at least 2.
        seed: of NumPy's PCG64; the same seed gives the same numbers.
    """
    random = np.random.default_rng(seed)
    trials = np.arange(runs)
    differences = [np.zeros((runs, number), dtype=np.int64) for number in levels]  # A minus B at each level
    overall = np.zeros(runs, dtype=np.int64)
    guesses = np.zeros(runs)
    for _ in range(n):
        at = [random.integers(number, size=runs) for number in levels]
        here = [table[trials, level] for table, level in zip(differences, at, strict=True)]
        toward_a = -np.sign(_lean(method, here))  # +1 where A leaves the smaller imbalance, 0 where neither
        follows = np.where(random.integers(method.p.denominator, size=runs) < method.p.numerator, 1, -1)
        coin = np.where(random.integers(2, size=runs) == 0, 1, -1)
        given = np.where(toward_a == 0, coin, toward_a * follows)
        guesses += np.where(overall == 0, 0.5, np.sign(overall) == -given)
        overall += given
        for table, level in zip(differences, at, strict=True):
            table[trials, level] += given
    squares = (overall**2).astype(float)
    sizes, numbers = np.unique(np.abs(overall), return_counts=True)
    return Simulated(
        imbalance=tuple((int(size), int(number) / runs) for size, number in zip(sizes, numbers, strict=True)),
        variance=float(squares.mean()),
        variance_error=float(squares.std(ddof=1) / math.sqrt(runs)),
        guesses=float(guesses.mean()),
        guesses_error=float(guesses.std(ddof=1) / math.sqrt(runs)),
    )


def _lean(method: Minimisation, here: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The imbalance with A minus that with B for each trial: its sign, since two arms' measures are |d| or d^2."""
    lean = np.zeros_like(here[0])
    for (_, weight), difference in zip(method.weights, here, strict=True):
        if method.imbalance is Imbalance.VARIANCE:
            lean += weight * 4 * difference
        else:
            lean += weight * (np.abs(difference + 1) - np.abs(difference - 1))
    return lean
