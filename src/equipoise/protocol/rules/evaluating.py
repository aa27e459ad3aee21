"""The value of a tree for one record."""

from collections.abc import Sequence
from decimal import Decimal

from equipoise.protocol.rules.functions import FUNCTIONS
from equipoise.protocol.rules.operators import (
    NAMED,
    ORDERED,
    calculated,
    compared,
    conjunction,
    disjunction,
    negation,
    number,
    truth,
)
from equipoise.protocol.rules.refused import Mismatch
from equipoise.protocol.rules.tree import (
    Aggregate,
    Arithmetic,
    Call,
    Comparison,
    Junction,
    Literal,
    Membership,
    Name,
    Negative,
    Node,
    Not,
)
from equipoise.protocol.rules.values import UNKNOWN, Scope, Unknown, Value, sort_of


def value_of(node: Node, scope: Scope) -> Value:
    """The value of a tree; None is unknown.

    Raises:
        Mismatch: when values are of kinds that do not go together.
    """
    match node:
        case Literal():
            return node.value
        case Name():
            return scope.value(node.name)
        case Comparison():
            return _comparison(node, scope)
        case Junction():
            join = conjunction if node.word == "and" else disjunction
            return join(value_of(operand, scope) for operand in node.operands)
        case Not():
            return negation(value_of(node.operand, scope))
        case Membership():
            return _membership(node, scope)
        case Arithmetic():
            return _arithmetic(node, scope)
        case Negative():
            return calculated("-", Decimal(0), value_of(node.operand, scope))
        case Call():
            return _call(node, scope)
        case Aggregate():
            return _aggregate(node, scope)


def _comparison(node: Comparison, scope: Scope) -> bool | Unknown:
    values = [value_of(node.first, scope), *(value_of(operand, scope) for _, operand in node.rest)]
    pairs = zip(node.rest, values, values[1:], strict=False)
    return conjunction([compared(comparator, left, right) for (comparator, _), left, right in pairs])


def _membership(node: Membership, scope: Scope) -> bool | Unknown:
    item = value_of(node.item, scope)
    if isinstance(node.options, Name):
        found = _among_codes(item, scope.value(node.options.name), node.options.name)
    else:
        found = disjunction([compared("==", item, option.value) for option in node.options])
    return negation(found) if node.negated else found


def _among_codes(item: Value, codes: Value, name: str) -> bool | Unknown:
    if item is None or codes is None:
        return UNKNOWN
    if not isinstance(codes, frozenset):
        raise Mismatch(f"{name} is not a set of codes", "compare it with ==, or list values in [ ]")
    if not isinstance(item, str):
        raise Mismatch(f"{NAMED[sort_of(item)]} is looked for among the codes of {name}", "give a code in quotes")
    return item in codes


def _arithmetic(node: Arithmetic, scope: Scope) -> Decimal | Unknown:
    result = number(value_of(node.first, scope))
    for sign, operand in node.rest:
        result = calculated(sign, result, value_of(operand, scope))
    return result


def _call(node: Call, scope: Scope) -> Value:
    if node.function == "if":
        condition = truth(value_of(node.arguments[0], scope))
        return UNKNOWN if condition is None else value_of(node.arguments[1 if condition else 2], scope)
    values = [value_of(argument, scope) for argument in node.arguments]
    if node.function == "coalesce":
        return next((value for value in values if value is not None), UNKNOWN)
    if node.function in ("missing", "known"):
        return (values[0] is None) is (node.function == "missing")
    return _applied(node.function, values)


def _applied(name: str, values: Sequence[Value]) -> Value:
    function = FUNCTIONS[name]
    known = [value for value in values if value is not None]
    sorts = {sort_of(value) for value in known}
    wanted = {function.takes.sort} if function.takes else ORDERED
    if not sorts <= wanted or len(sorts) > 1:
        kinds = " and ".join(sorted(NAMED[sort] for sort in sorts))
        raise Mismatch(f"{function.form} is given {kinds}", f"give it {wanted_words(name)}")
    assert function.apply, name
    result: Value = function.apply(*known) if len(known) == len(values) else UNKNOWN
    return result


def wanted_words(name: str) -> str:
    """What a function takes, in words."""
    takes = FUNCTIONS[name].takes
    return f"{NAMED[takes.sort]} in every place" if takes else "numbers, dates or times, all of one kind"


def _aggregate(node: Aggregate, scope: Scope) -> bool | Decimal | Unknown:
    rows = scope.rows(node.group)
    if rows is None:
        return UNKNOWN
    answers = [truth(value_of(node.condition, row)) for row in rows]
    if node.function == "any":
        return disjunction(answers)
    if node.function == "all":
        return conjunction(answers)
    return UNKNOWN if None in answers else Decimal(answers.count(True))
