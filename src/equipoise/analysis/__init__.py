"""Analyse a trial: snapshot to populations to data sets to the plan's analyses to one table of results.

Nothing here reads the ledger or writes a page; a snapshot comes in and `Results` go out. A method that cannot be
applied gives no number and a sentence that says why.
"""

from equipoise.analysis.results import Histogram, Residual, Results, ResultsRefusal, Row, from_json, read_json
from equipoise.analysis.running import run

__all__ = ["Histogram", "Residual", "Results", "ResultsRefusal", "Row", "from_json", "read_json", "run"]
