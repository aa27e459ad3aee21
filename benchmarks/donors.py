"""How fast donors are matched: 10,000 donors and 1,000 recipients under every model, from their typings."""

import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from support.beside_r import print_head, print_row

from equipoise.donors import builtin_reference, match
from equipoise.donors.people import PersonReader
from equipoise.exchange.matching_tables import write_matrix

SEED = 7
DONORS, RECIPIENTS, WRITTEN = 10_000, 1_000, 1_000
LOW_RESOLUTION, MISSING = 0.05, 0.02
MOST_MEMORY = 2 * 1024**3
GENES = ("2DL1", "2DL2", "2DL3", "2DS1", "2DS2", "2DS3", "2DS4", "2DS5", "3DL1", "3DS1")
CARRIED = (0.99, 0.2, 0.99, 0.33, 0.2, 0.16, 0.97, 0.25, 0.97, 0.33)


def typings(many: int, rng: np.random.Generator) -> list[tuple[dict[str, tuple[str, str]], str]]:
    """Drawn typings of two fields, some of low resolution and some missing."""
    names = {locus: [name for name in builtin_reference().entries if name[0] == locus] for locus in "ABC"}
    people = []
    for _ in range(many):
        hla = {}
        for locus, known in names.items():
            pair = [known[int(place)] for place in rng.integers(0, len(known), 2)]
            pair = [name[:4] if rng.random() < LOW_RESOLUTION else name for name in pair]
            hla[locus] = (pair[0], "" if rng.random() < MISSING else pair[1])
        genes = " ".join(gene for gene, share in zip(GENES, CARRIED, strict=True) if rng.random() < share)
        people.append((hla, "" if rng.random() < MISSING else genes))
    return people


def main() -> None:
    """Print the time and the memory."""
    rng = np.random.default_rng(SEED)
    giving, taking = typings(DONORS, rng), typings(RECIPIENTS, rng)
    began = time.perf_counter()
    reader = PersonReader(builtin_reference())
    donors = [reader.read(f"D{place}", *typing) for place, typing in enumerate(giving)]
    recipients = [reader.read(f"R{place}", *typing) for place, typing in enumerate(taking)]
    read = time.perf_counter()
    matrix = match(donors, recipients, "receptor_ligand", reference="benchmark")
    best = [int(matrix.ranked(place)[0]) for place in range(RECIPIENTS)]
    ended = time.perf_counter()
    assert len(best) == RECIPIENTS
    rows = match(donors[:WRITTEN], recipients, "receptor_ligand", reference="benchmark")
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        write_matrix(rows, Path(folder) / "pairs.csv")
        written = time.perf_counter() - started
    print_head()
    print_row(f"{DONORS} donors x {RECIPIENTS} recipients read", read - began, None, 10.0)
    print_row("the same matched under all models and ranked", ended - read, None, 10.0)
    print_row("both", ended - began, None, 10.0)
    print_row(f"{WRITTEN * RECIPIENTS:,} rows of the table written", written, None, 10.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 1024**3:.2f} GiB, target 2 GiB: {'within' if peak <= MOST_MEMORY else 'OVER'}")
    print(f"{len(matrix.unserved)} recipients without a donor; pairs: {dict(matrix.counts)}")


if __name__ == "__main__":
    main()
