"""The anchor's four lines."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from equipoise.ledger import Anchor, Head, NotAnAnchor, NotUtc
from equipoise.refusals import shown

AT = datetime(2018, 2, 1, 8, tzinfo=UTC)
TEXT = f"Equipoise ledger anchor 1\nposition: 120\nhash: {'9f' * 32}\nat: 2018-02-01T08:00:00.000000Z\n"


def test_an_anchor_is_written_as_four_lines_and_read_again(tmp_path):
    anchor = Anchor.of(Head(120, "9f" * 32), AT)
    anchor.write(tmp_path / "anchor.txt")
    assert (tmp_path / "anchor.txt").read_bytes() == TEXT.encode()
    assert Anchor.read(tmp_path / "anchor.txt") == anchor


def test_an_anchor_is_not_written_over_another(tmp_path):
    path = tmp_path / "anchor.txt"
    path.write_text("older")
    with pytest.raises(NotAnAnchor) as refused:
        Anchor(1, "9f" * 32, AT).write(path)
    assert str(refused.value) == (
        f"anchor = {shown(path)}: is there already; keep it and give the new anchor another name"
    )
    assert path.read_text() == "older"


def test_an_anchor_needs_a_folder_and_a_utc_time(tmp_path):
    path = tmp_path / "no" / "anchor.txt"
    with pytest.raises(NotAnAnchor) as refused:
        Anchor(1, "9f" * 32, AT).write(path)
    assert str(refused.value) == (
        f"anchor = {shown(path)}: cannot be written; name a file in a folder you can write to"
    )
    with pytest.raises(NotUtc):
        Anchor(1, "9f" * 32, AT.replace(tzinfo=None)).write(tmp_path / "anchor.txt")
    assert not (tmp_path / "anchor.txt").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT[:-1],
        TEXT + "\n",
        TEXT.replace("anchor 1", "anchor 2"),
        TEXT.replace("120", "-1"),
        TEXT.replace("120", "012"),
        TEXT.replace("9f", "9F"),
        TEXT.replace("9f9f", "9f", 1),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, text):
    path = tmp_path / "anchor.txt"
    path.write_text(text)
    with pytest.raises(NotAnAnchor) as refused:
        Anchor.read(path)
    assert str(refused.value) == (
        f"anchor = {shown(path)}: does not have the four lines of “Equipoise ledger anchor 1”; name an anchor file"
    )


def test_an_anchor_with_a_strange_time_is_refused(tmp_path):
    path = tmp_path / "anchor.txt"
    path.write_text(TEXT.replace("2018-02-01T08:00:00.000000Z", "yesterday"))
    with pytest.raises(NotAnAnchor) as refused:
        Anchor.read(path)
    assert str(refused.value) == (
        f"anchor = {shown(path)}: says at: yesterday, which is no UTC time; name an anchor file"
    )


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path, content):
    path = tmp_path / "anchor.txt"
    if content:
        path.write_bytes(content)
    with pytest.raises(NotAnAnchor) as refused:
        Anchor.read(path)
    assert str(refused.value) == (
        f"anchor = {shown(path)}: cannot be read as text; name the file that holds the anchor"
    )


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_file_without_an_end_is_no_anchor():
    with pytest.raises(NotAnAnchor) as refused:
        Anchor.read(Path("/dev/zero"))
    assert str(refused.value) == (
        "anchor = /dev/zero: does not have the four lines of “Equipoise ledger anchor 1”; name an anchor file"
    )
