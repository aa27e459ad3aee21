"""Package and standalone verifier agree on methods, parameters and records that nobody chose."""

import contextlib
import io
import json
import re
import unicodedata
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.randomisation import (
    Allocated,
    Commitment,
    Place,
    Secret,
    allocate,
    check_reveal,
    commit,
    parse_method,
    replay,
    reveal_document,
    sequence,
    verifier,
)

TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=6).map(
    lambda text: unicodedata.normalize("NFC", text)
)
PLANNED = 40


@st.composite
def methods(draw):
    """Any method that the room knows, with arms, ratio and parameters of its own."""
    name = draw(st.sampled_from(["simple", "permuted_blocks", "random_allocation_rule", "minimisation", "two arms"]))
    if name == "two arms":
        return draw(two_arm_methods())
    arms = draw(st.lists(TEXTS, min_size=2, max_size=4, unique=True))
    most = 1 if name == "minimisation" else 3
    ratio = {arm: draw(st.integers(1, most)) for arm in arms}
    rounds = sum(parse_method("simple", arms, ratio).ratio)
    parameters = {}
    if name == "permuted_blocks":
        multiples = st.integers(1, 3).map(lambda times: times * rounds)
        parameters = {"block_sizes": draw(st.lists(multiples, min_size=1, max_size=3, unique=True))}
    if name == "random_allocation_rule":
        parameters = {"n": PLANNED * rounds}
    if name == "minimisation":
        factors = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
        weights = st.fractions("1/4", 4, max_denominator=4)
        parameters = {
            "factors": factors,
            "imbalance": draw(st.sampled_from(["range", "sd", "variance"])),
            "weights": {factor: draw(weights) for factor in factors},
            "p": draw(st.fractions(Fraction(1, len(arms)) + Fraction(1, 100), "99/100", max_denominator=1000)),
        }
    return parse_method(name, arms, ratio, **parameters)


@st.composite
def two_arm_methods(draw):
    arms = draw(st.lists(TEXTS, min_size=2, max_size=2, unique=True))
    name, parameters = draw(
        st.one_of(
            st.tuples(
                st.just("biased_coin"),
                st.fixed_dictionaries({"p": st.fractions("1/2", "99/100", max_denominator=1000)}),
            ),
            st.tuples(
                st.just("wei_urn"), st.fixed_dictionaries({"alpha": st.integers(0, 5), "beta": st.integers(1, 5)})
            ),
            st.tuples(st.just("big_stick"), st.fixed_dictionaries({"mti": st.integers(1, 4)})),
            st.tuples(
                st.just("maximal_procedure"),
                st.fixed_dictionaries({"n": st.sampled_from([PLANNED, 400]), "mti": st.integers(1, 4)}),
            ),
        )
    )
    return parse_method(name, arms, dict.fromkeys(arms, 1), **parameters)


@st.composite
def records(draw):
    """A method, a secret, a trial and its true record."""
    method = draw(methods())
    minimised = method.parameters.get("factors", [])
    strata = [""] if minimised else draw(st.lists(st.one_of(st.just(""), TEXTS), min_size=1, max_size=3, unique=True))
    levels = st.sampled_from(["low", "high", "é"])
    places = [
        Place(draw(st.sampled_from(strata)), {factor: draw(levels) for factor in minimised})
        for _ in range(draw(st.integers(1, PLANNED)))
    ]
    secret = Secret(draw(st.binary(min_size=32, max_size=32)))
    trial = draw(TEXTS)
    return method, secret, trial, sequence(method, secret, trial=trial, places=places)


def verified(method, secret, trial, rows, true_rows):
    """What the standalone verifier says of these rows, where the counts are those of the true record."""
    commitment = commit(secret, "abc", method)
    told = {"trial": trial, "protocol_hash": "abc", "commitment": commitment}
    document = reveal_document(method, secret, allocations=rows, **told)
    document["counts"] = reveal_document(method, secret, allocations=true_rows, **told)["counts"]
    printed = io.StringIO()
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
        path = Path(folder) / "allocations.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        code = verifier.main([str(path)])
    return code, printed.getvalue()


def named(output):
    return {int(number) for number in re.findall(r"^WRONG .*?number (\d+): ", output, flags=re.MULTILINE)}


@settings(max_examples=150)
@given(record=records())
def test_a_true_record_is_right_for_both(record):
    method, secret, trial, rows = record
    assert replay(method, secret, trial, rows) == ()
    code, output = verified(method, secret, trial, rows, rows)
    assert (code, output) == (0, f"allocations read: {len(rows)}; commitment and every allocation are right\n")


