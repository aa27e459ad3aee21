"""What participants answered to items that are known by their name in CDASH or their id, and how a reader sees it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from equipoise.protocol.document import Protocol
from equipoise.protocol.forms import Item

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


def chosen(item: Item, value: str) -> tuple[str, ...]:
    """The codes or the text that an answer holds: several where several may be chosen."""
    return tuple(json.loads(value)) if item.type == "many" else (value.strip(),)


def told(protocol: Protocol, item: Item, value: str) -> tuple[str, ...]:
    """An answer as a reader sees it: each code by its name in the item's code list."""
    names = protocol.codelists.get(item.codelist or "", {})
    return tuple(names.get(each, each) for each in chosen(item, value))
