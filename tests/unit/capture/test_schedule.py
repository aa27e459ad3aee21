"""Target dates, windows and study days."""

from datetime import date

import pytest

from equipoise.capture import Timing, months_after, planned_visits, study_day, target_date, visit_on
from equipoise.protocol.schedule import TimePoint, Visit, Window

ANCHOR = date(2018, 2, 1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2018-01-31", 1, "2018-02-28"),  # clamped to the month's end
        ("2020-01-31", 1, "2020-02-29"),
        ("2018-01-31", 2, "2018-03-31"),  # counted from the day itself, not from the clamped one
        ("2018-01-31", 3, "2018-04-30"),
        ("2018-01-31", 24, "2020-01-31"),
        ("2020-02-29", 12, "2021-02-28"),
        ("2020-02-29", 48, "2024-02-29"),
        ("2018-12-15", 1, "2019-01-15"),
        ("2018-11-30", 3, "2019-02-28"),
        ("2018-03-31", -1, "2018-02-28"),
        ("2018-01-15", -1, "2017-12-15"),
        ("2018-01-15", 0, "2018-01-15"),
    ],
)
def test_a_month_is_the_same_day_of_a_later_month_clamped_to_its_end(day, months, expected):
    assert months_after(date.fromisoformat(day), months) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ({"days": 1}, "2018-02-01"),  # day 1 is the anchor's own day
        ({"days": 2}, "2018-02-02"),
        ({"days": 31}, "2018-03-03"),
        ({"days": -1}, "2018-01-31"),  # no day 0
        ({"days": -14}, "2018-01-18"),
        ({"weeks": 0}, "2018-02-01"),
        ({"weeks": 2}, "2018-02-15"),
        ({"weeks": -1}, "2018-01-25"),
        ({"months": 1}, "2018-03-01"),
        ({"months": 24}, "2020-02-01"),
    ],
)
def test_target_dates(at, expected):
    assert target_date(TimePoint(**at), ANCHOR) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "expected"), [("2018-02-01", 1), ("2018-02-02", 2), ("2018-01-31", -1), ("2018-01-18", -14)]
)
def test_study_days_have_no_zero(day, expected):
    assert study_day(date.fromisoformat(day), ANCHOR) == expected


def planned(*visits, anchor=ANCHOR):
    made = (
        Visit(id=id, number=number, name=id, epoch="E", at=TimePoint(**at), window=Window(days_before=a, days_after=b))
        for number, (id, at, a, b) in enumerate(visits)
    )
    return planned_visits(made, anchor)


def test_both_ends_of_a_window_count():
    (visit,) = planned(("m1", {"months": 1}, 7, 5), anchor=date(2018, 1, 31))
    assert (visit.target, visit.opens, visit.closes) == (date(2018, 2, 28), date(2018, 2, 21), date(2018, 3, 5))
    assert [visit.includes(day) for day in (date(2018, 2, 20), visit.opens, visit.closes, date(2018, 3, 6))] == [
        False,
        True,
        True,
        False,
    ]


def test_a_visit_is_pending_then_due_then_late():
    (visit,) = planned(("m1", {"months": 1}, 7, 7))
    days = [date(2018, 2, 21), date(2018, 2, 22), date(2018, 3, 8), date(2018, 3, 9)]
    assert [visit.timing(day) for day in days] == [Timing.PENDING, Timing.DUE, Timing.DUE, Timing.LATE]


def test_a_date_belongs_to_the_visit_whose_window_includes_it_the_nearest_target_first():
    visits = planned(("a", {"days": 10}, 5, 10), ("b", {"days": 24}, 10, 5), ("c", {"days": 60}, 0, 0))
    found = {day: visit_on(visits, target_date(TimePoint(days=day), ANCHOR)) for day in (4, 5, 16, 18, 29, 30, 60)}
    assert {day: visit and visit.visit for day, visit in found.items()} == {
        4: None,
        5: "a",
        16: "a",
        18: "b",
        29: "b",
        30: None,
        60: "c",
    }
