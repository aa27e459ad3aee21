"""What a check says about an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from equipoise.refusals import shown

Severity = Literal["hard", "soft"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault (hard) or a doubt (soft) about one item.

    Attributes:
        item: the item as `form.item`.
        check: what found it: a built-in check (`type`, `range`, `required`, ...) or an edit check's id.
        severity: hard refuses the form; soft asks for a comment.
        value: the answer as it was given, or None when there is none.
        message: what is wrong, without a full stop.
        remedy: what to do, without a full stop.
    """

    item: str
    check: str
    severity: Severity
    value: str | None
    message: str
    remedy: str

    @property
    def key(self) -> tuple[str, str]:
        """Item and check: two findings with the same key are the same doubt."""
        return (self.item, self.check)

    def __str__(self) -> str:
        """One line: `form.item = value: message; remedy`."""
        subject = self.item if self.value is None else f"{self.item} = {shown(self.value)}"
        return f"{subject}: {self.message}; {self.remedy}"
