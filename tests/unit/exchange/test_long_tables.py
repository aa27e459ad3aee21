from datetime import UTC, datetime
from hashlib import sha256

import pytest

from equipoise import analysis
from equipoise.exchange import read_long_table
from equipoise.exchange.long_tables import NoMapping
from equipoise.protocol import load

HEAD = "patient,drug,gender,month,cd4\n"
TABLE = HEAD + "2,old,male,0,120.50\n1,new,female,6,1e2\n1,new,female,0,0099.0\n2,old,male,6,NA\n10,new,,0,7\n"


def told(found, item):
    frame = found.item(item)
    return list(zip(frame["participant"], frame["visit"], frame["value"], strict=True))


def test_everybody_in_the_table_is_randomised(read):
    people = read(TABLE).participants
    assert people[["participant", "status", "arm"]].to_numpy().tolist() == [
        ["1", "randomised", "NEW"],
        ["10", "randomised", "NEW"],
        ["2", "randomised", "OLD"],
    ]
    assert people["randomised_on"].tolist() == [None] * 3
    assert people["eligible"].tolist() == [None] * 3


def test_values_are_the_exact_text_of_the_file(read):
    found = read(TABLE)
    assert told(found, "blood.cd4") == [
        ("1", "m0", "0099.0"),
        ("1", "m6", "1e2"),
        ("10", "m0", "7"),
        ("2", "m0", "120.50"),
    ]
    assert found.item("blood.cd4")["number"].tolist() == [99.0, 100.0, 7.0, 120.5]
    assert set(found.values["unit"]) == {"/uL", None}


def test_what_is_the_same_on_each_row_is_told_once_at_the_visit_that_asks_it(read):
    assert told(read(TABLE), "entry.sex") == [("1", "s", "F"), ("2", "s", "M")]


def test_a_visit_without_a_row_is_missed_and_one_without_a_value_is_done(read):
    visits = read(TABLE).visits
    assert visits[["participant", "visit", "status", "reason"]].to_numpy().tolist() == [
        ["1", "m0", "done", None],
        ["1", "m6", "done", None],
        ["10", "m0", "done", None],
        ["10", "m6", "missed", "no row in the data"],
        ["2", "m0", "done", None],
        ["2", "m6", "done", None],
    ]


def test_the_snapshot_is_pinned_to_the_file(read, foreign):
    found = read(TABLE)
    digest = sha256(TABLE.encode()).hexdigest()
    assert (found.position, found.head_hash) == (0, digest)
    assert found.source == f"cd4.csv, SHA-256 {digest}"
    assert found.as_of == datetime(2020, 1, 1, tzinfo=UTC)
    assert found.protocol_hash == foreign().sha256
    assert found.rehearsal is None
    assert found.adverse_events.empty


def same(one, other):
    """Whether two snapshots hold the same people, visits and values, whatever file they came from."""
    return all(getattr(one, name).equals(getattr(other, name)) for name in ("participants", "visits", "values"))


@pytest.mark.parametrize(
    "content",
    [
        "\N{ZERO WIDTH NO-BREAK SPACE}" + TABLE,
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.rstrip("\n"),
        TABLE + "\n\n",
        TABLE.replace("2,old", '"2", old '),
        "\n".join([HEAD.strip(), *reversed(TABLE.strip().split("\n")[1:])]),
    ],
    ids=["byte order mark", "CR LF", "CR", "no last line end", "blank lines", "quotes and spaces", "another order"],
)
def test_the_way_a_table_is_written_makes_no_difference(read, content):
    assert same(read(content), read(TABLE))


def test_another_delimiter_is_as_good(read):
    semicolons = [("  participant: patient", '  delimiter: ";"\n  participant: patient')]
    assert same(read(TABLE.replace(",", ";"), replace=semicolons), read(TABLE))


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+1", "-1 mg", "<script>", "a, b", 'say "x"', "中文", " spaces "])
def test_text_that_looks_like_a_formula_is_text(read, text):
    quoted = '"' + text.replace('"', '""') + '"'
    content = f"patient,drug,gender,month,cd4,note\n1,new,male,0,5,{quoted}\n"
    found = read(content, replace=[("{blood.cd4: cd4}", "{blood.cd4: cd4, blood.note: note}")])
    assert told(found, "blood.note") == [("1", "m0", text)]


