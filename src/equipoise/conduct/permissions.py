"""Who may do what: one table of roles and acts.

Clinical facts are written by those who see the participant. The administrator, the statistician and the monitor
cannot change what an investigator entered; nobody decides alone that a locked trial is opened. The pharmacist (or cell
laboratory) receives, issues and destroys product; whether a donor or a lot may be used is for the quality unit alone,
and never for an investigator.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotPermitted
from equipoise.ledger import Actor

INVESTIGATOR = "investigator"
COORDINATOR = "coordinator"
PHARMACIST = "pharmacist"
QUALITY = "quality"
MONITOR = "monitor"
STATISTICIAN = "statistician"
DATA_MANAGER = "data_manager"
ADMINISTRATOR = "administrator"

ROLES = (INVESTIGATOR, COORDINATOR, PHARMACIST, QUALITY, MONITOR, STATISTICIAN, DATA_MANAGER, ADMINISTRATOR)

_CLINIC = frozenset({INVESTIGATOR, COORDINATOR})
_OFFICE = frozenset({DATA_MANAGER, ADMINISTRATOR})
_LABORATORY = frozenset({PHARMACIST})
_QUALITY = frozenset({QUALITY})

PERMITTED: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.TRIAL_CREATED: _OFFICE,
        Kind.RANDOMISATION_COMMITTED: _OFFICE,
        Kind.PROTOCOL_AMENDED: _OFFICE,
        Kind.AMENDMENT_APPROVED: frozenset({INVESTIGATOR, DATA_MANAGER}),
        Kind.PARTICIPANT_SCREENED: _CLINIC,
        Kind.CONSENT_RECORDED: _CLINIC,
        Kind.FORM_RECORDED: _CLINIC,
        Kind.ITEM_CORRECTED: _CLINIC,
        Kind.ITEM_MISSING: _CLINIC,
        Kind.VISIT_MISSED: _CLINIC,
        Kind.VISIT_REDATED: _CLINIC,
        Kind.ELIGIBILITY_DECLARED: frozenset({INVESTIGATOR}),
        Kind.SCREENING_FAILED: _CLINIC,
        Kind.PARTICIPANT_RANDOMISED: _CLINIC,
        Kind.ADVERSE_EVENT_REPORTED: _CLINIC,
        Kind.ADVERSE_EVENT_FOLLOWED_UP: _CLINIC,
        Kind.ADVERSE_EVENT_CORRECTED: _CLINIC,
        Kind.ADVERSE_EVENT_CODED: _CLINIC | {DATA_MANAGER},  # a code says nothing that the verbatim text does not
        Kind.ADVERSE_EVENT_VOIDED: frozenset({INVESTIGATOR}),
        Kind.ADVERSE_EVENT_TOLD: _CLINIC | {DATA_MANAGER},
        Kind.STOPPING_DECIDED: frozenset({DATA_MANAGER}),
        Kind.DEVIATION_REPORTED: frozenset({INVESTIGATOR, COORDINATOR, PHARMACIST, QUALITY, MONITOR, DATA_MANAGER}),
        Kind.PARTICIPANT_WITHDRAWN: _CLINIC,
        Kind.DONOR_REGISTERED: _LABORATORY | {COORDINATOR},
        Kind.DONOR_TESTED: _LABORATORY | _QUALITY | {COORDINATOR},
        Kind.DONOR_JUDGED: _QUALITY,
        Kind.DONOR_TYPED: _LABORATORY | {COORDINATOR},
        Kind.PARTICIPANT_TYPED: _CLINIC,
        Kind.DONOR_MATCHED: _LABORATORY | {INVESTIGATOR},
        Kind.LOT_RECEIVED: _LABORATORY,
        Kind.LOT_RESULT_RECORDED: _LABORATORY | _QUALITY,
        Kind.LOT_RELEASED: _QUALITY,
        Kind.LOT_REJECTED: _QUALITY,
        Kind.LOT_RECALLED: _QUALITY,
        Kind.BAG_ISSUED: _LABORATORY,
        Kind.BAG_HANDED_OVER: _LABORATORY | _CLINIC,
        Kind.EXCURSION_ACCEPTED: _QUALITY,
        Kind.BAG_RETURNED: _LABORATORY | _CLINIC,
        Kind.BAG_DESTROYED: _LABORATORY,
        Kind.INFUSION_STARTED: _CLINIC,
        Kind.INFUSION_REFUSED: frozenset(ROLES),  # an attempt is recorded, whoever made it
        Kind.INFUSION_FINISHED: _CLINIC,
        Kind.INFUSION_VITAL_SIGNS: _CLINIC,
        Kind.INFUSION_VITAL_SIGNS_CORRECTED: _CLINIC,
        Kind.COURSE_MISSED: _CLINIC,
        Kind.MISSED_COURSE_TAKEN_BACK: _CLINIC,
        Kind.TRIAL_LOCKED: frozenset({DATA_MANAGER}),
        Kind.TRIAL_UNLOCKED: frozenset({DATA_MANAGER, INVESTIGATOR, STATISTICIAN}),
        Kind.RANDOMISATION_REVEALED: frozenset({DATA_MANAGER, STATISTICIAN}),
    }
)
"""The roles that may do each act; an act that is not here may be done by nobody."""


ACTOR_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
"""How a person who acts is called: letters that look alike in two scripts would let one person pass for two."""


def check_actor(person: Actor) -> None:
    """Let a person act whose id nobody can mistake for another's.

    Raises:
        NotPermitted: naming the first character that does not belong in one.
    """
    if ACTOR_ID.fullmatch(person.id) is None:
        strange = next((sign for sign in person.id if ACTOR_ID.fullmatch(f"a{sign}") is None), None)
        named = "" if strange is None else f", it holds {unicodedata.name(strange, f'U+{ord(strange):04X}')}"
        remedy = "use a sign-in name of up to 64 letters a to z, digits and . _ @ + -, such as l.doctor"
        raise NotPermitted("actor.id", person.id, f"is no sign-in name{named}", remedy)


def check_permitted(kind: Kind, by: Actor) -> None:
    """Let the act pass when the person is who they seem and their role may do it.

    Raises:
        NotPermitted: naming id, or role and act.
    """
    check_actor(by)
    if by.role not in ROLES:
        raise NotPermitted("role", by.role, "is not a role", f"use one of {', '.join(ROLES)}")
    permitted = PERMITTED[kind]
    if by.role not in permitted:
        who = " or ".join(role for role in ROLES if role in permitted)
        raise NotPermitted("role", by.role, f"may not record '{kind}'", f"ask the {who}")
