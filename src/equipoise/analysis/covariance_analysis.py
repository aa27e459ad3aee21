"""Analysis of covariance: the difference at the time point among participants with the same baseline value."""

from __future__ import annotations

from equipoise import stats
from equipoise.analysis.contrasts import Contrast
from equipoise.analysis.datasets import at_visit
from equipoise.analysis.questions import Answer, Question, check_arms, numbers_of, with_test_code
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted, sentence
from equipoise.protocol.plan import Ancova
from equipoise.stats.least_squares import LeastSquaresFit


def answer(question: Question) -> Answer:
    """Rows `[<contrast>.]<visit>.ancova` for the arm and `….ancova.baseline` for the slope, and `<arm>.n`.

    Participants without a baseline value are left out and counted in the sentence.
    """
    analysis = question.analysis
    assert isinstance(analysis, Ancova)
    visit = question.outcome.timepoint
    known = at_visit(question.data, visit)
    data = known[known["baseline"].notna()]
    rows: list[Row] = []
    methods: list[str] = []
    for contrast in question.contrasts:
        check_arms(data, contrast, f"a baseline value and a value at visit {visit}")
        fit = stats.ancova(
            "outcome ~ baseline + test",
            with_test_code(data, contrast),
            covariance=analysis.covariance,
            level=question.level,
        )
        rows.extend(coefficient_rows(question, contrast, fit))
        methods.append(fit.method)
    rows.extend(question.sizes(data))
    return Answer(
        tuple(rows), {f"methods.{analysis.id}": sentence(method_text(question, methods, len(known) - len(data)))}
    )


def coefficient_rows(question: Question, contrast: Contrast, fit: LeastSquaresFit) -> list[Row]:
    """The adjusted difference and the slope on the baseline value."""
    analysis = question.analysis
    assert isinstance(analysis, Ancova)
    table = fit.coefficients.set_index("term")
    path = (*question.place(contrast), question.outcome.timepoint, "ancova")
    rows = []
    for term, more, name, unit in (
        ("test", (), contrast.name, question.outcome.unit),
        ("baseline", ("baseline",), "baseline", None),
    ):
        found = table.loc[term]
        rows.append(
            question.row(
                *path,
                *more,
                method="ancova" if analysis.covariance == "model" else f"ancova-{analysis.covariance}",
                term=name,
                visit=question.outcome.timepoint,
                **numbers_of(found),
                n=fit.n_subjects,
                unit=unit,
            )
        )
    return rows


def method_text(question: Question, methods: list[str], without_baseline: int) -> str:
    """What was done, with how many had no baseline value."""
    what = "change from baseline" if question.outcome.metric == "change from baseline" else "value"
    visit = question.protocol.visit(question.outcome.timepoint).name
    text = f"{'; '.join(dict.fromkeys(methods))}; {what} at {visit} on arm and baseline value"
    if without_baseline:
        text += f"; {counted(without_baseline, 'participant')} without a baseline value left out"
    return text
