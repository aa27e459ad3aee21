"""The sections of the report, in order, each with the template that writes it."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.analysis.laboratory import graded_items
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol

LEVELS = {"Primary": "Primary outcome", "Secondary": "Secondary outcome", "Exploratory": "Exploratory outcome"}


@dataclass(frozen=True, slots=True)
class Section:
    """A section: the anchor, the heading, the file that writes it, the outcome that it is about."""

    id: str
    title: str
    template: str
    outcome: Outcome | None = None


def sections(protocol: Protocol) -> tuple[Section, ...]:
    """All sections; outcomes in the order of their level, then of the protocol."""
    levels = list(LEVELS)
    outcomes = sorted(protocol.outcomes, key=lambda outcome: levels.index(outcome.level))
    return (
        Section("summary", "Summary", "summary.html"),
        Section("flow", "Participants", "flow.html"),
        Section("baseline", "Baseline", "baseline.html"),
        Section("completeness", "Visits and completeness", "completeness.html"),
        *(
            Section(f"outcome-{outcome.id}", f"{LEVELS[outcome.level]}: {outcome.name}", "outcome.html", outcome)
            for outcome in outcomes
        ),
        *((Section("product", "Donors and product", "product.html"),) if protocol.products else ()),
        Section("harms", "Harms", "harms.html"),
        *((Section("laboratory", "Laboratory safety", "laboratory.html"),) if graded_items(protocol) else ()),
        Section("deviations", "Protocol deviations", "deviations.html"),
        Section("quality", "Data quality", "quality.html"),
        Section("interpretation", "Interpretation and limitations", "interpretation.html"),
        Section("methods", "Methods", "methods.html"),
        Section("statements", "Statements of the protocol", "statements.html"),
        Section("references", "References", "references.html"),
        Section("checklist", "CONSORT 2025 checklist", "checklist.html"),
        Section("colophon", "How this report can be checked", "colophon.html"),
    )
