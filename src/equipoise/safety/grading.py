"""Grade one laboratory value: which circumstances decide, which ladders hold, what is said when something is missing.

Every comparison is of whole numbers: values, limits and multiples are decimals brought to one power of ten, so that 22
is 1.1 x 20. The same `decide` works on arrays of machine integers, for a million values, and on Python's own integers,
for a number of any length.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.grading import Bound, Ladder, Range, Step
from equipoise.safety.parameters import parameter_of
from equipoise.safety.scales import Scale
from equipoise.safety.units import unit_of

NOT_GRADED = "not-graded"
NOT_GRADABLE = "not-gradable"
Array = NDArray[Any]
Unanswered = Literal["certain", "worst"]
Numbers = tuple[Decimal, Decimal, Decimal]  # LLN, ULN, baseline
LARGEST = 2**63 - 1
MOST_DIGITS = 30

SOME = rf"\d{{1,{MOST_DIGITS}}}"
DIGITS = rf"(?:{SOME}(?:\.\d{{0,{MOST_DIGITS}}})?|\.{SOME})(?:[eE][+-]?\d{{1,2}})?"
NUMBER = re.compile(rf"(?P<sign><=|>=|<|>|≤|≥)?\s*(?P<number>{DIGITS})", re.ASCII)
YES = frozenset({"yes", "y", "true", "1", "positive", "pos", "fasting", "fasted", "infected", "hiv+"})
NO = frozenset({"no", "n", "false", "0", "negative", "neg", "nonfasting", "not fasting", "non-fasting", "fed", "hiv-"})
UNKNOWN = frozenset({"", "unknown", "unk", "u", "na", "n/a", "."})
SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
SEX_WORDS = {"M": "male", "F": "female"}
DAYS = {"days": Decimal(1), "months": Decimal("30.4375"), "years": Decimal("365.25")}
LIMIT_NAMES = {"LLN": "lln", "ULN": "uln", "BASE": "baseline"}


@dataclass(frozen=True, slots=True)
class LabValue:
    """A laboratory value and what decides its grade, each as the text that was recorded; "" is unknown.

    `lln`, `uln` and `baseline` are in the value's own unit. `age` is in years. `fasting` and `hiv` are yes or no.
    `qualifier` holds answers such as `symptomatic`, separated by spaces; `none` answers no to all.
    """

    parameter: str
    value: str
    unit: str
    lln: str = ""
    uln: str = ""
    baseline: str = ""
    sex: str = ""
    age: str = ""
    fasting: str = ""
    hiv: str = ""
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class Grading:
    """A grade and the rule that gave it.

    Args:
        grade: 0 to 4 as text, `not-graded` when the scale has no grade for such a value, `not-gradable` when something
            that decides is missing or cannot be read.
        direction: L or H with a grade of 1 or more, otherwise "".
        rule: scale and version always; term, range and for whom it holds with a grade.
        note: every caveat, one after the other.
    """

    grade: str
    direction: str
    rule: str
    note: str

    @property
    def number(self) -> int | None:
        """The grade as a number; None when there is none."""
        return int(self.grade) if self.grade.isdigit() else None


@dataclass(frozen=True, slots=True)
class Reading:
    """A number as it was read: itself, or what lies on one side of it (`<`, `<=`, `>`, `>=`)."""

    number: Decimal
    sign: str = ""


def read_number(text: str) -> Reading | None:
    """The number in a text, exactly as written; None when it is none. Negative numbers are none either."""
    plain = text.strip()
    if len(plain) <= MOST_DIGITS and plain.isascii() and plain.replace(".", "", 1).isdigit():  # nearly all; quicker
        return Reading(Decimal(plain))
    found = NUMBER.fullmatch(plain)
    if found is None:
        return None
    sign = (found["sign"] or "").replace("≤", "<=").replace("≥", ">=")
    return Reading(Decimal(found["number"]), sign)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of a row's limits: each missing, usable or unusable; where the baseline lies; which are crossed."""

    lln: str = "missing"
    uln: str = "missing"
    base: str = "missing"
    baseline_is: str = "unknown"  # normal | above | below | unknown
    crossed: bool = False

    def of(self, reference: str) -> str:
        """The state of LLN, ULN or BASE."""
        return {"LLN": self.lln, "ULN": self.uln, "BASE": self.base}[reference]


