"""The command line as a person meets it: what each command prints, how it refuses, with which exit code it ends."""

import json
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from equipoise.cli import main
from equipoise.cli.app import equipoise
from equipoise.cli.by_example import ByExample


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of `equipoise demo`, read by every test of the module and changed by none."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        main_in_process(["demo", "demo"])
    return folder


def main_in_process(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def copied(demo: Path, target: Path) -> Path:
    """The demo's folder copied file by file; its ledger is closed, so that no write-ahead log is left out."""
    target.mkdir()
    for path in demo.iterdir():
        if path.is_file():
            (target / path.name).write_bytes(path.read_bytes())
            (target / path.name).chmod(path.stat().st_mode)
    return target


def test_demo_writes_what_it_promises(demo: Path):
    for name in ("protocol.yaml", "trial.db", "secret.key", "results.json", "results.csv", "report/report.html"):
        assert (demo / name).stat().st_size > 0, name


def test_demo_takes_the_place_of_an_earlier_demo_and_says_what_to_do_next(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "again")
    code, out, err = run("demo", folder)
    assert (code, err) == (0, "")
    assert f"equipoise verify {folder} --anchor {folder}/report/anchor-" in out
    assert "These are virtual participants: nothing above is a result of a trial." in out
    assert (folder / "results.csv").read_bytes() == (demo / "results.csv").read_bytes()
    assert (folder / "report" / "report.html").read_bytes() == (demo / "report" / "report.html").read_bytes()


def test_demo_leaves_a_folder_with_other_files_alone(tmp_path: Path, run):
    (tmp_path / "thesis.doc").write_text("years of work")
    code, _, err = run("demo", tmp_path)
    assert code == 1
    assert err == (
        f"Refused. folder = {tmp_path}: holds thesis.doc, which no demo wrote; name an empty or a new folder\n"
    )
    assert (tmp_path / "thesis.doc").read_text() == "years of work"


def test_new_writes_an_outline_that_is_ready_and_never_writes_over_a_protocol(tmp_path: Path, run):
    folder = tmp_path / "trial"
    assert run("new", folder)[0] == 0
    code, out, _ = run("check", folder)
    assert code == 0
    assert out == f"{folder}/protocol.yaml: ready. My trial: 2 arms, 3 visits, 3 items, 2 criteria, 2 analyses.\n"
    code, _, err = run("new", folder)
    assert code == 1
    assert err == (f"Refused. folder = {folder}: already holds protocol.yaml; name another folder, or edit that file\n")


@pytest.mark.parametrize("example", ["nk-hiv", "ddi-ddc"])
def test_each_example_is_ready(tmp_path: Path, run, example: str):
    assert run("new", tmp_path / "trial", "--example", example)[0] == 0
    assert run("check", tmp_path / "trial")[0] == 0


def test_check_tells_every_fault_and_ends_with_1(tmp_path: Path, run):
    path = tmp_path / "protocol.yaml"
    run("new", tmp_path / "trial")
    text = (tmp_path / "trial" / "protocol.yaml").read_text()
    path.write_text(text.replace("planned: 40", "planned: many").replace("rule: screening.age >= 18", "rule: age >="))
    code, out, _ = run("check", path)
    assert code == 1
    assert out.splitlines() == [
        f"{path}:26: population.planned = many: must be a whole number; write it in digits, without quotes or a unit",
        f"{path}:29: eligibility.inclusion[0].rule = age >=: column 7: a value is missing before the end; "
        "write a name, a number or a text in quotes",
        "2 faults; nothing can start from this file until all are mended.",
    ]
    code, out, _ = run("check", path, "--json")
    told = json.loads(out)
    assert (code, told["ready"], len(told["faults"])) == (1, False, 2)
    assert set(told["faults"][0]) == {"file", "line", "field", "value", "problem", "remedy"}


def test_schema_accepts_the_examples_and_is_the_same_each_time(run):
    code, first, _ = run("schema")
    assert code == 0
    assert first == run("schema")[1]
    assert json.loads(first)["properties"]["arms"]["minItems"] == 1


def test_a_missing_folder_is_refused_without_a_traceback(tmp_path: Path, run):
    code, out, err = run("report", tmp_path / "nowhere")
    assert (code, out) == (1, "")
    assert err.startswith("Refused. ")
    assert "Traceback" not in err


def test_a_misspelt_command_ends_with_2(run):
    code, _, err = run("analyze", "demo")
    assert code == 2
    assert "No such command 'analyze'" in err


def test_verify_finds_the_record_intact_and_the_anchor_on_it(demo: Path, run):
    anchor = next((demo / "report").glob("anchor-*.txt"))
    code, out, _ = run("verify", demo, "--anchor", anchor)
    assert code == 0
    assert out.startswith("Intact: ")
    assert f"The head noted in {anchor} lies on this chain: nothing before it was cut or rewritten.\n" in out
    assert "Allocations: 20 drawn again from the committed secret, each as recorded.\n" in out


def test_verify_names_a_flipped_byte_and_ends_with_3(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "tampered")
    with sqlite3.connect(folder / "trial.db") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        body = bytearray(database.execute("SELECT body FROM event WHERE seq = 100").fetchone()[0])
        body[len(body) // 2] ^= 1
        database.execute("UPDATE event SET body = ? WHERE seq = 100", (bytes(body),))
    database.close()
    code, out, err = run("verify", folder)
    assert code == 3, (out, err)
    assert "100" in out


def test_verify_against_an_anchor_finds_a_cut_tail(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "cut")
    with sqlite3.connect(folder / "trial.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM event WHERE seq > 500")
    database.close()
    anchor = next((demo / "report").glob("anchor-*.txt"))
    code, out, err = run("verify", folder, "--anchor", anchor)
    assert code == 3, (out, err)


def test_rebuild_finds_the_tables_as_they_were(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "rebuilt")
    code, out, _ = run("rebuild", folder)
    assert code == 0
    assert out.endswith("rows: the same as before.\n")


def test_rebuild_mends_an_altered_table_and_ends_with_3(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "altered")
    with sqlite3.connect(folder / "trial.db") as database:
        changed = database.execute("UPDATE read_allocation SET arm = 'ART' WHERE arm = 'NKART'").rowcount
    database.close()
    assert changed > 0
    code, out, _ = run("rebuild", folder)
    assert code == 3
    assert "the tables had differed from the events and are right again." in out
    assert run("rebuild", folder)[0] == 0


def test_rebuild_makes_the_tables_of_another_version_anew(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "old")
    with sqlite3.connect(folder / "trial.db") as database:
        database.execute("UPDATE ledger SET value = '1 0123456789abcdef' WHERE name = 'projection'")
        database.execute("DROP TABLE read_allocation")
    database.close()
    code, _, err = run("log", folder, "--limit", 1)
    assert code == 1
    assert err.endswith("; run `equipoise rebuild`\n")
    code, out, err = run("rebuild", folder)
    assert (code, err) == (0, "")
    assert out.startswith("Rebuilt ")
    assert out.endswith(" rows: the tables were those of another version of Equipoise.\n")
    code, out, _ = run("rebuild", folder)
    assert (code, out.endswith(" rows: the same as before.\n")) == (0, True)
    assert run("verify", folder)[0] == 0


def test_backup_holds_the_record_and_not_the_secret(demo: Path, tmp_path: Path, run):
    target = tmp_path / "copy.db"
    code, out, _ = run("backup", demo, target)
    assert code == 0
    assert f"{demo}/secret.key is not in it" in out
    code, _, err = run("backup", demo, target)
    assert code == 1
    assert "is there already" in err


def test_log_prints_one_event_a_line_and_json_for_programs(demo: Path, run):
    code, out, _ = run("log", demo, "--kind", "participant randomised", "--limit", 3)
    assert code == 0
    assert len(out.splitlines()) == 3
    code, out, _ = run("log", demo, "--stream", "01-001", "--json", "--limit", 2)
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["kind"] for event in events] == ["participant screened", "consent recorded"]


def test_analyse_as_of_an_earlier_position_sees_no_later_event(demo: Path, tmp_path: Path, run):
    code, out, _ = run("analyse", demo, "--as-of", 400, "--out", tmp_path, "--json")
    assert code == 0
    results = json.loads(out)
    assert results["meta"]["position"] == 400
    for moment, problem in (("999999", "is not in the ledger"), ("soon", "is neither a position nor a time")):
        code, _, err = run("analyse", demo, "--as-of", moment, "--out", tmp_path)
        assert code == 1
        assert problem in err


def test_analyse_of_a_foreign_table_needs_a_folder_for_the_results(tmp_path: Path, run):
    code, _, err = run("analyse", tmp_path, "--data", tmp_path / "long.csv")
    assert code == 1
    assert err == "Refused. --out: is missing; name a folder for the results, such as --out results\n"


def test_a_report_is_the_same_bytes_each_time(demo: Path, tmp_path: Path, run):
    code, _, _ = run("report", demo, "--out", tmp_path / "one")
    assert code == 0
    first = (tmp_path / "one" / "report.html").read_bytes()
    assert first == (demo / "report" / "report.html").read_bytes()


def test_a_report_beside_an_anchor_of_another_head_is_refused(demo: Path, tmp_path: Path, run):
    anchor = next((demo / "report").glob("anchor-*.txt"))
    (tmp_path / anchor.name).write_text(anchor.read_text().replace("hash: ", "hash: 0")[:-1])
    code, _, err = run("report", demo, "--out", tmp_path)
    assert code == 1
    assert "anchor" in err


def test_design_randomisation_compares_methods(demo: Path, run):
    code, out, _ = run("design", "randomisation", demo)
    assert code == 0
    simple = next(line for line in out.splitlines() if line.startswith("simple"))
    assert simple.split() == ["simple", "0.1762", "4.47", "0.2632", "10.00", "0.00"]
    code, out, _ = run("design", "randomisation", demo, "--json", "--n", 10)
    assert json.loads(out)["n"] == 10


def test_design_stopping_shows_the_boundary_of_the_protocol_and_its_chances(demo: Path, run):
    code, out, _ = run("design", "stopping", demo, "--rates", "0.5")
    assert (code, out.splitlines()) == (
        0,
        [
            "SR1: Pocock-type boundary (Ivanova, Qaqish and Schell 2005): the chance of ever stopping among 10 is at "
            "most 0.05 when the rate is 0.2",
            "alpha: 0.0272",
            "treated  stop at events",
            "1 to 2   -",
            "3 to 4   3",
            "5 to 6   4",
            "7 to 9   5",
            "10       6",
            "true rate   stops  mean treated  mean events",
            "      0.2  0.0421          9.79         1.96",
            "      0.5  0.5605          7.41         3.70",
            "No event in 10 treated still allows a rate of 25.9% (one-sided exact 95% bound).",
        ],
    )


def test_design_stopping_takes_numbers_instead_of_a_protocol(run):
    code, out, _ = run(
        "design",
        "stopping",
        *["--rate", "0.2", "--planned", "10", "--prior", "0.4,1.6", "--threshold", "0.9", "--json"],
    )
    (rule,) = json.loads(out)["rules"]
    assert (code, rule["boundary"], rule["limits"]) == (0, "bayesian", [None, 2, 2, 3, 3, 3, 4, 4, 4, 5])
    assert [each["rate"] for each in rule["operating_characteristics"]] == [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    code, out, _ = run("design", "stopping", "--limit", 1, "--planned", 10)
    assert (code, out.splitlines()[2]) == (0, "1 to 10               1")


POCOCK = "--rate --planned --error (Pocock-type)"
BAYESIAN = "--rate --planned --prior --threshold (Bayesian)"
FIXED = "--limit --planned (fixed)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", f"PROTOCOL: is missing; name a protocol, or give {POCOCK}, or {BAYESIAN}, or {FIXED}"),
        ("--rates 0.1", f"PROTOCOL: is missing; name a protocol, or give {POCOCK}, or {BAYESIAN}, or {FIXED}"),
        (
            "--rate 0.2 --planned 10",
            "--rate --planned: cannot make a boundary alone; "
            "add --error (Pocock-type), or --prior --threshold (Bayesian)",
        ),
        ("--limit 2", "--limit: cannot make a boundary alone; add --planned (fixed)"),
        (
            "--error 0.1 --limit 2",
            f"--error --limit: cannot make a boundary together; give {POCOCK}, or {BAYESIAN}, or {FIXED}",
        ),
        (
            "--rate 0.2 --planned 10 --prior 1 --threshold 0.9",
            "--prior = 1: is not two numbers; give both of the beta distribution, such as 0.4,1.6",
        ),
        (
            ". --rate 0.2 --planned 3",
            "--rate --planned: cannot be given with PROTOCOL, which says the numbers itself; leave out one",
        ),
    ],
)
def test_design_stopping_says_what_it_needs(options: str, said: str, run):
    assert run("design", "stopping", *options.split()) == (1, "", f"Refused. {said}\n")


