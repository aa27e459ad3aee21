"""How large a protocol file may be, chosen so that a file at any one limit is read in about a second."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may hold; anything above is refused before the rest is read.

    Args:
        size: bytes of the whole file.
        lines: of the whole file.
        words: runs of characters between white space.
        depth: levels of groups and lists within each other.
        nodes: values, keys, groups and lists, those that an alias repeats counted each time.
        anchors: places that an alias can repeat.
    """

    size: int = 1_000_000
    lines: int = 50_000
    words: int = 150_000
    depth: int = 40
    nodes: int = 20_000
    anchors: int = 20


LIMITS = Limits()
