"""Conduct the trial: read the ledger, ask the rules, append.

One function an act, one kind of event an act, one permission an act. Each act says who (`by`), why (`reason`) and when
(`at`); it reads only the tables folded from the ledger, is refused whole or recorded whole, and keeps what was before.
Terms: *act* (something a person does in the trial), *in force* (the protocol version that a site has approved).
"""

from equipoise.capture import Finding, Missing
from equipoise.conduct.amending import ReCheck, amend, approve_amendment
from equipoise.conduct.coding import EventCode, code_adverse_event, coding_dictionary, event_codes
from equipoise.conduct.correcting import correct, correct_visit_date, mark_missing
from equipoise.conduct.donating import judge_donor, record_donor_tests, register_donor
from equipoise.conduct.eligibility import Verdict
from equipoise.conduct.finishing import finish_infusion
from equipoise.conduct.handling import accept_excursion, destroy_bag, hand_over_bag, issue_bag, return_bag
from equipoise.conduct.harm import follow_up_adverse_event, report_adverse_event
from equipoise.conduct.harm_correcting import correct_adverse_event, void_adverse_event
from equipoise.conduct.infusing import start_infusion
from equipoise.conduct.kinds import Kind
from equipoise.conduct.leaving import deviation, withdraw
from equipoise.conduct.locking import OpenItem, allocations_file, lock, open_items, reveal, unlock
from equipoise.conduct.matching import match_donor
from equipoise.conduct.missed_courses import miss_course, take_back_missed_course
from equipoise.conduct.permissions import PERMITTED, ROLES
from equipoise.conduct.product_frames import treated
from equipoise.conduct.product_left import lot_balances
from equipoise.conduct.randomising import Allocation, randomise
from equipoise.conduct.recorded_weight import last_weight
from equipoise.conduct.recording import miss_visit, record
from equipoise.conduct.refusing import (
    Against,
    FormRefused,
    InfusionRefused,
    Locked,
    NotAccepted,
    NotEligible,
    NotFound,
    NotPermitted,
    OutOfOrder,
    StillOpen,
)
from equipoise.conduct.releasing import recall_lot, receive_lot, record_lot_result, reject_lot, release_lot
from equipoise.conduct.replaying import Replayed, replay_allocations
from equipoise.conduct.screening import consent, declare_eligible, fail_screening, screen
from equipoise.conduct.serving import PossibleDonor, Unserved, possible_donors, unserved
from equipoise.conduct.snapshots import Snapshot, snapshot
from equipoise.conduct.stopping_watch import decide_stopping
from equipoise.conduct.tables import PROJECTION
from equipoise.conduct.telling import report_to
from equipoise.conduct.tissue_typing import type_donor, type_participant
from equipoise.conduct.tracing import trace_donor, trace_participant
from equipoise.conduct.trials import Trial, create, open_ledger, open_trial
from equipoise.conduct.watching import correct_infusion_vital_signs, record_infusion_vital_signs

__all__ = [
    "PERMITTED",
    "PROJECTION",
    "ROLES",
    "Against",
    "Allocation",
    "EventCode",
    "Finding",
    "FormRefused",
    "InfusionRefused",
    "Kind",
    "Locked",
    "Missing",
    "NotAccepted",
    "NotEligible",
    "NotFound",
    "NotPermitted",
    "OpenItem",
    "OutOfOrder",
    "PossibleDonor",
    "ReCheck",
    "Replayed",
    "Snapshot",
    "StillOpen",
    "Trial",
    "Unserved",
    "Verdict",
    "accept_excursion",
    "allocations_file",
    "amend",
    "approve_amendment",
    "code_adverse_event",
    "coding_dictionary",
    "consent",
    "correct",
    "correct_adverse_event",
    "correct_infusion_vital_signs",
    "correct_visit_date",
    "create",
    "decide_stopping",
    "declare_eligible",
    "destroy_bag",
    "deviation",
    "event_codes",
    "fail_screening",
    "finish_infusion",
    "follow_up_adverse_event",
    "hand_over_bag",
    "issue_bag",
    "judge_donor",
    "last_weight",
    "lock",
    "lot_balances",
    "mark_missing",
    "match_donor",
    "miss_course",
    "miss_visit",
    "open_items",
    "open_ledger",
    "open_trial",
    "possible_donors",
    "randomise",
    "recall_lot",
    "receive_lot",
    "record",
    "record_donor_tests",
    "record_infusion_vital_signs",
    "record_lot_result",
    "register_donor",
    "reject_lot",
    "release_lot",
    "replay_allocations",
    "report_adverse_event",
    "report_to",
    "return_bag",
    "reveal",
    "screen",
    "snapshot",
    "start_infusion",
    "take_back_missed_course",
    "trace_donor",
    "trace_participant",
    "treated",
    "type_donor",
    "type_participant",
    "unlock",
    "unserved",
    "void_adverse_event",
    "withdraw",
]
