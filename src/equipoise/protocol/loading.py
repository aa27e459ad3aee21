"""Read a protocol file: one frozen `Protocol`, or every fault at once with its line."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from equipoise.protocol.crosschecks import Problem, problems_between_parts
from equipoise.protocol.document import Protocol
from equipoise.protocol.faults import Fault, ProtocolRefused, faults_of_validation, field_of
from equipoise.protocol.reading import Located, read_bytes, read_yaml
from equipoise.protocol.setting_aside import set_aside
from equipoise.refusals import shown


def load(path: Path) -> Protocol:
    """The protocol in a file.

    Raises:
        ProtocolRefused: with every fault found, each naming line, field, value and remedy.
        Refusal: when the file cannot be read.
    """
    return parse(read_bytes(path), path.name)


def parse(content: bytes, name: str = "protocol.yaml") -> Protocol:
    """The protocol in the bytes of a file called `name`; raises as `load` does."""
    located = read_yaml(content, name)
    protocol, faults = _checked(located)
    if protocol is None or faults:
        raise ProtocolRefused(faults)
    protocol._text = located.text
    protocol._sha256 = hashlib.sha256(content).hexdigest()
    return protocol


def faults_in(content: bytes, name: str = "protocol.yaml") -> tuple[Fault, ...]:
    """Every fault of a protocol file; empty when it is ready."""
    try:
        located = read_yaml(content, name)
    except ProtocolRefused as refused:
        return refused.faults
    return tuple(_checked(located)[1])


def _checked(located: Located) -> tuple[Protocol | None, list[Fault]]:
    try:
        protocol = Protocol.model_validate(located.data)
    except ValidationError as error:
        return None, sorted({*faults_of_validation(error, located, Protocol), *_beside(error, located)})
    return protocol, sorted(_fault(problem, located) for problem in problems_between_parts(protocol))


def _fault(problem: Problem, located: Located) -> Fault:
    value = located.raw.get(problem.path, shown(problem.value))
    field = field_of(problem.path)
    return Fault(located.name, located.line_of(problem.path), field, value, problem.problem, problem.remedy)


def _beside(error: ValidationError, located: Located) -> list[Fault]:
    """Problems between the parts that have no fault of their own, so that one reading tells them all.

    The list entries at fault are set aside. What the rest says of them (an id that is now missing, a rule that reads
    a form set aside) is not told: it may vanish with the fault itself.
    """
    data, aside = set_aside(located.data, error)
    try:
        protocol = Protocol.model_validate(data.values)
    except ValidationError:
        return []
    parts = {str(path[0]) for path in data.paths}
    items_doubtful = not parts.isdisjoint(("forms", "panels", "codelists"))
    early_items_doubtful = items_doubtful or not parts.isdisjoint(("visits", "epochs"))
    faults = []
    for problem in problems_between_parts(protocol):
        path = data.original(problem.path)
        value = str(problem.value)
        asks_items = problem.problem.endswith("the items of forms")
        asks_early_items = " " in value or problem.problem.endswith("screening and baseline forms")  # a rule, or a name
        if (
            value in aside
            or value.rpartition(".")[2] in aside
            or (items_doubtful and asks_items)
            or (early_items_doubtful and asks_early_items)
        ):
            continue
        faults.append(_fault(replace(problem, path=path), located))
    return faults
