"""A file of results is there whole or not at all."""

import os
from pathlib import Path

import pytest

from equipoise.analysis.whole_files import write_whole


def test_a_file_takes_the_place_of_the_old_one(tmp_path: Path):
    path = tmp_path / "results.json"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["fsync", "write"])
def test_a_write_that_ends_half_way_leaves_the_old_file_and_no_part(tmp_path: Path, monkeypatch, where: str):
    path = tmp_path / "results.json"
    path.write_bytes(b"old")
    if where == "fsync":  # the disk is full, or Ctrl-C was pressed, before all was on the disk
        monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises((KeyboardInterrupt, TypeError)):
        write_whole(path, b"new" if where == "fsync" else "no bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def stopped(_: int) -> None:
    raise KeyboardInterrupt


def test_a_link_gives_way_and_what_it_pointed_to_stays(tmp_path: Path):
    secret = tmp_path / "secret.key"
    secret.write_bytes(b"kept")
    path = tmp_path / "results.json"
    path.symlink_to(secret)
    write_whole(path, b"numbers")
    assert (secret.read_bytes(), path.read_bytes(), path.is_symlink()) == (b"kept", b"numbers", False)


def test_a_part_left_by_a_killed_process_of_the_same_number_is_no_obstacle(tmp_path: Path):
    left = tmp_path / f".results.json.{os.getpid()}.part"
    left.write_bytes(b"hal")
    write_whole(tmp_path / "results.json", b"whole")
    assert (tmp_path / "results.json").read_bytes() == b"whole"
    assert not left.exists()