def test_design_stopping_does_not_understand_what_is_no_number(run):
    code, out, err = run("design", "stopping", "--rates", "a,b")
    assert (code, out) == (2, "")
    assert "'a,b' is not numbers separated by commas" in err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("new", "FOLDER: is missing; write it as in `equipoise new my-trial`"),
        ("rehearse mine", "--seed: is missing; write it as in `equipoise rehearse my-trial --seed 1`"),
        ("report", "FOLDER: is missing; write it as in `equipoise report my-trial`"),
        ("backup mine", "TARGET: is missing; write it as in `equipoise backup my-trial my-trial-backup.db`"),
        ("design randomisation", "PROTOCOL: is missing; write it as in `equipoise design randomisation my-trial`"),
        (
            "hla build A_prot.txt",
            "--out: is missing; "
            "write it as in `equipoise hla build A_prot.txt B_prot.txt C_prot.txt --out ligand-reference.csv`",
        ),
        (
            "donors match --donors D.csv",
            "--recipients: is missing; write it as in `equipoise donors match --donors donors.csv "
            "--recipients recipients.csv --rule educated --out pairs.csv`",
        ),
        (
            "safety grade labs.csv --scale daids-2.1",
            "--out: is missing; write it as in `equipoise safety grade labs.csv --scale daids-2.1 --out grades.csv`",
        ),
    ],
)
def test_what_is_missing_is_refused_with_an_example(typed: str, said: str, run):
    assert run(*typed.split()) == (1, "", f"Refused. {said}\n")


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """A command and all below it."""
    yield command, context
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from commands(below, click.Context(below, parent=context, info_name=name))


