"""Register a donor, record the infection tests, judge whether the donor may give.

A donor is a code: no name, no initials, no date of birth. A trial's donors serve every site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from equipoise.conduct.acting import Act, acting, check_not_future
from equipoise.conduct.details import check_code, words
from equipoise.conduct.donor_tables import DONOR
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_tables import RELEASED
from equipoise.conduct.refusing import NotAccepted, NotEligible, NotFound, OutOfOrder, listed
from equipoise.conduct.trials import Trial
from equipoise.donors import DonorTest, Reason, donor_reasons
from equipoise.ledger import Actor, Row, Tables

SEXES: Mapping[str, str] = MappingProxyType({"F": "female", "M": "male", "U": "not known"})
RESULTS = ("NEGATIVE", "POSITIVE", "INDETERMINATE")
TEST = re.compile(r"[A-Z][A-Z0-9_-]{0,19}")
YOUNGEST, OLDEST = 16, 100


def register_donor(
    trial: Trial, donor: str, *, sex: str, birth_year: int, by: Actor, reason: str, at: datetime
) -> None:
    """Take a person among the trial's donors.

    Args:
        trial: the trial.
        donor: the donor's code: capitals and digits, at least one digit; never a name or initials.
        sex: one of `SEXES`.
        birth_year: the year alone.
        by: who acts.
        reason: why.
        at: when (UTC).

    Raises:
        NotAccepted: when a fact cannot be, or the code is a participant's.
        OutOfOrder: when there is such a donor already.
    """
    with acting(trial, Kind.DONOR_REGISTERED, by=by, reason=reason, at=at) as act:
        in_force = trial.newest(act.writer)
        _check_code(act, donor)
        if sex not in SEXES:
            remedy = f"use one of {', '.join(SEXES)}"
            raise NotAccepted("sex", sex, "is not a code for this", remedy)
        today = in_force.day_of(at)
        if isinstance(birth_year, bool) or not today.year - OLDEST <= birth_year <= today.year - YOUNGEST:
            problem = f"is not the year of birth of a donor of {YOUNGEST} to {OLDEST} years"
            raise NotAccepted("birth_year", birth_year, problem, "give the year alone, such as 1990")
        payload = {"donor": donor, "sex": sex, "birth_year": birth_year, "on": today.isoformat()}
        act.append(payload, stream=donor_stream(donor), in_force=in_force)


def record_donor_tests(
    trial: Trial,
    donor: str,
    *,
    results: Mapping[str, str],
    sampled_on: date,
    by: Actor,
    reason: str,
    at: datetime,
) -> None:
    """Record infection tests of one sample of a donor.

    A result that is not negative, of a test that the protocol asks for, takes back that the donor is eligible, and
    the donor's released lots go back to quarantine.

    Args:
        trial: the trial.
        donor: the donor's code.
        results: by test, such as `HIV`: one of `RESULTS`.
        sampled_on: the day of the sample.
        by: who acts.
        reason: why.
        at: when (UTC).

    Raises:
        NotFound: when there is no such donor.
        NotAccepted: when a test or result is no code, none is given, or the day cannot be.
        OutOfOrder: when a test of that sample is recorded already.
    """
    with acting(trial, Kind.DONOR_TESTED, by=by, reason=reason, at=at) as act:
        row = donor_row(act.writer, donor)
        in_force = trial.newest(act.writer)
        if not results:
            raise NotAccepted("results", None, "are none", "give at least one, such as HIV: NEGATIVE")
        for test, result in results.items():
            if TEST.fullmatch(test) is None:
                raise NotAccepted("test", test, "is not a code", "use capitals and digits, such as HIV or HBV")
            if result not in RESULTS:
                raise NotAccepted(f"results.{test}", result, "is not a result", f"use one of {', '.join(RESULTS)}")
            if act.writer.row("donor_test", donor, test, sampled_on.isoformat()) is not None:
                problem = f"of donor {donor} is recorded of the sample of {sampled_on}"
                raise OutOfOrder("test", test, problem, "leave it, or give the day of another sample")
        check_not_future("sampled_on", sampled_on, in_force.day_of(at))
        against = [test for test, result in results.items() if result != RESULTS[0] and test in in_force.donor_tests]
        suspended = None
        if against and row["eligible"]:
            found = ", ".join(f"{test} {results[test]}" for test in against)
            suspended = f"to be judged again: {found} in the sample of {sampled_on}"
        payload = {
            "donor": donor,
            "results": dict(results),
            "sampled_on": sampled_on.isoformat(),
            "suspended": suspended,
            "quarantined": _lots_in_use(act.writer, donor) if suspended else [],
        }
        act.append(payload, stream=donor_stream(donor), in_force=in_force)


def judge_donor(
    trial: Trial, donor: str, *, eligible: bool, statement: str, by: Actor, reason: str, at: datetime
) -> None:
    """Say whether a donor may give, in the words of the quality unit (21 CFR 1271.50).

    The released lots of a donor who is judged not eligible go back to quarantine.

    Raises:
        NotFound: when there is no such donor.
        NotAccepted: when the statement is blank.
        NotEligible: when the donor is to be eligible and a test that the protocol asks for is lacking, old or not
            negative.
    """
    with acting(trial, Kind.DONOR_JUDGED, by=by, reason=reason, at=at) as act:
        donor_row(act.writer, donor)
        in_force = trial.newest(act.writer)
        statement = words("statement", statement, "say what was looked at and what follows")
        today = in_force.day_of(at)
        against = _against(act, in_force, donor, today) if eligible else ()
        if against:
            remedy = "record the tests that are lacking, or judge the donor not eligible"
            raise NotEligible("donor", donor, listed(against), remedy)
        payload = {
            "donor": donor,
            "eligible": eligible,
            "statement": statement,
            "on": today.isoformat(),
            "quarantined": [] if eligible else _lots_in_use(act.writer, donor),
        }
        act.append(payload, stream=donor_stream(donor), in_force=in_force)


def donor_row(tables: Tables, donor: str) -> Row:
    """The donor's row.

    Raises:
        NotFound: when there is no donor of that code.
    """
    row = tables.row("donor", donor)
    if row is None:
        raise NotFound("donor", donor, "is not a donor of this trial", "check the code, or register the donor")
    return row


def donor_stream(donor: str) -> str:
    """The stream of a donor's events; never that of a participant."""
    return f"{DONOR} {donor}"


