"""Commands that read the trial: its analysis, its report, and the whole example at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.opening import trial_at
from equipoise.cli.showing import pasted, progress, say, say_json_text
from equipoise.cli.starting import protocol_path, same_database, write_new
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.analysis import Results
    from equipoise.conduct import Snapshot

RESULTS = "results"
REPORT = "report"
# The first seed with arms of ten, a candidate who declines, fevers after the first course, a withdrawal, missed visits,
# a lot that is rejected and a course missed: chosen for what it shows of a ward.
DEMO_SEED = 4


@click.command(cls=ByExample, short_help="Run the analysis plan.", example="equipoise analyse my-trial")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), help="A long table captured elsewhere. SOURCE is the protocol."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results; needed with --data.")
@click.option("--as-of", help="A ledger position (412) or a UTC time (2018-06-30T12:00): the trial as it stood then.")
@click.option("--database", help="Database address; without it SOURCE/trial.db.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def analyse(
    source: Path, data: Path | None, out: Path | None, as_of: str | None, database: str | None, as_json: bool
) -> None:
    """Run the protocol's analysis plan on a trial folder, or on a table captured in another system.

    The results of an earlier position leave those of the whole trial as they are: without --out, position 412 is
    written to results-412.json and results-412.csv.
    """
    mark = ""
    if data is None:
        snapshot, mark = trial_at(source, as_of, database)
        folder = out or source
    else:
        if out is None:
            raise Refusal("--out", None, "is missing", "name a folder for the results, such as --out results")
        snapshot, folder = _foreign(source, data), out
    results = _analysed(snapshot)
    written = _write_results(results, folder, RESULTS if out else f"{RESULTS}{mark}")
    if as_json:
        say_json_text(results.as_json())
        return
    say(results.sentences["primary"])
    say(f"Wrote {written[0]} and {written[1]} ({len(results.rows)} numbers)")
    if data is None:
        then = f" --as-of {as_of}" if as_of else ""
        say(f"Next: `equipoise report {pasted(source)}{then}`{same_database(database)}.")
    else:
        say(f"Wrote {_write_report(snapshot, results, folder / REPORT)}")


@click.command(cls=ByExample, short_help="Write the report, one HTML page.", example="equipoise report my-trial")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--as-of", help="A ledger position (412) or a UTC time (2018-06-30T12:00): the trial as it stood then.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder for the report; without it FOLDER/report, or FOLDER/report-412 of an earlier position.",
)
@click.option("--database", help="Database address; without it FOLDER/trial.db.")
def report(folder: Path, as_of: str | None, out: Path | None, database: str | None) -> None:
    """Analyse FOLDER's trial and write its report: one HTML page that needs nothing else."""
    snapshot, mark = trial_at(folder, as_of, database)
    path = _write_report(snapshot, _analysed(snapshot), out or folder / f"{REPORT}{mark}")
    say(f"Wrote {path}")


@click.command(short_help="The example trial, from screening to report.")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"))
def demo(folder: Path) -> None:
    """Make the example trial in FOLDER (default: demo), rehearse it, analyse it and write its report."""
    from equipoise.design import rehearse

    _clear_earlier_demo(folder)
    path = write_new(folder, "nk-hiv")
    say(f"Wrote {path}: the published trial of NK cells plus ART, as one protocol file")
    with progress("Rehearsing") as show:
        rehearse(folder, path.read_bytes(), seed=DEMO_SEED, truth="model", progress=show)
    snapshot, _ = trial_at(folder, None, None)
    randomised = int(snapshot.participants["arm"].notna().sum())
    say(
        f"Wrote {folder / 'trial.db'}: {len(snapshot.participants)} virtual people screened, {randomised} randomised, "
        f"{snapshot.position} events"
    )
    results = _analysed(snapshot)
    written, _ = _write_results(results, folder, RESULTS)
    say(f"Wrote {written}: {len(results.rows)} numbers, each with its id")
    say(f"Wrote {_write_report(snapshot, results, folder / REPORT)}")
    say()
    say(results.sentences["primary"])
    say()
    say("These are virtual participants: nothing above is a result of a trial.")
    say("What to do next:")
    say(f"  open {folder / REPORT / 'report.html'} in a browser")
    say(f"  equipoise verify {pasted(folder)} --anchor {pasted(anchor_path(folder / REPORT, snapshot.position))}")
    say(f"  equipoise log {pasted(folder)} --limit 20")
    say("  equipoise new my-trial --example nk-hiv    and edit my-trial/protocol.yaml")


def _clear_earlier_demo(folder: Path) -> None:
    """Remove what an earlier demo wrote; anything else in the folder is refused, and stays."""
    import shutil

    from equipoise.conduct import open_trial

    if not folder.exists():
        return
    if not folder.is_dir():
        raise Refusal("folder", folder, "is a file", "name a folder")
    if not any(folder.iterdir()):
        return
    ours = {
        "protocol.yaml",
        "secret.key",
        "trial.db",
        "trial.db-wal",
        "trial.db-shm",
        f"{RESULTS}.json",
        f"{RESULTS}.csv",
        REPORT,
    }
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in ours)
    if foreign or not (folder / "trial.db").is_file():
        what = f"holds {foreign[0]}, which no demo wrote" if foreign else "holds no rehearsal"
        raise Refusal("folder", folder, what, "name an empty or a new folder")
    trial = open_trial(folder)
    rehearsal = trial.rehearsal
    trial.close()
    if not rehearsal:
        raise Refusal("folder", folder, "holds a real trial", "name an empty or a new folder")
    for name in sorted(ours):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _foreign(protocol: Path, data: Path) -> Snapshot:
    from equipoise.exchange import read_long_table
    from equipoise.protocol import load

    return read_long_table(load(protocol_path(protocol)), data)


def _analysed(snapshot: Snapshot) -> Results:
    from equipoise.analysis import run

    with progress("Analysing") as show:
        return run(snapshot.protocol, snapshot, progress=show)


def _write_results(results: Results, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `<name>.json` and `<name>.csv`, and say where."""
    as_json, as_csv = folder / f"{name}.json", folder / f"{name}.csv"
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        results.write_json(as_json)
        results.write_csv(as_csv)
    return as_json, as_csv


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Turn what the system says against a folder into a refusal."""
    try:
        yield
    except OSError as error:
        raise Refusal("folder", folder, f"cannot be written ({error.strerror})", "name another folder") from None


def _write_report(snapshot: Snapshot, results: Results, folder: Path) -> Path:
    from equipoise.report import write

    with _writing_to(folder):
        path = write(snapshot.protocol, snapshot, results, folder)
    if snapshot.position:
        _write_anchor(snapshot, folder)
    return path


def anchor_path(folder: Path, position: int) -> Path:
    """Where a report leaves the head of the ledger that it was made from."""
    return folder / f"anchor-{position}.txt"


def _write_anchor(snapshot: Snapshot, folder: Path) -> None:
    """Note the head beside the report; one of the same position must say the same."""
    from equipoise.ledger import Anchor

    anchor = Anchor(snapshot.position, snapshot.head_hash, snapshot.as_of)
    path = anchor_path(folder, snapshot.position)
    if not path.exists():
        anchor.write(path)
    elif Anchor.read(path) != anchor:
        problem = f"notes another head for position {snapshot.position}: the record was rewritten since"
        raise Refusal("anchor", path, problem, "run `equipoise verify` with that anchor, and keep both")
