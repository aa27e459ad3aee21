"""The table of vital signs around infusions."""

from __future__ import annotations

from equipoise.analysis.results import Results
from equipoise.analysis.vital_signs import BEFORE, FURTHEST
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import Lookup
from equipoise.report.tables.model import Body, Head, Row, Table

SIGNS = {
    "temperature": ("Temperature, °C", 1),
    "systolic": ("Systolic pressure, mmHg", 0),
    "diastolic": ("Diastolic pressure, mmHg", 0),
    "pulse": ("Pulse, per minute", 0),
    "respiration": ("Respiration, per minute", 0),
    "saturation": ("Oxygen saturation, %", 0),
}


def vital_signs_table(protocol: Protocol, results: Results) -> Table | None:
    """By course, each sign before the start and at its furthest after it; None where none was measured."""
    lookup = Lookup(results)
    courses = [course.id for regimen in protocol.regimens for course in regimen.courses]
    bodies = []
    for arm in protocol.arms:
        rows = [
            Row(
                f"{SIGNS[sign][0]}: {'before' if side == BEFORE else side}",
                tuple(lookup.median_range(f"vitals.{arm.id}.{course}.{sign}.{side}", places) for course in courses),
            )
            for sign, sides in FURTHEST.items()
            for side in (BEFORE, *sides)
            for places in (SIGNS[sign][1],)
        ]
        if results.find(analysis="vitals", arm=arm.id):
            bodies.append(Body(tuple(rows), arm.name))
    if not bodies:
        return None
    return Table(
        "table-vital-signs",
        "Vital signs before infusions and at their furthest from the start on: median (lowest to highest)",
        ((Head("Sign", numeric=False), *(Head(course) for course in courses)),),
        tuple(bodies),
    )
