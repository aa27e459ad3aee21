"""Acts of many processes at once, and acts killed at any moment, on both databases.

Run as a program it is the child: `crowd FOLDER ADDRESS` randomises every eligible participant, each in a process of
its own, all at one moment; `bedside FOLDER ADDRESS` has many nurses start one course of one participant at one moment,
with either of two bags; `rounds FOLDER ADDRESS` starts, for each line on standard input, a process that screens,
signs, records and randomises without end and acknowledges each act once it has returned.
"""

import contextlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

KIT = Path(__file__).parents[1] / "unit" / "conduct" / "trial_kit.py"
PARTICIPANTS = 40
NURSES = 20
ROUNDS = 8


def load_kit():
    """The module `trial_kit` of the unit tests."""
    spec = importlib.util.spec_from_file_location("trial_kit", KIT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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


def versions(kit):
    """The protocol, parsed once for all the processes."""
    from equipoise.conduct.in_force import InForce
    from equipoise.protocol import parse

    in_force = InForce(parse(kit.PROTOCOL.encode()))
    return {in_force.hash: in_force}


def opened(folder, address, parsed):
    """The trial, as a new process opens it."""
    from equipoise import conduct

    ledger = conduct.open_trial(Path(folder), database_url=address).ledger
    return conduct.Trial(Path(folder), ledger, parsed)


def crowd(folder, address):
    """Randomise every participant at one moment; how many failed."""
    from equipoise import conduct

    kit = load_kit()
    parsed = versions(kit)

    def randomise(number):
        trial = opened(folder, address, parsed)
        at = datetime(2018, 2, 2, 2, tzinfo=UTC)  # one for all: no act is before the one that overtook it
        conduct.randomise(trial, f"01-{number:03d}", by=kit.DOCTOR, reason="eligible", at=at)
        trial.close()

    return at_once(randomise, PARTICIPANTS)


def at_once(act, number):
    """Start as many processes, each of which acts with its number, all at one moment; how many failed."""
    wait, go = os.pipe()

    def waiting(place):
        os.close(go)
        os.read(wait, 1)
        act(place)

    started = [forked(lambda place=place: waiting(place)) for place in range(1, number + 1)]
    os.close(go)
    return sum(os.waitpid(pid, 0)[1] != 0 for pid in started)


def bedside(folder, address):
    """Start the one participant's first course many times at one moment; how many failed otherwise than refused."""
    from equipoise import conduct

    kit = load_kit()
    parsed = versions(kit)

    def infuse(number):
        bedside = kit.Kit.__new__(kit.Kit)
        bedside.trial, bedside.now = opened(folder, address, parsed), datetime(2018, 2, 1, 12, tzinfo=UTC)
        (participant,) = {row["participant"] for row in bedside.rows("bag")} - {None}
        with contextlib.suppress(conduct.InfusionRefused):
            bedside.infuse(participant, bag=f"L01-{number % 2 + 1}", at=bedside.now)
        bedside.trial.close()

    return at_once(infuse, NURSES)


def work_without_end(kit, parsed, folder, address):
    """Take one participant after another through the trial, acknowledging what each act left in the ledger."""
    from equipoise import conduct

    trial = opened(folder, address, parsed)
    day = kit.DAY

    def done(act, *arguments, **facts):
        result = act(
            trial, *arguments, **facts, by=kit.DOCTOR, reason="as seen", at=datetime(2018, 2, 1, 2, tzinfo=UTC)
        )
        with trial.ledger.reading() as reader:
            os.write(1, f"ack {reader.head.seq}\n".encode())
        return result

    while True:
        participant = done(conduct.screen, site="01", on=day)
        done(conduct.consent, participant, consent_id="main", version="1.0", signed_on=day)
        done(conduct.record, participant, "scr", "entry", {"sex": "M", "age": 40}, visit_date=day)
        blood = {"drawn": day, "cd4": 139, "cd8": 734}
        done(conduct.record, participant, "m0", "blood", blood, visit_date=day)
        done(conduct.declare_eligible, participant)
        done(conduct.randomise, participant)


def rounds(folder, address):
    """One process a line, told by its id; `gone` once it has ended."""
    kit = load_kit()
    parsed = versions(kit)
    for _ in sys.stdin:
        pid = forked(lambda: work_without_end(kit, parsed, folder, address))
        os.write(1, f"pid {pid}\n".encode())
        os.waitpid(pid, 0)
        os.write(1, b"gone\n")


@pytest.fixture
def kit(place, tmp_path):
    """An open trial in each of the databases."""
    kit = load_kit().Kit(tmp_path / "trial", database_url=place.address)
    yield kit
    kit.trial.close()


def child(role, kit, place, **options):
    """Start this file as a program."""
    command = [sys.executable, "-W", "error", __file__, role, kit.trial.folder, place.address]
    return subprocess.Popen(command, text=True, **options)


def test_forty_processes_randomise_forty_participants_at_once(kit, place, tmp_path):
    from equipoise import conduct
    from equipoise.randomisation import verifier_source

    for number in range(PARTICIPANTS):
        kit.declared(**({} if number % 2 else {"sex": "F", "pregnant": "no"}))
    head = kit.head().seq
    kit.trial.ledger.close()  # a connection must not be shared with the children
    assert child("crowd", kit, place).wait(120) == 0
    assert kit.head().seq == head + PARTICIPANTS
    rows = kit.rows("allocation")
    assert [row["participant"] for row in rows] == [f"01-{number:03d}" for number in range(1, PARTICIPANTS + 1)]
    for stratum in ("entry.sex=F", "entry.sex=M"):
        in_order = sorted((row for row in rows if row["stratum"] == stratum), key=lambda row: row["seq"])
        assert [row["number"] for row in in_order] == list(range(1, PARTICIPANTS // 2 + 1))
        assert Counter(row["arm"] for row in in_order) == {"NEW": 10, "OLD": 10}  # whole blocks of four
    assert kit.trial.ledger.verify().ok
    assert kit.trial.ledger.rebuild().identical
    kit.wait(2)
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    conduct.reveal(kit.trial, **kit.entry(kit.MANAGER))
    (tmp_path / "verifier.py").write_text(verifier_source())
    (tmp_path / "allocations.json").write_text(json.dumps(conduct.allocations_file(kit.trial)))
    command = [sys.executable, "-I", tmp_path / "verifier.py", tmp_path / "allocations.json"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == (
        "allocations read: 40; commitment and every allocation are right\n"
    )


def test_many_nurses_at_once_give_one_bag_and_one_course(kit, place):
    participant = kit.issued()
    kit.issue(participant, "L01-2")
    head = kit.head().seq
    kit.trial.ledger.close()
    assert child("bedside", kit, place).wait(120) == 0
    assert kit.head().seq == head + NURSES
    (given,) = kit.rows("infusion")
    assert (given["participant"], given["course"]) == (participant, "C1")
    assert [row["bag"] for row in kit.rows("custody", event="infusing")] == [given["bag"]]
    refused = Counter(event.kind for event in kit.events("infusion refused"))
    assert refused == {"infusion refused": NURSES - 1}
    codes = {row["code"] for row in kit.rows("infusion_refusal")}
    assert codes == {"course-given", "bag-used"}
    assert kit.trial.ledger.verify().ok
    assert kit.trial.ledger.rebuild().identical


@pytest.mark.parametrize("code", ["L01-1\0", "\ud800", "L01-1' OR '1'='1"])
def test_a_code_that_no_database_holds_is_refused_and_recorded(kit, code):
    from equipoise.refusals import Refusal

    participant = kit.issued()
    for place in (0, 2):
        asked = [participant, "C1", "L01-1"]
        asked[place] = code
        head = kit.head().seq
        with pytest.raises(Refusal):
            kit.infuse(*asked, label=kit.label(participant))
        assert kit.head().seq == head + 1
    assert kit.rows("infusion") == []
    assert kit.trial.ledger.rebuild().identical


def test_acts_killed_at_any_moment_leave_whole_acts_alone(kit, place):
    moments = random.Random(20180201)
    kit.trial.ledger.close()
    process = child("rounds", kit, place, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    last = kit.head().seq
    for _ in range(ROUNDS):
        kit.trial.ledger.close()
        process.stdin.write("start\n")
        process.stdin.flush()
        pid = int(process.stdout.readline().removeprefix("pid "))
        acknowledged = [int(process.stdout.readline().removeprefix("ack "))]
        time.sleep(moments.uniform(0, 0.05))
        os.kill(pid, signal.SIGKILL)
        while (line := process.stdout.readline()) != "gone\n":
            acknowledged.append(int(line.removeprefix("ack ")))
        assert acknowledged == list(range(acknowledged[0], acknowledged[-1] + 1))
        assert acknowledged[0] in (last + 1, last + 2)  # one act may have been committed and not acknowledged
        last = acknowledged[-1]
        assert kit.head().seq in (last, last + 1)
    process.stdin.close()
    process.wait(30)
    process.stdout.close()
    found = kit.trial.ledger.verify()
    assert (found.ok, found.faults) == (True, ())
    assert kit.trial.ledger.rebuild().identical
    numbers = [row["number"] for row in sorted(kit.rows("allocation"), key=lambda row: row["seq"])]
    assert numbers == list(range(1, len(numbers) + 1))
    for row in kit.rows("form"):
        items = [value["item"] for value in kit.rows("value", participant=row["participant"], form=row["form"])]
        assert items == {"entry": ["age", "sex"], "blood": ["cd4", "cd8", "drawn", "ratio"]}[row["form"]]


def test_a_snapshot_is_the_same_from_either_database(kit, tmp_path):
    """The course of a trial, read from its database and from a backup of it in SQLite."""
    from equipoise import conduct
    from equipoise.conduct.snapshots import COLUMNS

    first = kit.infused()
    with pytest.raises(conduct.InfusionRefused):
        kit.infuse(first)
    for minutes in (15, 30):
        signs = {"minutes": minutes, "values": {"temperature": "37.9", "pulse": 88}}
        conduct.record_infusion_vital_signs(kit.trial, first, "C1", **signs, **kit.entry())
    right = {"minutes": 30, "right_minutes": 20, "values": {"pulse": None}}
    conduct.correct_infusion_vital_signs(kit.trial, first, "C1", **right, **kit.entry())
    conduct.miss_course(kit.trial, first, "C2", cause="away", **kit.entry())
    conduct.take_back_missed_course(kit.trial, first, "C2", **kit.entry())
    kit.wait(28)
    kit.record(first, "m1", "symptoms", {"any": "no"})
    kit.trial.ledger.backup(tmp_path / "backup.db")
    restored = conduct.open_trial(kit.trial.folder, database_url=str(tmp_path / "backup.db"))
    there, here = conduct.snapshot(restored), conduct.snapshot(kit.trial)
    assert (there.head_hash, there.counts) == (here.head_hash, here.counts)
    for name in COLUMNS:
        assert getattr(there, name).equals(getattr(here, name)), name
    assert len(here.infusions) == 1
    assert len(here.infusion_refusals) == 2
    assert here.infusion_vital_signs["minutes"].tolist() == [15, 20]
    assert here.infusion_vital_signs["corrections"].tolist() == [0, 1]
    assert len(here.missed_courses) == 0
    restored.close()


if __name__ == "__main__":
    if sys.argv[1] in ("crowd", "bedside"):
        sys.exit({"crowd": crowd, "bedside": bedside}[sys.argv[1]](*sys.argv[2:]))
    rounds(*sys.argv[2:])
