"""Locking lists what is open; nothing is written in a locked trial; two persons open it."""

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor


@pytest.fixture
def worked(kit):
    """One randomised, one undecided, one screen failure and one who left, two months on."""
    kit.randomised()
    kit.consented()
    failed = kit.assessed(age=70)
    conduct.fail_screening(kit.trial, failed, **kit.entry())
    left = kit.randomised()
    conduct.withdraw(kit.trial, left, reason_code="LOST", on=kit.today, **kit.entry())
    kit.harmed("01-001")
    kit.wait(28)
    kit.record("01-001", "m1", "blood", {"drawn": kit.today, "cd4": 200, "cd8": 700})
    kit.wait(60)
    return kit


OPEN = [
    "01-001 m3: is neither recorded nor marked missed",
    "01-001 m1: form symptoms is not recorded",
    "01-001: adverse event 1 is NOT RECOVERED/NOT RESOLVED",
    "01-001: course C1 is neither given nor recorded as missed",
    "01-001: course C2 is neither given nor recorded as missed",
    "01-002: neither randomised nor a screen failure",
]


def test_what_is_open_by_a_day(worked):
    assert [str(item) for item in conduct.open_items(worked.trial, on=worked.today)] == OPEN
    before_month_3 = worked.today.replace(day=1)
    assert [str(item) for item in conduct.open_items(worked.trial, on=before_month_3)] == OPEN[1:]


def test_a_lock_with_work_left_needs_to_be_accepted_and_keeps_the_list(worked):
    with pytest.raises(conduct.StillOpen) as refused:
        conduct.lock(worked.trial, **worked.entry(worked.MANAGER))
    assert [str(item) for item in refused.value.open_items] == OPEN
    accepted = worked.entry(worked.MANAGER, "the sponsor ends the trial")
    left = conduct.lock(worked.trial, accept_open=True, **accepted)
    assert [str(item) for item in left] == OPEN
    (event,) = worked.events(Kind.TRIAL_LOCKED)
    assert event.payload["open"][5] == {
        "participant": "01-002",
        "visit": None,
        "what": "neither randomised nor a screen failure",
    }


def test_a_trial_without_open_work_locks_without_a_word(kit):
    participant = kit.assessed(age=70)
    conduct.fail_screening(kit.trial, participant, **kit.entry())
    assert conduct.lock(kit.trial, **kit.entry(kit.MANAGER)) == ()


def test_two_persons_open_a_locked_trial_and_work_goes_on(kit):
    participant = kit.assessed(age=70)
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    with pytest.raises(conduct.Locked):
        conduct.fail_screening(kit.trial, participant, **kit.entry())
    conduct.unlock(kit.trial, second=kit.DOCTOR, **kit.entry(kit.MANAGER))
    (event,) = kit.events(Kind.TRIAL_UNLOCKED)
    assert event.payload == {"second": {"id": "l.doctor", "role": "investigator"}}
    conduct.fail_screening(kit.trial, participant, **kit.entry())


def test_one_person_written_in_two_ways_does_not_open_a_locked_trial(kit):
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    with pytest.raises(conduct.NotPermitted) as refused:
        conduct.unlock(kit.trial, second=Actor("D.Manager", "data_manager"), **kit.entry(kit.MANAGER))
    assert str(refused.value) == "second = D.Manager: is the same person; ask another person to unlock it with you"
    assert kit.rows("trial")[0]["locked"]


def test_a_locked_trial_is_read_as_before(kit):
    kit.randomised()
    before = conduct.snapshot(kit.trial)
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    after = conduct.snapshot(kit.trial)
    assert after.values.equals(before.values)
    assert after.position == before.position + 1