EVERY = list(commands(equipoise, click.Context(equipoise, info_name="equipoise")))


@pytest.mark.parametrize(("command", "context"), EVERY, ids=[context.command_path for _, context in EVERY])
def test_every_command_with_something_that_must_be_given_has_an_example_that_gives_it(
    command: click.Command, context: click.Context
):
    needs = [parameter for parameter in command.params if parameter.required]
    assert isinstance(command, ByExample) == bool(needs)
    if isinstance(command, ByExample):
        assert command.example.startswith(f"{context.command_path} ")
        arguments = shlex.split(command.example.removeprefix(context.command_path))
        given = command.make_context(context.info_name, arguments, parent=context.parent).params
        assert all(given[str(parameter.name)] for parameter in needs)


@pytest.mark.parametrize(
    "typed", ["report mine --wrong", "report mine yours", "rehearse mine --seed one", "rehearse --seed"]
)
def test_what_is_not_understood_is_misuse(typed: str, run):
    code, out, err = run(*typed.split())
    assert (code, out) == (2, "")
    assert "Error: " in err


def test_rehearse_refuses_a_folder_that_holds_a_trial(demo: Path, tmp_path: Path, run):
    folder = copied(demo, tmp_path / "taken")
    before = (folder / "trial.db").read_bytes()
    code, _, err = run("rehearse", folder, "--seed", 2)
    assert code == 1
    assert "Traceback" not in err
    assert (folder / "trial.db").read_bytes() == before
