"""Allocations drawn again from the committed secret: as recorded, altered, revealed, or with no secret at hand."""

import json
import sqlite3
from pathlib import Path

import pytest

from equipoise import conduct
from equipoise.conduct import Replayed, Trial, open_trial, replay_allocations
from equipoise.design import rehearse
from equipoise.refusals import Refusal

EXAMPLE = (Path(__file__).parents[3] / "examples" / "nk-hiv" / "protocol.yaml").read_bytes()


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    rehearse(folder, EXAMPLE, seed=3).close()
    return folder


def copy_of(folder: Path, target: Path, *names: str) -> Path:
    target.mkdir()
    for name in names:
        (target / name).write_bytes((folder / name).read_bytes())
        (target / name).chmod(0o600)
    return target


def test_revealed_allocations_are_as_recorded(rehearsed: Path):
    with open_trial(rehearsed).ledger as ledger:
        assert replay_allocations(Trial(rehearsed, ledger)) == Replayed(20, (), revealed=True)


def test_a_revealed_trial_needs_no_secret_in_its_folder(rehearsed: Path, tmp_path: Path):
    folder = copy_of(rehearsed, tmp_path / "copy", "trial.db")
    trial = open_trial(folder)
    assert replay_allocations(trial) == Replayed(20, (), revealed=True)
    trial.close()


def test_an_altered_arm_is_named(rehearsed: Path, tmp_path: Path):
    folder = copy_of(rehearsed, tmp_path / "altered", "trial.db")
    with sqlite3.connect(folder / "trial.db") as database:
        arm = database.execute("SELECT arm FROM read_allocation WHERE number = 4").fetchone()[0]
        other = {"NKART": "ART", "ART": "NKART"}[arm]
        database.execute("UPDATE read_allocation SET arm = ? WHERE number = 4", (other,))
    database.close()
    trial = open_trial(folder)
    replayed = replay_allocations(trial)
    trial.close()
    assert replayed is not None
    assert len(replayed.faults) == 1
    assert replayed.faults[0].startswith("allocation, number 4: ")


def unrevealed(folder: Path) -> Trial:
    """A new trial in which nobody is randomised yet."""
    from datetime import UTC, datetime

    from equipoise.ledger import Actor
    from equipoise.randomisation import Secret

    return conduct.create(
        folder,
        EXAMPLE,
        secret=Secret.generate(lambda size: bytes(range(size))),
        by=Actor("dm-01", "data_manager"),
        reason="Trial approved",
        at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    )


def test_before_the_reveal_the_folders_secret_is_used_and_must_be_the_one_committed_to(tmp_path: Path):
    trial = unrevealed(tmp_path)
    assert replay_allocations(trial) == Replayed(0, (), revealed=False)
    trial.secret_path.write_text("ab" * 32 + "\n")
    with pytest.raises(Refusal) as refused:
        replay_allocations(trial)
    assert str(refused.value) == (
        "secret: is not the one that the trial committed to; restore the trial's own secret.key from its safe copy"
    )
    trial.secret_path.unlink()
    assert replay_allocations(trial) is None
    trial.close()


def test_what_is_drawn_again_is_what_the_standalone_verifier_reads(rehearsed: Path):
    trial = open_trial(rehearsed)
    document = conduct.allocations_file(trial)
    replayed = replay_allocations(trial)
    trial.close()
    assert replayed is not None
    assert len(json.loads(json.dumps(document))["allocations"]) == replayed.number
