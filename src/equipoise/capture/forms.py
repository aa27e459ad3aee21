"""Check one form's answers by the protocol: types, ranges, code lists, what is asked, what is computed, edit checks.

An answer is checked as it is, never repaired. All findings are told at once. An item that its `show_if` does not ask
is hidden: it needs no answer, may have none, and counts as neither missing nor answered.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from equipoise.capture.findings import Finding, Severity
from equipoise.capture.values import AnswerError, Missing, Value, normal_text, number_text, value_of
from equipoise.protocol.document import Protocol
from equipoise.protocol.forms import NUMERIC_TYPES, Check, Item, Limits

Scope = Mapping[str, Value | None]
"""What a rule of a form may read besides its own items: `form.item` of the same visit, `visit.date` and the like."""

NOTHING: Scope = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Answer:
    """What stands beside a question: a value in its normal text, or the code that says why there is none."""

    value: str | None = None
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class FormSheet:
    """A form with all that its answers are checked by."""

    form: str
    items: Mapping[str, Item]
    codelists: Mapping[str, Mapping[str, str]]
    checks: tuple[Check, ...]
    reads: frozenset[str]  # other forms that its rules read, and `visit` where they read the visit's date

    @classmethod
    def of(cls, protocol: Protocol, form_id: str) -> FormSheet:
        """The sheet of a form of the protocol."""
        items = {item.id: item for item in protocol.form_items(form_id)}
        checks = tuple(check for check in protocol.checks if check.on == form_id)
        rules = [rule for item in items.values() for rule in (item.show_if, item.formula) if rule is not None]
        names = {name for rule in (*rules, *(check.when for check in checks)) for name in rule.names}
        reads = frozenset(name.partition(".")[0] for name in names if "." in name) - {form_id}
        return cls(form_id, MappingProxyType(items), protocol.codelists, checks, reads)

    def codes(self, item: Item) -> Mapping[str, str]:
        """The item's code list, empty where it has none."""
        return {} if item.codelist is None else self.codelists[item.codelist]

    def name(self, item_id: str) -> str:
        """The item as `form.item`."""
        return f"{self.form}.{item_id}"

    def concerns(self, finding: Finding, names: Collection[str]) -> bool:
        """Whether a finding on the form rests on any of these items (`form.item`, `visit.date`)."""
        read = {finding.item} | {
            name if "." in name else self.name(name)
            for check in self.checks
            if check.id == finding.check
            for name in check.when.names
        }
        return not read.isdisjoint(names)

    def values(self, answers: Mapping[str, Answer]) -> dict[str, Value]:
        """The answers as rules read them, by item id; items without a value are left out."""
        return {
            item_id: value_of(self.items[item_id], answer.value)
            for item_id, answer in answers.items()
            if answer.value is not None
        }

    def scope(self, values: Mapping[str, Value], around: Scope = NOTHING) -> dict[str, Value | None]:
        """What the form's rules read: its values by item id and by `form.item`, and what is around them."""
        return {**around, **{self.name(item_id): value for item_id, value in values.items()}, **values}


@dataclass(frozen=True, slots=True)
class Checked:
    """A form's answers, derived ones included, and all that the checks found. Hidden and empty items are left out."""

    answers: Mapping[str, Answer]
    findings: tuple[Finding, ...]

    @property
    def hard(self) -> tuple[Finding, ...]:
        """The faults."""
        return tuple(finding for finding in self.findings if finding.severity == "hard")

    @property
    def soft(self) -> tuple[Finding, ...]:
        """The doubts."""
        return tuple(finding for finding in self.findings if finding.severity == "soft")


def check_form(sheet: FormSheet, given: Mapping[str, object], around: Scope = NOTHING) -> Checked:
    """Read and check a whole form.

    Args:
        sheet: the form.
        given: answers by item id, as they came; `Missing(code)` where there is none; None or "" is no answer.
        around: what the form's rules may read besides: values of the visit's other forms by `form.item`, `visit.date`.

    Returns:
        The answers that can be read, in the form's order, with every finding.
    """
    findings = list(_unknown(sheet, given))
    entered: dict[str, Answer] = {}
    for item_id in sheet.items:
        raw = given.get(item_id)
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            continue
        try:
            entered[item_id] = read_answer(sheet, item_id, raw)
        except AnswerError as fault:
            text = raw.code if isinstance(raw, Missing) else str(raw)
            check = "missing" if isinstance(raw, Missing) else "type"
            findings.append(Finding(sheet.name(item_id), check, "hard", text, fault.problem, fault.remedy))
    unreadable = {finding.item for finding in findings}
    answers, hidden = settle(sheet, entered, around)
    findings += (
        Finding(
            sheet.name(item_id), "hidden", "hard", answer.value or answer.missing, "is not asked here", "leave it out"
        )
        for item_id, answer in entered.items()
        if item_id in hidden
    )
    findings += (finding for finding in findings_of(sheet, answers, hidden, around) if finding.item not in unreadable)
    return Checked(answers, tuple(findings))


