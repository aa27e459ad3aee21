"""Count the ways back to balance inside a corridor: what makes the maximal procedure uniform."""

from functools import lru_cache


@lru_cache(maxsize=16)
def paths_to_balance(places: int, mti: int) -> tuple[tuple[int, ...], ...]:
    """How many ways lead from an imbalance to none, each step one up or one down and never past the corridor.

    Args:
        places: the longest way counted.
        mti: maximum tolerated imbalance, the corridor's half width.

    Returns:
        `counts[remaining][distance]` for remaining = 0..places and distance = |D| = 0..mti; exact whole numbers.

    Source:
        Salama, Ivanova and Qaqish (2008), Statistics in Medicine 27:5278-5290; recursion (paths) in
        docs/methods/randomisation.md.
    """
    counts = [(1, *([0] * mti))]
    for _ in range(places):
        shorter = (*counts[-1], 0)  # nothing leads on from mti + 1
        counts.append(tuple(shorter[abs(distance - 1)] + shorter[distance + 1] for distance in range(mti + 1)))
    return tuple(counts)
