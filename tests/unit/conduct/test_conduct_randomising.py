"""Randomisation: strata, the order of places, the secret, and what nobody may learn."""

import json
import subprocess
import sys

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import ClockSetBack
from equipoise.randomisation import Secret, verifier_source
from equipoise.refusals import Refusal

SIMPLE = (
    "{method: permuted_blocks, ratio: {NEW: 1, OLD: 1}, block_size: 4, strata: [entry.sex]}",
    "{method: simple, ratio: {NEW: 1, OLD: 1}}",
)
BY_FACTORS = (
    SIMPLE[0],
    '{method: minimisation, ratio: {NEW: 1, OLD: 1}, factors: [entry.sex, site], p: "0.85"}',
)
BY_RULE = (SIMPLE[0], "{method: random_allocation_rule, ratio: {NEW: 1, OLD: 1}}")


def randomise(kit, participant, by=None):
    return conduct.randomise(kit.trial, participant, **kit.entry(by or kit.DOCTOR))


def revealed(kit, tmp_path):
    """Lock, reveal, and let the standalone verifier read the allocations file; what it printed."""
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    conduct.reveal(kit.trial, **kit.entry(kit.MANAGER))
    (tmp_path / "verifier.py").write_text(verifier_source())
    (tmp_path / "allocations.json").write_text(json.dumps(conduct.allocations_file(kit.trial)))
    command = [sys.executable, "-I", tmp_path / "verifier.py", tmp_path / "allocations.json"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_stratum_has_its_own_sequence(kit):
    women = [kit.declared(sex="F", pregnant="no") for _ in range(3)]
    men = [kit.declared() for _ in range(3)]
    found = [randomise(kit, participant) for pair in zip(women, men, strict=True) for participant in pair]
    assert [(allocation.stratum, allocation.number) for allocation in found] == [
        ("entry.sex=F", 1), ("entry.sex=M", 1), ("entry.sex=F", 2), ("entry.sex=M", 2), ("entry.sex=F", 3),
        ("entry.sex=M", 3),
    ]  # fmt: skip


@pytest.mark.parametrize("allocation", [SIMPLE, BY_FACTORS, BY_RULE, (SIMPLE[0], SIMPLE[0])])
def test_the_standalone_verifier_recomputes_every_allocation(trial_kit, tmp_path, allocation):
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL.replace(*allocation))
    for number in range(6):
        kit.randomised(**({} if number % 3 else {"sex": "F", "pregnant": "no"}))
        if number % 2:
            kit.randomised(by=kit.OTHER_DOCTOR, site="02")
    printed = revealed(kit, tmp_path)
    assert (printed.returncode, printed.stdout) == (
        0,
        "allocations read: 9; commitment and every allocation are right\n",
    )
    document = conduct.allocations_file(kit.trial)
    row = document["allocations"][4]
    row["arm"] = "NEW" if row["arm"] == "OLD" else "OLD"
    (tmp_path / "allocations.json").write_text(json.dumps(document))
    command = [sys.executable, "-I", tmp_path / "verifier.py", tmp_path / "allocations.json"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    kit.trial.close()


def test_a_crash_before_the_commit_draws_the_same_arm_again(kit, monkeypatch):
    participant = kit.declared()
    head = kit.head()
    seen = []

    def crash(act, payload, **_):
        seen.append(payload["arm"])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("equipoise.conduct.acting.Act.append", crash)
        with pytest.raises(KeyboardInterrupt):
            randomise(kit, participant)
    assert kit.head() == head
    assert randomise(kit, participant).arm == seen[0]


def test_another_secret_in_the_folder_draws_nothing(kit):
    participant = kit.declared()
    path = kit.trial.secret_path
    path.unlink()
    with pytest.raises(Refusal) as refused:
        randomise(kit, participant)
    assert str(refused.value).endswith("cannot be read (No such file or directory); give the secret's file")
    Secret(bytes(32)).write(path)
    with pytest.raises(Refusal) as refused:
        randomise(kit, participant)
    assert str(refused.value) == (
        "secret: is not the one that the trial committed to; restore the trial's own secret.key from its safe copy"
    )
    assert kit.events(Kind.PARTICIPANT_RANDOMISED) == []


def test_no_refusal_names_an_arm_or_tells_the_next_one(kit):
    """What is refused before a draw cannot depend on it: the texts are the same under every secret."""
    refused = []
    for prepare in (kit.screened, kit.consented, kit.assessed, kit.randomised):
        with pytest.raises(Refusal) as caught:
            randomise(kit, prepare())
        refused.append(str(caught.value))
    withdrawn = kit.declared()
    conduct.withdraw(kit.trial, withdrawn, reason_code="WISH", on=kit.today, **kit.entry())
    with pytest.raises(Refusal) as caught:
        randomise(kit, withdrawn)
    refused.append(str(caught.value))
    assert not [text for text in refused if "NEW" in text or "OLD" in text]


def test_an_unknown_stratum_is_refused(trial_kit, tmp_path):
    strata = trial_kit.PROTOCOL.replace("strata: [entry.sex]", "strata: [entry.pregnant]")
    kit = trial_kit.Kit(tmp_path / "trial", strata)
    participant = kit.declared()
    with pytest.raises(Refusal) as refused:
        randomise(kit, participant)
    assert str(refused.value) == (
        "allocation.strata = entry.pregnant: is not known for this participant; record it at screening or baseline"
    )
    kit.trial.close()


def test_the_event_keeps_every_verdict(kit):
    participant = kit.randomised()
    (declared,) = kit.events(Kind.ELIGIBILITY_DECLARED)
    (event,) = kit.events(Kind.PARTICIPANT_RANDOMISED)
    verdicts = [
        {"criterion": "AGE", "category": "INCLUSION", "value": True},
        {"criterion": "CD4", "category": "INCLUSION", "value": True},
        {"criterion": "SIGNED", "category": "INCLUSION", "value": True},
        {"criterion": "PREG", "category": "EXCLUSION", "value": False},
    ]
    assert event.payload["verdicts"] == declared.payload["verdicts"] == verdicts
    assert event.stream == participant


def test_a_screen_failure_names_the_criteria_that_fail(kit):
    participant = kit.assessed(age=70, sex="F", pregnant="yes")
    assert conduct.fail_screening(kit.trial, participant, **kit.entry()) == ("AGE", "PREG")
    (row,) = kit.rows("participant", participant=participant)
    assert (row["failed_criteria"], row["failure_reason"]) == ('["AGE", "PREG"]', None)
    declined = kit.screened()
    conduct.fail_screening(kit.trial, declined, reason_code="DECLINED", **kit.entry())
    (row,) = kit.rows("participant", participant=declined)
    assert (row["failed_criteria"], row["failure_reason"]) == ('["SIGNED"]', "DECLINED")


def test_the_clock_set_back_refuses_the_act(kit):
    participant = kit.declared()
    kit.now = kit.now.replace(hour=1)
    with pytest.raises(ClockSetBack):
        randomise(kit, participant)
    assert kit.events(Kind.PARTICIPANT_RANDOMISED) == []


def test_nobody_is_randomised_after_the_reveal(kit, tmp_path):
    late = kit.declared()
    kit.randomised()
    assert revealed(kit, tmp_path).returncode == 0
    with pytest.raises(Refusal) as refused:
        conduct.reveal(kit.trial, **kit.entry(kit.MANAGER))
    assert str(refused.value) == "randomisation: is revealed already; write the allocations file"
    conduct.unlock(kit.trial, second=kit.DOCTOR, **kit.entry(kit.MANAGER))
    with pytest.raises(Refusal) as refused:
        randomise(kit, late)
    assert str(refused.value) == (
        "allocation: the secret was revealed, so that arms can be known beforehand; "
        "no participant can be randomised any more"
    )


def test_a_used_up_sequence_is_refused(trial_kit, tmp_path):
    text = trial_kit.PROTOCOL.replace(*BY_RULE).replace("planned: 20", "planned: 2")
    kit = trial_kit.Kit(tmp_path / "trial", text)
    arms = {randomise(kit, kit.declared()).arm for _ in range(2)}
    assert arms == {"NEW", "OLD"}
    third = kit.declared()
    head = kit.head()
    with pytest.raises(Refusal, match="used"):
        randomise(kit, third)
    assert kit.head() == head
    kit.trial.close()
