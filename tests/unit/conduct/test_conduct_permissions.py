"""One table of roles and acts."""

import pytest

from equipoise.conduct.kinds import KINDS_WHEN_LOCKED, Kind
from equipoise.conduct.permissions import PERMITTED, ROLES, check_actor, check_permitted
from equipoise.conduct.refusing import NotPermitted
from equipoise.conduct.tables import _FOLDS
from equipoise.ledger import Actor

CLINICAL = {
    Kind.PARTICIPANT_SCREENED, Kind.CONSENT_RECORDED, Kind.FORM_RECORDED, Kind.ITEM_CORRECTED, Kind.ITEM_MISSING,
    Kind.VISIT_MISSED, Kind.VISIT_REDATED, Kind.ELIGIBILITY_DECLARED, Kind.SCREENING_FAILED,
    Kind.PARTICIPANT_RANDOMISED, Kind.ADVERSE_EVENT_REPORTED, Kind.ADVERSE_EVENT_FOLLOWED_UP,
    Kind.PARTICIPANT_WITHDRAWN, Kind.PARTICIPANT_TYPED, Kind.INFUSION_STARTED, Kind.INFUSION_FINISHED,
    Kind.INFUSION_VITAL_SIGNS, Kind.INFUSION_VITAL_SIGNS_CORRECTED, Kind.COURSE_MISSED, Kind.MISSED_COURSE_TAKEN_BACK,
}  # fmt: skip


def test_every_kind_has_its_roles_and_its_fold():
    assert set(PERMITTED) == set(_FOLDS) == set(Kind)
    assert all(roles and roles <= set(ROLES) for roles in PERMITTED.values())


@pytest.mark.parametrize("role", ["administrator", "statistician", "monitor", "data_manager", "pharmacist", "quality"])
def test_only_those_who_see_participants_write_clinical_facts(role):
    assert {kind for kind in CLINICAL if role in PERMITTED[kind]} == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", Kind)
def test_a_role_passes_or_is_refused_by_name(role, kind):
    if role in PERMITTED[kind]:
        check_permitted(kind, Actor("x", role))
        return
    with pytest.raises(NotPermitted) as refused:
        check_permitted(kind, Actor("x", role))
    assert str(refused.value).startswith(f"role = {role}: may not record '{kind}'; ask the ")


@pytest.mark.parametrize("name", ["l.doctor", "dm-01", "7", "li.wei@ward-3", "A_b+c", "x" * 64])
def test_a_sign_in_name_passes(name):
    check_actor(Actor(name, "investigator"))


NO_NAME = "use a sign-in name of up to 64 letters a to z, digits and . _ @ + -, such as l.doctor"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.nurs\u0435", f"actor.id = n.nurs\u0435: is no sign-in name, it holds CYRILLIC SMALL LETTER IE; {NO_NAME}"),
        ("n.nurse\u200b", f"actor.id = n.nurse\\u200b: is no sign-in name, it holds ZERO WIDTH SPACE; {NO_NAME}"),
        ("n.\u00adnurse", f"actor.id = n.\\xadnurse: is no sign-in name, it holds SOFT HYPHEN; {NO_NAME}"),
        ("n nurse", f"actor.id = n nurse: is no sign-in name, it holds SPACE; {NO_NAME}"),
        ("n.nurse\0", f"actor.id = n.nurse\\x00: is no sign-in name, it holds U+0000; {NO_NAME}"),
        (".nurse", f"actor.id = .nurse: is no sign-in name; {NO_NAME}"),
        ("x" * 65, f"actor.id = {'x' * 65}: is no sign-in name; {NO_NAME}"),
    ],
)
def test_a_name_that_might_be_anothers_does_nothing(name, text):
    for check in (check_actor, lambda person: check_permitted(Kind.PARTICIPANT_SCREENED, person)):
        with pytest.raises(NotPermitted) as refused:
            check(Actor(name, "investigator"))
        assert str(refused.value) == text


@pytest.mark.parametrize("role", [role for role in ROLES if role != "quality"])
def test_only_the_quality_unit_judges_a_donor_and_releases(role):
    for kind in (Kind.DONOR_JUDGED, Kind.LOT_RELEASED, Kind.LOT_REJECTED, Kind.LOT_RECALLED, Kind.EXCURSION_ACCEPTED):
        assert role not in PERMITTED[kind]


def test_those_whom_a_pause_holds_back_cannot_lift_it():
    held_back = PERMITTED[Kind.PARTICIPANT_RANDOMISED] | PERMITTED[Kind.INFUSION_STARTED]
    assert PERMITTED[Kind.STOPPING_DECIDED] == {"data_manager"}
    assert not PERMITTED[Kind.STOPPING_DECIDED] & held_back


def test_a_locked_trial_can_only_be_opened_or_revealed():
    assert {Kind.TRIAL_UNLOCKED, Kind.RANDOMISATION_REVEALED} == KINDS_WHEN_LOCKED


def test_the_reference_lists_every_kind(checkout):
    page = (checkout / "docs" / "reference" / "events.md").read_text()
    assert [kind for kind in Kind if f"| `{kind}` |" not in page] == []
