"""Tables of donors and product: where each stands, what was given of the plan, who received what from whom.

Donors and participants are codes.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from equipoise.analysis.donation import BAG_STATES, LOT_STATES, VERDICTS
from equipoise.analysis.results import Results
from equipoise.protocol.document import Protocol
from equipoise.report.lookup import DASH, Lookup
from equipoise.report.numbers import NARROW_SPACE
from equipoise.report.tables.model import Body, Head, Row, Table
from equipoise.report.words import recorded

if TYPE_CHECKING:
    from equipoise.conduct.snapshots import Snapshot

MILLION = 1e6
SUMMARIES = {
    "viable_nk": ("Viable NK cells given, 10⁶", 0),
    "dose_share": ("Share of the planned dose", 2),
    "cd3_per_kg": ("CD3+ cells given, 10³/kg", 1),
    "endotoxin_per_kg": ("Endotoxin given, EU/kg", 2),
}
COUNTS = {
    "given": "Infusions started",
    "completed": "Completed",
    "in_window": "In their window",
    "within": "Dose within the allowed deviation",
    "missed": "Recorded as missed",
}
CONDITIONAL = (
    "A lot may be given once it is released conditionally, which the protocol allows while named results take longer "
    "than the product lives; its final release follows them, and may then be later than its expiry."
)
CODES_ONLY = "Donors are shown by their codes; who they are is not in this record."


def sources_table(results: Results) -> Table | None:
    """How many donors, pairs, lots and bags there are and how they stand; None where the protocol has no product."""
    if results.maybe("donors.registered") is None:
        return None
    lookup = Lookup(results)

    def counted(first: str, *ids: tuple[str, str]) -> tuple[Row, ...]:
        all_of = Row(first, (lookup.number(ids[0][0]),), strong=True)
        return (all_of, *(Row(text, (lookup.share(results.row(id)),), indented=True) for id, text in ids[1:]))

    donors = counted(
        "Donors registered",
        ("donors.registered", ""),
        ("donors.typed", "typed"),
        ("donors.eligible", "eligible"),
        ("donors.served", "whose product was given"),
    )
    verdicts = ((f"matches.verdict.{verdict}", verdict.replace("-", " ")) for verdict in VERDICTS)
    pairs = counted("Pairs of participant and donor matched", ("matches.pairs", ""), *verdicts)
    people = counted(
        "Participants matched",
        ("matches.participants", ""),
        ("matches.participants.mismatch", "with a mismatched donor"),
    )
    lots = counted("Lots received", ("lots.in_all", ""), *((f"lots.{state}", state) for state in LOT_STATES))
    bags = counted("Bags received", ("bags.in_all", ""), *((f"bags.{state}", _bag(state)) for state in BAG_STATES))
    return Table(
        "table-sources",
        "Donors, matches, lots and bags",
        ((Head("", numeric=False), Head("n/N")),),
        (Body(donors), Body((*pairs, *people)), Body(lots), Body(bags)),
    )


def _bag(state: str) -> str:
    return "not issued yet" if state == "received" else state


def donors_table(snapshot: Snapshot, results: Results) -> Table | None:
    """Every donor by code, with what decides; None where there is none."""
    if snapshot.donors.empty:
        return None
    lookup = Lookup(results)
    rows = tuple(
        Row(
            str(donor["donor"]),
            (
                {True: "eligible", False: "not eligible"}.get(donor["eligible"], "not judged yet"),
                recorded(donor["hla"]),
                recorded(donor["ligands"]),
                recorded(donor["kir"]),
                recorded(donor["b_content"]),
                *(lookup.number(f"donors.of.{donor['donor']}.{name}") for name in ("lots", "infusions", "recipients")),
            ),
        )
        for donor in snapshot.donors.to_dict("records")
    )
    texts = ("Stands", "HLA", "Ligands", "KIR genes", "B-content")
    return Table(
        "table-donors",
        "Donors, by code",
        (
            (
                Head("Donor", numeric=False),
                *(Head(text, numeric=False) for text in texts),
                *(Head(text) for text in ("Lots", "Infusions", "Recipients")),
            ),
        ),
        (Body(rows),),
        notes=(CODES_ONLY,),
        wordy=frozenset({1, 3}),
        listing=True,
    )


def lots_table(snapshot: Snapshot) -> Table | None:
    """Every lot with its release and the tests that it did not pass, by the trial's clock; None where there is none."""
    if snapshot.lots.empty:
        return None
    results = snapshot.lot_results
    clock = ZoneInfo(snapshot.protocol.conventions.timezone)
    rows = []
    for lot in snapshot.lots.to_dict("records"):
        own = results[results["lot"] == lot["lot"]].to_dict("records")
        failed = [each for each in own if each["passes"] is False]
        rows.append(
            Row(
                str(lot["lot"]),
                (
                    recorded(lot["donor"]),
                    _minute(lot["received_at"], clock),
                    recorded(lot["status"]),
                    _release(lot, "conditionally_released", clock),
                    _release(lot, "released", clock),
                    _minute(lot["expires_at"], clock),
                    recorded(lot["bags"]),
                    f"{len(own) - len(failed)} of {len(own)}" if own else "none yet",
                    "; ".join(_test_text(each) for each in failed) or "none",
                ),
            )
        )
    texts = (
        "Donor",
        "Received",
        "Stands",
        "Released conditionally",
        "Released",
        "Expires",
        "Bags",
        "Results passed",
        "Not passed",
    )
    return Table(
        "table-lots",
        f"Lots and their release; times are those of {snapshot.protocol.conventions.timezone}",
        ((Head("Lot", numeric=False), *(Head(text, numeric=text == "Bags") for text in texts)),),
        (Body(tuple(rows)),),
        notes=() if snapshot.lots["conditionally_released_at"].isna().all() else (CONDITIONAL,),
        wordy=frozenset({8}),
        listing=True,
    )


