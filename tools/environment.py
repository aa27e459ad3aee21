"""Make `.venv` hold what the pins say; install nothing when it already does.

    python tools/environment.py run      what `make demo` needs
    python tools/environment.py test     that, and what the checks and tests need

Standard library only: it runs before anything is installed. Packages come from wherever pip is set up to look; every
one is held to a hash in requirements/. What was installed is noted in `.venv`, as digests of the files it came from,
so that a checked-out older commit installs its own pins again and an interrupted run starts over.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
ENVIRONMENT = CHECKOUT / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
NOTE = ENVIRONMENT / "installed.json"
PINS = {kind: CHECKOUT / "requirements" / f"{kind}.txt" for kind in ("run", "test")}
PACKAGE = CHECKOUT / "pyproject.toml"

CANNOT_MAKE_ENVIRONMENT = """
{python} could not make the virtual environment .venv; its own words are above.
On Debian and Ubuntu the part that does it is a package of its own: apt-get install python3-venv
"""
CANNOT_INSTALL = """
The pinned packages could not be installed; pip's own words are above.
If it names no connection, timeout or missing version: pip needs the network, or a mirror that has these versions, the
first time. `{pip} config list` shows where it looks. Then run make again: it goes on from here.
If it names a hash: a package is not the one that was pinned. Do not install it by hand; compare with another mirror.
"""

Note = dict[str, str]


def main(kind: str) -> int:
    """Bring `.venv` to what the pins of this kind say, and return the exit code."""
    try:
        if not stands():
            make_environment()
        note = read_note()
        if note.get(kind) != digest(PINS[kind]):
            install_pins(kind)
            # The pins for tests hold every pin for running, at the same version.
            kinds = PINS if kind == "test" else (kind,)
            note |= {each: digest(PINS[each]) for each in kinds}
            write_note(note)
        if note.get("package") != digest(PACKAGE):
            install_package()
            write_note(note | {"package": digest(PACKAGE)})
    except subprocess.CalledProcessError:
        return 1
    return 0


def read_note() -> Note:
    """What was installed, or nothing where that is not known."""
    try:
        note: Note = json.loads(NOTE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note


def write_note(note: Note) -> None:
    """Note what is installed now."""
    NOTE.write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")


def stands() -> bool:
    """Whether `.venv` was made here, by `venv`, with a Python of this version: its scripts hold its own address."""
    if not PYTHON.exists():
        return False
    lines = (ENVIRONMENT / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    made = dict(line.split(" = ", 1) for line in lines if " = " in line)
    same_version = made.get("version", "").startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    return same_version and made.get("command", "").endswith(f" {ENVIRONMENT}")


def make_environment() -> None:
    """Make `.venv`, in place of one that was moved, half made or made with another Python."""
    say(f"Making .venv with Python {sys.version.split()[0]}")
    try:
        venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=True)
    except subprocess.CalledProcessError as fault:
        say((fault.output or b"").decode(errors="replace"))
        say(CANNOT_MAKE_ENVIRONMENT.format(python=sys.executable))
        raise


def install_pins(kind: str) -> None:
    """Install the pinned packages, each held to its hash."""
    pins = PINS[kind]
    count = sum(line[:1].isalnum() for line in pins.read_text(encoding="utf-8").splitlines())
    say(f"Installing into .venv the pins of {pins.relative_to(CHECKOUT)} ({count} packages; once)")
    pip("install", "--require-hashes", "--requirement", os.fspath(pins.relative_to(CHECKOUT)))


def install_package() -> None:
    """Install Equipoise itself, so that it runs from its sources here."""
    say("Installing equipoise itself into .venv")
    pip("install", "--no-deps", "--no-build-isolation", "--editable", ".")


def pip(*arguments: str) -> None:
    """Run pip with the settings it finds, showing its errors alone; say what to do when it fails."""
    quietly = ["--quiet", "--quiet", "--no-input", "--disable-pip-version-check"]
    done = subprocess.run([PYTHON, "-m", "pip", *arguments, *quietly], cwd=CHECKOUT, check=False)
    if done.returncode:
        say(CANNOT_INSTALL.format(pip=".venv/bin/python -m pip"))
        done.check_returncode()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def say(text: str) -> None:
    """One line, or a paragraph, to the person who waits."""
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
