# The stored result is what its script writes: run again here where R is, to 1e-5 relative, since the sampled
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


@pytest.mark.r("jsonlite", "emmeans", "geepack", "nlme", "afex", "multcomp", "mvtnorm")
def test_the_script_still_writes_what_is_stored(tmp_path):
    copy = tmp_path / "emmeans.R"
    shutil.copy(HERE / "emmeans.R", copy)
    subprocess.run(["Rscript", "--vanilla", str(copy)], check=True, capture_output=True)
    stored = json.loads((HERE / "emmeans.json").read_text(encoding="utf-8"))
    written = json.loads(copy.with_suffix(".json").read_text(encoding="utf-8"))
    for result in (stored, written):
        del result["made_with"]
        for kind in result["multcomp"].values():
            del kind["error"]  # the sampler's own guess at its error
    ours, theirs = dict(leaves(written)), dict(leaves(stored))
    assert ours.keys() == theirs.keys()
    for where, value in theirs.items():
        assert ours[where] == value or float(ours[where]) == pytest.approx(float(value), rel=1e-5, abs=1e-7), where
