"""Whether a lot may be released: the protocol's criteria judged on results, and what follows a late bad one.

A criterion *passes*, *fails*, is *pending* (no result yet), *undecided* (a result that does not tell, or is not in the
criterion's unit) or is judged *by weight*, at each infusion. A lot is released in full when every blocking criterion
passes, and conditionally when those that do not are pending and have a due date that has not gone by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from equipoise.donors.lots import Lot, LotResult, expiry, status_reasons
from equipoise.donors.measured import Measured, parse_measured, spanning
from equipoise.donors.reasons import ProductRefused, Reason, minute, same_person
from equipoise.protocol.interventions import Product, ReleaseCriterion
from equipoise.protocol.rules.tree import Literal as Written
from equipoise.protocol.rules.tree import nodes
from equipoise.refusals import shown

Verdict = Literal["passes", "fails", "pending", "undecided", "by weight"]


@dataclass(frozen=True, slots=True)
class CriterionVerdict:
    """How a lot stands with one release criterion.

    `value` is the result that decided, as reported; None while pending. `due_on` is the day by which a result must be
    there; None where the criterion allows no conditional release. `text` is the verdict as a sentence.
    """

    criterion: str
    test: str
    rule: str
    verdict: Verdict
    blocking: bool
    value: str | None
    due_on: date | None
    text: str

    @property
    def stands_in_the_way(self) -> bool:
        """Whether it keeps the lot from full release."""
        return self.blocking and self.verdict not in ("passes", "by weight")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who received which bag."""

    bag: str
    participant: str