def _check_code(act: Act, donor: str) -> None:
    check_code("donor", donor, "D01")
    if act.writer.row("donor", donor) is not None:
        raise OutOfOrder("donor", donor, "is registered already", "use the donor that is there, or another code")
    sites = [str(row["site"]) for row in act.writer.rows("site")]
    if any(donor.startswith(f"{site}-") for site in sites):
        raise NotAccepted("donor", donor, "reads as the code of a participant", "use another, such as D01")


def donor_tests(tables: Tables, donor: str) -> tuple[DonorTest, ...]:
    """The infection tests of a donor."""
    return tuple(
        DonorTest(str(row["test"]), str(row["result"]), date.fromisoformat(str(row["sampled_on"])))
        for row in tables.rows("donor_test", donor=donor)
    )


def _against(act: Act, in_force: InForce, donor: str, today: date) -> tuple[Reason, ...]:
    """What the tests that any product asks for leave open, for a donation of today."""
    tests = donor_tests(act.writer, donor)
    found = [
        reason
        for product in in_force.protocol.products
        for reason in donor_reasons(product.donor_eligibility, tests, donor=donor, donated_on=today)
    ]
    return tuple(dict.fromkeys(found))


def _lots_in_use(tables: Tables, donor: str) -> list[str]:
    """The donor's lots that were released: they go back to quarantine."""
    return [str(row["lot"]) for row in tables.rows("lot", donor=donor) if row["status"] in RELEASED]
