"""Stopping boundaries: published values, every sequence of events counted one by one, and where a trial stands."""

import time
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.safety.stopping import (
    Boundary,
    StoppingRefused,
    bayesian_boundary,
    chance_of_seeing,
    fixed_boundary,
    operating_characteristics,
    pocock_boundary,
    standing,
    standing_in_order,
    upper_bound,
)


def limits(text: str) -> tuple[int | None, ...]:
    return tuple(None if each == "-" else int(each) for each in text.split())


# acceptable rate, planned, b(1) b(2) ..., chance of stopping at the acceptable rate, at a rate of 0.5.
# Worked out once with exact binomial sums outside of this program, by the definition of Ivanova, Qaqish and Schell
# (2005), Biometrics 61:540-545, error 0.05; the chances to the three and two places that were noted.
POCOCK = [
    (0.2, 10, "- - 3 3 4 4 5 5 5 6", 0.042, 0.56),
    (0.1, 10, "- 2 2 3 3 3 3 4 4 4", 0.047, 0.87),
    (0.3, 10, "- - 3 4 5 5 6 6 6 7", 0.047, 0.30),
    (0.2, 20, "- - 3 4 4 4 5 5 5 6 6 6 7 7 7 8 8 8 9 9", 0.048, 0.83),
]


@pytest.mark.parametrize(("rate", "planned", "expected", "error", "power"), POCOCK)
def test_pocock_boundaries_and_their_chances(rate, planned, expected, error, power):
    boundary = pocock_boundary(rate, planned, 0.05)
    assert boundary.limits == limits(expected)
    assert round(operating_characteristics(boundary, rate).stops, 3) == error
    assert round(operating_characteristics(boundary, 0.5).stops, 2) == power


def test_the_alpha_of_the_first_boundary_is_the_one_noted():
    assert round(pocock_boundary(0.2, 10, 0.05).alpha, 4) == 0.0272


def test_the_bayesian_boundary_and_its_chances():
    boundary = bayesian_boundary(0.2, 10, (0.4, 1.6), 0.9)
    assert boundary.limits == limits("- 2 2 3 3 3 4 4 4 5")
    assert round(operating_characteristics(boundary, 0.2).stops, 2) == 0.17
    assert round(operating_characteristics(boundary, 0.5).stops, 2) == 0.81


def test_a_certainty_that_is_just_reached_does_not_stop():
    # uniform prior: P(p > 1/2 | 2 events in 2) = 1 - (1/2)**3 = 0.875 exactly, and the rule asks for more than that
    assert bayesian_boundary(0.5, 3, (1, 1), 0.875).limits == (None, None, 3)
    assert bayesian_boundary(0.5, 3, (1, 1), 0.874).limits == (None, 2, 3)


def test_zero_events_are_not_zero_risk():
    assert f"{upper_bound(0, 10):.1%}" == "25.9%"
    assert round(chance_of_seeing(0.1, 10), 2) == 0.65
    assert round(chance_of_seeing(0.2, 10), 2) == 0.89


BOUNDARIES = [
    pocock_boundary(0.2, 10, 0.05),
    pocock_boundary(0.1, 8, 0.1),
    bayesian_boundary(0.2, 10, (0.4, 1.6), 0.9),
    fixed_boundary(1, 6),
    fixed_boundary(2, 9),
]


def by_every_sequence(boundary: Boundary, rate: float) -> tuple[list[float], float, float]:
    """Chance of stopping at each n, mean treated and mean events, from all 2**n sequences of events."""
    stops_at, treated, events = [0.0] * boundary.planned, 0.0, 0.0
    for sequence in product((0, 1), repeat=boundary.planned):
        chance = rate ** sum(sequence) * (1 - rate) ** (len(sequence) - sum(sequence))
        reached = (n for n in range(1, len(sequence) + 1) if sum(sequence[:n]) >= (boundary.limits[n - 1] or 99))
        n = next(reached, None)
        if n is not None:
            stops_at[n - 1] += chance
        treated += chance * (n or boundary.planned)
        events += chance * sum(sequence[: n or boundary.planned])
    return stops_at, treated, events


@pytest.mark.parametrize("rate", [0.0, 0.07, 0.2, 0.5, 0.93, 1.0])
@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda each: f"{each.kind}-{each.planned}")
def test_operating_characteristics_are_those_of_all_sequences(boundary, rate):
    found = operating_characteristics(boundary, rate)
    stops_at, treated, events = by_every_sequence(boundary, rate)
    # sums of up to 1,024 terms in another order: equal but for rounding
    assert found.stops_at == pytest.approx(stops_at, abs=1e-14)
    assert found.stops == pytest.approx(sum(stops_at), abs=1e-14)
    assert found.expected_treated == pytest.approx(treated, rel=1e-12)
    assert found.expected_events == pytest.approx(events, abs=1e-12)


@given(st.integers(1, 99), st.integers(1, 25), st.integers(1, 40))
def test_the_error_is_kept_and_no_larger_alpha_would_keep_it(hundredths, planned, error_hundredths):
    rate, error = hundredths / 100, error_hundredths / 100
    if rate**planned > error:
        with pytest.raises(StoppingRefused):
            pocock_boundary(rate, planned, error)
        return
    boundary = pocock_boundary(rate, planned, error)
    assert operating_characteristics(boundary, rate).stops <= error * (1 + 1e-9)
    higher = [each for each in tails_above(rate, planned, boundary.alpha) if each <= 1]
    looser = with_alpha(rate, planned, min(higher))
    assert operating_characteristics(looser, rate).stops > error * (1 - 1e-9)


