"""Commands before the first participant: a new folder, its protocol checked, a rehearsal."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.showing import ExitCode, pasted, progress, say, say_json, say_json_text
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.design.rehearsal import Truth

EXAMPLES = ("nk-hiv", "ddi-ddc")
PROTOCOL_NAME = "protocol.yaml"


@click.command(cls=ByExample, short_help="Make a folder with a protocol file.", example="equipoise new my-trial")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--example", type=click.Choice(EXAMPLES), help="Begin from a whole example instead of the outline.")
def new(folder: Path, example: str | None) -> None:
    """Make FOLDER with a protocol file to begin from."""
    path = write_new(folder, example)
    say(f"Wrote {path}")
    say(f"Next: edit it, then `equipoise check {pasted(folder)}`.")


def write_new(folder: Path, example: str | None) -> Path:
    """Write the outline or an example as the folder's protocol file; an existing one is never overwritten."""
    path = folder / PROTOCOL_NAME
    if path.exists():
        raise Refusal("folder", folder, f"already holds {PROTOCOL_NAME}", "name another folder, or edit that file")
    if folder.exists() and not folder.is_dir():
        raise Refusal("folder", folder, "is a file", "name a folder")
    content = (files("equipoise.cli") / "examples" / f"{example or 'outline'}.yaml").read_bytes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise Refusal("folder", folder, f"cannot be written ({error.strerror})", "check who may write there") from None
    return path


def protocol_path(path: Path) -> Path:
    """The protocol file that a person means by a folder or a file."""
    return path / PROTOCOL_NAME if path.is_dir() else path


@click.command(cls=ByExample, short_help="Check a protocol file; tell every fault.", example="equipoise check my-trial")
@click.argument("protocol", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
def check(protocol: Path, as_json: bool) -> None:
    """Check a protocol file (or the one in a folder) and print every fault with its line."""
    from equipoise.protocol import faults_in, load
    from equipoise.protocol.reading import read_bytes

    path = protocol_path(protocol)
    faults = faults_in(read_bytes(path), str(path))
    if as_json:
        keys = ("file", "line", "field", "value", "problem", "remedy")
        say_json({"ready": not faults, "faults": [{key: getattr(fault, key) for key in keys} for fault in faults]})
    else:
        for fault in faults:
            say(str(fault))
        if faults:
            count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
            say(f"{count}; nothing can start from this file until all are mended.")
        else:
            trial = load(path)
            say(
                f"{path}: ready. {trial.titles.short}: {len(trial.arms)} arms, {len(trial.visits)} visits, "
                f"{len(trial.items)} items, {len(trial.criteria)} criteria, {len(trial.analyses)} analyses."
            )
    if faults:
        raise click.exceptions.Exit(ExitCode.REFUSED)


@click.command(short_help="Print the protocol file's JSON Schema.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file instead of standard output.")
def schema(out: Path | None) -> None:
    """Print the JSON Schema of the protocol file, for editors that complete and check as you type."""
    from equipoise.protocol import json_schema

    text = json_schema()
    if out is None:
        say_json_text(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        say(f"Wrote {out}")


@click.command(
    cls=ByExample, short_help="Run the trial with virtual participants.", example="equipoise rehearse my-trial --seed 1"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), required=True, help="The same seed gives the same trial.")
@click.option(
    "--truth",
    type=click.Choice(["model", "null"]),
    default="model",
    show_default=True,
    help="null: no effect of the arm.",
)
@click.option("--database", help="Database address; without it FOLDER/trial.db.")
def rehearse(folder: Path, seed: int, truth: Truth, database: str | None) -> None:
    """Run FOLDER's whole trial with virtual participants, through the same acts as the real one."""
    from equipoise.design import rehearse as run
    from equipoise.protocol.reading import read_bytes

    content = read_bytes(protocol_path(folder))
    with progress("Rehearsing") as show:
        trial = run(folder, content, seed=seed, truth=truth, database_url=database, progress=show)
    with trial.ledger.reading() as reader:
        head = reader.head
    say(f"Wrote {folder / 'trial.db' if database is None else 'the trial'}: {head.seq} events, head {head.hash[:16]}…")
    say(f"Next: `equipoise analyse {pasted(folder)}`{same_database(database)}.")


def same_database(database: str | None) -> str:
    """What the next command needs besides; the address is not repeated, for it may hold a password."""
    return "" if database is None else " with the same --database"
