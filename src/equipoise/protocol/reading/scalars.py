"""What a scalar without quotes means: the core schema of YAML 1.2, with exact numbers.

Source: YAML 1.2.2 (2021), section 10.3.2, tag resolution. `NO`, `on`, `12:30` and dates are text there.
"""

import re
from decimal import Decimal

NULL = re.compile(r"|~|null|Null|NULL")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
INT = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE](?P<exponent>[-+]?[0-9]+))?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

MOST_DIGITS = 50
LARGEST_EXPONENT = 100


class NotANumber(ValueError):
    """A scalar that has the form of a number and cannot be used as one; `args` are problem and remedy."""


def resolved(text: str) -> str | int | Decimal | bool | None:
    """The value of a plain scalar.

    Raises:
        NotANumber: when it is infinite, not a number, or has too many digits to be meant.
    """
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text):
        return True
    if FALSE.fullmatch(text):
        return False
    return _number(text)


def _number(text: str) -> str | int | Decimal:
    if NOT_FINITE.fullmatch(text):
        raise NotANumber("is not a finite number", "write a number, or put it in quotes to mean text")
    if OCTAL.fullmatch(text):
        return int(_short(text)[2:], 8)
    if HEXADECIMAL.fullmatch(text):
        return int(_short(text)[2:], 16)
    if INT.fullmatch(text):
        return int(_short(text))
    decimal = DECIMAL.fullmatch(text)
    if not decimal:
        return text
    if len(decimal["exponent"] or "") > 4 or abs(int(decimal["exponent"] or 0)) > LARGEST_EXPONENT:
        raise NotANumber(
            f"has an exponent beyond {LARGEST_EXPONENT}", "write a smaller number, or put it in quotes to mean text"
        )
    return Decimal(_short(text))


def _short(text: str) -> str:
    if len(text) > MOST_DIGITS:
        raise NotANumber(
            f"is a number of more than {MOST_DIGITS} digits", "shorten it, or put it in quotes to mean text"
        )
    return text
