"""Which unit a text means. Two units are compared only when they are the same but for an exact power of ten.

A conversion by molar mass (mg/dL to mmol/L) is never made: published limits in the two are not conversions of each
other, so that the grade would depend on who converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
PREFIXES = {"": 0, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12}
WORDS = {"k": 3, "K": 3, "thousand": 3, "thou": 3, "million": 6, "giga": 9, "G": 9, "Gpt": 9, "T": 12}
MULTIPLIER = re.compile(rf"[xX*]?10(?:\^|\*\*?|[eE])?(?P<power>\d{{1,2}})|(?P<word>{'|'.join(WORDS)})")
CELLS = re.compile(r"(?:\{?(?:cells?|cell count)\}?)")
VOLUMES = {"UL": -6, "mm3": -6, "mm^3": -6, "mm*3": -6, "cmm": -6, "mcL": -6, "mcl": -6}
# Exports that know capitals only. G/L is not among them: there it could be gram or giga.
CAPITALS = {"G/DL": "g/dL", "GM/DL": "g/dL", "MG/DL": "mg/dL", "MMOL/L": "mmol/L", "UMOL/L": "umol/L", "MEQ/L": "mEq/L"}
CAPITALS |= {"UKAT/L": "ukat/L", "NKAT/L": "nkat/L"}
# Older spellings that still stand on laboratory sheets: a gram per cent is a gram in 100 mL.
OLDER = {"g%": "g/dL", "mg%": "mg/dL", "ug%": "ug/dL", "mval/L": "mEq/L", "mval/l": "mEq/L"}
WRITTEN_OUT = {"micro": "u", "milli": "m", "mc": "u"}
FILTRATION = {"ml/min": "filtration", "ml/min/1.73m2": "filtration by area"}
FILTRATION["ml/min/{1.73_m2}"] = FILTRATION["ml/min/1.73sqm"] = FILTRATION["ml/min/1.73m^2"] = "filtration by area"
MONOVALENT = frozenset({"SODIUM", "K", "BICARB"})  # of these a milliequivalent is a millimole
ENZYME_UNITS = ("U", "IU", "UI", "[IU]", "[iU]", "u", "iu", "units", "unit", "Units", "Unit")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is measured in a volume, and its power of ten of the kind's own unit (1/L, g/L, mol/L, Eq/L, U/L, kat/L)."""

    kind: str
    power: int


def unit_of(text: str, parameter: str = "") -> Unit | None:
    """The unit that a text means; None when it is not among those known here.

    Case decides between giga (`G/L`) and gram (`g/L`). UCUM (`10*9/L`, `{cells}/uL`) and everyday forms (`x10^9/L`,
    `10e9/L`, `K/µL`, `cells/mm3`) mean the same.

    Args:
        text: as the laboratory writes it.
        parameter: code of what is measured: mEq/L is mmol/L for sodium, potassium and bicarbonate.
    """
    plain = re.sub(r"[µμ]", "u", re.sub(r"\s+", "", text).translate(SUPERSCRIPTS).replace("×", "x"))
    plain = (CAPITALS | OLDER).get(plain, plain)
    if filtered := FILTRATION.get(plain.lower()):
        return Unit(filtered, 0)
    above, slash, below = plain.rpartition("/")
    volume = _volume(below)
    if not slash or volume is None:
        return None
    counted = _count(above)
    if counted is not None:
        return Unit("count", counted - volume)
    equivalents = "substance" if parameter in MONOVALENT else "equivalents"
    kinds = (("mol", "substance"), ("Eq", equivalents), ("eq", equivalents), ("g", "mass"), ("kat", "katals"))
    for symbol, kind in (*kinds, *((symbol, "enzyme units") for symbol in ENZYME_UNITS)):
        prefix = above.removesuffix(symbol)
        prefix = WRITTEN_OUT.get(prefix, prefix)
        if above.endswith(symbol) and prefix in PREFIXES:
            return Unit(kind, PREFIXES[prefix] - volume)
    return None


def _volume(text: str) -> int | None:
    if text in VOLUMES:
        return VOLUMES[text]
    prefix = text[:-1] if text[-1:] in ("L", "l") else None
    return PREFIXES.get(prefix) if prefix is not None else None


def _count(text: str) -> int | None:
    """The power of ten of a count: `10*9`, `x10^3cells`, `cells`, `K`, or nothing at all."""
    bare = CELLS.sub("", text).rstrip("*.")
    if not bare:
        return 0
    found = MULTIPLIER.fullmatch(bare)
    if found is None:
        return None
    return int(found["power"]) if found["power"] else WORDS[found["word"]]
