"""Time an R expression inside R, so that its start does not count."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

RUNS = 5
SCRIPT = """
arguments <- commandArgs(TRUE)
d <- read.csv(arguments[1], stringsAsFactors = TRUE)
{setup}
seconds <- sapply(seq_len({runs}), function(run) {{ gc(FALSE); unname(system.time({expression})["elapsed"]) }})
cat(sprintf("%.6f", min(seconds)))
"""


def r_has(packages: Sequence[str]) -> bool:
    """Whether an R with these packages is here."""
    if shutil.which("Rscript") is None:
        return False
    test = " && ".join(f'requireNamespace("{package}", quietly = TRUE)' for package in packages)
    done = subprocess.run(["Rscript", "--vanilla", "-e", f"cat({test})"], capture_output=True, text=True, check=False)
    return done.stdout.strip().endswith("TRUE")


def r_seconds(data: pd.DataFrame, packages: Sequence[str], expression: str, setup: str = "") -> float | None:
    """The least of a few runs of an R expression on the data frame `d`; None without R or its packages.

    Args:
        data: written as CSV, read before the clock starts.
        packages: attached before the clock starts.
        expression: what is timed.
        setup: what is run before.
    """
    if not r_has(packages):
        return None
    attach = "\n".join(f"suppressMessages(library({package}))" for package in packages)
    with tempfile.TemporaryDirectory() as folder:
        table, script = Path(folder) / "data.csv", Path(folder) / "script.R"
        data.to_csv(table, index=False)
        script.write_text(SCRIPT.format(setup=f"{attach}\n{setup}", expression=expression, runs=RUNS), encoding="utf-8")
        threads = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        done = subprocess.run(
            ["Rscript", "--vanilla", str(script), str(table)], capture_output=True, text=True, check=True, env=threads
        )
    return float(done.stdout.strip().split()[-1])


def shown(seconds: float | None) -> str:
    """A time with its unit, or a dash."""
    if seconds is None:
        return "-"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def print_head() -> None:
    """The head of the table that `print_row` fills."""
    print(f"{'what':<58}{'ours':>10}{'R':>10}{'R/ours':>8}   target")


def print_row(what: str, ours: float, r: float | None, target: float | str) -> None:
    """One row: a target in seconds, or how many times faster than R as text such as `5x R`."""
    ratio = "-" if r is None else f"{r / ours:.1f}"
    if isinstance(target, str):
        wanted = float(target.partition("x")[0])
        verdict = "no R here" if r is None else "within" if r / ours >= wanted else "OVER"
        print(f"{what:<58}{shown(ours):>10}{shown(r):>10}{ratio:>8}   {target}: {verdict}")
    else:
        verdict = "within" if ours <= target else "OVER"
        print(f"{what:<58}{shown(ours):>10}{shown(r):>10}{ratio:>8}   {shown(target)}: {verdict}")
