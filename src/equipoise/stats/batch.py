"""The methods of this room on arrays, thousands of independent fits in one call: `stats.batch.gee(y, X)`.

For simulated trials and re-drawn allocations. Each takes arrays with any leading axes, each leading index one fit, and
gives the numbers that the method of the same name gives one by one. Where a fit cannot be made nothing is raised: it is
marked as not usable and its P is one. Methods: docs/methods/batch.md.
"""

from equipoise.stats.gee_batch import gee_batch as gee
from equipoise.stats.least_squares_batch import ancova_batch as ancova
from equipoise.stats.mmrm_batch import mmrm_batch as mmrm
from equipoise.stats.repeated_measures_batch import rm_anova_batch as rm_anova
from equipoise.stats.rerandomise_batch import rerandomisation_batch as rerandomisation
from equipoise.stats.two_samples_batch import two_sample_batch as two_sample

__all__ = ["ancova", "gee", "mmrm", "rerandomisation", "rm_anova", "two_sample"]
