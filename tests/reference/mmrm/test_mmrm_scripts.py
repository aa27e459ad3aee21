# What gls.R wrote is what it writes: run again here where R is. nlme's search ends a little elsewhere on another
# machine, so likelihoods are held to 1e-9 and coefficients to 1e-4 of a standard error; the data to the last digit.
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent


@pytest.mark.r("jsonlite", "nlme")
def test_gls_script_still_writes_what_is_stored(tmp_path):
    shutil.copy(HERE / "gls.R", tmp_path)
    subprocess.run(["Rscript", "--vanilla", str(tmp_path / "gls.R")], check=True, capture_output=True)
    assert (tmp_path / "trial.csv").read_text(encoding="utf-8") == (HERE / "trial.csv").read_text(encoding="utf-8")
    stored, written = (json.loads((folder / "gls.json").read_text(encoding="utf-8")) for folder in (HERE, tmp_path))
    assert written["orthodont"]["rows"] == stored["orthodont"]["rows"]
    for data in ("orthodont", "trial"):
        for method, fits in stored[data]["fits"].items():
            for covariance, fit in fits.items():
                again = written[data]["fits"][method][covariance]
                std_error = np.sqrt(np.diag(np.array(fit["V"], dtype=float)))
                off = (np.array(again["beta"], dtype=float) - np.array(fit["beta"], dtype=float)) / std_error
                assert np.abs(off).max() < 1e-4, (data, method, covariance)
                assert float(again["log_likelihood"]) == pytest.approx(float(fit["log_likelihood"]), rel=1e-9)
