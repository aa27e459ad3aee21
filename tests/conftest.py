"""What every test stands on: a quiet environment, Hypothesis profiles, and skips that say what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"

# Before any test imports NumPy or matplotlib: the suite runs in several processes at once, and none has a screen.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ["MPLBACKEND"] = "Agg"

# No deadline and no `too_slow`: a busy machine is not a fault of the code.
settings.register_profile("default", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "default")
if os.environ.get("CI"):
    # Hypothesis also draws the numbers that stand in the modules loaded so far. Which these are depends on the tests
    # that a process ran before, so that the same commit would be tried with other examples each time.
    providers._get_local_constants = lambda: providers._local_constants  # empty: this is what would fill it


def missing_r() -> str | None:
    """What R lacks for the tests marked `r`, or None."""
    if shutil.which("Rscript") is None:
        return "Rscript is not on the PATH (Debian: r-base-core)"
    return None


def missing_r_packages(wanted: set[str]) -> set[str]:
    """Those of the packages that the R on the PATH does not have."""
    if not wanted:
        return set()
    listing = subprocess.run(
        ["Rscript", "--vanilla", "-e", "cat(rownames(installed.packages()), sep = '\\n')"],
        check=True,
        capture_output=True,
        text=True,
    )
    return wanted - set(listing.stdout.split())


def missing_browser() -> str | None:
    """What is missing for the tests marked `browser`, or None."""
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return "Chromium is not on the PATH (Debian: chromium)"
    if shutil.which("chromedriver") is None:
        return "chromedriver is not on the PATH (Debian: chromium-driver)"
    return None


def missing_postgresql() -> str | None:
    """What is missing for the tests marked `postgresql`, or None."""
    if shutil.which("initdb") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "initdb is neither on the PATH nor under /usr/lib/postgresql (Debian: postgresql)"
    return None


TOOLS: dict[str, Callable[[], str | None]] = {
    "r": missing_r,
    "browser": missing_browser,
    "postgresql": missing_postgresql,
}


def pytest_configure() -> None:
    """Stop where EQUIPOISE_TOOLS promises a tool ("r browser postgresql") that this machine does not have."""
    for marker in promised_tools():
        if reason := TOOLS[marker]():
            raise pytest.UsageError(f"EQUIPOISE_TOOLS promises {marker}, but {reason}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, by name, the tests whose tool this machine does not have.

    `@pytest.mark.r("geepack", "nlme")` also names the R packages that the test needs.
    """
    for marker, missing in TOOLS.items():
        marked = [item for item in items if item.get_closest_marker(marker)]
        if marked and (reason := missing()):
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=f"{marker}: {reason}"))
        elif marker == "r" and "r" not in promised_tools():
            skip_for_r_packages(marked)


def promised_tools() -> list[str]:
    """The markers that this run must not skip."""
    return os.environ.get("EQUIPOISE_TOOLS", "").split()


def skip_for_r_packages(marked: list[pytest.Item]) -> None:
    """Skip the tests marked `r` whose named R packages are not installed."""
    needs = {item: {name for mark in item.iter_markers("r") for name in mark.args} for item in marked}
    absent = missing_r_packages({name for names in needs.values() for name in names})
    for item, wanted in needs.items():
        if lacking := sorted(wanted & absent):
            item.add_marker(pytest.mark.skip(reason=f"r: R lacks {', '.join(lacking)}"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder of this checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """`shared("data/trials/x.csv")`: that file in ../shared; skips the test, naming the file, where it is absent."""

    def locate(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"../shared/{name} is not beside this checkout")
        return path

    return locate
