"""A trial of repeated measures drawn from a seed, which the properties of the mixed model share."""

import numpy as np
import pandas as pd
import pytest


def draw(seed, n, gaps):
    """A long frame of n people in two arms, three visits, an age, weights and missing visits."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat([f"P{who:02d}" for who in range(n)], 3), "visit": np.tile((0, 2, 6), n)})
    frame["arm"] = np.repeat(np.where(np.arange(n) % 2, "NK", "ART"), 3)
    frame["age"] = np.repeat(rng.integers(20, 60, n), 3)
    frame["w"] = rng.uniform(0.5, 2.0, 3 * n).round(2)
    noise = rng.normal(size=(n, 3)) * [1.0, 1.3, 1.7]
    noise[:, 2] += 0.5 * noise[:, 1]
    frame["y"] = 100 + 8 * (rng.normal(size=(n, 1)) + noise).ravel()
    frame.loc[rng.random(3 * n) < gaps, "y"] = np.nan
    return frame


@pytest.fixture(scope="session")
def drawn():
    """`drawn(seed, n, gaps)`: the trial of that seed."""
    return draw
