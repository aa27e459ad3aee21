"""The participants' flow through the trial, counted as CONSORT 2025 items 22a and 22b ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from equipoise.analysis.counting import count_row, free
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.words import listed, sentence
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot

GIVEN_DOMAINS = ("EX", "EC")  # SDTM: exposure as given, as collected


def answer(protocol: Protocol, snapshot: Snapshot, populations: Mapping[str, tuple[str, ...]]) -> Answer:
    """Rows `flow.…`: screened, excluded by reason, randomised, received, lost and discontinued by reason, analysed.

    What a foreign table cannot know (who was screened, who left and why) has no row, and the sentence says so.
    """
    people = snapshot.participants
    foreign = snapshot.source != "ledger"
    rows: list[Row] = []
    if not foreign:
        rows.extend(before_randomisation(protocol, people))
    randomised = people[people["arm"].notna()]
    rows.append(count_row("flow", "randomised", count=len(randomised), label="randomised"))
    for arm in protocol.arm_ids:
        rows.extend(
            arm_rows(protocol, snapshot, randomised[randomised["arm"] == arm], arm, populations, foreign=foreign)
        )
    return Answer(tuple(rows), {"flow": flow_text(protocol, rows, foreign=foreign), **dates(people)})


def before_randomisation(protocol: Protocol, people: pd.DataFrame) -> Iterator[Row]:
    """Who was screened, consented, excluded and why, and who is still in screening."""
    excluded = people[people["status"] == "screen failure"]
    yield count_row("flow", "screened", count=len(people), label="screened")
    yield count_row("flow", "consented", count=int(people["consented_on"].notna().sum()), label="gave consent")
    yield count_row("flow", "excluded", count=len(excluded), n=len(people), label="excluded before randomisation")
    texts = {
        criterion.id: f"{category.lower()} criterion: {criterion.text}" for category, criterion in protocol.criteria
    }
    failed = [criterion for criteria in excluded["failed_criteria"] for criterion in criteria or ()]
    for criterion_id, text in texts.items():
        if criterion_id in failed:
            count = failed.count(criterion_id)
            yield count_row(
                "flow", "excluded", criterion_id, count=count, n=len(excluded), term=criterion_id, label=text
            )
    reasons = list(excluded["failure_reason"].dropna())
    for code in ordered(reasons, protocol.discontinuation.screening):
        text = protocol.discontinuation.screening.get(code, code)
        step = free(code, texts)  # a reason may be spelled like a criterion
        yield count_row("flow", "excluded", step, count=reasons.count(code), n=len(excluded), term=code, label=text)
    waiting = people["arm"].isna() & ~people["status"].isin(["screen failure", "withdrawn"])
    yield count_row("flow", "screening", count=int(waiting.sum()), n=len(people), label="not yet randomised")
    left = people["arm"].isna() & (people["status"] == "withdrawn")
    if left.any():
        label = "withdrew before randomisation"
        yield count_row("flow", "withdrew_before", count=int(left.sum()), n=len(people), label=label)


def arm_rows(
    protocol: Protocol,
    snapshot: Snapshot,
    people: pd.DataFrame,
    arm: str,
    populations: Mapping[str, tuple[str, ...]],
    *,
    foreign: bool,
) -> Iterator[Row]:
    """What became of the participants of one arm."""
    n = len(people)
    yield count_row("flow", "randomised", arm, count=n, arm=arm, label=f"allocated to {protocol.arm(arm).name}")
    received = received_intervention(protocol, snapshot, people, arm)
    if received is not None:
        yield count_row(
            "flow", "received", arm, count=received, n=n, arm=arm, label="received the allocated intervention"
        )
    if not foreign:
        yield from left_rows(people, arm, "lost", "trial", protocol.discontinuation.trial, "left the trial")
        yield from left_rows(
            people,
            arm,
            "discontinued",
            "intervention",
            protocol.discontinuation.intervention,
            "stopped the intervention, still followed",
        )
    for visit in protocol.follow_up_visits:
        done = snapshot.visits[(snapshot.visits["visit"] == visit.id) & (snapshot.visits["status"] == "done")]
        count = int(done["participant"].isin(people["participant"]).sum())
        yield count_row(
            "flow", "seen", arm, visit.id, count=count, n=n, arm=arm, visit=visit.id, label="seen at the visit"
        )
    for set_id, members in populations.items():
        count = len(set(members) & set(people["participant"]))
        name = protocol.analysis_set(set_id).name
        yield count_row(
            "flow", "analysed", arm, set_id, count=count, n=n, arm=arm, population=set_id, label=f"in the {name}"
        )


def left_rows(
    people: pd.DataFrame, arm: str, step: str, scope: str, texts: Mapping[str, str], label: str
) -> Iterator[Row]:
    """Who left the trial or the intervention, in all and by reason."""
    left = people[people["withdrawal_scope"] == scope]
    yield count_row("flow", step, arm, count=len(left), n=len(people), arm=arm, label=label)
    reasons = list(left["withdrawal_reason"].dropna())
    for code in ordered(reasons, texts):
        text = texts.get(code, code)
        count = reasons.count(code)
        yield count_row("flow", step, arm, code, count=count, n=len(people), arm=arm, term=code, label=text)


def received_intervention(protocol: Protocol, snapshot: Snapshot, people: pd.DataFrame, arm: str) -> int | None:
    """How many of an arm have an infusion or a dose recorded; None where none is to be given or none is recorded."""
    given = {part.id for part in protocol.interventions if part.product is not None or part.regimen is not None}
    if given & set(protocol.arm(arm).interventions) and len(snapshot.infusions):
        return int(people["participant"].isin(set(snapshot.infusions["participant"])).sum())
    forms = [form.id for form in protocol.forms if form.domain in GIVEN_DOMAINS]
    if not forms or not given & set(protocol.arm(arm).interventions):
        return None
    known = snapshot.values[snapshot.values["form"].isin(forms) & snapshot.values["value"].notna()]
    return int(people["participant"].isin(set(known["participant"])).sum())


def ordered(found: list[str], listed_codes: Mapping[str, str]) -> list[str]:
    """The codes that occur: those of the protocol in its order, then any others by letter."""
    known = [code for code in listed_codes if code in found]
    return known + sorted(set(found) - set(known))


def flow_text(protocol: Protocol, rows: list[Row], *, foreign: bool) -> str:
    """What the counts do not say by themselves."""
    if foreign:
        return "The data begin at randomisation: who was screened, who left and why is not in them."
    texts = [
        "A person excluded by several criteria is counted under each: reasons may add up to more than those excluded"
    ]
    silent = [arm for arm in protocol.arm_ids if not any(row.id == f"flow.received.{arm}" for row in rows)]
    if silent:
        names = listed([protocol.arm(arm).name for arm in silent])
        texts.append(f"Whether the intervention was received is not recorded for {names}")
    return " ".join(sentence(text) for text in texts)


def dates(people: pd.DataFrame) -> dict[str, str]:
    """First and last randomisation (CONSORT 2025 item 23a), where known."""
    days = people["randomised_on"].dropna()
    if days.empty:
        return {}
    return {"dates": f"Participants were randomised from {min(days).isoformat()} to {max(days).isoformat()}."}