@dataclass(frozen=True, slots=True)
class OutOfSpecification:
    """A result that fails a criterion after the lot was released or a bag of it given.

    `received` are the bags given and to whom; `left` the bags of the lot that were not.
    """

    lot: str
    criterion: str
    test: str
    value: str
    rule: str
    blocking: bool
    received: tuple[Recipient, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        """The notice in sentences."""
        given = ", ".join(f"bag {one.bag} to {one.participant}" for one in self.received) or "no bag"
        left = f"hold {', '.join(self.left)}; " if self.left else ""
        tell = "tell the investigator, who follows up those who received it; " if self.received else ""
        return (
            f"lot {self.lot}: {self.test} = {shown(self.value)} is out of specification ({self.rule}); "
            f"given: {given}; {left}{tell}the quality unit decides on recall"
        )


def accepted_value(criterion: ReleaseCriterion, value: str, unit: str | None) -> str:
    """A result as it is kept: a code in the rule's own writing, a number as reported.

    Raises:
        ProductRefused: a number that cannot be read, a unit that is not the criterion's, a blank.
    """
    field = f"result of {criterion.id}"
    text = value.strip()
    if unit != criterion.unit:
        wanted = f"report it in {criterion.unit}" if criterion.unit else "leave the unit out"
        raise ProductRefused(f"unit of {criterion.id}", unit, f"is not {criterion.unit or 'empty'}", wanted)
    if criterion.unit is not None:
        parse_measured(text, field)
        return text
    if not text:
        raise ProductRefused(field, None, "is blank", "write what the laboratory reported")
    codes = {node.value for node in nodes(criterion.rule.tree) if isinstance(node, Written)}
    return next((code for code in codes if isinstance(code, str) and code.casefold() == text.casefold()), text)


def valid_results(criterion: ReleaseCriterion, results: Sequence[LotResult]) -> tuple[LotResult, ...]:
    """The criterion's results that count, in the order recorded: those from the last that invalidates the earlier."""
    own = [result for result in results if result.criterion == criterion.id]
    last = max((index for index, result in enumerate(own) if result.invalidates.strip()), default=0)
    return tuple(own[last:])


def judge_criterion(
    criterion: ReleaseCriterion,
    results: Sequence[LotResult],
    *,
    made_at: datetime,
    weight_kg: Decimal | None = None,
) -> CriterionVerdict:
    """One criterion on the results of a lot, in the order recorded. Each result that counts must pass.

    The result is due so many days after that of `made_at`, which is in the trial's zone. Under `per_kg` the value is
    that of one bag and is divided by the participant's weight in kg; without a weight the verdict is `by weight`, or
    `pending` without a result.
    """
    due_on = None if criterion.due_days is None else made_at.date() + timedelta(days=criterion.due_days)

    def verdict(name: Verdict, value: str | None, text: str) -> CriterionVerdict:
        says = f"{criterion.test}: {text}{'' if criterion.blocking else ' (informational)'}"
        return CriterionVerdict(
            criterion.id, criterion.test, criterion.rule.text, name, criterion.blocking, value, due_on, says
        )

    counting = valid_results(criterion, results)
    if not counting:
        return verdict("pending", None, f"no result yet, {f'due on {due_on}' if due_on else 'needed before release'}")
    if criterion.per_kg and weight_kg is None:
        other = [result for result in counting if result.unit != criterion.unit]
        if other:
            return verdict("undecided", other[-1].value, _sentence(criterion, "undecided", other[-1], None))
        value = counting[-1].value
        return verdict("by weight", value, f"{shown(value)} {criterion.unit} is judged by weight at each infusion")
    answers = [_meets(criterion, result, weight_kg) for result in counting]
    for name, answer in (("fails", False), ("undecided", None), ("passes", True)):
        if answer in answers:
            decided = counting[len(answers) - 1 - answers[::-1].index(answer)]
            return verdict(name, decided.value, _sentence(criterion, name, decided, weight_kg))  # type: ignore[arg-type]
    raise AssertionError("every result has an answer")


def _meets(criterion: ReleaseCriterion, result: LotResult, weight_kg: Decimal | None) -> bool | None:
    if result.unit != criterion.unit:  # an amendment changed it: the number says nothing in the new one
        return None
    if criterion.unit is None:
        answer = criterion.rule.evaluate({"value": result.value})
        return answer if isinstance(answer, bool) else None
    measured = parse_measured(result.value, f"result of {criterion.id}")
    if criterion.per_kg and weight_kg is not None:
        measured = measured.over(weight_kg)
    return measured.meets(criterion.rule)


def _sentence(criterion: ReleaseCriterion, verdict: str, result: LotResult, weight_kg: Decimal | None) -> str:
    value = f"{shown(result.value)}{f' {result.unit}' if result.unit else ''}"
    if result.unit != criterion.unit:
        wanted = f"in {criterion.unit}" if criterion.unit else "without a unit"
        return f"{value} is not {wanted}, as the protocol in force asks; record it so, and why the earlier is not valid"
    subject = f"{value}{f' in {weight_kg} kg' if criterion.per_kg else ''}"
    if verdict == "undecided":
        return f"{subject} does not tell whether {criterion.rule}; repeat the test with a method that does"
    return f"{subject} {'meets' if verdict == 'passes' else 'does not meet'} {criterion.rule}"


def judge_lot(product: Product, lot: Lot, results: Sequence[LotResult]) -> tuple[CriterionVerdict, ...]:
    """Every release criterion of the product on the results of a lot, in the order of the protocol."""
    return tuple(judge_criterion(criterion, results, made_at=lot.made_at) for criterion in product.release)


def measured_of(product: Product, results: Sequence[LotResult], criterion_id: str | None) -> Measured | None:
    """All that a criterion's numbers may be, from the least to the most of those that count.

    None without a result, or when one is not in the criterion's unit.
    """
    criterion = next((one for one in product.release if one.id == criterion_id), None)
    if criterion is None or not (counting := valid_results(criterion, results)):
        return None
    if any(result.unit != criterion.unit for result in counting):
        return None
    return spanning([parse_measured(result.value, f"result of {criterion.id}") for result in counting])


def release_reasons(
    product: Product,
    lot: Lot,
    results: Sequence[LotResult],
    *,
    conditional: bool,
    donor_eligible: bool | None,
    released_by: str,
    investigators: Collection[str],
    checkers: Collection[str],
    at: datetime,
) -> tuple[Reason, ...]:
    """Every reason against releasing a lot, in full or conditionally; empty when it may be released.

    Args:
        product: as the protocol has it.
        lot: in the status it has now.
        results: of the lot, in the order recorded.
        conditional: whether it is released before all results are in.
        donor_eligible: the statement on the donor; None while there is none.
        released_by: who releases.
        investigators: who must not, since they treat the participants.
        checkers: who must not either, since they gave a bag of it.
        at: when, with its offset.

    Codes: `lot-status`, `donor-not-eligible`, `released-by-investigator`, `released-by-checker`, `expired`,
    `criterion-fails`, `criterion-undecided`, `criterion-pending`, `criterion-overdue`, `nothing-pending`.
    """
    verdicts = judge_lot(product, lot, results)
    found = list(status_reasons(lot, "conditionally released" if conditional else "released"))
    if donor_eligible is not True:
        state = "not eligible" if donor_eligible is False else "not yet judged"
        remedy = "reject the lot" if donor_eligible is False else "judge the donor first"
        problem = "its product stays in quarantine until the donor is eligible (21 CFR 1271.60)"
        found.append(Reason("donor-not-eligible", f"donor {lot.donor}", state, problem, remedy))
    if any(same_person(released_by, investigator) for investigator in investigators):
        problem = "is an investigator of the trial"
        found.append(
            Reason("released-by-investigator", "released_by", released_by, problem, "let the quality unit release it")
        )
    if any(same_person(released_by, checker) for checker in checkers):
        problem = f"gave a bag of lot {lot.id}"
        found.append(
            Reason("released-by-checker", "released_by", released_by, problem, "let another person release it")
        )
    ends = expiry(lot, product)
    # A result that takes longer than the product keeps completes a conditional release of what was given long since.
    if ends is not None and at >= ends and lot.status != "conditionally released":
        problem = f"has expired by {minute(at)}"
        found.append(Reason("expired", f"lot {lot.id} expiry", ends, problem, "reject the lot"))
    for verdict in verdicts:
        if verdict.stands_in_the_way:
            found += _criterion_reason(verdict, conditional=conditional, on=at.date())
    if conditional and not any(verdict.blocking and verdict.verdict == "pending" for verdict in verdicts):
        problem = "no blocking result is pending"
        found.append(Reason("nothing-pending", f"lot {lot.id}", None, problem, "release it in full, or reject it"))
    return tuple(found)


def _criterion_reason(verdict: CriterionVerdict, *, conditional: bool, on: date) -> list[Reason]:
    field = f"criterion {verdict.criterion}"
    if verdict.verdict != "pending":
        remedy = "reject the lot" if verdict.verdict == "fails" else "record the repeated result"
        return [Reason(f"criterion-{verdict.verdict}", field, verdict.value, verdict.text, remedy)]
    if conditional and verdict.due_on is not None:
        if on <= verdict.due_on:
            return []
        return [Reason("criterion-overdue", field, None, verdict.text, "record the result")]
    remedy = "record the result"
    if verdict.due_on is not None:
        remedy += ", or release the lot conditionally"
    return [Reason("criterion-pending", field, None, verdict.text, remedy)]


def out_of_specification(
    product: Product, lot: Lot, results: Sequence[LotResult], received: Sequence[Recipient]
) -> tuple[OutOfSpecification, ...]:
    """A notice for every failing criterion of a lot that has left quarantine or of which a bag was given."""
    own = tuple(one for one in received if lot.bag(one.bag) is not None)
    if lot.status not in ("released", "conditionally released", "recalled") and not own:
        return ()
    given = {one.bag for one in own}
    left = tuple(bag.id for bag in lot.bags if bag.id not in given)
    return tuple(
        OutOfSpecification(
            lot.id, verdict.criterion, verdict.test, verdict.value, verdict.rule, verdict.blocking, own, left
        )
        for verdict in judge_lot(product, lot, results)
        if verdict.verdict == "fails" and verdict.value is not None
    )


def overdue(verdicts: Sequence[CriterionVerdict], on: date) -> tuple[CriterionVerdict, ...]:
    """The criteria without a result whose due day has gone by."""
    return tuple(
        verdict
        for verdict in verdicts
        if verdict.verdict == "pending" and verdict.due_on is not None and verdict.due_on < on
    )
