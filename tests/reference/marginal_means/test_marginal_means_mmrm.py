# Marginal means and arm differences of R's mmrm 0.3.18 by emmeans 1.8.4-1 (mmrm_fev.json beside the checkout, whose
# README says how it was made). Tolerances, relative: 1e-6 for estimates, standard errors and intervals (each stops
# where its own gradient allows), 1e-4 for df, 1e-5 for P, which both move.
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise import stats

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"
pytestmark = pytest.mark.skipif(
    not (REFERENCE / "mmrm_fev.json").exists(),
    reason="mmrm's results are not beside this checkout (../shared/reference)",
)
RULES = {
    "kenward-roger-linear": "Kenward-Roger / Kenward-Roger-Linear",
    "satterthwaite": "Satterthwaite / Asymptotic",
    "between-within": "Between-Within / Asymptotic",
    "residual": "Residual / Asymptotic",
}
COLUMNS = {"std_error": "SE", "df": "df", "conf_low": "lower.CL", "conf_high": "upper.CL"}


@pytest.fixture(scope="module")
def fits():
    data = pd.read_csv(REFERENCE / "fev.csv")
    data["AVISIT"] = pd.Categorical(data["AVISIT"], ["VIS1", "VIS2", "VIS3", "VIS4"])
    formula = "FEV1 ~ RACE + SEX + ARMCD * AVISIT"
    return {
        name: stats.mmrm(formula, data, subject="USUBJID", visit="AVISIT", covariance=name)
        for name in ("us", "cs", "toeph")
    }


@pytest.mark.parametrize("name", ["us", "cs", "toeph"])
@pytest.mark.parametrize("rule", RULES)
def test_means_and_differences_agree_with_mmrm(fits, name, rule):
    stored = json.loads((REFERENCE / "mmrm_fev.json").read_text(encoding="utf-8"))["reml"][name]["methods"][RULES[rule]]
    means = stats.marginal_means(fits[name].with_df(rule), "ARMCD", by="AVISIT")
    differences = means.contrasts("reference", reference="PBO")
    for ours, theirs, estimate in (
        (means.table, stored["emmeans"], "emmean"),
        (differences.table, stored["contrasts"], "estimate"),
    ):
        assert [row["AVISIT"] for row in theirs] == list(ours["AVISIT"])
        for column, source in {**COLUMNS, "estimate": estimate}.items():
            rtol = 1e-4 if column == "df" else 1e-6
            np.testing.assert_allclose(ours[column], [row[source] for row in theirs], rtol=rtol, err_msg=column)
    np.testing.assert_allclose(differences.table["p_value"], [row["p.value"] for row in stored["contrasts"]], rtol=1e-5)
