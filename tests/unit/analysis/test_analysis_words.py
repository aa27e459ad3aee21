from decimal import Decimal

import pytest

from equipoise.analysis import words


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, "P < 0.001"),
        (0.00099, "P < 0.001"),
        (0.001, "P = 0.001"),
        (0.024, "P = 0.024"),
        (0.04996, "P = 0.0500"),
        (0.0498, "P = 0.0498"),
        (0.0502, "P = 0.0502"),
        (0.0511, "P = 0.051"),
        (0.0996, "P = 0.100"),
        (0.1, "P = 0.10"),
        (0.5379, "P = 0.54"),
        (0.99, "P = 0.99"),
        (0.991, "P > 0.99"),
        (1.0, "P > 0.99"),
    ],
)
def test_p_is_exact_between_its_ends(p, text):
    assert words.p_text(p) == text


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [(67.04, 0, "67"), (-0.4, 0, "0"), (-0.5001, 0, "−1"), (-12.345, 1, "−12.3"), (1e7, 0, "10000000")],
)
def test_numbers_have_a_proper_minus_and_no_negative_zero(number, places, text):
    assert words.fixed(number, places) == text


def test_open_ends_of_an_interval_are_named():
    assert words.interval(10.2, 123.6, 0) == "10 to 124"
    assert words.interval(None, 3, 1) == "no lower limit to 3.0"
    assert words.interval(-3, None, 1) == "−3.0 to no upper limit"


@pytest.mark.parametrize(("alpha", "text"), [("0.05", "95%"), ("0.050", "95%"), ("0.025", "97.5%"), ("0.1", "90%")])
def test_level_is_what_alpha_leaves(alpha, text):
    assert words.level_text(Decimal(alpha)) == text


def test_lists_counts_and_sentences():
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.counted(1, "participant") == "1 participant"
    assert words.counted(0, "participant") == "0 participants"
    assert words.counted(2, "person", "people") == "2 people"
    assert words.sentence(" done so") == "Done so."
    assert words.sentence("Why?") == "Why?"
