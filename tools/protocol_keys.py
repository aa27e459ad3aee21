"""The reference page of the protocol file's keys, and its JSON Schema, from the protocol's own declarations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

OPENING = """# The protocol file, key by key

Every key that a protocol file may hold; any other is refused. The same as a schema for editors:
[protocol.schema.json](protocol.schema.json), which `equipoise schema` prints too. How rules are written:
[the rule language](rule-language.md). `equipoise check` tests more than stands here: that the parts fit together.

An *id* begins with a letter and goes on with letters, digits and underscores; a *code* begins with a letter or digit
and may also hold `.`, `+` and `-`. Neither is longer than 40 characters.
"""
NAMED_PATTERNS = {"^[A-Za-z][A-Za-z0-9_]{0,39}$": "*id*", "^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$": "*code*"}
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "pattern": "as `{}`",
}
KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no: `true` or `false`",
    "null": "`null`",
    "object": "keys and values",
}
LONGEST_ORDINARY_TEXT = 10_000


def schema_file() -> str:
    """docs/reference/protocol.schema.json."""
    from equipoise.protocol import json_schema

    return json_schema() + "\n"


def protocol_page() -> str:
    """docs/reference/protocol-keys.md."""
    from equipoise.protocol import Protocol

    schema = Protocol.model_json_schema()  # the schema file sorts its keys; people read them in the file's order
    parts = {name: schema["$defs"][name] for name in parts_in_order(schema) if "properties" in schema["$defs"][name]}
    whole = section("The whole file", schema | {"description": ""})
    sections = [OPENING, whole, *(section(name, part) for name, part in parts.items())]
    return "\n".join(sections)


def parts_in_order(schema: Schema) -> list[str]:
    """The names of the parts, each after the part that first speaks of it."""
    order: list[str] = []

    def visit(part: Schema) -> None:
        for name in names_spoken_of(part):
            if name not in order:
                order.append(name)
                visit(schema["$defs"][name])

    visit({key: value for key, value in schema.items() if key != "$defs"})
    return order


def names_spoken_of(value: Any) -> Iterator[str]:
    """The parts that a piece of a schema refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield part_name(value)
        for inner in value.values():
            yield from names_spoken_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_spoken_of(inner)


def part_name(reference: Schema) -> str:
    """The part that a `$ref` names."""
    return str(reference["$ref"]).rpartition("/")[2]


def section(title: str, part: Schema) -> str:
    """One part: what it is, and a row for each of its keys."""
    meaning = " ".join(part.get("description", "").split())
    required = set(part.get("required", ()))
    rows = [row(key, declared, required=key in required) for key, declared in part["properties"].items()]
    head = ["| key | what it holds | if left out |", "|---|---|---|"]
    return "\n".join([f"## {title}", "", *([meaning, ""] if meaning else []), *head, *rows, ""])


def row(key: str, declared: Schema, *, required: bool) -> str:
    """A key's row."""
    holds = in_words(declared)
    if required and {"type": "null"} in declared.get("anyOf", ()):
        holds += " or `null`"
    if meaning := declared.get("description"):
        holds = f"{holds}. {' '.join(meaning.split())}"
    left_out = "refused" if required else default_in_words(declared.get("default"))
    return f"| `{key}` | {holds.replace('|', chr(92) + '|')} | {left_out} |"


def in_words(declared: Schema) -> str:
    """What a value may be."""
    if "$ref" in declared:
        name = part_name(declared)
        return f"[{name}](#{name.lower()})"
    if "const" in declared:
        return f"`{declared['const']}`"
    if "enum" in declared:
        return "one of " + ", ".join(f"`{each}`" for each in declared["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in declared:
            return " or ".join(in_words(each) for each in declared[choice] if each.get("type") != "null")
    return with_bounds(container_in_words(declared), declared)


def container_in_words(declared: Schema) -> str:
    """A list, a mapping or a single value."""
    if declared.get("type") == "array" and "items" in declared:
        return f"list of {in_words(declared['items'])}"
    if declared.get("type") == "object":
        return mapping_in_words(declared)
    if declared.get("pattern") in NAMED_PATTERNS:
        return NAMED_PATTERNS[declared["pattern"]]
    if declared.get("format") == "date":
        return "date"
    return KINDS.get(declared.get("type", ""), "any value")


def mapping_in_words(declared: Schema) -> str:
    """Keys that the writer of the file chooses, and what each holds."""
    for pattern, inner in declared.get("patternProperties", {}).items():
        return f"{NAMED_PATTERNS.get(pattern, 'text')}s, each with {in_words(inner)}"
    inner = declared.get("additionalProperties")
    return f"names, each with {in_words(inner)}" if isinstance(inner, dict) else KINDS["object"]


def with_bounds(words: str, declared: Schema) -> str:
    """The value with what limits it."""
    limits = [
        wording.format(declared[bound])
        for bound, wording in BOUNDS.items()
        if bound in declared and declared[bound] not in NAMED_PATTERNS
    ]
    if declared.get("maxLength", LONGEST_ORDINARY_TEXT) < LONGEST_ORDINARY_TEXT:
        limits.append(f"at most {declared['maxLength']} characters")
    return f"{words} ({', '.join(limits)})" if limits else words


def default_in_words(default: Any) -> str:
    """What stands for a key that is left out."""
    if default is None or default in ([], {}):
        return "none"
    if isinstance(default, dict):
        return "its own defaults"
    return f"`{json.dumps(default, ensure_ascii=False).strip(chr(34))}`"
