"""Bring data of other systems in, checked whole before any of it is used."""

from equipoise.exchange.long_tables import read_long_table
from equipoise.exchange.table_faults import TableFault, TableRefused

__all__ = ["TableFault", "TableRefused", "read_long_table"]
