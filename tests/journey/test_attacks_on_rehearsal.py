"""A rehearsal that somebody starts twice at once, and stops half-way."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

EQUIPOISE = [sys.executable, "-m", "equipoise"]
SOME_EVENTS = 10


def started(*arguments: object) -> subprocess.Popen[str]:
    command = [*EQUIPOISE, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def events_in(database: Path) -> int:
    """How many events another process has committed so far."""
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    except sqlite3.OperationalError:  # its tables are not there yet
        return 0
    finally:
        connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_one_of_two_rehearsals_wins_and_what_it_recorded_before_ctrl_c_stays(tmp_path: Path):
    folder = tmp_path / "trial"
    assert subprocess.run([*EQUIPOISE, "new", folder, "--example", "nk-hiv"], check=False).returncode == 0
    both = [started("rehearse", folder, "--seed", 1) for _ in range(2)]
    while all(each.poll() is None for each in both):
        time.sleep(0.05)
    loser, winner = sorted(both, key=lambda each: each.poll() is None)
    assert loser.returncode == 1
    told = loser.communicate()[1]
    assert told.startswith("Refused. ")
    assert told.count("\n") == 1
    while winner.poll() is None and events_in(folder / "trial.db") < SOME_EVENTS:
        time.sleep(0.05)
    winner.send_signal(signal.SIGINT)
    out, err = winner.communicate()
    assert (winner.returncode, out) == (130, "")
    assert err.strip() == "Stopped. What had been recorded stays recorded."
    verified = subprocess.run([*EQUIPOISE, "verify", folder], capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("Intact: ")
    assert events_in(folder / "trial.db") >= SOME_EVENTS
