"""Amendments: versions beside each other, approval by site, data of before."""

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor
from equipoise.refusals import Refusal

STRICTER = ("rule: 18 <= entry.age <= 65", "rule: 18 <= entry.age <= 35")


def amend(kit, *changes, version="2.0"):
    return conduct.amend(kit.trial, kit.amended(*changes, version=version), **kit.entry(kit.MANAGER))


def approve(kit, version="2.0", site="01", by=None):
    conduct.approve_amendment(kit.trial, version, site, on=kit.today, **kit.entry(by or kit.MANAGER))


def test_a_site_works_under_the_newest_version_that_it_approved(kit):
    amend(kit, STRICTER)
    assert kit.trial.protocol.protocol.version == "2.0"
    approve(kit, site="02", by=kit.OTHER_DOCTOR)
    first, second = kit.declared(), kit.assessed(by=kit.OTHER_DOCTOR, site="02")
    with pytest.raises(conduct.NotEligible):
        conduct.declare_eligible(kit.trial, second, **kit.entry(kit.OTHER_DOCTOR))
    hashes = [event.protocol_hash for event in kit.events(Kind.PARTICIPANT_SCREENED)]
    versions = {row["hash"]: row["version"] for row in kit.rows("protocol_version")}
    assert [versions[hash_] for hash_ in hashes] == ["1.0", "2.0"]
    approve(kit)
    with pytest.raises(conduct.NotEligible) as refused:  # eligible under 1.0, asked again under 2.0
        conduct.randomise(kit.trial, first, **kit.entry())
    assert "AGE not met" in str(refused.value)


def test_old_data_are_checked_by_the_new_version_and_never_altered(kit):
    participant = kit.randomised(note="long note of twenty")
    before = kit.rows("value")
    found = amend(
        kit,
        STRICTER,
        ("max_length: 20", "max_length: 5"),
        ("soft: {min: 10, max: 1500}", "soft: {min: 150, max: 1500}"),
        ("{id: cd8, name: CD8, unit: /uL, range: {hard: {min: 0}}}", "{id: cd3, name: CD3, unit: /uL, required: true}"),
        ("formula: cd4 / cd8", "formula: cd4 / cd3"),
        ("cd4 > cd8", "cd4 > cd3"),
    )
    assert [str(check) for check in found] == [
        "01-001 m0 blood.cd4: is below 150 /uL (soft)",
        "01-001 m0 blood.cd3: is required (hard)",
        "01-001 m0 blood.cd8: is not asked by this version; what was answered is kept (soft)",
        "01-001 scr entry.note: has 19 characters (hard)",
        "01-001 AGE: AGE not met: Age 18 to 65 years (criterion)",
    ]
    (event,) = kit.events(Kind.PROTOCOL_AMENDED)
    assert [finding["item"] for finding in event.payload["findings"]] == [check.item for check in found]
    assert kit.rows("value") == before
    approve(kit)
    conduct.correct(kit.trial, participant, "m0", "blood", "cd4", 160, **kit.entry())
    stored = {row["item"]: row["value"] for row in kit.rows("value", participant=participant, visit="m0")}
    assert stored == {"cd4": "160", "cd8": "734", "drawn": "2018-02-01", "ratio": None}


def test_an_allocation_amended_before_the_first_participant_is_committed_to_anew(kit):
    amend(kit, ("block_size: 4", "block_size: 2"))
    old, new = kit.events(Kind.RANDOMISATION_COMMITTED)
    assert old.payload["commitment"] != new.payload["commitment"]
    assert new.payload["parameters"] == {"block_sizes": [2]}
    participant = kit.declared()
    with pytest.raises(Refusal) as refused:
        conduct.randomise(kit.trial, participant, **kit.entry())
    assert str(refused.value) == (
        "protocol = 1.0: allocates otherwise than the newest version; "
        "record the site's approval of the newest version first"
    )
    approve(kit)
    assert conduct.randomise(kit.trial, participant, **kit.entry()).number == 1
    assert len(kit.events(Kind.RANDOMISATION_COMMITTED)) == 2


def test_an_amendment_that_keeps_the_allocation_keeps_its_commitment(kit):
    kit.randomised()
    amend(kit, STRICTER)
    approve(kit)
    assert len(kit.events(Kind.RANDOMISATION_COMMITTED)) == 1
    young = kit.randomised(age=30)
    assert [row["participant"] for row in kit.rows("allocation")] == ["01-001", young]


def test_a_new_site_starts_when_it_has_approved(kit):
    amend(
        kit,
        (
            '{id: "02", name: South, country: CN}',
            '{id: "02", name: South, country: CN}, {id: "03", name: East, country: CN}',
        ),
    )
    with pytest.raises(Refusal) as refused:
        kit.screened(by=Actor("e", "coordinator"), site="03")
    assert str(refused.value) == (
        "site = 03: has approved no version of the protocol; record the site's approval of the protocol first"
    )
    approve(kit, site="03")
    assert kit.screened(by=Actor("e", "coordinator"), site="03") == "03-001"


def test_a_version_that_a_site_lets_go_by(kit):
    amend(kit, version="2.0")
    amend(kit, version="3.0")
    approve(kit, "3.0")
    with pytest.raises(Refusal) as refused:
        approve(kit, "2.0")
    assert str(refused.value) == (
        "site = 01: version 2.0 or a newer one is in force there; nothing needs to be approved"
    )


def test_a_consent_version_that_is_no_longer_listed_must_be_signed_anew(kit):
    participant = kit.declared()
    amend(kit, ('  - {id: main, version: "1.0", date: 2018-01-01}\n', ""))
    approve(kit)
    kit.wait(20)
    with pytest.raises(Refusal) as refused:
        conduct.randomise(kit.trial, participant, **kit.entry())
    assert str(refused.value) == (
        "participant = 01-001: has not signed the consent in force: [main version 1.1]; "
        "obtain and record the consent first"
    )
    conduct.consent(kit.trial, participant, consent_id="main", version="1.1", signed_on=kit.today, **kit.entry())
    conduct.randomise(kit.trial, participant, **kit.entry())
    (row,) = kit.rows("participant")
    assert row["consented_on"] == "2018-02-01"  # the first signature
    assert conduct.snapshot(kit.trial).participants["consent_version"].tolist() == ["1.1"]
