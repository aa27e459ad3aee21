"""Where the trial stands against each stopping rule, and where it stood after each event that bears on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from equipoise.analysis.counting import count_row, share_row
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.analysis.words import counted
from equipoise.protocol.document import Protocol
from equipoise.protocol.safety import StoppingRule

if TYPE_CHECKING:
    import pandas as pd

    from equipoise.conduct.snapshots import Snapshot


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `stopping.<rule>.treated|events|boundary|share` as it stands, and `stopping.<rule>.at.<k>.…` on the way."""
    if not protocol.stopping_rules or snapshot.source != "ledger":
        return Answer()
    rows: list[Row] = []
    sentences: dict[str, str] = {}
    for rule in protocol.stopping_rules:
        path = snapshot.stopping[snapshot.stopping["rule"] == rule.id].sort_values("position")
        rows.extend(rule_rows(rule, path))
        sentences[f"stopping.{rule.id}"] = standing_text(protocol, rule, path)
    return Answer(tuple(rows), sentences)


def rule_rows(rule: StoppingRule, path: pd.DataFrame) -> Iterator[Row]:
    """The rows of one rule; none before anything bore on it."""
    steps = path.to_dict("records")
    for place, step in enumerate(steps, start=1):
        yield from step_rows(
            ("stopping", rule.id, "at", str(place)), rule, step["treated"], step["events"], step["boundary"]
        )
    if steps:
        last = steps[-1]
        treated, events = int(last["treated"]), int(last["events"])
        yield from step_rows(("stopping", rule.id), rule, treated, events, last["boundary"])
        if treated and events <= treated:
            yield share_row(
                "stopping",
                rule.id,
                count=events,
                n=treated,
                term=rule.id,
                arm=rule.arm,
                label="with the event, of those treated",
            )


def step_rows(
    path: tuple[str, ...], rule: StoppingRule, treated: int, events: int, boundary: float | None
) -> Iterator[Row]:
    """Where the rule stood at one moment; no row for a boundary that cannot be reached there."""
    columns: dict[str, Any] = {"term": rule.id, "arm": rule.arm}
    yield count_row(*path, "treated", count=int(treated), label="treated", **columns)
    yield count_row(*path, "events", count=int(events), n=int(treated), label="with the event", **columns)
    if boundary is not None and boundary == boundary:
        yield count_row(*path, "boundary", count=int(boundary), n=int(treated), label="stops the trial", **columns)


def standing_text(protocol: Protocol, rule: StoppingRule, path: pd.DataFrame) -> str:
    """Whether the boundary is reached, in a sentence."""
    arm = protocol.arm(rule.arm).name
    if path.empty:
        return f"Nothing recorded bears on the rule for {arm} yet."
    if path["crossed"].astype(bool).any():
        return f"The boundary for {arm} was reached: by the rule the trial stops until its committee has decided."
    number = counted(int(path["treated"].iloc[-1]), "participant")
    return f"The boundary for {arm} was not reached with {number} treated. That is not to say that the risk is low."
