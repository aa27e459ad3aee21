"""A protocol as the acts use it: parsed once, its forms prepared, its method of allocation built."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from equipoise.capture import FormSheet, PlannedVisit, planned_visits
from equipoise.conduct.refusing import NotAccepted, NotFound
from equipoise.donors import DecidingRule, deciding_rule
from equipoise.protocol.crosschecks import allocation_parameters
from equipoise.protocol.document import Protocol
from equipoise.protocol.interventions import Intervention, Product, Regimen
from equipoise.protocol.schedule import Visit
from equipoise.randomisation import Method, parse_method
from equipoise.refusals import Refusal

DATED = "@"
"""Stands between an unscheduled visit's id and its date: `extra@2018-05-02`."""


class InForce:
    """One version of the protocol and what is made from it, kept while the program runs."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self._sheets: dict[str, FormSheet] = {}
        self._before = {visit.id for visit in (*protocol.screening_visits, protocol.baseline_visit) if visit}

    @property
    def hash(self) -> str:
        """The protocol's hash."""
        return self.protocol.sha256

    @cached_property
    def timezone(self) -> tzinfo:
        """The zone in which the trial's days are counted.

        Raises:
            Refusal: when this machine does not know it.
        """
        name = self.protocol.conventions.timezone
        if name == "UTC":
            return UTC
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            remedy = "write a name such as Asia/Shanghai, or install the system's time zones (tzdata)"
            raise Refusal("conventions.timezone", name, "is not a time zone that this machine knows", remedy) from None

    @cached_property
    def method(self) -> Method | None:
        """How participants are allocated; None when it is done elsewhere."""
        allocation = self.protocol.allocation
        if allocation.method == "external":
            return None
        parameters = dict(allocation_parameters(allocation))
        if allocation.method in ("random_allocation_rule", "maximal_procedure"):
            parameters["n"] = self.protocol.population.planned
        return parse_method(allocation.method, self.protocol.arm_ids, allocation.ratio, **parameters)

    @cached_property
    def deciding_rule(self) -> DecidingRule:
        """The rule that says which donor may serve which participant.

        Raises:
            NotAccepted: when the protocol names none.
            Refusal: when it names one that there is not.
        """
        part = self.protocol.donor_matching
        if part is None:
            remedy = "amend the protocol to name its mismatch rule"
            raise NotAccepted("donor_matching", None, "is not in the protocol in force", remedy)
        return deciding_rule(part)

    def check_matching(self) -> None:
        """Let a protocol pass whose rule for matching donors, if any, is there.

        Raises:
            Refusal: when it is not.
        """
        if self.protocol.donor_matching is not None:
            deciding_rule(self.protocol.donor_matching)

    @cached_property
    def donor_tests(self) -> frozenset[str]:
        """The infection tests that the protocol asks of the donor of any product."""
        asked = [part.donor_eligibility for part in self.protocol.products if part.donor_eligibility is not None]
        return frozenset(test for eligibility in asked for test in eligibility.tests)

    def products_of(self, arm: str) -> tuple[str, ...]:
        """The products that an arm receives."""
        return tuple(part.product for part in self._given_in(arm) if part.product)

    def planned_courses(self, arm: str, anchor: date) -> dict[str, PlannedVisit]:
        """The courses of product that an arm receives, in dates for a participant randomised on the anchor."""
        courses = [course for regimen in self.regimens_of(arm).values() for course in regimen.courses]
        return {planned.visit: planned for planned in planned_visits(courses, anchor)}

    def regimens_of(self, arm: str) -> dict[str, Regimen]:
        """By product, how an arm receives it."""
        regimens = {regimen.id: regimen for regimen in self.protocol.regimens}
        parts = [part for part in self._given_in(arm) if part.product and part.regimen in regimens]
        return {str(part.product): regimens[str(part.regimen)] for part in parts}

    def product(self, product: str) -> Product:
        """A product.

        Raises:
            NotFound: when the protocol has no such product.
        """
        products = {part.id: part for part in self.protocol.products}
        check_known("product", product, products)
        return products[product]

    def _given_in(self, arm: str) -> list[Intervention]:
        given = self.protocol.arm(arm).interventions
        return [part for part in self.protocol.interventions if part.id in given]

    def day_of(self, at: datetime) -> date:
        """The trial's own date at a moment."""
        return at.astimezone(self.timezone).date()

    def sheet(self, form: str) -> FormSheet:
        """A form's sheet.

        Raises:
            NotFound: when the protocol has no such form.
        """
        if form not in self._sheets:
            check_known("form", form, [known.id for known in self.protocol.forms])
            self._sheets[form] = FormSheet.of(self.protocol, form)
        return self._sheets[form]

    @cached_property
    def planned(self) -> dict[str, Visit]:
        """The planned visits by id, in order."""
        return {visit.id: visit for visit in self.protocol.visits}

    def visit_code(self, visit: str, day: date) -> str:
        """The code under which a visit is kept: its id, with the date for an unscheduled one.

        Raises:
            NotFound: when the protocol has no such visit, or the code's date is another.
        """
        if visit in self.planned:
            return visit
        name, mark, dated = visit.partition(DATED)
        unscheduled = [known.id for known in self.protocol.unscheduled]
        if name not in unscheduled:
            check_known("visit", visit, [*self.planned, *unscheduled])
        if mark and dated != day.isoformat():
            raise NotFound("visit", visit, f"names another date than {day}", "give the date once, or the same twice")
        return f"{name}{DATED}{day}"

    def forms_at(self, visit: str) -> tuple[str, ...]:
        """The forms of a visit, planned or unscheduled; none when the protocol has no such visit."""
        if visit in self.planned:
            return self.planned[visit].forms
        name = visit.partition(DATED)[0]
        return next((known.forms for known in self.protocol.unscheduled if known.id == name), ())

    def before_allocation(self, visit: str) -> bool:
        """Whether the visit is a screening or baseline visit."""
        return visit in self._before

    @cached_property
    def eligibility_visits(self) -> tuple[str, ...]:
        """Screening and baseline visits, in order: where criteria read their items."""
        return tuple(visit for visit in self.planned if visit in self._before)


def check_known(field: str, value: str, known: Collection[str]) -> None:
    """Let a name pass that is known.

    Raises:
        NotFound: with the nearest known name, or all of them.
    """
    if value not in known:
        raise NotFound(field, value, "is not in the protocol", nearest(value, known))


def nearest(value: str, known: Iterable[str]) -> str:
    """What to do about an unknown name."""
    names = list(known)
    close = difflib.get_close_matches(value, names, n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(names)}" if names else "leave it out"
