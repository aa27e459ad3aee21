from datetime import date

from equipoise.analysis.populations import participant_records, populations_of

MEANS = "{id: means, outcome: cd4, analysis_set: FAS, role: descriptive, method: means-by-visit}"


def test_sets_follow_their_rules(planned, made, records):
    protocol = planned(MEANS)
    people = [
        records.person("01-001", "NEW"),
        records.person("01-002", "OLD"),
        records.person("01-003", "NEW"),
        records.person("01-004"),
    ]
    snapshot = made(
        protocol,
        people=people,
        values=[
            records.answer(code, "s", "entry.sex", sex)
            for code, sex in (("01-001", "F"), ("01-002", "M"), ("01-004", "F"))
        ],
        visits=[{"participant": code, "visit": "m1", "status": "done"} for code in ("01-001", "01-002")],
        deviations=[
            {"participant": "01-002", "category": "DOSE", "major": True},
            {"participant": "01-001", "category": "WINDOW", "major": False},
            {"participant": None, "category": "WINDOW", "major": True},
        ],
    )
    assert populations_of(protocol, snapshot) == {
        "FAS": ("01-001", "01-002", "01-003"),
        "PPS": ("01-001",),  # 01-002 deviated, 01-003 was never followed up
        "WOMEN": ("01-001", "01-004"),  # unknown is not true: 01-003 has no sex recorded
    }


def test_a_record_holds_what_a_rule_may_ask(planned, made, records):
    protocol = planned(MEANS)
    people = [
        records.person("01-001", "NEW", withdrawal_scope="trial", withdrawn_on=date(2020, 5, 1)),
        records.person("01-002", consented_on=None, eligible=False),
    ]
    values = [
        records.answer("01-001", "s", "entry.age", 41),
        records.answer("01-001", "m0", "entry.age", 42),
        records.answer("01-001", "m1", "blood.cd4", 300),
        records.answer("01-001", "s", "entry.pregnant", "no"),
        records.answer("01-001", "s", "entry.drawn", "2020-01-20"),
        records.answer("01-001", "s", "entry.sex", None, missing="LOST"),
    ]
    visits = [{"participant": "01-001", "visit": visit, "status": "done"} for visit in ("s", "m0", "m2")]
    found = participant_records(protocol, made(protocol, people=people, values=values, visits=visits))
    assert found["01-001"] == {
        "entry.age": 42,  # the last one before allocation
        "entry.pregnant": False,
        "entry.drawn": date(2020, 1, 20),
        "consent.signed_on": date(2020, 2, 1),
        "participant.screened_on": date(2020, 2, 1),
        "participant.site": "01",
        "participant.arm": "NEW",
        "participant.consented": True,
        "participant.eligible": True,
        "participant.randomised": True,
        "participant.withdrawn": True,
        "participant.major_deviation": False,
        "participant.follow_up_visits_done": 1,
    }
    assert found["01-002"]["participant.consented"] is False
    assert found["01-002"]["participant.eligible"] is False
    assert found["01-002"]["participant.randomised"] is False


def test_foreign_data_do_not_know_who_deviated(planned, made, records):
    protocol = planned(MEANS)
    visits = [{"participant": "01-001", "visit": "m1", "status": "done"}]
    snapshot = made(protocol, people=[records.person("01-001", "NEW")], visits=visits, source="cd4.csv, SHA-256 00")
    record = participant_records(protocol, snapshot)["01-001"]
    assert record["participant.withdrawn"] is None
    assert record["participant.major_deviation"] is None
    assert populations_of(protocol, snapshot)["PPS"] == ()
