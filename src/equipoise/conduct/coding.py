"""Code adverse events by the dictionary that the protocol names, and say which are not coded yet.

The dictionary is that of the trial's newest protocol, at every site alike. A code is of the verbatim text: when that is
corrected, the code is taken away. What an event is coded by is kept with it, so that the record is read without the
dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from equipoise.conduct.acting import acting
from equipoise.conduct.harm_facts import adverse_event_row, facts_of, settled
from equipoise.conduct.harm_tables import is_coded_by
from equipoise.conduct.kinds import Kind
from equipoise.conduct.refusing import NotAccepted
from equipoise.conduct.stopping_watch import standings_after_event
from equipoise.conduct.trials import Trial
from equipoise.ledger import Actor, Tables
from equipoise.protocol.safety import CodingDictionary
from equipoise.safety.dictionary import CodedTerm, Dictionary


@dataclass(frozen=True, slots=True)
class EventCode:
    """By what an adverse event is coded.

    Args:
        participant: the participant's code.
        number: the event's number within the participant.
        verbatim: the event in the reporter's words.
        term: the term of the trial's own list, if it has one.
        code: by which it is coded; None when by none.
        current: whether that is a code of the protocol's dictionary in its version.
    """

    participant: str
    number: int
    verbatim: str
    term: str | None
    code: str | None
    current: bool


def coding_dictionary(trial: Trial) -> Dictionary:
    """The dictionary by which the trial's events are coded.

    Raises:
        NotAccepted: when the protocol names none.
        DictionaryRefused: when it cannot be read.
    """
    with trial.ledger.reading() as reader:
        return trial.dictionary(_named(trial, reader))


def event_codes(trial: Trial) -> tuple[EventCode, ...]:
    """By what each adverse event is coded, in the order of participants and numbers.

    Raises:
        NotAccepted: when the protocol names none.
    """
    with trial.ledger.reading() as reader:
        named = _named(trial, reader)
        return tuple(sorted(_codes(named, reader), key=lambda event: (event.participant, event.number)))


def _codes(named: CodingDictionary, tables: Tables) -> Iterator[EventCode]:
    for row in tables.rows("adverse_event"):
        if row["voided_at"] is None:
            term, code = (None if row[name] is None else str(row[name]) for name in ("term", "code"))
            place = str(row["participant"]), int(str(row["number"]))
            yield EventCode(*place, str(row["verbatim"]), term, code, is_coded_by(named, row))


def code_adverse_event(
    trial: Trial, participant: str, number: int, term: str, *, by: Actor, reason: str, at: datetime
) -> CodedTerm:
    """Code an adverse event by a term of the protocol's dictionary.

    Args:
        trial: the trial.
        participant: the participant's code.
        number: the event's number within the participant.
        term: the dictionary's code, or its whole name, of the term that says what the verbatim text says.
        by: who codes.
        reason: why, such as the round of coding.
        at: when (UTC).

    Returns:
        The term with its place in the dictionary.

    Raises:
        NotFound: when the participant or the event is not in this trial.
        OutOfOrder: when the event was voided.
        NotAccepted: when the protocol names no dictionary, or that code stands there already.
        DictionaryRefused: when the dictionary cannot be read, has no such term, or no longer recommends it.
    """
    with acting(trial, Kind.ADVERSE_EVENT_CODED, by=by, reason=reason, at=at) as act:
        row = act.participant(participant)
        stands = adverse_event_row(act, participant, number)
        named = _named(trial, act.writer)
        found = trial.dictionary(named).current(term)
        coding = {
            "code": found.code,
            "coded_term": found.name,
            "preferred_term": found.preferred,
            "preferred_code": found.preferred_code,
            "coded_system": found.system or None,
            "term_groups": list(found.groups),
            "dictionary": found.dictionary,
            "dictionary_version": found.version,
        }
        if is_coded_by(named, stands) and stands["code"] == found.code:
            raise NotAccepted("term", term, "is what the event is coded by", "leave it")
        names = {name: str(coding[name]) for name in ("code", "preferred_code", "dictionary")}
        facts = settled(act, act.in_force_for(row), row, facts_of(stands), coding=names)
        newest = trial.newest(act.writer)
        stopping = standings_after_event(newest.protocol, act.writer, participant, number, {**facts, **coding})
        payload = {"participant": participant, "number": number, "facts": facts, "coding": coding, "stopping": stopping}
        act.append(payload, stream=participant, in_force=newest)
    return found


def _named(trial: Trial, tables: Tables) -> CodingDictionary:
    safety = trial.newest(tables).protocol.safety
    dictionary = None if safety is None else safety.adverse_events.dictionary
    if dictionary is None:
        remedy = "amend the protocol to name one, such as {name: MedDRA, version: '27.1'}"
        raise NotAccepted("safety.adverse_events.dictionary", None, "is not in the protocol", remedy)
    return dictionary
