"""Commands on the record itself: verify, rebuild, back up, read the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.showing import ExitCode, progress, say, say_json, say_json_text, say_refusal
from equipoise.refusals import Refusal, on_one_line

if TYPE_CHECKING:
    from equipoise.ledger import Event

DATABASE = click.option("--database", help="Database address; without it FOLDER/trial.db.")
LARGEST = 2**53 - 1  # the largest position that a ledger can have
FOLDER = click.argument("folder", type=click.Path(path_type=Path))


@click.command(cls=ByExample, short_help="Check the record and its allocations.", example="equipoise verify my-trial")
@FOLDER
@click.option(
    "--anchor",
    type=click.Path(path_type=Path),
    help="Compare with a head noted earlier, such as a report's anchor.txt.",
)
@click.option(
    "--write-anchor", type=click.Path(path_type=Path), help="Note the present head in this file; keep it elsewhere."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@DATABASE
def verify(folder: Path, anchor: Path | None, write_anchor: Path | None, as_json: bool, database: str | None) -> None:
    """Check every event's hash and the chain; with an anchor also that nothing was cut or rewritten."""
    from equipoise.conduct import open_trial, replay_allocations
    from equipoise.ledger import Anchor

    trial = open_trial(folder, database_url=database)
    with progress("Verifying", quiet=as_json) as show:
        outcome = trial.ledger.verify(Anchor.read(anchor) if anchor else None, progress=show)
    replayed = replay_allocations(trial) if outcome.ok else None
    faults = (*outcome.faults, *(replayed.faults if replayed else ()))
    if as_json:
        head = {"position": outcome.head.seq, "hash": outcome.head.hash}
        drawn_again = replayed.number if replayed else None
        say_json(
            {
                "ok": not faults,
                "events": outcome.events,
                "head": head,
                "allocations_drawn_again": drawn_again,
                "faults": list(faults),
            }
        )
    elif faults:
        for fault in faults:
            say(on_one_line(fault))
    else:
        say(f"Intact: {outcome.events} events, head {outcome.head.seq} {outcome.head.hash}")
        if anchor:
            say(f"The head noted in {anchor} lies on this chain: nothing before it was cut or rewritten.")
        if replayed:
            say(f"Allocations: {replayed.number} drawn again from the committed secret, each as recorded.")
    if faults:
        raise click.exceptions.Exit(ExitCode.DAMAGED)
    if write_anchor:
        with trial.ledger.reading() as reader:
            last = next(iter(reader.events(after=outcome.head.seq - 1, upto=outcome.head.seq)))
        Anchor.of(outcome.head, last.at).write(write_anchor)
        if not as_json:
            say(f"Wrote {write_anchor}")


@click.command(cls=ByExample, short_help="Fold the events into the tables again.", example="equipoise rebuild my-trial")
@FOLDER
@DATABASE
def rebuild(folder: Path, database: str | None) -> None:
    """Fold the events again into the tables that pages read, and say whether they had been the same."""
    from equipoise.conduct import open_ledger

    ledger = open_ledger(folder, database_url=database)
    with progress("Rebuilding") as show:
        outcome = ledger.rebuild(progress=show)
    if outcome.stale:
        say(f"Rebuilt {outcome.rows} rows: the tables were those of another version of Equipoise.")
        return
    if outcome.identical:
        say(f"Rebuilt {outcome.rows} rows: the same as before.")
        return
    say(f"Rebuilt {outcome.rows} rows: the tables had differed from the events and are right again.")
    for difference in outcome.differences:
        say(f"  {on_one_line(str(difference))}")
    raise click.exceptions.Exit(ExitCode.DAMAGED)


@click.command(
    cls=ByExample, short_help="Copy the record to one file.", example="equipoise backup my-trial my-trial-backup.db"
)
@FOLDER
@click.argument("target", type=click.Path(path_type=Path))
@DATABASE
def backup(folder: Path, target: Path, database: str | None) -> None:
    """Copy the record to the file TARGET and verify the copy. The randomisation secret is not in it."""
    from equipoise.conduct import open_trial

    trial = open_trial(folder, database_url=database)
    outcome = trial.ledger.backup(target)
    say(f"Wrote {target}: {outcome.events} events, verified, head {outcome.head.seq} {outcome.head.hash}")
    say(f"{folder / 'secret.key'} is not in it: keep that file safe in another place.")


@click.command(cls=ByExample, short_help="Print the audit trail.", example="equipoise log my-trial")
@FOLDER
@click.option("--kind", multiple=True, help="Only events of this kind; may be given again.")
@click.option("--stream", help="Only this stream, such as a participant's code.")
@click.option("--after", type=click.IntRange(0, LARGEST), default=0, help="Only events after this position.")
@click.option("--limit", type=click.IntRange(1, LARGEST), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with the payload.")
@DATABASE
def log(
    folder: Path,
    kind: tuple[str, ...],
    stream: str | None,
    after: int,
    limit: int | None,
    as_json: bool,
    database: str | None,
) -> None:
    """Print the audit trail: position, time, who, what and why."""
    import json
    from itertools import islice

    from equipoise.conduct import open_trial

    _check_kinds(kind)
    trial = open_trial(folder, database_url=database)
    event = None
    with trial.ledger.reading() as reader:
        for event in islice(reader.events(after=after, kinds=kind or None, stream=stream), limit):
            if as_json:
                say_json_text(json.dumps(_plain(event), ensure_ascii=False, sort_keys=True))
            else:
                say(_line(event))
    if event is None:
        say_refusal("No event is of this kind and stream after this position.")


def _check_kinds(kinds: tuple[str, ...]) -> None:
    from equipoise.conduct import Kind
    from equipoise.conduct.in_force import nearest

    for kind in kinds:
        if kind not in set(Kind):
            raise Refusal("--kind", kind, "is not a kind of event", nearest(kind, [str(each) for each in Kind]))


def _line(event: Event) -> str:
    """An event on one line, whatever was typed into it."""
    at = event.at.strftime("%Y-%m-%d %H:%M:%SZ")
    who = f"{event.actor.id} ({event.actor.role})"
    return on_one_line(f"{event.seq:>6}  {at}  {event.kind:<24}  {event.stream:<12}  {who:<28}  {event.reason}")


def _plain(event: Event) -> dict[str, Any]:
    """An event as a program reads it."""
    return {
        "seq": event.seq,
        "prev": event.prev,
        "hash": event.hash,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "stream": event.stream,
        "actor": event.actor.id,
        "role": event.actor.role,
        "site": event.actor.site,
        "reason": event.reason,
        "source": event.source,
        "protocol_hash": event.protocol_hash,
        "software": event.software,
        "payload": dict(event.payload),
    }
