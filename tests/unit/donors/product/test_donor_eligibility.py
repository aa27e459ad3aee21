"""Infection tests of donors."""

from datetime import date

import pytest

from equipoise.donors import DonorTest, donor_reasons

DONATED = date(2018, 2, 15)
NEGATIVE = [DonorTest("HIV", "NEGATIVE", DONATED), DonorTest("HBV", "NEGATIVE", DONATED)]


def texts(kit, tests):
    found = donor_reasons(kit.PRODUCT.donor_eligibility, tests, donor="D1", donated_on=DONATED)
    return [str(reason) for reason in found]


def test_all_negative_in_time_is_eligible(kit):
    assert texts(kit, NEGATIVE) == []
    assert donor_reasons(None, [], donor="D1", donated_on=DONATED) == ()


@pytest.mark.parametrize(
    ("sampled_on", "eligible"),
    [(date(2018, 1, 15), False), (date(2018, 1, 16), True), (DONATED, True), (date(2018, 2, 20), True)],
)
def test_a_sample_is_at_most_thirty_days_older_than_the_donation(kit, sampled_on, eligible):
    tests = [DonorTest("HIV", "NEGATIVE", sampled_on), NEGATIVE[1]]
    missing = (
        "donor D1 HIV: has no result of a sample since 2018-01-16, 30 days before the donation; "
        "test a sample, or do not use the donation"
    )
    assert texts(kit, tests) == ([] if eligible else [missing])


@pytest.mark.parametrize("result", ["POSITIVE", "INDETERMINATE", "negative?"])
def test_a_result_other_than_negative_counts_whatever_stands_beside_it(kit, result):
    later = DonorTest("HBV", result, date(2018, 2, 10))
    assert texts(kit, [*NEGATIVE, later]) == [
        f"donor D1 HBV = {result}: of the sample of 2018-02-10 is not NEGATIVE; "
        "keep the product in quarantine; declare the donor not eligible"
    ]


def test_every_missing_test_is_told(kit):
    assert len(texts(kit, [])) == 2
