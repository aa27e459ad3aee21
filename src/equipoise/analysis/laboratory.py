"""Laboratory safety: every value of the panels graded by the protocol's scale, shifts from baseline, the liver.

A grade counts in one direction at a time. A value that was not graded or could not be is counted with its reason and
is never taken for grade 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from equipoise.analysis.counting import count_row
from equipoise.analysis.first_answers import SEX, first_answers
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.specimens import specimens_taken, treatment_begun
from equipoise.capture import reference_range
from equipoise.protocol.document import Protocol
from equipoise.safety.grade_table import grade_values
from equipoise.safety.laboratory import (
    LabPoint,
    LiverPeaks,
    LiverValue,
    Quadrant,
    baseline_of,
    is_before,
    is_emergent,
    liver_peaks,
    shift_table,
    worst_after,
)
from equipoise.safety.parameters import parameter_of
from equipoise.safety.scales import Scale, scale_of

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

Direction = Literal["L", "H"]
GRADED = ("0", "1", "2", "3", "4")
STATES = (*GRADED, "missing")
UNGRADED = ("not-graded", "not-gradable")
EMERGENT = (1, 2, 3)
QUADRANTS: tuple[Quadrant, ...] = ("Hy's law", "cholestasis", "Temple's corollary", "neither")
LIVER: Mapping[str, Literal["ALT", "AST", "ALP", "BILI"]] = {"ALT": "ALT", "AST": "AST", "ALP": "ALP", "BILI": "BILI"}
FASTING = "LBFAST"  # a name of CDASH
COLUMNS = (
    "participant", "arm", "visit", "on", "item", "name", "parameter", "value", "unit", "lln", "uln", "baseline",
    "sex", "age", "fasting", "hiv", "at", "early", "before",
)  # fmt: skip
TEXT = (
    "Graded by {scale}. Baseline is the last value before the first infusion, or before randomisation where none was "
    "given; the worst grade is the highest after it. A grade is treatment-emergent when it is worse than at baseline; "
    "who has no grade at baseline or none after it is in no such count. A value that was not graded or not gradable is "
    "not taken for grade 0. No tests."
)


@dataclass(frozen=True, slots=True)
class Followed:
    """One participant's values of one parameter in one direction: the grades at baseline and at worst."""

    participant: str
    arm: str
    parameter: str
    direction: Direction
    baseline: int | None
    worst: int | None


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `laboratory.<parameter>.<L or H>.…`, `laboratory.ungraded.…` and `liver.<arm>.…`.

    Of a parameter and direction `shift.<arm>.<baseline>.<worst>` (grades, or `missing`; only what occurs) and
    `emergent.<arm>.<grade>` for grades 1, 2 and 3 or more.
    """
    if not graded_items(protocol) or snapshot.source != "ledger":
        return Answer()
    values = graded_values(protocol, snapshot)
    scale = the_scale(protocol)
    followed = followed_of(scale, snapshot, values)
    rows = [*value_rows(values), *shift_rows(protocol, followed), *liver_rows(protocol, snapshot, values)]
    return Answer(tuple(rows), {"laboratory": TEXT.format(scale=scale.label)})


def the_scale(protocol: Protocol) -> Scale:
    """The scale of the protocol, which is known to have one."""
    assert protocol.safety is not None
    return scale_of(protocol.safety.grading)


def graded_items(protocol: Protocol) -> dict[str, str]:
    """The items of panels that the scale grades, each with the scale's code of its parameter."""
    if protocol.safety is None:
        return {}
    known = the_scale(protocol).by_parameter
    found: dict[str, str] = {}
    for item, asked in protocol.items.items():
        panel = protocol.panel_of(item)
        test = next((test for test in panel.tests if test.id == asked.id), None) if panel else None
        names = (test.testcd or "", test.id, test.name) if test else ()
        code = next((code for name in names if name and (code := parameter_of(name)) in known), None)
        if code is not None:
            found[item] = code
    return found


