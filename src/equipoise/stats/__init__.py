"""Statistics that are right for a trial of twenty patients, and fast for thousands of such trials.

Each function takes plain frames or arrays and returns a frozen result whose `method` says, in one
sentence and with its citation, what was done. The room knows no files and no trial.
"""

from equipoise.stats.descriptive import clopper_pearson, mean_interval, median_quartiles, newcombe, wilson
from equipoise.stats.gee_fit import gee
from equipoise.stats.least_squares import ancova
from equipoise.stats.repeated_measures import rm_anova
from equipoise.stats.two_samples import two_sample

__all__ = [
    "ancova",
    "clopper_pearson",
    "gee",
    "mean_interval",
    "median_quartiles",
    "newcombe",
    "rm_anova",
    "two_sample",
    "wilson",
]
