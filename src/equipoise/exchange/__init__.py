"""Bring data of other systems in, checked whole before any of it is used."""

from equipoise.exchange.coding_tables import ChosenCode, read_chosen, write_codes
from equipoise.exchange.laboratory_tables import GradedTable, LaboratoryTable, grade_table, read_laboratory_table
from equipoise.exchange.long_tables import read_long_table
from equipoise.exchange.table_faults import TableFault, TableRefused

__all__ = [
    "ChosenCode",
    "GradedTable",
    "LaboratoryTable",
    "TableFault",
    "TableRefused",
    "grade_table",
    "read_chosen",
    "read_laboratory_table",
    "read_long_table",
    "write_codes",
]
