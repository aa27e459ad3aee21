"""Draw whole numbers from the secret: the same question always has the same answer.

A draw is HMAC-SHA256 over an unambiguous message, cut down by rejection so that every answer is exactly
equally likely. There is no state and no float: asking again after a crash gives the same arm.
The encoding is in docs/methods/randomisation.md, equation (message); changing it changes every allocation.
"""

from enum import Enum

from equipoise.randomisation.refusing import AllocationRefused
from equipoise.randomisation.secret import Secret
from equipoise.randomisation.texts import check_text

SHORT_BYTES = 8
DIGEST_BYTES = 32
LARGEST_NUMBER = 100_000


class Purpose(Enum):
    """What a number is drawn for; each has messages of its own, so that no two draws share bits."""

    ARM = b"alloc/1"
    BLOCK_SIZE = b"block/1"


def draw(secret: Secret, *, trial: str, stratum: str, number: int, below: int, purpose: Purpose = Purpose.ARM) -> int:
    """A whole number, equally likely to be any of 0, 1, ..., below - 1.

    Args:
        secret: the trial's secret.
        trial: the trial's code.
        stratum: the stratum's name, empty when there is one sequence.
        number: the place in the stratum's sequence (or of the block in it), from 1.
        below: how many answers there are, at least 1.
        purpose: what it is drawn for.

    Raises:
        AllocationRefused: when the trial or stratum could be spelled in two ways, or the number is out of range.

    Source:
        Rejection sampling: von Neumann (1951), NBS Applied Mathematics Series 12:36-38. HMAC: RFC 2104.
    """
    assert below >= 1
    check_text("trial", trial, AllocationRefused)
    check_text("stratum", stratum, AllocationRefused, empty=True)
    if not 1 <= number <= LARGEST_NUMBER:
        raise AllocationRefused("number", number, f"not from 1 to {LARGEST_NUMBER}", "number the places from 1")
    question = b"\0".join((purpose.value, trial.encode(), stratum.encode(), number.to_bytes(8, "big")))
    width, digests = _width(below)
    space = 1 << (8 * width)
    fair = space - space % below
    first = 0
    while True:
        value = int.from_bytes(_stream(secret, question, first, digests)[:width], "big")
        if value < fair:
            return value % below
        first += digests


def _width(below: int) -> tuple[int, int]:
    """How many bytes an answer needs, and how many digests hold them: 8 of one digest, or whole digests."""
    if below <= 1 << (8 * SHORT_BYTES):
        return SHORT_BYTES, 1
    digests = -(-(below - 1).bit_length() // (8 * DIGEST_BYTES))
    return digests * DIGEST_BYTES, digests


def _stream(secret: Secret, question: bytes, first: int, digests: int) -> bytes:
    if digests == 1:
        return secret.digest(question + first.to_bytes(4, "big"))
    return b"".join(secret.digest(question + index.to_bytes(4, "big")) for index in range(first, first + digests))
