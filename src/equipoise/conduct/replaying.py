"""Draw every allocation again from the committed secret and compare it with the record."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.conduct.randomising import allocated_so_far, committed_secret
from equipoise.conduct.trials import Trial, trial_row
from equipoise.randomisation import Secret, replay


@dataclass(frozen=True, slots=True)
class Replayed:
    """Allocations drawn again.

    Args:
        number: how many the record holds.
        faults: each allocation that is not what the secret gives.
        revealed: whether the secret came from the ledger; otherwise from the trial's folder.
    """

    number: int
    faults: tuple[str, ...]
    revealed: bool


def replay_allocations(trial: Trial) -> Replayed | None:
    """Every allocation of the record against the secret that the trial committed to.

    Returns:
        None when the trial is not randomised here, or its secret is neither revealed nor in the trial's folder.

    Raises:
        NotAccepted: when the secret in the folder is not the one committed to.
    """
    with trial.ledger.reading() as reader:
        in_force = trial.newest(reader)
        revealed = trial_row(reader)["revealed"]
        if in_force.method is None or (revealed is None and not trial.secret_path.exists()):
            return None
        method = in_force.method
        secret = committed_secret(trial, reader, method) if revealed is None else Secret.from_revealed(str(revealed))
        allocations = allocated_so_far(reader)
        mismatches = replay(method, secret, in_force.protocol.protocol.id, allocations)
    return Replayed(len(allocations), tuple(f"allocation, {mismatch}" for mismatch in mismatches), revealed is not None)
