"""Whether an infusion may start: every reason against, not the first alone; and what must be noted of a start.

Nothing here reads a clock or a ledger. The act that asks records each refused attempt with its reasons.
Terms: *attempt* (an infusion about to start, as told at the bedside), *label* (what is read there on the bag).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from equipoise.donors.body_weight import RecordedWeight, is_possible, weight_reasons
from equipoise.donors.custody import BagStatus
from equipoise.donors.doses import contents_of, judge_limits, quantities
from equipoise.donors.lots import Bag, Excursion, Lot, LotResult, expiry
from equipoise.donors.reasons import Reason, distinct_persons, minute, same_person
from equipoise.donors.release import CriterionVerdict, judge_criterion, judge_lot
from equipoise.protocol.interventions import Course, Product, Regimen

STARTED: tuple[BagStatus, ...] = ("infusing", "infused")
TOLD_IN_TIME = timedelta(hours=1)
"""How long after it a start may be told without a word: what is checked then was checked long before."""


@dataclass(frozen=True, slots=True)
class Label:
    """What two persons read at the bedside: the bag's label, and the code on the participant's wristband.

    `expires_at` is compared to the minute.
    """

    bag: str
    lot: str
    participant: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An infusion about to start.

    Args:
        participant: who is to receive it.
        course: which course of the regimen.
        bag: the bag taken from the record.
        label: what was read at the bedside.
        checked_by: ids of those who compared bag and participant.
        started_at: when, with the site's offset; its date is compared with the course's window.
        preconditions: answers by id; None or no entry is unanswered.
        weight_kg: of the participant; None when not measured.
        ends_at: when it is expected to end; None when not told.
        accept_conditional: why a conditionally released lot is used; blank refuses it.
        accept_weight: why the weight differs so much from that recorded last; blank refuses it.
        told_at: when the start is told, if later; None when it is told as it happens.
        told_late: why it is told so late; blank refuses what is.
    """

    participant: str
    course: str
    bag: str
    label: Label
    checked_by: tuple[str, ...]
    started_at: datetime
    preconditions: Mapping[str, bool | None] = field(default_factory=dict)
    weight_kg: Decimal | None = None
    ends_at: datetime | None = None
    accept_conditional: str = ""
    accept_weight: str = ""
    told_at: datetime | None = None
    told_late: str = ""

    @property
    def is_told_late(self) -> bool:
        """Whether the start is told so long after it that this must be noted."""
        return self.told_at is not None and self.told_at - self.started_at > TOLD_IN_TIME


@dataclass(frozen=True, slots=True)
class DonorMatch:
    """The verdict of the protocol's rule on a donor for a participant.

    `accepted` says why an ambiguous one was accepted by a person; blank when it was not.
    """

    verdict: str
    accepted: str = ""

    @property
    def allows(self) -> bool:
        """Whether the donor may serve."""
        return self.verdict == "mismatch" or (self.verdict == "ambiguous" and bool(self.accepted.strip()))


@dataclass(frozen=True, slots=True)
class Standing:
    """How a participant stands when an infusion is to start.

    Args:
        participant: their code.
        randomised: whether they have an arm.
        withdrawn: from the trial or the intervention.
        products: ids of the products that their arm receives.
        matches: donors matched to them, by code; None where the protocol matches no donors.
        given: courses that were started.
        missed: courses recorded as missed.
        visits_done: visits whose samples were taken.
        stopped: why the product is stopped for them; blank when it is not.
        weight: the one recorded last; None when none is.
    """

    participant: str
    randomised: bool = True
    withdrawn: bool = False
    products: frozenset[str] = frozenset()
    matches: Mapping[str, DonorMatch] | None = None
    given: frozenset[str] = frozenset()
    missed: frozenset[str] = frozenset()
    visits_done: frozenset[str] = frozenset()
    stopped: str = ""
    weight: RecordedWeight | None = None