def limit_state(text: str, *, zero_allowed: bool) -> tuple[str, Decimal]:
    """Whether a limit is `missing`, `usable` or `unusable`, and its number (0 unless usable)."""
    if text.strip().lower() in UNKNOWN:
        return "missing", Decimal(0)
    reading = read_number(text)
    if reading is None or reading.sign or (reading.number == 0 and not zero_allowed):
        return "unusable", Decimal(0)
    return "usable", reading.number


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything but the numbers: what is measured in which unit, in whom, how. Equal ones share a plan."""

    parameter: str
    unit: str
    sex: str
    ages: frozenset[str] | None  # the age rules that hold; None when the age is unknown
    fasting: str
    hiv: str
    answers: frozenset[str]
    remarks: tuple[str, ...] = ()


def normal_answer(name: str, text: str) -> tuple[str, str]:
    """Yes, no or "" (unknown), and a remark on a text that is none of them."""
    word = text.strip().lower()
    if word in YES:
        return "yes", ""
    if word in NO:
        return "no", ""
    return "", "" if word in UNKNOWN else f"{name} = {text.strip()} is not yes or no, so it counts as unknown"


def normal_sex(text: str) -> tuple[str, str]:
    """M, F or "" (unknown), and a remark on a text that is none of them."""
    word = text.strip().lower()
    if word in UNKNOWN:
        return "", ""
    sex = SEXES.get(word, "")
    return sex, "" if sex else f"sex = {text.strip()} is not M or F, so it counts as unknown"


def age_rules(scale: Scale) -> tuple[str, ...]:
    """The age rules that a scale's ladders have, each once."""
    return tuple(sorted({ladder.age for ladder in scale.ladders if ladder.age is not None}))


def normal_age(text: str, rules: Iterable[str]) -> tuple[frozenset[str] | None, str]:
    """The age rules that hold at an age in years, None when it is unknown; and a remark on a text that is no age."""
    if text.strip().lower() in UNKNOWN:
        return None, ""
    reading = read_number(text)
    if reading is None or reading.sign:
        return None, f"age = {text.strip()} is not a number of years, so it counts as unknown"
    return frozenset(rule for rule in rules if _old_enough(reading.number, rule)), ""


def _old_enough(years: Decimal, rule: str) -> bool:
    sign, number, unit = rule.split()
    days, least = years * DAYS["years"], Decimal(number) * DAYS[unit]
    return days >= least if sign == ">=" else days > least


def normal_qualifier(text: str) -> frozenset[str]:
    """The answers in a text: words, in small letters, with underscores for spaces within."""
    return frozenset(re.sub(r"[;,|]", " ", text.strip().lower()).replace("-", "_").split())


