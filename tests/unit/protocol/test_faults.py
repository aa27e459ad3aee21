"""Faults: their text, and what pydantic refuses in plain words on the right line."""

import datetime
from decimal import Decimal
from typing import Annotated, Literal, get_args

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError, core_schema

from equipoise.protocol.faults import (
    Fault,
    FieldFault,
    ProtocolRefused,
    faults_of_validation,
    field_of,
    nearest,
)
from equipoise.protocol.faults.words import PLAIN_WORDS
from equipoise.protocol.reading import read_yaml


def test_a_fault_reads_as_one_line():
    fault = Fault(
        file="protocol.yaml",
        line=12,
        field="visits[1].window.days_before",
        value="-7",
        problem="must not be negative",
        remedy="write the number of days before the target as 7",
    )
    assert str(fault) == (
        "protocol.yaml:12: visits[1].window.days_before = -7: must not be negative; "
        "write the number of days before the target as 7"
    )


def test_a_fault_of_the_whole_file_names_no_field():
    fault = Fault("protocol.yaml", 1, "", "", "the file holds nothing", "write the protocol into it")
    assert str(fault) == "protocol.yaml:1: the file holds nothing; write the protocol into it"


def test_a_hostile_value_is_shown_on_one_line_and_cut():
    fault = Fault("p.yaml", 1, "a", "x\n\x1b[31m" + "y" * 100, "is wrong", "mend it")
    assert str(fault) == f"p.yaml:1: a = x\\n\\x1b[31m{'y' * 68}…: is wrong; mend it"


def test_a_refusal_lists_every_fault_in_the_order_of_lines():
    later = Fault("p.yaml", 9, "b", "", "is missing", "add b")
    earlier = Fault("p.yaml", 2, "a", "1", "is wrong", "mend it")
    refused = ProtocolRefused([later, earlier, later])
    assert refused.faults == (earlier, later)
    assert str(refused) == "p.yaml:2: a = 1: is wrong; mend it\np.yaml:9: b: is missing; add b"
    assert (refused.field, refused.value, refused.problem, refused.remedy) == ("a", "1", "is wrong", "mend it")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ((), ""),
        (("visits", 1, "window", "days_before"), "visits[1].window.days_before"),
        ((0, "a"), "[0].a"),
        (("codelists", "24 a", "x"), "codelists['24 a'].x"),
        (("a\n",), "['a\\n']"),
    ],
)
def test_a_path_is_written_as_a_field(path, field):
    assert field_of(path) == field


def test_the_nearest_word_is_found_in_any_case_of_letters():
    assert nearest("Days_Befor", ["days_before", "days_after"]) == "days_before"
    assert nearest("colour", ["days_before", "days_after"]) is None


class Window(BaseModel):
    model_config = ConfigDict(extra="forbid")
    days_before: int = Field(ge=0)
    days_after: int = Field(ge=0)


