"""Medicines beside the trial's interventions, by arm (CONSORT 2025 item 24b): who had each after randomisation.

They are the answers to items that CDASH names CMTRT. A participant counts once for each medicine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.analysis.counting import count_row
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
    """Rows `concomitant.<arm>.<medicine>.participants`, in the code list's order, then by name; first `any`."""
    asked = {name: item for name, item in protocol.items.items() if item.cdash == MEDICINE}
    if not asked:
        return Answer()
    people = snapshot.participants[snapshot.participants["arm"].notna()]
    had = _had(protocol, snapshot, set(asked))
    names = _names(protocol, had)
    rows: list[Row] = []
    for medicine, label in ((ANY, "any medicine"), *names.items()):
        for arm in protocol.arm_ids:
            members = set(people.loc[people["arm"] == arm, "participant"])
            count = len(members & {who for who, what in had if medicine in (ANY, what)})
            path = ("concomitant", arm, medicine, "participants")
            rows.append(count_row(*path, count=count, n=len(members), arm=arm, term=medicine, label=label))
    return Answer(tuple(rows), {"concomitant": TEXT})


def _had(protocol: Protocol, snapshot: Snapshot, items: set[str]) -> set[tuple[str, str]]:
    """Each randomised participant with each medicine after randomisation: a code, or a text in small letters."""
    randomised = dict(zip(snapshot.participants["participant"], snapshot.participants["randomised_on"], strict=True))
    days = {(row["participant"], row["visit"]): row["date"] for row in snapshot.visits.to_dict("records")}
    values = snapshot.values[snapshot.values["item"].isin(list(items)) & snapshot.values["value"].notna()]
    found = set()
    for row in values.to_dict("records"):
        person = row["participant"]
        day, start = days.get((person, row["visit"])), randomised.get(person)
        if day is not None and start is not None and day >= start:
            coded = protocol.items[row["item"]].codelist is not None
            text = str(row["value"]).strip()
            found.add((str(person), text if coded else text.lower()))
    return found


def _names(protocol: Protocol, had: set[tuple[str, str]]) -> dict[str, str]:
    """The medicines that were had, with what the report calls them."""
    lists = [item.codelist for item in protocol.items.values() if item.cdash == MEDICINE and item.codelist]
    known = {code: name for codelist in lists for code, name in protocol.codelists[codelist].items()}
    seen = {medicine for _, medicine in had}
    listed = {code: name for code, name in known.items() if code in seen}
    return listed | {text: text for text in sorted(seen - set(known))}
