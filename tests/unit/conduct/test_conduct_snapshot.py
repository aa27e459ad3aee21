"""Snapshots: frames as promised, as-of as it was then, and the tables as a rebuild gives them."""

import json
import math
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from equipoise import conduct
from equipoise.conduct import donor_tables, product_tables
from equipoise.conduct.harm_tables import CODING
from equipoise.conduct.snapshots import COLUMNS

NOT_IN_THE_COURSE = {table.name for table in (*donor_tables.TABLES, *product_tables.TABLES)} | {
    "telling",
    "stopping",
    "stopping_state",
}
FRAMES = ("participants", "visits", "values", "adverse_events", "deviations", "corrections")


@pytest.fixture(scope="module")
def course(trial_kit, template, tmp_path_factory):
    """A trial that has been through every act on data, one snapshot taken after each event."""
    kit = trial_kit.Kit.copied(template, tmp_path_factory.mktemp("course") / "trial")
    snapshots = {}

    def look():
        snapshot = conduct.snapshot(kit.trial)
        snapshots[snapshot.position] = snapshot

    append = kit.tick

    def tick():
        look()
        return append()

    kit.tick = tick
    first, second = kit.randomised(), kit.randomised(sex="F", pregnant="no")
    kit.harmed(first, course="C1", related={"cells": "RELATED", "procedure": "NOT RELATED"})
    kit.harmed(second, related={"cells": "NOT RELATED", "procedure": "RELATED"})
    conduct.withdraw(kit.trial, first, scope="intervention", reason_code="WISH", on=kit.today, **kit.entry())
    kit.wait(28)
    kit.record(first, "m1", "blood", {"drawn": kit.today, "cd4": 931, "cd8": 1000})
    kit.record(first, "m1", "symptoms", {"any": "yes", "which": ["RASH", "COUGH"]})
    kit.record(first, "m1", "drugs", {"name": "paracetamol"})
    conduct.correct(kit.trial, first, "m1", "blood", "cd4", 139, **kit.entry(reason="digits turned"))
    conduct.mark_missing(kit.trial, first, "m1", "blood", "cd8", "CLOT", **kit.entry())
    outcome = {"outcome": "RECOVERED/RESOLVED", "resolved": kit.today}
    conduct.follow_up_adverse_event(kit.trial, first, 1, **outcome, **kit.entry())
    conduct.miss_visit(kit.trial, second, "m1", cause="abroad", **kit.entry())
    conduct.withdraw(kit.trial, second, reason_code="LOST", on=kit.today, **kit.entry())
    facts = {"category": "WINDOW", "on": kit.today, "description": "=late()", "major": True}
    conduct.deviation(kit.trial, first, **facts, **kit.entry())
    conduct.deviation(kit.trial, None, **facts, **kit.entry(kit.MANAGER))
    kit.record(first, "extra", "symptoms", {"any": "no"})
    failed = kit.assessed(age=70)
    conduct.fail_screening(kit.trial, failed, **kit.entry())
    conduct.amend(kit.trial, kit.amended(), **kit.entry(kit.MANAGER))
    conduct.approve_amendment(kit.trial, "2.0", "01", on=kit.today, **kit.entry(kit.MANAGER))
    conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))
    conduct.reveal(kit.trial, **kit.entry(kit.MANAGER))
    look()
    kit.snapshots = snapshots
    yield kit
    kit.trial.close()


def row(frame, **equals):
    for name, value in equals.items():
        frame = frame[frame[name] == value]
    (found,) = frame.to_dict("records")
    return found