@dataclass(frozen=True, slots=True)
class HeldBag:
    """A bag as the record has it.

    Args:
        bag: its code, cells and volume.
        lot: in the status it has now.
        results: of the lot, in the order recorded.
        status: after its last handover.
        issued_to: participant for whom it was issued; None when it was not.
        issued_for: course for which it was issued.
        excursions: temperatures outside storage.
        excursions_accepted: why the quality unit lets it be used nevertheless; blank when it does not.
        donor_not_eligible: why the donor is not eligible, or no longer; blank when they are.
        released_by: who released its lot, conditionally or in full.
    """

    bag: Bag
    lot: Lot
    results: tuple[LotResult, ...]
    status: BagStatus
    issued_to: str | None = None
    issued_for: str | None = None
    excursions: tuple[Excursion, ...] = ()
    excursions_accepted: str = ""
    donor_not_eligible: str = ""
    released_by: tuple[str, ...] = ()


def check_infusion(
    attempt: Attempt,
    *,
    product: Product,
    regimen: Regimen,
    standing: Standing,
    held: HeldBag | None,
    opens: date | None,
    closes: date | None,
    trial_stopped: str = "",
) -> tuple[Reason, ...]:
    """Every reason against starting an infusion; empty when it may start.

    Args:
        attempt: as told at the bedside.
        product: of the regimen.
        regimen: of the participant's arm, with the course.
        standing: of the participant.
        held: the bag in the record; None when the record has none of that code.
        opens: first day of the course's window for the participant; None before they are randomised.
        closes: its last day.
        trial_stopped: why nobody is treated any more; blank when the trial goes on.

    Codes, in this order: `trial-stopped`, `not-randomised`, `withdrawn`, `product-not-planned`, `product-stopped`;
    `course-unknown`, `course-given`, `course-missed`, `course-order`, `course-window`, `course-after-visit`;
    `ends-before-start`, `told-late`; `bag-unknown`, `bag-used`, `bag-not-issued`, `bag-other-participant`,
    `bag-other-course`, `bag-other-product`, `donor-not-matched`, `donor-verdict`, `donor-not-eligible`, `lot-status`,
    `lot-conditional`, `out-of-specification`, `criterion-undecided`, `criterion-pending`, `expired`, `expires-during`,
    `storage-excursion`; `label-bag`, `label-lot`, `label-participant`, `label-expiry`, `checker-released`;
    `identity-checkers`; `precondition-unanswered`, `precondition-no`, `precondition-unknown`; `weight`,
    `weight-change`, `criterion-per-kg`, `dose-limit`.
    """
    reasons = [
        *_participant(attempt, product, standing, trial_stopped),
        *_course(attempt, regimen, standing, opens, closes),
        *_times(attempt),
    ]
    if held is None:
        reasons.append(Reason("bag-unknown", "bag", attempt.bag, "is not in the record", "scan the bag again"))
    else:
        reasons += [*_bag(attempt, product, held), *_donor(standing, held)]
        reasons += lot_reasons(
            product,
            held,
            at=attempt.started_at,
            ends_at=attempt.ends_at,
            accept_conditional=attempt.accept_conditional,
        )
        reasons += [*_label(attempt, held), *_releasers(attempt, held)]
    reasons += [*_checkers(attempt, regimen), *_preconditions(attempt, regimen)]
    reasons += weight_reasons(attempt.weight_kg, standing.weight, attempt.accept_weight)
    if held is not None:
        reasons += _dose(attempt, product, held)
    return tuple(reasons)


def start_findings(attempt: Attempt, *, product: Product, held: HeldBag) -> tuple[Reason, ...]:
    """What must be noted of a start that nothing speaks against.

    Codes: `told-late`, `expired-when-told`.
    """
    if attempt.told_at is None or not attempt.is_told_late:
        return ()
    problem = f"was told only at {minute(attempt.told_at)}: {attempt.told_late.strip()}"
    found = [Reason("told-late", "started_at", attempt.started_at, problem, "report a deviation")]
    ends = expiry(held.lot, product)
    if ends is not None and attempt.told_at >= ends:
        problem = f"had gone by when the start was told, {minute(attempt.told_at)}"
        found.append(Reason("expired-when-told", f"lot {held.lot.id} expiry", ends, problem, "report a deviation"))
    return tuple(found)


