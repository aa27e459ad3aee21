"""Donors registered, tested, judged, typed and matched: what each event keeps, and every refusal's whole text."""

# ruff: noqa: E501 (each text stands whole, on a line of its own)

import json
from datetime import datetime, timedelta

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor
from equipoise.refusals import Refusal


def register(kit, donor="D01", **given):
    facts = {"sex": "M", "birth_year": 1985} | kit.entry(kit.LABORATORY) | given
    return conduct.register_donor(kit.trial, donor, **facts)


def add_tests(kit, donor="D01", results=None, **given):
    results = {"HIV": "NEGATIVE"} if results is None else results
    facts = {"results": results, "sampled_on": kit.today} | kit.entry(kit.LABORATORY) | given
    return conduct.record_donor_tests(kit.trial, donor, **facts)


def judge(kit, donor="D01", eligible=True, **given):
    facts = {"statement": "all negative"} | kit.entry(kit.QUALITY) | given
    return conduct.judge_donor(kit.trial, donor, eligible=eligible, **facts)


def type_donor(kit, donor="D01", **given):
    facts = {"hla": {"C": ("C*07:01", "C*05:01")}, "method": "NGS", "laboratory": "Central", "reported_on": kit.today}
    return conduct.type_donor(kit.trial, donor, **(facts | kit.entry(kit.LABORATORY) | given))


def type_participant(kit, participant, **given):
    facts = {"hla": {"C": ("C*07:01", "C*07:02")}, "method": "NGS", "laboratory": "Central", "reported_on": kit.today}
    return conduct.type_participant(kit.trial, participant, **(facts | kit.entry() | given))


def match(kit, participant, donor="D01", **given):
    return conduct.match_donor(kit.trial, participant, donor, **(kit.entry(kit.LABORATORY) | given))


def nothing(kit):
    return None


def registered(kit):
    kit.registered()


def tested(kit):
    kit.tested()


def ready(kit):
    """A participant of the arm with cells, typed; the donor too."""
    kit.typed_donor()
    participant = kit.in_arm("NEW")
    kit.type_participant(participant)
    return participant


def ready_but(donor=("C*07:01", "C*05:01"), participant=("C*07:01", "C*07:02"), kir="2DL1 2DL3 3DL1 2DS4"):
    def act(kit):
        kit.typed_donor(c=donor, kir=kir)
        code = kit.in_arm("NEW")
        kit.type_participant(code, c=participant)
        return code

    return act


def matched(kit):
    kit.typed_donor()
    return kit.matched()


def not_judged(kit):
    kit.tested()
    participant = kit.in_arm("NEW")
    kit.type_participant(participant)
    return participant


def judged_against(kit):
    participant = ready(kit)
    judge(kit, eligible=False, statement="CMV IgM found")
    return participant


def other_arm(kit):
    kit.typed_donor()
    participant = kit.in_arm("OLD")
    kit.type_participant(participant)
    return participant


def stopped(kit):
    participant = ready(kit)
    conduct.withdraw(kit.trial, participant, scope="intervention", reason_code="WISH", on=kit.today, **kit.entry())
    return participant


def gone(kit):
    participant = ready(kit)
    conduct.withdraw(kit.trial, participant, reason_code="WISH", on=kit.today, **kit.entry())
    return participant


def declared(kit):
    kit.typed_donor()
    participant = kit.declared()
    kit.type_participant(participant)
    return participant


