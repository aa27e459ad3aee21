"""An adverse event told for its receiver: the fields of the CIOMS I form, and a narrative in sentences.

What is not known says so; nothing is left blank, so that a blank is never taken for no. A participant is named by code.
Source: CIOMS Working Group I (1990), International Reporting of Adverse Drug Reactions; ICH E2A.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

NOT_KNOWN = "not known"
NOT_COLLECTED = "not collected"


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of an event and its participant, each as text; None is not known.

    `criteria` are the sentences of the criteria of seriousness that it meets, `related` the causality by what it was
    asked for; `coded_by` the dictionary and code of the term. What
    was given is `given_on` before the event and `given_again` after it.
    """

    participant: str
    number: int
    trial: str
    sponsor: str
    term: str
    verbatim: str
    onset: str
    grade: int
    highest_grade: int
    scale: str
    criteria: tuple[str, ...]
    related: Mapping[str, str]
    expected: bool
    outcome: str
    aware_at: str
    follow_up: bool = False
    resolved: str | None = None
    coded_by: str | None = None
    action: str | None = None
    treatment: str | None = None
    country: str | None = None
    age: str | None = None
    sex: str | None = None
    indication: str | None = None
    products: tuple[str, ...] | None = None
    dose: str | None = None
    route: str | None = None
    given_on: tuple[str, ...] | None = None
    given_again: tuple[str, ...] | None = None
    course: str | None = None
    since_infusion: str = "the time between is not known"
    concomitant: tuple[str, ...] | None = None
    history: tuple[str, ...] | None = None
    reporter: str | None = None
    reported_at: str | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """One box of the form: its number on CIOMS I, its label, its text."""

    number: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Narrative:
    """The form's boxes in order, and the narrative."""

    boxes: tuple[Box, ...]
    text: str


def narrative_of(case: Case) -> Narrative:
    """The boxes and the narrative of an event."""
    return Narrative(_boxes(case), " ".join(_sentences(case)))


def _boxes(case: Case) -> tuple[Box, ...]:
    serious = "; ".join(case.criteria) or "not serious"
    causality = "; ".join(f"{name}: {answer}" for name, answer in case.related.items())
    coded = f"; {case.coded_by}" if case.coded_by else ""
    described = (
        f"{case.term} (reported as: {case.verbatim}{coded}), "
        f"{_grade(case)}; outcome {case.outcome}, ended {case.resolved or NOT_KNOWN}"
    )
    texts = (
        ("1", "Participant", f"code {case.participant}; initials {NOT_COLLECTED}"),
        ("1a", "Country", case.country),
        ("2", "Date of birth", NOT_COLLECTED),
        ("2a", "Age", case.age),
        ("3", "Sex", case.sex),
        ("4-6", "Onset of the reaction", case.onset),
        ("7", "Reaction described", described),
        ("8-12", "Seriousness", serious),
        ("13", "Causality", f"{causality or NOT_KNOWN}; {'expected' if case.expected else 'not expected'}"),
        ("14", "Suspect products", _listed(case.products)),
        ("15", "Dose", case.dose),
        ("16", "Route of administration", case.route),
        ("17", "Indication", case.indication),
        ("18", "Given on", _listed(case.given_on)),
        ("19", "Duration of therapy", _times(case)),
        ("20", "Did it abate after stopping", _abated(case)),
        ("21", "Did it reappear after giving again", _given_again(case)),
        ("22", "Concomitant products", _listed(case.concomitant)),
        ("23", "Other relevant history", _listed(case.history)),
        ("24a", "Sponsor", case.sponsor),
        ("24b", "Control number", f"{case.trial}/{case.participant}/{case.number}"),
        ("24c", "Site became aware", case.aware_at),
        ("24d", "Reported by", case.reporter),
        ("25", "Date of this report", case.reported_at),
        ("25a", "Type of report", "follow-up" if case.follow_up else "initial"),
    )
    return tuple(Box(number, label, text or NOT_KNOWN) for number, label, text in texts)


def _listed(texts: tuple[str, ...] | None) -> str | None:
    """A list that was asked for and is empty says none; one that was not asked for is not known."""
    return None if texts is None else "; ".join(texts) or "none"


def _abated(case: Case) -> str | None:
    if case.action not in ("DRUG WITHDRAWN", "DRUG INTERRUPTED"):
        return "not applicable: not stopped" if case.action is not None else None
    return f"outcome after stopping: {case.outcome}"


def _grade(case: Case) -> str:
    """The worst grade first: it is what the receiver must know."""
    if case.highest_grade == case.grade:
        return f"grade {case.grade} by {case.scale}"
    return f"grade {case.highest_grade} at its worst and {case.grade} now by {case.scale}"


def _times(case: Case) -> str | None:
    if not case.given_on:
        return None if case.given_on is None else "none given"
    return f"{len(case.given_on)} administration{'' if len(case.given_on) == 1 else 's'}"


def _given_again(case: Case) -> str | None:
    """Whether it reappeared is the reporter's to say; that it was given again is in the record."""
    if case.given_again is None:
        return None
    again = f"given again ({'; '.join(case.given_again)}): {NOT_KNOWN}"
    return again if case.given_again else "not applicable: not given again"


def _sentences(case: Case) -> tuple[str, ...]:
    who = ", ".join(text for text in (case.sex, case.age) if text) or f"sex and age {NOT_KNOWN}"
    infusion = "No product of the trial was given before it." if case.products == () else ""
    if case.course:
        infusion = f"The last infusion before it was of course {case.course}; {case.since_infusion}."
    serious = f"It is serious: it {', '.join(case.criteria)}." if case.criteria else "It is not serious."
    causality = ", ".join(f"{name} {answer.lower()}" for name, answer in case.related.items()) or NOT_KNOWN
    end = f"Outcome: {case.outcome.lower()}, ended {case.resolved or NOT_KNOWN}."
    sentences = (
        f"Participant {case.participant} ({who}) of trial {case.trial} had {case.term}, reported as “{case.verbatim}”,",
        f"from {case.onset}, {_grade(case)}.",
        infusion,
        serious,
        f"Causality: {causality}; {'expected' if case.expected else 'not expected'}.",
        f"Action taken with the trial intervention: {(case.action or NOT_KNOWN).lower()}.",
        f"Treatment: {case.treatment or NOT_KNOWN}.",
        end,
        f"The site became aware at {case.aware_at}.",
    )
    return tuple(sentence for sentence in sentences if sentence)
