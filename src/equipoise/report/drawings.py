"""The report's figures, drawn from results and snapshot, each with its name and description."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from equipoise.analysis.contrasts import contrasts_of_analysis
from equipoise.analysis.results import Results, Row
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis, Imputation, Mmrm, Rerandomisation
from equipoise.report.effects import analyses_of, arms_of_term, effect_rows, mark_of, stands_on_log_scale
from equipoise.report.figures.arms import arm_styles
from equipoise.report.figures.completeness import Course, Mark, completeness_figure
from equipoise.report.figures.correlation import correlation_figure
from equipoise.report.figures.forest import Effect, forest_figure
from equipoise.report.figures.influence import Pull, influence_figure
from equipoise.report.figures.lines import Measured, lines_figure
from equipoise.report.figures.means import MeanPoint, means_figure
from equipoise.report.figures.null import null_figure
from equipoise.report.figures.quantiles import quantiles_figure
from equipoise.report.figures.residuals import BAND, residuals_figure
from equipoise.report.figures.tipping import Shifted, tipping_figure
from equipoise.report.flow_counts import flow_of
from equipoise.report.flow_diagram import flow_diagram
from equipoise.report.method_names import analysis_name, method_name
from equipoise.report.numbers import grouped, unit_text
from equipoise.report.svg import Drawing, from_matplotlib
from equipoise.report.tables.outcomes import means_analysis, titled

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot


def flow_drawing(protocol: Protocol, results: Results) -> Drawing:
    """The CONSORT flow diagram."""
    return flow_diagram(flow_of(protocol, results), id="figure-flow", title="Flow of participants through the trial")


def completeness_drawing(protocol: Protocol, snapshot: Snapshot) -> Drawing | None:
    """The map of participants and visits; None before anybody is randomised."""
    visits = [visit.id for visit in (protocol.baseline_visit, *protocol.follow_up_visits) if visit is not None]
    courses = _courses(protocol, snapshot, visits)
    if not courses:
        return None
    figure, rows = completeness_figure(protocol, visits, courses)
    each = "each participant" if len(rows) == len(courses) else "each course of visits, with how many had it"
    description = f"A row for {each}, a column for each visit from baseline on."
    return from_matplotlib(figure, "figure-completeness", "Visits of each participant", description)


def _courses(protocol: Protocol, snapshot: Snapshot, visits: list[str]) -> list[Course]:
    arms = _arms(protocol, snapshot)
    lost = _without_value(protocol, snapshot)
    marks = {
        (row["participant"], row["visit"]): _mark(
            row["status"], row["in_window"], lost=(row["participant"], row["visit"]) in lost
        )
        for row in snapshot.visits.to_dict("records")
    }
    return [
        Course(participant, arm, tuple(marks.get((participant, visit), Mark.NOT_YET) for visit in visits))
        for participant, arm in sorted(arms.items())
    ]


def _arms(protocol: Protocol, snapshot: Snapshot) -> dict[str, str]:
    """The arm of each randomised participant."""
    people = snapshot.participants.to_dict("records")
    return {person["participant"]: person["arm"] for person in people if person["arm"] in protocol.arm_ids}


def _without_value(protocol: Protocol, snapshot: Snapshot) -> set[tuple[str, str]]:
    """Participants and visits at which the first outcome was to be measured and has no value."""
    if not protocol.outcomes:
        return set()
    variable = protocol.outcomes[0].variable
    asked = {visit.id for visit in protocol.visits_with(variable.partition(".")[0])}
    found = snapshot.item(variable).to_dict("records")
    known = {(row["participant"], row["visit"]) for row in found if row["value"] is not None}
    visits = snapshot.visits.to_dict("records")
    return {(row["participant"], row["visit"]) for row in visits if row["visit"] in asked} - known


def _mark(status: str, in_window: bool | None, *, lost: bool) -> Mark:
    if status == "missed":
        return Mark.MISSED
    if status == "withdrawn":
        return Mark.WITHDRAWN
    if status != "done":
        return Mark.NOT_YET
    if lost:
        return Mark.LOST_SAMPLE
    if in_window is None:
        return Mark.DONE
    return Mark.IN_WINDOW if in_window else Mark.OUT_OF_WINDOW


def means_drawing(protocol: Protocol, results: Results, outcome: Outcome) -> Drawing | None:
    """Mean and interval by arm and visit; None where the results have no means."""
    points = _mean_points(protocol, results, outcome)
    if not points:
        return None
    figure, plotted = means_figure(protocol, points, axis_title=titled(outcome))
    last = max(point.month for point in plotted)
    ends = ", ".join(
        f"{protocol.arm(point.arm).name} {point.mean:.{outcome.places}f}" for point in plotted if point.month == last
    )
    title = f"{outcome.name}: mean and 95% interval by arm"
    description = f"Means at the visits on a true month axis, with n below. At month {last:g}: {ends}."
    return from_matplotlib(figure, f"figure-means-{outcome.id}", title, description)


def _mean_points(protocol: Protocol, results: Results, outcome: Outcome) -> list[MeanPoint]:
    analysis = means_analysis(protocol, outcome)
    rows = results.find(analysis=analysis, method="mean", term="value") if analysis else ()
    return [
        MeanPoint(row.arm, row.visit, row.n or 0, row.estimate, row.conf_low, row.conf_high)
        for row in rows
        if row.arm is not None and row.visit is not None and row.estimate is not None
    ]


def line_drawings(protocol: Protocol, snapshot: Snapshot, results: Results, outcome: Outcome) -> tuple[Drawing, ...]:
    """A panel for each arm with every participant's line; all on the same axis."""
    values = _measured(protocol, snapshot, outcome)
    if not values:
        return ()
    points = _mean_points(protocol, results, outcome)
    low, high = min(value.value for value in values), max(value.value for value in values)
    limits = (low - 0.05 * (high - low or 1), high + 0.05 * (high - low or 1))
    drawings = []
    for style in arm_styles(protocol):
        own = [value for value in values if value.arm == style.arm]
        if own:
            means = {point.visit: point.mean for point in points if point.arm == style.arm}
            figure, drawn = lines_figure(protocol, style, own, means, axis_title=titled(outcome), limits=limits)
            title = f"{outcome.name}: every participant of {style.name}"
            description = f"The lines of {len(drawn) - 1} participants, and their mean as a thick line."
            drawings.append(from_matplotlib(figure, f"figure-lines-{outcome.id}-{style.arm}", title, description))
    return tuple(drawings)