CASES = {
    "doctor may not register": (
        nothing,
        lambda kit, _: register(kit, by=kit.DOCTOR),
        "role = investigator: may not record 'donor registered'; ask the coordinator or pharmacist",
    ),
    "a name is no code": (
        nothing,
        lambda kit, _: register(kit, "LI MING"),
        "donor = LI MING: is not a code; use up to 32 capitals, digits, dots and hyphens with at least one digit, such as D01; never a name",
    ),
    "initials are no code": (
        nothing,
        lambda kit, _: register(kit, "LM"),
        "donor = LM: is not a code; use up to 32 capitals, digits, dots and hyphens with at least one digit, such as D01; never a name",
    ),
    "a hostile code": (
        nothing,
        lambda kit, _: register(kit, "D1'; DROP TABLE read_donor;--"),
        "donor = D1'; DROP TABLE read_donor;--: is not a code; use up to 32 capitals, digits, dots and hyphens with at least one digit, such as D01; never a name",
    ),
    "code of a participant": (
        nothing,
        lambda kit, _: register(kit, "01-001"),
        "donor = 01-001: reads as the code of a participant; use another, such as D01",
    ),
    "registered twice": (
        registered,
        lambda kit, _: register(kit),
        "donor = D01: is registered already; use the donor that is there, or another code",
    ),
    "unknown sex": (
        nothing,
        lambda kit, _: register(kit, sex="X"),
        "sex = X: is not a code for this; use one of F, M, U",
    ),
    "a child gives nothing": (
        nothing,
        lambda kit, _: register(kit, birth_year=2010),
        "birth_year = 2010: is not the year of birth of a donor of 16 to 100 years; give the year alone, such as 1990",
    ),
    "tests of a donor who is not there": (
        nothing,
        lambda kit, _: add_tests(kit, "D09"),
        "donor = D09: is not a donor of this trial; check the code, or register the donor",
    ),
    "no test": (
        registered,
        lambda kit, _: add_tests(kit, results={}),
        "results: are none; give at least one, such as HIV: NEGATIVE",
    ),
    "a test that is no code": (
        registered,
        lambda kit, _: add_tests(kit, results={"<b>": "NEGATIVE"}),
        "test = <b>: is not a code; use capitals and digits, such as HIV or HBV",
    ),
    "a result that is none": (
        registered,
        lambda kit, _: add_tests(kit, results={"HIV": "fine"}),
        "results.HIV = fine: is not a result; use one of NEGATIVE, POSITIVE, INDETERMINATE",
    ),
    "tests of the future": (
        registered,
        lambda kit, _: add_tests(kit, sampled_on=kit.today + timedelta(1)),
        "sampled_on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "a test recorded twice": (
        tested,
        lambda kit, _: add_tests(kit),
        "test = HIV: of donor D01 is recorded of the sample of 2018-02-01; leave it, or give the day of another sample",
    ),
    "doctor may not judge": (
        tested,
        lambda kit, _: judge(kit, by=kit.DOCTOR),
        "role = investigator: may not record 'donor judged'; ask the quality",
    ),
    "judged without a word": (
        tested,
        lambda kit, _: judge(kit, statement="\u200b"),
        "statement: is blank; say what was looked at and what follows",
    ),
    "judged who is not there": (
        nothing,
        lambda kit, _: judge(kit, "D09"),
        "donor = D09: is not a donor of this trial; check the code, or register the donor",
    ),
    "typed who is not there": (
        nothing,
        lambda kit, _: type_donor(kit, "D09"),
        "donor = D09: is not a donor of this trial; check the code, or register the donor",
    ),
    "a locus without ligands": (
        registered,
        lambda kit, _: type_donor(kit, hla={"DRB1": ("01:01", "03:01")}),
        "hla = DRB1: is not a locus that shows a ligand; use some of A, B, C",
    ),
    "one cell": (
        registered,
        lambda kit, _: type_donor(kit, hla={"C": ("C*07:01",)}),
        "hla.C = 1: is not the number of cells of a locus; give two",
    ),
    "nothing typed": (
        registered,
        lambda kit, _: type_donor(kit, hla={"C": (" ", "")}),
        "donor = D01: has nothing typed in this report; give the cells of the report",
    ),
    "typed by nobody": (
        registered,
        lambda kit, _: type_donor(kit, laboratory=" "),
        "laboratory: is blank; write what the report says",
    ),
    "reported tomorrow": (
        registered,
        lambda kit, _: type_donor(kit, reported_on=kit.today + timedelta(1)),
        "reported_on = 2018-02-02: is after today, 2018-02-01; correct the date, or wait until it is so",
    ),
    "a gene that is none": (
        registered,
        lambda kit, _: type_donor(kit, kir="2DL1 2DS9"),
        "KIR = 2DS9: is not a KIR gene; did you mean 2DS5?",
    ),
    "a participant typed before consent": (
        lambda kit: kit.screened(),
        lambda kit, p: type_participant(kit, p),
        "participant = 01-001: has signed no consent; record the consent first",
    ),
    "another site's participant typed": (
        lambda kit: kit.consented(),
        lambda kit, p: type_participant(kit, p, by=kit.OTHER_DOCTOR),
        "participant = 01-001: is not in this trial; check the code",
    ),
    "pharmacist types no participant": (
        lambda kit: kit.consented(),
        lambda kit, p: type_participant(kit, p, by=kit.LABORATORY),
        "role = pharmacist: may not record 'participant typed'; ask the investigator or coordinator",
    ),
    "matched before randomisation": (
        declared,
        lambda kit, p: match(kit, p),
        "participant = 01-001: is not randomised, and the protocol matches after that; randomise first",
    ),
    "matched in the other arm": (
        other_arm,
        lambda kit, p: match(kit, p),
        "participant = {p}: receives no product of a donor; leave it",
    ),
    "matched after stopping": (
        stopped,
        lambda kit, p: match(kit, p),
        "participant = {p}: receives the intervention no more; leave it",
    ),
    "matched after leaving": (
        gone,
        lambda kit, p: match(kit, p),
        "participant = {p}: left the trial on 2018-02-01; nothing more can be done for this participant",
    ),
    "matched with nobody": (
        ready,
        lambda kit, p: match(kit, p, "D09"),
        "donor = D09: is not a donor of this trial; check the code, or register the donor",
    ),
    "matched by another site": (
        ready,
        lambda kit, p: match(kit, p, by=kit.OTHER_DOCTOR),
        "participant = {p}: is not in this trial; check the code",
    ),
    "donor not judged": (
        not_judged,
        lambda kit, p: match(kit, p),
        "donor = D01: is not judged eligible; choose another donor, or ask the quality unit",
    ),
    "donor judged against": (
        judged_against,
        lambda kit, p: match(kit, p),
        "donor = D01: is judged not eligible: CMV IgM found; choose another donor, or ask the quality unit",
    ),
    "participant not typed": (
        lambda kit: (kit.typed_donor(), kit.in_arm("NEW"))[1],
        lambda kit, p: match(kit, p),
        "participant = {p}: is not typed; record the typing first",
    ),
    "donor's KIR not typed": (
        ready_but(kir=""),
        lambda kit, p: match(kit, p),
        "donor_matching = hla_c_group_mismatch_gvh: needs donor.kir, which the typing of donor D01 or {p} does not hold; record a whole typing first",
    ),
    "one cell of two typed": (
        ready_but(participant=("C*07:01", "")),
        lambda kit, p: match(kit, p),
        "donor_matching = hla_c_group_mismatch_gvh: needs participant.hla_c, which the typing of donor D01 or {p} does not hold; record a whole typing first",
    ),
    "no mismatch": (
        ready_but(donor=("C*07:01", "C*07:02")),
        lambda kit, p: match(kit, p),
        "donor = D01: is no mismatch for {p} (match): No mismatch: donor shows C1; recipient shows C1.; choose another donor",
    ),
    "nothing to accept": (
        ready,
        lambda kit, p: match(kit, p, accept_ambiguous="looks well"),
        "accept_ambiguous = looks well: is given for a verdict that is not ambiguous; leave it out",
    ),
    "matched twice": (
        matched,
        lambda kit, p: match(kit, p),
        "participant = {p}: is matched with donor D01 since 2018-02-01; go on with the lot",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_says_what_is_wrong_and_records_nothing(kit, name):
    before, act, text = CASES[name]
    participant = before(kit)
    head = kit.head()
    with pytest.raises(Refusal) as refused:
        act(kit, participant)
    assert str(refused.value) == text.replace("{p}", str(participant))
    assert kit.head() == head


def test_a_donor_is_a_code_a_sex_and_a_year(kit):
    register(kit)
    (event,) = kit.events(Kind.DONOR_REGISTERED)
    assert event.payload == {"donor": "D01", "sex": "M", "birth_year": 1985, "on": "2018-02-01"}
    assert event.stream == "donor D01"
    assert kit.rows("donor") == [
        {
            "donor": "D01",
            "sex": "M",
            "birth_year": 1985,
            "registered_on": "2018-02-01",
            "eligible": None,
            "eligibility_note": None,
            "judged_on": None,
        }
    ]


def test_a_typing_keeps_what_was_entered_and_what_it_was_read_as(kit):
    kit.registered()
    hla = {"C": ("Cw*0701", "C*05:01/05:03"), "B": ("B*07:02", "")}
    person = type_donor(kit, hla=hla, kir="2DL1 2DL3 3DL1 2DS4")
    (event,) = kit.events(Kind.DONOR_TYPED)
    payload = event.payload
    assert payload["hla"] == {"B": ["B*07:02", ""], "C": ["Cw*0701", "C*05:01/05:03"]}
    copies = {copy["text"]: (copy["alleles"], copy["groups"]) for copy in payload["copies"] if copy["locus"] == "C"}
    assert copies["Cw*0701"] == (["C*07:01"], ["C1"])
    assert copies["C*05:01/05:03"][0] == ["C*05:01", "C*05:03"]
    assert payload["missing_loci"] == ["A", "B"]
    assert payload["haplotype"] == "AA"
    assert payload["b_content"] == "Neutral"
    assert payload["reference"] == kit.trial.reference.title
    assert payload["reference_sha256"] == kit.trial.reference.sha256
    assert payload["warnings"] == list(person.warnings)
    assert "HLA-B: one allele is not typed; it is not taken for a second copy of the other" in payload["warnings"]
    (row,) = kit.rows("typing")
    assert json.loads(row["hla"]) == payload["hla"]
    assert (row["side"], row["person"], row["kir"]) == ("donor", "D01", "2DL1 2DL3 3DL1 2DS4")


def test_a_match_keeps_the_deciding_verdict_and_all_others(kit):
    participant = ready(kit)
    pair = match(kit, participant)
    assert (pair.verdict, pair.missing_ligands) == ("mismatch", ("C2",))
    (event,) = kit.events(Kind.DONOR_MATCHED)
    payload = event.payload
    assert (payload["rule"], payload["rule_version"], payload["verdict"]) == ("hla_c_group_mismatch_gvh", 1, "mismatch")
    assert payload["missing_ligands"] == payload["gvh"] == payload["missing_ligand"] == ["C2"]
    assert (payload["hvg"], payload["receptor_ligand"], payload["educated"]) == ([], ["2DL1"], ["2DL1"])
    assert payload["verdicts"] == {
        "ligand_ligand_gvh": "mismatch",
        "ligand_ligand_hvg": "match",
        "receptor_ligand": "mismatch",
        "receptor_ligand_c": "mismatch",
        "missing_ligand": "mismatch",
        "educated": "mismatch",
        "hla_c_group_mismatch_gvh": "mismatch",
        "hla_cw_allele": "mismatch",
    }
    assert payload["explanation"] == pair.explanation != ""
    assert payload["reference_sha256"] == kit.trial.reference.sha256
    assert payload["accepted"] is None
    (row,) = kit.rows("match")
    assert (row["gvh"], row["hvg"], row["matched_on"]) == ("C2", "", "2018-02-01")


def test_what_typing_leaves_open_needs_a_person_and_the_reason_is_kept(kit):
    participant = ready_but(donor=("C*07:01", "C*08"))(kit)
    with pytest.raises(conduct.NotEligible) as refused:
        match(kit, participant)
    text = str(refused.value)
    assert text.startswith(f"donor = D01: is ambiguous for {participant}: Not settled by the typing (")
    assert text.endswith("; type further, choose another donor, or say in accept_ambiguous why it is accepted")
    with pytest.raises(conduct.NotEligible):
        match(kit, participant, accept_ambiguous="\u200b")
    match(kit, participant, accept_ambiguous="C*08:10 was excluded by telephone")
    (event,) = kit.events(Kind.DONOR_MATCHED)
    assert (event.payload["verdict"], event.payload["accepted"]) == (
        "ambiguous",
        "C*08:10 was excluded by telephone",
    )


def test_a_match_ends_when_either_is_typed_anew(kit):
    participant = matched(kit)
    kit.type_donor("D01", ("C*07:01", "C*06:02"))
    match(kit, participant)
    kit.type_participant(participant)
    match(kit, participant)
    assert len(kit.events(Kind.DONOR_MATCHED)) == 3
    assert len(kit.rows("match")) == 1


def test_possible_donors_come_ranked_the_eligible_first(kit):
    for donor, c in (("D01", ("C*07:01", "C*07:02")), ("D02", ("C*07:01", "C*05:01")), ("D03", ("C*05:01", "C*06:02"))):
        kit.typed_donor(donor, c)
    judge(kit, "D03", eligible=False, statement="CMV IgM found")
    kit.registered("D04")  # not typed: not among them
    participant = kit.in_arm("NEW")
    with pytest.raises(conduct.OutOfOrder) as refused:
        conduct.possible_donors(kit.trial, participant, at=kit.now)
    assert str(refused.value) == f"participant = {participant}: is not typed; record the typing first"
    kit.type_participant(participant)
    head = kit.head()
    found = conduct.possible_donors(kit.trial, participant, at=kit.now)
    assert [(each.donor, each.rank, each.eligible, each.pair.verdict, each.serves) for each in found] == [
        ("D02", 1, True, "mismatch", True),
        ("D01", 2, True, "match", False),
        ("D03", 3, False, "mismatch", False),
    ]
    assert kit.head() == head
    with pytest.raises(conduct.NotFound):
        conduct.possible_donors(kit.trial, "09-001", at=kit.now)
    with pytest.raises(conduct.NotAccepted) as refused:
        conduct.possible_donors(kit.trial, participant, at=kit.now.replace(tzinfo=None))
    assert str(refused.value) == (
        f"at = {kit.now.replace(tzinfo=None).isoformat()}: does not say its time zone; pass a time with its zone"
    )


def stock(kit, participant, at=None):
    """Of each possible donor whether it serves now, and its bags in stock."""
    found = conduct.possible_donors(kit.trial, participant, at=kit.now if at is None else at)
    return {
        each.donor: (each.serves_now, [(bag.bag, bag.issued_for, bag.conditional) for bag in each.stock])
        for each in found
    }


def test_possible_donors_show_the_bags_that_could_be_given_now(kit):
    for donor in ("D01", "D02", "D03"):
        kit.typed_donor(donor)
    first, second = (kit.matched("D01") for _ in range(2))
    kit.released("L01", "D01")
    kit.measured("L02", "D02", bags=1)
    assert stock(kit, first) == {
        "D01": (True, [("L01-1", None, False), ("L01-2", None, False), ("L01-3", None, False)]),
        "D02": (False, []),
        "D03": (False, []),
    }
    kit.release("L02", conditional=True)
    kit.issue(first, "L01-1")
    conduct.destroy_bag(kit.trial, "L01-3", place="store", **kit.entry(kit.LABORATORY))
    assert stock(kit, first)["D01"] == (True, [("L01-1", "C1", False), ("L01-2", None, False)])
    assert stock(kit, second)["D01"] == (True, [("L01-2", None, False)])
    assert stock(kit, second)["D02"] == (True, [("L02-1", None, True)])
    kit.infuse(first)
    kit.result("L02", "sterility", "POSITIVE")
    assert stock(kit, first)["D01"] == (True, [("L01-2", None, False)])
    assert stock(kit, first)["D02"] == (False, [])
    (bag,) = conduct.possible_donors(kit.trial, second, at=kit.now)[0].stock
    expires = datetime.fromisoformat(kit.rows("lot", lot="L01")[0]["expires_at"])
    assert (bag.lot, bag.product, bag.expires_at) == ("L01", "cells", expires)
    assert stock(kit, second, expires - timedelta(seconds=1))["D01"] == (True, [("L01-2", None, False)])
    assert stock(kit, second, expires)["D01"] == (False, [])
    judge(kit, "D01", eligible=False, statement="CMV IgM found")
    assert stock(kit, second)["D01"] == (False, [])


def test_who_receives_no_product_has_no_stock_and_who_is_not_randomised_that_of_every_product(kit):
    kit.typed_donor()
    kit.released()
    candidate, other = kit.declared(), kit.in_arm("OLD")
    for participant in (candidate, other):
        kit.type_participant(participant)
    assert len(stock(kit, candidate)["D01"][1]) == 3
    assert stock(kit, other) == {"D01": (False, [])}


def test_who_is_not_served_and_why(kit):
    first = kit.in_arm("NEW")
    assert conduct.unserved(kit.trial) == (conduct.Unserved(first, "is not typed"),)
    kit.type_participant(first)
    assert conduct.unserved(kit.trial) == (conduct.Unserved(first, "no donor who is typed is eligible"),)
    kit.typed_donor(c=("C*07:01", "C*07:02"))
    why = "none of 1 eligible donors is a mismatch by hla_c_group_mismatch_gvh"
    assert conduct.unserved(kit.trial) == (conduct.Unserved(first, why),)
    kit.typed_donor("D02")
    assert conduct.unserved(kit.trial) == ()


AT_SCREENING = ("when: after_randomisation", "when: screening")


def test_a_criterion_may_ask_for_typing_and_a_donor(trial_kit, tmp_path):
    protocol = trial_kit.PROTOCOL.replace(*AT_SCREENING).replace(
        "    - {id: SIGNED",
        "    - {id: DONOR, text: Typed and a donor serves, rule: participant.hla_typed == yes and donors.eligible >= 1}\n    - {id: SIGNED",
    )
    kit = trial_kit.Kit(tmp_path / "trial", protocol)
    participant = kit.assessed()
    with pytest.raises(conduct.NotEligible) as refused:
        conduct.declare_eligible(kit.trial, participant, **kit.entry())
    assert "[DONOR not known: Typed and a donor serves]" in str(refused.value)
    kit.type_participant(participant)
    with pytest.raises(conduct.NotEligible) as refused:
        conduct.declare_eligible(kit.trial, participant, **kit.entry())
    assert "[DONOR not met: Typed and a donor serves]" in str(refused.value)
    kit.typed_donor()
    match(kit, participant)
    conduct.declare_eligible(kit.trial, participant, **kit.entry())
    conduct.randomise(kit.trial, participant, **kit.entry())
    conduct.amend(
        kit.trial,
        protocol.replace('version: "1.0", date', 'version: "3.0", date', 1).encode(),
        **kit.entry(kit.MANAGER),
    )
    kit.trial.close()


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "hla_c_group_mismatch_gvh",
            "best_donor",
            "rule = best_donor: is not a mismatch rule; use one of ligand_ligand_gvh, ligand_ligand_hvg, receptor_lig…",
        ),
        (
            "donor.kir, ",
            "donor.blood, ",
            "donor_matching.requires = donor.blood: is not a typing; use some of donor.hla_a, donor.hla_b, donor.hla_c, donor.kir, participant.hla_a, participant.hla_b, participant.hla_c, participant.kir",
        ),
        (
            "ligands: [C1, C2]",
            "ligands: [C1, Bw4]",
            "donor_matching.ligands = C1 Bw4: are not what HLA-C show; write C1, C2, or change the loci that donor_matching.requires names",
        ),
        (
            "ligands: [C1, C2]",
            "ligands: [C1, C3]",
            "donor_matching.ligands = C3: is not a ligand; use some of C1, C2, Bw4, A3, A11",
        ),
    ],
)
def test_a_rule_that_cannot_decide_is_refused_when_the_trial_begins_or_is_amended(
    kit, trial_kit, tmp_path, old, new, text
):
    with pytest.raises(Refusal) as refused:
        trial_kit.Kit(tmp_path / "other", trial_kit.PROTOCOL.replace(old, new))
    start = text.removesuffix("…")
    assert str(refused.value).startswith(start)
    assert text.endswith("…") or str(refused.value) == text
    with pytest.raises(Refusal) as again:
        conduct.amend(kit.trial, kit.amended((old, new)), **kit.entry(kit.MANAGER))
    assert str(again.value) == str(refused.value)


