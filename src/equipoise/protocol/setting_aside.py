"""Set the list entries that have a fault of their own aside, so that the rest of a file can still be checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from equipoise.protocol.faults import Path


@dataclass(frozen=True, slots=True)
class Remainder:
    """A file's values without the entries set aside, and where each remaining entry had stood.

    Args:
        values: the data that remain.
        paths: the paths set aside, in the file's own counting.
    """

    values: Any
    paths: frozenset[Path]

    def original(self, path: Path) -> Path:
        """The path in the file of a path in `values`: entries set aside before it are counted again."""
        found: Path = ()
        for step in path:
            found = (*found, self._place(found, step) if isinstance(step, int) else step)
        return found

    def _place(self, path: Path, entry: int) -> int:
        """Where the entry that is now number `entry` of a list had stood."""
        place = -1
        for _ in range(entry + 1):
            place += 1
            while (*path, place) in self.paths:
                place += 1
        return place


def set_aside(data: Any, error: ValidationError) -> tuple[Remainder, frozenset[str]]:
    """The data without the entries that `error` complains of, and every text that stood in them.

    A fault outside any list entry leaves its part in place; the remainder then does not validate either.
    """
    paths = frozenset(path for path in (_entry_of(data, detail["loc"]) for detail in error.errors()) if path)
    outermost = frozenset(path for path in paths if not any(path[:length] in paths for length in range(1, len(path))))
    texts = frozenset(text for path in outermost for text in _texts(_at(data, path)))
    return Remainder(_without(data, (), outermost), outermost), texts


def _entry_of(data: Any, loc: tuple[str | int, ...]) -> Path:
    """The path of the innermost list entry around a location; empty when there is none."""
    path: Path = ()
    entry: Path = ()
    for step in loc:
        if isinstance(data, list) and isinstance(step, int) and step < len(data):
            path = (*path, step)
            entry = path
        elif isinstance(data, dict) and step in data:
            path = (*path, step)
        else:
            continue  # a branch of a union that pydantic names
        data = data[step]
    return entry


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _texts(data: Any) -> set[str]:
    if isinstance(data, dict):
        return {text for value in data.values() for text in _texts(value)}
    if isinstance(data, list):
        return {text for value in data for text in _texts(value)}
    return {str(data)}


def _without(data: Any, at: Path, aside: frozenset[Path]) -> Any:
    if isinstance(data, dict):
        return {key: _without(value, (*at, key), aside) for key, value in data.items()}
    if isinstance(data, list):
        return [_without(value, (*at, i), aside) for i, value in enumerate(data) if (*at, i) not in aside]
    return data
