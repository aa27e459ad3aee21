"""An installed package holds every file of the source: a template that is left behind is missed by the first user."""

import shutil
import subprocess
import sys
from zipfile import ZipFile

BUILD = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"


def test_the_wheel_holds_every_file_of_the_package(checkout, tmp_path):
    source = tmp_path / "source"
    for name in ("src", "examples"):  # the package's examples are links to the latter
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(checkout / name, source / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (checkout / name).exists():
            shutil.copy(checkout / name, source)
    subprocess.run([sys.executable, "-c", BUILD, tmp_path], cwd=source, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("equipoise/")}
    package = source / "src" / "equipoise"
    assert packed == {f"equipoise/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file()}
