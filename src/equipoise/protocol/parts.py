"""What every part of the protocol file is made of: frozen values, exact numbers, text that was written as text.

A part refuses keys that it does not know. Numbers are exact (`int`, `Decimal`); a number where text is wanted is
refused rather than printed, since `version: 1.0` and `id: 01` lose what was typed.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
)

from equipoise.protocol.faults import FieldFault
from equipoise.protocol.rules import Rule, RuleRefused, parse_rule


class Part(BaseModel):
    """A frozen part of the protocol; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, str_strip_whitespace=True)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise FieldFault("must be a number", "write it in digits, without quotes or a unit")
    return Decimal(value)


def _whole(value: Any) -> Any:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FieldFault("must be a whole number", "write it in digits, without quotes or a unit")
    return value


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise FieldFault("must be a date", "write it as year-month-day, such as 2018-02-28") from None


def _rule(value: Any) -> Rule:
    if isinstance(value, Rule):
        return value
    if isinstance(value, bool):  # `rule: true` selects everybody
        value = "true" if value else "false"
    if not isinstance(value, str):
        raise FieldFault("must be a rule", "write a comparison of items, such as screening.age >= 18")
    try:
        return parse_rule(value)
    except RuleRefused as refused:
        raise FieldFault(refused.problem, refused.remedy) from None


def _filled(value: tuple[Any, ...]) -> tuple[Any, ...]:
    # `min_length` would also complain of a list whose only entry has a fault of its own.
    if not value:
        raise FieldFault("is empty", "add at least one entry")
    return value


Entry = TypeVar("Entry")
Filled = Annotated[tuple[Entry, ...], AfterValidator(_filled), Field(json_schema_extra={"minItems": 1})]
Text = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=10_000)]
Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")]
Code = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$")]
Number = Annotated[Decimal, BeforeValidator(_number, json_schema_input_type=float)]
Whole = Annotated[int, BeforeValidator(_whole, json_schema_input_type=int)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_whole, json_schema_input_type=Annotated[int, Field(ge=0)])]
Positive = Annotated[int, Field(ge=1), BeforeValidator(_whole, json_schema_input_type=Annotated[int, Field(ge=1)])]
Share = Annotated[
    Decimal, Field(ge=0, le=1), BeforeValidator(_number, json_schema_input_type=Annotated[float, Field(ge=0, le=1)])
]
Day = Annotated[date, BeforeValidator(_day, json_schema_input_type=date)]
RuleText = Annotated[
    Rule, PlainValidator(_rule, json_schema_input_type=str), PlainSerializer(lambda rule: rule.text, return_type=str)
]