def test_a_trial_without_a_rule_matches_nobody(trial_kit, tmp_path):
    start = trial_kit.PROTOCOL.index("donor_matching:")
    end = trial_kit.PROTOCOL.index("visits:")
    kit = trial_kit.Kit(tmp_path / "trial", trial_kit.PROTOCOL[:start] + trial_kit.PROTOCOL[end:])
    participant = ready(kit)
    text = "donor_matching: is not in the protocol in force; amend the protocol to name its mismatch rule"
    for act in (lambda: match(kit, participant), lambda: conduct.possible_donors(kit.trial, participant, at=kit.now)):
        with pytest.raises(conduct.NotAccepted) as refused:
            act()
        assert str(refused.value) == text
    kit.trial.close()


def test_a_reference_and_codes_in_the_trials_folder_are_used(kit):
    kit.registered()
    with pytest.raises(Refusal) as refused:
        type_donor(kit, hla={"C": ("C*07:AB", "C*05:01")})
    assert "is a code for several alleles" in str(refused.value)
    (kit.trial.folder / "mac-codes.txt").write_text("AB\t01/02\n")
    trial = conduct.open_trial(kit.trial.folder)
    facts = {"method": "NGS", "laboratory": "Central", "reported_on": kit.today}
    hla = {"C": ("C*07:AB", "C*05:01")}
    person = conduct.type_donor(trial, "D01", hla=hla, **facts, **kit.entry(kit.LABORATORY))
    assert person.c_ligands.certain == {"C1", "C2"}
    trial.close()
    (kit.trial.folder / "ligand-reference.csv").write_text("allele\n")
    trial = conduct.open_trial(kit.trial.folder)
    with pytest.raises(Refusal) as refused:
        conduct.type_donor(trial, "D01", hla=hla, **facts, **kit.entry(kit.LABORATORY))
    assert str(refused.value) == (
        "reference = ligand-reference.csv: is not a ligand reference; build one with `equipoise hla build`"
    )
    trial.close()


