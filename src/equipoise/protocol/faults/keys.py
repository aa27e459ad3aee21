"""Which keys the models know at a place, so that a misspelt key can be answered with the right one."""

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

LISTS = (list, tuple, set, frozenset, Sequence)
MAPPINGS = (dict, Mapping)


def known_keys(model: type[BaseModel] | None, loc: Sequence[str | int]) -> frozenset[str]:
    """The keys of every model that can stand at a pydantic location below a root model.

    Args:
        model: the root model; None knows no keys.
        loc: the location of the model in question; names of union branches may be among its steps.
    """
    places: list[Any] = [model] if model else []
    for step in loc:
        places = [below for place in places for below in _below(place, step)]
    models = (part for place in places for part in _parts(place) if _is_model(part))
    return frozenset(key for part in models for key in _fields(part))


def _below(annotation: Any, step: str | int) -> Iterator[Any]:
    """What may stand one step below; a step that only names a union branch leads nowhere new."""
    below = [inner for part in _parts(annotation) for inner in _inside(part, step)]
    yield from below or [annotation]


def _inside(part: Any, step: str | int) -> Iterator[Any]:
    if _is_model(part):
        yield from (annotation for key, annotation in _fields(part).items() if key == step)
    elif isinstance(step, int) and typing.get_origin(part) in LISTS:
        yield typing.get_args(part)[0]
    elif isinstance(step, str) and typing.get_origin(part) in MAPPINGS:
        yield typing.get_args(part)[1]


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation bare of `Annotated`, each member of a union by itself."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _parts(typing.get_args(annotation)[0])
    elif origin in (typing.Union, types.UnionType):
        for member in typing.get_args(annotation):
            yield from _parts(member)
    else:
        yield annotation


def _is_model(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
