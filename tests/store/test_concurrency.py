"""One writer at a time, over all processes."""

import re
import subprocess
import sys

import pytest

from equipoise.ledger import Busy, Ledger

PROCESSES = 40


def test_forty_processes_that_read_then_append_lose_nothing_and_do_nothing_twice(ledger, place, child_script):
    command = [sys.executable, "-W", "error", child_script, "crowd", place.address, str(PROCESSES)]
    subprocess.run(command, check=True, timeout=120)
    found = ledger.verify()
    assert (found.ok, found.events) == (True, PROCESSES)
    with ledger.reading() as reader:
        numbers = sorted(event.payload["item"] for event in reader.events())
        assert numbers == list(range(1, PROCESSES + 1))
        assert len({event.payload["text"] for event in reader.events()}) == PROCESSES
    assert ledger.rebuild().identical


def test_a_writer_that_waits_in_vain_is_refused(ledger, place, child, monkeypatch):
    for room in ("sqlite", "postgresql"):
        monkeypatch.setattr(f"equipoise.ledger.{room}.WAIT_SECONDS", 1)
    with (  # noqa: PT012
        ledger.writing() as first,
        Ledger.open(place.address, child.PROJECTION, software="x") as other,
        pytest.raises(Busy) as refused,
    ):
        child.append(first, 1, "x")
        with other.writing():
            pass
    assert re.fullmatch(
        r"ledger = \S+: another program held it for 1 seconds; "
        r"try again; if it stays so, end the program that holds it",
        str(refused.value),
    )
    with ledger.reading() as reader:
        assert reader.head.seq == 1


def test_the_wait_is_thirty_seconds():
    from equipoise.ledger import store

    assert store.WAIT_SECONDS == 30
