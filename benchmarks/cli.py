"""How soon the command line answers: `equipoise --help`, from start to exit.

Target: a median of 0.3 s. The ratio to an empty Python tells a slow machine from a slow command.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

TARGET_SECONDS = 0.3
RUNS = 20


def median_seconds(command: list[str], runs: int = RUNS) -> float:
    """Median wall time of a command over its runs, after one that warms the disk cache."""
    seconds = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def main() -> None:
    """Print the table."""
    empty = median_seconds([sys.executable, "-c", "pass"])
    helped = median_seconds([str(Path(sys.executable).with_name("equipoise")), "--help"])
    verdict = "within" if helped <= TARGET_SECONDS else "OVER"
    print(f"{'command':<24}{'median s':>10}{'ratio':>8}   target")
    print(f"{'python -c pass':<24}{empty:>10.3f}{1:>8.1f}")
    print(f"{'equipoise --help':<24}{helped:>10.3f}{helped / empty:>8.1f}   {TARGET_SECONDS} s: {verdict}")
