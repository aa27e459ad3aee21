"""One thing to mend in a file, and the refusal that carries all of them."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from equipoise.refusals import Refusal, shown

Path = tuple[str | int, ...]

PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,79}")
LONGEST_WORD_COMPARED = 80
LEAST_LIKENESS = 0.6


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend in a file.

    Args:
        file: the file as the person named it.
        line: where, counted from 1.
        field: what, as `visits[1].window`; empty when the fault is of the whole file.
        value: the source text found there; empty when there is none to show.
        problem: what is wrong, without a full stop.
        remedy: what to do, without a full stop.
    """

    file: str
    line: int
    field: str
    value: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """One line: `file:line: field = value: problem; remedy`."""
        value = f" = {shown(self.value)}" if self.value else ""
        subject = f"{self.field}{value}: " if self.field else ""
        return f"{shown(PurePath(self.file))}:{self.line}: {subject}{self.problem}; {self.remedy}"


class ProtocolRefused(Refusal):
    """A protocol file that cannot be used, with every fault that was found.

    Args:
        faults: at least one; kept once each, in the order of file and line.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        assert self.faults, "a refusal carries at least one fault"
        first = self.faults[0]
        super().__init__(first.field, first.value or None, first.problem, first.remedy)

    def __str__(self) -> str:
        """Every fault, one a line."""
        return "\n".join(str(fault) for fault in self.faults)


class FieldFault(ValueError):
    """What a model's validator raises to refuse a value in its own words.

    Args:
        problem: what is wrong, without a full stop.
        remedy: what to do, without a full stop.
        at: path from the value that the validator was given down to the value at fault.
    """

    def __init__(self, problem: str, remedy: str, at: Path = ()) -> None:
        self.problem = problem
        self.remedy = remedy
        self.at = at
        super().__init__(f"{problem}; {remedy}")


def field_of(path: Path) -> str:
    """A path as a person writes it: `visits[1].window.days_before`."""
    field = ""
    for step in path:
        if isinstance(step, int):
            field += f"[{step}]"
        elif PLAIN_KEY.fullmatch(step):
            field += f".{step}" if field else step
        else:
            field += f"['{shown(step)}']"
    return field


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was most likely meant to be, in any case of letters.

    None when no word is near, or when two are equally near: a wrong hint is worse than the list.
    """
    by_folded = {candidate.casefold(): candidate for candidate in sorted(known)}
    folded = word[:LONGEST_WORD_COMPARED].casefold()
    close = difflib.get_close_matches(folded, by_folded, n=2, cutoff=LEAST_LIKENESS)
    if len(close) == 2 and _likeness(folded, close[0]) == _likeness(folded, close[1]):
        return None
    return by_folded[close[0]] if close else None


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()
