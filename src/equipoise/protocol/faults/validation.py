"""What pydantic refused, as faults with their lines in the file that was read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from equipoise.protocol.faults.fault import Fault, FieldFault, Path, field_of, nearest
from equipoise.protocol.faults.keys import known_keys
from equipoise.protocol.faults.words import PLAIN_WORDS
from equipoise.refusals import shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from equipoise.protocol.reading import Located

Words = tuple[str, str]  # problem, remedy

MOST_KEYS_LISTED = 12


def faults_of_validation(error: ValidationError, located: Located, model: type[BaseModel] | None = None) -> list[Fault]:
    """Every refusal of the models as a fault with its line.

    Args:
        error: what pydantic raised on `located.data`.
        located: the file that was read.
        model: the root model; given, an unknown key is answered with the nearest known one.

    Returns:
        Faults in the order of their lines. A fault found by two branches of a union is given once.
    """
    return sorted({_fault(detail, located, model) for detail in error.errors(include_url=False)})


def _fault(detail: ErrorDetails, located: Located, model: type[BaseModel] | None) -> Fault:
    context: Mapping[str, Any] = detail.get("ctx", {})
    path = _path_in(located.data, detail["loc"], is_absent=detail["type"] == "missing")
    own = context.get("error")
    if isinstance(own, FieldFault):
        return located.fault(path + own.at, own.problem, own.remedy)
    if detail["type"].startswith("union_tag"):
        path = (*path, str(context["discriminator"]).strip("'"))
    if detail["type"] == "extra_forbidden":
        problem, remedy = _unknown_key(str(path[-1]), known_keys(model, detail["loc"][:-1]))
    else:
        problem, remedy = _words(detail, path, located)
    return located.fault(path, problem, remedy)


def _path_in(data: Any, loc: Sequence[str | int], *, is_absent: bool) -> Path:
    """The steps of a pydantic location that are in the data: pydantic names union branches too."""
    path: list[str | int] = []
    for place, step in enumerate(loc):
        if _holds(data, step):
            data = data[step]
        elif not (is_absent and place == len(loc) - 1):
            continue
        path.append(step)
    return tuple(path)


def _holds(data: object, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


def _words(detail: ErrorDetails, path: Path, located: Located) -> Words:
    kind = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    match kind:
        case "missing" | "union_tag_not_found":
            return "is missing", f"add {shown(path[-1])} to {field_of(path[:-1]) or 'the file'}"
        case "literal_error" | "enum":
            return _not_among(located.raw.get(path, ""), str(context["expected"]))
        case "union_tag_invalid":
            return _not_among(str(context["tag"]), str(context["expected_tags"]))
        case "string_type":
            return _not_text(path, located)
        case "greater_than_equal" if context["ge"] == 0:
            return "must not be negative", "write 0 or a number above it"
        case "string_too_short" if context["min_length"] == 1:
            return "is empty", "write some text"
    if "remedy" in context:
        return str(context.get("problem", detail["msg"])), str(context["remedy"])
    if kind in PLAIN_WORDS:
        problem, remedy = PLAIN_WORDS[kind]
        return problem.format(**context), remedy.format(**context)
    return _own_words(detail["msg"])


def _own_words(message: str) -> Words:
    """Problem and remedy of a validator's own message, written `problem; remedy`."""
    message = re.sub(r"^(Value error|Assertion failed), ", "", message)
    problem, _, remedy = message.partition("; ")
    return problem, remedy or "write a value that the field takes"


def _unknown_key(name: str, known: frozenset[str]) -> Words:
    meant = nearest(name, known)
    if meant:
        return "is not a key here", f"write {meant}, or remove it"
    if known and len(known) <= MOST_KEYS_LISTED:
        return "is not a key here", f"remove it; the keys here are {', '.join(sorted(known))}"
    return "is not a key here", "correct its spelling or remove it"


def _not_among(found: str, expected: str) -> Words:
    meant = nearest(found, re.findall(r"'([^']*)'", expected))
    remedy = f"write '{meant}'; the field takes {expected}" if meant else f"write {expected}"
    return "is not one of the values that the field takes", remedy


def _not_text(path: Path, located: Located) -> Words:
    value = located.value_at(path)
    if value is None:
        return "is empty", "write some text"
    if isinstance(value, dict | list):
        return "must be text", "write it as text, in quotes"
    kind = "true or false" if isinstance(value, bool) else "a number"
    return f"is read as {kind} because it is not in quotes", f'write "{shown(located.raw[path])}"'
