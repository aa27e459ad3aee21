"""Whether two writings of an id are of one person."""

import pytest

from equipoise.donors import same_person


@pytest.mark.parametrize(
    "written",
    [
        "N.Nurse",
        " n.nurse ",
        "\uff4e.nurse",
        "n.nurse\u200b",
        "n.\u00adnurse",
        "\u2060n.nurse\ufeff",
        "n.nur\u017fe",
        "N\u200d.nurse",
    ],
    ids=["case", "spaces", "width", "zero width", "soft hyphen", "joiners", "long s", "between"],
)
def test_what_nobody_sees_makes_no_other_person(written):
    assert same_person("n.nurse", written)
    assert same_person(written, "n.nurse")


@pytest.mark.parametrize("other", ["n.nurse2", "nnurse", "n.nurs\u0435"])
def test_other_letters_are_another_person(other):
    assert not same_person("n.nurse", other)