def _participant(attempt: Attempt, product: Product, standing: Standing, trial_stopped: str) -> Iterator[Reason]:
    code, who = attempt.participant, "participant"
    if trial_stopped:
        yield Reason("trial-stopped", "trial", "stopped", trial_stopped, "give no infusion")
    if not standing.randomised:
        yield Reason("not-randomised", who, code, "is not randomised", "randomise first")
    if standing.withdrawn:
        yield Reason("withdrawn", who, code, "has left the trial or its intervention", "give no infusion")
    if standing.randomised and product.id not in standing.products:
        yield Reason("product-not-planned", who, code, f"is not to receive {product.id}", "check who is at the bedside")
    if standing.stopped:
        problem = f"{product.id} is stopped: {standing.stopped}"
        yield Reason("product-stopped", who, code, problem, "give no infusion; record the course as missed")


def _course(
    attempt: Attempt, regimen: Regimen, standing: Standing, opens: date | None, closes: date | None
) -> Iterator[Reason]:
    ids = [course.id for course in regimen.courses]
    if attempt.course not in ids:
        yield Reason("course-unknown", "course", attempt.course, f"is not a course of {regimen.id}", _one_of(ids))
        return
    place = ids.index(attempt.course)
    course: Course = regimen.courses[place]
    if course.id in standing.given:
        yield Reason("course-given", "course", course.id, "was given already", "a course is given once")
    if course.id in standing.missed:
        yield Reason("course-missed", "course", course.id, "is recorded as missed", "take that back first")
    for earlier in ids[:place]:
        if earlier not in standing.given | standing.missed:
            problem = f"course {earlier} before it was neither given nor recorded as missed"
            yield Reason("course-order", "course", course.id, problem, f"give {earlier}, or record it as missed")
    for later in ids[place + 1 :]:
        if later in standing.given:
            problem = f"course {later} after it was given already"
            yield Reason("course-order", "course", course.id, problem, f"record {course.id} as missed")
    day = attempt.started_at.date()
    if opens is not None and closes is not None and not opens <= day <= closes:
        problem = f"is outside the window of course {course.id}, {opens} to {closes}"
        remedy = "wait until it opens" if day < opens else "record the course as missed"
        yield Reason("course-window", "started_at", day, problem, remedy)
    if course.after is not None and course.after not in standing.visits_done:
        problem = f"the samples of visit {course.after} come first and are not recorded"
        yield Reason("course-after-visit", "course", course.id, problem, f"take and record those of {course.after}")


def _times(attempt: Attempt) -> Iterator[Reason]:
    if attempt.ends_at is not None and attempt.ends_at < attempt.started_at:
        problem = f"is before the start, {minute(attempt.started_at)}"
        yield Reason("ends-before-start", "ends_at", attempt.ends_at, problem, "correct one of the two times")
    if attempt.told_at is not None and attempt.is_told_late and not attempt.told_late.strip():
        problem = f"is told only at {minute(attempt.told_at)}"
        remedy = "correct the time, or say why it is told so late (told_late)"
        yield Reason("told-late", "started_at", attempt.started_at, problem, remedy)


def _bag(attempt: Attempt, product: Product, held: HeldBag) -> Iterator[Reason]:
    name = f"bag {held.bag.id}"
    if held.lot.product != product.id:
        problem = f"is of another product than {product.id}"
        yield Reason("bag-other-product", name, held.lot.product, problem, "fetch the right bag")
    if held.status in STARTED:
        yield Reason("bag-used", name, held.status, "is used already", "a bag is given once; fetch another")
    elif held.status != "issued" or held.issued_to is None:
        yield Reason("bag-not-issued", name, held.status, "is not issued", "issue it to the participant and course")
    if held.issued_to is not None and held.issued_to != attempt.participant:
        problem = f"is issued to another participant than {attempt.participant}"
        yield Reason("bag-other-participant", name, held.issued_to, problem, "stop; fetch the right bag")
    if held.issued_for is not None and held.issued_for != attempt.course:
        problem = f"is issued for another course than {attempt.course}"
        yield Reason("bag-other-course", name, held.issued_for, problem, "fetch the right bag")


