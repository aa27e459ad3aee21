"""The rule language of the protocol file: criteria, shown-if, checks, derived items, analysis sets, release limits.

A closed language: its own tokens, grammar and tree, no Python behind it. Three-valued: what is not
recorded is unknown, and what is unknown never passes. Exact: numbers are decimals. The grammar and
the tables are in docs/reference/rule-language.md.
Terms: *record* (values by dotted name), *kind* (what a name can hold), *group* (rows under one name).
"""

from equipoise.protocol.rules.checking import Problem
from equipoise.protocol.rules.kinds import (
    DATE,
    LOGIC,
    NUMBER,
    REPEATED,
    TEXT,
    TIME,
    Kind,
    Kinds,
    choice,
    many,
)
from equipoise.protocol.rules.refused import RuleRefused
from equipoise.protocol.rules.rule import Rule, parse_rule
from equipoise.protocol.rules.values import UNKNOWN, Record, Result, Scope, Unknown

__all__ = [
    "DATE",
    "LOGIC",
    "NUMBER",
    "REPEATED",
    "TEXT",
    "TIME",
    "UNKNOWN",
    "Kind",
    "Kinds",
    "Problem",
    "Record",
    "Result",
    "Rule",
    "RuleRefused",
    "Scope",
    "Unknown",
    "choice",
    "many",
    "parse_rule",
]
