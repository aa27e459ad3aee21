"""A file of results is there whole or not at all."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.analysis.whole_files import check_can_be_replaced, write_whole
from equipoise.refusals import Refusal


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


def test_a_link_to_nothing_gives_way(tmp_path: Path):
    path = tmp_path / "results.json"
    path.symlink_to(tmp_path / "gone")
    write_whole(path, b"numbers")
    assert (path.read_bytes(), path.is_symlink()) == (b"numbers", False)


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def link_to_a_device(folder: Path) -> Path:
    (folder / "null").symlink_to("/dev/null")
    return folder / "null"


def listening(folder: Path) -> Path:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "s"))
    server.close()
    return folder / "s"


SPECIAL = {
    "a device": lambda _: Path("/dev/null"),
    "standard output": lambda _: Path("/dev/stdout"),
    "a descriptor": lambda _: Path("/dev/fd/1"),
    "a pipe": pipe,
    "a socket": listening,
    "a link to a device": link_to_a_device,
}


@pytest.mark.parametrize("name", SPECIAL)
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path, name: str):
    path = SPECIAL[name](tmp_path)
    with pytest.raises(Refusal) as refused:
        check_can_be_replaced(path)
    assert str(refused.value) == (
        f"file = {path}: is no file but a device or pipe, which one would replace; name a file, then print or send that"
    )


def test_a_pipe_stays_a_pipe(tmp_path: Path):
    path = pipe(tmp_path)
    with pytest.raises(Refusal):
        write_whole(path, b"numbers")
    assert list(tmp_path.iterdir()) == [path]
    assert path.is_fifo()


def test_standard_output_is_not_replaced_where_it_was_sent_to_a_file(tmp_path: Path):
    program = "from pathlib import Path; from equipoise.analysis.whole_files import check_can_be_replaced as check; "
    program += "check(Path('/dev/stdout'))"
    with (tmp_path / "sent").open("wb") as sent:
        ended = subprocess.run([sys.executable, "-c", program], stdout=sent, stderr=subprocess.PIPE, check=False)
    assert ended.returncode == 1
    assert b"is no file but a device or pipe" in ended.stderr


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"numbers")
    assert tmp_path.is_dir()


def test_a_part_left_by_a_killed_process_of_the_same_number_is_no_obstacle(tmp_path: Path):
    left = tmp_path / f".results.json.{os.getpid()}.part"
    left.write_bytes(b"hal")
    write_whole(tmp_path / "results.json", b"whole")
    assert (tmp_path / "results.json").read_bytes() == b"whole"
    assert not left.exists()
