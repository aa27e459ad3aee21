"""Cut a batch of fits into blocks that stay in the processor's cache."""

from collections.abc import Iterator

NUMBERS_A_BLOCK = 200_000  # some 1.6 MB


def blocks(fits: int, size: int) -> Iterator[slice]:
    """Slices of the fits, each with some `NUMBERS_A_BLOCK` numbers.

    Args:
        fits: how many there are; one empty slice when there is none.
        size: numbers in one fit.
    """
    step = max(1, NUMBERS_A_BLOCK // size)
    for start in range(0, max(fits, 1), step):
        yield slice(start, start + step)
