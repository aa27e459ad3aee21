"""The published JSON Schema takes the examples and refuses what the reader refuses, so editors can go by it."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from equipoise.protocol.reading import read_yaml


@pytest.fixture(scope="module")
def validator(checkout) -> Draft202012Validator:
    schema = json.loads((checkout / "docs" / "reference" / "protocol.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def as_editors_see_it(path: Path) -> dict:
    """The file's plain data; numbers as JSON has them."""
    return json.loads(json.dumps(read_yaml(path.read_text(encoding="utf-8"), path.name).data, default=float))


@pytest.fixture(scope="module", params=["nk-hiv", "ddi-ddc"])
def example(request, checkout) -> dict:
    return as_editors_see_it(checkout / "examples" / request.param / "protocol.yaml")


def test_the_examples_are_valid(validator, example):
    assert [fault.message for fault in validator.iter_errors(example)] == []


def test_an_unknown_key_is_refused(validator, example):
    wrong = deepcopy(example)
    wrong["visits"][0]["windows"] = {}
    assert [fault.json_path for fault in validator.iter_errors(wrong)] == ["$.visits[0]"]


def test_a_missing_key_and_a_wrong_kind_are_refused(validator, example):
    wrong = deepcopy(example)
    del wrong["arms"]
    wrong["titles"]["short"] = 7
    assert {fault.json_path for fault in validator.iter_errors(wrong)} == {"$", "$.titles.short"}