def test_a_person_whose_role_is_none_is_refused(kit):
    with pytest.raises(conduct.NotPermitted) as refused:
        register(kit, by=Actor("x", "king"))
    assert str(refused.value) == (
        "role = king: is not a role; use one of investigator, coordinator, pharmacist, quality, monitor, statistician, "
        "data_manager, administrator"
    )


def test_the_frames_of_donors_and_matches(kit):
    participant = matched(kit)
    kit.registered("D02")
    found = conduct.snapshot(kit.trial)
    assert found.donors.to_dict("records") == [
        {
            "donor": "D01",
            "sex": "M",
            "birth_year": 1985,
            "registered_on": kit.DAY,
            "eligible": True,
            "eligibility_note": "all negative",
            "hla": "C: C*07:01, C*05:01",
            "kir": "2DL1 2DL3 3DL1 2DS4",
            "ligands": "C1 C2 Bw4?",
            "b_content": "Neutral",
        },
        {
            "donor": "D02",
            "sex": "M",
            "birth_year": 1985,
            "registered_on": kit.DAY,
            "eligible": None,
            "eligibility_note": None,
            "hla": None,
            "kir": None,
            "ligands": None,
            "b_content": None,
        },
    ]
    (row,) = found.matches.to_dict("records")
    assert row | {"explanation": "", "warnings": ""} == {
        "participant": participant,
        "donor": "D01",
        "on": kit.DAY,
        "rule": "hla_c_group_mismatch_gvh",
        "rule_version": 1,
        "verdict": "mismatch",
        "missing_ligands": "C2",
        "gvh": "C2",
        "hvg": "",
        "receptor_ligand": "2DL1",
        "missing_ligand": "C2",
        "educated": "2DL1",
        "b_content": "Neutral",
        "explanation": "",
        "warnings": "",
        "reference": kit.trial.reference.title,
    }


def test_the_tables_equal_a_rebuild_and_memory_and_the_past_is_as_it_was(kit):
    participant = matched(kit)
    then = conduct.snapshot(kit.trial)
    kit.type_donor("D01", ("C*07:01", "C*06:02"))
    judge(kit, eligible=False, statement="CMV IgM found")
    ledger = kit.trial.ledger
    assert ledger.verify().ok
    assert ledger.rebuild().identical
    again = conduct.snapshot(kit.trial, then.position)
    assert again.donors.equals(then.donors)
    assert again.matches.equals(then.matches)
    assert again.donors["eligible"].tolist() == [True]
    assert conduct.snapshot(kit.trial).donors["eligible"].tolist() == [False]
    assert conduct.matching.match_that_stands(ledger.as_of(None)[0], participant, "D01") is None
