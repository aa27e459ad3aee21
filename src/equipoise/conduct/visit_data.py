"""All that was recorded at one visit of one participant, as one value: what follows when an answer changes.

A form may read other forms of its visit. When an answer changes, derived items are computed anew, items that are no
longer asked fall away, and the checks are made again, on every form that reads what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from equipoise.capture import Answer, Finding, FormSheet, value_of
from equipoise.capture.forms import Scope, findings_of, settle
from equipoise.conduct.in_force import InForce
from equipoise.ledger import Row, Tables

Page: TypeAlias = tuple[str, int]
"""A form and its repeat."""

NO_ANSWER = Answer()


@dataclass(frozen=True, slots=True)
class VisitData:
    """The visit's forms. `hidden` names the items of each page that are not asked."""

    in_force: InForce
    day: date
    pages: Mapping[Page, Mapping[str, Answer]]

    def sheet(self, page: Page) -> FormSheet:
        """The page's form."""
        return self.in_force.sheet(page[0])

    def around(self, page: Page) -> Scope:
        """What the page's rules read besides itself: the visit's date and the first page of each other form."""
        scope: dict[str, Any] = {"visit.date": self.day}
        for (form, repeat), answers in self.pages.items():
            if form != page[0] and repeat == 1 and form in self.sheet(page).reads:
                items = self.in_force.sheet(form).items
                for item, answer in answers.items():
                    if answer.value is not None and item in items:
                        scope[f"{form}.{item}"] = value_of(items[item], answer.value)
        return scope

    def reading(self, changed: Iterable[str]) -> tuple[Page, ...]:
        """The pages whose rules read one of these forms (or `visit`), or a page that does, themselves included."""
        forms = set(changed)
        while True:
            more = {page[0] for page in self.pages if self.sheet(page).reads & forms} - forms
            if not more:
                return tuple(page for page in self.pages if page[0] in forms)
            forms |= more

    def with_page(self, page: Page, answers: Mapping[str, Answer]) -> VisitData:
        """The visit with a page as given."""
        return VisitData(self.in_force, self.day, {**self.pages, page: answers})

    def settled(self, pages: Iterable[Page]) -> VisitData:
        """The visit with derived items computed and hidden ones dropped on these pages."""
        visit = self
        chosen = tuple(pages)
        for _ in chosen:  # one form may compute from another that computes: at most as many rounds as pages
            for page in chosen:
                answers, _ = settle(visit.sheet(page), known(visit.sheet(page), visit.pages[page]), visit.around(page))
                visit = visit.with_page(page, answers)
        return visit

    def findings(self, pages: Iterable[Page]) -> dict[tuple[Page, str, str], Finding]:
        """What the checks say of these pages, by page, item and check."""
        found = {}
        for page in pages:
            sheet, around = self.sheet(page), self.around(page)
            answers, hidden = settle(sheet, known(sheet, self.pages[page]), around)
            for finding in findings_of(sheet, answers, hidden, around):
                found[page, finding.item, finding.check] = finding
        return found


def visit_data(in_force: InForce, tables: Tables, participant: str, visit: str, day: date) -> VisitData:
    """What the tables hold of a visit.

    Items that the protocol in force no longer has are kept as they are and checked by nothing.
    """
    pages: dict[Page, dict[str, Answer]] = {
        (str(row["form"]), int(str(row["repeat"]))): {}
        for row in tables.rows("form", participant=participant, visit=visit)
    }
    for row in tables.rows("value", participant=participant, visit=visit):
        answer = answer_of(row)
        if answer != NO_ANSWER:
            pages[str(row["form"]), int(str(row["repeat"]))][str(row["item"])] = answer
    return VisitData(in_force, day, {page: answers for page, answers in pages.items() if has_form(in_force, page[0])})


def has_form(in_force: InForce, form: str) -> bool:
    """Whether the protocol in force has the form."""
    return any(known.id == form for known in in_force.protocol.forms)


def known(sheet: FormSheet, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answers to items that the form has."""
    return {item: answer for item, answer in answers.items() if item in sheet.items}


def answer_of(row: Row) -> Answer:
    """The answer in a row of table `value`."""
    value, missing = row["value"], row["missing"]
    return Answer(None if value is None else str(value), None if missing is None else str(missing))
