# Residuals of repeated measures against nlme::gls. Data, versions and command are in residuals.R. Tolerance: nlme stops
# its search up to 7e-5 standard errors from the optimum, so standardised and Pearson residuals are held to 1e-4 and raw
# residuals to 1e-5 of a standard deviation. For compound symmetry nlme's "normalized" takes another square root than
# Cholesky's, so that only the sum of each subject's squares is the same.
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

HERE = Path(__file__).parent
TRIAL = HERE.parent / "mmrm" / "trial.csv"
STORED = json.loads((HERE / "residuals.json").read_text(encoding="utf-8"))
OFF = 1e-4
KINDS = {"raw": "response", "pearson": "pearson", "standardised": "normalized"}
CASES = [(data, covariance) for data in ("orthodont", "trial") for covariance in ("us", "csh", "ar1")]


def fitted(data, covariance):
    if data == "trial":
        frame = pd.read_csv(TRIAL)
        return stats.mmrm("y ~ arm * C(visit) + age", frame, subject="id", visit="visit", covariance=covariance)
    rows = STORED["orthodont"]["rows"] | {
        name: np.array(STORED["orthodont"]["rows"][name], dtype=float) for name in ("age", "distance")
    }
    frame = pd.DataFrame(rows)
    return stats.mmrm("distance ~ Sex * age", frame, subject="Subject", visit="age", covariance=covariance)


@pytest.mark.parametrize(("data", "covariance"), CASES)
def test_residuals_are_those_of_gls(data, covariance):
    fit, stored = fitted(data, covariance), STORED[data]["fits"][covariance]
    spread = np.sqrt(np.diag(fit.visit_covariance["all"]).max())
    found = {kind: stats.residuals(fit, kind) for kind in KINDS}
    theirs = {kind: np.array(stored[name], dtype=float) for kind, name in KINDS.items()}
    np.testing.assert_allclose(found["raw"]["fitted"], np.array(stored["fitted"], dtype=float), atol=OFF / 10 * spread)
    np.testing.assert_allclose(found["raw"]["residual"], theirs["raw"], atol=OFF / 10 * spread)
    np.testing.assert_allclose(found["pearson"]["residual"], theirs["pearson"], atol=OFF)
    ours, subject = found["standardised"]["residual"], found["standardised"]["subject"]
    if covariance == "csh":
        squares = (ours**2).groupby(subject).sum()
        np.testing.assert_allclose(squares, pd.Series(theirs["standardised"] ** 2).groupby(subject).sum(), rtol=OFF)
    else:
        np.testing.assert_allclose(ours, theirs["standardised"], atol=OFF)


@pytest.mark.r("jsonlite", "nlme")
def test_residuals_script_still_writes_what_is_stored(tmp_path):
    here, beside = tmp_path / "mmrm_diagnostics", tmp_path / "mmrm"
    here.mkdir()
    beside.mkdir()
    shutil.copy(HERE / "residuals.R", here)
    shutil.copy(TRIAL, beside)
    subprocess.run(["Rscript", "--vanilla", str(here / "residuals.R")], check=True, capture_output=True)
    written = json.loads((here / "residuals.json").read_text(encoding="utf-8"))
    assert written["orthodont"]["rows"] == STORED["orthodont"]["rows"]
    for data, covariance in CASES:
        for kind in ("fitted", *KINDS.values()):
            theirs, stored = (
                np.array(source[data]["fits"][covariance][kind], dtype=float) for source in (written, STORED)
            )
            spread = np.array(STORED[data]["fits"][covariance]["response"], dtype=float).std()
            np.testing.assert_allclose(theirs, stored, atol=OFF * (spread if kind in ("fitted", "response") else 1))
