"""A made-up trial under the example protocol, whole enough for every part of the report. Its numbers mean nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import analysis
from equipoise.analysis.results import Results
from equipoise.conduct.snapshots import Snapshot
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
            "name": name,
            "verbatim": name.lower() + ", with chills" if place == 4 else name,
            "onset": days[randomised[place]] + timedelta(days=after),
            "day": after - 9 if after >= 10 else after - 10,
            "grade": grade,
            "serious": serious,
            "criteria": ("HOSPITALISATION",) if serious else (),
            "related": related,
            "related_any": related_any,
            "course": "C1" if term == "FEVER" else None,
            "outcome": "RECOVERED/RESOLVED",
            "resolved": days[randomised[place]] + timedelta(days=after + 2),
            "action": None,
            "aware_at": datetime(2018, 6, 1, tzinfo=UTC),
            "after_randomisation": after >= 10,
        }
        for place, term, name, after, grade, serious, related, related_any in kinds
    ]
    return pd.DataFrame(rows).sort_values(["participant", "number"], ignore_index=True)


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
