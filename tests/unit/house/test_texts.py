"""What no file of the project may hold: a machine's paths, a package index's address, a character nobody sees."""

import subprocess
import unicodedata
from pathlib import Path

import pytest

# Put together here so that this file does not hold them itself.
MACHINE_PATHS = [b"/" + each for each in (b"work/", b"root/", b"tmp/bash_jobs")]
INDEXES = [b"pypi" + b".org", b"python" + b"hosted", b"index" + b"-url", b"find" + b"-links", b"deb.debian" + b".org"]
PLAIN = {"\n", "\t"}


def project_files(checkout: Path) -> list[Path]:
    """Every file under version control that is there now."""
    if not (checkout / ".git").exists():
        pytest.skip("not a git checkout, so which files are the project's is not known")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=checkout, capture_output=True, check=True).stdout
    return [path for name in listing.decode().split("\0") if name and (path := checkout / name).is_file()]


def unseen(text: str) -> list[str]:
    """The characters that do not show: control and format characters but for line ends and tabs."""
    return [
        f"U+{ord(character):04X} after {text[max(0, place - 20) : place]!r}"
        for place, character in enumerate(text)
        if unicodedata.category(character) in {"Cc", "Cf", "Co"} and character not in PLAIN
    ]


def test_no_file_holds_a_machine_path_or_an_index_address(checkout):
    found = [
        f"{path.relative_to(checkout)}: {forbidden.decode()}"
        for path in project_files(checkout)
        for forbidden in MACHINE_PATHS + INDEXES
        if forbidden in path.read_bytes()
    ]
    assert found == []


def test_every_text_shows_all_it_holds(checkout):
    found = []
    for path in project_files(checkout):
        content = path.read_bytes()
        if b"\0" in content:  # a picture, a font
            continue
        found += [f"{path.relative_to(checkout)}: {each}" for each in unseen(content.decode("utf-8"))]
    assert found == []


def test_a_hidden_character_would_be_seen():
    assert unseen("a\u202eb\x1b") == ["U+202E after 'a'", "U+001B after 'a\\u202eb'"]
