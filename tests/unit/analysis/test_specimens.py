"""What was taken before the first treatment and what after it: by the minute, by the plan, by the day of the draw."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from equipoise.analysis import laboratory
from equipoise.analysis.specimens import specimens_taken, treatment_begun
from equipoise.conduct.snapshots import COLUMNS
from equipoise.protocol import parse

CHECKOUT = Path(__file__).resolve().parents[3]
SHANGHAI = ZoneInfo("Asia/Shanghai")
RANDOMISED, INFUSED = date(2020, 2, 1), date(2020, 2, 3)
STARTED = datetime(2020, 2, 3, 5, 20, tzinfo=UTC)  # 13:20 in Shanghai


@pytest.fixture(scope="module")
def protocol():
    return parse((CHECKOUT / "examples" / "nk-hiv" / "protocol.yaml").read_bytes())


@pytest.fixture
def taken(made, records, protocol):
    """`taken((visit, day, {item: value}), ...)`: a snapshot of one participant, infused at 13:20 on 3 February."""

    def build(*seen, started=STARTED):
        person = records.person("01-001", "NKART", randomised_on=RANDOMISED, site="01")
        visits = [
            {"participant": "01-001", "visit": visit, "status": "done", "date": date.fromisoformat(day)}
            for visit, day, _ in seen
        ]
        values = [
            records.answer("01-001", visit, item, value) for visit, _, items in seen for item, value in items.items()
        ]
        about = {"screening.sex": "M", "screening.age": 35}
        values += [records.answer("01-001", "scr", item, said) for item, said in about.items()]
        snapshot = made(protocol, people=[person], visits=visits, values=values)
        infusion = {"participant": "01-001", "course": "C1", "started_at": started, "on": INFUSED}
        frame = snapshot.infusions
        if started is not None:
            frame.loc[0] = [infusion.get(column) for column in COLUMNS["infusions"]]
        return replace(snapshot, infusions=frame)

    return build


def test_a_specimen_has_the_day_and_time_of_its_draw_or_the_day_of_its_visit(taken, protocol):
    snapshot = taken(
        ("m0", "2020-02-03", {"blood.drawn": "2020-02-02", "blood.drawn_at": "08:45", "blood.plt": 200}),
        ("m1", "2020-03-03", {"blood.drawn": "2020-03-02", "blood.plt": 210}),
        ("m3", "2020-05-03", {"chemistry.alt": 30}),
    )
    assert specimens_taken(protocol, snapshot) == {
        ("01-001", "m0", "blood", 1): datetime(2020, 2, 2, 8, 45, tzinfo=SHANGHAI),
        ("01-001", "m1", "blood", 1): date(2020, 3, 2),
        ("01-001", "m3", "chemistry", 1): date(2020, 5, 3),
    }


def test_treatment_begins_with_the_first_infusion_or_with_randomisation(taken, protocol):
    begun = treatment_begun(protocol, taken())["01-001"]
    assert begun.moment == STARTED
    assert begun.moment.date() == INFUSED
    assert "m0" in begun.planned
    assert "m1" not in begun.planned
    assert treatment_begun(protocol, taken(started=None))["01-001"].moment == RANDOMISED


BEFORE = ("m0", "2020-02-02", {"chemistry.alt": 30, "chemistry.tbil": 10, "blood.plt": 200})


def only(protocol, snapshot, parameter):
    values = laboratory.graded_values(protocol, snapshot)
    found = values[values["parameter"] == parameter]
    followed = [
        each for each in laboratory.followed_of(laboratory.the_scale(protocol), snapshot, values)
        if each.parameter == parameter
    ]  # fmt: skip
    return found, followed


def test_a_value_of_an_unplanned_visit_on_the_day_of_the_infusion_is_after_it(taken, protocol):
    ill = ("unscheduled@2020-02-03", "2020-02-03", {"chemistry.alt": 600, "chemistry.tbil": 60})
    snapshot = taken(BEFORE, ill, ("m1", "2020-03-01", {"chemistry.alt": 35, "chemistry.tbil": 10}))
    found, (followed,) = only(protocol, snapshot, "ALT")
    assert found["baseline"].tolist() == ["30"] * 3
    assert (followed.baseline, followed.worst) == (0, 4)
    rows = {row.id: row.estimate for row in laboratory.answer(protocol, snapshot).rows}
    assert rows["laboratory.ALT.H.shift.NKART.0.4"] == 1
    assert rows["laboratory.ALT.H.emergent.NKART.3"] == 1
    assert rows["liver.NKART.Hy's law"] == 1


def test_an_untimed_value_of_a_visit_planned_by_that_day_is_before_the_infusion(taken, protocol):
    snapshot = taken(("m0", "2020-02-03", {"chemistry.alt": 300}), ("m1", "2020-03-01", {"chemistry.alt": 35}))
    _, (followed,) = only(protocol, snapshot, "ALT")
    assert (followed.baseline, followed.worst) == (3, 0)


@pytest.mark.parametrize(
    ("time", "states"), [("08:30", (2, 0)), ("13:19", (2, 0)), ("13:20", (0, 2)), ("17:30", (0, 2))]
)
def test_a_timed_value_of_that_day_is_where_the_clock_puts_it(taken, protocol, time, states):
    same_day = {"blood.drawn": "2020-02-03", "blood.drawn_at": time, "blood.plt": 60}
    snapshot = taken(BEFORE, ("m0x@2020-02-03", "2020-02-03", same_day), ("m1", "2020-03-01", {"blood.plt": 200}))
    _, (followed,) = only(protocol, snapshot, "PLAT")
    assert (followed.baseline, followed.worst) == states


def test_the_day_of_the_draw_decides_and_not_that_of_the_visit(taken, protocol):
    late = {"blood.drawn": "2020-02-04", "blood.plt": 60}
    snapshot = taken(BEFORE, ("m0x@2020-02-03", "2020-02-03", late))
    _, (followed,) = only(protocol, snapshot, "PLAT")
    assert (followed.baseline, followed.worst) == (0, 2)


def test_a_day_of_something_else_on_the_form_does_not_move_the_specimen(made, records):
    text = (CHECKOUT / "examples" / "nk-hiv" / "protocol.yaml").read_text(encoding="utf-8")
    item = "      - {id: fasting, cdash: LBFAST,"
    others = (
        "      - {id: zstart, cdash: CMSTDAT, question: Drug since, type: date}\n"
        "      - {id: zvital, cdash: VSDAT, question: Vital signs on, type: date}\n"
    )
    assert text.count(item) == 1
    protocol = parse(text.replace(item, others + item).encode())
    answers = {"chemistry.drawn": "2020-03-04", "chemistry.zstart": "2019-12-01", "chemistry.zvital": "2020-03-01"}
    values = [records.answer("01-001", "m1", item, said) for item, said in (answers | {"chemistry.alt": 300}).items()]
    visit = {"participant": "01-001", "visit": "m1", "status": "done", "date": date(2020, 3, 5)}
    person = records.person("01-001", "NKART", randomised_on=RANDOMISED, site="01")
    snapshot = made(protocol, people=[person], visits=[visit], values=values)
    assert specimens_taken(protocol, snapshot) == {("01-001", "m1", "chemistry", 1): date(2020, 3, 4)}