@settings(max_examples=60)
@given(record=records(), data=st.data())
def test_the_production_path_gives_the_same_arm_at_any_place(record, data):
    method, secret, trial, rows = record
    index = data.draw(st.integers(0, len(rows) - 1))
    row = rows[index]
    asked = {"trial": trial, "stratum": row.stratum, "factors": row.factors}
    assert allocate(method, secret, past=rows[:index], **asked) == row


@settings(max_examples=100)
@given(record=records(), data=st.data())
def test_one_altered_arm_is_named_by_both(record, data):
    method, secret, trial, rows = record
    index = data.draw(st.integers(0, len(rows) - 1))
    other = data.draw(st.sampled_from([arm for arm in method.arms if arm != rows[index].arm]))
    altered = [*rows[:index], replace(rows[index], arm=other), *rows[index + 1 :]]
    (mismatch,) = replay(method, secret, trial, altered)
    assert (mismatch.stratum, mismatch.number) == (rows[index].stratum, rows[index].number)
    code, output = verified(method, secret, trial, altered, rows)
    assert code == 1
    assert named(output) == {rows[index].number}


@settings(max_examples=100)
@given(record=records(), data=st.data())
def test_one_removed_row_is_named(record, data):
    method, secret, trial, rows = record
    index = data.draw(st.integers(0, len(rows) - 1))
    kept = [*rows[:index], *rows[index + 1 :]]
    code, output = verified(method, secret, trial, kept, rows)
    assert code == 1
    assert rows[index].number in named(output)
    if any(row.stratum == rows[index].stratum for row in rows[index + 1 :]):
        places = {(mismatch.stratum, mismatch.number) for mismatch in replay(method, secret, trial, kept)}
        assert places == {(rows[index].stratum, rows[index].number)}


@settings(max_examples=100)
@given(record=records(), data=st.data())
def test_two_rows_that_changed_places_are_named(record, data):
    method, secret, trial, rows = record
    stratum = data.draw(st.sampled_from([row.stratum for row in rows]))
    places = [index for index, row in enumerate(rows) if row.stratum == stratum]
    if len(places) < 2:
        return
    first, second = sorted(data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2, unique=True)))
    swapped = list(rows)
    swapped[first], swapped[second] = rows[second], rows[first]
    out_of_place = {row.number for row in rows[first : second + 1] if row.stratum == stratum} - {rows[second].number}
    assert {mismatch.number for mismatch in replay(method, secret, trial, swapped)} == out_of_place
    code, output = verified(method, secret, trial, swapped, rows)
    assert code == 1
    assert named(output) == out_of_place


@settings(max_examples=100)
@given(record=records())
def test_no_arm_gets_further_ahead_than_its_method_allows(record):
    method, _, _, rows = record
    for stratum in {row.stratum for row in rows}:
        arms = [row.arm for row in rows if row.stratum == stratum]
        for place in range(len(arms) + 1):
            counts = [arms[:place].count(arm) for arm in method.arms]
            if method.name in ("big_stick", "maximal_procedure"):
                assert abs(counts[0] - counts[1]) <= method.parameters["mti"]
            if method.name == "permuted_blocks" and len(method.parameters["block_sizes"]) == 1:
                (size,) = method.parameters["block_sizes"]
                whole = place - place % size
                blocks = whole // sum(method.ratio)
                assert [arms[:whole].count(arm) for arm in method.arms] == [blocks * part for part in method.ratio]


@settings(max_examples=100)
@given(record=records(), other=st.binary(min_size=32, max_size=32))
def test_nothing_printed_shows_the_secret_or_the_next_arm(record, other):
    method, secret, _, rows = record
    commitment = commit(secret, "abc", method)
    next_row = rows[-1]
    printed = "".join(map(repr, [secret, commitment, method, *rows]))
    assert secret.reveal() not in printed
    assert repr(next_row) == repr(replace(next_row, arm="another"))
    assert check_reveal(commitment, secret, "abc", method)
    assert check_reveal(Commitment(commitment.hex), Secret(other), "abc", method) == (Secret(other) == secret)


def test_an_allocation_is_a_plain_value():
    assert Allocated(1, "A") == Allocated(number=1, arm="A", stratum="", factors={})
    assert hash(Allocated(1, "A")) == hash(Allocated(1, "A", "", {"sex": "F"}))
