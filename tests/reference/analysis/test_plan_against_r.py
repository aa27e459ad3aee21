"""Every method of the plan against R, from a file of data to the row of the results.

Data: counts.csv (22 participants in arms of 12 and 10, six values missing) and complete.csv (17 participants, none
missing), drawn once; they mean nothing. R 4.2.2 with car 3.1-1, sandwich 3.0-2, geepack 1.3.9; script plan.R, outputs
counts.json and complete.json, written with %.17g. Tolerances, relative: 1e-10 where the formula is closed; 1e-9 for the
limits of Wilcoxon's interval, which R's wilcox.test takes from the same ordered differences; 1e-8 for GEE, whose
iterations both stop far below it. `geeglm` stops at 1e-4 of a step but is exact on complete data, where the estimate
does not depend on the working correlation. R's own Mauchly P has a slip that plan.R writes out without. The mixed model
is held against mmrm.R (gls of nlme 3.1-162, taken to the optimum by Newton's steps, Kenward and Roger written out),
outputs counts.mmrm.json and complete.mmrm.json: 1e-6, since this package stops at a relative gradient of 1e-8.
"""

import json
import subprocess
from pathlib import Path

import pytest

from equipoise import analysis, conduct, design, exchange
from equipoise.protocol import load

HERE = Path(__file__).parent
CLOSED = 1e-10
ITERATED = 1e-8
LIKELIHOOD = 1e-6
PLAN = "means student welch wilcoxon change ancova ancova_hc2 ancova_hc3 anova gee gee_adjusted mmrm"
OWN_IDS = {name: name for name in PLAN.split()}
ANOVA_COLUMNS = {"statistic": "f", "df": "df", "df2": "df2", "p_value": "p", "estimate": "eta"}
T_COLUMNS = {
    "estimate": "estimate",
    "se": "std_error",
    "df": "df",
    "statistic": "statistic",
    "p": "p_value",
    "low": "conf_low",
    "high": "conf_high",
}


