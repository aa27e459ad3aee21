"""Cells of tables for people: no text from a protocol or a file can make a spreadsheet calculate or call."""

import re

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
SIGNED_NUMBER = re.compile(r"[+-]?[\d.,]*(?:[eE][+-]?\d+)?")


def safe_cell(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula; a signed number stays."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) and not SIGNED_NUMBER.fullmatch(text) else text
