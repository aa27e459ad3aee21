"""Moments known to the year, month, day or minute, and what may be said of them."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.safety.moments import MomentRefused, is_within, parse_moment

SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("text", "first", "last", "day"),
    [
        ("2018", date(2018, 1, 1), date(2018, 12, 31), None),
        ("2018-02", date(2018, 2, 1), date(2018, 2, 28), None),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29), None),
        ("2018-12", date(2018, 12, 1), date(2018, 12, 31), None),
        ("2018-03-05", date(2018, 3, 5), date(2018, 3, 5), date(2018, 3, 5)),
        ("2018-03-05T14:30", date(2018, 3, 5), date(2018, 3, 5), date(2018, 3, 5)),
    ],
)
def test_a_moment_is_known_as_far_as_it_was_given(text, first, last, day):
    moment = parse_moment("onset", text)
    assert (moment.text, moment.first_day, moment.last_day, moment.day) == (text, first, last, day)


@pytest.mark.parametrize(
    "text", ["", "18", "2018-3", "2018-13", "2018-02-30", "2018-03-05T25:00", "2018-03-05 14:30", "05/03/2018", "0000"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(MomentRefused) as refused:
        parse_moment("onset", text)
    said = "is not a year, month, day or day with time; write 2018, 2018-03, 2018-03-05 or 2018-03-05T14:30"
    assert str(refused.value) == f"onset = {text}: {said}"


def test_a_month_that_holds_the_start_of_treatment_counts_from_it():
    march = parse_moment("onset", "2018-03")
    start = datetime(2018, 3, 10, 9, tzinfo=UTC)
    assert march.assumed_day([start]) == date(2018, 3, 10)
    assert march.assumed_day([datetime(2018, 4, 10, 9, tzinfo=UTC), start]) == date(2018, 3, 10)
    assert march.assumed_day([datetime(2018, 4, 10, 9, tzinfo=UTC)]) == date(2018, 3, 1)
    assert march.assumed_day([]) == date(2018, 3, 1)
    assert march.until(start).assumed_day([start]) == date(2018, 3, 1)  # known before the start


def test_what_is_known_besides_bounds_a_moment():
    march = parse_moment("onset", "2018-03")
    known = march.until(datetime(2018, 3, 5, 14, 0, tzinfo=UTC))
    assert (known.text, known.last_day) == ("2018-03", date(2018, 3, 5))
    assert known.span(UTC)[1] == datetime(2018, 3, 5, 14, 0, tzinfo=UTC)
    assert known.may_follow(datetime(2018, 3, 5, 13, 59, tzinfo=UTC))
    assert not known.may_follow(datetime(2018, 3, 5, 14, 0, tzinfo=UTC))
    assert march.until(datetime(2018, 2, 28, tzinfo=UTC)) is march  # a contradiction tells nothing


def test_an_hour_that_the_clock_has_twice_may_be_either():
    berlin = ZoneInfo("Europe/Berlin")
    first, before = parse_moment("onset", "2018-10-28T02:20").span(berlin)
    assert first.astimezone(UTC) == datetime(2018, 10, 28, 0, 20, tzinfo=UTC)
    assert before.astimezone(UTC) == datetime(2018, 10, 28, 1, 21, tzinfo=UTC)
    first, before = parse_moment("onset", "2018-10-28T04:20").span(berlin)
    assert before - first == timedelta(minutes=1)


def test_a_span_is_in_the_trials_own_time():
    assert parse_moment("onset", "2018-03-05T14:30").span(SHANGHAI) == (
        datetime(2018, 3, 5, 6, 30, tzinfo=UTC),
        datetime(2018, 3, 5, 6, 31, tzinfo=UTC),
    )
    assert parse_moment("onset", "2018-03").span(SHANGHAI) == (
        datetime(2018, 2, 28, 16, tzinfo=UTC),
        datetime(2018, 3, 31, 16, tzinfo=UTC),
    )


@given(st.integers(0, 200), st.integers(1, 60), st.integers(0, 200), st.integers(0, 100))
def test_within_is_what_every_minute_of_the_span_says(start, length, opens, lasts):
    origin = datetime(2018, 3, 5, tzinfo=UTC)
    minute = timedelta(minutes=1)
    closes = opens + lasts
    inside = [opens <= each <= closes for each in range(start, start + length)]
    expected = True if all(inside) else None if any(inside) else False
    span = (origin + start * minute, origin + (start + length) * minute)
    assert is_within(span, origin + opens * minute, origin + closes * minute) is expected
