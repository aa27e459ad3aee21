"""The kinds of event that the acts append: one act, one kind. What each holds is in docs/reference/events.md."""

from enum import StrEnum


class Kind(StrEnum):
    """What happened; the value stands in the ledger for ever."""

    TRIAL_CREATED = "trial created"
    RANDOMISATION_COMMITTED = "randomisation committed"
    PROTOCOL_AMENDED = "protocol amended"
    AMENDMENT_APPROVED = "amendment approved"
    PARTICIPANT_SCREENED = "participant screened"
    CONSENT_RECORDED = "consent recorded"
    FORM_RECORDED = "form recorded"
    ITEM_CORRECTED = "item corrected"
    ITEM_MISSING = "item marked missing"
    VISIT_MISSED = "visit missed"
    VISIT_REDATED = "visit date corrected"
    ELIGIBILITY_DECLARED = "eligibility declared"
    SCREENING_FAILED = "screening failed"
    PARTICIPANT_RANDOMISED = "participant randomised"
    ADVERSE_EVENT_REPORTED = "adverse event reported"
    ADVERSE_EVENT_FOLLOWED_UP = "adverse event followed up"
    ADVERSE_EVENT_TOLD = "adverse event told"
    STOPPING_DECIDED = "stopping decided"
    DEVIATION_REPORTED = "deviation reported"
    PARTICIPANT_WITHDRAWN = "participant withdrawn"
    DONOR_REGISTERED = "donor registered"
    DONOR_TESTED = "donor tests recorded"
    DONOR_JUDGED = "donor judged"
    DONOR_TYPED = "donor typed"
    PARTICIPANT_TYPED = "participant typed"
    DONOR_MATCHED = "donor matched"
    TRIAL_LOCKED = "trial locked"
    TRIAL_UNLOCKED = "trial unlocked"
    RANDOMISATION_REVEALED = "randomisation revealed"


KINDS_WHEN_LOCKED = frozenset({Kind.TRIAL_UNLOCKED, Kind.RANDOMISATION_REVEALED})
"""What may still be done while the trial is locked."""
