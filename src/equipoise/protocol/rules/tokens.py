"""Cut a rule's text into tokens."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.protocol.rules.refused import RuleRefused
from equipoise.refusals import shown

LONGEST_RULE = 2_000  # characters
MOST_DIGITS = 34  # of a number; the precision of rule arithmetic
LARGEST_EXPONENT = 50

WORDS = frozenset({"and", "or", "not", "in", "true", "false", "yes", "no"})

NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)
TEXT = re.compile(r"'(?:[^'\x00-\x1f\x7f]|'')*'")
SIGN = re.compile(r"==|!=|<=|>=|<(?!>)|>|\+|-|\*(?!\*)|/|\(|\)|\[|\]|,")
SPACE = re.compile(r"[ \t\n]*")

# What people write by habit: sign, what to write instead.
HABITS = (
    ("<>", "write !="),
    ("=", "write == to compare"),
    ("&", "write and"),
    ("|", "write or"),
    ("!", "write not, or != to compare"),
    ("≥", "write >="),
    ("≤", "write <="),
    ("≠", "write !="),
    ("×", "write *"),
    ("÷", "write /"),
    ("−", "write a plain minus sign -"),
    ("**", "there are no powers; multiply instead"),
    ("^", "there are no powers; multiply instead"),
    ('"', "put text in single quotes"),
    ("“", "put text in single quotes"),
    ("‘", "put text in straight single quotes"),
    ("’", "put text in straight single quotes"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a rule.

    Args:
        kind: `word` is a reserved word, `sign` an operator or bracket, `end` the end of the rule.
        text: as written; of `text` without its quotes.
        column: where it begins, counted from 1.
    """

    kind: Literal["number", "text", "name", "word", "sign", "end"]
    text: str
    column: int

    def __str__(self) -> str:
        """As a message names it."""
        if self.kind == "end":
            return "the end"
        return shown(f"'{self.text}'" if self.kind == "text" else self.text)


def tokens_of(text: str) -> list[Token]:
    """The tokens of a rule, the last of kind `end`.

    Raises:
        RuleRefused: when the text is too long or holds what no rule can hold.
    """
    if len(text) > LONGEST_RULE:
        raise RuleRefused(text, f"is longer than {LONGEST_RULE} characters", "split it into several rules")
    tokens = []
    place = _after_space(text, 0)
    while place < len(text):
        token, place = _token_at(text, place)
        tokens.append(token)
        place = _after_space(text, place)
    return [*tokens, Token("end", "", len(text) + 1)]


def _after_space(text: str, place: int) -> int:
    space = SPACE.match(text, place)
    return space.end() if space else place


def _token_at(text: str, place: int) -> tuple[Token, int]:
    column = place + 1
    if found := NUMBER.match(text, place):
        _check_number(text, found[0], column)
        if text.startswith(".", found.end()):
            raise _refusal(text, column, f"the number {found[0]} ends in a point", "write digits after the point")
        if NAME.match(text, found.end()):
            raise _refusal(text, column, f"the number {found[0]} runs into letters", "put a sign between the two")
        return Token("number", found[0], column), found.end()
    if found := NAME.match(text, place):
        return Token("word" if found[0] in WORDS else "name", found[0], column), found.end()
    if found := TEXT.match(text, place):
        return Token("text", found[0][1:-1].replace("''", "'"), column), found.end()
    if found := SIGN.match(text, place):
        return Token("sign", found[0], column), found.end()
    raise _refused_character(text, place)


def _check_number(text: str, number: str, column: int) -> None:
    exponent = re.split("[eE]", number)[1:]
    if exponent and (len(exponent[0]) > 4 or abs(int(exponent[0])) > LARGEST_EXPONENT):
        raise _refusal(text, column, f"a number has an exponent beyond {LARGEST_EXPONENT}", "write a smaller number")
    if len(Decimal(number).as_tuple().digits) > MOST_DIGITS:
        raise _refusal(text, column, f"a number has more than {MOST_DIGITS} digits", "write fewer digits")


def _refused_character(text: str, place: int) -> RuleRefused:
    column = place + 1
    if text[place] == "'":
        return _refusal(text, column, "a quotation mark is not closed on its line", "close it with '")
    for habit, remedy in HABITS:
        if text.startswith(habit, place):
            return _refusal(text, column, f"{habit} is no sign of the rule language", remedy)
    return _refusal(
        text, column, f"{shown(text[place])} is no sign of the rule language", "remove it, or put text in quotes"
    )


def _refusal(text: str, column: int, problem: str, remedy: str) -> RuleRefused:
    return RuleRefused(text, f"column {column}: {problem}", remedy)
