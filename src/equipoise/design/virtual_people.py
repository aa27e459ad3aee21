"""Draw the people of a rehearsal: who comes, who fails screening and why, what each form would say.

Values are text, as a person types them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import numpy as np

from equipoise.design.virtual_outcomes import OutcomeDraw, draw_deviations, draw_outcomes

if TYPE_CHECKING:
    from equipoise.protocol import Protocol
    from equipoise.protocol.forms import Item
    from equipoise.protocol.rehearsal import Choice, Rehearsal, ScreenFailure


@dataclass(frozen=True, slots=True)
class VirtualPerson:
    """One candidate, with everything about it that does not depend on the arm.

    Args:
        failure: why it fails screening; None when it is eligible.
        answers: items that the person brings along, by `form.item`.
        outcome: multipliers of the outcome means.
        deviations: by measurement item, then visit.
    """

    number: int
    failure: ScreenFailure | None
    answers: Mapping[str, str]
    outcome: OutcomeDraw
    deviations: Mapping[str, Mapping[str, float]]

    @property
    def declines(self) -> bool:
        """Whether the person declines consent."""
        return self.failure is not None and self.failure.code is not None


def draw_person(protocol: Protocol, plan: Rehearsal, number: int, rng: np.random.Generator) -> VirtualPerson:
    """Draw candidate `number` from its own generator."""
    failure = None
    if rng.random() < float(plan.screen_failure):
        failure = plan.failures[_pick([float(reason.share) for reason in plan.failures], rng)]
    answers = {choice.item: _chosen(choice, protocol.items[choice.item], rng) for choice in plan.people}
    answers |= {name: _spread(text, rng) for name, text in plan.usual.items() if name not in answers}
    outcome = draw_outcomes(protocol, plan.outcomes, rng)
    answers |= {name: str(round(value)) for name, value in outcome.screening.items()}
    if failure is not None:
        answers |= {name: _spread(text, rng) for name, text in failure.set.items()}
    visits = [visit.id for visit in protocol.visits]
    deviations = {part.item: draw_deviations(part, visits, rng) for part in plan.measurements}
    return VirtualPerson(number, failure, answers, outcome, deviations)


def _pick(shares: list[float], rng: np.random.Generator) -> int:
    return int(rng.choice(len(shares), p=np.array(shares) / sum(shares)))


def _chosen(choice: Choice, item: Item, rng: np.random.Generator) -> str:
    if choice.shares:
        return list(choice.shares)[_pick([float(share) for share in choice.shares.values()], rng)]
    assert choice.mean is not None
    assert choice.sd is not None
    value = rng.normal(float(choice.mean), float(choice.sd))
    low = -np.inf if choice.min is None else float(choice.min)
    high = np.inf if choice.max is None else float(choice.max)
    return as_typed(item, float(np.clip(value, low, high)))


def _spread(text: str, rng: np.random.Generator) -> str:
    """`48..74` as a whole number between the two; any other text as it is."""
    low, dots, high = text.partition("..")
    return str(rng.integers(int(low), int(high) + 1)) if dots else text


def as_typed(item: Item, value: float) -> str:
    """A number with the decimal places that the form asks for."""
    places = 0 if item.type == "integer" else item.places or 0
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN))


def answer_on(item: Item, text: str, day: date) -> str:
    """What a person types: for a date the days from the visit become a date."""
    return (day + timedelta(days=int(text))).isoformat() if item.type == "date" else text


def mistyped(text: str, rng: np.random.Generator) -> str | None:
    """A number as tired fingers type it: two neighbouring digits exchanged; None when that changes nothing."""
    places = [i for i in range(len(text) - 1) if text[i].isdigit() and text[i + 1].isdigit() and text[i] != text[i + 1]]
    if not places:
        return None
    place = int(rng.choice(places))
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return None if swapped.startswith("0") else swapped
