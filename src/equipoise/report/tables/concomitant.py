"""The table of medicines beside the trial's interventions."""

from __future__ import annotations

from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import Lookup
from equipoise.report.tables.model import Body, Head, Row, Table


def concomitant_table(protocol: Protocol, results: Results) -> Table | None:
    """Participants with each medicine by arm; None where none is asked for."""
    lookup = Lookup(results)
    own = results.find(analysis="concomitant", arm=protocol.arm_ids[0])
    if not own:
        return None
    rows = tuple(
        Row(
            each.label or "",
            tuple(lookup.share(results.row(f"concomitant.{arm}.{each.term}.participants")) for arm in protocol.arm_ids),
            strong=place == 0,
        )
        for place, each in enumerate(own)
    )
    return Table(
        "table-concomitant",
        "Medicines beside the trial’s interventions: participants with each after randomisation",
        ((Head("Medicine", numeric=False), *(Head(f"{arm.name}, n/N") for arm in protocol.arms)),),
        (Body(rows),),
    )
