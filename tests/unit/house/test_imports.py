"""The command line answers at once because importing it loads none of the heavy libraries."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"matplotlib", "numpy", "pandas", "pydantic", "scipy", "sqlalchemy"}
IMPORT = "import equipoise"
HELP = """
import runpy, sys
sys.argv = ["equipoise", "--help"]
try:
    runpy.run_module("equipoise", run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
"""
LOADED = "\nimport sys\nprint('loaded:', *sorted({name.partition('.')[0] for name in sys.modules}))"


def loaded_by(statements: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after these statements."""
    done = subprocess.run([sys.executable, "-c", statements + LOADED], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("statements", [IMPORT, HELP], ids=["import", "help"])
def test_nothing_heavy_is_loaded(statements):
    loaded = loaded_by(statements)
    assert "equipoise" in loaded
    assert loaded & HEAVY == set()


def test_a_heavy_import_would_be_seen():
    assert HEAVY & loaded_by("import pydantic") == {"pydantic"}


def test_rooms_import_downward_only(checkout):
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=checkout, capture_output=True, text=True, check=False)
    assert "Rooms import downward only KEPT" in done.stdout, done.stdout + done.stderr
