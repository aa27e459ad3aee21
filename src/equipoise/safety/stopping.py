"""Boundaries at which harm stops a trial, and what they can and cannot do: exact, by counting every course of events.

A *boundary* gives for each number treated the number of them with the event at which the trial stops. A participant
counts as treated from the start of the first treatment. Who is treated stands in the order of treatment, and the
boundary is watched at every place of that order: the first n treated are held against b(n) for every n so far. So an
event known late counts where its participant stands, and no delay makes a false stop likelier than planned.
Terms: *limit* (b(n), events at which to stop), *rate* (the chance of the event in one participant).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from equipoise import stats
from equipoise.protocol.document import Protocol
from equipoise.protocol.safety import MOST_WATCHED, StoppingRule
from equipoise.refusals import Refusal

Vector: TypeAlias = NDArray[np.float64]

SAME = 1e-9
"""Two chances this near, relative to their size, are one: the same sum in another order differs by less."""


class StoppingRefused(Refusal):
    """A boundary that cannot be made, or counts that cannot be."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """For each number treated, the events at which the trial stops.

    Args:
        kind: how it was made.
        limits: (n,), b(1), b(2), ...; None where not even an event in everybody treated reaches it.
        planned: how many are to be treated; past it a Pocock-type boundary goes on, without its promise on error.
        counts: whether events are counted once a participant or each time.
        method: the sentence that says how it was made.
        alpha: of a Pocock-type boundary, the chance at each n, at the acceptable rate, below which b(n) lies.
    """

    kind: Literal["pocock", "bayesian", "fixed"]
    limits: tuple[int | None, ...]
    planned: int
    method: str
    counts: Literal["participants", "events"] = "participants"
    alpha: float | None = None

    def limit(self, treated: int) -> int | None:
        """The events at which the trial stops with so many treated.

        Raises:
            StoppingRefused: unless 1 <= treated <= len(limits).
        """
        if not 1 <= treated <= len(self.limits):
            remedy = f"give 1 to {len(self.limits)}, or make the boundary for more"
            raise StoppingRefused("treated", treated, "is not a number that the boundary is made for", remedy)
        return self.limits[treated - 1]


@dataclass(frozen=True, slots=True)
class OperatingCharacteristics:
    """What a boundary does when the true rate is `rate` and all events of those treated are known at once.

    Args:
        rate: the chance of the event in one participant.
        stops: the chance that the trial is ever stopped.
        stops_at: (planned,), the chance that it is stopped at n = 1, 2, ...
        expected_treated: the mean number treated, a trial that is not stopped counting as planned.
        expected_events: the mean number of them with the event.
    """

    rate: float
    stops: float
    stops_at: tuple[float, ...]
    expected_treated: float
    expected_events: float


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a trial stands against its boundary.

    Args:
        treated: participants treated.
        events: those with the event, or the events, as the boundary counts.
        limit: b(treated); None where it cannot be reached, or nobody is treated.
        crossed: whether the trial must stop.
        crossed_at: the place in the order of treatment at which it was; None when it was not.
        to_go: how many more would reach the limit with nobody else treated; None where it cannot be reached.
        past_planned: whether more are treated than were planned, so that the promise on error no longer holds.
    """

    treated: int
    events: int
    limit: int | None
    crossed: bool
    crossed_at: int | None
    to_go: int | None
    past_planned: bool


def pocock_boundary(rate: float, planned: int, error: float, *, until: int | None = None) -> Boundary:
    """The Pocock-type boundary: b(n) is the least k with P(X >= k | n, rate) <= alpha.

    alpha is the largest for which a trial of `planned` participants is ever stopped, at the acceptable rate, with a
    chance of at most `error`.

    Args:
        rate: the acceptable rate, above 0 and below 1.
        planned: how many are to be treated.
        error: the chance of stopping that is borne at the acceptable rate, above 0 and below 1.
        until: tabulate up to this number treated, `planned` when not given; alpha stays that of `planned`.

    Raises:
        StoppingRefused: when an argument is out of its bounds, or even an event in everybody is likelier than `error`.

    Source:
        Ivanova, Qaqish and Schell (2005), Biometrics 61:540-545.
    """
    _check_share("rate", rate)
    _check_share("error", error)
    last = _check_numbers(planned, until)
    if rate**planned > error:
        problem = (
            f"even an event in all {planned} has a chance of {rate**planned:.4g} at the rate {rate:g}, above {error:g}"
        )
        raise StoppingRefused("error", error, problem, "plan more participants, or bear a larger error")
    tails = list(_tails(rate, last))
    candidates = np.unique(np.concatenate([tail[tail <= error * (1 + SAME)] for tail in tails[:planned]]))
    fitting = bisect_right(
        candidates, error * (1 + SAME), key=lambda alpha: sum(_stops_at(_limits(tails[:planned], alpha), rate))
    )
    alpha = float(candidates[fitting - 1])
    method = (
        f"Pocock-type boundary (Ivanova, Qaqish and Schell 2005): the chance of ever stopping among {planned} "
        f"is at most {error:g} when the rate is {rate:g}"
    )
    return Boundary("pocock", _limits(tails, alpha), planned, method, alpha=alpha)


