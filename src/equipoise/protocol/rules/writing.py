"""Write a tree as the text of a rule: one space around signs, brackets only where they are needed."""

from datetime import date, time
from decimal import Decimal

from equipoise.protocol.rules.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Comparison,
    Constant,
    Junction,
    Literal,
    Membership,
    Name,
    Negative,
    Node,
    Not,
)

# How tightly each form binds; a part that binds no tighter than the whole is put in brackets.
OR, AND, NOT, COMPARISON, SUM, PRODUCT, NEGATIVE, ATOM = range(8)


def written(tree: Node) -> str:
    """The text of a tree; reading it gives the same tree."""
    match tree:
        case Literal():
            return _constant(tree.value)
        case Name():
            return tree.name
        case Not():
            return f"not {_within(tree.operand, NOT)}"
        case Negative():
            return f"-{_within(tree.operand, NEGATIVE)}"
        case Junction():
            return f" {tree.word} ".join(_within(operand, _binding(tree) + 1) for operand in tree.operands)
        case Comparison() | Arithmetic():
            tighter = _binding(tree) + 1
            rest = "".join(f" {sign} {_within(operand, tighter)}" for sign, operand in tree.rest)
            return _within(tree.first, tighter) + rest
        case Membership():
            return f"{_within(tree.item, SUM)} {'not in' if tree.negated else 'in'} {_options(tree)}"
        case Call():
            return f"{tree.function}({', '.join(written(argument) for argument in tree.arguments)})"
        case Aggregate():
            return f"{tree.function}({written(tree.condition)})"


def _within(node: Node, tightest: int) -> str:
    text = written(node)
    return text if _binding(node) >= tightest else f"({text})"


def _binding(node: Node) -> int:
    match node:
        case Junction():
            return OR if node.word == "or" else AND
        case Not():
            return NOT
        case Comparison() | Membership():
            return COMPARISON
        case Arithmetic():
            return SUM if node.rest[0][0] in "+-" else PRODUCT
        case Negative():
            return NEGATIVE
        case _:
            return ATOM


def _options(node: Membership) -> str:
    if isinstance(node.options, Name):
        return node.options.name
    return f"[{', '.join(_constant(option.value) for option in node.options)}]"


def _constant(value: Constant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return f"date('{value.isoformat()}')"
    if isinstance(value, time):
        return f"time('{value.isoformat('minutes')}')"
    return "'" + value.replace("'", "''") + "'"
