"""What the mixed model and the imputation of the plan answer, where it can be done by hand or asked of the rooms.

That the mixed model's numbers agree with R is shown in tests/reference/analysis; imputation is held to R in its
own room.
"""

import math
from statistics import mean, stdev

import numpy as np
import pandas as pd
import pytest

from equipoise import analysis, stats
from equipoise.stats.refusals import NotIdentified

MMRM = "{id: m, outcome: cd4, analysis_set: FAS, role: main, method: mmrm}"
WITHOUT_BASELINE = MMRM.replace("mmrm}", "mmrm, baseline: none}")
IMPUTED = "{id: i, outcome: cd4, analysis_set: FAS, role: main, method: imputation}"
NEW = {"01-001": (150, 200), "01-003": (160, 231), "01-005": (185, 190), "01-007": (140, 184)}
OLD = {"01-002": (115, 120), "01-004": (128, 140), "01-006": (150, 165), "01-008": (170, 149)}
CHAINED = {code: (first, 3 * first - 200) for code, (first, _) in {**NEW, **OLD}.items()}


@pytest.fixture
def followed(planned, made, records):
    """`followed(plan, values)`: the results of a plan on counts at months 1 and 2, without a baseline value."""

    def build(plan, values):
        protocol = planned(plan)
        people = [records.person(code, "NEW" if code in NEW else "OLD") for code in sorted(values)]
        answers = [
            records.answer(code, visit, "blood.cd4", count)
            for code, counts in values.items()
            for visit, count in zip(("m1", "m2"), counts, strict=True)
        ]
        return analysis.run(protocol, made(protocol, people=people, values=answers))

    return build


def run(planned, small, *plans, **more):
    protocol = planned(*plans)
    return analysis.run(protocol, small(protocol, **more))


def student(first, second):
    """Estimate and standard error of a difference of means with one variance."""
    pooled = ((len(first) - 1) * stdev(first) ** 2 + (len(second) - 1) * stdev(second) ** 2) / (
        len(first) + len(second) - 2
    )
    return mean(first) - mean(second), math.sqrt(pooled * (1 / len(first) + 1 / len(second)))


def test_a_mixed_model_of_complete_data_is_a_t_test_of_each_visit(followed):
    """Kenward and Roger's answers are exact there: 8 participants in two arms leave 6 degrees of freedom."""
    results = followed(WITHOUT_BASELINE, {**NEW, **OLD})
    for id, value in (
        ("m.m2.mmrm", lambda counts: counts[1]),
        ("m.arm.mmrm", mean),
        ("m.arm_visit.mmrm", lambda counts: counts[1] - counts[0]),
    ):
        estimate, std_error = student([value(each) for each in NEW.values()], [value(each) for each in OLD.values()])
        row = results.row(id)
        if id == "m.arm_visit.mmrm":
            assert (row.df, row.estimate) == (1, None)
            assert row.statistic == pytest.approx((estimate / std_error) ** 2, rel=1e-6)
            assert row.df2 == pytest.approx(6, rel=1e-6)
        else:
            assert row.estimate == pytest.approx(estimate, rel=1e-8)
            assert row.std_error == pytest.approx(std_error, rel=1e-6)
            assert row.df == pytest.approx(6, rel=1e-6)
            assert (row.term, row.n, row.unit, row.method) == ("NEW-OLD", 8, "cells/uL", "mmrm us")
    assert (results.row("m.m2.mmrm").visit, results.row("m.arm.mmrm").visit) == ("m2", None)


def test_the_fitted_covariance_and_the_residuals_come_along(followed):
    results = followed(WITHOUT_BASELINE, {**NEW, **OLD})
    centred = [
        [count - mean(column) for count, column in zip(counts, zip(*arm.values(), strict=True), strict=True)]
        for arm in (NEW, OLD)
        for counts in arm.values()
    ]
    sigma = np.array(centred).T @ np.array(centred) / 6
    assert results.row("m.sd.m1").estimate == pytest.approx(math.sqrt(sigma[0, 0]), rel=1e-6)
    assert results.row("m.correlation.m1.m2").estimate == pytest.approx(
        sigma[0, 1] / math.sqrt(sigma[0, 0] * sigma[1, 1]), rel=1e-6
    )
    residuals = [each.value for each in results.residuals["m"]]
    assert list(residuals) == sorted(residuals)
    # Standardised, they keep the 6 degrees of freedom of each of the two visits.
    assert sum(each**2 for each in residuals) == pytest.approx(12, rel=1e-6)