def _measured(protocol: Protocol, snapshot: Snapshot, outcome: Outcome) -> list[Measured]:
    arms = _arms(protocol, snapshot)
    planned = {visit.id for visit in protocol.visits if visit.id in {*outcome.visits, outcome.timepoint}}
    return [
        Measured(row["participant"], arms[row["participant"]], row["visit"], row["number"])
        for row in snapshot.item(outcome.variable).to_dict("records")
        if row["participant"] in arms and row["visit"] in planned and not math.isnan(row["number"])
    ]


def forest_drawing(protocol: Protocol, results: Results, outcome: Outcome) -> Drawing | None:
    """The effect by every method that gives an interval in the outcome's own unit."""
    rows = [row for row in effect_rows(protocol, results, outcome.id) if _has_place(row)]
    if not rows:
        return None
    rows.sort(key=lambda row: row.visit is None)
    effects = [_effect(protocol, outcome, row, several=len({row.term for row in rows}) > 1) for row in rows]
    compared, favours = _sides(protocol, rows)
    unit = unit_text(outcome.unit)
    axis_title = f"Difference, {compared}" + (f" ({unit})" if unit else "")
    figure, _ = forest_figure(effects, axis_title=axis_title, places=outcome.places, favours=favours)
    title = f"{outcome.name}: the difference by every method of the plan"
    marked = [effect for effect in effects if effect.mark]
    description = "Estimates with 95% intervals; a larger diamond and bold type mark " + (
        "; ".join(f"{effect.label} ({effect.mark})" for effect in marked) or "none"
    )
    return from_matplotlib(figure, f"figure-forest-{outcome.id}", title, f"{description}.")


def _sides(protocol: Protocol, rows: Sequence[Row]) -> tuple[str, tuple[str, str]]:
    """What is compared, and what lies below and above zero."""
    terms = {row.term for row in rows}
    if len(terms) > 1:
        return "first arm less second", ("lower in the first arm", "higher in the first arm")
    contrast = contrasts_of_analysis(protocol, _analysis(protocol, rows[0]))[0]
    test, reference = (protocol.arm(arm).name for arm in contrast.arms)
    return f"{test} less {reference}", (f"lower with {test}", f"higher with {test}")


def _has_place(row: Row) -> bool:
    return (row.conf_low is not None or row.conf_high is not None) and not stands_on_log_scale(row)


def _analysis(protocol: Protocol, row: Row) -> Analysis:
    return next(analysis for analysis in protocol.analyses if analysis.id == row.analysis)


