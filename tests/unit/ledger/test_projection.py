"""Tables in memory, and what a projection promises."""

from dataclasses import replace

import pytest

from equipoise.ledger import MemoryTables, Projection, Put, Table
from equipoise.ledger.projection import check

ITEM = Table("item", ("thing", "number"), {"thing": str, "number": int, "text": str})


def tables(*puts):
    """Tables in memory into which these were folded."""
    folded = MemoryTables(Projection(1, (ITEM,), lambda event: puts))
    folded.apply(None)
    return folded


def test_only_the_columns_named_change():
    wide = Table("item", ("thing",), {"thing": str, "a": int, "b": int})
    folded = MemoryTables(Projection(1, (wide,), lambda event: event))
    folded.apply([Put("item", ("x",), {"a": 1})])
    folded.apply([Put("item", ("x",), {"b": 2}), Put("item", ("y",), {})])
    assert folded.row("item", "x") == {"thing": "x", "a": 1, "b": 2}
    folded.apply([Put("item", ("x",), {"a": None})])
    assert folded.rows("item") == [{"thing": "x", "a": None, "b": 2}, {"thing": "y", "a": None, "b": None}]


def test_rows_come_in_key_order_and_by_value():
    folded = tables(
        *(Put("item", key, {"text": text}) for key, text in ((("b", 2), "x"), (("a", 10), "y"), (("a", 9), None)))
    )
    assert [(row["thing"], row["number"]) for row in folded.rows("item")] == [("a", 9), ("a", 10), ("b", 2)]
    assert [row["number"] for row in folded.rows("item", thing="a")] == [9, 10]
    assert [row["number"] for row in folded.rows("item", text=None)] == [9]
    assert folded.row("item", "a", 11) is None


def test_a_row_given_out_is_a_copy():
    folded = tables(Put("item", ("a", 1), {"text": "x"}))
    folded.row("item", "a", 1)["text"] = "changed"
    folded.rows("item")[0]["text"] = "changed"
    assert folded.row("item", "a", 1)["text"] == "x"


@pytest.mark.parametrize(
    "put",
    [
        Put("item", ("a",), {}),
        Put("item", ("a", "1"), {}),
        Put("item", ("a", True), {}),
        Put("item", (None, 1), {}),
        Put("item", ("a", 1), {"note": "x"}),
        Put("item", ("a", 1), {"number": 2}),
        Put("item", ("a", 1), {"text": 2}),
    ],
)
def test_a_put_that_does_not_fit_its_table_breaks_a_promise(put):
    with pytest.raises(AssertionError, match=r"^item"):
        check(put, ITEM)


def test_an_unknown_table_breaks_a_promise():
    with pytest.raises(AssertionError, match="no table nothing in the projection"):
        tables(Put("nothing", ("a",), {}))


@pytest.mark.parametrize(
    ("name", "key", "columns"),
    [
        ('it"em', ("a",), {"a": str}),
        ("item", ("a",), {"a": str, "b; DROP TABLE event": str}),
        ("item", (), {"a": str}),
        ("item", ("b",), {"a": str}),
        ("item", ("a",), {"a": float}),
    ],
)
def test_a_table_has_plain_names_a_key_and_text_or_integers(name, key, columns):
    with pytest.raises(AssertionError):
        Table(name, key, columns)


def test_the_identity_changes_with_version_and_shape():
    projection = Projection(1, (ITEM,), lambda event: ())
    others = [
        replace(projection, version=2),
        replace(projection, tables=()),
        replace(projection, tables=(replace(ITEM, key=("thing",)),)),
        replace(projection, tables=(replace(ITEM, columns={**ITEM.columns, "text": int}),)),
    ]
    assert len({projection.identity, *(other.identity for other in others)}) == 5
    assert projection.identity == Projection(1, (ITEM,), lambda event: [event]).identity