def graded_values(protocol: Protocol, snapshot: Snapshot) -> pd.DataFrame:
    """Every value of these items in who was randomised: `COLUMNS` and grade, direction, rule, note; by date.

    `at` is when the specimen was taken, `on` its day, `before` whether that was before treatment, `early` whether it
    counts so when treatment began on that day and a time is not known.
    """
    import pandas as pd

    values = pd.DataFrame(list(_values(protocol, snapshot)), columns=list(COLUMNS), dtype=object)
    in_time = values["at"].map(lambda at: at.isoformat())  # a day comes before the times of that day
    ordered = (
        values.assign(in_time=in_time)
        .sort_values(["participant", "parameter", "in_time"], kind="stable", ignore_index=True)
        .drop(columns="in_time")
    )
    for _, found in ordered.groupby(["participant", "item"]):
        before = found.loc[found["before"].astype(bool), "value"]
        ordered.loc[found.index, "baseline"] = "" if before.empty else before.iloc[-1]
    return pd.concat([ordered, grade_values(the_scale(protocol), ordered)], axis="columns")


def _values(protocol: Protocol, snapshot: Snapshot) -> Iterator[tuple[Any, ...]]:
    assert protocol.safety is not None
    codes = graded_items(protocol)
    people = {row["participant"]: row for row in snapshot.participants.to_dict("records") if row["arm"] is not None}
    taken, begun = specimens_taken(protocol, snapshot), treatment_begun(protocol, snapshot)
    sexes, ages = first_answers(protocol, snapshot, cdash=SEX), first_answers(protocol, snapshot, id="age")
    fasting = {
        (row["participant"], row["visit"], row["form"]): row["value"]
        for item, asked in protocol.items.items()
        if asked.cdash == FASTING
        for row in snapshot.values[snapshot.values["item"] == item].to_dict("records")
    }
    hiv = "yes" if protocol.safety.grading.hiv_infected else "no"
    wanted = snapshot.values[snapshot.values["item"].isin(list(codes)) & snapshot.values["value"].notna()]
    for row in wanted.to_dict("records"):
        person, item = str(row["participant"]), str(row["item"])
        at = taken.get((person, row["visit"], row["form"], row["repeat"]))
        if person not in people or at is None:
            continue
        on = at.date() if isinstance(at, datetime) else at
        sex, age = sexes.get(person, ""), ages.get(person, "")
        lln, uln = _limits(protocol, item, sex, age, str(people[person]["site"]), on)
        unit = protocol.items[item].unit or ""
        rest = (sex, age, fasting.get((person, row["visit"], row["form"])) or "", hiv)
        arm, name = people[person]["arm"], protocol.items[item].question
        early = row["visit"] in begun[person].planned
        when = (at, early, is_before(at, begun[person].moment, early=early))
        value = (codes[item], str(row["value"]), unit, lln, uln, "")
        yield (person, arm, row["visit"], on, item, name, *value, *rest, *when)


def _limits(protocol: Protocol, item: str, sex: str, age: str, site: str, on: date) -> tuple[str, str]:
    """LLN and ULN that hold for a participant on a day, as text; "" where the protocol gives none."""
    panel = protocol.panel_of(item)
    ranges = panel.reference_ranges.get(protocol.items[item].id, ()) if panel else ()
    years = int(age) if age.isdigit() else None
    found = reference_range(ranges, sex=sex or None, age=years, site=site, on=on)
    low, high = (found.low, found.high) if found else (None, None)
    return ("" if low is None else str(low), "" if high is None else str(high))


def followed_of(scale: Scale, snapshot: Snapshot, values: pd.DataFrame) -> tuple[Followed, ...]:
    """Baseline and worst grade of each randomised participant, by parameter measured and direction."""
    begun = treatment_begun(snapshot.protocol, snapshot)
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    arms = dict(zip(people["participant"], people["arm"], strict=True))
    points: dict[tuple[str, str], list[LabPoint]] = {}
    for row in values.to_dict("records"):
        points.setdefault((row["parameter"], row["participant"]), []).append(_point(row))
    found = []
    for parameter in dict.fromkeys(values.loc[values["grade"].isin(GRADED), "parameter"]):
        for direction in directions(scale, parameter):
            for participant, arm in sorted(arms.items()):
                own = points.get((parameter, participant), [])
                moment = begun[participant].moment
                graded = [point for point in own if point.grade is not None]
                before, worst = baseline_of(graded, moment), worst_after(graded, moment, direction)
                found.append(
                    Followed(
                        participant,
                        arm,
                        parameter,
                        direction,
                        before.grade_towards(direction) if before else None,
                        worst.grade_towards(direction) if worst else None,
                    )
                )
    return tuple(found)


def directions(scale: Scale, parameter: str) -> tuple[Direction, ...]:
    """The directions in which the scale grades a parameter, low first."""
    known = {ladder.direction for ladder in scale.by_parameter[parameter]}
    return tuple(direction for direction in ("L", "H") if direction in known)


