"""Commands on adverse events: code them by a dictionary, and tell one to its receiver."""

from __future__ import annotations

from pathlib import Path

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.opening import trial_at
from equipoise.cli.showing import pasted, progress, say, say_json, table
from equipoise.cli.starting import same_database
from equipoise.refusals import Refusal, on_one_line

AFile = click.Path(path_type=Path)
FOLDER = click.argument("folder", type=AFile)
DATABASE = click.option("--database", help="Database address; without it FOLDER/trial.db.")
MOST_SHOWN, LONGEST = 20, 60


def _short(text: str) -> str:
    """A text on one line, cut where it is long."""
    line = on_one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


@click.command(
    cls=ByExample, short_help="List the adverse events that are not coded.", example="equipoise safety uncoded my-trial"
)
@FOLDER
@click.option("--out", type=AFile, help="Write them to this CSV file, with suggestions, to fill in their codes.")
@click.option("--all", "whole", is_flag=True, help="Also those that are coded, to look their codes over.")
@DATABASE
def uncoded(folder: Path, out: Path | None, whole: bool, database: str | None) -> None:
    """List the adverse events of FOLDER's trial that are not coded by the protocol's dictionary.

    The dictionary is MedDRA, its files in FOLDER/dictionary, or another one in FOLDER/dictionary.csv with the columns
    code, name, system; of CTCAE 5.0 and DAIDS 2.1 the terms that come with the program. Fill the column code of the
    file written, and give it to `equipoise safety code`.
    """
    from equipoise.conduct import coding_dictionary, event_codes, open_trial
    from equipoise.exchange import write_codes

    trial = open_trial(folder, database_url=database)
    try:
        events, dictionary = event_codes(trial), coding_dictionary(trial)
    finally:
        trial.close()
    waiting = [event for event in events if not event.current]
    say(f"Adverse events: {len(events)}; not coded by {dictionary.name} {dictionary.version}: {len(waiting)}")
    listed = events if whole else waiting
    if not listed:
        return
    if out is None:
        first = listed[:MOST_SHOWN]
        rows = [(each.participant, str(each.number), _short(each.verbatim), each.code or "") for each in first]
        say(table([("participant", "number", "verbatim", "code"), *rows]))
        if len(listed) > MOST_SHOWN:
            say(f"and {len(listed) - MOST_SHOWN} more")
        say("With --out codes.csv they are written with suggestions.")
        return
    filled = write_codes(listed, dictionary, out)
    say(f"Wrote {out}: {filled} of {len(listed)} rows have a code; look at each, and fill in the others.")
    then = f"equipoise safety code {pasted(folder)} {pasted(out)} --by NAME"
    say(f'Next: `{then} --reason "first round of coding"`{same_database(database)}.')


@click.command(
    cls=ByExample,
    short_help="Look a term up in the trial's dictionary.",
    example="equipoise safety term my-trial chills",
)
@FOLDER
@click.argument("text")
@DATABASE
def term(folder: Path, text: str, database: str | None) -> None:
    """Look TEXT up in the dictionary of FOLDER's trial: the terms that are like it, the likest first."""
    from equipoise.conduct import coding_dictionary, open_trial

    trial = open_trial(folder, database_url=database)
    try:
        dictionary = coding_dictionary(trial)
    finally:
        trial.close()
    found = dictionary.suggestions(text, MOST_SHOWN)
    if not found:
        problem = f"is like no term of {dictionary.name} {dictionary.version}"
        raise Refusal("term", text, problem, "try another word for it")
    rows = [(each.code, each.name, each.preferred, each.system) for each in found]
    say(table([("code", "term", "preferred term", "system"), *rows]))


@click.command(
    cls=ByExample,
    short_help="Record the codes of adverse events.",
    example="equipoise safety code my-trial codes.csv --by NAME --reason 'first round'",
)
@FOLDER
@click.argument("codes", type=AFile)
@click.option("--by", "by", required=True, help="Who codes, as the record knows them.")
@click.option("--role", default="data_manager", show_default=True, help="In which role.")
@click.option("--reason", required=True, help="Why, such as the round of coding.")
@DATABASE
def code(folder: Path, codes: Path, by: str, role: str, reason: str, database: str | None) -> None:
    """Record the codes that the column code of the CSV file CODES gives, one event of the ledger each.

    The file is that of `equipoise safety uncoded --out`. Every row is checked before any code is recorded; rows
    without a code, or with the code that stands, are left as they are.
    """
    from datetime import UTC, datetime

    from equipoise.conduct import code_adverse_event, coding_dictionary, event_codes, open_trial
    from equipoise.exchange import read_chosen
    from equipoise.ledger import Actor

    trial = open_trial(folder, database_url=database)
    try:
        dictionary = coding_dictionary(trial)
        chosen = read_chosen(codes, event_codes(trial), dictionary)
        actor = Actor(by, role)
        with progress("Coding") as show:
            for done, each in enumerate(chosen, start=1):
                place, now = (each.participant, each.number), datetime.now(UTC)
                code_adverse_event(trial, *place, each.term.code, by=actor, reason=reason, at=now)
                show(done, len(chosen))
        left = sum(not event.current for event in event_codes(trial))
    finally:
        trial.close()
    say(f"Coded by {dictionary.name} {dictionary.version}: {len(chosen)}; left to code: {left}")


@click.command(
    cls=ByExample,
    short_help="Write an adverse event's narrative and CIOMS boxes.",
    example="equipoise safety narrative my-trial 01-001 1",
)
@FOLDER
@click.argument("participant")
@click.argument("number", type=int)
@click.option("--out", type=AFile, help="Write a page to print to this HTML file.")
@click.option("--follow-up", is_flag=True, help="An earlier report of this event was made.")
@click.option("--as-of", help="A ledger position (412) or a UTC time (2018-06-30T12:00): the event as it stood then.")
@click.option("--json", "as_json", is_flag=True, help="Print boxes and narrative as JSON.")
@DATABASE
def narrative(
    folder: Path,
    participant: str,
    number: int,
    out: Path | None,
    follow_up: bool,
    as_of: str | None,
    as_json: bool,
    database: str | None,
) -> None:
    """Tell event NUMBER of PARTICIPANT for its receiver: the boxes of the CIOMS I form, and a narrative.

    Nothing is sent to anybody, and nothing is recorded as told.
    """
    from datetime import UTC, datetime

    from equipoise.analysis.whole_files import write_whole
    from equipoise.report import case_of, narrative_page
    from equipoise.safety.narrative import narrative_of

    snapshot, _ = trial_at(folder, as_of, database)
    case = case_of(snapshot, participant, number, reported_at=datetime.now(UTC), follow_up=follow_up)
    told = narrative_of(case)
    if out is not None:
        write_whole(out, narrative_page(snapshot, case).encode())
    if as_json:
        boxes = [{"number": box.number, "label": box.label, "text": box.text} for box in told.boxes]
        say_json({"boxes": boxes, "narrative": told.text, "rehearsal": snapshot.rehearsal})
        return
    if snapshot.rehearsal:
        say(f"Rehearsal with virtual participants: this is not an event of a person. ({snapshot.rehearsal})")
    say(on_one_line(told.text))
    say()
    width = max(len(box.label) for box in told.boxes)
    for box in told.boxes:
        say(f"{box.number:>4}  {box.label:<{width}}  {on_one_line(box.text)}")
    if out is not None:
        say(f"Wrote {out}")