def test_a_mixed_model_says_what_it_is_and_what_it_assumes(planned, small):
    results = run(planned, small, MMRM)
    assert results.row("m.observations").n == 12
    assert (results.row("m.NEW.n").n, results.row("m.OLD.n").n) == (4, 3)
    assert results.sentences["methods.m"] == (
        "Mixed model for repeated measures (Mallinckrodt et al. 2008) by restricted maximum likelihood, unstructured "
        "covariance of the visits, 7 subjects, 12 observations, Kenward-Roger covariance and degrees of freedom, "
        "linear form (Kenward and Roger 1997); value at Month 1 and Month 2 on visit, baseline value by visit and arm "
        "by visit; the effect over the visits is the mean of the effects at each, weighted alike. A participant's "
        "known values count, and missing ones are not filled in, which assumes that they are missing at random, given "
        "arm, baseline and the values that are known; 1 participant without a baseline value left out. Residuals are "
        "standardised by the Cholesky root of their covariance (Fitzmaurice, Laird and Ware 2011)."
    )
    row = results.row("m.m2.mmrm")
    assert results.sentences["primary"].startswith(
        f"CD4 count at Month 2: New + old less Old {row.estimate:.0f} cells/uL"
    )
    assert results.sentences["primary"].endswith(
        f"mixed model for repeated measures, unstructured covariance, {row.df:.4g} df."
    )
    assert "fallback.m" not in results.sentences


def test_rows_of_the_baseline_slope_change_the_answer(planned, small):
    by_visit, common = (
        run(planned, small, MMRM.replace("mmrm}", f"mmrm, baseline: {slope}}}")).row("m.m2.mmrm").estimate
        for slope in ("by-visit", "common")
    )
    assert by_visit != pytest.approx(common, rel=1e-3)


def why_not(covariance):
    """Why the room of statistics does not fit the chained counts under a covariance."""
    rows = [(code, code in NEW, visit, count) for code, counts in CHAINED.items() for visit, count in enumerate(counts)]
    table = pd.DataFrame(rows, columns=["who", "new", "at", "count"])
    formula = "count ~ 0 + C(at) + C(at):new"  # as the plan's analysis writes it
    with pytest.raises(NotIdentified) as refused:
        stats.mmrm(formula, table, subject="who", visit="at", covariance=covariance)
    return refused.value.problem


def test_a_covariance_that_cannot_be_fitted_gives_way_to_the_next(followed):
    """Month 2 follows from month 1 without error: two variances and a correlation of one, which one variance is not."""
    results = followed(WITHOUT_BASELINE.replace("none}", "none, fallback: [csh, cs]}"), CHAINED)
    assert {row.method for row in results.find(analysis="m", term="NEW-OLD")} == {"mmrm cs"}
    assert results.sentences["fallback.m"] == (
        "The covariance of the visits is compound symmetry, as the plan says for when another cannot be fitted: "
        f"unstructured {why_not('us')} and heterogeneous compound symmetry {why_not('csh')}."
    )


def test_a_covariance_without_a_fallback_is_refused(followed):
    results = followed(WITHOUT_BASELINE, CHAINED)
    assert results.find(analysis="m") == ()
    assert results.sentences["refused.m"] == (
        f"Not computed, because covariance = us: could not be fitted (unstructured {why_not('us')}); "
        "name a covariance with fewer parameters as fallback, such as cs, or wait for more data."
    )


