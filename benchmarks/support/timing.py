"""The least time of several runs: what the machine can do when nothing else disturbs it."""

import time
from collections.abc import Callable


def least_seconds(act: Callable[[], object], runs: int = 5) -> float:
    """Wall time of the fastest of several runs, after one that warms the caches."""
    act()
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
