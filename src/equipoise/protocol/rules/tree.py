"""The tree of a rule: frozen nodes, and walks over them.

Columns are kept for messages and take no part in equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import Literal as OneOf

Constant = Decimal | str | bool | date | time
Comparator = OneOf["==", "!=", "<", "<=", ">", ">="]
Operator = OneOf["+", "-", "*", "/"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the rule."""

    value: Constant
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A value of the record, such as `screen.cd4`."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: "Node"
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more operands joined by the same word."""

    word: OneOf["and", "or"]
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`first < second <= third`: every neighbouring pair must hold."""

    first: "Node"
    rest: tuple[tuple[Comparator, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """`item in [1, 2]`, or `'CODE' in name` where the name holds many codes."""

    item: "Node"
    options: tuple[Literal, ...] | Name
    negated: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """A sum of terms or a product of factors, from left to right; never both in one node."""

    first: "Node"
    rest: tuple[tuple[Operator, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Negative:
    """`-operand`."""

    operand: "Node"
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `functions.FUNCTIONS`, `if` and `coalesce` among them."""

    function: str
    arguments: tuple["Node", ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A condition asked of every row of a repeated group."""

    function: OneOf["any", "all", "count"]
    group: str
    condition: "Node"
    column: int = field(default=0, compare=False)


Node = Literal | Name | Not | Junction | Comparison | Membership | Arithmetic | Negative | Call | Aggregate


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node, from left to right."""
    match node:
        case Literal() | Name():
            return ()
        case Not() | Negative():
            return (node.operand,)
        case Junction():
            return node.operands
        case Comparison() | Arithmetic():
            return (node.first, *(operand for _, operand in node.rest))
        case Membership():
            return (node.item, node.options) if isinstance(node.options, Name) else (node.item, *node.options)
        case Call():
            return node.arguments
        case Aggregate():
            return (node.condition,)


def nodes(tree: Node) -> Iterator[Node]:
    """Every node of a tree, from left to right."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def depth_of(tree: Node) -> int:
    """Levels of a tree; a single name has one."""
    level = [tree]
    depth = 0
    while level:
        depth += 1
        level = [below for node in level for below in children(node)]
    return depth


def column_of(node: Node) -> int:
    """Where the text of a node begins, brackets aside."""
    while not isinstance(node, Literal | Name | Not | Negative | Call | Aggregate):
        node = children(node)[0]
    return node.column
