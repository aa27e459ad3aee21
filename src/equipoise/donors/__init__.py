"""From donor to patient: typing, ligand groups, mismatch rules, and the product made of a donor's cells.

Rules only: values in, verdicts out. Donors and participants are codes.
Terms: *reading* (a set of ligands that a typing leaves possible), *deciding rule* (the mismatch rule that the protocol
names; the others stand beside it).
"""

from equipoise.donors.deciding import DecidingRule, deciding_rule
from equipoise.donors.hla_names import LOCI, BadName, HlaAllele, parse_allele
from equipoise.donors.hla_typing import HlaTyping, MacCodes, parse_typing, read_mac_codes
from equipoise.donors.kir import BContent, KirTyping, b_content, parse_kir
from equipoise.donors.ligand_reference import Reference, builtin_reference, read_reference
from equipoise.donors.ligand_rules import group_77_80, ligand_group
from equipoise.donors.ligands import LigandReadings, ligands_of
from equipoise.donors.matching import MatchMatrix, Pair, match, shown
from equipoise.donors.mismatch import RULES, VERDICTS, rule_named
from equipoise.donors.people import Person, PersonReader

__all__ = [
    "LOCI",
    "RULES",
    "VERDICTS",
    "BContent",
    "BadName",
    "DecidingRule",
    "HlaAllele",
    "HlaTyping",
    "KirTyping",
    "LigandReadings",
    "MacCodes",
    "MatchMatrix",
    "Pair",
    "Person",
    "PersonReader",
    "Reference",
    "b_content",
    "builtin_reference",
    "deciding_rule",
    "group_77_80",
    "ligand_group",
    "ligands_of",
    "match",
    "parse_allele",
    "parse_kir",
    "parse_typing",
    "read_mac_codes",
    "read_reference",
    "rule_named",
    "shown",
]