def test_three_arms_have_a_mixed_model_and_an_imputation_for_each_contrast(planned, made, records):
    third = ("  - {id: OLD, name: Old,", "  - {id: MID, name: Middle, type: Treatment Arm}\n  - {id: OLD, name: Old,")
    grid = IMPUTED.replace("imputation}", "imputation, tipping_point: {lowest: -10, highest: 10, step: 10}}")
    whole = planned(MMRM, grid, replace=[third, ("{NEW: 1, OLD: 1}", "{NEW: 1, MID: 1, OLD: 1}")])
    protocol = whole.model_copy(update={"estimands": ()})
    rng = np.random.default_rng(6)
    codes = [f"01-{place:03d}" for place in range(1, 25)]
    people = [records.person(code, arm) for code, arm in zip(codes, ["NEW", "MID", "OLD"] * 8, strict=True)]
    values = [
        records.answer(code, visit, "blood.cd4", int(rng.integers(90, 300)))
        for code in codes
        for visit in ("m0", "m1", "m2")
        if (code, visit) not in {("01-001", "m2"), ("01-002", "m2")}
    ]
    results = analysis.run(protocol, made(protocol, people=people, values=values))
    for contrast in ("NEW-OLD", "MID-OLD"):
        assert results.row(f"m.{contrast}.m2.mmrm").n == 16
        assert results.row(f"m.{contrast}.correlation.m1.m2").term == "m1:m2"
        assert len(results.residuals[f"m.{contrast}"]) == 31
        assert results.row(f"i.{contrast}.imputed").n == 32
        assert results.row(f"i.{contrast}.m2.tipping.3").term == "delta 10"
    assert results.maybe("m.m2.mmrm") is None


# Fourteen made-up participants: baseline, month 1, month 2.
COUNTS = {
    "01-001": ("NEW", 100, 150, 200),
    "01-002": ("OLD", 110, 115, 120),
    "01-003": ("NEW", 120, 160, 230),
    "01-004": ("OLD", 130, 128, 140),
    "01-005": ("NEW", 140, 185, None),
    "01-006": ("OLD", 150, None, 165),
    "01-007": ("NEW", 105, 140, 180),
    "01-008": ("OLD", 95, 131, 101),
    "01-009": ("NEW", 161, 170, 262),
    "01-010": ("OLD", 144, 160, 133),
    "01-011": ("NEW", 88, None, None),
    "01-012": ("OLD", 171, 149, 190),
    "01-013": ("NEW", 133, 201, 174),
    "01-014": ("OLD", 118, 97, 142),
    "01-015": ("OLD", None, 97, 142),
}


@pytest.fixture
def imputed(planned, made, records):
    """`imputed(", procedure: bayes, seed: 1")`: the results of such a plan on the counts above."""

    def build(more="", known=COUNTS, visits=(), replace=()):
        protocol = planned(IMPUTED.replace("imputation}", f"imputation{more}}}"), replace=replace)
        people = [records.person(code, arm) for code, (arm, *_) in known.items()]
        answers = [
            records.answer(code, visit, "blood.cd4", count)
            for code, (_, *counts) in known.items()
            for visit, count in zip(("m0", "m1", "m2"), counts, strict=True)
        ]
        return analysis.run(protocol, made(protocol, people=people, values=answers, visits=visits))

    return build


def imputed_directly(strategy, **more):
    """The same question asked of the room of statistics."""
    rows = [
        (code, arm, at, count, base)
        for code, (arm, base, *later) in COUNTS.items()
        if base is not None
        for at, count in enumerate(later)
    ]
    table = pd.DataFrame(rows, columns=["who", "arm", "at", "count", "base"]).astype({"count": "float64"})
    names = {"subject": "who", "visit": "at", "outcome": "count", "arm": "arm", "covariates": ("base",)}
    sets = stats.impute(table, reference="OLD", strategy=strategy, **names, **more)
    return sets.ancova(1).coefficients.set_index("term").loc["arm[T.NEW]"]


@pytest.mark.parametrize(
    ("plan", "strategy", "more"),
    [
        ("", "mar", {"method": "conditional-mean"}),
        (", strategies: {NEW: jump-to-reference}", {"NEW": "jump-to-reference"}, {"method": "conditional-mean"}),
        (", procedure: bayes, seed: 3, draws: 20", "mar", {"method": "bayes", "seed": 3, "draws": 20}),
        (", covariance: by-arm", "mar", {"method": "conditional-mean", "covariance": "by-arm"}),
    ],
)
def test_the_plan_asks_for_the_imputation_that_it_names(imputed, plan, strategy, more):
    row = imputed(plan).row("i.m2.imputation")
    known = imputed_directly(strategy, **more)
    found = (row.estimate, row.std_error, row.df, row.p_value, row.conf_low, row.conf_high)
    names = ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
    assert found == pytest.approx([known[name] for name in names], rel=1e-10)
    assert row.method == f"imputation {'mar' if strategy == 'mar' else strategy['NEW']}"


