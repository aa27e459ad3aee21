"""The commitment binds secret, protocol and method, and tells none of them."""

import hashlib

import pytest

from equipoise.randomisation import Commitment, MethodRefused, Secret, SecretRefused, check_reveal, commit, parse_method


def test_the_encoding_is_the_documented_one(two_arms, secret):
    method = two_arms("permuted_blocks", block_sizes=[4, 6])
    text = b'{"arms":["A","B"],"method":"permuted_blocks","parameters":{"block_sizes":[4,6]},"ratio":{"A":1,"B":1}}'
    content = b"equipoise/commitment/1\0"
    content += (32).to_bytes(8, "big") + bytes(range(32))
    content += (3).to_bytes(8, "big") + b"abc"
    content += len(text).to_bytes(8, "big") + text
    assert commit(secret, "abc", method).hex == hashlib.sha256(content).hexdigest()


def test_any_change_changes_it(two_arms, secret):
    method = two_arms("big_stick")
    changed = [
        commit(secret, "abc", method),
        commit(Secret(bytes(32)), "abc", method),
        commit(secret, "abd", method),
        commit(secret, "", method),
        commit(secret, "abc", two_arms("big_stick", mti=4)),
        commit(secret, "abc", two_arms("simple")),
        commit(secret, "abc", parse_method("big_stick", ("B", "A"), {"A": 1, "B": 1})),
        commit(secret, "abc", two_arms("maximal_procedure", n=20)),
        commit(secret, "abc", two_arms("maximal_procedure", n=22)),
    ]
    assert len({each.hex for each in changed}) == len(changed)


def test_a_reveal_is_checked(two_arms, secret):
    method = two_arms("simple")
    published = commit(secret, "abc", method)
    assert check_reveal(published, secret, "abc", method)
    assert not check_reveal(published, Secret(bytes(32)), "abc", method)
    assert not check_reveal(published, secret, "abd", method)
    assert not check_reveal(published, secret, "abc", two_arms("big_stick"))
    assert not check_reveal(Commitment("0" * 64), secret, "abc", method)


def test_it_shows_only_its_hash(two_arms, secret):
    published = commit(secret, "abc", two_arms("simple"))
    assert repr(published) == f"Commitment(hex='{published}')"
    assert secret.reveal() not in repr(published)


def test_a_number_of_places_must_be_bound_too(two_arms, secret):
    with pytest.raises(MethodRefused) as refused:
        commit(secret, "abc", two_arms("maximal_procedure"))
    assert str(refused.value) == "allocation.n: maximal_procedure needs it; give the number of participants"


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"])
def test_a_text_that_is_not_a_commitment_is_refused(text):
    with pytest.raises(SecretRefused) as refused:
        Commitment(text)
    assert refused.value.problem == "not 64 hexadecimal digits"
    assert refused.value.remedy == "copy it whole from the event that holds it"
