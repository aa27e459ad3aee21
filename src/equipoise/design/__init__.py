"""Design a trial before it starts: compare methods of allocation, rehearse the whole of it with virtual participants.

A rehearsal has no rules of its own: it calls the acts of `conduct` in the order of a calendar, as people would.
"""

from equipoise.design.allocation_methods import Comparison, compare_methods
from equipoise.design.rehearsal import rehearse

__all__ = ["Comparison", "compare_methods", "rehearse"]
