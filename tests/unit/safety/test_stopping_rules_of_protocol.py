# ruff: noqa: E501 - a fault is told on one line, and so it is kept here
"""Stopping rules in the protocol file: each boundary has its own keys, and makes the boundary that it describes."""

from pathlib import Path

import pytest

from equipoise.protocol import faults_in, parse
from equipoise.safety.stopping import boundary_of, planned_in_arm

EXAMPLE = (Path(__file__).parents[3] / "examples" / "nk-hiv" / "protocol.yaml").read_text(encoding="utf-8")
WRITTEN = "boundary: pocock, acceptable_rate: 0.2, error: 0.05, planned: 10, pauses: [randomisation, infusion]"


def with_rule(keys: str) -> bytes:
    assert EXAMPLE.count(WRITTEN) == 1
    return EXAMPLE.replace(WRITTEN, keys).encode()


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            "boundary: pocock, acceptable_rate: 0.2, planned: 10",
            "stopping_rules[0].error: is missing; add error: a pocock boundary needs acceptable_rate, error and planned",
        ),
        (
            "boundary: bayesian, acceptable_rate: 0.2, planned: 10, threshold: 0.9",
            "stopping_rules[0].prior: is missing; add prior: a bayesian boundary needs acceptable_rate, prior, threshold and planned",
        ),
        (
            "boundary: fixed, limit: 1, error: 0.05",
            "stopping_rules[0].error = 0.05: is not a key of a fixed boundary; remove it: a fixed boundary takes limit and planned",
        ),
        (
            "boundary: fixed, limit: 0",
            "stopping_rules[0].limit = 0: must be at least 1; write 1 or a value above it",
        ),
        (
            WRITTEN + ", counts: events",
            "stopping_rules[0].counts = events: does not go with a pocock boundary, which is on a rate; count participants, or make the boundary fixed",
        ),
        (
            "boundary: pocock, acceptable_rate: 0, error: 0.05, planned: 10",
            "stopping_rules[0].acceptable_rate = 0: is not above 0 and below 1; give a share, such as 0.2",
        ),
        (
            "boundary: pocock, acceptable_rate: 0.5, error: 0.05, planned: 3",
            "stopping_rules[0].error = 0.05: cannot be kept: an event in all 3 has a chance of 0.125; plan more participants, or bear a larger error",
        ),
        (
            "boundary: pocock, acceptable_rate: 0.2, error: 0.05, planned: 3000",
            "stopping_rules[0].planned = 3000: is more than 2000; give the participants of the rule's arm",
        ),
        (
            WRITTEN + ", pauses: [visits]",
            "stopping_rules[0].pauses[0] = visits: is not one of the values that the field takes; write 'randomisation' or 'infusion'",
        ),
    ],
)
def test_a_rule_without_the_keys_of_its_boundary_is_a_fault(keys, told):
    line = EXAMPLE[: EXAMPLE.index(WRITTEN)].count("\n") + 1
    assert [str(fault) for fault in faults_in(with_rule(keys))] == [f"protocol.yaml:{line}: {told}"]


@pytest.mark.parametrize(
    ("keys", "limits", "planned"),
    [
        (WRITTEN, (None, None, 3, 3, 4, 4, 5, 5, 5, 6), 10),
        (
            "boundary: bayesian, acceptable_rate: 0.2, prior: {a: 0.4, b: 1.6}, threshold: 0.9, planned: 10",
            (None, 2, 2, 3, 3, 3, 4, 4, 4, 5),
            10,
        ),
        ("boundary: fixed, limit: 1, pauses: [randomisation, infusion]", (1,) * 10, 10),
        ("boundary: fixed, limit: 2, planned: 3, counts: events", (2, 2, 2), 3),
    ],
)
def test_a_rule_makes_its_boundary(keys, limits, planned):
    protocol = parse(with_rule(keys))
    boundary = boundary_of(protocol, protocol.stopping_rules[0])
    assert (boundary.limits, boundary.planned) == (limits, planned)


def test_an_arm_is_planned_its_part_of_all_rounded_up():
    protocol = parse(EXAMPLE.encode())
    assert planned_in_arm(protocol, "NKART") == 10
    more = protocol.population.model_copy(update={"planned": 21})
    assert planned_in_arm(protocol.model_copy(update={"population": more}), "NKART") == 11
