"""Values read from a file, with the line, source text and quoting of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from equipoise.protocol.faults.fault import Fault, Path, field_of

Data = dict[str, "Data"] | list["Data"] | str | int | Decimal | bool | None


@dataclass(frozen=True, slots=True)
class Located:
    """A file's values and where each was written.

    Args:
        name: the file as faults name it.
        text: the file's text, line ends as line feeds, without a byte-order mark.
        data: dicts with text keys, lists, text, `int`, `Decimal`, `bool`, None for an empty value.
        lines: path to line, counted from 1; of a key's path the line of the key.
        raw: path of a scalar to its source text, without quotes (`01`, `1.0`, `1e8`).
        quoted: paths of the scalars written in quotes or as block text, so certainly meant as text.
    """

    name: str
    text: str
    data: Data
    lines: Mapping[Path, int]
    raw: Mapping[Path, str]
    quoted: frozenset[Path]

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest place around it that is in the file."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]

    def value_at(self, path: Path) -> Data:
        """The value at a path that is in `lines`."""
        assert path in self.lines, path
        value: Any = self.data
        for step in path:
            value = value[step]
        return cast("Data", value)

    def fault(self, path: Path, problem: str, remedy: str) -> Fault:
        """A fault of the value at a path, with its line and source text."""
        return Fault(self.name, self.line_of(path), field_of(path), self.raw.get(path, ""), problem, remedy)
