"""Grade many laboratory values at once, exactly as `grade_value` grades each.

Rows that share their circumstances share a plan, and the plan's `decide` runs on their numbers as whole numbers of
10^-6: every number with at most six decimal places is one, and no product leaves 63 bits (this is checked). Numbers
with more places, detection limits and what is no number are graded one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from equipoise.refusals import Refusal
from equipoise.safety.circumstances import (
    Circumstances,
    age_rules,
    normal_age,
    normal_answer,
    normal_qualifier,
    normal_sex,
)
from equipoise.safety.deciding import decide
from equipoise.safety.grading import graded, unreadable
from equipoise.safety.planning import plan_for
from equipoise.safety.plans import Grading, Plan, Unanswered
from equipoise.safety.readings import Limits, Numbers, Reading, limit_state, limits_of, read_number
from equipoise.safety.scales import Scale

REQUIRED = ("parameter", "value", "unit")
OPTIONAL = ("lln", "uln", "baseline", "sex", "age", "fasting", "hiv", "qualifier")
RESULTS = ("grade", "direction", "rule", "note")
PLACES = 6
STATES = ("missing", "usable", "unusable")
RELATIONS = ("unknown", "normal", "above", "below")

Codes = NDArray[np.int64]
Texts = tuple[str, str, str, str]  # value, LLN, ULN, baseline


def grade_values(scale: Scale, frame: pd.DataFrame, *, unanswered: Unanswered = "certain") -> pd.DataFrame:
    """Grade every row of a table.

    Args:
        scale: the scale.
        frame: columns `parameter`, `value`, `unit`, and as far as known `lln`, `uln`, `baseline` (in the value's unit),
            `sex`, `age`, `fasting`, `hiv`, `qualifier`: text as recorded, or numbers and None. A float is taken by the
            shortest decimal that is it. Other columns are not looked at.
        unanswered: as in `grade_value`.

    Returns:
        `grade`, `direction`, `rule`, `note` with the frame's index; see `Grading`.

    Raises:
        Refusal: a required column is not there.
    """
    for name in REQUIRED:
        if name not in frame.columns:
            raise Refusal("column", name, "is not in the table", f"add it; needed are {', '.join(REQUIRED)}")
    table = _Table(scale, frame, unanswered)
    table.grade()
    return table.results(frame.index)


def text_of(cell: object) -> str:
    """A cell as the text that was recorded; "" when there is none."""
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    return repr(float(cell)) if isinstance(cell, float | np.floating) else str(cell)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as codes into its distinct texts."""

    codes: Codes
    texts: list[str]

    @classmethod
    def of(cls, frame: pd.DataFrame, name: str) -> _Column:
        if name not in frame.columns:
            return cls(np.zeros(len(frame), dtype=np.int64), [""])
        codes, distinct = pd.factorize(frame[name].to_numpy(dtype=object), use_na_sentinel=True)
        texts = [text_of(cell) for cell in distinct]
        return cls(np.where(codes < 0, len(texts), codes).astype(np.int64), [*texts, ""])

    def mapped(self, normal: Callable[[str], Hashable]) -> tuple[Codes, list[Any]]:
        """The column in normal form: codes into the distinct normal values."""
        places: dict[Hashable, int] = {}
        to = np.array([places.setdefault(normal(text), len(places)) for text in self.texts], dtype=np.int64)
        return to[self.codes], list(places)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """A column of limits: the state of each, and its number as a whole one of 10^-6 where it fits."""

    states: Codes
    scaled: Codes
    fits: NDArray[np.bool_]

    @classmethod
    def of(cls, column: _Column, *, zero_allowed: bool) -> _Numbers:
        states, scaled, fits = [], [], []
        for text in column.texts:
            state, number = limit_state(text, zero_allowed=zero_allowed)
            whole = _whole(number)
            states.append(STATES.index(state))
            scaled.append(whole or 0)
            fits.append(whole is not None)
        return cls(
            np.array(states, dtype=np.int64)[column.codes],
            np.array(scaled, dtype=np.int64)[column.codes],
            np.array(fits, dtype=bool)[column.codes],
        )


def _whole(number: Decimal) -> int | None:
    """A number in 10^-6; None when it is no whole number of them or a very large one."""
    if number.adjusted() > 11:
        return None
    scaled = number.scaleb(PLACES)
    whole = int(scaled)
    return whole if whole == scaled else None


class _Table:
    """The columns of a table taken apart, and the outcome of each row as a code into the distinct outcomes."""

    def __init__(self, scale: Scale, frame: pd.DataFrame, unanswered: Unanswered) -> None:
        self.scale = scale
        self.unanswered = unanswered
        self.columns = {name: _Column.of(frame, name) for name in (*REQUIRED, *OPTIONAL)}
        self.n = len(frame)
        self.outcomes = np.zeros(self.n, dtype=np.int64)
        self._places: dict[Grading, int] = {}

    def results(self, index: pd.Index) -> pd.DataFrame:
        """The outcomes as columns of text."""
        distinct = list(self._places)
        columns = {
            name: np.array([getattr(grading, name) for grading in distinct], dtype=object)[self.outcomes]
            for name in RESULTS
        }
        return pd.DataFrame(columns, index=index)

    def grade(self) -> None:
        """Find the outcome of every row."""
        if not self.n:
            return
        rules = age_rules(self.scale)
        normal: dict[str, Callable[[str], Hashable]] = {
            "parameter": str.strip,
            "unit": str.strip,
            "sex": normal_sex,
            "age": lambda text: normal_age(text, rules),
            "fasting": lambda text: normal_answer("fasting", text),
            "hiv": lambda text: normal_answer("hiv", text),
            "qualifier": normal_qualifier,
        }
        mapped = {name: self.columns[name].mapped(function) for name, function in normal.items()}
        lln = _Numbers.of(self.columns["lln"], zero_allowed=True)
        uln = _Numbers.of(self.columns["uln"], zero_allowed=False)
        base = _Numbers.of(self.columns["baseline"], zero_allowed=False)
        values, plain = self._values()
        quick = plain & lln.fits & uln.fits & base.fits
        relation, crossed = _relations(lln, uln, base)
        for row in np.flatnonzero(~(lln.fits & uln.fits & base.fits)):
            _, *texts = self._texts(int(row))
            limits, _ = limits_of(*texts)
            relation[row], crossed[row] = RELATIONS.index(limits.baseline_is), limits.crossed
        parts = [*(codes for codes, _ in mapped.values()), lln.states, uln.states, base.states, relation, crossed]
        keys = _combined(parts)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
        for rows in np.split(order, starts[1:]):
            at = rows[0]
            about = self._circumstances({name: distinct[codes[at]] for name, (codes, distinct) in mapped.items()})
            limits = Limits(
                STATES[lln.states[at]],
                STATES[uln.states[at]],
                STATES[base.states[at]],
                RELATIONS[relation[at]],
                bool(crossed[at]),
            )
            self._grade_alike(about, limits, rows, quick, (values, lln.scaled, uln.scaled, base.scaled))

    def _values(self) -> tuple[Codes, NDArray[np.bool_]]:
        """The values in 10^-6, and which of them are such plain numbers."""
        column = self.columns["value"]
        wholes = []
        for text in column.texts:
            reading = read_number(text)
            wholes.append(None if reading is None or reading.sign else _whole(reading.number))
        scaled = np.array([whole or 0 for whole in wholes], dtype=np.int64)
        plain = np.array([whole is not None for whole in wholes], dtype=bool)
        return scaled[column.codes], plain[column.codes]

    @staticmethod
    def _circumstances(normal: dict[str, Any]) -> Circumstances:
        sex, age, fasting, hiv = normal["sex"], normal["age"], normal["fasting"], normal["hiv"]
        remarks = tuple(remark for _, remark in (sex, age, fasting, hiv) if remark)
        return Circumstances(
            normal["parameter"], normal["unit"], sex[0], age[0], fasting[0], hiv[0], normal["qualifier"], remarks
        )

    def _grade_alike(
        self,
        about: Circumstances,
        limits: Limits,
        rows: NDArray[np.intp],
        quick: NDArray[np.bool_],
        numbers: tuple[Codes, Codes, Codes, Codes],
    ) -> None:
        """Grade rows that share a plan."""
        plan = plan_for(self.scale, about, limits, self.unanswered)
        if plan.settled is not None:
            self.outcomes[rows] = self._place(plan.settled)
            return
        fast, slow = rows[quick[rows]], rows[~quick[rows]]
        if len(fast):
            arrays = [column[fast] for column in numbers]
            if not plan.fits_machine(max(int(array.max()) for array in arrays), PLACES):
                arrays = [array.astype(object) for array in arrays]
            codes = decide(plan, arrays[0], arrays[1], arrays[2], arrays[3], PLACES)
            distinct, inverse = np.unique(codes, return_inverse=True)
            places = np.array([self._place(plan.told(int(code))) for code in distinct], dtype=np.int64)
            self.outcomes[fast] = places[inverse]
        if len(slow):
            texts = [self._texts(int(row)) for row in slow]
            known = {text: self._place(grading) for text, grading in _one_by_one(plan, texts).items()}
            self.outcomes[slow] = [known[text] for text in texts]

    def _texts(self, row: int) -> Texts:
        value, lln, uln, base = (
            self.columns[name].texts[self.columns[name].codes[row]] for name in ("value", "lln", "uln", "baseline")
        )
        return value, lln, uln, base

    def _place(self, grading: Grading) -> int:
        return self._places.setdefault(grading, len(self._places))


def _one_by_one(plan: Plan, rows: list[Texts]) -> dict[Texts, Grading]:
    """The outcomes of rows whose numbers need more than six places, are detection limits, or are none."""
    found: dict[Texts, Grading] = {}
    readable: dict[Texts, tuple[Reading, Numbers]] = {}
    for texts in dict.fromkeys(rows):
        reading = read_number(texts[0])
        if reading is None:
            found[texts] = unreadable(plan, texts[0])
        else:
            readable[texts] = reading, limits_of(*texts[1:])[1]
    if readable:
        readings, numbers = zip(*readable.values(), strict=True)
        found.update(zip(readable, graded(plan, readings, numbers), strict=True))
    return found


def _relations(lln: _Numbers, uln: _Numbers, base: _Numbers) -> tuple[Codes, Codes]:
    """Where each baseline lies (a place in `RELATIONS`), and whether the limits are crossed, as `limits_of` says.

    Right where the three numbers fit.
    """
    usable = STATES.index("usable")
    has_lln, has_uln, has_base = (numbers.states == usable for numbers in (lln, uln, base))
    relation = np.zeros(len(base.states), dtype=np.int64)
    relation[has_base & has_uln] = RELATIONS.index("normal")
    relation[has_base & has_lln & (base.scaled < lln.scaled)] = RELATIONS.index("below")
    relation[has_base & has_uln & (base.scaled > uln.scaled)] = RELATIONS.index("above")
    crossed = has_lln & has_uln & (lln.scaled > uln.scaled)
    return relation, crossed.astype(np.int64)


def _combined(parts: list[Codes]) -> Codes:
    """One code for each distinct combination of codes."""
    combined = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        combined = combined * (int(part.max()) + 1) + part
        if combined.max() > 2**40:
            combined = np.unique(combined, return_inverse=True)[1].astype(np.int64)
    return combined
