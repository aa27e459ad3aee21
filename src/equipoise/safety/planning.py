"""Make the plan of given circumstances: which ladders hold, in which worlds, and what is said when none can."""

from __future__ import annotations

import itertools

from equipoise.protocol.grading import Ladder, Range, Step
from equipoise.safety.circumstances import Circumstances, normal_age
from equipoise.safety.parameters import UNITS, parameter_of
from equipoise.safety.plans import NOT_GRADABLE, NOT_GRADED, Grading, Plan, Rung, Unanswered, World, joined
from equipoise.safety.readings import Limits
from equipoise.safety.scales import Scale
from equipoise.safety.units import Unit, unit_of

SEX_WORDS = {"M": "male", "F": "female"}
LIMIT_NAMES = {"LLN": "lln", "ULN": "uln", "BASE": "baseline"}


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
            grading = Grading(settled.grade, "", rule, joined([settled.reason, *self.notes]))
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
        elif not fixed:
            self._check_plausible(reported)
        return self._once(shifted)

    def _check_plausible(self, reported: Unit | None) -> None:
        """Let a unit pass in which the parameter can be measured: a multiple of a limit holds in any of these."""
        usual = UNITS.get(self.code)
        if usual is None:
            return
        such_as = f"such as {', '.join(usual[:-1])} or {usual[-1]}"
        name = self.about.unit
        if reported is None:
            raise _Settled(NOT_GRADABLE, f"unit {name} is not known; write it in a known way, {such_as}")
        if reported.kind not in {unit.kind for text in usual if (unit := unit_of(text, self.code))}:
            problem = f"unit {name} cannot be one of {self.about.parameter}, which is measured in units {such_as}"
            raise _Settled(NOT_GRADABLE, f"{problem}; correct the unit")

    def _power(self, unit: str, reported: Unit | None) -> int | None:
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
        note = joined([step.note or "", ladder.note or ""])
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
        return [frozenset({*held, *choice}) for choice in itertools.product(*free)]

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


def opposite(need: str) -> str | None:
    """The qualifier that holds when this one does not; None when it has no name of its own."""
    if need == "symptomatic":
        return "asymptomatic"
    if need == "asymptomatic":
        return "symptomatic"
    return need.removeprefix("no_") if need.startswith("no_") else f"no_{need}"