def numbers(value):
    """R's numbers, which are written as text to keep every digit."""
    if isinstance(value, dict):
        return {name: numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [numbers(part) for part in value]
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


class Comparison:
    """Looks rows up by the plan's ids and holds them against R's numbers."""

    def __init__(self, results, known, *, ids, test, reference, months):
        self.results, self.known, self.ids = results, known, ids
        self.arms = {"NK": test, "ART": reference}
        self.visits = months
        self.last = months[max(months)]

    def agree(self, id, column, number, rel=CLOSED):
        assert getattr(self.results.row(id), column) == pytest.approx(number, rel=rel), f"{id} {column}"

    def means(self):
        for part, mean, sd in (("means", "mean", "sd"), ("changes", "change", "change_sd")):
            for cell, known in self.known[part].items():
                arm, month = cell.split(".")
                path = f"{self.ids['means']}.{self.arms[arm]}.{self.visits[int(month)]}"
                for column, name in (("n", "n"), ("estimate", "mean"), ("conf_low", "low"), ("conf_high", "high")):
                    self.agree(f"{path}.{mean}", column, known[name])
                self.agree(f"{path}.{sd}", "estimate", known["sd"])

    def t_test(self, name, method):
        for known, column in T_COLUMNS.items():
            self.agree(f"{self.ids[name]}.{self.last}.{method}", column, self.known[name][known])

    def wilcoxon(self):
        id = f"{self.ids['wilcoxon']}.{self.last}.wilcoxon"
        self.agree(id, "p_value", self.known["wilcoxon"]["p"])
        for known, column in (("estimate", "estimate"), ("low", "conf_low"), ("high", "conf_high")):
            self.agree(id, column, self.known["wilcoxon"][known], 1e-9)

    def ancova(self, name, covariance):
        known = self.known["ancova"][covariance]
        id = f"{self.ids[name]}.{self.last}.ancova"
        for key in ("estimate", "se", "df", "p", "low", "high"):
            self.agree(id, T_COLUMNS[key], known[key])
        self.agree(f"{id}.baseline", "estimate", known["slope"])

    def anova(self):
        id, known = self.ids["anova"], self.known["anova"]
        for effect, part in (("visit", known["month"]), ("arm_visit", known["interaction"])):
            for column, key in ANOVA_COLUMNS.items():
                self.agree(f"{id}.{effect}.uncorrected", column, part[key])
            self.agree(f"{id}.{effect}.mauchly", "statistic", part["w"])
            self.agree(f"{id}.{effect}.mauchly", "p_value", part["w_p"])
            self.agree(f"{id}.{effect}.gg", "p_value", part["gg_p"])
            self.agree(f"{id}.{effect}.gg", "df", part["gg"] * part["df"])
            self.agree(f"{id}.{effect}.epsilon_gg", "estimate", part["gg"])
            self.agree(f"{id}.{effect}.epsilon_hf", "estimate", part["hf"])
            self.agree(f"{id}.{effect}.hf", "p_value", part["hf_p"])
        for column, key in (("statistic", "f"), ("df2", "df2"), ("p_value", "p")):
            self.agree(f"{id}.arm.uncorrected", column, known["arm"][key])
        for column, key in (
            ("estimate", "estimate"),
            ("conf_low", "low"),
            ("conf_high", "high"),
        ):
            self.agree(f"{id}.arm.difference", column, known["difference"][key])
        assert self.results.row(f"{id}.arm.difference").n == known["n"]

    def gee(self, name, covariances):
        id, known = self.ids[name], self.known[name]
        for covariance in covariances:
            self.agree(f"{id}.arm.{covariance}", "estimate", known["estimate"], ITERATED)
            self.agree(f"{id}.arm.{covariance}", "std_error", known[covariance], ITERATED)
        self.agree(f"{id}.arm.robust", "p_value", known["robust_p"], ITERATED)
        self.agree(f"{id}.arm.robust-t", "p_value", known["robust_t_p"], ITERATED)
        self.agree(f"{id}.arm.mancl-derouen", "p_value", known["md_p"], ITERATED)
        self.agree(f"{id}.arm.kauermann-carroll", "conf_low", known["kc_low"], ITERATED)
        for covariance in ("robust-t", "mancl-derouen", "kauermann-carroll"):
            assert self.results.row(f"{id}.arm.{covariance}").df == known["df"]
        assert self.results.row(f"{id}.arm.robust").df is None
        assert self.results.row(f"{id}.arm.robust").n == known["K"]

    def mmrm(self, known):
        id = self.ids["mmrm"]
        for row, part in ((f"{id}.{self.last}.mmrm", known["last"]), (f"{id}.arm.mmrm", known["overall"])):
            for key, column in T_COLUMNS.items():
                self.agree(row, column, part[key], LIKELIHOOD)
            assert self.results.row(row).n == known["participants"]
        for key, column in (("f", "statistic"), ("df", "df"), ("df2", "df2"), ("p", "p_value")):
            self.agree(f"{id}.arm_visit.mmrm", column, known["joint"][key], LIKELIHOOD)
        for month, number in known["sd"].items():
            self.agree(f"{id}.sd.{self.visits[int(month)]}", "estimate", number, LIKELIHOOD)
        for pair, number in known["correlation"].items():
            first, second = (self.visits[int(month)] for month in pair.split(":"))
            row = f"{id}.correlation.{first}.{second}"
            assert self.results.row(row).estimate == pytest.approx(number, rel=LIKELIHOOD, abs=1e-8)
        assert self.results.row(f"{id}.observations").n == known["observations"]
        values = [each.value for each in self.results.residuals[id]]
        assert sorted(values) == pytest.approx(known["residuals"], rel=LIKELIHOOD, abs=1e-7)


def stored(name):
    """R's numbers as they were written down."""
    return numbers(json.loads((HERE / f"{name}.json").read_text(encoding="ascii")))


@pytest.fixture(scope="module", params=["counts", "complete"])
def compared(request):
    """The plan's answers on a stored table, beside what R says of it."""
    protocol = load(HERE / "counts.yaml")
    snapshot = exchange.read_long_table(protocol, HERE / f"{request.param}.csv")
    known = stored(request.param) | {"mmrm": stored(f"{request.param}.mmrm")}
    months = {0: "m0", 3: "m3", 6: "m6", 12: "m12"}
    results = analysis.run(protocol, snapshot)
    return Comparison(results, known, ids=OWN_IDS, test="NK", reference="ART", months=months)


def test_means_and_intervals_agree_with_r(compared):
    compared.means()


@pytest.mark.parametrize(("name", "method"), [("student", "student"), ("welch", "welch"), ("change", "student")])
def test_t_tests_agree_with_r(compared, name, method):
    compared.t_test(name, method)


def test_wilcoxon_agrees_with_r(compared):
    compared.wilcoxon()


@pytest.mark.parametrize(("name", "covariance"), [("ancova", "model"), ("ancova_hc2", "hc2"), ("ancova_hc3", "hc3")])
def test_ancova_agrees_with_r(compared, name, covariance):
    compared.ancova(name, covariance)


def test_repeated_measures_anova_agrees_with_r(compared):
    compared.anova()


@pytest.mark.parametrize("name", ["gee", "gee_adjusted"])
def test_gee_and_its_corrections_agree_with_the_papers_written_out_in_r(compared, name):
    compared.gee(name, ["robust", "df-adjusted", "mancl-derouen", "kauermann-carroll"])


def test_mixed_model_agrees_with_kenward_and_roger_written_out_in_r(compared):
    compared.mmrm(compared.known["mmrm"])


def test_working_correlation_agrees_with_r(compared):
    compared.agree("gee.correlation", "estimate", compared.known["gee"]["alpha"], ITERATED)


def test_robust_standard_error_agrees_with_geepack_on_complete_data():
    protocol = load(HERE / "counts.yaml")
    results = analysis.run(protocol, exchange.read_long_table(protocol, HERE / "complete.csv"))
    known = stored("complete")["geepack"]
    assert results.row("gee.arm.robust").estimate == pytest.approx(known["estimate"], rel=ITERATED)
    assert results.row("gee.arm.robust").std_error == pytest.approx(known["robust"], rel=ITERATED)


def r_on(path, script="plan.R"):
    """What an R script says of a table."""
    done = subprocess.run(["Rscript", "--vanilla", HERE / script, path], capture_output=True, text=True, check=True)
    return numbers(json.loads(done.stdout))


def flat(value, path=()):
    """Every number by its path."""
    if not isinstance(value, dict | list):
        return {path: value}
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return {key: found for name, part in parts for key, found in flat(part, (*path, name)).items()}


@pytest.mark.r("car", "sandwich", "geepack", "nlme", "jsonlite")
@pytest.mark.parametrize("name", ["counts", "complete"])
@pytest.mark.parametrize(("script", "ending", "rel"), [("plan.R", "", 1e-9), ("mmrm.R", ".mmrm", LIKELIHOOD)])
def test_r_here_gives_the_stored_numbers(name, script, ending, rel):
    known, again = flat(stored(f"{name}{ending}")), flat(r_on(HERE / f"{name}.csv", script))
    known, again = ({key: value for key, value in found.items() if key[0] != "made_with"} for found in (known, again))
    assert again == pytest.approx(known, rel=rel)


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory, checkout):
    """The example trial rehearsed with seed 1 and analysed, but for the re-randomisation test, which R does not run."""
    content = (checkout / "examples/nk-hiv/protocol.yaml").read_bytes()
    trial = design.rehearse(tmp_path_factory.mktemp("rehearsed") / "trial", content, seed=1)
    snapshot = conduct.snapshot(trial)
    plan = tuple(each for each in snapshot.protocol.analyses if each.method != "rerandomisation")
    protocol = snapshot.protocol.model_copy(update={"analyses": plan})
    return trial, protocol, snapshot, analysis.run(protocol, snapshot)


