"""Reading random files: what JSON says comes back, and no text does anything but be read or refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from equipoise.protocol.faults import ProtocolRefused
from equipoise.protocol.reading import Located, read_yaml

printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("é中\n\t"), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | printable
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4), max_leaves=20
).filter(lambda tree: tree is not None)


@given(trees)
@settings(max_examples=200)
def test_json_is_yaml_and_comes_back_as_it_was(tree):
    assert read_yaml(json.dumps(tree, ensure_ascii=False), "p.yaml").data == tree


@given(trees)
def test_every_path_has_a_line_and_every_scalar_its_source(tree):
    located = read_yaml(json.dumps(tree, indent=1), "p.yaml")
    for path in paths(located.data):
        value = located.value_at(path)
        assert 1 <= located.lines[path] <= located.text.count("\n") + 1
        assert (path in located.raw) == (not isinstance(value, dict | list))
        assert (path in located.quoted) == isinstance(value, str)


def paths(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(below for step, value in steps for below in paths(value, (*path, step)))]


MARKS = [
    *(
        "a",
        "b: ",
        "- ",
        "? ",
        ": ",
        "\n",
        "\n  ",
        "\n\t",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "'",
        '"',
        "|\n",
        ">\n",
        "#",
    ),
    *("---\n", "...\n", "1", "1e8", "~", "\\", "@"),
]
HOSTILE = ["!t ", "!!int ", "%YAML 1.1\n", "<<", ".inf", "\\u", "\0", "\ufeff"]


def refusal_or_values(source: str | bytes) -> ProtocolRefused | Located:
    try:
        return read_yaml(source, "p.yaml")
    except ProtocolRefused as refused:
        return refused


def lines_of(read: ProtocolRefused | Located) -> list[int]:
    return [fault.line for fault in read.faults] if isinstance(read, ProtocolRefused) else list(read.lines.values())


@given(st.lists(st.sampled_from([*MARKS, *HOSTILE]), max_size=30).map("".join) | st.text(max_size=60))
@settings(max_examples=700)
def test_any_text_is_read_or_refused_on_a_line(text):
    assert min(lines_of(refusal_or_values(text))) >= 1


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_on_a_line(content):
    assert min(lines_of(refusal_or_values(content))) >= 1


@given(st.lists(st.sampled_from(MARKS), max_size=12).map("".join))
@settings(max_examples=500)
def test_what_is_read_agrees_with_the_plain_loader(text):
    read = refusal_or_values(text)
    if isinstance(read, Located):
        assert comparable(YAML(typ="safe", pure=True).load(text)) == comparable(read.data)


def comparable(data: Any) -> Any:
    """Data with every number as the nearest float; the plain loader has no exact ones."""
    if isinstance(data, dict):
        return {key_text(key): comparable(value) for key, value in data.items()}
    if isinstance(data, list):
        return [comparable(value) for value in data]
    return float(data) if isinstance(data, int | Decimal) and not isinstance(data, bool) else data


def key_text(key: Any) -> str:
    """A key in one writing: the plain loader makes numbers and None of keys that we keep as text."""
    try:
        return str(float(key))
    except (TypeError, ValueError):
        return "~" if key is None else key
