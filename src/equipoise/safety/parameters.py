"""What laboratories call a parameter, in which units they report it, and the code by which the scales grade it.

The code is that of CDISC where there is one.
"""

from __future__ import annotations

import re

NAMES = {
    "HGB": "hemoglobin haemoglobin hb hgb",
    "WBC": "whitebloodcell whitebloodcells whitebloodcellcount leukocytes leucocytes leukocytecount wbccount",
    "NEUT": "neutrophils neutrophilcount absoluteneutrophilcount anc",
    "LYM": "lymphocytes lymphocytecount absolutelymphocytecount alc lymph",
    "CD4": "cd4count cd4+ cd4cells cd4lymphocytes tlyh cd4+count absolutecd4count absolutecd4+count",
    "PLAT": "platelets platelet plateletcount plt thrombocytes",
    "ALT": "alanineaminotransferase sgpt alat gpt",
    "AST": "aspartateaminotransferase sgot asat got",
    "ALP": "alkalinephosphatase alkphos",
    "GGT": "gammaglutamyltransferase ggtp gammagt",
    "BILI": "bilirubin totalbilirubin tbil bilirubintotal",
    "BILDIR": "directbilirubin dbil conjugatedbilirubin bilirubindirect",
    "CREAT": "creatinine crea serumcreatinine",
    "EGFR": "gfre gfr creatclr crcl creatinineclearance estimatedgfr",
    "GLUC": "glucose bloodglucose glu",
    "SODIUM": "na na+",
    "K": "potassium k+",
    "CA": "calcium ca2+ cacorr",
    "ALB": "albumin",
    "LIPASE": "",
    "AMYLASE": "",
    "CK": "creatinekinase cpk creatinephosphokinase",
    "CHOL": "cholesterol totalcholesterol",
    "LDL": "ldlcholesterol ldlc",
    "TRIG": "triglycerides triglyceride tg",
    "URATE": "uricacid",
    "PHOS": "phosphate phosphorus inorganicphosphate",
    "MG": "magnesium mg2+",
    "BICARB": "bicarbonate hco3",
    "LDH": "lactatedehydrogenase",
}
CODES = {name: code for code, names in NAMES.items() for name in (code.lower(), *names.split())}

COUNT = ("10^9/L", "cells/uL")
ENZYME = ("U/L", "IU/L", "ukat/L", "nkat/L")
MINERAL = ("mmol/L", "mg/dL", "mEq/L")
UNITS: dict[str, tuple[str, ...]] = {
    "HGB": ("g/dL", "g/L", "mmol/L"),
    **dict.fromkeys(("WBC", "NEUT", "LYM", "CD4", "PLAT"), COUNT),
    **dict.fromkeys(("ALT", "AST", "ALP", "GGT", "LIPASE", "AMYLASE", "CK", "LDH"), ENZYME),
    **dict.fromkeys(("BILI", "BILDIR", "CREAT", "URATE"), ("umol/L", "mg/dL")),
    "EGFR": ("mL/min", "mL/min/1.73 m2"),
    **dict.fromkeys(("GLUC", "CHOL", "LDL", "TRIG"), ("mmol/L", "mg/dL")),
    **dict.fromkeys(("SODIUM", "K", "BICARB"), ("mmol/L", "mEq/L")),
    **dict.fromkeys(("CA", "PHOS", "MG"), MINERAL),
    "ALB": ("g/L", "g/dL", "umol/L"),
}
"""The usual units of each parameter. One of another kind than theirs (a mass, a count, ...) cannot be a unit of it."""


def parameter_of(name: str) -> str:
    """The code of a parameter by any name that it is known under; of another the name itself, in capitals.

    >>> parameter_of("Haemoglobin"), parameter_of("alt"), parameter_of("CRP")
    ('HGB', 'ALT', 'CRP')
    """
    return CODES.get(re.sub(r"[\s_().,/-]+", "", name).lower(), name.strip().upper())
