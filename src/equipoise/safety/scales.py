"""The grading scales: those that come with the program, and a trial's own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from equipoise.protocol.faults import ProtocolRefused, faults_of_validation
from equipoise.protocol.grading import GradingTable, Ladder
from equipoise.protocol.reading import read_bytes, read_yaml
from equipoise.protocol.safety import GradingScale
from equipoise.refusals import Refusal
from equipoise.safety.parameters import parameter_of

BUILTIN = {"daids-2.1": ("daids", "daids2.1", "daids21"), "ctcae-5.0": ("ctcae", "ctcae5", "ctcae5.0", "ctcae50")}


@dataclass(frozen=True, slots=True)
class Scale:
    """A grading scale.

    Args:
        key: its short name, such as `daids-2.1`.
        label: name and version as stored with every grade, such as `DAIDS 2.1 (July 2017)`.
        ladders: all its ladders, in the table's order.
    """

    key: str
    label: str
    ladders: tuple[Ladder, ...]
    by_parameter: dict[str, tuple[Ladder, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[Ladder, ...]] = {}
        for ladder in self.ladders:
            code = parameter_of(ladder.parameter)
            found[code] = (*found.get(code, ()), ladder)
        object.__setattr__(self, "by_parameter", found)


def scale_named(text: str) -> Scale:
    """The built-in scale that a person means by `daids-2.1`, `DAIDS`, `daids_v2.1`, `ctcae 5` and the like.

    Raises:
        Refusal: no built-in scale has such a name.
    """
    plain = re.sub(r"\(.*\)|[\s_-]+|v(?=[\d\s.])", "", text.strip().lower())
    for key, names in BUILTIN.items():
        if plain in names:
            return _builtin(key)
    remedy = f"use one of {', '.join(BUILTIN)}, or your own with --scale-file"
    raise Refusal("scale", text, "is not a scale that comes with the program", remedy)


def read_scale_file(path: Path) -> Scale:
    """A scale of the user's own, checked whole.

    Raises:
        Refusal: when the file cannot be read, or with every fault of its ladders, each with its line.
    """
    return _scale(read_bytes(path), str(path), path.stem)


def scale_of(grading: GradingScale) -> Scale:
    """The scale that a protocol names in `safety.grading`, or brings with it.

    Raises:
        Refusal: the published scale does not come with the program in that version.
    """
    if grading.scale == "own":
        return Scale("own", f"own {grading.version}", grading.ladders)
    return scale_named(f"{grading.scale} {grading.version}")


@cache
def _builtin(key: str) -> Scale:
    content = resources.files("equipoise.safety").joinpath("tables", f"{key}.yaml").read_bytes()
    return _scale(content, f"{key}.yaml", key)


def _scale(content: bytes, name: str, key: str) -> Scale:
    located = read_yaml(content, name)
    try:
        table = GradingTable.model_validate(located.data)
    except ValidationError as error:
        raise ProtocolRefused(faults_of_validation(error, located, GradingTable)) from None
    return Scale(key, f"{table.scale} {table.version}", table.ladders)