def _effect(protocol: Protocol, outcome: Outcome, row: Row, *, several: bool) -> Effect:
    label = method_name(row)
    if several and row.term is not None:
        label = f"{label}, {arms_of_term(protocol, row.term)}"
    group = "Over the visits" if row.visit is None else f"At {protocol.visit(row.visit).name}"
    return Effect(label, row.estimate, row.conf_low, row.conf_high, mark_of(protocol, row), group)


def null_drawings(protocol: Protocol, results: Results, outcome: Outcome) -> tuple[Drawing, ...]:
    """The null distribution of each re-randomisation test of the outcome."""
    drawings = []
    for analysis in analyses_of(protocol, outcome.id):
        if not isinstance(analysis, Rerandomisation) or analysis.id not in results.histograms:
            continue
        found = results.histograms[analysis.id]
        unit = unit_text(found.unit)
        axis_title = "Difference in a re-drawn allocation" + (f" ({unit})" if unit else "")
        figure, bins = null_figure(
            found.edges, found.counts, found.observed, axis_title=axis_title, places=outcome.places
        )
        draws = sum(each.draws for each in bins)
        title = f"{outcome.name}: the observed difference among re-drawn allocations"
        description = (
            f"Histogram of the difference in {grouped(draws)} allocations of the trial’s own procedure with the "
            "outcomes as they were; the solid line is the observed difference, the dashed one its mirror image."
        )
        drawings.append(from_matplotlib(figure, f"figure-null-{analysis.id}", title, description))
    return tuple(drawings)


def diagnostic_drawings(
    protocol: Protocol, snapshot: Snapshot, results: Results, outcome: Outcome
) -> tuple[Drawing, ...]:
    """For each model of the outcome who moves its effect; for a mixed model its correlation and residuals before it."""
    drawings = []
    for analysis in analyses_of(protocol, outcome.id):
        for id in results.residuals:
            if isinstance(analysis, Mmrm) and id.split(".")[0] == analysis.id:
                drawings += [
                    _correlation_drawing(protocol, results, outcome, id),
                    _quantiles_drawing(results, id, outcome),
                    _residuals_drawing(protocol, snapshot, results, outcome, id),
                ]
        for place, rows in _influence_rows(results, analysis).items():
            drawings.append(_influence_drawing(protocol, outcome, analysis, place, rows))
    return tuple(drawings)


def _influence_rows(results: Results, analysis: Analysis) -> dict[str, list[Row]]:
    """The influence rows of an analysis, by the id that they share."""
    found: dict[str, list[Row]] = {}
    for row in results.find(analysis=analysis.id, method="influence"):
        found.setdefault(row.id.removesuffix(f".{row.term}"), []).append(row)
    return found


def _influence_drawing(
    protocol: Protocol, outcome: Outcome, analysis: Analysis, place: str, rows: Sequence[Row]
) -> Drawing:
    pulls = [
        Pull(row.term or "", row.arm or "", row.estimate, row.statistic)
        for row in rows
        if row.estimate is not None and row.statistic is not None
    ]
    figure, shown = influence_figure(pulls, arm_styles(protocol), unit=unit_text(rows[0].unit))
    how = (
        "the model was fitted again without each participant"
        if isinstance(analysis, Mmrm)
        else "to one step, with the working correlation of everyone (Preisser and Qaqish 1996)"
    )
    many = f"The {len(shown)} participants with the largest of" if len(shown) < len(pulls) else "Participants by"
    description = (
        f"{many} Cook’s distance, and beside it by how much the effect of the arm over the visits is larger with the "
        f"participant than without: {how}. One far from the others carries too much of the answer."
    )
    title = f"{outcome.name}: how far the effect rests on each participant, {analysis_name(analysis)}"
    return from_matplotlib(figure, f"figure-{_dashed(place)}", title, description)


def _residuals_drawing(protocol: Protocol, snapshot: Snapshot, results: Results, outcome: Outcome, id: str) -> Drawing:
    people = snapshot.participants
    arms = dict(zip(people["participant"], people["arm"], strict=True))
    found = results.residuals[id]
    order = [visit for visit in outcome.visits if any(each.visit == visit for each in found)]
    months = {visit: protocol.visit(visit).at.months for visit in order}
    by_months = None not in months.values()
    names = {visit: str(months[visit]) if by_months else visit for visit in order}
    figure, drawn = residuals_figure(
        found,
        arms,
        arm_styles(protocol),
        names,
        unit=unit_text(outcome.unit),
        visit_title="Month" if by_months else "Visit",
    )
    outside = sum(abs(each.value) > BAND for each in drawn)
    description = (
        f"The {len(drawn)} standardised residuals of the mixed model against the fitted value and by visit; some 5% "
        f"should lie outside the dashed lines, and {outside} do. A slope, a funnel or a visit apart speaks against the "
        "model."
    )
    title = f"{outcome.name}: residuals of the mixed model by fitted value and visit"
    return from_matplotlib(figure, f"figure-spread-{_dashed(id)}", title, description)