class Simple(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: Literal["simple"]


class Blocks(BaseModel):
    model_config = ConfigDict(extra="forbid")
    method: Literal["blocks"]
    sizes: tuple[int, ...] = Field(min_length=1)


def known_arm(value: str) -> str:
    if value != "NKART":
        raise ValueError("is no arm of this trial; write NKART")
    return value


class Trial(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: str | None = None
    short: str | None = Field(default=None, min_length=1, max_length=5, pattern="^[a-z]*$")
    phase: Literal["1", "2"] | None = None
    model: Literal["PARALLEL", "FACTORIAL"] | None = None
    windows: list[Window] = []
    named: dict[str, Window] = {}
    allocation: Annotated[Simple | Blocks, Field(discriminator="method")] | None = None
    start: datetime.date | None = None
    ready: bool | None = None
    size: int | None = Field(default=None, gt=0, lt=100)
    alpha: Decimal | None = Field(default=None, le=1, ge=Decimal("0.001"))
    many: list[int] | None = Field(default=None, max_length=1)
    arm: Annotated[str, AfterValidator(known_arm)] | None = None
    either: int | Window | None = None

    @model_validator(mode="after")
    def cross_check(self) -> "Trial":
        if self.size == 13 and self.windows:
            raise FieldFault("is unlucky", "write 12", at=("windows", 0, "days_after"))
        if self.size == 14:
            raise PydanticCustomError("unlucky", "is unlucky too", {"remedy": "write 12"})
        if self.size == 15:
            raise AssertionError("is unlucky as well")
        return self


def faults(text: str, model: type[BaseModel] | None = Trial) -> list[str]:
    located = read_yaml(text, "p.yaml")
    with pytest.raises(ValidationError) as refused:
        Trial.model_validate(located.data)
    return [str(fault) for fault in faults_of_validation(refused.value, located, model)]


FAULTS = {
    "unquoted number": (
        "version: 1.0",
        '1: version = 1.0: is read as a number because it is not in quotes; write "1.0"',
    ),
    "unquoted truth": (
        "version: true",
        '1: version = true: is read as true or false because it is not in quotes; write "true"',
    ),
    "list for text": ("version: [1]", "1: version: must be text; write it as text, in quotes"),
    "empty text": ("short: ''", "1: short: is empty; write some text"),
    "long text": ("short: abcdef", "1: short = abcdef: is too long; write at most 5 characters"),
    "pattern": (
        "short: ABC",
        "1: short = ABC: does not have the form that this field takes; write it in the form ^[a-z]*$",
    ),
    "negative": (
        "windows:\n  - days_after: 1\n    days_before: -7",
        "3: windows[0].days_before = -7: must not be negative; write 0 or a number above it",
    ),
    "missing": ("windows:\n  - days_after: 1", "2: windows[0].days_before: is missing; add days_before to windows[0]"),
    "misspelt key": (
        "windows:\n  - {days_after: 1, days_before: 1,\n     days_befor: 2}",
        "3: windows[0].days_befor = 2: is not a key here; write days_before, or remove it",
    ),
    "misspelt key in a named part": (
        "named: {w1: {days_after: 1, days_before: 1, Days-After: 2}}",
        "1: named.w1.Days-After = 2: is not a key here; write days_after, or remove it",
    ),
    "foreign key": (
        "windows: [{days_after: 1, days_before: 1, colour: red}]",
        "1: windows[0].colour = red: is not a key here; remove it; the keys here are days_after, days_before",
    ),
    "key in a chosen part": (
        "allocation: {method: blocks, sizes: [4], size: 4}",
        "1: allocation.size = 4: is not a key here; write sizes, or remove it",
    ),
    "value of a list": (
        "model: PARALEL",
        "1: model = PARALEL: is not one of the values that the field takes; "
        "write 'PARALLEL'; the field takes 'PARALLEL' or 'FACTORIAL'",
    ),
    "value like none": (
        "model: X",
        "1: model = X: is not one of the values that the field takes; write 'PARALLEL' or 'FACTORIAL'",
    ),
    "unquoted value of a list": (
        "phase: 1",
        "1: phase = 1: is not one of the values that the field takes; write '1'; the field takes '1' or '2'",
    ),
    "unknown kind": (
        "allocation:\n  method: block",
        "2: allocation.method = block: is not one of the values that the field takes; "
        "write 'blocks'; the field takes 'simple', 'blocks'",
    ),
    "no kind": ("\nallocation: {sizes: [4]}", "2: allocation.method: is missing; add method to allocation"),
    "fault within a kind": (
        "allocation: {method: blocks, sizes: [4, a]}",
        "1: allocation.sizes[1] = a: must be a whole number; write a whole number such as 7",
    ),
    "too few": (
        "allocation: {method: blocks, sizes: []}",
        "1: allocation.sizes: holds 0 entries, too few; give at least 1",
    ),
    "too many": ("many: [1, 2]", "1: many: holds 2 entries, too many; give at most 1"),
    "date": (
        "start: 2018-02-30",
        "1: start = 2018-02-30: is not a date of the calendar; write year, month and day such as 2018-02-01",
    ),
    "truth": ("ready: perhaps", "1: ready = perhaps: must be true or false; write true or false, without quotes"),
    "above": ("size: 0", "1: size = 0: must be above 0; write a value above 0"),
    "below": ("size: 100", "1: size = 100: must be below 100; write a value below 100"),
    "at most": ("alpha: 1.5", "1: alpha = 1.5: must be at most 1; write 1 or a value below it"),
    "at least": ("alpha: 0.0001", "1: alpha = 0.0001: must be at least 0.001; write 0.001 or a value above it"),
    "fraction": ("size: 1.5", "1: size = 1.5: must be a whole number; write a whole number such as 7"),
    "number": ("alpha: small", "1: alpha = small: must be a number; write a number such as 1.5, without a unit"),
    "group": (
        "windows: [3]",
        "1: windows[0] = 3: must be a group of keys; write each key and its value on a line of its own, indented below",
    ),
    "list": (
        "windows: 3",
        "1: windows = 3: must be a list; write each entry below with a dash before it, or all of them as [a, b]",
    ),
    "own words": ("arm: ARTX", "1: arm = ARTX: is no arm of this trial; write NKART"),
    "own fault": (
        "size: 13\nwindows:\n  - days_before: 1\n    days_after: 2",
        "4: windows[0].days_after = 2: is unlucky; write 12",
    ),
    "own type": ("size: 14", "1: is unlucky too; write 12"),
    "assertion": ("size: 15", "1: is unlucky as well; write a value that the field takes"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_what_the_models_refuse_is_said_in_plain_words_on_its_line(text, message):
    assert faults(text) == [f"p.yaml:{message}"]


def test_each_branch_of_an_untagged_union_tells_its_fault_of_the_same_place():
    assert faults("either: x") == [
        "p.yaml:1: either = x: must be a group of keys; "
        "write each key and its value on a line of its own, indented below",
        "p.yaml:1: either = x: must be a whole number; write a whole number such as 7",
    ]


def test_without_the_root_model_an_unknown_key_is_still_answered():
    assert faults("sise: 1", model=None) == ["p.yaml:1: sise = 1: is not a key here; correct its spelling or remove it"]


def test_all_faults_come_at_once_in_the_order_of_lines():
    assert faults("size: 0\nmodel: X\nready: perhaps") == [
        "p.yaml:1: size = 0: must be above 0; write a value above 0",
        "p.yaml:2: model = X: is not one of the values that the field takes; write 'PARALLEL' or 'FACTORIAL'",
        "p.yaml:3: ready = perhaps: must be true or false; write true or false, without quotes",
    ]


ANSWERED_WITH_THE_FILE = {
    "missing",
    "extra_forbidden",
    "literal_error",
    "enum",
    "union_tag_invalid",
    "union_tag_not_found",
    "string_type",
    "value_error",
    "assertion_error",
}


def test_every_error_type_of_pydantic_has_words():
    types = set(get_args(core_schema.ErrorType))
    assert types - set(PLAIN_WORDS) == ANSWERED_WITH_THE_FILE
    assert set(PLAIN_WORDS) < types


def test_no_words_end_in_a_full_stop_or_begin_with_a_capital():
    for problem, remedy in PLAIN_WORDS.values():
        assert not problem.endswith(".")
        assert not remedy.endswith(".")
        assert problem[0].islower()
        assert remedy[0].islower()