def bayesian_boundary(
    rate: float, planned: int, prior: tuple[float, float], threshold: float, *, until: int | None = None
) -> Boundary:
    """The Bayesian boundary: b(n) is the least k with P(p > rate | k events in n) > threshold.

    Args:
        rate: the acceptable rate, above 0 and below 1.
        planned: how many are to be treated.
        prior: (a, b) of the beta distribution of p, as if a events had been seen in a + b participants.
        threshold: the certainty asked for, above 0 and below 1.
        until: tabulate up to this number treated, `planned` when not given.

    Raises:
        StoppingRefused: when an argument is out of its bounds, or the prior alone is past the threshold.
    """
    _check_share("rate", rate)
    _check_share("threshold", threshold)
    last = _check_numbers(planned, until)
    a, b = prior
    if not (math.isfinite(a) and math.isfinite(b) and a > 0 and b > 0):
        raise StoppingRefused(
            "prior", f"{a:g}, {b:g}", "is not two numbers above 0", "give a and b of a beta distribution"
        )

    def certainty(events: Vector, treated: int) -> Vector:
        return np.asarray(1 - special.betainc(a + events, b + treated - events, rate), dtype=np.float64)

    def is_past(chances: Vector) -> NDArray[np.bool_]:
        return np.asarray(chances > threshold + SAME * (1 - threshold))

    if is_past(certainty(np.zeros(1), 0))[0]:
        problem = f"is passed by the prior {a:g}, {b:g} before anybody is treated"
        raise StoppingRefused("threshold", threshold, problem, "ask for more certainty, or take another prior")
    limits: list[int | None] = []
    for n in range(1, last + 1):
        past = is_past(certainty(np.arange(n + 1, dtype=np.float64), n))
        limits.append(int(np.argmax(past)) if past[-1] else None)
    method = (
        f"Bayesian boundary: stop when P(rate > {rate:g}) is above {threshold:g}, with the prior Beta({a:g}, {b:g})"
    )
    return Boundary("bayesian", tuple(limits), planned, method)


def fixed_boundary(
    limit: int,
    planned: int,
    *,
    counts: Literal["participants", "events"] = "participants",
    until: int | None = None,
) -> Boundary:
    """The same limit at every number treated, such as 1 for any death or 2 for any two related events of grade 4.

    Raises:
        StoppingRefused: when the limit or a number of participants is below 1.
    """
    last = _check_numbers(planned, until)
    if limit < 1:
        raise StoppingRefused("limit", limit, "would stop a trial without events", "give 1 or more")
    can_be = counts == "events"
    limits = tuple(limit if can_be or limit <= n else None for n in range(1, last + 1))
    who = f"{limit} {'event' if limit == 1 else 'events'}" if can_be else f"{limit} with the event"
    return Boundary("fixed", limits, planned, f"fixed limit: stop at {who}", counts)


def boundary_of(protocol: Protocol, rule: StoppingRule, *, until: int | None = None) -> Boundary:
    """The boundary that a rule of the protocol describes; its parts have been checked to be there.

    A rule that names no planned number is made for the participants planned in its arm.

    Args:
        protocol: the protocol.
        rule: one of its stopping rules.
        until: tabulate up to this number treated, when more are treated than planned.
    """
    number, last = rule.planned or planned_in_arm(protocol, rule.arm), until
    if rule.boundary == "fixed":
        assert rule.limit is not None, "a fixed limit has been checked to have one"
        return fixed_boundary(rule.limit, number, counts=rule.counts, until=last)
    assert rule.acceptable_rate is not None, "a boundary on a rate has been checked to have one"
    rate = float(rule.acceptable_rate)
    if rule.boundary == "pocock":
        assert rule.error is not None, "a Pocock-type boundary has been checked to have an error"
        return pocock_boundary(rate, number, float(rule.error), until=last)
    assert rule.prior is not None, "a Bayesian boundary has been checked to have a prior"
    assert rule.threshold is not None, "a Bayesian boundary has been checked to have a threshold"
    prior = (float(rule.prior.a), float(rule.prior.b))
    return bayesian_boundary(rate, number, prior, float(rule.threshold), until=last)


def planned_in_arm(protocol: Protocol, arm: str) -> int:
    """The arm's part of the planned participants by the ratio, rounded up."""
    ratio = protocol.allocation.ratio
    return math.ceil(protocol.population.planned * ratio[arm] / sum(ratio.values()))