def _point(row: Mapping[Any, Any]) -> LabPoint:
    grade = str(row["grade"])
    graded = int(grade) if grade in GRADED else None
    return LabPoint(row["at"], Decimal(row["value"]), graded, str(row["direction"]), row["early"])


def value_rows(values: pd.DataFrame) -> Iterator[Row]:
    """How many values were graded, and of those that were not how many for each reason."""
    n = len(values)
    yield count_row("laboratory", "values", count=n, label="values")
    graded = int(values["grade"].isin(GRADED).sum())
    yield count_row("laboratory", "graded", count=graded, n=n, label="graded")
    for state in UNGRADED:
        found = values[values["grade"] == state]
        yield count_row("laboratory", "ungraded", state, count=len(found), n=n, term=state)
        reasons = Counter(zip(found["name"], found["note"], strict=True))
        for place, ((name, note), count) in enumerate(sorted(reasons.items()), start=1):
            label = f"{name}: {note}"
            yield count_row("laboratory", "ungraded", state, str(place), count=count, n=n, term=state, label=label)


def shift_rows(protocol: Protocol, followed: tuple[Followed, ...]) -> Iterator[Row]:
    """The shifts that occur and the treatment-emergent grades of each parameter, direction and arm."""
    for parameter, direction in dict.fromkeys((each.parameter, each.direction) for each in followed):
        for arm in protocol.arm_ids:
            own = [e for e in followed if (e.parameter, e.direction, e.arm) == (parameter, direction, arm)]
            path = ("laboratory", parameter, direction)
            columns: dict[str, Any] = {"arm": arm, "term": f"{parameter} {direction}"}
            shifts = shift_table((state_of(each.baseline), state_of(each.worst)) for each in own)
            for (before, worst), count in sorted(shifts.items(), key=str):
                label = f"{before} to {worst}"
                yield count_row(
                    *path, "shift", arm, str(before), str(worst), count=count, n=len(own), label=label, **columns
                )
            known = [each for each in own if is_emergent(each.baseline, each.worst) is not None]
            for grade in EMERGENT:
                count = sum(
                    bool(is_emergent(each.baseline, each.worst)) and (each.worst or 0) >= grade for each in known
                )
                label = f"treatment-emergent grade {grade} or more"
                yield count_row(*path, "emergent", arm, str(grade), count=count, n=len(known), label=label, **columns)


def state_of(grade: int | None) -> str:
    """A grade as a state of the shift table."""
    return "missing" if grade is None else str(grade)


def peaks_of(values: pd.DataFrame) -> dict[str, LiverPeaks]:
    """The highest multiples of ULN after baseline of each participant with liver values."""
    found: dict[str, list[LiverValue]] = {}
    for row in values[values["parameter"].isin(list(LIVER))].to_dict("records"):
        if not row["before"] and row["uln"] and Decimal(row["uln"]) > 0:
            value = LiverValue(LIVER[row["parameter"]], Decimal(row["value"]), Decimal(row["uln"]))
            found.setdefault(row["participant"], []).append(value)
    return {participant: liver_peaks(own) for participant, own in found.items()}


def liver_rows(protocol: Protocol, snapshot: Snapshot, values: pd.DataFrame) -> Iterator[Row]:
    """Where the participants of each arm stand by peak ALT or AST and peak bilirubin, as multiples of ULN."""
    if not values["parameter"].isin(list(LIVER)).any():
        return
    peaks = peaks_of(values)
    people = snapshot.participants
    for arm in protocol.arm_ids:
        members = list(people.loc[people["arm"] == arm, "participant"])
        stands = [peaks[person].quadrant if person in peaks else None for person in members]
        columns: dict[str, Any] = {"arm": arm, "n": len(members)}
        for quadrant in QUADRANTS:
            yield count_row("liver", arm, quadrant, count=stands.count(quadrant), term=quadrant, **columns)
        yield count_row("liver", arm, "unknown", count=stands.count(None), term="unknown", **columns)
        in_quadrant = [peaks[person] for person in members if person in peaks and peaks[person].quadrant == "Hy's law"]
        candidates = [each.is_hys_law_candidate for each in in_quadrant]
        label = "Hy's law by ALT or AST, bilirubin and alkaline phosphatase"
        yield count_row("liver", arm, "candidates", count=candidates.count(True), label=label, **columns)
        yield count_row("liver", arm, "candidates-unknown", count=candidates.count(None), label=label, **columns)