def read_answer(sheet: FormSheet, item_id: str, raw: object) -> Answer:
    """One answer as it is stored.

    Args:
        sheet: the form.
        item_id: one of its items.
        raw: the answer as it came; `Missing(code)` where there is none.

    Raises:
        AnswerError: when it is no answer to that item.
    """
    item = sheet.items[item_id]
    if not isinstance(raw, Missing):
        return Answer(normal_text(item, raw, sheet.codes(item)))
    if item.type == "derived":
        raise AnswerError("is computed, not entered", "leave it out")
    if raw.code not in item.missing:
        remedy = f"use one of {', '.join(item.missing)}" if item.missing else "answer it; it has no missing codes"
        raise AnswerError("is not a missing code of the item", remedy)
    return Answer(missing=raw.code)


def settle(
    sheet: FormSheet, entered: Mapping[str, Answer], around: Scope = NOTHING
) -> tuple[dict[str, Answer], set[str]]:
    """Drop hidden answers and compute derived ones.

    Args:
        sheet: the form.
        entered: answers by item id; derived ones are computed anew.
        around: as for `check_form`.

    Returns:
        The answers that stand, in the form's order, and the ids of hidden items.
    """
    standing = {item_id: answer for item_id, answer in entered.items() if sheet.items[item_id].type != "derived"}
    values = sheet.values(standing)
    hidden: set[str] = set()
    for item_id, item in sheet.items.items():  # in order: an item is shown or hidden by earlier ones
        if item.show_if is not None and not item.show_if.holds(sheet.scope(values, around)):
            hidden.add(item_id)
            standing.pop(item_id, None)
            values.pop(item_id, None)
        elif item.formula is not None:
            computed = item.formula.evaluate(sheet.scope(values, around))
            if isinstance(computed, Decimal):
                standing[item_id] = Answer(_rounded(computed, item))
                values[item_id] = value_of(item, _rounded(computed, item))
    return {item_id: standing[item_id] for item_id in sheet.items if item_id in standing}, hidden


def findings_of(
    sheet: FormSheet, answers: Mapping[str, Answer], hidden: Iterable[str], around: Scope = NOTHING
) -> Iterator[Finding]:
    """What the checks say about answers that could be read: required items, ranges, then edit checks."""
    for item_id, item in sheet.items.items():
        answer = answers.get(item_id)
        if answer is None:
            if item.required and item.type != "derived" and item_id not in hidden:
                yield Finding(sheet.name(item_id), "required", "hard", None, "is required", _how_to_answer(item))
        elif answer.value is not None and item.type in NUMERIC_TYPES:
            yield from _range_findings(sheet.name(item_id), item, answer.value)
    scope = sheet.scope(sheet.values(answers), around)
    for check in sheet.checks:
        if check.when.holds(scope):
            yield _edit_finding(sheet, check, answers)


def _edit_finding(sheet: FormSheet, check: Check, answers: Mapping[str, Answer]) -> Finding:
    """A check's finding stands beside the first of its items on the form."""
    named = [name for name in sheet.items if name in check.when.names or sheet.name(name) in check.when.names]
    item_id = named[0] if named else next(iter(sheet.items))
    answer = answers.get(item_id, Answer())
    remedy = "correct the answers" if check.severity == "hard" else "correct the answers, or add a comment"
    return Finding(sheet.name(item_id), check.id, check.severity, answer.value, check.message, remedy)


def _hidden(name: str, answer: Answer) -> Finding:
    return Finding(name, "hidden", "hard", answer.value or answer.missing, "is not asked here", "leave it out")


def _unknown(sheet: FormSheet, given: Mapping[str, object]) -> Iterator[Finding]:
    for name in given:
        if name not in sheet.items:
            close = difflib.get_close_matches(name, list(sheet.items), n=1)
            remedy = f"did you mean {close[0]}?" if close else f"use {', '.join(sheet.items)}"
            yield Finding(sheet.name(name), "unknown", "hard", None, "is not an item of the form", remedy)


def _rounded(computed: Decimal, item: Item) -> str:
    if item.places is not None:
        computed = computed.quantize(Decimal(1).scaleb(-item.places), rounding=ROUND_HALF_UP)
    return number_text(computed)


def _how_to_answer(item: Item) -> str:
    return f"answer it, or mark it missing ({', '.join(item.missing)})" if item.missing else "answer it"


def _range_findings(name: str, item: Item, text: str) -> Iterator[Finding]:
    number = Decimal(text)
    limits: tuple[tuple[Severity, Limits, str], ...] = (
        ("hard", item.range.hard, "check the value and its unit"),
        ("soft", item.range.soft, "check the value and its unit, or add a comment"),
    )
    for severity, range_, remedy in limits:
        problem = _outside(number, range_, item.unit)
        if problem is not None:
            yield Finding(name, "range", severity, text, problem, remedy)
            return


def _outside(number: Decimal, limits: Limits, unit: str | None) -> str | None:
    measure = f" {unit}" if unit not in (None, "1") else ""
    if limits.min is not None and number < limits.min:
        return f"is below {number_text(limits.min)}{measure}"
    if limits.max is not None and number > limits.max:
        return f"is above {number_text(limits.max)}{measure}"
    return None