def opposite(need: str) -> str | None:
    """The qualifier that holds when this one does not; None when it has no name of its own."""
    if need == "symptomatic":
        return "asymptomatic"
    if need == "asymptomatic":
        return "symptomatic"
    return need.removeprefix("no_") if need.startswith("no_") else f"no_{need}"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step that may give the grade, with its range in the reported unit."""

    grade: int
    direction: str
    term: str
    needs: str | None
    baseline: str | None
    sex: str | None
    values: Range
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class World:
    """One way in which the unknown circumstances may be: the ranks of the rungs that hold in it."""

    holds: tuple[int, ...]
    blind: tuple[int, ...]  # those with a limit that is missing


@dataclass(frozen=True)
class Plan:
    """How values are graded in given circumstances. Ranks are places in `rungs`, from 1, mild to grave.

    Args:
        rungs: every step that can give a grade, by rising grade.
        worlds: for each way that sex and baseline may be, the worlds of the unanswered qualifiers.
        clinical: (direction, term) of the terms that no number decides.
        settled: the answer when no number is needed for it.
    """

    label: str
    unanswered: Unanswered
    limits: Limits
    rungs: tuple[Rung, ...] = ()
    worlds: tuple[tuple[World, ...], ...] = ()
    clinical: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    undecided: str = ""
    agreed: str = ""
    settled: Grading | None = None
    _told: dict[int, Grading] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def places(self) -> int:
        """Decimal places that the factors of the limits need."""
        exponents = [-int(bound.factor.normalize().as_tuple().exponent) for bound in self._bounds]
        return max([0, *exponents])

    @cached_property
    def largest_factor(self) -> Decimal:
        """The largest factor of any limit, at least 1."""
        return max([Decimal(1), *(bound.factor for bound in self._bounds)])

    @cached_property
    def cuts(self) -> frozenset[tuple[int, str]]:
        """Each limit once: its factor in 10^-places, and its reference."""
        return frozenset((int(bound.factor.scaleb(self.places)), bound.reference) for bound in self._bounds)

    def fits_machine(self, largest: int, places: int) -> bool:
        """Whether no product in `decide` leaves 63 bits, for numbers up to `largest` in 10^-places."""
        product: int = max(largest, 10**places) * (int(self.largest_factor) + 1) * 10**self.places
        return product <= LARGEST

    @property
    def _bounds(self) -> Iterable[Bound]:
        return (bound for rung in self.rungs for bound in rung.values.bounds)

    def told(self, code: int) -> Grading:
        """What `decide` found, in words."""
        if code not in self._told:
            self._told[code] = _grading_of(self, code)
        return self._told[code]


RANK_BITS = 10
UNSEEN, DISAGREED, CLINICAL, HIGHER, WITHIN = (1 << (2 * RANK_BITS + bit) for bit in range(5))


def decide(plan: Plan, values: Array, lln: Array, uln: Array, base: Array, places: int) -> Array:
    """The outcome of each value as a code for `Plan.told`.

    Args:
        plan: how to grade; not settled.
        values: (n,), whole numbers, in 10^-places of the reported unit.
        lln: (n,), likewise; not looked at where the plan says that it is missing.
        uln: (n,), likewise.
        base: (n,), likewise.
        places: decimal places of the numbers.

    Returns:
        (n,), integers. Exact as long as no product of a number and a limit's factor overflows the arrays' type.
    """
    numbers = {"": None, "LLN": lln, "ULN": uln, "BASE": base}
    scaled = values * 10**plan.places

    def limit(bound: Bound, reference: str) -> Any:
        factor = int(bound.factor.scaleb(plan.places))
        array = numbers[reference]
        return factor * 10**places if array is None else array * factor

    def beyond(bound: Bound | None, *, lower: bool, floor: str) -> Array:
        """Whether values are on the range's side of a bound; one that cannot be seen lets all pass."""
        inclusive = bound is not None and bound.inclusive
        if bound is None:
            return np.ones(len(values), dtype=bool)
        reference: str = bound.reference
        if reference and plan.limits.of(reference) != "usable":
            if not floor or reference != "BASE":
                return np.ones(len(values), dtype=bool)
            reference, inclusive = floor, False
        end = limit(bound, reference)
        if lower:
            return np.asarray(scaled >= end if inclusive else scaled > end, dtype=bool)
        return np.asarray(scaled <= end if inclusive else scaled < end, dtype=bool)

    matches = []
    for rung in plan.rungs:
        # An abnormal baseline lies beyond the limit of normal, so that a multiple of it does too.
        above = "ULN" if rung.baseline == "abnormal" and rung.direction == "H" and plan.limits.uln == "usable" else ""
        below = "LLN" if rung.baseline == "abnormal" and rung.direction == "L" and plan.limits.lln == "usable" else ""
        matches.append(
            beyond(rung.values.lower, lower=True, floor=above) & beyond(rung.values.upper, lower=False, floor=below)
        )
    return _outcomes(plan, matches, values, lln, uln)


