"""How fast laboratory values are graded: a million rows of text, under both scales.

Target: 5 s for each; seconds far above those of the CPU tell of a busy machine. Values, limits and baselines differ
from row to row; one value in a hundred is a detection limit and one in a hundred is missing.
"""

import resource
import time

import numpy as np
import pandas as pd

from equipoise.safety.grade_table import grade_values
from equipoise.safety.scales import scale_named

SEED = 11
ROWS = 1_000_000
TARGET_SECONDS = 5.0
# parameter, unit, LLN, ULN, places, spread of the logarithm
TESTS = (
    ("HGB", "g/L", 120, 160, 0, 0.3),
    ("NEUT", "10*9/L", 1.8, 7.5, 2, 0.6),
    ("PLAT", "10*9/L", 125, 350, 0, 0.5),
    ("CD4", "/uL", 400, 1600, 0, 0.8),
    ("ALT", "U/L", 5, 40, 0, 0.9),
    ("AST", "U/L", 5, 40, 0, 0.9),
    ("BILI", "umol/L", 3, 20, 1, 0.7),
    ("CREAT", "umol/L", 50, 110, 1, 0.4),
    ("EGFR", "mL/min/1.73 m2", 90, 130, 1, 0.3),
    ("GLUC", "mmol/L", 3.9, 6.1, 1, 0.4),
    ("TRIG", "mmol/L", 0.5, 1.7, 2, 0.7),
    ("SODIUM", "mmol/L", 135, 145, 1, 0.05),
    ("K", "mmol/L", 3.5, 5.1, 1, 0.2),
    ("LIPASE", "U/L", 10, 60, 1, 0.9),
)


def table(rows: int, seed: int) -> pd.DataFrame:
    """A table as laboratories send it, all text."""
    rng = np.random.default_rng(seed)
    which = rng.integers(len(TESTS), size=rows)
    low, high, spread = (np.array([float(test[place]) for test in TESTS])[which] for place in (2, 3, 5))
    places = np.array([test[4] for test in TESTS])[which]
    middle = np.sqrt(low * high)
    values, baselines = (middle * np.exp(spread * rng.normal(size=rows)) for _ in range(2))
    scale = rng.uniform(0.95, 1.05, size=rows)  # laboratories differ
    texts = [f"{value:.{digits}f}" for value, digits in zip(values, places, strict=True)]
    for row in rng.integers(rows, size=rows // 100):
        texts[row] = "<" + texts[row]
    for row in rng.integers(rows, size=rows // 100):
        texts[row] = ""
    return pd.DataFrame(
        {
            "parameter": np.array([test[0] for test in TESTS], dtype=object)[which],
            "value": np.array(texts, dtype=object),
            "unit": np.array([test[1] for test in TESTS], dtype=object)[which],
            "lln": np.array([f"{each:.1f}" for each in low * scale], dtype=object),
            "uln": np.array([f"{each:.1f}" for each in high * scale], dtype=object),
            "baseline": np.array([f"{each:.1f}" for each in baselines], dtype=object),
            "sex": np.array(["F", "M"], dtype=object)[rng.integers(2, size=rows)],
            "age": rng.integers(18, 75, size=rows).astype(str).astype(object),
            "fasting": np.array(["yes", "no", ""], dtype=object)[rng.integers(3, size=rows)],
            "hiv": np.full(rows, "yes", dtype=object),
        }
    )


def main() -> None:
    """Print the table."""
    frame = table(ROWS, SEED)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'scale':<12}{'rows':>10}{'seconds':>9}{'of CPU':>8}{'peak MiB':>10}   target")
    for name in ("daids-2.1", "ctcae-5.0"):
        scale = scale_named(name)
        started, worked = time.perf_counter(), time.process_time()
        grades = grade_values(scale, frame)
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        verdict = "within" if seconds <= TARGET_SECONDS else "OVER"
        print(f"{name:<12}{len(grades):>10,}{seconds:>9.2f}{cpu:>8.2f}{peak:>10.0f}   {TARGET_SECONDS} s: {verdict}")
        print("  " + ", ".join(f"{grade} {count:,}" for grade, count in grades["grade"].value_counts().items()))
    print(f"  of the peak {before:.0f} MiB are the table itself, with the libraries")


if __name__ == "__main__":
    main()
