"""From a donor to everybody who received the product, and from a participant back to donors, in one query."""

from __future__ import annotations

from equipoise.conduct.donating import donor_row
from equipoise.conduct.product_record import chain_of, lot_of
from equipoise.conduct.refusing import NotFound
from equipoise.conduct.trials import Trial
from equipoise.donors import Link, Trace, links_of, trace
from equipoise.ledger import Tables


def trace_donor(trial: Trial, donor: str) -> Trace:
    """Every lot and bag of a donor, where each is, and who received it.

    Raises:
        NotFound: when there is no such donor.
    """
    with trial.ledger.reading() as reader:
        donor_row(reader, donor)
        return trace(_links(trial, reader), donor=donor)


def trace_participant(trial: Trial, participant: str) -> Trace:
    """Every bag that a participant received, and of which lots and donors they are.

    Raises:
        NotFound: when the participant is not in this trial.
    """
    with trial.ledger.reading() as reader:
        if reader.row("participant", participant) is None:
            raise NotFound("participant", participant, "is not in this trial", "check the code")
        return trace(_links(trial, reader), participant=participant)


def _links(trial: Trial, tables: Tables) -> tuple[Link, ...]:
    zone = trial.newest(tables).timezone
    lots = [lot_of(tables, row, zone) for row in tables.rows("lot")]
    return links_of(lots, {bag.id: chain_of(tables, bag.id) for lot in lots for bag in lot.bags})
