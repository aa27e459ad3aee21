"""What is judged of an adverse event by rule: expected or not, suspected or not, after treatment or not.

What a person judges (grade, causality, seriousness) is recorded; what follows from it by the protocol is said here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, tzinfo

from equipoise.protocol.safety import AdverseEventRules
from equipoise.refusals import Refusal
from equipoise.safety.clocks import LETHAL
from equipoise.safety.moments import MINUTE, Moment, parse_moment


class EventRefused(Refusal):
    """A detail of an adverse event that contradicts another one, or the protocol."""


def is_expected(
    rules: AdverseEventRules, names: Iterable[str], criteria: Iterable[str], said: bool | None = None
) -> bool:
    """Whether an event is expected: as somebody said, otherwise by the protocol's `expected`.

    An event is on that list by one of its `names`: the term and the codes that it goes by. It is not expected all the
    same when it is fatal or life-threatening, which is more severe than what is listed (ICH E2A II.C); who holds it to
    be expected says so.
    """
    if said is not None:
        return said
    return not {*names}.isdisjoint(rules.expected) and not LETHAL.intersection(criteria)


def names_of(rules: AdverseEventRules, term: str | None, coding: Mapping[str, str]) -> tuple[str, ...]:
    """The names that an event goes by: its own term, and its codes where they are of the dictionary that is named.

    `coding` holds code, preferred_code and dictionary; nothing before the event is coded.
    """
    own = () if term is None else (term,)
    return (*own, coding["code"], coding["preferred_code"]) if _is_of(rules, coding) else own


def counted_term(rules: AdverseEventRules, term: str | None, coding: Mapping[str, str]) -> str | None:
    """What a rule reads as `ae.term`: the term of the trial's list where it has one, otherwise the preferred code."""
    if term is not None and (term in rules.terms or rules.dictionary is None):
        return term
    return coding["preferred_code"] if _is_of(rules, coding) else None


def _is_of(rules: AdverseEventRules, coding: Mapping[str, str]) -> bool:
    return rules.dictionary is not None and coding.get("dictionary") == rules.dictionary.name


def onset_known(given: str, aware_at: datetime, ended: str | None, zone: tzinfo) -> Moment:
    """When an event began, as far as it is known: as it was told, not after the site knew of it, nor after its end.

    Args:
        given: the onset as it was told.
        aware_at: when the site became aware of the event.
        ended: its end as it was told; None while it has none.
        zone: the trial's.
    """
    onset = parse_moment("onset", given).until(aware_at.astimezone(zone) + MINUTE)
    if ended is None:
        return onset
    return onset.until(parse_moment("resolved", ended).span(zone)[1].astimezone(zone))


def is_suspected(rules: AdverseEventRules, related: Mapping[str, str], products: Collection[str]) -> bool:
    """Whether an event is held to be related to any of the trial's products."""
    return any(answer in rules.related_means for name, answer in related.items() if name in products)


def is_treatment_emergent(onset: Moment, first_treatment: datetime | None) -> bool:
    """Whether an event began once treatment had; one that may have begun before or after counts as after.

    Args:
        onset: when it began.
        first_treatment: when the first treatment began, in the trial's time zone; None when there was none.
    """
    if first_treatment is None:
        return False
    return onset.may_follow(first_treatment)


def check_end(onset: Moment, ended: Moment | None) -> None:
    """Let an end pass that may lie at or after the onset.

    Raises:
        EventRefused: when it is certainly before.
    """
    if ended is None:
        return
    same_day = ended.day is not None and ended.day == onset.day and None not in (ended.at, onset.at)
    if ended.last_day < onset.first_day or (same_day and str(ended.at) < str(onset.at)):
        raise EventRefused("resolved", ended.text, f"is before the onset, {onset.text}", "correct the date")


def check_highest_grade(grade: int, highest: int | None) -> None:
    """Let a highest grade pass that is not below the present one.

    Raises:
        EventRefused: when it is, or is no grade.
    """
    if highest is None:
        return
    if isinstance(highest, bool) or highest not in range(1, 6):
        raise EventRefused("highest_grade", highest, "is not a grade from 1 to 5", "grade it by the protocol's scale")
    if highest < grade:
        raise EventRefused("highest_grade", highest, f"is below the grade, {grade}", "give the worst grade it has had")


def check_of_interest(rules: AdverseEventRules, of_interest: str | None) -> None:
    """Let a category of special interest pass that the protocol names.

    Raises:
        EventRefused: when it does not.
    """
    if of_interest is not None and of_interest not in rules.of_interest:
        names = ", ".join(rules.of_interest)
        remedy = f"use one of {names}" if names else "leave it out, or amend the protocol"
        raise EventRefused("of_interest", of_interest, "is not in safety.adverse_events.of_interest", remedy)
