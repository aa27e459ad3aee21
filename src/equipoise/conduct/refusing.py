"""What the acts refuse. Each text names the field, the value and what to do; none names an arm."""

from collections.abc import Sequence

from equipoise.capture import Finding
from equipoise.donors import Reason
from equipoise.refusals import Refusal


class NotPermitted(Refusal):
    """An act that the person's role may not do."""


class NotFound(Refusal):
    """A participant, visit, form, item or number that is not there, or not for this person's site."""


class OutOfOrder(Refusal):
    """An act before what must come first, or after what ends it."""


class NotAccepted(Refusal):
    """A date, code or other detail that the protocol or the facts do not allow."""


class Locked(Refusal):
    """An act on a locked trial."""


class FormRefused(Refusal):
    """A form with faults, or with doubts that nobody has commented on.

    Args:
        form: visit and form, as `m1.blood`.
        findings: each fault and each doubt without a comment.
    """

    def __init__(self, form: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("form", form, listed(self.findings), "nothing was recorded; mend these and send it again")


class NotEligible(Refusal):
    """A participant who does not meet the criteria, or of whom it is not known."""


class Against(Refusal):
    """An act on product that rules speak against: every reason, not the first alone.

    Args:
        field: what it is about, such as `bag`.
        value: its code.
        reasons: those against.
    """

    def __init__(self, field: str, value: str, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(field, value, listed(self.reasons), "nothing was recorded; mend these and do it again")


class InfusionRefused(Refusal):
    """An infusion that must not start; the attempt and its reasons are recorded, nothing is recorded as given."""

    def __init__(self, bag: str, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("bag", bag, listed(self.reasons), "do not infuse; the attempt is recorded with these reasons")


class StillOpen(Refusal):
    """A lock while there is work left; `open_items` lists it."""

    def __init__(self, open_items: Sequence[object]) -> None:
        self.open_items = tuple(open_items)
        problem = f"{len(self.open_items)} open: {listed(self.open_items)}"
        super().__init__("lock", None, problem, "close them, or lock with accept_open and say why in the reason")


def listed(parts: Sequence[object]) -> str:
    """The parts on one line, each in brackets."""
    return " ".join(f"[{part}]" for part in parts)
