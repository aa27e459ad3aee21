"""Lock the trial when the work is done, open it again with two persons, reveal the randomisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime

from equipoise.capture import Timing, planned_visits
from equipoise.conduct.acting import acting
from equipoise.conduct.harm_facts import NOT_ENDED
from equipoise.conduct.harm_tables import is_coded_by
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.permissions import check_permitted
from equipoise.conduct.product_left import open_courses, open_lots
from equipoise.conduct.randomising import allocated_so_far, committed_secret
from equipoise.conduct.refusing import NotAccepted, NotPermitted, OutOfOrder, StillOpen
from equipoise.conduct.tables import TRIAL
from equipoise.conduct.trials import Trial, trial_row
from equipoise.conduct.visit_data import visit_data
from equipoise.donors import same_person
from equipoise.ledger import Actor, Row, Tables
from equipoise.protocol.safety import CodingDictionary
from equipoise.randomisation import Commitment, Secret, reveal_document


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Work that is left: whose (a participant's code, or a lot's), at which visit (if any), and what."""

    participant: str
    visit: str | None
    what: str

    def __str__(self) -> str:
        """`01-001 m1: form blood is not recorded`."""
        where = self.participant if self.visit is None else f"{self.participant} {self.visit}"
        return f"{where}: {self.what}"


def open_items(trial: Trial, *, on: date) -> tuple[OpenItem, ...]:
    """What is left to do by a day.

    Undecided participants, visits, forms, required answers, unended events, courses, results of lots, bags.
    """
    with trial.ledger.reading() as reader:
        return tuple(_open_items(trial, reader, on))


def lock(trial: Trial, *, accept_open: bool = False, by: Actor, reason: str, at: datetime) -> tuple[OpenItem, ...]:
    """Lock the trial: nothing more can be recorded.

    Args:
        trial: the trial.
        accept_open: lock although work is left; the reason says why, and the event keeps the list.
        by: who locks.
        reason: why.
        at: when (UTC).

    Returns:
        What is left open.

    Raises:
        StillOpen: with the list, unless accepted.
    """
    with acting(trial, Kind.TRIAL_LOCKED, by=by, reason=reason, at=at) as act:
        in_force = trial.newest(act.writer)
        left = tuple(_open_items(trial, act.writer, in_force.day_of(at)))
        if left and not accept_open:
            raise StillOpen(left)
        payload = {"open": [asdict(item) for item in left]}
        act.append(payload, stream=TRIAL, in_force=in_force)
    return left


def unlock(trial: Trial, *, by: Actor, second: Actor, reason: str, at: datetime) -> None:
    """Open a locked trial again: two persons, both permitted.

    Raises:
        NotPermitted: when either may not, or both are the same person.
        OutOfOrder: when the trial is not locked.
    """
    check_permitted(Kind.TRIAL_UNLOCKED, second)
    if same_person(second.id, by.id):
        raise NotPermitted("second", second.id, "is the same person", "ask another person to unlock it with you")
    with acting(trial, Kind.TRIAL_UNLOCKED, by=by, reason=reason, at=at) as act:
        _check_locked(act.writer)
        payload = {"second": {"id": second.id, "role": second.role}}
        act.append(payload, stream=TRIAL, in_force=trial.newest(act.writer))


def reveal(trial: Trial, *, by: Actor, reason: str, at: datetime) -> None:
    """Write the secret of the allocation into the ledger, so that anyone can recompute every allocation.

    Raises:
        OutOfOrder: when the trial is not locked, or it is revealed already.
        NotAccepted: when nothing was randomised here, or the secret is not the one committed to.
    """
    with acting(trial, Kind.RANDOMISATION_REVEALED, by=by, reason=reason, at=at) as act:
        _check_locked(act.writer)
        if trial_row(act.writer)["revealed"] is not None:
            raise OutOfOrder("randomisation", None, "is revealed already", "write the allocations file")
        in_force = trial.newest(act.writer)
        if in_force.method is None:
            problem = "this trial is not randomised here"
            raise NotAccepted("allocation.method", "external", problem, "there is nothing to reveal")
        secret = committed_secret(trial, act.writer, in_force.method)
        row = trial_row(act.writer)
        payload = {"secret": secret.reveal(), "commitment": row["commitment"], "protocol_hash": row["committed_hash"]}
        act.append(payload, stream=TRIAL, in_force=in_force)


