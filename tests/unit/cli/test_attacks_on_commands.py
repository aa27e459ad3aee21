"""Commands in the hands of the tired, the careless and the malicious: a refusal in words, nothing lost or leaked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from equipoise import conduct
from equipoise.cli import main
from equipoise.ledger import Actor
from equipoise.randomisation import Secret

SECRET = Secret(bytes(range(32)))
MANAGER, DOCTOR = Actor("dm", "data_manager"), Actor("pi", "investigator", "01")
START = datetime(2026, 2, 1, 9, tzinfo=UTC)
FORGED = "fine\n   999  2026-02-01 00:00:00Z  trial locked\x1b[2J\u202e"
LONG_NAME = "a" * 300


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outline's trial with two participants randomised, closed; the others are copies of it."""
    folder = tmp_path_factory.mktemp("attacked") / "trial"
    protocol = (files("equipoise.cli") / "examples" / "outline.yaml").read_bytes()
    trial = conduct.create(folder, protocol, secret=SECRET, by=MANAGER, reason="begin", at=START)
    for place in range(2):
        enrolled(trial, START + timedelta(minutes=1 + 10 * place))
    trial.close()
    return folder


def enrolled(trial: conduct.Trial, at: datetime) -> None:
    """Screen, consent, assess, declare eligible and randomise one participant."""
    common = {"by": DOCTOR, "at": at}
    day = date(2026, 2, 1)
    code = conduct.screen(trial, site="01", on=day, reason=FORGED, **common)
    conduct.consent(trial, code, consent_id="main", version="1.0", signed_on=day, reason="signed", **common)
    for visit, form, values in (
        ("screening", "screening", {"age": 40, "pregnant": "no"}),
        ("m0", "score", {"total": 50}),
    ):
        conduct.record(trial, code, visit, form, values, visit_date=day, reason="seen", **common)
    conduct.declare_eligible(trial, code, reason="all met", **common)
    conduct.randomise(trial, code, reason="ready", **common)


