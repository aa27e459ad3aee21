"""Deadlines: which clock an event starts, from when, by when it is due, and whether it was met."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from equipoise.protocol import faults_in, parse
from equipoise.safety.clocks import Deadline, Judgement, Telling, deadlines

AWARE = datetime(2018, 3, 5, 6, 30, tzinfo=UTC)
EXAMPLE = (Path(__file__).parents[3] / "examples" / "nk-hiv" / "protocol.yaml").read_text(encoding="utf-8")
EXAMPLE = re.sub(r"      - \{for: (suspected|fatal).*\n", "", EXAMPLE)  # with the one clock that the tests replace
WRITTEN = "- {for: serious, hours: 24}"
CLOCKS = """- {for: serious, hours: 24}
      - {for: suspected unexpected, days: 15}
      - {for: fatal or life-threatening, days: 7}
      - {for: serious, days: 3, to: committee}
"""


def clocks():
    assert EXAMPLE.count(WRITTEN) == 1
    protocol = parse(EXAMPLE.replace(WRITTEN, CLOCKS).encode())
    return protocol.safety.adverse_events.report_within


def judged(*criteria: str, suspected: bool = False, expected: bool = False, hours: int = 0) -> Judgement:
    return Judgement(AWARE + timedelta(hours=hours), frozenset(criteria), suspected, expected)


def due(judgements, tellings=()) -> list[tuple[str, str, timedelta]]:
    return [(each.clock, each.to, each.due_at - AWARE) for each in deadlines(judgements, clocks(), tellings)]


DAY = timedelta(days=1)
SERIOUS = [("serious", "sponsor", DAY), ("serious", "committee", 3 * DAY)]
UNEXPECTED = [SERIOUS[0], ("suspected unexpected", "authority", 15 * DAY), SERIOUS[1]]
LETHAL = [*UNEXPECTED[:2], ("fatal or life-threatening", "authority", 7 * DAY), SERIOUS[1]]


@pytest.mark.parametrize(
    ("judgement", "expected"),
    [
        (judged(), []),
        (judged(suspected=True), []),
        (judged("AESHOSP"), SERIOUS),
        (judged("AESHOSP", suspected=True, expected=True), SERIOUS),
        (judged("AESHOSP", suspected=True), UNEXPECTED),
        (judged("AESLIFE", suspected=True), LETHAL),
        (judged("AESDTH", "AESHOSP", suspected=True), LETHAL),
        (judged("AESDTH"), SERIOUS),
        (judged("AESDTH", suspected=True, expected=True), SERIOUS),
    ],
)
def test_which_clocks_an_event_starts_and_by_when_it_is_due(judgement, expected):
    assert due([judgement]) == expected


def test_a_clock_starts_when_follow_up_makes_the_event_what_it_is_for():
    history = [judged("AESHOSP"), judged("AESHOSP", suspected=True, hours=48), judged(hours=72)]
    assert due(history) == [SERIOUS[0], ("suspected unexpected", "authority", 17 * DAY), SERIOUS[1]]


def test_a_deadline_is_met_by_the_first_telling_of_its_receiver_since_it_started():
    history = [judged(), judged("AESHOSP", hours=10)]
    tellings = [Telling("sponsor", AWARE + timedelta(hours=each)) for each in (2, 20, 30)]
    sponsor, committee = deadlines(history, clocks(), tellings)
    assert sponsor == Deadline(
        "serious", "sponsor", AWARE + timedelta(hours=10), AWARE + timedelta(hours=34), AWARE + timedelta(hours=20)
    )
    assert committee.met_at is None


@pytest.mark.parametrize(
    ("met_after", "now_after", "overdue"),
    [(None, 24, False), (None, 25, True), (24, 99, False), (25, 25, True)],
)
def test_overdue_is_past_due_without_telling_or_told_late(met_after, now_after, overdue):
    tellings = [] if met_after is None else [Telling("sponsor", AWARE + timedelta(hours=met_after))]
    deadline = deadlines([judged("AESMIE")], clocks(), tellings)[0]
    assert deadline.is_overdue(AWARE + timedelta(hours=now_after)) is overdue


@pytest.mark.parametrize("keys", ["for: serious", "for: serious, hours: 24, days: 1"])
def test_a_clock_has_exactly_one_unit(keys):
    line = EXAMPLE[: EXAMPLE.index(WRITTEN)].count("\n") + 1
    faults = faults_in(EXAMPLE.replace(WRITTEN, f"- {{{keys}}}").encode())
    assert [str(fault) for fault in faults] == [
        f"protocol.yaml:{line}: safety.adverse_events.report_within[0]: must have exactly one of hours, days; "
        "keep one of them"
    ]
