"""Which arm is compared with which: the test arm less the reference arm, as the estimand says."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.protocol.document import Protocol
from equipoise.protocol.plan import Analysis


@dataclass(frozen=True, slots=True)
class Contrast:
    """A comparison of two arms, by their ids; estimates are test less reference."""

    test: str
    reference: str

    @property
    def arms(self) -> tuple[str, str]:
        """Both arms, the test arm first."""
        return (self.test, self.reference)

    @property
    def name(self) -> str:
        """The contrast within an id: `NKART-ART`."""
        return f"{self.test}-{self.reference}"


def contrasts_of(protocol: Protocol, estimand_id: str | None) -> tuple[Contrast, ...]:
    """The comparisons that an estimand asks for.

    Without an estimand the last arm of the file is the reference and each other arm is compared with it, in order.
    """
    for estimand in protocol.estimands:
        if estimand.id == estimand_id:
            return (Contrast(estimand.treatments.test, estimand.treatments.reference),)
    *tests, reference = protocol.arm_ids
    return tuple(Contrast(test, reference) for test in tests)


def contrasts_of_analysis(protocol: Protocol, analysis: Analysis) -> tuple[Contrast, ...]:
    """The comparisons of an analysis: its estimand's, or the one estimand's of the same outcome, or by arms order."""
    if analysis.estimand is not None:
        return contrasts_of(protocol, analysis.estimand)
    same = [estimand.id for estimand in protocol.estimands if estimand.variable == analysis.outcome]
    return contrasts_of(protocol, same[0] if len(same) == 1 else None)


def overall_contrasts(protocol: Protocol) -> tuple[Contrast, ...]:
    """The comparisons for harms, which belong to no estimand: the first estimand's, or by arms order."""
    return contrasts_of(protocol, protocol.estimands[0].id if protocol.estimands else None)
