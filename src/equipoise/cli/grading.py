"""Commands that watch harm: grades of laboratory values."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from equipoise.cli.by_example import ByExample
from equipoise.cli.outputs import check_out
from equipoise.cli.showing import counted, say, table
from equipoise.refusals import Refusal

if TYPE_CHECKING:
    from equipoise.exchange import GradedTable
    from equipoise.safety.scales import Scale

GRADES = ("0", "1", "2", "3", "4", "not-graded", "not-gradable")
MOST_REASONS = 12


@click.group()
def safety() -> None:
    """Watch harm."""


@safety.command(
    cls=ByExample,
    short_help="Grade laboratory values by a published scale.",
    example="equipoise safety grade labs.csv --scale daids-2.1 --out grades.csv",
)
@click.argument("labs", type=click.Path(path_type=Path))
@click.option("--scale", "names", multiple=True, help="daids-2.1 or ctcae-5.0; several, or with commas, grade by each.")
@click.option("--scale-file", "files", multiple=True, type=click.Path(path_type=Path), help="A scale of your own.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Write the graded table to this file.")
@click.option(
    "--unanswered",
    type=click.Choice(["certain", "worst"]),
    default="certain",
    show_default=True,
    help="Where symptoms decide and are not known: the grade that is certain, or the worst case.",
)
def grade(
    labs: Path,
    names: tuple[str, ...],
    files: tuple[Path, ...],
    out: Path,
    unanswered: Literal["certain", "worst"],
) -> None:
    """Grade the laboratory values of the CSV file LABS; each grade with the rule that gave it.

    Columns: participant, parameter, value, unit, lln, uln, baseline, sex, age, fasting, hiv; empty where unknown. A
    column qualifier may hold answers such as symptomatic. Other columns stay as they are. Added: grade (0 to 4,
    not-graded, not-gradable), direction, rule, note.
    """
    from equipoise.exchange import grade_table, read_laboratory_table

    check_out(out, (labs, *files))
    scales = _scales(names, files)
    graded = grade_table(read_laboratory_table(labs), scales, unanswered=unanswered)
    graded.write(out)
    _say_summary(graded)
    say(f"Wrote {out}: {counted(len(graded.table), 'value')}")


def _scales(names: tuple[str, ...], files: tuple[Path, ...]) -> list[Scale]:
    from equipoise.safety.scales import read_scale_file, scale_named

    named = [name for names_given in names for name in names_given.split(",") if name.strip()]
    scales = [*(scale_named(name) for name in named), *(read_scale_file(path) for path in files)]
    if not scales:
        raise Refusal("--scale", None, "is missing", "name a scale: --scale daids-2.1 or --scale ctcae-5.0")
    keys = [scale.key for scale in scales]
    for key in keys:
        if keys.count(key) > 1:
            raise Refusal("--scale", key, "is named twice", "name each scale once")
    return scales


def _say_summary(graded: GradedTable) -> None:
    """Counts by parameter and grade, and why values have none."""
    parameters = [name.strip() for name in graded.table.column("parameter")]
    for scale, grades in graded.grades:
        counts = Counter(zip(parameters, grades["grade"], strict=True))
        rows: list[tuple[str, ...]] = [(scale.label, *GRADES)]
        rows += [(name, *(str(counts[name, each]) for each in GRADES)) for name in sorted(set(parameters))]
        say(table(rows))
        without = grades["grade"].isin(("not-graded", "not-gradable"))
        told = zip(grades["grade"][without], grades["note"][without], strict=True)
        reasons = Counter((found, note.partition("; ")[0].partition(": ")[0]) for found, note in told)
        for (found, reason), count in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:MOST_REASONS]:
            say(f"{found}: {count} because {reason}")
        if len(reasons) > MOST_REASONS:
            say(f"and {len(reasons) - MOST_REASONS} more reasons, in the column note")
        say()