def test_imputed_values_are_counted(imputed):
    results = imputed()
    assert (results.row("i.imputed").estimate, results.row("i.imputed").n) == (4, 28)
    assert (results.row("i.m2.imputed.NEW").estimate, results.row("i.m2.imputed.NEW").n) == (2, 7)
    assert (results.row("i.m2.imputed.OLD").estimate, results.row("i.m2.imputed.OLD").n) == (0, 7)
    assert results.row("i.m2.imputation").n == 14  # who has no later value counts too
    assert results.sentences["methods.i"].endswith(
        "The value at Month 2 is compared, adjusted for the baseline value; a strategy holds from the visit after a "
        "participant's last known value on, and what is missing before it is imputed as missing at random; "
        "1 participant without a baseline value left out."
    )


def test_visits_to_come_are_named_as_what_they_are_taken_for(imputed):
    results = imputed(visits=[{"participant": "01-005", "visit": "m2", "status": "pending"}])
    assert results.sentences["methods.i"].endswith("left out; 1 visit still to come count as missing.")


def tipping_point(lowest, highest, step):
    return f", tipping_point: {{lowest: {lowest}, highest: {highest}, step: {step}}}"


def test_the_conclusion_tips_where_p_crosses_alpha(imputed):
    results = imputed(tipping_point(-400, 0, 40))
    shifts = [row for row in results.find(analysis="i") if (row.term or "").startswith("delta ")]
    assert [row.term for row in shifts] == [f"delta {shift}" for shift in range(-400, 1, 40)]
    effect = results.row("i.m2.imputation")
    assert (shifts[-1].estimate, shifts[-1].p_value) == pytest.approx((effect.estimate, effect.p_value), rel=1e-12)
    tipping = results.row("i.m2.tipping").estimate
    below, above = (
        next(row.p_value for row in shifts if row.term == f"delta {shift}")
        for shift in (40 * math.floor(tipping / 40), 40 * math.ceil(tipping / 40))
    )
    assert above < 0.05 < below
    assert results.sentences["tipping.i"] == (
        "Tipping point: P crosses 0.05 when all imputed values of New + old are shifted by "
        f"\N{MINUS SIGN}{-tipping:.0f} cells/uL."
    )


def test_a_conclusion_that_does_not_tip_says_so(imputed):
    results = imputed(tipping_point(-2, 2, 1))
    row = results.row("i.m2.tipping")
    assert (row.estimate, row.label) == (None, "P stays on one side of alpha at all shifts")
    assert results.sentences["tipping.i"] == (
        "No tipping point: P stays on one side of 0.05 when all imputed values of New + old are shifted by anything "
        "between \N{MINUS SIGN}2 and 2 cells/uL."
    )


def test_nothing_to_shift_leaves_the_comparison(imputed):
    known = {code: counts for code, counts in COUNTS.items() if code not in ("01-005", "01-011")}
    results = imputed(tipping_point(-20, 0, 10), known=known)
    assert results.row("i.m2.imputation").n == 12
    assert results.maybe("i.m2.tipping") is None
    assert results.sentences["tipping.i"] == (
        "No tipping point: no value of New + old at Month 2 is missing, so there is none to shift."
    )


def test_a_value_missing_between_known_ones_is_shifted_too(imputed):
    known = {code: counts for code, counts in COUNTS.items() if code not in ("01-005", "01-011")}
    known["01-003"] = ("NEW", 120, None, 230)
    results = imputed(
        tipping_point(-60, 60, 60),
        known=known,
        replace=[("timepoint: m2, visits: [m0,", "timepoint: m1, visits: [m0,")],
    )
    lower, none, higher = (results.row(f"i.m1.tipping.{place}").estimate for place in (1, 2, 3))
    assert none == pytest.approx(results.row("i.m1.imputation").estimate, rel=1e-12)
    assert lower < none < higher
