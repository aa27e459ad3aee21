"""The secret is made whole, kept in a file of its own, and never shown by accident."""

import copy
import json
import logging
import os
import pickle
import traceback

import pytest

from equipoise.randomisation import Secret, SecretRefused

KEY = bytes(range(32))
DIGITS = KEY.hex()
posix = pytest.mark.skipif(os.name != "posix", reason="this system has no file modes")


def test_a_secret_is_generated_from_the_entropy_given():
    asked = []

    def entropy(number):
        asked.append(number)
        return KEY

    assert Secret.generate(entropy).reveal() == DIGITS
    assert asked == [32]


@pytest.mark.parametrize("key", [b"", KEY[:31], KEY + b"\0", bytearray(KEY), DIGITS])
def test_a_secret_of_another_length_or_kind_is_refused(key):
    with pytest.raises(SecretRefused) as refused:
        Secret(key)
    assert str(refused.value) == "secret: not 32 bytes long; take it whole from the secret's file"


def test_a_source_that_gives_too_little_is_refused():
    with pytest.raises(SecretRefused):
        Secret.generate(lambda number: bytes(number - 1))


@pytest.mark.parametrize("text", ["", DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "g", DIGITS[:-2] + "  ", "é" * 64])
def test_a_revealed_text_that_is_not_a_secret_is_refused(text):
    with pytest.raises(SecretRefused) as refused:
        Secret.from_revealed(text)
    assert str(refused.value) == (
        "secret: not 64 hexadecimal digits; restore the file from the copy in the trial's safe"
    )


def test_what_is_revealed_gives_the_secret_again():
    assert Secret.from_revealed(Secret(KEY).reveal()) == Secret(KEY)
    assert Secret(KEY) != Secret(bytes(32))
    assert Secret(KEY) != KEY


def test_nothing_that_prints_it_shows_it(caplog):
    secret = Secret(KEY)
    logging.getLogger("trial").warning("the secret is %s, %r", secret, secret)
    printed = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r}",
        repr([secret]),
        repr({"key": secret}),
        caplog.text,
    ]
    assert printed[0] == "Secret(hidden)"
    for text in printed:
        assert DIGITS not in text
        assert repr(KEY)[2:-1] not in text


def test_a_traceback_with_local_values_does_not_show_it():
    def fails(secret):
        raise ValueError(f"something else went wrong with {secret}")

    try:
        fails(Secret(KEY))
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "Secret(hidden)" in shown
    assert DIGITS not in shown


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_it_is_never_copied_or_pickled(copier):
    with pytest.raises(SecretRefused) as refused:
        copier(Secret(KEY))
    assert str(refused.value) == ("secret: is never copied or pickled; read it from its file where it is needed")


def test_it_has_no_dictionary_no_json_and_no_hash():
    with pytest.raises(TypeError):
        vars(Secret(KEY))
    with pytest.raises(TypeError):
        json.dumps(Secret(KEY))
    with pytest.raises(TypeError):
        hash(Secret(KEY))


def test_it_does_not_change():
    secret = Secret(KEY)
    with pytest.raises(AttributeError, match="a secret does not change"):
        secret._key = bytes(32)
    with pytest.raises(AttributeError, match="a secret does not change"):
        del secret._key
    assert secret.reveal() == DIGITS


def test_written_and_read_again(tmp_path):
    path = tmp_path / "secret.key"
    Secret(KEY).write(path)
    assert path.read_text() == DIGITS + "\n"
    assert Secret.read(path) == Secret(KEY)


@posix
def test_only_the_owner_may_read_the_file_whatever_the_umask(tmp_path):
    path = tmp_path / "secret.key"
    before = os.umask(0)
    try:
        Secret(KEY).write(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_that_others_may_reach_is_refused(tmp_path, mode):
    path = tmp_path / "secret.key"
    Secret(KEY).write(path)
    path.chmod(mode)
    with pytest.raises(SecretRefused) as refused:
        Secret.read(path)
    assert refused.value.problem == f"others may reach the file (mode 0{mode:o})"
    assert refused.value.remedy == f"run chmod 600 {path}"
    assert DIGITS not in str(refused.value)


@pytest.mark.parametrize(
    "content", [b"", KEY, DIGITS[:-1].encode(), DIGITS.encode() + b"00", DIGITS.encode() + b"\n\n"]
)
def test_a_file_of_another_length_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "secret.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SecretRefused) as refused:
        Secret.read(path)
    assert str(refused.value) == (
        "secret: not 64 hexadecimal digits; restore the file from the copy in the trial's safe"
    )


def test_a_second_secret_never_takes_the_first_ones_place(tmp_path):
    path = tmp_path / "secret.key"
    Secret(KEY).write(path)
    with pytest.raises(SecretRefused) as refused:
        Secret(bytes(32)).write(path)
    assert refused.value.problem == "there is a file already"
    assert refused.value.remedy == "keep that secret: a second one would draw other arms"
    assert Secret.read(path) == Secret(KEY)


def test_a_missing_file_and_a_missing_folder_are_refused(tmp_path):
    path = tmp_path / "none" / "secret.key"
    with pytest.raises(SecretRefused) as refused:
        Secret.read(path)
    assert refused.value.problem == "cannot be read (No such file or directory)"
    with pytest.raises(SecretRefused) as refused:
        Secret(KEY).write(path)
    assert refused.value.problem == "cannot be written (No such file or directory)"
    with pytest.raises(SecretRefused):
        Secret.read(tmp_path)
