"""Forms to check answers against."""

import pytest

from equipoise.capture import FormSheet
from equipoise.protocol.forms import Check, Item
from equipoise.protocol.rules import parse_rule

CODELISTS = {"SEX": {"F": "Female", "M": "Male"}, "SYMPTOM": {"FEVER": "Fever", "RASH": "Rash", "COUGH": "Cough"}}


@pytest.fixture(scope="session")
def item():
    """Make an item of a type."""

    def make(type, id="x", **more):
        if type in ("choice", "many"):
            more = {"codelist": "SYMPTOM"} | more
        return Item(id=id, question="?", type=type, **more)

    return make


@pytest.fixture(scope="session")
def sheet():
    """Make a form `f` of items and checks (id, rule, severity)."""

    def make(*items, checks=()):
        made = tuple(
            Check(id=id, on="f", when=parse_rule(rule), message=f"{id} found", severity=severity)
            for id, rule, severity in checks
        )
        return FormSheet("f", {item.id: item for item in items}, CODELISTS, made, frozenset())

    return make
