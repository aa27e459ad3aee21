"""The reference list: the works that the sentences of the results name by author and year."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import resources


def references(texts: Iterable[str]) -> tuple[str, ...]:
    """The works that the texts name, and those that every report rests on, by author."""
    said = "\n".join(texts)
    known = json.loads((resources.files("equipoise.report") / "references.json").read_text(encoding="utf-8"))
    named = [work["reference"] for work in known["named"] if any(name in said for name in work["names"])]
    return tuple(sorted([*known["always"], *named]))
