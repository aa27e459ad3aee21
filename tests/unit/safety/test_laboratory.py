"""Baseline, worst grade, emergence, recovery, shifts, corrected calcium and the liver."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from equipoise.refusals import Refusal
from equipoise.safety.laboratory import (
    LabPoint,
    LiverPeaks,
    LiverValue,
    Recovery,
    baseline_moment,
    baseline_of,
    corrected_calcium,
    injury_of,
    is_emergent,
    liver_peaks,
    r_ratio,
    recovery_of,
    shift_table,
    worst_after,
)


def day(number):
    return date(2020, 3, number)


def point(on, grade, direction="H", value="1"):
    at = day(on) if isinstance(on, int) else on
    return LabPoint(at, None if value is None else Decimal(value), grade, direction if grade else "")


COURSE = [point(1, 1), point(5, 0), point(8, 2), point(10, 3), point(12, 3), point(15, 2), point(20, 1), point(25, 0)]


def test_baseline_comes_before_the_first_infusion_or_randomisation():
    assert baseline_moment(day(7), day(5)) == day(7)
    assert baseline_moment(None, day(5)) == day(5)
    assert baseline_of(COURSE, day(7)) == COURSE[1]
    assert baseline_of(COURSE, day(1)) == COURSE[0]  # without a time the specimen of the day counts as before
    assert baseline_of(COURSE[2:], day(7)) is None
    assert baseline_of([COURSE[0], point(3, None, value=None)], day(7)) == COURSE[0]


def test_where_times_are_known_they_decide():
    morning, noon, evening = (datetime(2020, 3, 7, hour, tzinfo=UTC) for hour in (8, 12, 18))
    points = [point(morning, 0), point(evening, 2)]
    assert baseline_of(points, noon) == points[0]
    assert worst_after(points, noon, "H") == points[1]
    assert baseline_of(points, morning) is None


def test_the_worst_grade_is_the_first_of_the_highest():
    assert worst_after(COURSE, day(7), "H") == COURSE[3]
    assert worst_after(COURSE[:2], day(7), "H") is None
    low = [point(8, 3, "L"), point(9, 1, "H")]
    assert worst_after(low, day(7), "H") == low[1]
    assert worst_after(low, day(7), "L") == low[0]


@pytest.mark.parametrize(
    ("baseline", "worst", "emergent"),
    [(0, 1, True), (1, 1, False), (2, 1, False), (None, 0, False), (None, 2, None), (1, None, None)],
)
def test_emergent_means_worse_than_baseline(baseline, worst, emergent):
    assert is_emergent(baseline, worst) is emergent


def test_recovery_is_counted_from_the_worst_grade_to_grade_1_or_the_baselines():
    assert recovery_of(COURSE, day(7), "H") == Recovery(3, day(10), day(20), 10)
    from_2 = [point(1, 2), *COURSE[2:]]
    assert recovery_of(from_2, day(7), "H") == Recovery(3, day(10), day(15), 5)


def test_what_has_not_recovered_is_followed_to_the_last_grade():
    assert recovery_of(COURSE[:6], day(7), "H") == Recovery(3, day(10), None, 5)
    assert recovery_of(COURSE[:4], day(7), "H") == Recovery(3, day(10), None, 0)


def test_a_grade_of_1_or_no_worse_than_baseline_has_nothing_to_recover_from():
    assert recovery_of([point(1, 0), point(8, 1)], day(7), "H") is None
    assert recovery_of([point(1, 3), point(8, 3)], day(7), "H") is None
    assert recovery_of([point(1, 0)], day(7), "H") is None


def test_shifts_are_counted():
    assert shift_table([(0, 2), (0, 2), (1, 0), (None, 3)]) == {(0, 2): 2, (1, 0): 1, (None, 3): 1}


def test_calcium_is_corrected_for_albumin_and_both_are_kept():
    corrected = corrected_calcium(Decimal("8.0"), "mg/dL", Decimal("2.5"), "g/dL")
    assert (corrected.measured, corrected.corrected, corrected.unit) == (Decimal("8.0"), Decimal("9.20"), "mg/dL")
    assert corrected_calcium(Decimal("2.00"), "mmol/L", Decimal(30), "g/L").corrected == Decimal("2.20")
    with pytest.raises(Refusal) as refused:
        corrected_calcium(Decimal(8), "mEq/L", Decimal(4), "g/dL")
    assert str(refused.value) == ("unit = mEq/L: is not a unit of calcium that can be corrected; give mg/dL or mmol/L")
    with pytest.raises(Refusal) as refused:
        corrected_calcium(Decimal(8), "mg/dL", Decimal(4), "umol/L")
    assert str(refused.value) == ("albumin_unit = umol/L: is not a unit of albumin that is known; give g/dL or g/L")


def liver(test, value, reference):
    return LiverValue(test, Decimal(value), Decimal(reference))


def test_peaks_are_exact_multiples():
    values = [
        liver("ALT", "120", "40"),
        liver("ALT", "60", "40"),
        liver("BILI", "2.2", "1.1"),
        liver("ALP", "100", "120"),
    ]
    peaks = liver_peaks(values)
    assert peaks == LiverPeaks(Fraction(3), None, Fraction(5, 6), Fraction(2))
    assert (peaks.quadrant, peaks.is_hys_law_candidate) == ("Hy's law", True)


@pytest.mark.parametrize(
    ("alt", "bilirubin", "alp", "quadrant", "candidate"),
    [
        ("3", "2", "1.99", "Hy's law", True),
        ("3", "2", "2", "Hy's law", False),
        ("3", "2", None, "Hy's law", None),
        ("2.99", "2", "1", "cholestasis", False),
        ("3", "1.99", "1", "Temple's corollary", False),
        ("1", "1", None, "neither", False),
        ("3", None, "1", None, None),
        (None, "3", "1", None, None),
    ],
)
def test_the_lines_of_edish(alt, bilirubin, alp, quadrant, candidate):
    given = {"ALT": alt, "BILI": bilirubin, "ALP": alp}
    peaks = liver_peaks([liver(test, value, "1") for test, value in given.items() if value is not None])
    assert (peaks.quadrant, peaks.is_hys_law_candidate) == (quadrant, candidate)


def test_ast_alone_can_be_the_higher():
    assert liver_peaks([liver("ALT", "1", "1"), liver("AST", "4", "1")]).aminotransferase == 4


def test_by_the_baseline_in_place_of_uln():
    assert liver_peaks([liver("ALT", "240", "80"), liver("BILI", "12", "6")]).quadrant == "Hy's law"


@pytest.mark.parametrize(
    ("alt", "alp", "injury"),
    [
        ("200", "120", "hepatocellular"),
        ("80", "120", "cholestatic"),
        ("120", "120", "mixed"),
        ("0", "120", "cholestatic"),
    ],
)
def test_the_r_ratio(alt, alp, injury):
    ratio = r_ratio(liver("ALT", alt, "40"), liver("ALP", alp, "120"))
    assert ratio == Fraction(alt) / 40
    assert injury_of(ratio) == injury


def test_no_ratio_to_nothing():
    assert r_ratio(liver("ALT", "40", "40"), liver("ALP", "0", "120")) is None
    with pytest.raises(Refusal) as refused:
        liver_peaks([liver("ALT", "40", "0")])
    assert str(refused.value) == "reference = 0: of ALT is not above 0; leave the value out"
