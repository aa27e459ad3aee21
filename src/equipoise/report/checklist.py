"""The CONSORT 2025 checklist: thirty items in short words, where each is answered, the unanswered ones first.

Source: Hopewell et al. (2025), CONSORT 2025 statement, PLoS Medicine 22(4):e1004587. The wording is this report's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import MeansByVisit

ITEMS: Mapping[str, str] = {
    "1a": "Title names the trial as randomised",
    "1b": "Structured summary of design, methods, results and conclusions",
    "2": "Registry, number and date of registration",
    "3": "Where protocol and statistical analysis plan can be read",
    "4": "Where and how data, code and other materials are shared",
    "5a": "Funding and the funders’ role",
    "5b": "Financial and other interests of the authors",
    "6": "Background and rationale",
    "7": "Objectives, of benefit and of harm",
    "8": "Involvement of patients and public",
    "9": "Design: type, allocation ratio, framework",
    "10": "Important changes after the trial began, with reasons",
    "11": "Setting and locations",
    "12a": "Eligibility of participants",
    "12b": "Eligibility of sites and of those who give the interventions",
    "13": "Interventions and comparator in enough detail to repeat them",
    "14": "Outcomes: variable, metric, aggregation and time point",
    "15": "How harms were defined and assessed",
    "16a": "How the number of participants was found, with assumptions",
    "16b": "Interim analyses and rules for stopping",
    "17a": "Who made the random sequence and how",
    "17b": "Type of randomisation and its restrictions",
    "18": "How the sequence was concealed until assignment",
    "19": "Whether those who enrolled and assigned could know the sequence",
    "20a": "Who was blinded after assignment",
    "20b": "How blinding was done",
    "21a": "Statistical methods for primary and secondary outcomes and harms",
    "21b": "Who is in each analysis, and in which group",
    "21c": "How missing data were handled",
    "21d": "Methods of additional analyses, planned or not",
    "22a": "Numbers assigned, treated and analysed in each group",
    "22b": "Losses and exclusions after randomisation, with reasons",
    "23a": "Dates of recruitment and follow-up",
    "23b": "Why the trial ended or was stopped",
    "24a": "Interventions as they were given, and adherence",
    "24b": "Care received beside the interventions",
    "25": "Baseline table by group",
    "26": "For each outcome the numbers analysed, result and effect with its precision",
    "27": "All harms in each group",
    "28": "Other analyses, planned ones told from others",
    "29": "Interpretation in the light of benefits, harms and other evidence",
    "30": "Limitations: bias, imprecision, generalisability, multiplicity",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An item of the checklist and the section that answers it; None while nothing does."""

    number: str
    text: str
    section: str | None


def checklist(protocol: Protocol, results: Results) -> tuple[Answer, ...]:
    """All items, those without an answer first, each group in the checklist's order."""
    sections = _sections(protocol, results)
    answers = [Answer(number, text, sections.get(number)) for number, text in ITEMS.items()]
    return tuple(sorted(answers, key=lambda answer: answer.section is not None))


def _sections(protocol: Protocol, results: Results) -> dict[str, str]:
    """The section that answers each item, for the items that are answered."""
    answered = {number: section for number, (section, there) in _generated(protocol, results).items() if there}
    stated = {number: _home(number) for number in protocol.report.statements if number in ITEMS}
    return stated | answered


def _home(number: str) -> str:
    """The section in which a statement of the protocol is printed."""
    if number in ("29", "30"):
        return "interpretation"
    return "statements"


def _delivery(results: Results) -> tuple[str, bool]:
    """Where it is said what was given: by course where infusions are recorded, otherwise who received anything."""
    given = any(row.id.endswith(".given") and row.estimate for row in results.find(analysis="exposure"))
    if given:
        return "product", True
    return "flow", any(row.id.startswith("flow.received.") for row in results.rows)


def _generated(protocol: Protocol, results: Results) -> dict[str, tuple[str, bool]]:
    """For each item that protocol and results can answer: the section, and whether they do."""
    registered = any(each.type == "registry" for each in protocol.identifiers)
    analyses = protocol.analyses
    effects = any(
        not isinstance(analysis, MeansByVisit) and results.find(analysis=analysis.id) for analysis in analyses
    )
    drawn_here = protocol.allocation.method != "external"
    open_label = protocol.design.blinding == "OPEN LABEL"
    return {
        "1a": ("title", "random" in protocol.titles.full.lower()),
        "1b": ("summary", bool(results.sentences.get("primary"))),
        "2": ("title", registered),
        "4": ("methods", protocol.data_sharing is not None),
        "5a": ("title", bool(protocol.parties.funders)),
        "5b": ("title", protocol.parties.interests is not None),
        "7": ("methods", bool(protocol.objectives)),
        "9": ("methods", True),
        "10": ("methods", True),
        "11": ("methods", True),
        "12a": ("methods", bool(protocol.criteria)),
        "13": ("methods", bool(protocol.interventions)),
        "14": ("methods", bool(protocol.outcomes)),
        "15": ("methods", protocol.safety is not None),
        "16a": ("methods", protocol.sample_size is not None),
        "16b": ("methods", bool(protocol.stopping_rules)),
        "17a": ("methods", drawn_here),
        "17b": ("methods", drawn_here or protocol.allocation.description is not None),
        "18": ("methods", protocol.allocation.concealment is not None),
        "20a": ("methods", True),
        "20b": ("methods", open_label),
        "21a": ("methods", bool(analyses)),
        "21b": ("methods", bool(protocol.analysis_sets)),
        "21c": ("methods", bool(analyses)),
        "21d": ("methods", any(analysis.role in ("sensitivity", "supplementary") for analysis in analyses)),
        "22a": ("flow", results.maybe("flow.randomised") is not None),
        "22b": ("flow", any(row.id.startswith("flow.lost.") for row in results.rows)),
        "23a": ("flow", "dates" in results.sentences),
        "24a": _delivery(results),
        "24b": ("completeness", bool(results.find(analysis="concomitant"))),
        "25": ("baseline", bool(results.find(analysis="baseline"))),
        "26": (f"outcome-{protocol.outcomes[0].id}" if protocol.outcomes else "summary", effects),
        "27": ("harms", bool(results.find(analysis="harms"))),
        "28": (
            f"outcome-{protocol.outcomes[0].id}" if protocol.outcomes else "summary",
            any(
                analysis.role in ("sensitivity", "supplementary") and results.find(analysis=analysis.id)
                for analysis in analyses
            ),
        ),
    }