@pytest.mark.r("car", "sandwich", "geepack", "nlme", "jsonlite")
@pytest.mark.parametrize("outcome", ["cd4", "ratio"])
def test_rehearsed_trial_agrees_with_r(tmp_path, rehearsed, outcome):
    _, protocol, snapshot, results = rehearsed
    months = {visit.at.months or 0: visit.id for visit in (protocol.baseline_visit, *protocol.follow_up_visits)}
    write_table(snapshot, protocol.outcome(outcome).variable, months, tmp_path / "rehearsed.csv")
    ids = {name: f"{outcome}_{name}" for name in ("student", "welch", "ancova", "anova", "gee", "mmrm")}
    ids["means"] = f"means_{outcome}"
    found = Comparison(results, r_on(tmp_path / "rehearsed.csv"), ids=ids, test="NKART", reference="ART", months=months)
    found.means()
    found.t_test("welch", "welch")
    found.anova()
    found.gee("gee", ["robust", "mancl-derouen", "kauermann-carroll"])
    found.mmrm(r_on(tmp_path / "rehearsed.csv", "mmrm.R"))
    if outcome == "cd4":
        found.t_test("student", "student")
        found.ancova("ancova", "model")


def write_table(snapshot, item, months, path):
    """An item of the randomised as plan.R reads it."""
    arms = snapshot.participants.set_index("participant")["arm"].dropna().map({"NKART": "NK", "ART": "ART"})
    visits = {visit: month for month, visit in months.items()}
    lines = ["participant,arm,month,count"]
    for row in snapshot.item(item).itertuples():
        if row.participant in arms.index and row.visit in visits and row.value is not None:
            lines.append(f"{row.participant},{arms[row.participant]},{visits[row.visit]},{row.value}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.7, 0.95])
def test_the_rehearsal_is_analysed_at_any_position(rehearsed, share):
    """A trial that has only begun has refusals in its results, and no number that is not one."""
    trial, protocol, whole, _ = rehearsed
    found = analysis.run(protocol, conduct.snapshot(trial, as_of=1 + int(share * (whole.position - 1))))
    for each in protocol.analyses:
        refused = f"refused.{each.id}" in found.sentences
        assert refused == (not found.find(analysis=each.id))
    assert analysis.from_json(found.as_json()) == found
