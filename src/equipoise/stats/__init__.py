"""Statistics that are right for a trial of twenty patients, and fast for thousands of such trials.

Each function takes plain frames or arrays and returns a frozen result whose `method` says, in one
sentence and with its citation, what was done. The room knows no files and no trial.
"""

from equipoise.stats import batch
from equipoise.stats.descriptive import clopper_pearson, mean_interval, median_quartiles, newcombe, wilson
from equipoise.stats.gee_fit import gee
from equipoise.stats.imputation import impute
from equipoise.stats.imputation_tipping import tipping_point
from equipoise.stats.least_squares import ancova
from equipoise.stats.marginal_means import marginal_means
from equipoise.stats.mmrm_diagnostics import influence, residuals, visit_correlation
from equipoise.stats.mmrm_fit import mmrm
from equipoise.stats.repeated_measures import rm_anova
from equipoise.stats.rerandomise import rerandomisation, rerandomisation_interval
from equipoise.stats.rubin import pool
from equipoise.stats.two_samples import two_sample

__all__ = [
    "ancova",
    "batch",
    "clopper_pearson",
    "gee",
    "impute",
    "influence",
    "marginal_means",
    "mean_interval",
    "median_quartiles",
    "mmrm",
    "newcombe",
    "pool",
    "rerandomisation",
    "rerandomisation_interval",
    "residuals",
    "rm_anova",
    "tipping_point",
    "two_sample",
    "visit_correlation",
    "wilson",
]
