"""Whether a donor's infection tests allow the product out of quarantine (21 CFR 1271.45 to 1271.90).

The rule says what the protocol's tests leave open; that the donor is eligible remains a person's statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from equipoise.donors.reasons import Reason
from equipoise.protocol.interventions import DonorEligibility

NEGATIVE = "NEGATIVE"


@dataclass(frozen=True, slots=True)
class DonorTest:
    """One infection test of a donor: its code in the protocol, the result, and the day of the sample."""

    code: str
    result: str
    sampled_on: date


def donor_reasons(
    required: DonorEligibility | None, tests: Sequence[DonorTest], *, donor: str, donated_on: date
) -> tuple[Reason, ...]:
    """What keeps a donor from being eligible for a donation; empty when nothing does.

    Each test needs a negative result of a sample taken at most `within_days` before the donation, or after it. A result
    of such a sample that is anything else speaks against, whatever stands beside it.

    Codes: `donor-test-missing`, `donor-test-not-negative`.
    """
    if required is None:
        return ()
    since = donated_on - timedelta(days=required.within_days)
    found = []
    for code in required.tests:
        recent = [test for test in tests if test.code == code and test.sampled_on >= since]
        field = f"donor {donor} {code}"
        if not recent:
            problem = f"has no result of a sample since {since}, {required.within_days} days before the donation"
            found.append(
                Reason("donor-test-missing", field, None, problem, "test a sample, or do not use the donation")
            )
        found += [
            Reason(
                "donor-test-not-negative",
                field,
                test.result,
                f"of the sample of {test.sampled_on} is not {NEGATIVE}",
                "keep the product in quarantine; declare the donor not eligible",
            )
            for test in recent
            if test.result != NEGATIVE
        ]
    return tuple(found)
