"""Time what has a target: python benchmarks/run.py [NAME ...].

Says on what machine and with what versions, then calls each module's `main()`, in the order of their names. A module
prints its own table: what was timed, the target, what came out.
"""

import importlib
import os
import platform
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
LIBRARIES = ("equipoise", "numpy", "scipy", "pandas", "sqlalchemy", "pydantic")


def benchmarks() -> list[str]:
    """The names of the benchmark modules beside this one."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run")


def processor() -> str:
    """The processor's name, as far as this system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def describe_machine() -> None:
    """Print what the figures below hold for."""
    print(f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, ", end="")
    print(", ".join(f"{library} {version(library)}" for library in LIBRARIES))


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all; return the exit code."""
    known = benchmarks()
    if unknown := sorted(set(names) - set(known)):
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    describe_machine()
    for name in names or known:
        print(f"\n== {name}", flush=True)
        importlib.import_module(name).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
