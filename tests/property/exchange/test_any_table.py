"""Any table: what is written comes back as it was; whatever the bytes, there is a snapshot or a whole refusal."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.exchange import TableRefused, read_long_table
from equipoise.protocol import load

# The small protocol of the unit tests: arms new and old, months 0 and 6, one number and one thing told once.
FOREIGN = Path(__file__).parents[2] / "unit" / "exchange" / "foreign.yaml"
HEAD = ["patient", "drug", "gender", "month", "cd4"]
NUMBERS = st.one_of(st.decimals(0, 4000, places=3).map(str), st.integers(0, 4000).map(str), st.just(""))
CODES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=8)
PEOPLE = st.dictionaries(
    CODES.map(str.strip).filter(lambda code: code not in ("", "NA")),
    st.tuples(
        st.sampled_from(["new", "old"]),
        st.sampled_from(["female", "male"]),
        st.dictionaries(st.sampled_from(["0", "6"]), NUMBERS, min_size=1),
    ),
    min_size=1,
    max_size=12,
)
keeping_files = settings(suppress_health_check=list(HealthCheck), max_examples=80)


@pytest.fixture(scope="module")
def protocol():
    return load(FOREIGN)


def written(people, order):
    rows = [
        [code, arm, gender, month, value]
        for code, (arm, gender, counts) in people.items()
        for month, value in counts.items()
    ]
    order.shuffle(rows)
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    return text.getvalue().encode()


@keeping_files
@given(people=PEOPLE, order=st.randoms(use_true_random=False))
def test_what_is_written_comes_back(protocol, tmp_path, people, order):
    path = tmp_path / "table.csv"
    path.write_bytes(written(people, order))
    found = read_long_table(protocol, path)
    arms = dict(zip(found.participants["participant"], found.participants["arm"], strict=True))
    assert arms == {code: arm.upper() for code, (arm, _, _) in people.items()}
    counts = found.item("blood.cd4")
    assert {(row.participant, row.visit): row.value for row in counts.itertuples()} == {
        (code, f"m{month}"): value
        for code, (_, _, known) in people.items()
        for month, value in known.items()
        if value != ""
    }
    assert (found.visits["status"] == "done").sum() == sum(len(known) for _, _, known in people.values())
    assert len(found.item("entry.sex")) == len(people)


@keeping_files
@given(people=PEOPLE, order=st.randoms(use_true_random=False), place=st.floats(0, 1), noise=st.binary(max_size=6))
def test_a_damaged_table_is_read_or_refused_whole(protocol, tmp_path, people, order, place, noise):
    content = written(people, order)
    at = int(place * len(content))
    path = tmp_path / "table.csv"
    path.write_bytes(content[:at] + noise + content[at + len(noise) :])
    faults, found = [], None
    try:
        found = read_long_table(protocol, path)
    except TableRefused as refused:
        faults = str(refused).split("\n")
    assert bool(faults) != bool(found)
    assert all(fault.startswith(("table.csv:", "and ")) for fault in faults)
    if found is not None:
        assert set(found.participants["arm"]) <= {"NEW", "OLD"}
        assert not found.values.duplicated(["participant", "visit", "item"]).any()


@keeping_files
@given(content=st.binary(max_size=200))
def test_no_bytes_are_a_crash(protocol, tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(TableRefused):
        read_long_table(protocol, path)
