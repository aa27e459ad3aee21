"""Allocate participants to arms, prove it afterwards, and say beforehand what a method gives away.

The rules only: methods, draws from the trial's secret, commitment and reveal, design properties. Nothing here
reads the record or the clock; the secret, the past and the newcomer's stratum come in as arguments.
Terms: *sequence* (a stratum's places, numbered from 1), *stretch* (a part of it that the method balances).
"""

from equipoise.randomisation.allocation import Allocated, Place, allocate, sequence, stratum_of
from equipoise.randomisation.commitment import Commitment, check_reveal, commit
from equipoise.randomisation.comparison import OPEN_LABEL_NOTE, USUAL_METHODS, MethodRow, compare
from equipoise.randomisation.design_properties import DesignProperties, SimulationError, properties, properties_of
from equipoise.randomisation.drawing import Purpose, draw
from equipoise.randomisation.methods import Method
from equipoise.randomisation.parsing import METHODS, parse_method, with_planned_number
from equipoise.randomisation.redrawing import every_allocation, redraw
from equipoise.randomisation.refusing import AllocationRefused, MethodRefused, SecretRefused
from equipoise.randomisation.replaying import Mismatch, replay, reveal_document, verifier_source
from equipoise.randomisation.secret import Secret

__all__ = [
    "METHODS",
    "OPEN_LABEL_NOTE",
    "USUAL_METHODS",
    "Allocated",
    "AllocationRefused",
    "Commitment",
    "DesignProperties",
    "Method",
    "MethodRefused",
    "MethodRow",
    "Mismatch",
    "Place",
    "Purpose",
    "Secret",
    "SecretRefused",
    "SimulationError",
    "allocate",
    "check_reveal",
    "commit",
    "compare",
    "draw",
    "every_allocation",
    "parse_method",
    "properties",
    "properties_of",
    "redraw",
    "replay",
    "reveal_document",
    "sequence",
    "stratum_of",
    "verifier_source",
    "with_planned_number",
]
