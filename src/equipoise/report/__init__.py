"""The report of a trial: one self-contained HTML page whose every number is looked up by its id in the results.

`write` is the room's one door. Nothing here computes a result, reads the ledger or asks a clock.
"""

from equipoise.report.writing import write

__all__ = ["write"]
