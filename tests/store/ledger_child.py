"""What the store tests share, and a program that appends so that it can be run many times at once, or killed.

Run as `ledger_child.py crowd ADDRESS N` (N processes append one event each) or `ledger_child.py rounds ADDRESS` (for
each line on standard input, a process that appends without end and acknowledges each event once it is committed).
"""

import os
import sys
import traceback
from datetime import UTC, datetime, timedelta

from equipoise.ledger import Actor, Ledger, Projection, Put, Table

START = datetime(2018, 2, 1, 8, 0, tzinfo=UTC)
NURSE = Actor("n.one", "nurse", "H1")
SOFTWARE = "equipoise test"
PROTOCOL = "5f" * 32


def fold(event):
    """Two tables: what each thing's items are, and which event touched each thing last."""
    yield Put("item", (event.stream, event.payload["item"]), {"text": event.payload["text"]})
    yield Put("thing", (event.stream,), {"last_event": event.seq, "kind": event.kind})


PROJECTION = Projection(
    version=1,
    tables=(
        Table("item", ("thing", "item"), {"thing": str, "item": int, "text": str, "note": str}),
        Table("thing", ("thing",), {"thing": str, "last_event": int, "kind": str}),
    ),
    fold=fold,
)


def append(writer, item, text, *, stream="T1", kind="noted", seconds=None):
    """Append one event, dated by its position unless seconds are given."""
    seconds = writer.head.seq if seconds is None else seconds
    return writer.append(
        kind,
        {"item": item, "text": text},
        stream=stream,
        by=NURSE,
        reason="as on the form",
        at=START + timedelta(seconds=seconds),
        protocol_hash=PROTOCOL,
    )


def take_the_next_number(address):
    """Read what is there, then append the number after it: two at once must not take the same one."""
    with Ledger.open(address, PROJECTION, software=SOFTWARE) as ledger, ledger.writing() as writer:
        append(writer, len(writer.rows("item")) + 1, f"process {os.getpid()}")


def append_without_end(address):
    """Append, commit, acknowledge."""
    with Ledger.open(address, PROJECTION, software=SOFTWARE) as ledger:
        while True:
            with ledger.writing() as writer:
                event = append(writer, writer.head.seq % 7, "x" * 200)
            os.write(1, f"ack {event.seq}\n".encode())


def forked(act):
    """Start a process that acts and ends; its id."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            act()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return pid


def crowd(address, number):
    """Start processes that wait for one moment; how many failed."""
    wait, go = os.pipe()

    def act():
        os.close(go)
        os.read(wait, 1)
        take_the_next_number(address)

    started = [forked(act) for _ in range(number)]
    os.close(go)
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in started)


def rounds(address):
    """One process a line, told by its id; `gone` once it has ended."""
    for _ in sys.stdin:
        pid = forked(lambda: append_without_end(address))
        os.write(1, f"pid {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    if sys.argv[1] == "crowd":
        sys.exit(crowd(sys.argv[2], int(sys.argv[3])))
    rounds(sys.argv[2])
