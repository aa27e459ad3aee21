"""The difference at the time point with missing values filled in, under a stated guess of how participants went on.

All members of the analysis set with a baseline value count, those without any later value too. The tipping point says
how much worse (or better) the guess must be before the conclusion changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import at_visit, followed_visits
from equipoise.analysis.questions import Answer, Question, check_arms, numbers_of
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted, fixed, sentence
from equipoise.protocol.plan import Imputation

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.stats.imputation_sets import Imputed
    from equipoise.stats.imputation_tipping import TippingPoint

COVARIATES = ("baseline",)
NO_TIPPING = "P stays on one side of alpha at all shifts"


def answer(question: Question) -> Answer:
    """Rows `[<contrast>.]<visit>.imputation`, `….mc_error`, `….tipping`, `….tipping.<number>`, `….imputed`, `<arm>.n`.

    A row of a shift has it in its term (`delta -20`), and the comparison at that shift; `tipping` is the shift nearest
    to none at which P crosses alpha, without an estimate where it does not within the plan's shifts.
    """
    analysis = imputation_of(question)
    data, without_baseline = outcomes(question)
    rows: list[Row] = []
    sentences: dict[str, str] = {}
    methods: list[str] = []
    for contrast in question.contrasts:
        visit = question.outcome.timepoint
        check_arms(at_visit(data, visit), contrast, f"a baseline value and a value at visit {visit}")
        sets = completed(question, data, contrast)
        row, method = effect(question, contrast, sets)
        rows.append(row)
        rows.extend(count_rows(question, contrast, sets))
        rows.extend(tipping_rows(question, contrast, sets, sentences))
        methods.append(". ".join((method, *sets.notes)))
    rows.extend(question.sizes(data))
    told = [*dict.fromkeys(methods), assumption(question, without_baseline, not_due(question))]
    sentences[f"methods.{analysis.id}"] = " ".join(sentence(text) for text in told)
    return Answer(tuple(rows), sentences)


def imputation_of(question: Question) -> Imputation:
    """The analysis, which the caller knows to be an imputation."""
    assert isinstance(question.analysis, Imputation)
    return question.analysis


def outcomes(question: Question) -> tuple[pd.DataFrame, int]:
    """The outcomes at follow-up visits, known or not, and how many members have no baseline value."""
    visits = followed_visits(question.protocol, question.outcome)
    data = question.data[question.data["visit"].isin(visits) & question.data["arm"].isin(question.arms)]
    data = data.assign(visit=data["visit"].cat.remove_unused_categories())
    lacking = data[data["baseline"].isna()]
    return data[data["baseline"].notna()].reset_index(drop=True), int(lacking["participant"].nunique())


def completed(question: Question, data: pd.DataFrame, contrast: Contrast) -> Imputed:
    """The completed sets of the two arms; an arm that the plan does not name is imputed as missing at random."""
    analysis = imputation_of(question)
    return stats.impute(
        data[data["arm"].isin(contrast.arms)].reset_index(drop=True),
        subject="participant",
        visit="visit",
        outcome="outcome",
        arm="arm",
        covariates=COVARIATES,
        reference=contrast.reference,
        strategy={arm: analysis.strategies.get(arm, "mar") for arm in contrast.arms},
        method=analysis.procedure,
        covariance=analysis.covariance,
        draws=analysis.draws,
        seed=analysis.seed,
        delta_for="all-imputed",
    )


def effect(question: Question, contrast: Contrast, sets: Imputed) -> tuple[Row, str]:
    """The adjusted difference at the time point, and what was done."""
    visit = question.outcome.timepoint
    fit = sets.ancova(visit, level=question.level)
    found = fit.coefficients.set_index("term").loc[f"arm[T.{contrast.test}]"]
    row = question.row(
        *question.place(contrast),
        visit,
        "imputation",
        method=method_of(question, contrast),
        term=contrast.name,
        visit=visit,
        **numbers_of(found),
        n=fit.n_subjects,
    )
    return row, fit.method


def method_of(question: Question, contrast: Contrast) -> str:
    """The method of a row: by the strategy of the test arm."""
    return f"imputation {imputation_of(question).strategies.get(contrast.test, 'mar')}"


def count_rows(question: Question, contrast: Contrast, sets: Imputed) -> Iterator[Row]:
    """How many outcomes were filled in, at the time point of how many in each arm, and over all visits."""
    visit = question.outcome.timepoint
    for row in sets.counts.to_dict("records"):
        if row["visit"] == visit:
            yield question.count(
                *question.place(contrast),
                visit,
                "imputed",
                row["arm"],
                count=int(row["imputed"]),
                n=int(row["n"]),
                arm=row["arm"],
                visit=visit,
                label="participants whose value is imputed",
            )
    yield question.count(
        *question.place(contrast),
        "imputed",
        count=sets.n_imputed,
        n=sets.n_imputed + sets.n_observations,
        label="participants by visits imputed",
    )


def tipping_rows(question: Question, contrast: Contrast, sets: Imputed, sentences: dict[str, str]) -> Iterator[Row]:
    """The comparison at each shift of the test arm's imputed values, and where it tips; with none to shift, no row."""
    analysis, visit = imputation_of(question), question.outcome.timepoint
    if analysis.tipping_point is None:
        return
    shifts = analysis.tipping_point.shifts
    place = (*question.place(contrast), visit, "tipping")
    id = ".".join(("tipping", analysis.id, *question.place(contrast)))
    if not imputed_at_timepoint(question, contrast, sets):
        sentences[id] = nothing_text(question, contrast)
        return
    found = stats.tipping_point(
        sets, arm=contrast.test, deltas=[float(shift) for shift in shifts], visit=visit, level=question.level
    )
    columns = {"method": method_of(question, contrast), "visit": visit, "n": sets.n_subjects}
    yield question.row(
        *place,
        term="tipping point",
        estimate=found.tipping,
        label=NO_TIPPING if found.tipping is None else "shift at which P crosses alpha",
        **columns,
    )
    for number, (shift, row) in enumerate(zip(shifts, found.table.to_dict("records"), strict=True), start=1):
        names = ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high")
        yield question.row(
            *place, str(number), term=f"delta {shift}", **columns, **{name: float(row[name]) for name in names}
        )
    sentences[id] = tipping_text(question, contrast, found)


