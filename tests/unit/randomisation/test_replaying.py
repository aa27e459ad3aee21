"""A replay names each allocation that is not what the secret gives, and no other."""

from dataclasses import replace

import pytest

from equipoise.randomisation import AllocationRefused, Place, replay, sequence


@pytest.fixture
def simple(two_arms):
    return two_arms("simple")


@pytest.fixture
def rows(simple, secret):
    """BAAABBABABAB in stratum F, and as many in M, taking turns."""
    return list(sequence(simple, secret, trial="DEMO", places=[Place("F"), Place("M")] * 12))


def told(mismatches):
    return [str(mismatch) for mismatch in mismatches]


def test_a_true_record_has_no_mismatch(simple, secret, rows):
    assert replay(simple, secret, "DEMO", rows) == ()
    assert replay(simple, secret, "DEMO", []) == ()


def test_one_altered_arm_is_one_mismatch(simple, secret, rows):
    given = rows[4].arm
    other = {"A": "B", "B": "A"}[given]
    rows[4] = replace(rows[4], arm=other)
    assert told(replay(simple, secret, "DEMO", rows)) == [
        f"stratum F, number 3: recorded {other}, the secret gives {given}"
    ]


@pytest.mark.parametrize(("name", "parameters"), [("permuted_blocks", {}), ("maximal_procedure", {"n": 12})])
def test_an_altered_arm_does_not_accuse_those_after_it(two_arms, secret, name, parameters):
    method = two_arms(name, **parameters)
    rows = list(sequence(method, secret, trial="DEMO", places=[Place()] * 12))
    rows[1] = replace(rows[1], arm={"A": "B", "B": "A"}[rows[1].arm])
    assert [mismatch.number for mismatch in replay(method, secret, "DEMO", rows)] == [2]


def test_an_arm_that_is_none_is_named(simple, secret, rows):
    given = rows[0].arm
    rows[0] = replace(rows[0], arm="Z\n")
    assert told(replay(simple, secret, "DEMO", rows)) == [
        rf"stratum F, number 1: recorded Z\n, the secret gives {given}"
    ]


def test_a_removed_row_is_named(simple, secret, rows):
    del rows[4]
    assert told(replay(simple, secret, "DEMO", rows)) == ["stratum F, number 3: missing"]


def test_a_gap_is_named_once(simple, secret, rows):
    kept = [row for row in rows if row.stratum == "M" or row.number not in (3, 4, 5)]
    assert told(replay(simple, secret, "DEMO", kept)) == ["stratum F, number 3: missing, with all places up to 5"]
    assert told(replay(simple, secret, "DEMO", [replace(rows[0], number=99_999)]))[0] == (
        "stratum F, number 1: missing, with all places up to 99998"
    )


def test_reordered_and_doubled_rows_are_named(simple, secret, rows):
    rows[4], rows[6] = rows[6], rows[4]
    rows.append(rows[1])
    assert told(replay(simple, secret, "DEMO", rows)) == [
        "stratum F, number 3: stands after number 4, out of order",
        "stratum M, number 1: recorded twice",
    ]


def test_a_place_that_cannot_be_is_named(simple, secret, rows):
    rows.append(replace(rows[0], number=0))
    rows.append(replace(rows[0], number=10**12))
    assert told(replay(simple, secret, "DEMO", rows)) == [
        "stratum F, number 0: not a place from 1 to 100000",
        "stratum F, number 1000000000000: not a place from 1 to 100000",
    ]


def test_a_row_beyond_the_planned_places_is_named(two_arms, secret):
    method = two_arms("random_allocation_rule", n=4)
    rows = list(sequence(method, secret, trial="DEMO", places=[Place()] * 4))
    rows.append(replace(rows[0], number=5))
    assert told(replay(method, secret, "DEMO", rows)) == ["number 5: beyond the 4 planned places"]


def test_another_secret_trial_or_method_does_not_fit(simple, two_arms, secret, rows):
    assert replay(simple, secret, "DEMO2", rows)
    assert replay(two_arms("permuted_blocks"), secret, "DEMO", rows)


def test_minimisation_is_replayed_as_far_as_its_factors_are_known(two_arms, secret):
    method = two_arms("minimisation", factors=["sex"])
    rows = list(sequence(method, secret, trial="DEMO", places=[Place("", {"sex": each}) for each in "FMFMMFFM"]))
    assert replay(method, secret, "DEMO", rows) == ()
    assert told(replay(method, secret, "DEMO", rows[:3] + rows[4:])) == [
        "number 4: missing",
        "number 4: without it the places after it cannot be recomputed",
    ]
    rows[5] = replace(rows[5], factors={})
    assert told(replay(method, secret, "DEMO", rows)) == [
        "number 6: a factor is missing; from here on nothing can be recomputed"
    ]


def test_a_stratum_that_could_not_have_been_drawn_is_refused(simple, secret, rows):
    with pytest.raises(AllocationRefused):
        replay(simple, secret, "DEMO", [replace(rows[0], stratum="F\0")])
