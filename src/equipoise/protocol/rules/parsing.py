"""Read a rule's text into a tree: precedence climbing over tokens, after Pratt (1973).

Loosest first: `or`, `and`, `not`, comparisons and `in`, `+ -`, `* /`, unary `-`. Expressions within
expressions count against a limit before anything recurses, so no text can exhaust the stack.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from typing import Literal as OneOf
from typing import cast, get_args

from equipoise.protocol.faults.fault import nearest
from equipoise.protocol.rules.functions import FUNCTIONS, MOST_PLACES, Function
from equipoise.protocol.rules.refused import RuleRefused
from equipoise.protocol.rules.tokens import WORDS, Token, tokens_of
from equipoise.protocol.rules.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Comparator,
    Comparison,
    Constant,
    Junction,
    Literal,
    Membership,
    Name,
    Negative,
    Node,
    Not,
    Operator,
    depth_of,
    nodes,
)
from equipoise.refusals import shown

MOST_NODES = 200
DEEPEST = 30  # levels of the tree
DEEPEST_TEXT = 2 * DEEPEST  # expressions within expressions: a level may stand in brackets of its own

OR, AND, NOT, COMPARISON, SUM, PRODUCT, NEGATIVE = range(1, 8)
BINDING = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not"), COMPARISON),
    **dict.fromkeys("+-", SUM),
    **dict.fromkeys("*/", PRODUCT),
}
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}
AggregateName = OneOf["any", "all", "count"]
AGGREGATES = get_args(AggregateName)
FORMS = {  # fromisoformat takes others too, such as 2018-W05-4
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII),
    "time": re.compile(r"[0-9]{2}:[0-9]{2}", re.ASCII),
}


def tree_of(text: str) -> Node:
    """The tree of a rule.

    Raises:
        RuleRefused: naming the column, what is wrong there, and what to write.
    """
    return _Parser(text).rule()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._place = 0
        self._nesting = 0
        self._aggregate: Token | None = None

    def rule(self) -> Node:
        if self._at_end:
            raise RuleRefused(self._text, "is empty", "write a condition such as screen.cd4 < 350")
        tree = self._expression(OR)
        if not self._at_end:
            raise self._leftover()
        if sum(1 for _ in nodes(tree)) > MOST_NODES:
            raise RuleRefused(self._text, f"has more than {MOST_NODES} parts", "split it into several rules")
        if depth_of(tree) > DEEPEST:
            raise RuleRefused(self._text, f"is nested more than {DEEPEST} levels deep", "split it into several rules")
        return tree

    @property
    def _at_end(self) -> bool:
        return self._next.kind == "end"

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _take_if(self, *texts: str) -> Token | None:
        if self._next.kind in ("sign", "word") and self._next.text in texts:
            return self._take()
        return None

    def _expect(self, sign: str, opened: Token) -> None:
        if not self._take_if(sign):
            raise self._refusal(
                self._next,
                f"{self._next} stands where {sign} must close the {opened.text} of column {opened.column}",
                f"close it with {sign}, or put a comma or a sign between values",
            )

    def _expression(self, loosest: int) -> Node:
        if self._nesting >= DEEPEST_TEXT:
            raise RuleRefused(self._text, f"is nested more than {DEEPEST} levels deep", "split it into several rules")
        if loosest > NOT and self._next.text == "not" and self._next.kind == "word":
            raise self._refusal(
                self._next, "not stands where a value must stand", "put not and its condition in brackets"
            )
        self._nesting += 1
        left = self._operand()
        while (binding := self._binding_of_next()) >= loosest:
            left = self._joined(left, binding)
        self._nesting -= 1
        return left

    def _binding_of_next(self) -> int:
        if self._next.kind not in ("sign", "word"):
            return 0
        return BINDING.get(self._next.text, 0)

    def _joined(self, left: Node, binding: int) -> Node:
        if binding in (OR, AND):
            return self._junction(left, binding)
        if binding == COMPARISON:
            return self._comparison(left)
        rest = [(cast("Operator", sign), operand) for sign, operand in self._chain(binding)]
        return Arithmetic(left, tuple(rest))

    def _chain(self, binding: int) -> list[tuple[str, Node]]:
        """Signs of one binding with the operands after them."""
        links = []
        while self._binding_of_next() == binding and self._next.text not in ("in", "not"):
            sign = self._take()
            links.append((sign.text, self._expression(binding + 1)))
        return links

    def _junction(self, left: Node, binding: int) -> Node:
        links = self._chain(binding)
        return Junction("or" if binding == OR else "and", (left, *(operand for _, operand in links)))

    def _comparison(self, left: Node) -> Node:
        links = self._chain(COMPARISON)
        node: Node = left
        if links:
            node = Comparison(left, tuple((cast("Comparator", sign), operand) for sign, operand in links))
        elif self._next.text in ("in", "not"):
            node = self._membership(left)
        if self._binding_of_next() == COMPARISON:
            raise self._refusal(
                self._next, f"{self._next} follows a finished comparison", "put the first one in brackets"
            )
        return node

    def _membership(self, item: Node) -> Node:
        negated = self._take_if("not") is not None
        word = self._next
        if not self._take_if("in"):
            raise self._refusal(word, f"{word} stands after not where in must stand", "write not in, or and not")
        if self._next.kind == "name":
            name = self._take()
            return Membership(item, Name(name.text, name.column), negated)
        opened = self._next
        if not self._take_if("["):
            raise self._refusal(opened, f"{opened} stands where a list must follow in", "write in [1, 2]")
        options = [self._option()]
        while self._take_if(","):
            options.append(self._option())
        self._expect("]", opened)
        return Membership(item, tuple(options), negated)

    def _option(self) -> Literal:
        token = self._next
        negative = self._take_if("-")
        node = self._operand() if self._next.kind in ("number", "text", "word", "name") else None
        if isinstance(node, Literal) and not negative:
            return node
        if isinstance(node, Literal) and isinstance(node.value, Decimal):
            return Literal(node.value.copy_negate(), token.column)
        raise self._refusal(token, f"{token} begins no plain value of a list", "list numbers, texts in quotes or dates")

    def _operand(self) -> Node:
        token = self._take()
        match token.kind:
            case "number":
                return Literal(Decimal(token.text), token.column)
            case "text":
                return Literal(token.text, token.column)
            case "name" if self._next.kind == "sign" and self._next.text == "(":
                return self._call(token)
            case "name":
                return Name(token.text, token.column)
        if token.text in TRUTHS:
            return Literal(TRUTHS[token.text], token.column)
        if token.text == "not":
            return Not(self._expression(NOT), token.column)
        if token.text == "-":
            return Negative(self._expression(NEGATIVE), token.column)
        if token.text == "(":
            return self._bracketed(token)
        raise self._refusal(token, f"a value is missing before {token}", "write a name, a number or a text in quotes")

    def _bracketed(self, opened: Token) -> Node:
        node = self._expression(OR)
        self._expect(")", opened)
        return node

    def _call(self, name: Token) -> Node:
        function = FUNCTIONS.get(name.text)
        if function is None:
            meant = nearest(name.text, FUNCTIONS)
            remedy = f"write {FUNCTIONS[meant].form}" if meant else f"use one of {', '.join(sorted(FUNCTIONS))}"
            raise self._refusal(name, f"there is no function {shown(name.text)}", remedy)
        opened = self._take()
        if name.text in AGGREGATES:
            return self._aggregate_of(name, opened)
        arguments = self._arguments(opened)
        if not function.fewest <= len(arguments) <= function.most:
            raise self._refusal(name, f"{name.text} is given {len(arguments)} values", f"write {function.form}")
        if name.text in ("date", "time"):
            return self._moment(name, function, arguments[0])
        if name.text == "round":
            self._check_places(name, arguments[1])
        return Call(name.text, tuple(arguments), name.column)

    def _arguments(self, opened: Token) -> list[Node]:
        if self._take_if(")"):
            return []
        arguments = [self._expression(OR)]
        while self._take_if(","):
            arguments.append(self._expression(OR))
        self._expect(")", opened)
        return arguments

    def _aggregate_of(self, name: Token, opened: Token) -> Node:
        if self._aggregate:
            raise self._refusal(
                name, f"{name.text} stands within {self._aggregate.text}", "ask one group at a time, in two rules"
            )
        self._aggregate = name
        arguments = self._arguments(opened)
        self._aggregate = None
        if len(arguments) != 1:
            raise self._refusal(name, f"{name.text} is given {len(arguments)} values", f"write {name.text}(condition)")
        names = (node.name for node in nodes(arguments[0]) if isinstance(node, Name))
        group = next((each.rpartition(".")[0] for each in names if "." in each), None)
        if group is None:
            raise self._refusal(name, f"{name.text} names no repeated group", f"write {name.text}(ae.grade >= 3)")
        return Aggregate(cast("AggregateName", name.text), group, arguments[0], name.column)

    def _moment(self, name: Token, function: Function, argument: Node) -> Literal:
        """A date or a time written as text."""
        text = argument.value if isinstance(argument, Literal) else None
        if isinstance(text, str) and FORMS[name.text].fullmatch(text):
            with contextlib.suppress(ValueError):
                read: Callable[[str], Constant] = date.fromisoformat if name.text == "date" else time.fromisoformat
                return Literal(read(text), name.column)
        raise self._refusal(name, f"{name.text} is not given a {name.text} in quotes", f"write it as {function.form}")

    def _check_places(self, name: Token, places: Node) -> None:
        value = places.value if isinstance(places, Literal) else None
        if not isinstance(value, Decimal) or value not in range(MOST_PLACES + 1):
            raise self._refusal(
                name, "round is not given its decimal places", f"write a whole number from 0 to {MOST_PLACES} there"
            )

    def _leftover(self) -> RuleRefused:
        token = self._next
        if token.text.lower() in WORDS:
            return self._refusal(token, f"{token} is not written in small letters", f"write {token.text.lower()}")
        if token.text == "," and token.kind == "sign":
            return self._refusal(token, "a comma stands outside a list or a call", "write one condition")
        if token.kind == "sign" and token.text in ")]":
            return self._refusal(token, f"{token} closes nothing", "remove it")
        return self._refusal(token, f"{token} follows a finished value", "put a sign, and or or between the two")

    def _refusal(self, token: Token, problem: str, remedy: str) -> RuleRefused:
        return RuleRefused(self._text, f"column {token.column}: {problem}", remedy)
