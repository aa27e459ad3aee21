"""The checking program on the ledger's method page does what the page says."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.ledger import Anchor, Ledger

PAGE = Path(__file__).parents[2] / "docs" / "methods" / "ledger.md"


def blocks(language):
    """The page's code in one language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def backup(filled, tmp_path):
    return filled.backup(tmp_path / "b.db")


@pytest.fixture
def say(tmp_path):
    """Run the page's program on a file, with nothing but the standard library."""
    (program,) = blocks("python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 30
    script = tmp_path / "check.py"
    script.write_text(program, encoding="utf-8")

    def run(path):
        command = [sys.executable, "-I", "-S", script, path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return run


def test_the_program_finds_the_same_head(backup, say):
    assert say(backup.path) == f"12 events, head {backup.head.hash}"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE event SET body = prev WHERE seq = 4", "event 4 was altered"),
        ("DELETE FROM event WHERE seq = 4", "event 4 is missing"),
        ("UPDATE event SET prev = hash WHERE seq = 4", "event 4 does not follow event 3"),
    ],
)
def test_the_program_finds_a_change(sqlite_place, child, tmp_path, say, change, said):
    with Ledger.create(sqlite_place.address, child.PROJECTION, software="x") as ledger, ledger.writing() as writer:
        for number in range(6):
            child.append(writer, number, "x")
    connection = sqlite3.connect(sqlite_place.address, isolation_level=None)
    connection.execute("DROP TRIGGER event_update")
    connection.execute("DROP TRIGGER event_delete")
    connection.execute(change)
    connection.close()
    assert say(Path(sqlite_place.address)) == said


def test_the_anchor_on_the_page_is_one(tmp_path):
    (text,) = blocks("text")
    (tmp_path / "anchor.txt").write_text(text, encoding="ascii")
    assert Anchor.read(tmp_path / "anchor.txt").position == 120
