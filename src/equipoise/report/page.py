"""The page: what its templates are given, and its bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from equipoise.analysis.laboratory import graded_values
from equipoise.analysis.results import Results, Row
from equipoise.protocol.aims import Outcome
from equipoise.protocol.document import Protocol
from equipoise.report import drawings, prose, safety_drawings
from equipoise.report.checklist import ITEMS, checklist
from equipoise.report.citations import references
from equipoise.report.effects import BELIEVED, analyses_of, effect_rows, main_row, mark_of
from equipoise.report.lookup import Lookup
from equipoise.report.method_names import analysis_name, method_name, readable
from equipoise.report.sections import sections
from equipoise.report.svg import Drawing
from equipoise.report.tables.anova import anova_tables
from equipoise.report.tables.baseline import baseline_table
from equipoise.report.tables.concomitant import concomitant_table
from equipoise.report.tables.harms import (
    deadlines_table,
    events_table,
    grades_table,
    harms_table,
    reactions_table,
    serious_table,
    terms_table,
)
from equipoise.report.tables.laboratory import (
    emergent_table,
    grave_table,
    liver_table,
    shift_tables,
    ungraded_table,
)
from equipoise.report.tables.mixed_model import mmrm_tables
from equipoise.report.tables.model import Table
from equipoise.report.tables.outcomes import effects_table, means_table
from equipoise.report.tables.product import (
    donors_table,
    exposure_table,
    infusions_table,
    lots_table,
    missed_table,
    sources_table,
)
from equipoise.report.tables.record import (
    completeness_table,
    corrections_table,
    deviations_listing,
    deviations_table,
    quality_table,
)
from equipoise.report.tables.review import checklist_table
from equipoise.report.tables.vital_signs import vital_signs_table
from equipoise.report.words import day_text, moment_text

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class OutcomeDrawings:
    """The figures of one outcome."""

    means: Drawing | None
    lines: tuple[Drawing, ...]
    forest: Drawing | None
    null: tuple[Drawing, ...]
    tipping: tuple[Drawing, ...]
    diagnostics: tuple[Drawing, ...]


@dataclass(frozen=True, slots=True)
class OutcomeTables:
    """The tables of one outcome."""

    means: Table | None
    effects: Table | None
    anova: tuple[Table, ...]
    mmrm: tuple[Table, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A value of the colophon; hashes and commands are set as code."""

    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Titled:
    """A text under a title: a method with its role, or a statement with its CONSORT item."""

    title: str
    text: str
    role: str = ""
    number: str = ""


IDENTIFIERS = {
    "registry": "Registry",
    "sponsor": "Sponsor’s number",
    "ethics": "Ethics number",
    "regulator": "Regulator’s number",
    "publication": "Publication",
}


@dataclass(frozen=True, slots=True)
class HarmDrawings:
    """The figures of harm and laboratory safety; boundaries with the id of their rule."""

    swimmer: Drawing | None
    incidence: Drawing | None
    boundaries: tuple[tuple[str, Drawing], ...]
    laboratory: tuple[Drawing, ...]
    edish: Drawing | None


UNWRITTEN = Markup('<span class="unwritten">To be written: CONSORT item {}.</span>')


def page(protocol: Protocol, snapshot: Snapshot, results: Results) -> str:
    """The whole report as one HTML page without any remote part; the same arguments give the same text."""
    return rendered("page.html", context(protocol, snapshot, results))


