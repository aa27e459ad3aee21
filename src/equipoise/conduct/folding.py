"""What the modules of tables share: a fold of one kind of event, and lists kept in one cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from equipoise.ledger import Event, Put

Payload = Mapping[str, Any]
Fold = Callable[[Event, Payload], Iterator[Put]]


def as_json(value: object) -> str:
    """A list or mapping as one cell."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
