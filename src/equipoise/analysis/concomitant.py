"""Medicines beside the trial's interventions, by arm (CONSORT 2025 item 24b): who had each after randomisation.

They are the answers to items that CDASH names CMTRT. A participant counts once for each medicine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from equipoise.analysis.counting import count_row, free
from equipoise.analysis.first_answers import told
from equipoise.analysis.questions import Answer
from equipoise.analysis.results import Row
from equipoise.protocol.document import Protocol

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

MEDICINE = "CMTRT"  # a name of CDASH
ANY = "any"
TEXT = (
    "Medicines recorded at visits after randomisation in all participants randomised, beside the trial's "
    "interventions. A participant counts once for each. What was not recorded is not known."
)


def answer(protocol: Protocol, snapshot: Snapshot) -> Answer:
    """Rows `concomitant.<arm>.any.participants`, then of each medicine in the code lists' order, then by name.

    A medicine goes by its name in small letters; one called as the first row is has a mark behind it.
    """
    if not any(item.cdash == MEDICINE for item in protocol.items.values()):
        return Answer()
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    had = _had(protocol, snapshot)
    names = {what: text for _, what, text in had}
    order = [name.lower() for codelist in _lists(protocol) for name in codelist.values()]
    listed = sorted(names, key=lambda what: (order.index(what) if what in order else len(order), what))
    rows: list[Row] = []
    for medicine, label in ((None, "any medicine"), *((what, names[what]) for what in listed)):
        step = ANY if medicine is None else free(medicine, {ANY})
        for arm in protocol.arm_ids:
            members = set(people.loc[people["arm"] == arm, "participant"])
            count = len(members & {who for who, what, _ in had if medicine in (None, what)})
            path = ("concomitant", arm, step, "participants")
            rows.append(count_row(*path, count=count, n=len(members), arm=arm, term=step, label=label))
    return Answer(tuple(rows), {"concomitant": TEXT})


def _lists(protocol: Protocol) -> list[Mapping[str, str]]:
    asked = (item for item in protocol.items.values() if item.cdash == MEDICINE and item.codelist)
    return [protocol.codelists[str(item.codelist)] for item in asked]


def _had(protocol: Protocol, snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """Each participant with each medicine at a visit after randomisation: in small letters, and as it is called."""
    randomised = dict(zip(snapshot.participants["participant"], snapshot.participants["randomised_on"], strict=True))
    days = {(row["participant"], row["visit"]): row["date"] for row in snapshot.visits.to_dict("records")}
    asked = {name: item for name, item in protocol.items.items() if item.cdash == MEDICINE}
    values = snapshot.values[snapshot.values["item"].isin(list(asked)) & snapshot.values["value"].notna()]
    found = []
    for row in values.to_dict("records"):
        person, item = row["participant"], asked[row["item"]]
        day, start = days.get((person, row["visit"])), randomised.get(person)
        if day is not None and start is not None and day >= start:
            for text in told(protocol, item, str(row["value"])):
                found.append((str(person), text.lower(), text if item.codelist else text.lower()))
    return found
