"""The tree between YAML's events and plain values: each node knows its line."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.protocol.faults.fault import Path
from equipoise.protocol.reading.located import Data, Located


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value in its source text; `value` is what the text means."""

    line: int
    text: str
    quoted: bool
    value: Data


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    line: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a group, the key's line, and its value."""

    key: str
    line: int
    node: "Node"


@dataclass(frozen=True, slots=True)
class Group:
    """Keys with their values, in the order of the file."""

    line: int
    entries: tuple[Entry, ...]


Node = Scalar | Sequence | Group


def located(root: Node, name: str, text: str) -> Located:
    """The plain values of a tree with the line, source text and quoting of each path."""
    lines = {(): root.line} | dict(_lines(root, ()))
    scalars = dict(_scalars(root, ()))
    return Located(
        name=name,
        text=text,
        data=_data(root),
        lines=MappingProxyType(lines),
        raw=MappingProxyType({path: scalar.text for path, scalar in scalars.items()}),
        quoted=frozenset(path for path, scalar in scalars.items() if scalar.quoted),
    )


def _data(node: Node) -> Data:
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [_data(item) for item in node.items]
        case Group():
            return {entry.key: _data(entry.node) for entry in node.entries}


def _lines(node: Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, Sequence):
        for place, item in enumerate(node.items):
            yield (*path, place), item.line
            yield from _lines(item, (*path, place))
    elif isinstance(node, Group):
        for entry in node.entries:
            yield (*path, entry.key), entry.line
            yield from _lines(entry.node, (*path, entry.key))


def _scalars(node: Node, path: Path) -> Iterator[tuple[Path, Scalar]]:
    match node:
        case Scalar():
            yield path, node
        case Sequence():
            for place, item in enumerate(node.items):
                yield from _scalars(item, (*path, place))
        case Group():
            for entry in node.entries:
                yield from _scalars(entry.node, (*path, entry.key))