def test_participants(course):
    frame = conduct.snapshot(course.trial).participants
    assert frame["participant"].tolist() == ["01-001", "01-002", "01-003"]
    first, second, third = frame.to_dict("records")
    assert first | {"arm": "?"} == {
        "participant": "01-001",
        "site": "01",
        "status": "randomised",
        "screened_on": date(2018, 2, 1),
        "consent_version": "1.0",
        "consented_on": date(2018, 2, 1),
        "eligible": True,
        "failed_criteria": (),
        "failure_reason": None,
        "randomised_on": date(2018, 2, 1),
        "arm": "?",
        "allocation_number": 1,
        "stratum": "entry.sex=M",
        "withdrawn_on": date(2018, 2, 1),
        "withdrawal_scope": "intervention",
        "withdrawal_reason": "WISH",
        "withdrawal_reasons": ("WISH",),
    }
    assert first["arm"] in ("NEW", "OLD")
    assert (second["status"], second["withdrawal_scope"], second["withdrawal_reason"]) == ("withdrawn", "trial", "LOST")
    assert (third["status"], third["eligible"], third["failed_criteria"], third["arm"]) == (
        "screen failure",
        False,
        ("AGE",),
        None,
    )


def test_visits_stand_against_their_targets(course):
    frame = conduct.snapshot(course.trial).visits
    found = frame[["participant", "visit", "status", "day", "in_window", "reason"]].to_numpy().tolist()
    assert found == [
        ["01-001", "scr", "done", 1, False, None],
        ["01-001", "m0", "done", 1, True, None],
        ["01-001", "m1", "done", 29, True, None],
        ["01-001", "m3", "pending", None, None, None],
        ["01-001", "extra@2018-03-01", "done", 29, None, None],
        ["01-002", "scr", "done", 1, False, None],
        ["01-002", "m0", "done", 1, True, None],
        ["01-002", "m1", "missed", None, None, "abroad"],
        ["01-002", "m3", "withdrawn", None, None, None],
        ["01-003", "scr", "done", None, None, None],
        ["01-003", "m0", "done", None, None, None],
    ]
    month_3 = row(frame, participant="01-001", visit="m3")
    assert [month_3[name] for name in ("target", "opens", "closes")] == [
        date(2018, 5, 1),
        date(2018, 4, 17),
        date(2018, 5, 15),
    ]


def test_values_are_texts_with_exact_numbers_beside_them(course):
    snapshot = conduct.snapshot(course.trial)
    frame = snapshot.values
    cd4 = row(frame, participant="01-001", visit="m1", item="blood.cd4")
    assert (cd4["value"], cd4["number"], cd4["unit"], cd4["corrections"]) == ("139", 139.0, "/uL", 1)
    cd8 = row(frame, participant="01-001", visit="m1", item="blood.cd8")
    assert (cd8["value"], cd8["missing"], cd8["corrections"]) == (None, "CLOT", 1)
    assert math.isnan(cd8["number"])
    assert frame["number"].dtype == "float64"
    assert math.isnan(row(frame, participant="01-001", visit="m1", item="symptoms.any")["number"])
    assert not ((frame["item"] == "blood.ratio") & (frame["visit"] == "m1")).any()  # cd8 is missing
    item = snapshot.item("blood.cd4")
    assert item.columns.tolist() == ["participant", "visit", "value", "number", "missing"]
    assert item[["participant", "visit", "value"]].to_numpy().tolist() == [
        ["01-001", "m0", "139"],
        ["01-001", "m1", "139"],
        ["01-002", "m0", "139"],
        ["01-003", "m0", "139"],
    ]