def allocations_file(trial: Trial) -> dict[str, object]:
    """What the standalone verifier of the allocations reads, ready for JSON.

    Raises:
        OutOfOrder: before the randomisation is revealed.
    """
    with trial.ledger.reading() as reader:
        row = trial_row(reader)
        if row["revealed"] is None:
            problem = "is not revealed"
            raise OutOfOrder("randomisation", None, problem, "lock the trial and reveal it first")
        in_force = trial.newest(reader)
        assert in_force.method is not None, "only a method can be revealed"
        return reveal_document(
            in_force.method,
            Secret.from_revealed(str(row["revealed"])),
            trial=in_force.protocol.protocol.id,
            protocol_hash=str(row["committed_hash"]),
            commitment=Commitment(str(row["commitment"])),
            allocations=allocated_so_far(reader),
        )


def _check_locked(tables: Tables) -> None:
    if not trial_row(tables)["locked"]:
        raise OutOfOrder("trial", None, "is not locked", "lock it first")


def _open_items(trial: Trial, tables: Tables, today: date) -> Iterator[OpenItem]:
    newest = trial.newest(tables)
    safety = newest.protocol.safety
    dictionary = None if safety is None else safety.adverse_events.dictionary
    for participant in tables.rows("participant"):
        code = str(participant["participant"])
        in_force = trial.at_site(tables, str(participant["site"]))
        if all(participant[end] is None for end in ("failed_on", "randomised_on", "withdrawn_on")):
            yield OpenItem(code, None, "neither randomised nor a screen failure")
        yield from _open_visits(in_force, tables, participant, today)
        for row in tables.rows("adverse_event", participant=code):
            yield from _open_event(participant, row, dictionary)
        for what in open_courses(in_force, tables, participant, today):
            yield OpenItem(code, None, what)
    for lot, what in open_lots(tables, newest.timezone):
        yield OpenItem(lot, None, what)


def _open_event(participant: Row, event: Row, dictionary: CodingDictionary | None) -> Iterator[OpenItem]:
    if event["voided_at"] is not None:
        return
    code = str(participant["participant"])
    if event["outcome"] in NOT_ENDED and participant["withdrawn_on"] is None:
        yield OpenItem(code, None, f"adverse event {event['number']} is {event['outcome']}")
    if dictionary is not None and not is_coded_by(dictionary, event):
        yield OpenItem(code, None, f"adverse event {event['number']} is not coded by {dictionary.label}")


def _open_visits(in_force: InForce, tables: Tables, participant: Row, today: date) -> Iterator[OpenItem]:
    code = str(participant["participant"])
    stands = {str(row["visit"]): row for row in tables.rows("visit", participant=code)}
    if participant["randomised_on"] is not None:
        end = participant["withdrawn_on"]
        planned = planned_visits(in_force.planned.values(), date.fromisoformat(str(participant["randomised_on"])))
        for visit in planned:
            if visit.visit in stands or (end is not None and visit.closes.isoformat() >= str(end)):
                continue
            if visit.timing(today) is not Timing.PENDING:
                yield OpenItem(code, visit.visit, "is neither recorded nor marked missed")
    for visit_code, row in stands.items():
        if row["status"] == "done":
            yield from _open_forms(in_force, tables, code, visit_code, date.fromisoformat(str(row["date"])))


def _open_forms(in_force: InForce, tables: Tables, participant: str, visit: str, day: date) -> Iterator[OpenItem]:
    data = visit_data(in_force, tables, participant, visit, day)
    recorded = {form for form, _ in data.pages}
    if visit in in_force.planned:  # an unscheduled visit offers its forms; a repeating form may have no page
        for form in in_force.forms_at(visit):
            if form not in recorded and not in_force.protocol.form(form).repeating:
                yield OpenItem(participant, visit, f"form {form} is not recorded")
    for finding in data.findings(data.pages).values():
        if finding.check == "required":
            yield OpenItem(participant, visit, f"{finding.item} is required and not answered")
