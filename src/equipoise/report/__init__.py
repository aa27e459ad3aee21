"""The report of a trial, one self-contained HTML page whose every number is looked up by its id in the results.

And the sheet by which one adverse event is told. Nothing here computes a result, reads the ledger or asks a clock.
"""

from equipoise.report.narratives import case_of, narrative_page
from equipoise.report.writing import write

__all__ = ["case_of", "narrative_page", "write"]
