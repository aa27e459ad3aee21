"""A small trial that the statistics' tests share."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def trial():
    """Twelve participants, six an arm, four visits, an age; no missing value."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"id": np.repeat([f"P{who:02d}" for who in range(12)], 4), "visit": np.tile(range(4), 12)})
    frame["arm"] = np.where(frame["id"] < "P06", "ART", "NK")
    frame["age"] = np.repeat(rng.integers(20, 60, 12), 4)
    frame["y"] = np.repeat(rng.normal(0, 1, 12), 4) + rng.normal(0, 1, 48) + 10
    return frame
