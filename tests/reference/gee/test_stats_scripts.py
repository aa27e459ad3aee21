# Each stored result is what its script writes: run again here where R is, numbers to 1e-9 relative, since another
# machine's linear algebra may differ in the last digits.
import json
import shutil
import subprocess
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[1]


def assert_same(ours, stored, where):
    if isinstance(stored, dict):
        assert ours.keys() == stored.keys(), where
        for name, value in stored.items():
            assert_same(ours[name], value, f"{where}.{name}")
    elif isinstance(stored, list):
        assert len(ours) == len(stored), where
        for place, value in enumerate(stored):
            assert_same(ours[place], value, f"{where}[{place}]")
    else:
        assert ours == stored or float(ours) == pytest.approx(float(stored), rel=1e-9, abs=1e-12), where


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("two_sample/two_sample", marks=pytest.mark.r("jsonlite")),
        pytest.param("ancova/ancova", marks=pytest.mark.r("jsonlite", "sandwich")),
        pytest.param("rm_anova/orthodont", marks=pytest.mark.r("jsonlite", "afex", "car", "nlme")),
        pytest.param("gee/gee", marks=pytest.mark.r("jsonlite", "gee")),
        pytest.param("gee/geepack", marks=pytest.mark.r("jsonlite", "geepack")),
    ],
)
def test_scripts_still_write_what_is_stored(script, tmp_path):
    copy = tmp_path / Path(script).with_suffix(".R").name
    shutil.copy(REFERENCE / f"{script}.R", copy)
    subprocess.run(["Rscript", "--vanilla", str(copy)], check=True, capture_output=True)
    stored = json.loads((REFERENCE / f"{script}.json").read_text(encoding="utf-8"))
    written = json.loads(copy.with_suffix(".json").read_text(encoding="utf-8"))
    for result in (stored, written):
        del result["made_with"]
    assert_same(written, stored, script)