def _outcomes(plan: Plan, matches: Sequence[Array], values: Array, lln: Array, uln: Array) -> Array:
    grades = np.array([0, *(rung.grade for rung in plan.rungs)])

    def highest(ranks: tuple[int, ...]) -> Array:
        found = np.zeros(len(values), dtype=np.int64)
        for rank in ranks:  # they rise, so that a later one is graver
            found[matches[rank - 1]] = rank
        return found

    unseen = np.zeros(len(values), dtype=bool)
    higher, disagreed = unseen.copy(), unseen.copy()
    first: Array | None = None
    worst = np.zeros(len(values), dtype=np.int64)
    for answers in plan.worlds:
        least: Array | None = None
        most = np.zeros(len(values), dtype=np.int64)
        for world in answers:
            rank, hidden = highest(world.holds), highest(world.blind)
            unseen |= (rank == 0) & (hidden > 0)
            higher |= (rank > 0) & (grades[hidden] > grades[rank])
            least = rank if least is None else np.where(grades[rank] < grades[least], rank, least)
            most = np.where(grades[rank] > grades[most], rank, most)
        assert least is not None
        if first is None:
            first, worst = least, most
        else:
            disagreed |= (grades[least] != grades[first]) | (grades[most] != grades[worst])
    assert first is not None
    given = worst if plan.unanswered == "worst" else first
    clinical = np.zeros(len(values), dtype=bool)
    for direction, _ in plan.clinical:
        limit, state = (uln, plan.limits.uln) if direction == "H" else (lln, plan.limits.lln)
        normal = np.zeros(len(values), dtype=bool)
        if state == "usable":
            normal = np.asarray(values <= limit if direction == "H" else values >= limit, dtype=bool)
        clinical |= ~normal
    clinical &= given == 0
    upward = np.array([False, *(rung.direction == "H" for rung in plan.rungs)])[given]
    within = np.zeros(len(values), dtype=bool)
    if plan.limits.uln == "usable":
        within |= upward & np.asarray(values <= uln, dtype=bool)
    if plan.limits.lln == "usable":
        within |= ~upward & np.asarray(values >= lln, dtype=bool)
    within &= given > 0
    code: Array = first | (worst << RANK_BITS)
    for flag, holds in (
        (UNSEEN, unseen),
        (DISAGREED, disagreed),
        (CLINICAL, clinical),
        (HIGHER, higher),
        (WITHIN, within),
    ):
        code = code | np.where(holds, flag, 0)
    return code


def _grading_of(plan: Plan, code: int) -> Grading:
    mask = (1 << RANK_BITS) - 1
    least, most = code & mask, code >> RANK_BITS & mask
    rank = most if plan.unanswered == "worst" else least
    notes = list(plan.notes)
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    if code & CLINICAL:
        terms = " and ".join(term for _, term in plan.clinical)
        notes.insert(0, _clinically(plan.label, terms))
        return Grading(NOT_GRADED, "", about, _joined(notes))
    if code & UNSEEN:
        return Grading(NOT_GRADABLE, "", about, _joined([*plan.missing, *notes]))
    if code & DISAGREED:
        return Grading(NOT_GRADABLE, "", about, _joined([plan.undecided, *notes]))
    notes.append(plan.agreed)
    if code & HIGHER:
        notes.append(f"the grade may be higher: {', '.join(plan.missing)}")
    if code & WITHIN:
        notes.append("the value lies within the laboratory's limits of normal; the scale's own limit grades it")
    if most != least:
        notes.append(_unanswered_note(plan, least, most))
    if rank == 0:
        return Grading("0", "", f"{about}: no range holds", _joined(notes))
    rung = plan.rungs[rank - 1]
    return Grading(str(rung.grade), rung.direction, rung.text, _joined([rung.note, *notes]))


def _unanswered_note(plan: Plan, least: int, most: int) -> str:
    low = plan.rungs[least - 1].grade if least else 0
    high = plan.rungs[most - 1]
    needs = (high.needs or "").replace("_", " ")
    graded = "graded by the worst case" if plan.unanswered == "worst" else f"every answer gives grade {low} or more"
    return f"qualifier not answered: {graded}; worst case grade {high.grade} if {needs}, least grade {low}"


def _clinically(label: str, terms: str) -> str:
    return f"{label} gives no numeric limits for {terms}: it is graded clinically"


def _joined(notes: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(note for note in notes if note))


def circumstances_of(scale: Scale, value: LabValue) -> Circumstances:
    """Everything about a value but its numbers, in normal form."""
    sex, sex_remark = normal_sex(value.sex)
    ages, age_remark = normal_age(value.age, age_rules(scale))
    fasting, fasting_remark = normal_answer("fasting", value.fasting)
    hiv, hiv_remark = normal_answer("hiv", value.hiv)
    remarks = tuple(remark for remark in (sex_remark, age_remark, fasting_remark, hiv_remark) if remark)
    return Circumstances(
        value.parameter.strip(),
        value.unit.strip(),
        sex,
        ages,
        fasting,
        hiv,
        normal_qualifier(value.qualifier),
        remarks,
    )


def plan_for(scale: Scale, about: Circumstances, limits: Limits, unanswered: Unanswered = "certain") -> Plan:
    """How values are graded in these circumstances."""
    return _Planning(scale, about, limits, unanswered).plan()


class _Settled(Exception):
    """Raised when no number is needed for the answer."""

    def __init__(self, grade: str, reason: str) -> None:
        self.grade = grade
        self.reason = reason
        super().__init__(reason)