def imputed_at_timepoint(question: Question, contrast: Contrast, sets: Imputed) -> int:
    """How many participants of the test arm have their value at the time point imputed."""
    counts = sets.counts
    here = (counts["arm"] == contrast.test) & (counts["visit"] == question.outcome.timepoint)
    return int(counts.loc[here, "imputed"].sum())


def nothing_text(question: Question, contrast: Contrast) -> str:
    """Why there is nothing to shift."""
    arm = question.protocol.arm(contrast.test).name
    visit = question.protocol.visit(question.outcome.timepoint).name
    return f"No tipping point: no value of {arm} at {visit} is missing, so there is none to shift."


def tipping_text(question: Question, contrast: Contrast, found: TippingPoint) -> str:
    """Where the comparison tips, in words."""
    arm, alpha = question.protocol.arm(contrast.test).name, question.analysis.alpha
    unit = f" {question.outcome.unit}" if question.outcome.unit else ""
    shifted = f"all imputed values of {arm} are shifted by"
    if found.tipping is None:
        first, *_, last = (fixed(float(delta), question.outcome.places) for delta in found.table["delta"])
        return sentence(
            f"No tipping point: P stays on one side of {alpha} when {shifted} anything between {first} and {last}{unit}"
        )
    shift = fixed(found.tipping, question.outcome.places)
    return sentence(f"Tipping point: P crosses {alpha} when {shifted} {shift}{unit}")


def not_due(question: Question) -> int:
    """How many follow-up visits of the members are still to come, whose outcomes are filled in all the same."""
    visits = question.snapshot.visits
    wanted = followed_visits(question.protocol, question.outcome)
    ahead = visits["status"].isin(("due", "pending"))
    return int((ahead & visits["visit"].isin(wanted) & visits["participant"].isin(question.members)).sum())


def assumption(question: Question, without_baseline: int, ahead: int) -> str:
    """From when a strategy holds, and who is left out."""
    what = "change from baseline" if question.outcome.metric == "change from baseline" else "value"
    visit = question.protocol.visit(question.outcome.timepoint).name
    text = (
        f"The {what} at {visit} is compared, adjusted for the baseline value; a strategy holds from the visit after a "
        "participant's last known value on, and what is missing before it is imputed as missing at random"
    )
    if without_baseline:
        text += f"; {counted(without_baseline, 'participant')} without a baseline value left out"
    if ahead:
        text += f"; {counted(ahead, 'visit')} still to come count as missing"
    return text
