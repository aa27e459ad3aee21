"""Who might serve a participant, with which bags that are in stock now, and whom nobody can serve. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from equipoise.conduct.details import moment
from equipoise.conduct.donor_tables import DONOR, PARTICIPANT
from equipoise.conduct.in_force import InForce
from equipoise.conduct.matching import MISMATCH, why_not_now
from equipoise.conduct.product_record import held_bag
from equipoise.conduct.product_tables import RELEASED
from equipoise.conduct.refusing import NotFound
from equipoise.conduct.tissue_typing import stored_person, typed_person
from equipoise.conduct.trials import Trial
from equipoise.donors import DecidingRule, Pair, Person, StockedBag, match, stock_for
from equipoise.ledger import Tables
from equipoise.protocol.interventions import Product


@dataclass(frozen=True, slots=True)
class PossibleDonor:
    """A typed donor for one participant: the rank, whether judged eligible, what the models say, and what is in stock.

    `stock` are the bags of this donor that the participant could be given now, the first to expire first.
    """

    donor: str
    rank: int
    eligible: bool | None
    pair: Pair
    stock: tuple[StockedBag, ...]

    @property
    def serves(self) -> bool:
        """Whether the donor may be matched as things stand, without a person accepting an ambiguity."""
        return _serves(self.pair, self.eligible)

    @property
    def serves_now(self) -> bool:
        """Whether the donor serves and a bag is in stock."""
        return self.serves and bool(self.stock)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A participant whom no donor of the trial can serve, and why."""

    participant: str
    why: str


def possible_donors(trial: Trial, participant: str, *, at: datetime) -> tuple[PossibleDonor, ...]:
    """Every typed donor of the trial for a participant, the best first; those not eligible follow.

    Args:
        trial: the trial.
        participant: the participant's code.
        at: now (UTC): what has expired by then is not in stock.

    Returns:
        The donors, each with its stock for the participant: bags of the products of their arm, or of any product until
        they are randomised.

    Raises:
        NotFound: when the participant is not in this trial.
        OutOfOrder: when the participant is not typed.
        NotAccepted: when the protocol names no rule, or the time has no offset.
    """
    now = moment("at", at)
    with trial.ledger.reading() as reader:
        row = reader.row("participant", participant)
        if row is None:
            raise NotFound("participant", participant, "is not in this trial", "check the code")
        in_force = trial.at_site(reader, str(row["site"]))
        rule = in_force.deciding_rule
        taker = typed_person(trial, rule, reader, PARTICIPANT, participant)
        return tuple(
            PossibleDonor(pair.donor, rank, eligible, pair, _stock(in_force, reader, participant, pair.donor, now))
            for rank, (pair, eligible) in enumerate(_ranked(trial, rule, reader, taker), start=1)
        )


def unserved(trial: Trial) -> tuple[Unserved, ...]:
    """Participants who are to be matched and whom no eligible donor serves as things stand, and why.

    Where the protocol matches at screening these are all who are in the trial; otherwise those randomised to what is
    made from a donor.

    Raises:
        NotAccepted: when the protocol names no rule.
    """
    found = []
    with trial.ledger.reading() as reader:
        for row in reader.rows("participant", failed_on=None, withdrawn_on=None):
            in_force = trial.at_site(reader, str(row["site"]))
            if why_not_now(in_force, reader, row) is None:
                why = _why_unserved(trial, in_force.deciding_rule, reader, str(row["participant"]))
                if why is not None:
                    found.append(Unserved(str(row["participant"]), why))
    return tuple(found)


def serving_donors(trial: Trial, in_force: InForce, tables: Tables, participant: str) -> int | None:
    """How many eligible donors the deciding rule lets serve a participant; None when the participant is not typed."""
    rule = in_force.deciding_rule
    taker = stored_person(trial, rule, tables, PARTICIPANT, participant)
    if taker is None:
        return None
    return sum(_serves(*judged) for judged in _ranked(trial, rule, tables, taker))


def _serves(pair: Pair, eligible: bool | None) -> bool:
    return eligible is True and pair.verdict == MISMATCH


def _ranked(trial: Trial, rule: DecidingRule, tables: Tables, taker: Person) -> list[tuple[Pair, bool | None]]:
    """Every typed donor with whether judged eligible, the best first; those not eligible follow."""
    judged = {str(row["donor"]): row["eligible"] for row in tables.rows("donor")}
    people = [stored_person(trial, rule, tables, DONOR, donor) for donor in judged]
    givers = [person for person in people if person is not None]
    if not givers:
        return []
    matrix = match(givers, [taker], rule.name, reference=trial.reference.title)
    pairs = sorted(matrix.pairs(), key=lambda pair: not judged[pair.donor])
    return [(pair, None if judged[pair.donor] is None else bool(judged[pair.donor])) for pair in pairs]


def _products_for(in_force: InForce, tables: Tables, participant: str) -> dict[str, Product]:
    products = {part.id: part for part in in_force.protocol.products}
    allocated = tables.row("allocation", participant)
    if allocated is None:
        return products
    return {id: products[id] for id in in_force.products_of(str(allocated["arm"]))}


def _stock(in_force: InForce, tables: Tables, participant: str, donor: str, now: datetime) -> tuple[StockedBag, ...]:
    products = _products_for(in_force, tables, participant)
    released = [row["lot"] for status in RELEASED for row in tables.rows("lot", donor=donor, status=status)]
    bags = [
        held_bag(tables, products[str(row["product"])], row, in_force.timezone)
        for lot in released
        for row in tables.rows("bag", lot=lot)
        if row["product"] in products
    ]
    return stock_for(participant, bags, products=products, at=now)


def _why_unserved(trial: Trial, rule: DecidingRule, tables: Tables, participant: str) -> str | None:
    taker = stored_person(trial, rule, tables, PARTICIPANT, participant)
    if taker is None:
        return "is not typed"
    possible = _ranked(trial, rule, tables, taker)
    if any(_serves(*judged) for judged in possible):
        return None
    eligible = [pair for pair, judged in possible if judged]
    if not eligible:
        return "no donor who is typed is eligible"
    return f"none of {len(eligible)} eligible donors is a mismatch by {rule.name}"
