"""What holds of every infusion, chain and number: against slow oracles and by drawn defects."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.donors import (
    Contents,
    Handover,
    balance_of,
    handover_reasons,
    judge_limits,
    links_of,
    lot_balance,
    parse_measured,
    quantities,
    trace,
)
from equipoise.donors.measured import exactly
from equipoise.protocol.rules import parse_rule

HANDS = ("pharmacist", "nurse.li", "nurse.wang")
STEPS = ("received", "issued", "handed over", "infusing", "infused", "returned", "destroyed")


#: Defects that leave nothing to ask of what others are about.
HIDING = {"no such bag", "no such course"}


def touched(kit, name):
    """What a defect changes; two that touch the same cannot both be shown to be told."""
    change, code = kit.DEFECTS[name]
    keys = {f"{part}.{key}" for part, value in change.items() if isinstance(value, dict) for key in value}
    wholes = {part for part, value in change.items() if not isinstance(value, dict)}
    course = {"course"} if code.startswith("course-") else set()
    arm = {"standing.products"} if code == "not-randomised" else set()
    ends = {"attempt.ends_at"} if code == "expires-during" else set()
    checkers = {"attempt.checked_by"} if code == "checker-released" else set()
    weight = {"attempt.weight_kg"} if code == "weight-change" else set()
    return keys | wholes | course | arm | weight | checkers | ends


@given(data=st.data())
@settings(max_examples=400)
def test_every_defect_among_several_gives_its_own_reason(kit, data):
    drawn = data.draw(st.lists(st.sampled_from(sorted(kit.DEFECTS)), min_size=1, max_size=6, unique=True))
    names = []
    for name in drawn:
        seen = set().union(*(touched(kit, other) for other in names))
        if not touched(kit, name) & seen and (not names or not HIDING & {name, *names}):
            names.append(name)
    reasons = kit.reasons_after(*(kit.DEFECTS[name][0] for name in names))
    assert {kit.DEFECTS[name][1] for name in names} <= {reason.code for reason in reasons}


@given(
    minutes=st.integers(0, 8 * 60),
    lasts=st.integers(0, 60),
    weight=st.decimals("40", "150", places=1),
    checkers=st.lists(st.sampled_from("abcdef"), min_size=2, max_size=4, unique=True),
)
def test_no_defect_gives_no_reason(kit, minutes, lasts, weight, checkers):
    start = kit.STARTED + timedelta(minutes=minutes)
    right = {
        "started_at": start,
        "ends_at": start + timedelta(minutes=lasts),
        "weight_kg": weight,
        "checked_by": tuple(checkers),
    }
    assert kit.reasons_after({"attempt": right}) == ()


@st.composite
def attempts_at_handover(draw, bag):
    """Any step in any hands, at any hour, with any volume."""
    volume = draw(st.none() | st.decimals("-5", "130", places=1))
    person = draw(st.none() | st.sampled_from(("P1", "P2", "P3")))
    return (
        bag,
        draw(st.sampled_from(STEPS)),
        draw(st.integers(0, 20)),
        draw(st.sampled_from(HANDS)),
        draw(st.sampled_from(("", *HANDS))),
        volume,
        person,
    )


def folded(kit, bag, tries):
    """The steps that the rules let pass, and the balance after each."""
    chain, balances = [], []
    for bag_id, step, hour, giver, receiver, volume, person in tries:
        course = "C1" if person else None
        at = kit.RECEIVED + timedelta(hours=hour)
        new = Handover(bag_id, step, at, giver, receiver, "ward", None, volume, person, course)
        if not handover_reasons(bag, chain, new):
            chain.append(new)
        balances.append(balance_of(bag, chain))
    return chain, balances


@given(data=st.data())
@settings(max_examples=300)
def test_a_balance_is_never_negative_and_a_bag_is_given_once(kit, data):
    tries = [("B1", "received", 0, "pharmacist", "nurse.li", None, None)]
    tries += data.draw(st.lists(attempts_at_handover("B1"), max_size=25))
    chain, balances = folded(kit, kit.BAG, tries)
    assert all(0 <= balance.left_ml <= balance.received_ml for balance in balances)
    assert sum(one.step == "infusing" for one in chain) <= 1
    assert [one.at for one in chain] == sorted(one.at for one in chain)
    assert all(later.giver == (earlier.receiver or earlier.giver) for earlier, later in pairwise(chain))


@given(data=st.data())
@settings(max_examples=200)
def test_traces_forwards_and_backwards_agree(kit, data):
    lots, chains = [], {}
    for number in range(data.draw(st.integers(1, 4))):
        bags = tuple(replace(kit.BAG, id=f"B{number}.{place}") for place in range(data.draw(st.integers(1, 3))))
        donor = data.draw(st.sampled_from(("D1", "D2")))
        lots.append(replace(kit.LOT, id=f"L{number}", donor=donor, bags=bags))
        for bag in bags:
            to = data.draw(st.sampled_from(("P1", "P2", "P3")))
            length = data.draw(st.integers(0, 4))
            usual = [
                (bag.id, "received", 0, "pharmacist", "pharmacist", None, None),
                (bag.id, "issued", 1, "pharmacist", "nurse.li", None, to),
                (bag.id, "infusing", 2, "nurse.li", "", None, None),
                (bag.id, "infused", 3, "nurse.li", "", Decimal(50), None),
            ]
            chains[bag.id], _ = folded(kit, bag, usual[:length])
            assert len(chains[bag.id]) == length
    links = links_of(lots, chains)
    assert len(links) == sum(len(lot.bags) for lot in lots)
    for donor in ("D1", "D2"):
        for participant in ("P1", "P2", "P3"):
            forwards = participant in trace(links, donor=donor).participants
            backwards = donor in trace(links, participant=participant).donors
            assert forwards == backwards
    for lot in lots:
        balance = lot_balance(lot, chains)
        assert balance.difference == sum(not chains[bag.id] for bag in lot.bags)
        assert 0 <= balance.left_ml <= 100 * balance.made


NUMBERS = st.decimals("0", "1000", places=2)


@given(
    cells=st.decimals("1", "1e10", places=0),
    volume=st.decimals("1", "500", places=1),
    cd3=st.decimals("0", "100", places=2),
    endotoxin=st.decimals("0", "50", places=3),
    weight=st.decimals("30", "200", places=1),
    share=st.fractions(0, 1, max_denominator=20),
)
def test_quantities_are_those_of_exact_fractions(kit, cells, volume, cd3, endotoxin, weight, share):
    bag = replace(kit.BAG, cells=cells, volume_ml=volume)
    given_ml = volume * share.numerator / share.denominator
    contents = Contents(exactly(Decimal(90)), exactly(Decimal(95)), exactly(cd3), exactly(endotoxin))
    dose = quantities(bag, contents, weight_kg=weight, volume_given_ml=given_ml)
    part = Fraction(cells) * Fraction(given_ml) / Fraction(volume)
    for found, exact in (
        (dose.viable_nk.exact, part * 90 * 95 / 10_000),
        (dose.cd3_per_kg.exact, part * Fraction(cd3) / 100 / Fraction(weight)),
        (dose.endotoxin_per_kg.exact, Fraction(given_ml) * Fraction(endotoxin) / Fraction(weight)),
    ):
        assert abs(Fraction(found) - exact) <= exact / 10**60


@given(cd3=st.decimals("0", "100", places=3), weight=st.decimals("30", "200", places=1))
def test_a_limit_is_judged_as_by_exact_fractions(kit, cd3, weight):
    dose = quantities(kit.BAG, Contents(cd3=exactly(cd3)), weight_kg=weight)
    within = Fraction(kit.BAG.cells) * Fraction(cd3) / 100 / Fraction(weight) <= 200_000
    verdict = {one.limit: one.verdict for one in judge_limits(kit.PRODUCT, dose)}["cd3_kg"]
    assert verdict == ("passes" if within else "fails")


@given(
    sign=st.sampled_from(("<", "<=", ">", ">=")),
    bound=st.integers(1, 12),
    rule=st.recursive(
        st.builds("value {} {}".format, st.sampled_from(("<", "<=", ">", ">=", "==", "!=")), st.integers(0, 12)),
        lambda inner: (
            st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner)
            | st.builds("not ({})".format, inner)
        ),
        max_leaves=4,
    ),
)
@settings(max_examples=300)
def test_a_bound_meets_a_rule_only_if_every_number_within_does(kit, sign, bound, rule):
    within = {
        "<": lambda number: number < bound,
        "<=": lambda number: number <= bound,
        ">": lambda number: number > bound,
        ">=": lambda number: number >= bound,
    }[sign]
    # Limits are whole numbers from 0 to 12, so every half from 0 to 20 shows all that a rule of them can say.
    halves = [Decimal(number) / 2 for number in range(41)]
    parsed = parse_rule(rule)
    answers = {parsed.evaluate({"value": half}) for half in halves if within(half)}
    expected = answers.pop() if len(answers) == 1 else None
    assert parse_measured(f"{sign} {bound}", "result").meets(parsed) is expected