def _release(lot: Mapping[Hashable, Any], how: str, clock: tzinfo) -> str:
    """When and by whom a lot was released, in one way or the other."""
    at = _minute(lot[f"{how}_at"], clock)
    return at if at == DASH else f"{at}, {recorded(lot[f'{how}_by'])}"


def _test_text(result: Mapping[Hashable, Any]) -> str:
    unit = f"{NARROW_SPACE}{result['unit']}" if result["unit"] else ""
    return f"{result['test']} {result['value']}{unit}"


def exposure_table(protocol: Protocol, results: Results) -> Table | None:
    """Infusions and dose by course, in each arm that is given courses; None where no arm is."""
    lookup = Lookup(results)
    bodies, courses = [], [course.id for regimen in protocol.regimens for course in regimen.courses]
    for arm in protocol.arms:
        before = f"exposure.{arm.id}"
        if results.maybe(f"{before}.participants") is None:
            continue
        rows = [
            Row(text, tuple(lookup.share_or_dash(f"{before}.{course}.{name}") for course in courses))
            for name, text in COUNTS.items()
        ]
        for name, text in (("lots", "Lots used"), ("donors", "Donors used")):
            rows.append(Row(text, tuple(_count(lookup, f"{before}.{course}.{name}") for course in courses)))
        for name, (text, places) in SUMMARIES.items():
            cells = tuple(lookup.median_range(f"{before}.{course}.{name}", places) for course in courses)
            rows.append(Row(f"{text}: median (lowest to highest)", cells))
        bodies.append(Body(tuple(rows), arm.name))
    if not bodies:
        return None
    return Table(
        "table-exposure",
        "What was given, by course",
        ((Head("", numeric=False), *(Head(course) for course in courses)),),
        tuple(bodies),
        notes=_totals(protocol, lookup),
    )


def _totals(protocol: Protocol, lookup: Lookup) -> tuple[str, ...]:
    notes: list[str] = []
    for arm in protocol.arms:
        before = f"exposure.{arm.id}"
        people = lookup.results.maybe(f"{before}.participants")
        if people is not None:
            courses = lookup.share(lookup.results.row(f"{before}.courses"))
            text = Markup("{}: {} participants were infused; {} courses planned for all randomised were started.")
            notes.append(text.format(arm.name, lookup.share(people), courses))
    refused = lookup.number("exposure.refusals")
    return (*notes, Markup("Attempts to start an infusion that were refused: {}.").format(refused))


def _count(lookup: Lookup, id: str) -> str:
    row = lookup.results.maybe(id)
    return DASH if row is None else lookup.of(row)


def infusions_table(protocol: Protocol, snapshot: Snapshot) -> Table | None:
    """Who received what from whom: every infusion; None where none was started."""
    if snapshot.infusions.empty:
        return None
    rows = tuple(
        Row(
            str(given["participant"]),
            (
                recorded(given["course"]),
                recorded(given["on"]),
                recorded(given["day"]),
                recorded(given["donor"]),
                recorded(given["lot"]),
                recorded(given["bag"]),
                _scaled(given["viable_nk"], MILLION, 0),
                _scaled(given["dose_share"], 1.0, 2),
                {True: "yes", False: f"no, {recorded(given['stop_reason'])}"}.get(given["completed"], DASH),
                {True: "yes", False: "no"}.get(given["in_window"], DASH),
            ),
        )
        for given in snapshot.infusions.sort_values(["participant", "on"], kind="stable").to_dict("records")
    )
    texts = ("Course", "Date", "Day", "Donor", "Lot", "Bag", "Viable NK, 10⁶", "Of the plan", "Completed", "In window")
    numeric = ("Day", "Viable NK, 10⁶", "Of the plan")
    return Table(
        "table-infusions",
        "Every infusion: who received what from whom",
        ((Head("Participant", numeric=False), *(Head(text, numeric=text in numeric) for text in texts)),),
        (Body(rows),),
        notes=(CODES_ONLY,),
        wordy=frozenset({texts.index("Completed")}),
        listing=True,
    )


def missed_table(snapshot: Snapshot) -> Table | None:
    """Every course recorded as missed, with its cause."""
    if snapshot.missed_courses.empty:
        return None
    rows = tuple(
        Row(str(each["participant"]), (recorded(each["course"]), recorded(each["on"]), recorded(each["cause"])))
        for each in snapshot.missed_courses.to_dict("records")
    )
    heads = tuple(Head(text, numeric=False) for text in ("Participant", "Course", "Date", "Why"))
    return Table(
        "table-missed-courses", "Courses not given", (heads,), (Body(rows),), wordy=frozenset({2}), listing=True
    )


def _scaled(value: float | None, per: float, places: int) -> str:
    return DASH if value is None else f"{value / per:.{places}f}"


def _minute(moment: Any, clock: tzinfo) -> str:
    return DASH if moment is None or moment != moment else f"{moment.astimezone(clock):%Y-%m-%d %H:%M}"
