"""What every act has in common: permission, one writer, the protocol in force, one event appended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import KINDS_WHEN_LOCKED, Kind
from equipoise.conduct.permissions import check_permitted
from equipoise.conduct.refusing import Locked, NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.tables import TRIAL
from equipoise.conduct.trials import Trial, trial_row
from equipoise.ledger import Actor, Event, Row, Writer


@dataclass(frozen=True, slots=True)
class Act:
    """An act under way: it holds the ledger, and what it reads cannot change before it appends."""

    trial: Trial
    kind: Kind
    writer: Writer
    by: Actor
    reason: str
    at: datetime
    source: str

    def participant(self, code: str) -> Row:
        """The participant's row.

        Raises:
            NotFound: when there is none with that code, or it belongs to a site that is not the person's.
        """
        row = self.writer.row("participant", code)
        if row is None or self.by.site not in (None, row["site"]):  # another site's participant is not even there
            raise NotFound("participant", code, "is not in this trial", "check the code")
        return row

    def in_force_for(self, participant: Row) -> InForce:
        """The protocol in force at the participant's site."""
        return self.trial.at_site(self.writer, str(participant["site"]))

    def append(self, payload: Mapping[str, Any], *, stream: str, in_force: InForce) -> Event:
        """Append the act's one event."""
        return self.writer.append(
            self.kind,
            payload,
            stream=stream,
            by=self.by,
            reason=self.reason,
            at=self.at,
            source=self.source,
            protocol_hash=in_force.hash,
        )


@contextmanager
def acting(trial: Trial, kind: Kind, *, by: Actor, reason: str, at: datetime, source: str = "act") -> Iterator[Act]:
    """Begin an act; what it appends is there for all once the block ends well, and nothing is when it does not.

    Raises:
        NotPermitted: when the role may not do this.
        Locked: when the trial is locked and this is not among what may still be done.
    """
    check_permitted(kind, by)
    with trial.ledger.writing() as writer:
        row = trial_row(writer)
        if row["locked"] and kind not in KINDS_WHEN_LOCKED:
            raise Locked("trial", row["code"], "is locked", "ask the data_manager to unlock it")
        yield Act(trial, kind, writer, by, reason, at, source)


def check_site(by: Actor, site: str) -> None:
    """Let a person act at a site: the own one, or any when bound to none.

    Raises:
        NotFound: as if the site were not there.
    """
    if by.site not in (None, site):
        raise NotFound("site", site, "is not a site of yours", f"use {by.site}")


def check_not_future(field: str, day: date, today: date) -> None:
    """Let a day pass that is not after today.

    Raises:
        NotAccepted: when it is.
    """
    if day > today:
        raise NotAccepted(field, day, f"is after today, {today}", "correct the date, or wait until it is so")


def check_not_before(field: str, day: date, other: object, what: str) -> None:
    """Let a day pass that is not before another one.

    Raises:
        NotAccepted: when it is.
    """
    if day.isoformat() < str(other):
        raise NotAccepted(field, day, f"is before {what}, {other}", "correct the date")


def check_in_trial(code: str, participant: Row) -> None:
    """Let a participant pass who neither failed screening nor left the trial.

    Raises:
        OutOfOrder: naming which, and when.
    """
    if participant["failed_on"] is not None:
        problem = f"is a screen failure since {participant['failed_on']}"
        raise OutOfOrder("participant", code, problem, "screen anew, under a new code")
    if participant["withdrawn_on"] is not None:
        problem = f"left the trial on {participant['withdrawn_on']}"
        raise OutOfOrder("participant", code, problem, "nothing more can be done for this participant")


def stream_of(participant: str | None) -> str:
    """The stream of an event: the participant's code, or the trial's own."""
    return TRIAL if participant is None else participant
