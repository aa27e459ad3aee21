"""What participants answered first to an item that is known by its name in CDASH or its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

SEX = "SEX"  # a name of CDASH


def first_answers(
    protocol: Protocol, snapshot: Snapshot, *, cdash: str | None = None, id: str | None = None
) -> dict[str, str]:
    """The first answer of each participant to an item of this name."""
    items = [name for name, item in protocol.items.items() if (cdash and item.cdash == cdash) or (id and item.id == id)]
    found = snapshot.values[snapshot.values["item"].isin(items) & snapshot.values["value"].notna()]
    return {str(row["participant"]): str(row["value"]) for row in reversed(found.to_dict("records"))}
