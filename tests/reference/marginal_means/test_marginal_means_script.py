# The stored results are what their scripts write: run again here where R is, to 1e-5 relative, since the sampled
# integrals are seeded but another machine's linear algebra moves them in later digits.
import json
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def leaves(tree, where=""):
    """Every value of nested objects and lists, with its place."""
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from leaves(branch, f"{where}.{name}")
    elif isinstance(tree, list):
        for place, branch in enumerate(tree):
            yield from leaves(branch, f"{where}[{place}]")
    else:
        yield where, tree


@pytest.mark.r("jsonlite", "emmeans", "geepack", "nlme", "afex", "multcomp", "mvtnorm", "sandwich")
@pytest.mark.parametrize("name", ["emmeans", "families"])
def test_the_scripts_still_write_what_is_stored(tmp_path, name):
    for file in (f"{name}.R", "emmeans.json"):  # the data of both are in emmeans.json
        shutil.copy(HERE / file, tmp_path / file)
    subprocess.run(["Rscript", "--vanilla", str(tmp_path / f"{name}.R")], check=True, capture_output=True)
    stored = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    written = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    for result in (stored, written):
        del result["made_with"]
        for kind in result.get("multcomp", {}).values():
            del kind["error"]  # the sampler's own guess at its error
    ours, theirs = dict(leaves(written)), dict(leaves(stored))
    assert ours.keys() == theirs.keys()
    for where, value in theirs.items():
        assert ours[where] == value or float(ours[where]) == pytest.approx(float(value), rel=1e-5, abs=1e-7), where