@pytest.fixture
def trial(template: Path, tmp_path: Path) -> Path:
    """A trial's folder, the test's own; its name has a space and is not ASCII."""
    return Path(shutil.copytree(template, tmp_path / "my trial é"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    def run(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        return code, *capfd.readouterr()

    return run


def piped(arguments: list[object], **more) -> subprocess.Popen:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "equipoise", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


@pytest.mark.parametrize("option", ["--limit", "--after"])
def test_log_refuses_a_number_that_no_ledger_reaches(trial: Path, run, option: str):
    code, _, err = run("log", trial, option, "9" * 30)
    assert code == 2
    assert f"Invalid value for '{option}'" in err


def test_log_refuses_a_kind_that_no_event_has(trial: Path, run):
    code, out, err = run("log", trial, "--kind", "participant randomized")
    assert (code, out) == (1, "")
    assert err == (
        "Refused. --kind = participant randomized: is not a kind of event; did you mean participant randomised?\n"
    )


def test_log_says_that_nothing_was_found(trial: Path, run):
    code, out, err = run("log", trial, "--stream", "x'; DROP TABLE event;--")
    assert (code, out) == (0, "")
    assert err == "No event is of this kind and stream after this position.\n"


def test_log_refuses_a_stream_that_is_not_text(trial: Path, run):
    code, _, err = run("log", trial, "--stream", "01\udcff")
    assert code == 1
    assert err == "Refused. stream = 01\\udcff: holds half of a character pair; type the text again\n"


def test_log_shows_no_line_that_is_not_an_event(trial: Path, run):
    code, out, _ = run("log", trial, "--kind", "participant screened")
    assert code == 0
    lines = out.removesuffix("\n").split("\n")
    assert len(lines) == 2
    assert lines[0].endswith(r"fine\n   999  2026-02-01 00:00:00Z  trial locked\x1b[2J\u202e")


@pytest.mark.parametrize("moment", ["²", "9" * 5000, "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", ""])
def test_a_moment_that_is_none_is_refused(trial: Path, run, moment: str):
    code, out, err = run("analyse", trial, "--as-of", moment)
    assert (code, out) == (1, "")
    assert err.startswith("Refused. --as-of")
    assert err.endswith(
        ": is neither a position nor a time; give a position such as 412 or a UTC time such as 2018-06-30T12:00\n"
    )


def test_an_earlier_position_leaves_the_results_of_the_whole_trial_alone(trial: Path, run):
    assert run("analyse", trial)[0] == 0
    assert run("report", trial)[0] == 0
    kept = {path: path.read_bytes() for path in (trial / "results.json", trial / "report" / "report.html")}
    code, out, _ = run("analyse", trial, "--as-of", 3)
    assert code == 0
    assert f"Wrote {trial}/results-3.json and {trial}/results-3.csv" in out
    assert f"Next: `equipoise report '{trial}' --as-of 3`.\n" in out
    code, out, _ = run("report", trial, "--as-of", 3)
    assert (code, out) == (0, f"Wrote {trial}/report-3/report.html\n")
    assert json.loads((trial / "results-3.json").read_text(encoding="utf-8"))["meta"]["position"] == 3
    assert {path: path.read_bytes() for path in kept} == kept


def test_the_head_by_its_number_or_a_later_time_is_the_whole_trial(trial: Path, run):
    for moment in (14, "2030-01-01"):
        assert f"Wrote {trial}/results.json" in run("analyse", trial, "--as-of", moment)[1]


@pytest.mark.parametrize("out", ["secret.key", "secret.key/below"])
def test_a_report_in_a_place_that_is_a_file_is_refused(trial: Path, run, out: str):
    before = (trial / "secret.key").read_bytes()
    code, _, err = run("report", trial, "--out", trial / out)
    assert code == 1
    assert err.startswith(f"Refused. folder = {trial}/{out}: cannot be written (")
    assert err.endswith("; name another folder\n")
    assert (trial / "secret.key").read_bytes() == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", LONG_NAME],
        ["new", LONG_NAME],
        ["log", LONG_NAME],
        ["rehearse", LONG_NAME, "--seed", 1],
        ["schema", "--out", "/nowhere/schema.json"],
        ["schema", "--out", "/"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_the_system_refuses_is_told_without_a_traceback(run, arguments: list[object]):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("Refused. file = ")
    assert err.count("\n") == 1


def test_a_name_that_the_system_refuses_is_told_whole(run):
    assert run("schema", "--out", "/nowhere/schema.json")[2] == (
        "Refused. file = /nowhere/schema.json: the system refuses it (No such file or directory); "
        "check the name, the room on the disk, and who may read and write there\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_told(trial: Path):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "equipoise", "log", str(trial)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Refused. standard output: cannot be written (No space left on device); make room, or send it elsewhere\n"
    )
    assert "Traceback" not in done.stderr


def test_a_reader_who_leaves_is_no_failure(trial: Path):
    reading, writing = os.pipe()
    os.close(reading)  # nobody reads on: what `| head` does, sooner
    command = [sys.executable, "-m", "equipoise", "log", str(trial)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("cp1252", "é/-5\\u4e2d"), ("latin-1", "é/-5\\u4e2d"), ("koi8-r", "\\xe9/-5\\u4e2d"), ("utf-16", "é/−5中")],
)
def test_no_encoding_of_the_terminal_stops_a_command(trial: Path, encoding: str, shown: str):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "NO_COLOR": "1", "TERM": "dumb"}
    process = piped(["rehearse", trial / "−5中", "--seed", 1], env=environment)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.decode(encoding).rstrip().endswith(f"my trial {shown}: does not exist; check the name and the folder")


def test_json_is_utf8_whatever_the_terminal(trial: Path):
    process = piped(
        ["log", trial, "--kind", "participant screened", "--json"], env={**os.environ, "PYTHONIOENCODING": "cp1252"}
    )
    out, _ = process.communicate()
    assert [json.loads(line)["reason"] for line in out.decode("utf-8").splitlines()] == [FORGED, FORGED]


def test_the_secret_is_in_nothing_that_is_written_or_printed(trial: Path, tmp_path: Path, run):
    secret = SECRET.reveal()
    told = ""
    for arguments in (
        ["analyse", trial],
        ["analyse", trial, "--json"],
        ["report", trial],
        ["verify", trial],
        ["verify", trial, "--json"],
        ["rebuild", trial],
        ["backup", trial, tmp_path / "copy.db"],
        ["log", trial, "--json"],
    ):
        code, out, err = run(*arguments)
        assert code == 0, (arguments, err)
        told += out + err
    assert secret not in told
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "secret.key"]
    assert len(written) > 6
    for path in written:
        assert secret.encode() not in path.read_bytes(), path
        assert bytes.fromhex(secret) not in path.read_bytes(), path


def test_a_secret_in_reach_of_others_is_refused_and_not_shown(trial: Path, run):
    (trial / "secret.key").chmod(0o644)
    code, out, err = run("verify", trial)
    assert (code, out) == (1, "")
    assert err == (
        f"Refused. secret = {trial}/secret.key: others may reach the file (mode 0644); "
        f"run chmod 600 '{trial}/secret.key'\n"
    )


def test_another_secret_is_refused_and_neither_is_shown(trial: Path, run):
    (trial / "secret.key").write_text("ab" * 32 + "\n")
    code, out, err = run("verify", trial)
    assert (code, out) == (1, "")
    assert err == (
        "Refused. secret: is not the one that the trial committed to; "
        "restore the trial's own secret.key from its safe copy\n"
    )
