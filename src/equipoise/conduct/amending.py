"""Amend the protocol: a new version beside the old ones, and what it finds in the data of before.

Each site works under the newest version that it has approved. Nothing recorded is altered: old answers are checked by
the new version, and what it finds is told and kept in the event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime

from equipoise.capture import FormSheet
from equipoise.capture.values import AnswerError, normal_text
from equipoise.conduct.acting import Act, acting, check_not_future, check_site
from equipoise.conduct.eligibility import verdicts
from equipoise.conduct.in_force import InForce
from equipoise.conduct.kinds import Kind
from equipoise.conduct.product_in_use import check_product_kept
from equipoise.conduct.randomising import committed_secret
from equipoise.conduct.refusing import NotAccepted, NotFound, OutOfOrder
from equipoise.conduct.stopping_watch import standings_after_amendment
from equipoise.conduct.tables import TRIAL
from equipoise.conduct.trials import PROTOCOL_FILE, Trial, commitment_payload, trial_row
from equipoise.conduct.visit_data import Page, VisitData, visit_data
from equipoise.ledger import Actor, Tables
from equipoise.protocol import parse


@dataclass(frozen=True, slots=True)
class ReCheck:
    """What a new version finds in data recorded under an older one.

    Attributes:
        participant: the participant's code.
        visit: the visit; None for a criterion.
        item: `form.item`, or the criterion's id.
        severity: `hard` (could not be recorded so now), `soft` (a doubt), `criterion` (eligibility would not hold).
        message: what is found, without a full stop.
    """

    participant: str
    visit: str | None
    item: str
    severity: str
    message: str

    def __str__(self) -> str:
        """`01-001 m1 blood.cd4: is above 1000 /uL (soft)`."""
        where = self.participant if self.visit is None else f"{self.participant} {self.visit}"
        return f"{where} {self.item}: {self.message} ({self.severity})"


def amend(trial: Trial, protocol_bytes: bytes, *, reason: str, by: Actor, at: datetime) -> tuple[ReCheck, ...]:
    """Bring in a new version of the protocol.

    It is in force at a site once `approve_amendment` records that site's approval.

    Args:
        trial: the trial.
        protocol_bytes: the new protocol file.
        reason: why it is amended.
        by: who brings it in.
        at: when (UTC).

    Returns:
        What the new version finds in the data so far; the event keeps it too.

    Raises:
        ProtocolRefused: when the new protocol has faults.
        NotAccepted: when it is another trial, has the version name of an older one, changes arms or allocation
            after the first randomisation, or drops a site that has participants, a product that has lots, or a
            course that was started.
        Refusal: when its rule for matching donors is not one.
    """
    new = InForce(parse(protocol_bytes, PROTOCOL_FILE))
    new.check_matching()
    with acting(trial, Kind.PROTOCOL_AMENDED, by=by, reason=reason, at=at) as act:
        old = trial.newest(act.writer)
        _check_amendment(act.writer, old, new)
        found = tuple(_re_checks(trial, act.writer, new))
        known = {str(row["site"]) for row in act.writer.rows("site")}
        number = int(str(trial_row(act.writer)["protocol_number"])) + 1
        payload = {
            "number": number,
            "version": new.protocol.protocol.version,
            "protocol": protocol_bytes.decode(),
            "new_sites": [site.id for site in new.protocol.sites if site.id not in known],
            "findings": [asdict(finding) for finding in found],
            "stopping": standings_after_amendment(new.protocol, act.writer),
        }
        act.append(payload, stream=TRIAL, in_force=new)
        if new.method is not None and new.method != old.method:
            _commit_again(act, old, new)
    return found


def approve_amendment(trial: Trial, version: str, site: str, *, on: date, by: Actor, reason: str, at: datetime) -> None:
    """Record that a site (its ethics committee) approved a version; it is in force there from now on.

    Args:
        trial: the trial.
        version: the version's name, as `protocol.version` in its file.
        site: the site's id.
        on: the day of approval.
        by: who records it.
        reason: why, such as the committee's reference.
        at: when (UTC).

    Raises:
        NotFound: when there is no such version or site.
        NotAccepted: when the day is to come, or the version does not have the site.
        OutOfOrder: when that version or a newer one is in force at the site.
    """
    with acting(trial, Kind.AMENDMENT_APPROVED, by=by, reason=reason, at=at) as act:
        check_site(by, site)
        versions = {str(row["version"]): int(str(row["number"])) for row in act.writer.rows("protocol_version")}
        if version not in versions:
            raise NotFound("version", version, "is not a version of the protocol", f"use one of {', '.join(versions)}")
        row = act.writer.row("site", site)
        new = trial.version(act.writer, versions[version])
        if row is None or all(known.id != site for known in new.protocol.sites):
            sites = ", ".join(known.id for known in new.protocol.sites)
            raise NotFound("site", site, f"is not a site of version {version}", f"use one of {sites}")
        if versions[version] <= int(str(row["protocol_number"] or 0)):
            problem = f"version {version} or a newer one is in force there"
            raise OutOfOrder("site", site, problem, "nothing needs to be approved")
        check_not_future("on", on, new.day_of(at))
        payload = {"site": site, "version": version, "number": versions[version], "on": on.isoformat()}
        act.append(payload, stream=TRIAL, in_force=new)


def _check_amendment(tables: Tables, old: InForce, new: InForce) -> None:
    was, now = old.protocol, new.protocol
    if now.protocol.id != was.protocol.id:
        problem = f"is another trial than {was.protocol.id}"
        raise NotAccepted("protocol.id", now.protocol.id, problem, "keep the id, or create a trial of its own")
    if any(row["version"] == now.protocol.version for row in tables.rows("protocol_version")):
        remedy = "give the amended protocol a version of its own"
        raise NotAccepted("protocol.version", now.protocol.version, "was in force already", remedy)
    if tables.rows("allocation"):
        if now.arm_ids != was.arm_ids:
            problem = f"were {', '.join(was.arm_ids)} when the first participant was randomised"
            raise NotAccepted("arms", ", ".join(now.arm_ids), problem, "keep the arms and their order")
        if (now.allocation.strata, new.method) != (was.allocation.strata, old.method):
            remedy = "keep the allocation, and the planned number where the method uses it"
            raise NotAccepted("allocation", None, "cannot change after the first randomisation", remedy)
    sites = {site.id for site in now.sites}
    for row in tables.rows("site"):
        if row["site"] not in sites and row["screened"]:
            raise NotAccepted("sites", row["site"], "has participants and is left out", "keep the site")
    check_product_kept(tables, new)


def _commit_again(act: Act, old: InForce, new: InForce) -> None:
    """The allocation changed before anyone was randomised: the same secret is committed to it."""
    if old.method is None:
        problem = "was external and cannot be taken over here"
        raise NotAccepted("allocation.method", new.protocol.allocation.method, problem, "create a trial of its own")
    payload = commitment_payload(new, committed_secret(act.trial, act.writer, old.method))
    act.writer.append(
        Kind.RANDOMISATION_COMMITTED,
        payload,
        stream=TRIAL,
        by=act.by,
        reason=act.reason,
        at=act.at,
        protocol_hash=new.hash,
    )


def _re_checks(trial: Trial, tables: Tables, new: InForce) -> Iterator[ReCheck]:
    for participant in tables.rows("participant"):
        code = str(participant["participant"])
        for visit in tables.rows("visit", participant=code, status="done"):
            data = visit_data(new, tables, code, str(visit["visit"]), date.fromisoformat(str(visit["date"])))
            for page in data.pages:
                yield from _re_check_page(data, page, code, str(visit["visit"]))
            yield from _lost(tables, new, code, str(visit["visit"]))
        if participant["declared_on"] is not None:
            for verdict in verdicts(trial, new, tables, participant):
                if not verdict.passes:
                    yield ReCheck(code, None, verdict.criterion, "criterion", str(verdict))


def _re_check_page(data: VisitData, page: Page, participant: str, visit: str) -> Iterator[ReCheck]:
    sheet = data.sheet(page)
    unreadable = dict(_unreadable(sheet, data, page))
    for item, message in unreadable.items():
        yield ReCheck(participant, visit, sheet.name(item), "hard", message)
    readable = {item: answer for item, answer in data.pages[page].items() if item not in unreadable}
    for finding in data.with_page(page, readable).findings([page]).values():
        if finding.item.partition(".")[2] not in unreadable:
            yield ReCheck(participant, visit, finding.item, finding.severity, finding.message)


def _unreadable(sheet: FormSheet, data: VisitData, page: Page) -> Iterator[tuple[str, str]]:
    """Answers that the new version's item could not have, and why."""
    for item_id, answer in data.pages[page].items():
        item = sheet.items.get(item_id)
        if item is None or item.type == "derived":
            continue
        try:
            if answer.value is not None:
                normal_text(item, answer.value, sheet.codes(item))
            elif answer.missing not in item.missing:
                yield item_id, f"missing code {answer.missing} is not one of the item's"
        except AnswerError as error:
            yield item_id, error.problem


def _lost(tables: Tables, new: InForce, participant: str, visit: str) -> Iterator[ReCheck]:
    """Answers to items that the new version no longer has."""
    for row in tables.rows("value", participant=participant, visit=visit):
        item = f"{row['form']}.{row['item']}"
        if item not in new.protocol.items and (row["value"] is not None or row["missing"] is not None):
            yield ReCheck(participant, visit, item, "soft", "is not asked by this version; what was answered is kept")