def _donor(standing: Standing, held: HeldBag) -> Iterator[Reason]:
    if standing.matches is not None:
        yield from _match(standing, held, standing.matches.get(held.lot.donor))
    if held.donor_not_eligible:
        problem = f"is not eligible: {held.donor_not_eligible}"
        yield Reason("donor-not-eligible", "donor", held.lot.donor, problem, "return the bag; quarantine the lot")


def _match(standing: Standing, held: HeldBag, match: DonorMatch | None) -> Iterator[Reason]:
    if match is None:
        problem = f"is not matched to {standing.participant}"
        yield Reason("donor-not-matched", "donor", held.lot.donor, problem, "stop; fetch a bag of a matched donor")
    elif not match.allows:
        problem = f"is {match.verdict} for {standing.participant}, which the protocol does not allow"
        yield Reason("donor-verdict", "donor", held.lot.donor, problem, "stop; fetch a bag of a matched donor")


def lot_reasons(
    product: Product,
    held: HeldBag,
    *,
    at: datetime,
    ends_at: datetime | None = None,
    accept_conditional: str = "",
) -> tuple[Reason, ...]:
    """Every reason why a bag cannot be given at a moment that lies in its lot, its age or how warm it was.

    Codes: `lot-status`, `lot-conditional`, `out-of-specification`, `criterion-undecided`, `criterion-pending`,
    `expired`, `expires-during`, `storage-excursion`.
    """
    return (
        *_status(held, accept_conditional),
        *_specification(product, held),
        *_age(product, held, at, ends_at),
        *_excursions(held),
    )


def _status(held: HeldBag, accept_conditional: str) -> Iterator[Reason]:
    name = f"lot {held.lot.id}"
    if held.lot.status == "conditionally released":
        if not accept_conditional.strip():
            problem = "has results to come"
            remedy = "wait for them, or say why it is used before (accept_conditional)"
            yield Reason("lot-conditional", name, held.lot.status, problem, remedy)
    elif held.lot.status != "released":
        remedy = "let the quality unit release it" if held.lot.status == "quarantine" else "return the bag"
        yield Reason("lot-status", name, held.lot.status, "is not released", remedy)


def _specification(product: Product, held: HeldBag) -> Iterator[Reason]:
    for verdict in judge_lot(product, held.lot, held.results):
        if verdict.blocking and verdict.verdict == "fails":
            field = f"criterion {verdict.criterion}"
            yield Reason("out-of-specification", field, verdict.value, verdict.text, "return the bag; recall the lot")
        elif verdict.blocking and verdict.verdict == "undecided":
            remedy = "return the bag; have the result told again"
            yield Reason("criterion-undecided", f"criterion {verdict.criterion}", verdict.value, verdict.text, remedy)
        elif verdict.blocking and verdict.verdict == "pending" and _is_asked_since(held, verdict):
            remedy = "return the bag; record the result that is asked for since the release"
            yield Reason("criterion-pending", f"criterion {verdict.criterion}", None, verdict.text, remedy)


def _is_asked_since(held: HeldBag, verdict: CriterionVerdict) -> bool:
    """Whether an amendment asks for a result that the release did not: it had all but those of conditional release."""
    return held.lot.status == "released" or verdict.due_on is None


def _age(product: Product, held: HeldBag, at: datetime, ends_at: datetime | None) -> Iterator[Reason]:
    name, ends = f"lot {held.lot.id} expiry", expiry(held.lot, product)
    if ends is not None and at >= ends:
        problem = f"has gone by at the start, {minute(at)}"
        yield Reason("expired", name, ends, problem, "return the bag; fetch another")
    elif ends is not None and ends_at is not None and ends_at > ends:
        problem = f"comes before the end of the infusion, {minute(ends_at)}"
        yield Reason("expires-during", name, ends, problem, "fetch another bag, or give it faster")


