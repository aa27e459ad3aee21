"""Design properties against a sum over all 4,096 sequences of twelve places in R.

R 4.2.2, base alone. Script: properties.R, beside this file; output: properties.json, written with %.17g.
Tolerance 1e-12 relative and absolute: R sums up to 4,096 doubles of at most 1; the package's numbers are fractions.
"""

import json
import subprocess
from pathlib import Path

import pytest

from equipoise.randomisation import properties

HERE = Path(__file__).parent
STORED = json.loads((HERE / "properties.json").read_text(encoding="ascii"))


@pytest.mark.parametrize("case", STORED["cases"])
def test_properties_agree_with_r(case):
    name, _, parameters = case.partition(" ")
    found = properties(name, STORED["n"], **json.loads(parameters))
    known = STORED["cases"][case]
    assert known["total"] == pytest.approx(1, abs=1e-12)
    assert found.probability_balanced == pytest.approx(known["balanced"], rel=1e-12, abs=1e-12)
    assert found.imbalance_variance == pytest.approx(known["variance"], rel=1e-12, abs=1e-12)
    assert found.probability_imbalance_at_least(4) == pytest.approx(known["at_least_four"], rel=1e-12, abs=1e-12)
    assert found.expected_correct_guesses == pytest.approx(known["guesses"], rel=1e-12)
    assert found.expected_forced == pytest.approx(known["forced"], rel=1e-12, abs=1e-12)


@pytest.mark.r
def test_r_here_gives_the_stored_numbers():
    done = subprocess.run(["Rscript", "--vanilla", HERE / "properties.R"], capture_output=True, text=True, check=True)
    again = json.loads(done.stdout)["cases"]
    assert again.keys() == STORED["cases"].keys()
    for case, known in STORED["cases"].items():
        assert again[case] == pytest.approx(known, rel=1e-12, abs=1e-12)
