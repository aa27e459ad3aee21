"""Conduct the trial: read the ledger, ask the rules, append.

One function an act, one kind of event an act, one permission an act. Each act says who (`by`), why (`reason`) and when
(`at`); it reads only the tables folded from the ledger, is refused whole or recorded whole, and keeps what was before.
Terms: *act* (something a person does in the trial), *in force* (the protocol version that a site has approved).
"""

from equipoise.capture import Finding, Missing
from equipoise.conduct.eligibility import Verdict
from equipoise.conduct.kinds import Kind
from equipoise.conduct.permissions import PERMITTED, ROLES
from equipoise.conduct.randomising import Allocation, randomise
from equipoise.conduct.recording import miss_visit, record
from equipoise.conduct.refusing import (
    FormRefused,
    Locked,
    NotAccepted,
    NotEligible,
    NotFound,
    NotPermitted,
    OutOfOrder,
    StillOpen,
)
from equipoise.conduct.screening import consent, declare_eligible, fail_screening, screen
from equipoise.conduct.snapshots import Snapshot, snapshot
from equipoise.conduct.tables import PROJECTION
from equipoise.conduct.trials import Trial, create, open_trial

__all__ = [
    "PERMITTED",
    "PROJECTION",
    "ROLES",
    "Allocation",
    "Finding",
    "FormRefused",
    "Kind",
    "Locked",
    "Missing",
    "NotAccepted",
    "NotEligible",
    "NotFound",
    "NotPermitted",
    "OutOfOrder",
    "Snapshot",
    "StillOpen",
    "Trial",
    "Verdict",
    "consent",
    "create",
    "declare_eligible",
    "fail_screening",
    "miss_visit",
    "open_trial",
    "randomise",
    "record",
    "screen",
    "snapshot",
]