def operating_characteristics(boundary: Boundary, rate: float) -> OperatingCharacteristics:
    """What the boundary does at a true rate, by summing over all courses of events among the planned.

    Raises:
        StoppingRefused: when the rate is not a share, or the boundary counts events rather than participants: how many
            events one participant may have is then not known.
    """
    if not 0 <= rate <= 1:
        raise StoppingRefused("rate", rate, "is not between 0 and 1", "give a share, such as 0.2")
    if boundary.counts == "events":
        problem = "of events has no chance of being reached without a model of how many a participant has"
        raise StoppingRefused("boundary", boundary.method, problem, "count participants, or ask nothing of its chances")
    stops_at = _stops_at(boundary.limits[: boundary.planned], rate)
    stops = math.fsum(stops_at)
    through = math.fsum(chance * n for n, chance in enumerate(stops_at, start=1))
    treated = through + max(0.0, 1 - stops) * boundary.planned
    # the events among those treated: the number treated is a stopping time, so Wald's identity gives rate x its mean
    return OperatingCharacteristics(rate, stops, tuple(stops_at), treated, rate * treated)


def standing(boundary: Boundary, treated: int, events: int) -> Standing:
    """Where so many events among so many treated stand: crossed when events >= b(treated).

    Raises:
        StoppingRefused: when a number is below 0, more participants have the event than are treated, or more are
            treated than the boundary is made for.
    """
    if treated < 0 or events < 0:
        field, value = ("treated", treated) if treated < 0 else ("events", events)
        raise StoppingRefused(field, value, "is below 0", "count again")
    if boundary.counts == "participants" and events > treated:
        raise StoppingRefused("events", events, f"is more than the {treated} treated", "count each participant once")
    limit = boundary.limit(treated) if treated else None
    crossed = limit is not None and events >= limit
    to_go = None if limit is None else max(0, limit - events)
    crossed_at = treated if crossed else None
    return Standing(treated, events, limit, crossed, crossed_at, to_go, treated > boundary.planned)


def standing_in_order(boundary: Boundary, events: Sequence[int]) -> Standing:
    """Where the trial stands, looking at every place in the order of treatment.

    Args:
        boundary: made for at least as many as are treated.
        events: (n,), for each treated participant in the order of the first treatment, the events known so far.

    Returns:
        The standing with all treated; crossed when the first m of them cross b(m) for any m, so that an event known
        late, after others were treated, stops the trial as it would have at once.
    """
    counts = list(events) if boundary.counts == "events" else [min(each, 1) for each in events]
    so_far, crossed_at = 0, None
    for n, count in enumerate(counts, start=1):
        so_far += count
        limit = boundary.limit(n)
        if crossed_at is None and limit is not None and so_far >= limit:
            crossed_at = n
    now = standing(boundary, len(counts), so_far)
    return Standing(now.treated, now.events, now.limit, crossed_at is not None, crossed_at, now.to_go, now.past_planned)


def upper_bound(events: int, treated: int, level: float = 0.95) -> float:
    """The exact one-sided upper bound of the rate: zero events among ten still allow a rate of 25.9%.

    Raises:
        BadSample: unless 0 <= events <= treated, treated >= 1 and 0.5 < level < 1.
    """
    return stats.clopper_pearson(events, treated, 2 * level - 1).conf_high


def chance_of_seeing(rate: float, treated: int) -> float:
    """The chance that an event of this rate is seen at least once among so many treated."""
    return 1.0 - (1.0 - rate) ** treated


def _check_share(field: str, value: float) -> None:
    if not 0 < value < 1:
        raise StoppingRefused(field, value, "is not above 0 and below 1", "give a share, such as 0.2")


def _check_numbers(planned: int, until: int | None) -> int:
    last = planned if until is None else max(planned, until)
    for field, value in (("planned", planned), ("until", last)):
        if not 1 <= value <= MOST_WATCHED:
            raise StoppingRefused(
                field, value, f"is not between 1 and {MOST_WATCHED}", "give the participants of one arm"
            )
    return last


def _tails(rate: float, last: int) -> Iterator[Vector]:
    """For n = 1 to last: (n + 1,), P(X >= k | n, rate) for k = 0 to n, every sum of positive terms."""
    chances = np.ones(1)
    for _ in range(last):
        chances = _one_more(chances, rate)
        yield np.cumsum(chances[::-1])[::-1]


def _one_more(chances: Vector, rate: float) -> Vector:
    after = np.zeros(chances.size + 1)
    after[:-1] = chances * (1 - rate)
    after[1:] += chances * rate
    return after


def _limits(tails: Sequence[Vector], alpha: float) -> tuple[int | None, ...]:
    limits = (int(np.count_nonzero(tail > alpha * (1 + SAME))) for tail in tails)
    return tuple(limit if limit < tail.size else None for limit, tail in zip(limits, tails, strict=True))


def _stops_at(limits: Sequence[int | None], rate: float) -> list[float]:
    """The chance of stopping at each n; `going` holds the chances of 0, 1, ... events in trials not stopped so far."""
    going = np.ones(1)
    found = []
    for limit in limits:
        going = _one_more(going, rate)
        last = going.size if limit is None else limit
        found.append(float(going[last:].sum()))
        going = going[:last]
    return found
