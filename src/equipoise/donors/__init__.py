"""From donor to patient: typing, ligand groups, mismatch rules, and the product made of a donor's cells.

Rules only: values in, verdicts out. Donors and participants are codes.
Terms: *reading* (a set of ligands that a typing leaves possible), *deciding rule* (the mismatch rule that the protocol
names; the others stand beside it).
"""

from equipoise.donors.body_weight import RecordedWeight
from equipoise.donors.custody import (
    BagBalance,
    BagStatus,
    Handover,
    Link,
    LotBalance,
    Step,
    Trace,
    bag_status,
    balance_of,
    chain_excursions,
    handover_reasons,
    holder,
    links_of,
    lot_balance,
    trace,
)
from equipoise.donors.deciding import DecidingRule, deciding_rule
from equipoise.donors.donor_eligibility import DonorTest, donor_reasons
from equipoise.donors.doses import (
    Contents,
    JudgedDose,
    JudgedLimit,
    Quantities,
    contents_of,
    judge_dose,
    judge_limits,
    planned_dose,
    quantities,
)
from equipoise.donors.hla_names import LOCI, BadName, HlaAllele, parse_allele
from equipoise.donors.hla_typing import HlaTyping, MacCodes, parse_typing, read_mac_codes
from equipoise.donors.infusion import (
    Attempt,
    DonorMatch,
    HeldBag,
    Label,
    Standing,
    check_infusion,
    start_findings,
)
from equipoise.donors.infusion_end import Finish, check_finish, finish_findings, given_dose
from equipoise.donors.kir import BContent, KirTyping, b_content, parse_kir
from equipoise.donors.ligand_reference import Reference, builtin_reference, read_reference
from equipoise.donors.ligand_rules import group_77_80, ligand_group
from equipoise.donors.ligands import LigandReadings, ligands_of
from equipoise.donors.lots import (
    Bag,
    Excursion,
    Lot,
    LotResult,
    LotStatus,
    Temperature,
    check_donation,
    excursions,
    expiry,
    status_reasons,
)
from equipoise.donors.matching import MatchMatrix, Pair, match, shown
from equipoise.donors.measured import Measured, parse_measured
from equipoise.donors.mismatch import RULES, VERDICTS, rule_named
from equipoise.donors.people import Person, PersonReader
from equipoise.donors.reasons import ProductRefused, Reason, same_person
from equipoise.donors.release import (
    CriterionVerdict,
    OutOfSpecification,
    Recipient,
    accepted_value,
    judge_criterion,
    judge_lot,
    out_of_specification,
    overdue,
    release_reasons,
)
from equipoise.donors.stock import StockedBag, stock_for

__all__ = [
    "LOCI",
    "RULES",
    "VERDICTS",
    "Attempt",
    "BContent",
    "BadName",
    "Bag",
    "BagBalance",
    "BagStatus",
    "Contents",
    "CriterionVerdict",
    "DecidingRule",
    "DonorMatch",
    "DonorTest",
    "Excursion",
    "Finish",
    "Handover",
    "HeldBag",
    "HlaAllele",
    "HlaTyping",
    "JudgedDose",
    "JudgedLimit",
    "KirTyping",
    "Label",
    "LigandReadings",
    "Link",
    "Lot",
    "LotBalance",
    "LotResult",
    "LotStatus",
    "MacCodes",
    "MatchMatrix",
    "Measured",
    "OutOfSpecification",
    "Pair",
    "Person",
    "PersonReader",
    "ProductRefused",
    "Quantities",
    "Reason",
    "Recipient",
    "RecordedWeight",
    "Reference",
    "Standing",
    "Step",
    "StockedBag",
    "Temperature",
    "Trace",
    "accepted_value",
    "b_content",
    "bag_status",
    "balance_of",
    "builtin_reference",
    "chain_excursions",
    "check_donation",
    "check_finish",
    "check_infusion",
    "contents_of",
    "deciding_rule",
    "donor_reasons",
    "excursions",
    "expiry",
    "finish_findings",
    "given_dose",
    "group_77_80",
    "handover_reasons",
    "holder",
    "judge_criterion",
    "judge_dose",
    "judge_limits",
    "judge_lot",
    "ligand_group",
    "ligands_of",
    "links_of",
    "lot_balance",
    "match",
    "out_of_specification",
    "overdue",
    "parse_allele",
    "parse_kir",
    "parse_measured",
    "parse_typing",
    "planned_dose",
    "quantities",
    "read_mac_codes",
    "read_reference",
    "release_reasons",
    "rule_named",
    "same_person",
    "shown",
    "start_findings",
    "status_reasons",
    "stock_for",
    "trace",
]