class _Planning:
    """Puts a plan together; each step narrows the ladders or settles the answer."""

    def __init__(self, scale: Scale, about: Circumstances, limits: Limits, unanswered: Unanswered) -> None:
        self.scale = scale
        self.about = about
        self.limits = limits
        self.unanswered = unanswered
        self.code = parameter_of(about.parameter)
        self.notes: list[str] = list(about.remarks)
        self.clinical: tuple[tuple[str, str], ...] = ()

    def plan(self) -> Plan:
        ladders = self.scale.by_parameter.get(self.code, ())
        try:
            ladders = self._numeric(ladders)
            ladders = self._of_population(ladders)
            ladders = self._of_age(ladders)
            ladders = self._of_fasting(ladders)
            shifted = self._of_unit(ladders)
            self._check_limits()
            return self._worlds(shifted)
        except _Settled as settled:
            terms = "; ".join(dict.fromkeys(ladder.term for ladder in ladders))
            rule = f"{self.scale.label}, {terms}" if terms else self.scale.label
            grading = Grading(settled.grade, "", rule, _joined([settled.reason, *self.notes]))
            return Plan(self.scale.label, self.unanswered, self.limits, settled=grading)

    def _numeric(self, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
        if not ladders:
            raise _Settled(
                NOT_GRADED, f"{self.scale.label} does not grade {self.about.parameter or 'a nameless value'}"
            )
        numeric = tuple(ladder for ladder in ladders if any(step.range for step in ladder.steps))
        self.clinical = tuple(
            dict.fromkeys((ladder.direction, ladder.term) for ladder in ladders if ladder not in numeric)
        )
        if not numeric:
            terms = " and ".join(term for _, term in self.clinical)
            raise _Settled(
                NOT_GRADED, f"{self.scale.label} gives no numeric limits for {terms}: it is graded clinically"
            )
        return numeric

    def _of_population(self, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
        held = tuple(ladder for ladder in ladders if ladder.hiv in (None, self.about.hiv))
        if held == ladders:
            return ladders
        if not self.about.hiv:
            raise _Settled(NOT_GRADABLE, "hiv is unknown, and the limits hold only without HIV or only with it")
        if not held:
            whom = "without HIV" if self.about.hiv == "yes" else "with HIV"
            raise _Settled(NOT_GRADED, f"{self.scale.label} grades this only in participants {whom}")
        return held

    def _of_age(self, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
        if all(ladder.age is None for ladder in ladders):
            return ladders
        ages = self.about.ages
        if ages is None:
            self.notes.append("age is unknown: graded as an adult")
            ages = normal_age("18", (ladder.age for ladder in ladders if ladder.age is not None))[0]
        held = tuple(ladder for ladder in ladders if ladder.age is None or ladder.age in (ages or ()))
        if not held:
            raise _Settled(NOT_GRADED, "the scale has no limits for this age here")
        return held

    def _of_fasting(self, ladders: tuple[Ladder, ...]) -> tuple[Ladder, ...]:
        if all(ladder.fasting is None for ladder in ladders):
            return ladders
        state = {"yes": "fasting", "no": "nonfasting", "": "nonfasting"}[self.about.fasting]
        held = tuple(ladder for ladder in ladders if ladder.fasting in (None, state))
        if not self.about.fasting:
            known = any(ladder.fasting == "nonfasting" for ladder in held)
            self.notes.append("fasting is unknown" + (": graded by the non-fasting limits" if known else ""))
        if not held:
            raise _Settled(NOT_GRADED, "the limits hold only for a fasting specimen")
        return held

    def _of_unit(self, ladders: tuple[Ladder, ...]) -> list[tuple[Ladder, int]]:
        """The ladders whose limits can be read in the reported unit, and by which power of ten."""
        reported = unit_of(self.about.unit, self.code)
        shifted: list[tuple[Ladder, int]] = []
        fixed = [ladder for ladder in ladders if ladder.unit is not None]
        for ladder in ladders:
            power = 0 if ladder.unit is None else self._power(ladder.unit, reported)
            if power is not None:
                shifted.append((ladder, power))
        if fixed and all(ladder.unit is None for ladder, _ in shifted):
            units = ", ".join(dict.fromkeys(ladder.unit or "" for ladder in fixed))
            unit = f"unit {self.about.unit} is not one" if self.about.unit else "no unit is given of those"
            raise _Settled(
                NOT_GRADABLE,
                f"{unit} that {self.scale.label} has limits in; report it in {units}, never convert by hand",
            )
        if not fixed and not self.about.unit:
            self.notes.append("no unit is given: value and limits are taken to share one")
        return self._once(shifted)

    def _power(self, unit: str, reported: Any) -> int | None:
        if unit == self.about.unit:
            return 0
        own = unit_of(unit, self.code)
        if own is None or reported is None or own.kind != reported.kind:
            return None
        return int(own.power - reported.power)

    def _once(self, shifted: list[tuple[Ladder, int]]) -> list[tuple[Ladder, int]]:
        """Of the same ladder in several units that can all be read (g/L, g/dL) the nearest: they may be rounded."""
        kept: dict[tuple[object, ...], tuple[Ladder, int]] = {}
        for ladder, power in shifted:
            key: tuple[object, ...] = (ladder.term, ladder.direction, ladder.sex, ladder.baseline, ladder.fasting)
            if ladder.unit is None:
                key = (*key, len(kept))
            if key not in kept or abs(power) < abs(kept[key][1]):
                kept[key] = (ladder, power)
        return list(kept.values())

    def _check_limits(self) -> None:
        if self.limits.crossed:
            raise _Settled(NOT_GRADABLE, "lln is above uln; correct them")

    def _worlds(self, shifted: list[tuple[Ladder, int]]) -> Plan:
        rungs = sorted(
            (
                self._rung(ladder, step, values.shifted(power))
                for ladder, power in shifted
                for step in ladder.steps
                if (values := step.values) is not None
            ),
            key=lambda rung: rung.grade,
        )
        # Of equal grades the first of the table gives the rule: the rising loop of `highest` keeps the last.
        rungs = [rung for _, same in itertools.groupby(rungs, lambda rung: rung.grade) for rung in reversed(list(same))]
        sexes = [self.about.sex] if self.about.sex else ["M", "F"] if any(rung.sex for rung in rungs) else [""]
        baselines = self._baselines(rungs)
        answers = self._answers(rungs)
        worlds = []
        for sex, baseline in itertools.product(sexes, baselines):
            held = [
                (rank, rung)
                for rank, rung in enumerate(rungs, start=1)
                if rung.sex in (None, sex) and rung.baseline in (None, baseline.get(rung.direction))
            ]
            worlds.append(tuple(self._world(held, answer) for answer in answers))
        blind = {rank for answers_of in worlds for world in answers_of for rank in world.blind}
        wanted = dict.fromkeys(
            bound.reference for rank in sorted(blind) for bound in rungs[rank - 1].values.bounds if bound.reference
        )
        terms = tuple(dict.fromkeys(ladder.term for ladder, _ in shifted)) + tuple(term for _, term in self.clinical)
        return Plan(
            self.scale.label,
            self.unanswered,
            self.limits,
            tuple(rungs),
            tuple(worlds),
            self.clinical,
            tuple(self.notes),
            terms,
            tuple(self._missing(reference) for reference in wanted if self.limits.of(reference) != "usable"),
            self._undecided(sexes, baselines),
            "sex is unknown: the grade is the same for both sexes" if len(sexes) > 1 else "",
        )

    def _rung(self, ladder: Ladder, step: Step, values: Range) -> Rung:
        parts = [self.scale.label, f"{ladder.term}: {values.text}{self._unit_text(values)}"]
        if step.needs:
            parts.append(step.needs.replace("_", " "))
        if ladder.sex:
            parts.append(SEX_WORDS[ladder.sex])
        parts += [text for text in (ladder.fasting, ladder.age) if text]
        if ladder.hiv:
            parts.append("without HIV" if ladder.hiv == "no" else "with HIV")
        if ladder.baseline:
            parts.append(f"{ladder.baseline} baseline")
        note = _joined([step.note or "", ladder.note or ""])
        return Rung(
            step.grade,
            ladder.direction,
            ladder.term,
            step.needs,
            ladder.baseline,
            ladder.sex,
            values,
            ", ".join(parts),
            note,
        )

    def _unit_text(self, values: Range) -> str:
        plain = [not bound.reference for bound in values.bounds]
        if all(plain):
            return f" {self.about.unit}"
        return f" ({self.about.unit})" if any(plain) else ""

    def _baselines(self, rungs: list[Rung]) -> list[dict[str, str]]:
        """For each side the state of the baseline: known, or both ways."""
        if not any(rung.baseline for rung in rungs):
            return [{}]
        where = self.limits.baseline_is
        low_end = any(rung.baseline and rung.direction == "L" for rung in rungs)
        if where == "unknown" or (where == "normal" and low_end and self.limits.lln != "usable"):
            return [{"H": "normal", "L": "normal"}, {"H": "abnormal", "L": "abnormal"}]
        if where != "normal":
            self.notes.append(f"the baseline is {where} the limit of normal: graded by multiples of the baseline")
        return [{"H": "abnormal" if where == "above" else "normal", "L": "abnormal" if where == "below" else "normal"}]

    def _answers(self, rungs: list[Rung]) -> list[frozenset[str]]:
        """Every set of answers that the qualifiers may have, given those that were answered."""
        needs = dict.fromkeys(rung.needs for rung in rungs if rung.needs)
        given = self.about.answers
        free: list[tuple[str, str]] = []
        held: set[str] = set()
        for need in needs:
            other = opposite(need)
            positive = need if not (need.startswith("no_") or need == "asymptomatic") else other
            if need in given or (other not in given and "none" in given and need != positive):
                held.add(need)
            elif other not in given and "none" not in given and (other, need) not in free:
                free.append((need, other or ""))
        if needs and given - {"none"} and not any(need in given or opposite(need) in given for need in needs):
            words = " ".join(sorted(given))
            self.notes.append(f"qualifier = {words} answers nothing here; use {', '.join(needs)} or none")
        return [held_with(held, choice) for choice in itertools.product(*free)]

    def _world(self, held: list[tuple[int, Rung]], answers: frozenset[str]) -> World:
        standing = [(rank, rung) for rank, rung in held if rung.needs is None or rung.needs in answers]
        blind = [rank for rank, rung in standing if self._is_blind(rung)]
        return World(tuple(rank for rank, _ in standing if rank not in blind), tuple(blind))

    def _is_blind(self, rung: Rung) -> bool:
        return any(bound.reference and self.limits.of(bound.reference) != "usable" for bound in rung.values.bounds)

    def _missing(self, reference: str) -> str:
        name = LIMIT_NAMES[reference]
        if self.limits.of(reference) == "missing":
            return f"{name} is missing"
        return f"{name} is not a usable number"

    def _undecided(self, sexes: list[str], baselines: list[dict[str, str]]) -> str:
        reasons = []
        if len(sexes) > 1:
            reasons.append("sex is unknown, and the grade differs by sex")
        if len(baselines) > 1:
            reasons.append("baseline is missing or cannot be placed, and the grade differs by a normal or abnormal one")
        return "; ".join(reasons)


def held_with(held: set[str], choice: tuple[str, ...]) -> frozenset[str]:
    """The answers that hold in one world."""
    return frozenset({*held, *choice})


def limits_of(lln_text: str, uln_text: str, baseline_text: str) -> tuple[Limits, Numbers]:
    """The state of a value's limits, and LLN, ULN and baseline as numbers (0 where not usable)."""
    lln_state, lln = limit_state(lln_text, zero_allowed=True)
    uln_state, uln = limit_state(uln_text, zero_allowed=False)
    base_state, base = limit_state(baseline_text, zero_allowed=False)
    where = "unknown"
    if base_state == "usable" and uln_state == "usable" and base > uln:
        where = "above"
    elif base_state == "usable" and lln_state == "usable" and base < lln:
        where = "below"
    elif base_state == "usable" and uln_state == "usable":
        where = "normal"
    crossed = lln_state == uln_state == "usable" and lln > uln
    return Limits(lln_state, uln_state, base_state, where, crossed), (lln, uln, base)


def grade_value(scale: Scale, value: LabValue, *, unanswered: Unanswered = "certain") -> Grading:
    """Grade one laboratory value.

    Args:
        scale: the scale, from `scale_named`, `read_scale_file` or `scale_of`.
        value: the value and what decides its grade.
        unanswered: `certain` takes the grade that holds for every answer to a qualifier that was not answered,
            `worst` the worst; the note says both.
    """
    limits, numbers = limits_of(value.lln, value.uln, value.baseline)
    plan = plan_for(scale, circumstances_of(scale, value), limits, unanswered)
    if plan.settled is not None:
        return plan.settled
    reading = read_number(value.value)
    if reading is None:
        return unreadable(plan, value.value)
    return graded(plan, [reading], [numbers])[0]


def unreadable(plan: Plan, text: str) -> Grading:
    """The answer to a value that is no number."""
    shown = text.strip()
    problem = f"no number: value = {shown}; write digits with a point" if shown else "value is missing"
    return Grading(NOT_GRADABLE, "", f"{plan.label}, {'; '.join(plan.terms)}", _joined([problem, *plan.notes]))


def graded(plan: Plan, readings: Sequence[Reading], numbers: Sequence[Numbers]) -> list[Grading]:
    """Grade numbers, or all that lies on one side of them, by a plan that is not settled.

    Grades change at limits only, so that for a detection limit each limit and one value between each two neighbours
    show every grade that it may have.

    Args:
        plan: how to grade.
        readings: the values.
        numbers: of each its LLN, ULN and baseline; 0 where not usable.
    """
    exponents = [int(number.as_tuple().exponent) for reading in readings for number in (reading.number,)]
    exponents += [int(number.as_tuple().exponent) for row in numbers for number in row]
    finer = plan.places + 1  # one more place than any limit has, for a value between two limits
    places = finer + max(0, *(-exponent for exponent in exponents))
    probes: list[int] = []
    ends: list[int] = []
    limits: list[tuple[int, int, int]] = []
    for reading, row in zip(readings, numbers, strict=True):
        scaled = _scaled(row, places)
        edge = int(reading.number.scaleb(places))
        found = _beside(plan, reading.sign, edge, scaled, places) if reading.sign else [edge]
        probes += found
        limits += [scaled] * len(found)
        ends.append(len(probes))
    if not probes:
        return [_below_zero(plan)] * len(readings)
    largest = max(*probes, *(limit for row in limits for limit in row))
    kind = np.int64 if plan.fits_machine(largest, places) else object
    lln, uln, base = (np.array(column, dtype=kind) for column in zip(*limits, strict=True))
    codes = decide(plan, np.array(probes, dtype=kind), lln, uln, base, places).tolist()
    starts = [0, *ends[:-1]]
    return [
        _of_all(plan, reading, codes[start:end]) for reading, start, end in zip(readings, starts, ends, strict=True)
    ]


def _scaled(numbers: Numbers, places: int) -> tuple[int, int, int]:
    lln, uln, base = (int(number.scaleb(places)) for number in numbers)
    return lln, uln, base


def _beside(plan: Plan, sign: str, edge: int, limits: tuple[int, int, int], places: int) -> list[int]:
    """Values on one side of an edge, ascending: every limit there, and one between each two."""
    by_reference = {"": 10**places, "LLN": limits[0], "ULN": limits[1], "BASE": limits[2]}
    cuts = {0, edge, limits[0], limits[1]}
    cuts |= {factor * by_reference[reference] // 10**plan.places for factor, reference in plan.cuts}
    probes = sorted({cut + step for cut in cuts for step in (-1, 0, 1) if cut + step >= 0})
    if sign.startswith("<"):
        return [probe for probe in probes if probe < edge or (probe == edge and sign == "<=")]
    return [probe for probe in probes if probe > edge or (probe == edge and sign == ">=")]


def _of_all(plan: Plan, reading: Reading, codes: Sequence[int]) -> Grading:
    """The one grade of all that a reading may be; not gradable when there are several."""
    if not reading.sign:
        return plan.told(codes[0])
    if not codes:
        return _below_zero(plan)
    found = {plan.told(code).grade for code in codes}
    shown = f"{reading.sign} {format(reading.number, 'f')}"
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    if len(found) == 1:
        nearest = plan.told(codes[-1] if reading.sign.startswith("<") else codes[0])
        note = _joined([f"all values {shown} have this grade", nearest.note])
        return Grading(nearest.grade, nearest.direction, nearest.rule, note)
    grades = sorted(found)
    several = f"{', '.join(grades[:-1])} or {grades[-1]}"
    problem = f"not exact enough: values {shown} may have grade {several}; report a more exact value"
    return Grading(NOT_GRADABLE, "", about, _joined([problem, *plan.notes]))


def _below_zero(plan: Plan) -> Grading:
    about = f"{plan.label}, {'; '.join(plan.terms)}"
    return Grading(NOT_GRADABLE, "", about, _joined(["the value lies below 0; correct it", *plan.notes]))
