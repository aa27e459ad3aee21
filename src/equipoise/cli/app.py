"""The command `equipoise` and how its refusals and failures end."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from equipoise import __version__
from equipoise.cli import adverse_events, analysing, designing, donating, grading, record, starting
from equipoise.cli.showing import ExitCode, print_what_can_be_printed, say_refusal
from equipoise.refusals import Refusal

EPILOG = (
    "Exit codes: 0 done; 1 refused, with what to do; 2 the command was not understood; "
    "3 the record is damaged; 130 stopped by you."
)


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="equipoise")
def equipoise() -> None:
    """Run a small randomised longitudinal trial from one protocol file.

    Begin with `equipoise demo`: it makes the example trial, runs it with virtual participants, analyses it and
    writes its report.
    """


for command in (
    starting.new,
    starting.check,
    starting.schema,
    starting.rehearse,
    analysing.analyse,
    analysing.report,
    analysing.demo,
    record.verify,
    record.rebuild,
    record.backup,
    record.log,
    designing.design,
    donating.hla,
    donating.donors,
    grading.safety,
):
    equipoise.add_command(command)


for command in (adverse_events.uncoded, adverse_events.term, adverse_events.code, adverse_events.narrative):
    grading.safety.add_command(command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; a refusal is shown without a traceback."""
    print_what_can_be_printed()
    try:
        ended = equipoise.main(args=arguments, prog_name="equipoise", standalone_mode=False)
        sys.exit(ended or ExitCode.DONE)  # without standalone mode click returns the code of `Exit`
    except Refusal as refusal:
        say_refusal(f"Refused. {refusal}")
        sys.exit(ExitCode.REFUSED)
    except click.ClickException as misuse:
        misuse.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        say_refusal("Stopped. What had been recorded stays recorded.")
        sys.exit(ExitCode.STOPPED)
    except OSError as error:
        say_refusal(f"Refused. {_refusal_of(error)}")
        sys.exit(ExitCode.REFUSED)


def _refusal_of(error: OSError) -> Refusal:
    """What the system would not do: a name too long, a full disk, a folder that may not be entered."""
    place = error.filename if error.filename is None else Path(str(error.filename))
    remedy = "check the name, the room on the disk, and who may read and write there"
    return Refusal("file", place, f"the system refuses it ({error.strerror or error})", remedy)
