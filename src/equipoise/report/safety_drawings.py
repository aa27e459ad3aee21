"""The figures of harm, drawn from results and snapshot, each with its name and description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from equipoise.analysis.contrasts import overall_contrasts
from equipoise.analysis.harms import highest_grades
from equipoise.analysis.laboratory import GRADED, peaks_of, the_scale
from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.protocol.safety import StoppingRule
from equipoise.report.figures.arms import arm_styles
from equipoise.report.figures.axes import DAYS_PER_MONTH
from equipoise.report.figures.boundary import boundary_figure
from equipoise.report.figures.edish import Peaks, edish_figure
from equipoise.report.figures.incidence import Incidence, incidence_figure
from equipoise.report.figures.laboratory import GradedPoint, GradeLimit, laboratory_figure
from equipoise.report.figures.swimmer import Happening, Lane, swimmer_figure
from equipoise.report.numbers import unit_text
from equipoise.report.svg import Drawing, from_matplotlib
from equipoise.safety.circumstances import LabValue, circumstances_of
from equipoise.safety.planning import plan_for
from equipoise.safety.readings import limits_of
from equipoise.safety.scales import Scale
from equipoise.safety.stopping import boundary_of

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot


def swimmer_drawing(protocol: Protocol, snapshot: Snapshot) -> Drawing | None:
    """A lane for each participant randomised; None before anybody is."""
    lanes = lanes_of(protocol, snapshot)
    if not lanes:
        return None
    figure, drawn = swimmer_figure(lanes, arm_styles(protocol))
    infused, events = sum(len(lane.infusions) for lane in drawn), sum(len(lane.events) for lane in drawn)
    description = (
        f"A lane for each of the {len(drawn)} participants randomised, with {infused} infusions, visits, "
        f"{events} adverse events after randomisation as bars that are thicker by their highest grade, and who left."
    )
    return from_matplotlib(figure, "figure-swimmer", "Each participant’s time in the trial", description)


def lanes_of(protocol: Protocol, snapshot: Snapshot) -> tuple[Lane, ...]:
    """Everybody randomised, times in months from randomisation."""
    events = snapshot.adverse_events
    graded = events.assign(highest_grade=highest_grades(events)).to_dict("records")
    visits = snapshot.visits[snapshot.visits["status"] == "done"].to_dict("records")
    infusions = snapshot.infusions.to_dict("records")
    lanes = []
    for person in snapshot.participants.sort_values("participant").to_dict("records"):
        if person["arm"] not in protocol.arm_ids:
            continue
        code, anchor = person["participant"], person["randomised_on"]
        seen = [_months(row["date"], anchor) for row in visits if row["participant"] == code and row["date"]]
        given = [_months(row["on"], anchor) for row in infusions if row["participant"] == code]
        left = None if person["withdrawn_on"] is None else _months(person["withdrawn_on"], anchor)
        happened = [
            _happening(row, anchor) for row in graded if row["participant"] == code and row["after_randomisation"]
        ]
        end = left if left is not None else max([0.0, *seen, *given, *(each.start for each in happened)])
        shown = tuple(sorted(month for month in seen if month >= 0))
        lanes.append(Lane(code, person["arm"], end, tuple(sorted(given)), shown, tuple(happened), left))
    return tuple(lanes)


def _happening(event: Mapping[Any, Any], anchor: date) -> Happening:
    grade, ended = event["highest_grade"], event["resolved"]
    return Happening(
        _months(event["onset"], anchor),
        None if ended is None or ended != ended else _months(ended, anchor),
        None if grade is None or grade != grade else int(grade),
        bool(event["serious"]),
    )


def _months(day: date, anchor: date) -> float:
    return (day - anchor).days / DAYS_PER_MONTH


def incidence_drawing(protocol: Protocol, results: Results) -> Drawing | None:
    """Share affected by arm and difference, by term; None where nothing happened."""
    first = results.find(analysis="harms", arm=protocol.arm_ids[0], method="clopper-pearson")
    terms = [(row.term, row.label) for row in first if row.id.startswith("harms.term.")]
    if not terms:
        return None
    found = [_incidence(protocol, results, str(term), label or str(term)) for term, label in terms]
    contrast = overall_contrasts(protocol)[0]
    test, reference = (protocol.arm(arm).name for arm in contrast.arms)
    figure, drawn = incidence_figure(found, arm_styles(protocol), compared="Difference, 95% CI")
    description = (
        f"For each of {len(drawn)} terms the share of each arm affected, and beside it the difference, {test} less "
        f"{reference}, with its 95% interval. An interval that holds 0 does not show that there is no difference."
    )
    return from_matplotlib(figure, "figure-incidence", "Adverse events by term and arm", description)


def _incidence(protocol: Protocol, results: Results, term: str, label: str) -> Incidence:
    rows = {arm: results.maybe(f"harms.term.{term}.{arm}.share") for arm in protocol.arm_ids}
    shares = {arm: row.estimate for arm, row in rows.items() if row is not None and row.estimate is not None}
    difference = results.maybe(f"harms.term.{term}.difference")
    if difference is None:
        return Incidence(label, shares)
    return Incidence(label, shares, difference.estimate, difference.conf_low, difference.conf_high)


def laboratory_drawings(protocol: Protocol, snapshot: Snapshot, values: pd.DataFrame) -> tuple[Drawing, ...]:
    """For each parameter that was graded the values of every participant."""
    anchors = dict(zip(snapshot.participants["participant"], snapshot.participants["randomised_on"], strict=True))
    graded = list(dict.fromkeys(values.loc[values["grade"].isin(GRADED), "parameter"]))
    drawings = []
    for parameter in graded:
        found = values[values["parameter"] == parameter].to_dict("records")
        points = [
            GradedPoint(
                row["participant"],
                row["arm"],
                _months(row["on"], anchors[row["participant"]]),
                float(row["value"]),
                int(row["grade"]) if row["grade"] in GRADED else None,
            )
            for row in found
            if row["arm"] in protocol.arm_ids
        ]
        normal = sorted({float(row[side]) for row in found for side in ("lln", "uln") if row[side]})
        limits = grade_limits(the_scale(protocol), found)
        unit = unit_text(str(found[0]["unit"]))
        title = f"{found[0]['name']}{f' ({unit})' if unit else ''}"
        figure, drawn = laboratory_figure(points, arm_styles(protocol), normal, limits, axis_title=title)
        raised = len({point.participant for point in drawn if point.grade})
        description = (
            f"A line for each participant, a panel for each arm. Dashed lines are limits of normal, grey ones the "
            f"limits of grades, numbered on the right; a value of grade 1 or more has a ring whose shape is its grade. "
            f"{raised} of {len({point.participant for point in drawn})} participants have such a value."
        )
        name = f"{found[0]['name']}: every participant"
        drawings.append(from_matplotlib(figure, f"figure-laboratory-{parameter}", name, description))
    return tuple(drawings)


def grade_limits(scale: Scale, values: Sequence[Mapping[Any, Any]]) -> tuple[GradeLimit, ...]:
    """Where each grade begins for the participants measured; limits that rest on a baseline are left out."""
    ends: dict[tuple[str, int], list[float]] = {}
    asked = ("parameter", "unit", "lln", "uln", "sex", "age", "fasting", "hiv")
    for about in dict.fromkeys(tuple(str(row[name]) for name in asked) for row in values):
        value = LabValue(value="", **dict(zip(asked, about, strict=True)))
        limits, numbers = limits_of(value.lln, value.uln, value.baseline)
        known = {"": Decimal(1), "LLN": numbers[0], "ULN": numbers[1]}
        for rung in plan_for(scale, circumstances_of(scale, value), limits).rungs:
            bound = rung.values.lower if rung.direction == "H" else rung.values.upper
            if bound is not None and known.get(bound.reference):
                ends.setdefault((rung.direction, rung.grade), []).append(float(bound.factor * known[bound.reference]))
    return tuple(GradeLimit(grade, min(found), max(found)) for (_, grade), found in sorted(ends.items()))


def edish_drawing(protocol: Protocol, snapshot: Snapshot, values: pd.DataFrame) -> Drawing | None:
    """Peak aminotransferase against peak bilirubin; None where nobody has both."""
    arms = dict(zip(snapshot.participants["participant"], snapshot.participants["arm"], strict=True))
    found = [
        Peaks(participant, arms[participant], float(peaks.aminotransferase), float(peaks.bilirubin))
        for participant, peaks in sorted(peaks_of(values).items())
        if peaks.aminotransferase and peaks.bilirubin and arms[participant] in protocol.arm_ids
    ]
    if not found:
        return None
    figure, drawn = edish_figure(found, arm_styles(protocol))
    description = (
        f"A mark for each of {len(drawn)} participants with both measured after baseline, on logarithmic axes. "
        "Right of the upright line (3 × ULN) and above the level one (2 × ULN) lie those in whom Hy’s law must be "
        "ruled out; who lies beyond a line is named."
    )
    return from_matplotlib(figure, "figure-edish", "Highest liver values after baseline", description)


def boundary_drawings(protocol: Protocol, snapshot: Snapshot) -> tuple[Drawing, ...]:
    """Each stopping rule's boundary with the path of the trial."""
    return tuple(_boundary_drawing(protocol, snapshot, rule) for rule in protocol.stopping_rules)


def _boundary_drawing(protocol: Protocol, snapshot: Snapshot, rule: StoppingRule) -> Drawing:
    own = snapshot.stopping[snapshot.stopping["rule"] == rule.id].sort_values("position")
    path = [(int(treated), int(events)) for treated, events in zip(own["treated"], own["events"], strict=True)]
    planned = boundary_of(protocol, rule)
    most = max((treated for treated, _ in path), default=0)
    boundary = planned if most <= planned.planned else boundary_of(protocol, rule, until=most)
    style = next(style for style in arm_styles(protocol) if style.arm == rule.arm)
    counted = "Events" if rule.counts == "events" else "Participants with the event"
    figure, (_, steps) = boundary_figure(boundary.limits, path, style, counted=counted)
    stands = f"The trial stands at {steps[-1][1]} with {steps[-1][0]} treated." if steps else "Nothing bore on it yet."
    description = f"{rule.text}. {boundary.method}. {stands}"
    title = f"Stopping rule {rule.id}: boundary and where the trial stood"
    return from_matplotlib(figure, f"figure-stopping-{rule.id}", title, description)
