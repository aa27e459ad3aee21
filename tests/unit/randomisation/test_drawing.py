"""Draws are the published ones, exactly uniform, and never share bits between purposes."""

import hashlib
import hmac
import unicodedata

import pytest
from scipy.stats import chi2

from equipoise.randomisation import AllocationRefused, Purpose, Secret, draw


def plain_draw(key, label, trial, stratum, number, below):
    """The definition in docs/methods/randomisation.md, written as it reads."""
    digests = 1
    while below > 2 ** (256 * digests):
        digests += 1
    size = 8 if below <= 2**64 else 32 * digests
    attempt = 0
    while True:
        stream = b""
        for counter in range(attempt * digests, attempt * digests + digests):
            message = b"%s\0%s\0%s\0" % (label, trial.encode(), stratum.encode())
            message += number.to_bytes(8, "big") + counter.to_bytes(4, "big")
            stream += hmac.new(key, message, hashlib.sha256).digest()
        value = int.from_bytes(stream[:size], "big")
        if value < 2 ** (8 * size) // below * below:
            return value % below
        attempt += 1


# Key, message and arms are fixed by the definition; the same digests by OpenSSL in tests/reference/randomisation.
def test_the_published_vectors(secret):
    twos = [draw(secret, trial="DEMO", stratum="", number=number, below=2) for number in range(1, 21)]
    threes = [draw(secret, trial="DEMO", stratum="", number=number, below=3) for number in range(1, 11)]
    assert "".join("AB"[arm] for arm in twos) == "BAAABBABABABBBAABAAA"
    assert "".join(map(str, threes)) == "0101122001"


@pytest.mark.parametrize("below", [1, 2, 20, 2**63 + 1, 2**64 - 1, 2**64, 2**64 + 1, 2**255 + 1, 2**256, 2**256 + 1])
def test_draws_follow_the_definition_also_where_they_are_rejected_or_wide(secret, below):
    for number in range(1, 41):
        expected = plain_draw(bytes(range(32)), b"alloc/1", "DEMO", "sex=F", number, below)
        assert draw(secret, trial="DEMO", stratum="sex=F", number=number, below=below) == expected


def test_a_quarter_million_bits_wide(secret):
    below = 3**1000
    drawn = [draw(secret, trial="DEMO", stratum="", number=number, below=below) for number in range(1, 101)]
    assert all(0 <= value < below for value in drawn)
    assert drawn[0] == plain_draw(bytes(range(32)), b"alloc/1", "DEMO", "", 1, below)
    assert len({value * 4 // below for value in drawn}) == 4


def test_block_sizes_are_drawn_from_messages_of_their_own(secret):
    sizes = [
        draw(secret, trial="DEMO", stratum="", number=number, below=2**64, purpose=Purpose.BLOCK_SIZE)
        for number in range(1, 21)
    ]
    arms = [draw(secret, trial="DEMO", stratum="", number=number, below=2**64) for number in range(1, 21)]
    assert not set(sizes) & set(arms)
    assert sizes[0] == plain_draw(bytes(range(32)), b"block/1", "DEMO", "", 1, 2**64)


def test_trial_and_stratum_do_not_run_together(secret):
    drawn = {
        draw(secret, trial=trial, stratum=stratum, number=1, below=2**64)
        for trial, stratum in [("AB", ""), ("A", "B"), ("A", ""), ("A", "BB"), ("AB", "B")]
    }
    assert len(drawn) == 5


@pytest.mark.parametrize(
    ("trial", "stratum", "text"),
    [
        ("", "", "trial = : not a text; write a text of at least one character"),
        ("A\0B", "", r"trial = A\x00B: holds a character that does not show; take it out"),
        ("A", "F\0", r"stratum = F\x00: holds a character that does not show; take it out"),
        ("A", "F\u200b", r"stratum = F\u200b: holds a character that does not show; take it out"),
        ("A", "\ud800", r"stratum = \ud800: holds a character that does not show; take it out"),
        (
            "A",
            unicodedata.normalize("NFD", "é"),
            f"stratum = {unicodedata.normalize('NFD', 'é')}: holds an accent written as a character of its own; "
            "write it in the form NFC",
        ),
        ("A" * 201, "", f"trial = {'A' * 79}…: longer than 200 characters; shorten it"),
    ],
)
def test_texts_with_two_spellings_are_refused(secret, trial, stratum, text):
    with pytest.raises(AllocationRefused) as refused:
        draw(secret, trial=trial, stratum=stratum, number=1, below=2)
    assert str(refused.value) == text


def test_an_accent_in_its_one_spelling_is_taken(secret):
    assert draw(secret, trial="Étude", stratum="", number=1, below=2) in {0, 1}


@pytest.mark.parametrize("number", [0, -1, 100_001])
def test_places_are_numbered_from_one(secret, number):
    with pytest.raises(AllocationRefused) as refused:
        draw(secret, trial="DEMO", stratum="", number=number, below=2)
    assert str(refused.value) == f"number = {number}: not from 1 to 100000; number the places from 1"


def test_a_million_draws_are_even_and_do_not_depend_on_the_one_before():
    # Ten secrets, 100,000 places each, six answers: single draws (df 5) and adjoining pairs (df 35).
    single, pairs = [0] * 6, [0] * 36
    for index in range(10):
        secret = Secret(hashlib.sha256(b"a million draws %d" % index).digest())
        drawn = [draw(secret, trial="DEMO", stratum="", number=number, below=6) for number in range(1, 100_001)]
        for first, second in zip(drawn[::2], drawn[1::2], strict=True):
            single[first] += 1
            single[second] += 1
            pairs[6 * first + second] += 1
    assert sum(single) == 1_000_000
    assert chi2.sf(chi_square(single, [1_000_000 / 6] * 6), 5) > 0.001
    assert chi2.sf(chi_square(pairs, [500_000 / 36] * 36), 35) > 0.001


def test_the_chi_square_test_would_see_a_draw_without_rejection():
    # Six bits modulo 6 without rejection: four answers have 11/64, two have 10/64.
    secret = Secret(bytes(range(32)))
    counts = [0] * 6
    for number in range(100_000):
        counts[secret.digest(number.to_bytes(8, "big"))[0] % 64 % 6] += 1
    assert chi2.sf(chi_square(counts, [100_000 / 6] * 6), 5) < 0.001


def chi_square(observed, expected):
    return sum((seen - wanted) ** 2 / wanted for seen, wanted in zip(observed, expected, strict=True))
