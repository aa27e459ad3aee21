"""The JSON Schema: an editor that knows it refuses what `check` refuses of single values."""

import json
from pathlib import Path

import jsonschema
import pytest

from equipoise.protocol import json_schema
from equipoise.protocol.reading import read_yaml

EXAMPLE = Path(__file__).parents[3] / "examples" / "nk-hiv" / "protocol.yaml"


def plain(data: object) -> object:
    """The file's values as JSON has them."""
    return json.loads(json.dumps(data, default=float))


def test_the_example_is_valid():
    jsonschema.validate(plain(read_yaml(EXAMPLE.read_bytes(), EXAMPLE.name).data), json.loads(json_schema()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("planned: 20\n", "planned: 0\n"),
        ("alpha: 0.05  ", "alpha: 5  "),
        ("days_before: 14", "days_before: -14"),
        ("purpose: TREATMENT", "purpose: CURE"),
        ("status: Final", "state: Final"),
    ],
)
def test_what_check_refuses_of_a_value_the_schema_refuses(old: str, new: str):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    data = plain(read_yaml(text.replace(old, new, 1), EXAMPLE.name).data)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(json_schema()))
