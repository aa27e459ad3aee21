"""A made-up trial whose data come as a long table, and a reader of tables written in a test."""

from pathlib import Path

import pytest

from equipoise.exchange import TableRefused, read_long_table
from equipoise.protocol import parse

PROTOCOL = (Path(__file__).parent / "foreign.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def foreign():
    """`foreign(replace=[...])`: the protocol of the made-up trial."""

    def build(replace=()):
        text = PROTOCOL
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        return parse(text.encode())

    return build


@pytest.fixture
def read(foreign, tmp_path):
    """`read(text_or_bytes)`: the snapshot of a table with that content."""

    def build(content, *, replace=()):
        path = tmp_path / "cd4.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_long_table(foreign(replace), path)

    return build


@pytest.fixture
def refusal(read):
    """`refusal(content)`: the text of the refusal that the content meets."""

    def build(content, **more):
        with pytest.raises(TableRefused) as refused:
            read(content, **more)
        return str(refused.value)

    return build
