"""What is wrong with a foreign table: every fault at once, each with file, line, column, value and remedy."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.refusals import Refusal, shown

MOST_FAULTS_TOLD = 50


@dataclass(frozen=True, slots=True, order=True)
class TableFault:
    """One fault. Lines count from 1, the header's; line 0 is the file as a whole."""

    file: str
    line: int
    column: str
    value: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """`cd4.csv:12: sqrt_cd4 = 1O.2: is not a number; write digits, such as 139 or 1.5`."""
        file = shown(self.file)
        place = f"{file}:{self.line}" if self.line else file
        value = f" = {shown(self.value)}" if self.value else ""
        subject = f" {shown(self.column)}{value}:" if self.column else ""
        return f"{place}:{subject} {self.problem}; {self.remedy}"


class TableRefused(Refusal):
    """A table that is refused. `faults` holds the first of them in order of lines, `n_faults` is how many there are."""

    def __init__(self, faults: tuple[TableFault, ...], n_faults: int) -> None:
        assert faults
        self.faults = faults
        self.n_faults = n_faults
        first = faults[0]
        super().__init__(first.column or first.file, first.value or None, first.problem, first.remedy)

    def __str__(self) -> str:
        """One line for each fault told, then how many more there are."""
        lines = [str(fault) for fault in self.faults]
        untold = self.n_faults - len(self.faults)
        if untold:
            lines.append(f"and {untold} more {'fault' if untold == 1 else 'faults'}")
        return "\n".join(lines)


class FaultList:
    """Collects faults while a table is read; keeps the first few and counts the rest."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0
        self._kept: list[TableFault] = []

    def add(self, line: int, column: str, value: str, problem: str, remedy: str) -> None:
        """Note one fault."""
        self.count += 1
        if len(self._kept) < MOST_FAULTS_TOLD:
            self._kept.append(TableFault(self.file, line, column, value, problem, remedy))

    def refuse_if_any(self) -> None:
        """Raise `TableRefused` when a fault was noted."""
        if self.count:
            raise TableRefused(tuple(sorted(self._kept)), self.count)