def _excursions(held: HeldBag) -> Iterator[Reason]:
    if not held.excursions_accepted.strip():
        for excursion in held.excursions:
            problem = f"was at {excursion} on {minute(excursion.at)}"
            remedy = "return the bag, or let the quality unit say why it may be used"
            yield Reason("storage-excursion", f"bag {held.bag.id}", None, problem, remedy)


def _label(attempt: Attempt, held: HeldBag) -> Iterator[Reason]:
    label, ends = attempt.label, held.lot.expires_at
    for part, read, wanted in (
        ("bag", label.bag, held.bag.id),
        ("lot", label.lot, held.lot.id),
        ("participant", label.participant, attempt.participant),
    ):
        if read.strip() != wanted:
            problem = f"read at the bedside, is not {wanted}"
            yield Reason(f"label-{part}", f"label.{part}", read, problem, "stop; compare bag, label and wristband")
    if _printed(label.expires_at) != _printed(ends):
        problem = f"read at the bedside, is not {minute(ends) if ends else 'empty'}"
        yield Reason("label-expiry", "label.expires_at", label.expires_at, problem, "stop; compare bag and label")


def _printed(at: datetime | None) -> datetime | None:
    """A time as a label prints it: to the minute. One without a zone stays as it is, and equals none that has one."""
    return None if at is None else at.replace(second=0, microsecond=0)


def _checkers(attempt: Attempt, regimen: Regimen) -> Iterator[Reason]:
    persons = distinct_persons(attempt.checked_by)
    if persons < regimen.identity_checks:
        named = ", ".join(attempt.checked_by) or None
        problem = f"names {persons} of the {regimen.identity_checks} different persons who check identity"
        yield Reason("identity-checkers", "checked_by", named, problem, "let another person compare bag and wristband")


def _releasers(attempt: Attempt, held: HeldBag) -> Iterator[Reason]:
    for person in attempt.checked_by:
        if any(same_person(person, releaser) for releaser in held.released_by):
            problem = f"released lot {held.lot.id}, and who releases a lot does not give it"
            yield Reason("checker-released", "checked_by", person, problem, "let another person compare bag and label")


def _preconditions(attempt: Attempt, regimen: Regimen) -> Iterator[Reason]:
    asked = {part.id: part for part in regimen.preconditions}
    for part in asked.values():
        answer = attempt.preconditions.get(part.id)
        if answer is None:
            yield Reason("precondition-unanswered", part.id, None, f"{part.text}: is not answered", "answer yes or no")
        elif answer is False:
            problem = f"{part.text}: the answer is no"
            yield Reason("precondition-no", part.id, "no", problem, "wait, or record the course as missed")
    for unknown in attempt.preconditions.keys() - asked.keys():
        yield Reason("precondition-unknown", "preconditions", unknown, f"is not one of {regimen.id}", _one_of(asked))


def _dose(attempt: Attempt, product: Product, held: HeldBag) -> Iterator[Reason]:
    weight = attempt.weight_kg if attempt.weight_kg is not None and is_possible(attempt.weight_kg) else None
    for criterion in product.release:
        if criterion.per_kg and criterion.blocking:
            verdict = judge_criterion(criterion, held.results, made_at=held.lot.made_at, weight_kg=weight)
            if verdict.verdict not in ("passes", "pending"):
                remedy = "weigh the participant" if weight is None else "return the bag; fetch another"
                yield Reason("criterion-per-kg", criterion.id, verdict.value, verdict.text, remedy)
    dose = quantities(held.bag, contents_of(product, held.results), weight_kg=weight)
    for limit in judge_limits(product, dose):
        if limit.blocking and limit.verdict != "passes":
            known = limit.verdict == "fails"
            remedy = "return the bag; fetch another" if known else "record weight and results of the lot"
            yield Reason("dose-limit", f"dose limit {limit.limit}", None, limit.text, remedy)


def _one_of(ids: Sequence[str] | Mapping[str, object]) -> str:
    return f"use one of {', '.join(ids)}" if ids else "leave it out"
