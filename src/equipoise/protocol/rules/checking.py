"""Check a tree against the kinds of the names: unknown names, unlike things compared, codes that do not exist."""

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.protocol.faults.fault import nearest
from equipoise.protocol.rules.evaluating import wanted_words
from equipoise.protocol.rules.functions import FUNCTIONS
from equipoise.protocol.rules.kinds import DATE, LOGIC, NUMBER, TEXT, TIME, Kind, Kinds, Sort
from equipoise.protocol.rules.operators import NAMED, ORDERED, remedy_without_order
from equipoise.protocol.rules.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Comparator,
    Comparison,
    Junction,
    Literal,
    Membership,
    Name,
    Negative,
    Node,
    Not,
    column_of,
)
from equipoise.protocol.rules.values import sort_of
from equipoise.refusals import shown

KIND_OF_LITERAL: dict[Sort, Kind] = {"number": NUMBER, "text": TEXT, "date": DATE, "time": TIME, "logic": LOGIC}
MOST_LISTED = 12


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong in a rule, at a column counted from 1, and what to write."""

    column: int
    problem: str
    remedy: str


class Checker:
    """Walks a tree once; `problems` then holds what it met, in the order of the text."""

    def __init__(self, kinds: Kinds) -> None:
        self.problems: list[Problem] = []
        self._kinds = kinds
        self._group = ""

    def kind(self, node: Node) -> Kind | None:
        """The kind of a node's value; None when it cannot be told."""
        match node:
            case Literal():
                return KIND_OF_LITERAL[sort_of(node.value)]
            case Name():
                return self._name(node)
            case Not():
                return self._needs(LOGIC, node.operand)
            case Junction():
                for operand in node.operands:
                    self._needs(LOGIC, operand)
                return LOGIC
            case Comparison():
                return self._comparison(node)
            case Membership():
                return self._membership(node)
            case Arithmetic():
                for operand in (node.first, *(operand for _, operand in node.rest)):
                    self._needs(NUMBER, operand)
                return NUMBER
            case Negative():
                return self._needs(NUMBER, node.operand)
            case Call():
                return self._call(node)
            case Aggregate():
                return self._aggregate(node)

    def _note(self, node: Node, problem: str, remedy: str) -> None:
        self.problems.append(Problem(column_of(node), problem, remedy))

    def _name(self, node: Name) -> Kind | None:
        kind = self._kinds.get(node.name)
        if kind is None:
            meant = nearest(node.name, self._kinds)
            remedy = f"write {meant}" if meant else "write a name that is known here; put a code or text in quotes"
            self._note(node, f"there is no {shown(node.name)} here", remedy)
        elif kind.sort == "repeated" or self._is_unasked(node.name):
            group = node.name if kind.sort == "repeated" else node.name.rpartition(".")[0]
            self._note(node, f"{group} is a repeated group", "ask its rows with any(), all() or count()")
            return None
        return kind

    def _is_unasked(self, name: str) -> bool:
        """Whether a name is an item of a repeated group and stands outside the aggregate over it."""
        group = name.rpartition(".")[0]
        kind = self._kinds.get(group)
        return kind is not None and kind.sort == "repeated" and group != self._group

    def _needs(self, wanted: Kind, node: Node) -> Kind:
        kind = self.kind(node)
        if kind is not None and kind.sort != wanted.sort:
            remedy = "compare it with something"
            if wanted == NUMBER:
                remedy = "use days_between(a, b)" if kind == DATE else "give a number"
            self._note(node, f"{NAMED[kind.sort]} stands where {NAMED[wanted.sort]} is needed", remedy)
        return wanted

    def _comparison(self, node: Comparison) -> Kind:
        sides = [node.first, *(operand for _, operand in node.rest)]
        kinds = [None if self._is_bare_code(side, sides) else self.kind(side) for side in sides]
        for place, (comparator, _) in enumerate(node.rest):
            self._pair(comparator, sides[place : place + 2], kinds[place : place + 2])
        return LOGIC

    def _is_bare_code(self, node: Node, sides: Sequence[Node]) -> bool:
        """Notes a code written without quotes beside the choice that it belongs to."""
        if not isinstance(node, Name) or node.name in self._kinds:
            return False
        for side in sides:
            kind = self._kinds.get(side.name) if isinstance(side, Name) else None
            if kind is not None and node.name in kind.codes:
                self._note(node, f"{node.name} is a code without quotes", f"write '{node.name}'")
                return True
        return False

    def _pair(self, comparator: Comparator, sides: Sequence[Node], kinds: Sequence[Kind | None]) -> None:
        left, right = kinds
        if left is None or right is None:
            return
        if not _alike(left, right):
            problem = f"{NAMED[left.sort]} is compared with {NAMED[right.sort]}"
            self._note(sides[0], problem, _remedy_for(sides, (left, right)))
            return
        if left.sort == "many" or (comparator not in ("==", "!=") and left.sort not in ORDERED):
            remedy = remedy_without_order(left.sort)
            self._note(sides[0], f"{comparator} does not apply to {NAMED[left.sort]}", remedy)
            return
        self._code(sides[0], right)
        self._code(sides[1], left)

    def _code(self, node: Node, kind: Kind) -> None:
        """Notes a text that is no code of the choice beside it."""
        if kind.codes and isinstance(node, Literal) and isinstance(node.value, str) and node.value not in kind.codes:
            meant = nearest(node.value, kind.codes)
            codes = ", ".join(f"'{code}'" for code in sorted(kind.codes)[:MOST_LISTED])
            remedy = f"write '{meant}'" if meant else f"the codes are {codes}"
            self._note(node, f"'{shown(node.value)}' is no code of the choice", remedy)

    def _membership(self, node: Membership) -> Kind:
        if isinstance(node.options, Name):
            item, codes = self.kind(node.item), self.kind(node.options)
            if codes is not None and codes.sort != "many":
                self._note(node.options, f"{node.options.name} is not a set of codes", "list values in [ ]")
            elif item is not None and not _is_text(item):
                self._note(node.item, f"{NAMED[item.sort]} is looked for among codes", "give a code in quotes")
            elif codes is not None:
                self._code(node.item, codes)
            return LOGIC
        kind = self.kind(node.item)
        for option in node.options:
            self._pair("==", (node.item, option), (kind, self.kind(option)))
        return LOGIC

    def _call(self, node: Call) -> Kind | None:
        if node.function == "if":
            self._needs(LOGIC, node.arguments[0])
            return self._one_kind(node, node.arguments[1:])
        if node.function == "coalesce":
            return self._one_kind(node, node.arguments)
        if node.function in ("missing", "known"):
            self.kind(node.arguments[0])
            return LOGIC
        return self._applied(node)

    def _one_kind(self, node: Call, arguments: Sequence[Node]) -> Kind | None:
        kinds = [kind for argument in arguments if (kind := self.kind(argument)) is not None]
        for kind in kinds[1:]:
            if not _alike(kinds[0], kind):
                problem = f"{node.function} may give {NAMED[kinds[0].sort]} or {NAMED[kind.sort]}"
                self._note(node, problem, "give values of one kind")
        return kinds[0] if kinds else None

    def _applied(self, node: Call) -> Kind | None:
        function = FUNCTIONS[node.function]
        kinds = [kind for argument in node.arguments if (kind := self.kind(argument)) is not None]
        sorts = {kind.sort for kind in kinds}
        wanted = {function.takes.sort} if function.takes else ORDERED
        if not sorts <= wanted or len(sorts) > 1:
            given = " and ".join(sorted(NAMED[sort] for sort in sorts))
            self._note(node, f"{function.form} is given {given}", f"give it {wanted_words(node.function)}")
            return function.gives
        return function.gives or (kinds[0] if kinds else None)

    def _aggregate(self, node: Aggregate) -> Kind:
        group = self._kinds.get(node.group)
        if group is None or group.sort != "repeated":
            problem = f"{shown(node.group)} is not a repeated group"
            self._note(node, problem, f"ask its value without {node.function}()")
        self._group = node.group
        self._needs(LOGIC, node.condition)
        self._group = ""
        return NUMBER if node.function == "count" else LOGIC


def _is_text(kind: Kind) -> bool:
    return kind.sort in ("text", "choice")


def _alike(left: Kind, right: Kind) -> bool:
    return left.sort == right.sort or (_is_text(left) and _is_text(right))


def _remedy_for(sides: Sequence[Node], kinds: Sequence[Kind]) -> str:
    """What to write where two kinds do not go together."""
    for side, kind, other in zip(sides, kinds, reversed(kinds), strict=True):
        if isinstance(side, Literal) and kind == TEXT and other in (DATE, TIME):
            return f"write {FUNCTIONS[other.sort].form}"
        if isinstance(side, Literal) and kind == NUMBER and _is_text(other):
            return f"write '{side.value}'"
        if isinstance(side, Literal) and kind == TEXT and other == LOGIC:
            return "write yes or no, without quotes"
        if isinstance(side, Literal) and kind == LOGIC and other.codes:
            return f"write a code: {', '.join(repr(code) for code in sorted(other.codes)[:MOST_LISTED])}"
    return "compare values of the same kind"
