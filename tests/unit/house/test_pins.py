"""The pins name every package once, each with hashes and with no word of where it was fetched."""

import itertools
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import equipoise

PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ \\]+)(?P<marker> ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
NOTE = re.compile(r"^( {4})?#")


def pins(checkout: Path, kind: str) -> dict[str, str]:
    """Package to version."""
    lines = (checkout / "requirements" / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    return {canonicalize_name(found["name"]): found["version"] for line in lines if (found := PIN.match(line))}


def project(checkout: Path) -> dict:
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["run", "test"])
def test_a_pins_file_holds_nothing_but_pins_hashes_and_notes(checkout, kind):
    lines = (checkout / "requirements" / f"{kind}.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not (PIN.match(line) or HASH.match(line) or NOTE.match(line))] == []
    assert lines[1] == "#    make pins"
    assert [
        following for line, following in itertools.pairwise(lines) if PIN.match(line) and not HASH.match(following)
    ] == []


@pytest.mark.parametrize("kind", ["run", "test"])
def test_notes_name_files_of_the_project_alone(checkout, kind):
    text = (checkout / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:-r|-c) (\S+)", text)) | set(re.findall(r"equipoise \((\S+)\)", text))
    assert {name for name in named if not (checkout / name).is_file()} == set()
    assert "://" not in text


def test_every_dependency_is_pinned_within_its_range(checkout):
    table = project(checkout)
    wanted = [*table["project"]["dependencies"], *table["build-system"]["requires"]]
    wanted += table["project"]["optional-dependencies"]["postgresql"]
    pinned = pins(checkout, "run")
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_the_pins_for_tests_hold_those_for_running(checkout):
    assert pins(checkout, "run").items() <= pins(checkout, "test").items()


def test_the_tests_run_on_what_is_pinned(checkout):
    for name in ("numpy", "pandas", "pydantic", "pytest", "scipy", "sqlalchemy"):
        assert version(name) == pins(checkout, "test")[name]


def test_one_version(checkout):
    assert project(checkout)["project"]["version"] == equipoise.__version__ == version("equipoise")