def test_adverse_events(course):
    frame = conduct.snapshot(course.trial).adverse_events
    first, second = frame.to_dict("records")
    assert first == {
        "participant": "01-001",
        "number": 1,
        "term": "FEVER",
        "name": "Fever",
        "verbatim": "felt hot",
        "onset": date(2018, 2, 1),
        "day": 1,
        "grade": 1,
        "serious": False,
        "criteria": (),
        "related": '{"cells": "RELATED", "procedure": "NOT RELATED"}',
        "related_any": True,
        "course": "C1",
        "outcome": "RECOVERED/RESOLVED",
        "resolved": date(2018, 3, 1),
        "action": None,
        "aware_at": first["aware_at"],
        "after_randomisation": True,
        "onset_given": "2018-02-01",
        "onset_at": None,
        "highest_grade": 1,
        "system": None,
        "expected": False,
        "of_interest": None,
        "treatment": None,
        "reporter": None,
        "treatment_emergent": None,
        "infusion_reaction": None,
        "hours_after_infusion": None,
        "reported_at": first["reported_at"],
        "deadlines": (),
        "resolved_given": "2018-03-01",
        "counted_as": "FEVER",
        **dict.fromkeys(CODING),
        "term_groups": (),
        "followed_course": None,
        "told": (),
    }
    assert first["reported_at"].tzinfo == UTC
    assert second["related_any"] is False  # related to the procedure, not to the product
    assert json.loads(second["related"])["procedure"] == "RELATED"


def test_deviations_and_corrections(course):
    snapshot = conduct.snapshot(course.trial)
    assert snapshot.deviations.to_numpy().tolist() == [
        [None, "WINDOW", date(2018, 3, 1), "=late()", True],
        ["01-001", "WINDOW", date(2018, 3, 1), "=late()", True],
    ]
    found = snapshot.corrections[["item", "old", "new", "reason", "by", "cause"]].to_numpy().tolist()
    assert found == [
        ["blood.cd4", "931", "139", "digits turned", "l.doctor", "corrected"],
        ["blood.ratio", "0.931", "0.139", "digits turned", "l.doctor", "derived"],
        ["symptoms.burden", "0.11", "0.72", "digits turned", "l.doctor", "derived"],
        ["blood.cd8", "1000", "CLOT", "as seen", "l.doctor", "corrected"],
        ["blood.ratio", "0.139", None, "as seen", "l.doctor", "derived"],
    ]
    assert all(at.tzinfo == UTC for at in snapshot.corrections["at"])


def test_frames_have_the_promised_columns_even_when_empty(kit):
    empty = conduct.snapshot(kit.trial)
    for name in FRAMES:
        frame = getattr(empty, name)
        assert frame.columns.tolist() == list(COLUMNS[name])
        assert frame.empty
    assert empty.counts == {"randomisation committed": 1, "trial created": 1}
    assert (empty.source, empty.position, empty.rehearsal) == ("ledger", 2, None)
    assert empty.first_event_at == empty.as_of == datetime(2018, 2, 1, 2, tzinfo=UTC)
    assert empty.head_hash == kit.head().hash


def test_absent_cells_are_none_and_nothing_else(course):
    snapshot = conduct.snapshot(course.trial)
    for name in FRAMES:
        frame = getattr(snapshot, name).drop(columns="number", errors="ignore")
        absent = [cell for cell in frame.to_numpy().ravel() if not isinstance(cell, tuple) and pd.isna(cell)]
        assert all(cell is None for cell in absent), name


def test_as_of_a_position_or_time_equals_the_snapshot_taken_then(course):
    assert len(course.snapshots) == conduct.snapshot(course.trial).position - 1  # from the second event on
    for position, then in course.snapshots.items():
        now = conduct.snapshot(course.trial, position)
        for name in FRAMES:
            pd.testing.assert_frame_equal(getattr(now, name), getattr(then, name))
        for name in ("position", "head_hash", "as_of", "counts", "protocol_hash", "protocol", "software"):
            assert getattr(now, name) == getattr(then, name)
        assert conduct.snapshot(course.trial, then.as_of + timedelta(seconds=30)).head_hash == then.head_hash


def test_the_tables_equal_a_rebuild_and_memory(course):
    ledger = course.trial.ledger
    assert ledger.verify().ok
    assert ledger.rebuild().identical
    tables, _ = ledger.as_of(None)
    with ledger.reading() as reader:
        for table in conduct.PROJECTION.tables:
            assert reader.rows(table.name) == tables.rows(table.name)
            assert (reader.rows(table.name) == []) == (table.name in NOT_IN_THE_COURSE), table.name