def rendered(template: str, named: Mapping[str, Any]) -> str:
    """A template with all that it names and the house style, as one page."""
    environment = Environment(
        loader=PackageLoader("equipoise.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["day"] = day_text
    environment.filters["moment"] = moment_text
    return environment.get_template(template).render({**_style(), **named})


def context(protocol: Protocol, snapshot: Snapshot, results: Results) -> dict[str, Any]:
    """All that the templates name."""
    return (
        _shell(protocol, snapshot)
        | _words(protocol, results)
        | _numbers(protocol, results)
        | _pictures(protocol, snapshot, results)
        | _lists(protocol, snapshot, results)
        | _safety(protocol, snapshot, results)
    )


def _style() -> dict[str, Any]:
    style = (resources.files("equipoise.report") / "report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # It is our own file, and the page's policy names its hash.
    return {"style": Markup(style), "style_hash": f"sha256-{digest}"}  # noqa: S704


def _shell(protocol: Protocol, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "protocol": protocol,
        "snapshot": snapshot,
        "identifier_names": IDENTIFIERS,
        "contents": sections(protocol),
        "colophon": colophon(protocol, snapshot),
        "verify_text": verify_text(snapshot),
    }


def _words(protocol: Protocol, results: Results) -> dict[str, Any]:
    statements = protocol.report.statements

    def stated(number: str) -> str:
        return statements.get(number) or UNWRITTEN.format(number)

    return {
        "sentence": lambda id: readable(results.sentences.get(id, ""), protocol),
        "stated": stated,
        "statements": [
            Titled(ITEMS.get(number, "Statement"), text, number=number) for number, text in statements.items()
        ],
        "design_text": prose.design_text(protocol),
        "setting_text": prose.setting_text(protocol),
        "interventions_of": lambda arm: prose.interventions_of(protocol, arm),
        "outcome_text": lambda outcome: prose.outcome_text(protocol, outcome),
        "harms_text": prose.harms_text(protocol),
        "sample_size_text": prose.sample_size_text(protocol),
        "randomisation_text": prose.randomisation_text(protocol),
        "blinding_text": prose.blinding_text(protocol),
        "hints": prose.hints(protocol, int(results.row("flow.randomised").estimate or 0)),
        "beliefs": beliefs(protocol, results, primary_outcome(protocol)),
        "remarks": lambda outcome: remarks(protocol, results, outcome),
        "method_texts": method_texts(protocol, results),
        "reference_list": references(
            [*results.sentences.values(), *(method.title for method in method_texts(protocol, results))]
        ),
    }


def _numbers(protocol: Protocol, results: Results) -> dict[str, Any]:
    lookup = Lookup(results)
    outcome = primary_outcome(protocol)
    return {
        "lookup": lookup,
        "method_name": method_name,
        "number": lookup.number,
        "share": lambda id: lookup.share(results.row(id)),
        "main_outcome": outcome,
        "main_row": None if outcome is None else main_row(protocol, results, outcome.id),
        "harms_there": bool(results.find(analysis="harms")),
    }


def _pictures(protocol: Protocol, snapshot: Snapshot, results: Results) -> dict[str, Any]:
    return {
        "drawings": {
            "flow": drawings.flow_drawing(protocol, results),
            "completeness": drawings.completeness_drawing(protocol, snapshot),
        },
        "outcome_drawings": {
            outcome.id: OutcomeDrawings(
                drawings.means_drawing(protocol, results, outcome),
                drawings.line_drawings(protocol, snapshot, results, outcome),
                drawings.forest_drawing(protocol, results, outcome),
                drawings.null_drawings(protocol, results, outcome),
                drawings.tipping_drawings(protocol, results, outcome),
                drawings.diagnostic_drawings(protocol, snapshot, results, outcome)
                if outcome == primary_outcome(protocol)
                else (),
            )
            for outcome in protocol.outcomes
        },
    }


def _lists(protocol: Protocol, snapshot: Snapshot, results: Results) -> dict[str, Any]:
    return {
        "tables": {
            "baseline": baseline_table(protocol, results),
            "complete": completeness_table(protocol, results),
            "harms": harms_table(protocol, results),
            "terms": terms_table(protocol, results),
            "grades": grades_table(protocol, results),
            "concomitant": concomitant_table(protocol, results),
            "reactions": reactions_table(protocol, results),
            "vital_signs": vital_signs_table(protocol, results),
            "serious": serious_table(protocol, snapshot),
            "deadlines": deadlines_table(results),
            "events": events_table(protocol, snapshot),
            "sources": sources_table(results),
            "donors": donors_table(snapshot, results),
            "lots": lots_table(snapshot),
            "exposure": exposure_table(protocol, results),
            "infusions": infusions_table(protocol, snapshot),
            "missed": missed_table(snapshot),
            "deviations": deviations_table(protocol, results),
            "deviations_listing": deviations_listing(snapshot),
            "quality": quality_table(results),
            "corrections": corrections_table(protocol, snapshot),
            "checklist": checklist_table(checklist(protocol, results), sections(protocol)),
        },
        "outcome_tables": {
            outcome.id: OutcomeTables(
                means_table(protocol, results, outcome),
                effects_table(protocol, results, outcome),
                anova_tables(protocol, results, outcome),
                mmrm_tables(protocol, results, outcome),
            )
            for outcome in protocol.outcomes
        },
    }


def _safety(protocol: Protocol, snapshot: Snapshot, results: Results) -> dict[str, Any]:
    watched = snapshot.source == "ledger" and protocol.safety is not None
    measured = watched and results.maybe("laboratory.graded") is not None
    values = graded_values(protocol, snapshot) if measured else None
    names = {} if values is None else dict(zip(values["parameter"], values["name"], strict=True))
    stopping = protocol.stopping_rules if watched else ()
    return {
        "has": lambda id: results.maybe(id) is not None,
        "row": results.row,
        "laboratory_tables": {
            "emergent": emergent_table(protocol, results, names),
            "grave": None if values is None else grave_table(protocol, values),
            "ungraded": ungraded_table(results),
            "liver": liver_table(protocol, results),
        },
        "shift_tables": shift_tables(protocol, results, names),
        "harm_drawings": HarmDrawings(
            safety_drawings.swimmer_drawing(protocol, snapshot) if watched else None,
            safety_drawings.incidence_drawing(protocol, results),
            tuple(
                (rule.id, drawing)
                for rule, drawing in zip(
                    stopping, safety_drawings.boundary_drawings(protocol, snapshot) if watched else (), strict=True
                )
            ),
            () if values is None else safety_drawings.laboratory_drawings(protocol, snapshot, values),
            None if values is None else safety_drawings.edish_drawing(protocol, snapshot, values),
        ),
    }


def primary_outcome(protocol: Protocol) -> Outcome | None:
    """The first primary outcome, or else the first."""
    primary = [outcome for outcome in protocol.outcomes if outcome.level == "Primary"]
    return next(iter([*primary, *protocol.outcomes]), None)


def beliefs(protocol: Protocol, results: Results, outcome: Outcome | None) -> tuple[tuple[Row, str], ...]:
    """The GEE answers of the outcome that the plan goes by, each with the reason."""
    if outcome is None:
        return ()
    rows = (row for row in effect_rows(protocol, results, outcome.id) if BELIEVED in mark_of(protocol, row))
    return tuple((row, readable(results.sentences.get(f"believe.{row.analysis}", ""), protocol)) for row in rows)


def remarks(protocol: Protocol, results: Results, outcome: Outcome) -> tuple[str, ...]:
    """What must be read with the outcome's effects: what to go by, what was refused or replaced, what was published."""
    texts = []
    for analysis in analyses_of(protocol, outcome.id):
        own = (
            text
            for id, text in results.sentences.items()
            if id.split(".")[1:2] == [analysis.id]
            and id.split(".")[0] in ("believe", "refused", "fallback", "tipping", "published")
        )
        texts += [f"{analysis_name(analysis)}. {readable(text, protocol)}" for text in own]
    return tuple(texts)


def method_texts(protocol: Protocol, results: Results) -> tuple[Titled, ...]:
    """The methods of the plan in words, with the outcomes that each was used for and its role there."""
    told: dict[tuple[str, str], list[str]] = {}
    for analysis in protocol.analyses:
        parts = (
            results.sentences.get(f"{kind}.{analysis.id}") for kind in ("methods", "fallback", "missing", "refused")
        )
        text = readable(" ".join(part for part in parts if part), protocol)
        where = f"{protocol.outcome(analysis.outcome).name}: {analysis.role}"
        told.setdefault((analysis_name(analysis), text), []).append(where)
    return tuple(Titled(title, text, role="; ".join(where)) for (title, text), where in told.items())


def colophon(protocol: Protocol, snapshot: Snapshot) -> tuple[tuple[str, Fact], ...]:
    """What the report is pinned to."""
    facts: Mapping[str, Fact] = {
        "Trial": Fact(protocol.protocol.id),
        "Source": Fact(snapshot.source),
        "As of": Fact(moment_text(snapshot.as_of)),
        "Ledger position": Fact(str(snapshot.position)),
        "Hash of the last event" if snapshot.source == "ledger" else "Hash of the data": Fact(
            snapshot.head_hash, code=True
        ),
        "Protocol": Fact(f"version {protocol.protocol.version}"),
        "Hash of the protocol": Fact(snapshot.protocol_hash, code=True),
        "Software": Fact(snapshot.software),
    }
    return tuple(facts.items())


def verify_text(snapshot: Snapshot) -> Markup:
    """How a reader can check that the record is the one that this report was made from."""
    if snapshot.source != "ledger":
        return Markup(
            "The hash is the SHA-256 of the data file: compare it with <code>sha256sum</code> of your own copy."
        )
    return Markup(
        "Run <code>equipoise verify DIR --anchor FILE</code> on the trial’s folder, with the anchor file that was kept "
        "apart from it: the record is whole when its event {} has the hash above."
    ).format(snapshot.position)