def tail(rate: float, n: int, k: int) -> float:
    from math import comb

    return sum(comb(n, j) * rate**j * (1 - rate) ** (n - j) for j in range(k, n + 1))


def tails_above(rate: float, planned: int, alpha: float) -> list[float]:
    every = (tail(rate, n, k) for n in range(1, planned + 1) for k in range(n + 1))
    return [each for each in every if each > alpha * (1 + 1e-7)]


def with_alpha(rate: float, planned: int, alpha: float) -> Boundary:
    found = []
    for n in range(1, planned + 1):
        found.append(next((k for k in range(n + 1) if tail(rate, n, k) <= alpha * (1 + 1e-9)), None))
    return Boundary("pocock", tuple(found), planned, "by hand", alpha=alpha)


def test_a_thousand_participants_are_worked_out_in_under_a_second():
    begun = time.perf_counter()
    boundary = pocock_boundary(0.2, 1000, 0.05)
    operating_characteristics(boundary, 0.3)
    assert time.perf_counter() - begun < 1
    assert 0.049 < operating_characteristics(boundary, 0.2).stops <= 0.05


def test_past_the_planned_number_the_boundary_goes_on_with_the_same_alpha():
    boundary = pocock_boundary(0.2, 10, 0.05, until=12)
    assert boundary.limits[:10] == pocock_boundary(0.2, 10, 0.05).limits
    assert boundary.limits[10:] == (6, 6)
    assert standing(boundary, 11, 1).past_planned
    assert (
        operating_characteristics(boundary, 0.2).stops
        == operating_characteristics(pocock_boundary(0.2, 10, 0.05), 0.2).stops
    )


@pytest.mark.parametrize(
    ("treated", "events", "crossed", "to_go"),
    [(0, 0, False, None), (2, 2, False, None), (3, 2, False, 1), (3, 3, True, 0), (10, 5, False, 1), (10, 6, True, 0)],
)
def test_where_a_trial_stands(treated, events, crossed, to_go):
    found = standing(pocock_boundary(0.2, 10, 0.05), treated, events)
    assert (found.crossed, found.to_go) == (crossed, to_go)


def test_an_event_known_late_counts_where_its_participant_stands():
    boundary = pocock_boundary(0.2, 10, 0.05)
    assert not standing(boundary, 5, 3).crossed  # b(5) is 4
    late = standing_in_order(boundary, [1, 1, 1, 0, 0])  # but b(3) is 3, and the first three all have it
    assert (late.crossed, late.crossed_at, late.treated, late.events) == (True, 3, 5, 3)
    spread = standing_in_order(boundary, [1, 0, 0, 1, 1])
    assert (spread.crossed, spread.crossed_at, spread.to_go) == (False, None, 1)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=10), st.data())
def test_events_not_yet_known_never_cross_what_they_would_not_cross_once_known(events, data):
    boundary = pocock_boundary(0.2, 10, 0.05)
    known = [data.draw(st.integers(0, each)) for each in events]
    if standing_in_order(boundary, known).crossed:
        assert standing_in_order(boundary, events).crossed


def test_several_events_of_a_participant_count_once_or_each_time():
    assert not standing_in_order(fixed_boundary(2, 10), [2, 0, 0]).crossed
    each_time = fixed_boundary(2, 10, counts="events")
    assert standing_in_order(each_time, [2, 0, 0]).crossed
    assert standing(each_time, 1, 3).crossed


REFUSALS = [
    (lambda: pocock_boundary(0, 10, 0.05), "rate = 0: is not above 0 and below 1; give a share, such as 0.2"),
    (lambda: pocock_boundary(0.2, 10, 1), "error = 1: is not above 0 and below 1; give a share, such as 0.2"),
    (
        lambda: pocock_boundary(0.2, 2001, 0.05),
        "planned = 2001: is not between 1 and 2000; give the participants of one arm",
    ),
    (
        lambda: pocock_boundary(0.5, 3, 0.05),
        "error = 0.05: even an event in all 3 has a chance of 0.125 at the rate 0.5, above 0.05; "
        "plan more participants, or bear a larger error",
    ),
    (
        lambda: bayesian_boundary(0.2, 10, (0.4, -1), 0.9),
        "prior = 0.4, -1: is not two numbers above 0; give a and b of a beta distribution",
    ),
    (
        lambda: bayesian_boundary(0.2, 10, (9, 1), 0.9),
        "threshold = 0.9: is passed by the prior 9, 1 before anybody is treated; "
        "ask for more certainty, or take another prior",
    ),
    (lambda: fixed_boundary(0, 10), "limit = 0: would stop a trial without events; give 1 or more"),
    (
        lambda: operating_characteristics(fixed_boundary(1, 10), 1.5),
        "rate = 1.5: is not between 0 and 1; give a share, such as 0.2",
    ),
    (
        lambda: operating_characteristics(fixed_boundary(2, 10, counts="events"), 0.5),
        "boundary = fixed limit: stop at 2 events: of events has no chance of being reached without a model of how "
        "many a participant has; count participants, or ask nothing of its chances",
    ),
    (
        lambda: standing(fixed_boundary(1, 10), 2, 3),
        "events = 3: is more than the 2 treated; count each participant once",
    ),
    (lambda: standing(fixed_boundary(1, 10), -1, 0), "treated = -1: is below 0; count again"),
    (
        lambda: standing(fixed_boundary(1, 10), 11, 0),
        "treated = 11: is not a number that the boundary is made for; give 1 to 10, or make the boundary for more",
    ),
]


@pytest.mark.parametrize(("ask", "said"), REFUSALS)
def test_what_cannot_be_is_refused_with_the_remedy(ask, said):
    with pytest.raises(StoppingRefused) as refused:
        ask()
    assert str(refused.value) == said
