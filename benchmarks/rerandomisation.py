"""How fast re-randomisation is: drawing a trial's allocations again, and fitting a GEE to each."""

import numpy as np
from support.beside_r import print_head, print_row
from support.timing import least_seconds

from equipoise.randomisation import Place, parse_method, redraw
from equipoise.stats import batch

SEED = 7
SUBJECTS, VISITS = 20, 7
DRAWS = 100_000
DRAWN_FROM_SECRETS = 2_000  # times ten: what a plan asks for
TURN = 5_000  # designs in memory at once


def statistics(y: np.ndarray, codes: np.ndarray, covariances: tuple[str, ...]) -> np.ndarray:
    """The GEE estimate of the arm, or its t, for codes (R, n)."""
    found = []
    for start in range(0, len(codes), TURN):
        arms = np.broadcast_to(codes[start : start + TURN, :, np.newaxis], (min(TURN, len(codes) - start), *y.shape))
        fits = batch.gee(y, np.stack([np.ones_like(arms), arms], axis=-1), covariances=covariances, tolerance=1e-8)
        found.append(fits.statistic([0.0, 1.0], covariances[0]) if covariances else fits.beta[:, 1])
    return np.concatenate(found)


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(SEED)
    y = rng.normal(size=(SUBJECTS, 1)) + rng.normal(size=(SUBJECTS, VISITS))
    blocks = parse_method("permuted_blocks", ("ART", "NK"), {"ART": 1, "NK": 1}, block_sizes=[4, 6])
    places = [Place()] * SUBJECTS
    codes = redraw(blocks, places, DRAWS, SEED).astype(float)
    print_head()
    for name, covariances in (("estimate", ()), ("t, robust", ("robust",)), ("t, Mancl-DeRouen", ("mancl-derouen",))):
        seconds = least_seconds(lambda covariances=covariances: statistics(y, codes, covariances), runs=2)
        print_row(f"{DRAWS} re-randomisations, {SUBJECTS} x {VISITS}, GEE {name}", seconds, None, 3.0)
    draws = 10 * DRAWN_FROM_SECRETS
    for name, method, where in (
        ("permuted blocks", blocks, places),
        (
            "minimisation",
            parse_method("minimisation", ("ART", "NK"), {"ART": 1, "NK": 1}, factors=["sex", "site"]),
            [Place("", {"sex": "FM"[number % 2], "site": "ABC"[number % 3]}) for number in range(SUBJECTS)],
        ),
    ):
        seconds = least_seconds(lambda method=method, where=where: redraw(method, where, draws, SEED), runs=3)
        print_row(f"{draws} allocations of {SUBJECTS} drawn again, {name}", seconds, None, 0.5)


if __name__ == "__main__":
    main()