def _correlation_drawing(protocol: Protocol, results: Results, outcome: Outcome, id: str) -> Drawing:
    """The fitted covariance of the mixed model whose ids begin so."""
    spreads: dict[str, float] = {}
    pairs: dict[tuple[str, str], float] = {}
    for row in results.rows:
        if row.estimate is not None and row.visit is not None and row.id.startswith(f"{id}.sd."):
            spreads[row.visit] = row.estimate
        elif row.estimate is not None and row.term is not None and row.id.startswith(f"{id}.correlation."):
            first, _, second = row.term.partition(":")
            pairs[first, second] = row.estimate
    figure, _ = correlation_figure(protocol, list(spreads), spreads, pairs, places=outcome.places + 1)
    unit = unit_text(outcome.unit)
    description = (
        f"On the diagonal the standard deviation about the fitted mean{f' ({unit})' if unit else ''} at each visit; "
        "above it the correlation of two visits as a number, below it as a square whose area is its size, open where "
        "it is negative."
    )
    title = f"{outcome.name}: how the visits of a participant go together in the mixed model"
    return from_matplotlib(figure, f"figure-correlation-{_dashed(id)}", title, description)


def _quantiles_drawing(results: Results, id: str, outcome: Outcome) -> Drawing:
    figure, points = quantiles_figure([each.value for each in results.residuals[id]])
    description = (
        f"The {len(points)} residuals of the mixed model, standardised so that they would be independent and normal "
        "with variance one (Fitzmaurice, Laird and Ware 2011), against the quantiles of that distribution. Points far "
        "from the dashed line, most of all at its ends, speak against the model."
    )
    title = f"{outcome.name}: residuals of the mixed model"
    return from_matplotlib(figure, f"figure-residuals-{_dashed(id)}", title, description)


def tipping_drawings(protocol: Protocol, results: Results, outcome: Outcome) -> tuple[Drawing, ...]:
    """For each imputation of the outcome with a tipping point, the effect at every shift of the imputed values."""
    drawings = []
    for analysis in analyses_of(protocol, outcome.id):
        if isinstance(analysis, Imputation):
            for row in results.find(analysis=analysis.id, term="tipping point"):
                drawings.append(_tipping_drawing(protocol, results, outcome, analysis, row))
    return tuple(drawings)


def _tipping_drawing(protocol: Protocol, results: Results, outcome: Outcome, analysis: Imputation, row: Row) -> Drawing:
    effects = [
        Shifted(float((each.term or "").removeprefix("delta ")), each.estimate, each.conf_low, each.conf_high, clear)
        for each in results.find(analysis=analysis.id)
        if each.id.startswith(f"{row.id}.")
        and each.estimate is not None
        and each.conf_low is not None
        and each.conf_high is not None
        and each.p_value is not None
        for clear in [each.p_value < analysis.alpha]
    ]
    contrasts = contrasts_of_analysis(protocol, analysis)
    contrast = next((each for each in contrasts if each.name in row.id.split(".")), contrasts[0])
    test, reference = (protocol.arm(arm).name for arm in contrast.arms)
    unit = unit_text(outcome.unit)
    ending = f" ({unit})" if unit else ""
    figure, _ = tipping_figure(
        effects,
        row.estimate,
        axis_title=f"Shift of the imputed values{ending}",
        effect_title=f"Difference, {test} less {reference}{ending}",
        places=outcome.places,
    )
    described = (
        f"Each missing value of {test} at {protocol.visit(outcome.timepoint).name} is imputed and then shifted by what "
        f"stands below; bars are confidence intervals, and a filled mark has P below {analysis.alpha}. "
    )
    described += "P crosses it nowhere." if row.estimate is None else "P crosses it at the dashed line."
    title = f"{outcome.name}: the difference when imputed values are shifted"
    return from_matplotlib(figure, f"figure-tipping-{_dashed(row.id)}", title, described)


def _dashed(id: str) -> str:
    """An id of the results as part of an element's."""
    return id.replace(".", "-")
