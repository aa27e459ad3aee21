"""The boxes of the flow diagram, taken from the results: every count is of events, none is typed."""

from __future__ import annotations

from equipoise.analysis.results import Results, Row
from equipoise.analysis.words import sentence
from equipoise.protocol.document import Protocol
from equipoise.report.flow_diagram import ArmFlow, Count, Flow


def flow_of(protocol: Protocol, results: Results) -> Flow:
    """The flow; boxes before randomisation are empty where the data begin there."""
    return Flow(
        screened=_one(results, "flow.screened", "Assessed for eligibility"),
        excluded=_before(results),
        randomised=_one(results, "flow.randomised", "Randomised"),
        arms=tuple(_arm(protocol, results, arm) for arm in protocol.arm_ids),
    )


def _one(results: Results, id: str, text: str, *, indented: bool = False) -> tuple[Count, ...]:
    row = results.maybe(id)
    return () if row is None else (_count(row, text, indented=indented),)


def _count(row: Row, text: str, *, indented: bool = False) -> Count:
    assert row.estimate is not None
    return Count(text, int(row.estimate), row.id, indented)


def _before(results: Results) -> tuple[Count, ...]:
    """Those not randomised: excluded by reason, withdrawn, still in screening."""
    counts = [*_one(results, "flow.excluded", "Excluded"), *_reasons(results, "flow.excluded.")]
    for id, text in (
        ("flow.withdrew_before", "Withdrew before randomisation"),
        ("flow.screening", "Not yet randomised"),
    ):
        counts += [count for count in _one(results, id, text) if count.n]
    return tuple(counts)


def _reasons(results: Results, prefix: str) -> list[Count]:
    return [
        _count(row, sentence(row.label or row.id).removesuffix("."), indented=True)
        for row in results.find(analysis="flow")
        if row.id.startswith(prefix) and row.term is not None
    ]


def _arm(protocol: Protocol, results: Results, arm: str) -> ArmFlow:
    allocated = [
        *_one(results, f"flow.randomised.{arm}", f"Allocated to {protocol.arm(arm).name}"),
        *_one(results, f"flow.received.{arm}", "Received the allocated intervention", indented=True),
    ]
    lost = [
        *_one(results, f"flow.lost.{arm}", "Left the trial"),
        *_reasons(results, f"flow.lost.{arm}."),
        *(count for count in _one(results, f"flow.discontinued.{arm}", "Stopped the intervention") if count.n),
        *_reasons(results, f"flow.discontinued.{arm}."),
    ]
    last = protocol.visits[-1]
    seen = _one(results, f"flow.seen.{arm}.{last.id}", f"Seen at {last.name}")
    analysed = [
        _count(row, protocol.analysis_set(row.population or "").name, indented=True)
        for row in results.find(analysis="flow", arm=arm)
        if row.population is not None
    ]
    return ArmFlow(tuple(allocated), (*lost, *seen), (Count("Analysed"), *analysed))