def test_an_item_that_the_other_system_derived_comes_as_a_number(read):
    found = read(TABLE, replace=[("{blood.cd4: cd4}", "{blood.ratio: cd4}")])
    assert found.item("blood.ratio")["number"].tolist() == [99.0, 100.0, 7.0, 120.5]


def test_an_ignored_column_is_not_read(read):
    content = "patient,drug,gender,month,cd4,comment\n1,new,male,0,5,whatever\n"
    assert set(read(content).values["item"]) == {"blood.cd4", "entry.sex"}


def test_a_protocol_without_data_is_refused(foreign, tmp_path):
    protocol = foreign().model_copy(update={"data": None})
    with pytest.raises(NoMapping) as refused:
        read_long_table(protocol, tmp_path / "cd4.csv")
    assert str(refused.value) == (
        "data: the protocol does not say which column holds what; add `data` to the protocol file"
    )


def test_the_ddi_ddc_protocol_is_ready(checkout):
    protocol = load(checkout / "examples/ddi-ddc/protocol.yaml")
    assert protocol.arm_ids == ("ddC", "ddI")
    assert (protocol.estimands[0].treatments.test, protocol.estimands[0].treatments.reference) == ("ddI", "ddC")
    assert list(protocol.data.visits.values()) == [visit.id for visit in protocol.visits]


def test_the_ddi_ddc_trial_is_read_without_loss(checkout, shared):
    path = shared("data/trials/ddi_ddc_cd4.csv")
    found = read_long_table(load(checkout / "examples/ddi-ddc/protocol.yaml"), path)
    assert found.participants["arm"].value_counts().to_dict() == {"ddC": 237, "ddI": 230}
    assert len(found.participants) == 467
    assert (found.visits["status"] == "done").sum() == 1405
    header, *lines = path.read_text(encoding="utf-8").split()
    columns = header.split(",")
    rows = [dict(zip(columns, line.split(","), strict=True)) for line in lines]
    assert sorted(told(found, "count.sqrt_cd4")) == sorted(
        (row["patient"], f"m{row['month']}", row["sqrt_cd4"]) for row in rows
    )
    assert {(who, value) for who, _, value in told(found, "end.months")} == {
        (row["patient"], row["followup_months"]) for row in rows
    }
    assert found.item("end.died")["value"].value_counts()["yes"] == 188
    assert len(told(found, "entry.sex")) == len(told(found, "entry.azt")) == len(told(found, "entry.prev_oi")) == 467


# R 4.2.2 on the file, read as d and reshaped to one row a patient as w, printed with 15 digits:
# t.test(sqrt_cd4[month == 12 & drug == "ddI"], sqrt_cd4[month == 12 & drug == "ddC"]) with d: difference, df, P;
# lm(sqrt_cd4.12 ~ sqrt_cd4.0 + (drug == "ddI"), w): estimate, standard error; sum(complete.cases(w)).
# Tolerance 1e-10 relative: closed forms.
WELCH = (0.661096918242000, 219.665470634421382, 0.346736409565494)
ANCOVA = (0.502351380400463, 0.445450134644242)
COMPLETE = 24


def test_the_ddi_ddc_trial_is_analysed_as_its_protocol_plans(checkout, shared):
    protocol = load(checkout / "examples/ddi-ddc/protocol.yaml")
    results = analysis.run(protocol, read_long_table(protocol, shared("data/trials/ddi_ddc_cd4.csv")))
    welch, ancova = results.row("welch.m12.welch"), results.row("ancova.m12.ancova")
    assert (welch.estimate, welch.df, welch.p_value) == pytest.approx(WELCH, rel=1e-10)
    assert (ancova.estimate, ancova.std_error) == pytest.approx(ANCOVA, rel=1e-10)
    assert (results.row("anova.left_out").estimate, results.row("anova.left_out").n) == (467 - COMPLETE, 467)
    assert f"Only {COMPLETE} of 467 participants are complete" in results.sentences["methods.anova"]
    assert {row.id for row in results.rows if row.analysis == "gee"} >= {"gee.arm.robust", "gee.arm.mancl-derouen"}
    assert not [id for id in results.sentences if id.startswith("refused")]
