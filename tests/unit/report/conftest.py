"""A made-up trial under the example protocol, whole enough for every part of the report. Its numbers mean nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import analysis
from equipoise.analysis.results import Results
from equipoise.conduct.snapshots import COLUMNS, Snapshot
from equipoise.protocol.document import Protocol
from equipoise.protocol.loading import parse
from equipoise.report.page import page

CD4 = {"ART": (141, 146, 150, 156, 160, 165, 176), "NKART": (141, 166, 200, 216, 225, 230, 243)}
MONTHS = (0, 1, 3, 6, 9, 12, 24)
EXCLUDED = (("INCL05",), ("INCL05",), ("INCL05", "EXCL01"), ("EXCL01",), ("INCL04",))
START = date(2018, 2, 1)


@pytest.fixture(scope="session")
def protocol(checkout: Path) -> Protocol:
    """The example protocol; its re-randomisation test is shortened, since no test here rests on its number."""
    content = (checkout / "examples" / "nk-hiv" / "protocol.yaml").read_bytes()
    assert content.count(b"draws: 20000") == 1
    return parse(content.replace(b"draws: 20000", b"draws: 400"))


@pytest.fixture(scope="session")
def snapshot(protocol: Protocol) -> Snapshot:
    return made_snapshot(protocol)


@pytest.fixture(scope="session")
def results(protocol: Protocol, snapshot: Snapshot) -> Results:
    return analysis.run(protocol, snapshot)


@pytest.fixture(scope="session")
def text(protocol: Protocol, snapshot: Snapshot, results: Results) -> str:
    """The page of the made-up trial."""
    return page(protocol, snapshot, results)


@pytest.fixture(scope="session")
def treated(snapshot: Snapshot) -> Snapshot:
    """The made-up trial with donors, lots, infusions, laboratory values and a stopping rule watched."""
    return with_laboratory(with_product(snapshot))


@pytest.fixture(scope="session")
def treated_results(protocol: Protocol, treated: Snapshot) -> Results:
    return analysis.run(protocol, treated)


@pytest.fixture(scope="session")
def treated_text(protocol: Protocol, treated: Snapshot, treated_results: Results) -> str:
    """The page of that trial."""
    return page(protocol, treated, treated_results)


def made_snapshot(protocol: Protocol, *, rehearsal: str | None = "rehearsal, seed 1") -> Snapshot:
    """Twenty randomised and seven not, with a missed visit, a lost sample, a withdrawal, fevers and corrections."""
    rng = np.random.default_rng(20)
    people = [f"01-{place:03d}" for place in range(1, 28)]
    out = dict(zip(people[3::4], EXCLUDED, strict=False)) | {people[-1]: ()}
    randomised = [person for person in people if person not in out and person != people[-2]][:20]
    arms = {person: ("NKART", "ART")[place % 2] for place, person in enumerate(randomised)}
    days = {person: START + timedelta(days=4 * place) for place, person in enumerate(people)}
    return Snapshot(
        protocol=protocol,
        protocol_hash=protocol.sha256,
        position=812,
        head_hash="5e" * 32,
        as_of=datetime(2020, 5, 4, 9, 30, tzinfo=UTC),
        rehearsal=rehearsal,
        source="ledger",
        software="equipoise 0.1.0",
        first_event_at=datetime(2018, 1, 25, 8, 0, tzinfo=UTC),
        counts={"screen": 27, "randomise": 20, "record": 700},
        participants=participants(people, arms, days, out),
        visits=visits(protocol, randomised, days),
        values=values(protocol, rng, randomised, arms, days),
        adverse_events=adverse_events(randomised, days),
        deviations=deviations(randomised, days),
        corrections=corrections(randomised),
    )


def participants(
    people: list[str], arms: dict[str, str], days: dict[str, date], out: dict[str, tuple[str, ...]]
) -> pd.DataFrame:
    rows = []
    for person in people:
        arm, failed = arms.get(person), out.get(person)
        left = person == sorted(arms)[7]
        rows.append(
            {
                "participant": person,
                "site": "01",
                "status": "withdrawn"
                if left
                else "randomised"
                if arm
                else "consented"
                if failed is None
                else "screen failure",
                "screened_on": days[person],
                "consent_version": "1.0",
                "consented_on": days[person],
                "eligible": True if arm else None if failed is None else False,
                "failed_criteria": failed or (),
                "failure_reason": "WITHDRAWAL OF CONSENT" if failed == () else None,
                "randomised_on": days[person] + timedelta(days=10) if arm else None,
                "arm": arm,
                "allocation_number": sorted(arms).index(person) + 1 if arm else None,
                "stratum": "" if arm else None,
                "withdrawn_on": days[person] + timedelta(days=400) if left else None,
                "withdrawal_scope": "trial" if left else None,
                "withdrawal_reason": "WITHDRAWAL BY SUBJECT" if left else None,
                "withdrawal_reasons": ("WITHDRAWAL BY SUBJECT",) if left else (),
            }
        )
    return pd.DataFrame(rows, dtype=object)


def status(place: int, visit: str) -> tuple[str, bool | None]:
    if place == 7 and visit == "m24":
        return "withdrawn", None
    if (place, visit) in {(2, "m3"), (11, "m9")}:
        return "missed", None
    return "done", not (place == 5 and visit in ("m6", "m12"))


def visits(protocol: Protocol, randomised: list[str], days: dict[str, date]) -> pd.DataFrame:
    rows = []
    for place, person in enumerate(randomised):
        anchor = days[person] + timedelta(days=10)
        for visit in (protocol.baseline_visit, *protocol.follow_up_visits):
            state, in_window = status(place, visit.id)
            target = anchor + timedelta(days=round(30.4 * (visit.at.months or 0)))
            rows.append(
                {
                    "participant": person,
                    "visit": visit.id,
                    "status": state,
                    "date": target if state == "done" else None,
                    "day": (target - anchor).days + 1 if state == "done" else None,
                    "target": target,
                    "opens": target - timedelta(days=visit.window.days_before),
                    "closes": target + timedelta(days=visit.window.days_after),
                    "in_window": in_window,
                    "reason": None,
                }
            )
    return pd.DataFrame(rows, dtype=object)


def values(
    protocol: Protocol, rng: np.random.Generator, randomised: list[str], arms: dict[str, str], days: dict[str, date]
) -> pd.DataFrame:
    rows: list[dict[str, object]] = []

    def add(
        person: str, visit: str, item: str, value: object, missing: str | None = None, corrections: int = 0
    ) -> None:
        number = float(value) if isinstance(value, int | float) else float("nan")
        text = None if value is None else str(value)
        found = protocol.items[item]
        rows.append(
            {
                "participant": person,
                "visit": visit,
                "form": item.partition(".")[0],
                "repeat": 1,
                "item": item,
                "value": text,
                "number": number,
                "missing": missing,
                "unit": found.unit,
                "corrections": corrections,
            }
        )

    for place, person in enumerate(randomised):
        add(person, "screening", "screening.age", int(rng.normal(42, 9)))
        add(person, "screening", "screening.sex", "F" if place % 6 == 0 else "M")
        add(person, "screening", "screening.route", "MSM" if place % 3 else "HET")
        add(person, "screening", "screening.regimen", "TDF3TCEFV" if place % 4 else "INSTI")
        add(person, "screening", "screening.art_months", int(rng.normal(60, 20)))
        add(
            person,
            "screening",
            "screening.cd4_nadir",
            None if place == 4 else int(rng.normal(38, 12)),
            "UNK" if place == 4 else None,
        )
        b = rng.normal(0, 0.23)
        for index, visit in enumerate(("m0", "m1", "m3", "m6", "m9", "m12", "m24")):
            if status(place, visit)[0] != "done":
                continue
            if (place, visit) == (9, "m6"):
                add(person, visit, "blood.cd4", None, "CLOT")
                continue
            cd4 = round(CD4[arms[person]][index] * np.exp(b + rng.normal(0, 0.16)))
            cd8 = round(950 * np.exp(b / 2 + rng.normal(0, 0.2)))
            add(person, visit, "blood.cd4", cd4, corrections=int((place, visit) == (3, "m1")))
            add(person, visit, "blood.cd8", cd8)
            add(person, visit, "blood.cd4_cd8", round(cd4 / cd8, 3))
        add(person, "m0", "blood.hb", int(rng.normal(142, 11)))
        add(person, "m0", "vital_signs.weight", round(float(rng.normal(64, 8)), 1))
    return (
        pd.DataFrame(rows)
        .astype({"value": object, "missing": object, "unit": object})
        .replace({"value": {np.nan: None}})
    )


def adverse_events(randomised: list[str], days: dict[str, date]) -> pd.DataFrame:
    kinds = [
        (0, "FEVER", "Fever", 10, 1, False, '{"art": "NOT RELATED", "nk": "RELATED"}', True),
        (4, "FEVER", "Fever", 10, 1, False, '{"art": "NOT RELATED", "nk": "RELATED"}', True),
        (3, "URTI", "Upper respiratory tract infection", 70, 1, False, '{"art": "NOT RELATED"}', False),
        (6, "URTI", "Upper respiratory tract infection", 200, 2, False, '{"art": "NOT RELATED"}', False),
        (7, "PNEUMONIA", "Pneumonia", 300, 3, True, '{"art": "NOT RELATED"}', False),
        (8, "HEADACHE", "Headache", 5, 1, False, '{"art": "NOT RELATED"}', False),
    ]
    rows = [
        {
            "participant": randomised[place],
            "number": 1,
            "term": term,
            "counted_as": term,
            "name": name,
            "verbatim": name.lower() + ", with chills" if place == 4 else name,
            "onset": days[randomised[place]] + timedelta(days=after),
            "onset_given": str(days[randomised[place]] + timedelta(days=after)),
            "day": after - 9 if after >= 10 else after - 10,
            "grade": grade,
            "serious": serious,
            "criteria": ("AESHOSP",) if serious else (),
            "related": related,
            "related_any": related_any,
            "course": "C1" if term == "FEVER" else None,
            "outcome": "RECOVERED/RESOLVED",
            "resolved": days[randomised[place]] + timedelta(days=after + 2),
            "resolved_given": str(days[randomised[place]] + timedelta(days=after + 2)),
            "action": None,
            "aware_at": datetime(2018, 6, 1, tzinfo=UTC),
            "after_randomisation": after >= 10,
        }
        for place, term, name, after, grade, serious, related, related_any in kinds
    ]
    return frame("adverse_events", sorted(rows, key=lambda row: (row["participant"], row["number"])))


def deviations(randomised: list[str], days: dict[str, date]) -> pd.DataFrame:
    rows = [
        (randomised[5], "WINDOW", "Month 6 seen 20 days late", False),
        (randomised[2], "MISSED", "Month 3 missed", True),
    ]
    return pd.DataFrame(
        [
            {
                "participant": person,
                "category": category,
                "on": days[person] + timedelta(days=200),
                "description": text,
                "major": major,
            }
            for person, category, text, major in rows
        ]
    )


def corrections(randomised: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "participant": randomised[3],
                "visit": "m1",
                "item": "blood.cd4",
                "old": "731",
                "new": "137",
                "reason": "Digits exchanged",
                "at": datetime(2018, 6, 1, tzinfo=UTC),
                "by": "nurse",
            }
        ]
    )


DONORS = ("D01", "D02", "D03")
COURSES = (("C1", 1), ("C2", 31), ("C3", 61))


def frame(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    """The frame of that name; a column that a row does not have is None."""
    return pd.DataFrame(
        [[row.get(column) for column in COLUMNS[name]] for row in rows], columns=list(COLUMNS[name]), dtype=object
    )


def at_noon(day: date, hours: float = 0) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC) + timedelta(hours=hours)


def with_product(snapshot: Snapshot) -> Snapshot:
    """The same trial, in which the arm of the cells was infused: one course is missed, one dose low, one reaction."""
    people = snapshot.participants[snapshot.participants["arm"] == "NKART"].to_dict("records")
    given = [
        infusion(person, place, number, course, day)
        for place, person in enumerate(people)
        for number, (course, day) in enumerate(COURSES)
        if (place, course) != (1, "C3")
    ]
    lots = sorted({(row["lot"], row["donor"], row["on"]) for row in given}, key=str)
    first = people[0]["participant"]
    return replace(
        snapshot,
        donors=frame("donors", [donor(code, place) for place, code in enumerate(DONORS)]),
        matches=frame("matches", [match(person["participant"], code) for person in people for code in DONORS]),
        lots=frame("lots", [lot(*each) for each in lots]),
        lot_results=frame("lot_results", [result for each in lots for result in results_of(*each)]),
        bags=frame("bags", [bag(row) for row in given]),
        infusions=frame("infusions", given),
        missed_courses=frame(
            "missed_courses",
            [
                {
                    "participant": people[1]["participant"],
                    "course": "C3",
                    "on": people[1]["randomised_on"],
                    "cause": "fever",
                }
            ],
        ),
        infusion_refusals=frame(
            "infusion_refusals",
            [
                {"participant": first, "course": "C1", "bag": "B99", "at": at_noon(given[0]["on"]), "code": code}
                for code in ("wrong-participant", "expired")
            ],
        ),
        adverse_events=events(snapshot, {person["participant"]: person["randomised_on"] for person in people}),
        stopping=frame("stopping", [standing(0, 1, 0), standing(1, 4, 1), standing(2, 10, 1)]),
    )


def donor(code: str, place: int) -> dict[str, object]:
    return {
        "donor": code,
        "sex": "M",
        "birth_year": 1990,
        "registered_on": date(2018, 1, 5),
        "eligible": place < 2 or None,
        "hla": "C: C*07:01, C*05:01" if place < 2 else None,
        "kir": "2DL1 2DL2 2DL3 3DL1",
        "ligands": "C1 C2",
        "b_content": "neutral",
    }


def match(participant: str, code: str) -> dict[str, object]:
    return {
        "participant": participant,
        "donor": code,
        "on": date(2018, 2, 5),
        "rule": "hla_c_group_mismatch_gvh",
        "rule_version": 1,
        "verdict": {"D01": "mismatch", "D02": "match", "D03": "not-evaluable"}[code],
        "missing_ligands": "C2" if code == "D01" else "",
        "explanation": f"{code} has C2, {participant} has not.",
        "warnings": "",
    }


def infusion(person: dict[str, object], place: int, number: int, course: str, day: int) -> dict[str, object]:
    on = person["randomised_on"] + timedelta(days=day - 1)
    share = 0.7 if (place, course) == (2, "C2") else 1.0 + 0.01 * number
    return {
        "participant": person["participant"],
        "arm": "NKART",
        "course": course,
        "bag": f"B{place:02d}{number}",
        "lot": f"L{place:02d}{number}",
        "donor": DONORS[place % 2],
        "target": on,
        "opens": on,
        "closes": on + timedelta(days=7),
        "started_at": at_noon(on),
        "stopped_at": at_noon(on, 0.5),
        "on": on,
        "day": day,
        "in_window": True,
        "volume_ml": 100.0,
        "volume_given_ml": 100.0 * min(share, 1.0),
        "weight_kg": 60.0,
        "cells_given": 1.2e8 * share,
        "viable_nk": 1e8 * share,
        "cd3_per_kg": 3.3e4,
        "endotoxin_per_kg": 0.83,
        "planned_dose": 1e8,
        "dose_share": share,
        "completed": share > 0.9,
        "stop_reason": None if share > 0.9 else "chills",
        "checked_by": ("nurse", "nurse2"),
    }


def lot(code: str, donor_code: str, on: date) -> dict[str, object]:
    return {
        "lot": code,
        "product": "nk_cells",
        "donor": donor_code,
        "received_at": at_noon(on, -3),
        "expires_at": at_noon(on, 21),
        "status": "released",
        "conditionally_released_at": at_noon(on, -3),
        "conditionally_released_by": "quality",
        "released_at": at_noon(on, -2),
        "released_by": "quality",
        "bags": 1,
    }


def results_of(code: str, _: str, on: date) -> list[dict[str, object]]:
    shared = {"lot": code, "blocking": True, "at": at_noon(on, -2), "unit": "%"}
    return [
        {**shared, "criterion": "viability", "test": "Viability", "value": "92", "passes": True},
        {**shared, "criterion": "nk_purity", "test": "CD3-CD56+ cells", "value": "90", "passes": True},
    ]


def bag(row: dict[str, object]) -> dict[str, object]:
    kept = {name: row[name] for name in ("bag", "lot", "donor", "participant", "course", "volume_ml")}
    return {**kept, "product": "nk_cells", "cells": 1.2e8, "status": "infused"}


def standing(place: int, treated: int, events: int) -> dict[str, object]:
    return {
        "rule": "SR1",
        "position": 100 + place,
        "at": at_noon(date(2018, 3, 1 + place)),
        "participant": "01-001",
        "treated": treated,
        "events": events,
        "boundary": {1: None, 4: 3, 10: 5}[treated],
        "crossed": False,
    }


def events(snapshot: Snapshot, infused: dict[str, date]) -> pd.DataFrame:
    found = snapshot.adverse_events.copy()
    fever = (found["term"] == "FEVER") & found["participant"].isin(infused)
    found["system"] = ["Infections" if term in ("URTI", "PNEUMONIA") else "General" for term in found["term"]]
    found["infusion_reaction"] = [bool(each) for each in fever]
    found["followed_course"] = found["course"]
    found["of_interest"] = ["Infusion reaction" if each else None for each in fever]
    found["hours_after_infusion"] = [2.0 if each else None for each in fever]
    found["highest_grade"] = [3 if each else grade for each, grade in zip(fever, found["grade"], strict=True)]
    aware = datetime(2018, 6, 1, tzinfo=UTC)
    found["deadlines"] = [
        (("serious (sponsor)", aware + timedelta(hours=24), aware + timedelta(hours=2)),) if serious else ()
        for serious in found["serious"]
    ]
    return found


def with_laboratory(snapshot: Snapshot) -> Snapshot:
    """The same trial with liver and blood values: one participant has ALT of grade 3 and high bilirubin at month 6."""
    people = snapshot.participants[snapshot.participants["arm"].notna()]["participant"].tolist()
    rows = []
    for place, person in enumerate(people):
        for visit in ("m0", "m1", "m6"):
            peak = place == 0 and visit == "m6"
            for item, value in (
                ("chemistry.alt", 300 if peak else 30 + place),
                ("chemistry.ast", 25),
                ("chemistry.tbil", 60 if peak else 10),
                ("blood.neut", 0.55 if place == 1 and visit == "m1" else 3.1),
                ("chemistry.gluc", 5.0),
            ):
                rows.append(value_row(snapshot, person, visit, item, value))
    values = pd.concat([snapshot.values, pd.DataFrame(rows, dtype=object).astype({"number": "float64"})])
    return replace(snapshot, values=values.reset_index(drop=True))


def value_row(snapshot: Snapshot, person: str, visit: str, item: str, value: float) -> dict[str, object]:
    unit = snapshot.protocol.items[item].unit
    shared = {"participant": person, "visit": visit, "form": item.partition(".")[0], "repeat": 1, "missing": None}
    return {**shared, "item": item, "value": str(value), "number": float(value), "unit": unit, "corrections": 0}
