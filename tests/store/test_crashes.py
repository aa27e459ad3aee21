"""Killed at any moment: no acknowledged event is lost, the chain holds, the tables are what the events say."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from equipoise.ledger import Ledger

ROUNDS = 20


class Appender:
    """Child processes that append and acknowledge until they are killed."""

    def __init__(self, script, address, **options):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", script, "rounds", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def run_until_killed(self, moment):
        """Start one, kill it a moment (in seconds) after its first acknowledgement; the acknowledged positions."""
        self.process.stdin.write("start\n")
        self.process.stdin.flush()
        pid = int(self.next_line().removeprefix("pid "))
        acknowledged = [int(self.next_line().removeprefix("ack "))]
        time.sleep(moment)
        os.kill(pid, signal.SIGKILL)
        return acknowledged + self.rest()

    def next_line(self):
        """The next line that a child wrote."""
        line = self.process.stdout.readline()
        assert line, "the child ended early"
        return line.strip()

    def rest(self):
        """What was acknowledged up to the end."""
        acknowledged = []
        while (line := self.next_line()) != "gone":
            acknowledged.append(int(line.removeprefix("ack ")))
        return acknowledged

    def close(self):
        """End."""
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture
def appender(ledger, place, child_script):
    appender = Appender(child_script, place.address)
    yield appender
    appender.close()


def test_kill_at_random_moments_loses_no_acknowledged_event(ledger, appender):
    moments = random.Random(20180201)
    last = 0
    for _ in range(ROUNDS):
        acknowledged = appender.run_until_killed(moments.uniform(0, 0.02))
        # The first may follow an event that was committed just before the last kill and never acknowledged.
        assert acknowledged[0] in (last + 1, last + 2)
        assert acknowledged == list(range(acknowledged[0], acknowledged[-1] + 1))
        last = acknowledged[-1]
        with ledger.reading() as reader:
            assert reader.head.seq in (last, last + 1)
    assert last >= ROUNDS
    assert ledger.verify().ok
    assert ledger.rebuild().identical


@pytest.mark.postgresql
def test_a_server_stopped_without_warning_loses_no_acknowledged_event(cluster, postgresql_place, child, child_script):
    with Ledger.create(postgresql_place.address, child.PROJECTION, software="x") as ledger:
        appender = Appender(child_script, postgresql_place.address, stderr=subprocess.DEVNULL)
        appender.process.stdin.write("start\n")
        appender.process.stdin.flush()
        appender.next_line()
        acknowledged = [int(appender.next_line().removeprefix("ack ")) for _ in range(50)]
        stopping = threading.Thread(target=cluster.stop, args=("immediate",))
        stopping.start()
        acknowledged += appender.rest()
        stopping.join()
        cluster.start()
        appender.close()
        with ledger.reading() as reader:
            assert reader.head.seq in (acknowledged[-1], acknowledged[-1] + 1)
        assert ledger.verify().ok
        assert ledger.rebuild().identical


@pytest.mark.postgresql
def test_a_connection_ended_by_the_server_is_refused_and_appends_nothing(postgresql_place, child):
    from equipoise.ledger import StoreFault
    from equipoise.refusals import shown

    with Ledger.create(postgresql_place.address, child.PROJECTION, software="x") as ledger:
        with pytest.raises(StoreFault) as refused, ledger.writing() as writer:  # noqa: PT012
            child.append(writer, 1, "x")
            postgresql_place.connect().execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            )
            child.append(writer, 2, "x")
        assert str(refused.value) == (
            f"ledger = {shown(ledger.store.address)}: the server could not be reached, or ended the connection; check "
            "address, password and server; then look whether the last act was recorded before repeating it"
        )
        with ledger.writing() as writer:
            assert writer.head.seq == 0
            child.append(writer, 1, "x")
        assert ledger.verify().events == 1
