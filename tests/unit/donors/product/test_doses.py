"""Doses by hand: each number of the tables was computed on paper from cells, shares, volume and weight."""

from dataclasses import replace
from decimal import Decimal

import pytest

from equipoise.donors import Bag, Contents, contents_of, judge_dose, judge_limits, planned_dose, quantities
from equipoise.donors.measured import exactly, parse_measured

BAG = Bag("B1", Decimal("1e8"), Decimal(100))


def limits(kit, dose):
    return {one.limit: (one.verdict, one.text) for one in judge_limits(kit.PRODUCT, dose)}


@pytest.mark.parametrize(
    ("cd3", "verdict", "text"),
    [
        ("2", "passes", "cd3_per_kg = 33333.3 cells/kg meets value <= 200000"),  # 1e8 x 2 % / 60 kg
        ("12", "passes", "cd3_per_kg = 200000 cells/kg meets value <= 200000"),  # on the limit
        ("12.0000001", "fails", "cd3_per_kg = 200000 cells/kg does not meet value <= 200000"),
        ("15", "fails", "cd3_per_kg = 250000 cells/kg does not meet value <= 200000"),  # 1e8 x 15 % / 60 kg
        ("< 12", "passes", "cd3_per_kg = < 200000 cells/kg meets value <= 200000"),
        ("< 13", "not judgeable", "cd3_per_kg = < 216667 cells/kg does not tell whether it meets value <= 200000"),
    ],
)
def test_t_cells_a_kilogram(kit, cd3, verdict, text):
    dose = quantities(BAG, Contents(cd3=parse_measured(cd3, "cd3")), weight_kg=Decimal(60))
    assert limits(kit, dose)["cd3_kg"] == (verdict, text)


def test_endotoxin_a_kilogram(kit):
    dose = quantities(BAG, Contents(endotoxin=exactly(Decimal("0.5"))), weight_kg=Decimal(60))
    assert limits(kit, dose)["endotoxin_kg"] == ("passes", "endotoxin_per_kg = 0.833333 [EU]/kg meets value <= 5")
    half = quantities(
        BAG, Contents(endotoxin=exactly(Decimal("0.5"))), weight_kg=Decimal(60), volume_given_ml=Decimal(48)
    )
    assert half.endotoxin_per_kg.exact == Decimal("0.4")


def test_viable_cells_beside_the_plan(kit):
    bag = replace(BAG, cells=Decimal("1.2e8"))
    contents = contents_of(kit.PRODUCT, kit.results())
    dose = quantities(bag, contents, weight_kg=Decimal(60))
    assert dose.viable_nk.exact == Decimal("102600000")  # 1.2e8 x 0.90 x 0.95
    judged = judge_dose(kit.PRODUCT, kit.REGIMEN, dose, Decimal(60))
    assert (judged.verdict, judged.share.exact) == ("within", Decimal("1.026"))
    assert judged.text == "102600000 viable NK cells of 100000000 planned, within 90000000 to 110000000"


@pytest.mark.parametrize(
    ("cells", "volume", "verdict", "share"),
    [
        ("90000000", "100", "within", "0.9"),
        ("89999999", "100", "below", "0.89999999"),
        ("110000000", "100", "within", "1.1"),
        ("110000001", "100", "above", "1.10000001"),
        ("100000000", "50", "below", "0.5"),
        ("200000000", "50", "within", "1"),
        ("100000000", "0", "below", "0"),
    ],
)
def test_a_dose_is_what_was_given_of_the_bag(kit, cells, volume, verdict, share):
    contents = Contents(viability=exactly(Decimal(100)), nk=exactly(Decimal(100)))
    bag = replace(BAG, cells=Decimal(cells))
    dose = quantities(bag, contents, weight_kg=None, volume_given_ml=Decimal(volume))
    judged = judge_dose(kit.PRODUCT, kit.REGIMEN, dose, None)
    assert (judged.verdict, judged.share.exact) == (verdict, Decimal(share))


@pytest.mark.parametrize(
    ("viability", "verdict"),
    [("> 95", "within"), ("> 80", "not judgeable"), ("< 90", "below"), ("<= 90", "not judgeable")],
)
def test_a_bound_tells_of_the_dose_only_where_all_of_it_agrees(kit, viability, verdict):
    results = kit.results(viability=viability, nk_purity="100")
    dose = quantities(BAG, contents_of(kit.PRODUCT, results), weight_kg=None)
    assert judge_dose(kit.PRODUCT, kit.REGIMEN, dose, None).verdict == verdict


@pytest.mark.parametrize("weight", [None, "0", "-60", "NaN"])
def test_a_limit_without_weight_is_not_judgeable_and_does_not_pass(kit, weight):
    weight_kg = None if weight is None else Decimal(weight)
    dose = quantities(BAG, contents_of(kit.PRODUCT, kit.results()), weight_kg=weight_kg)
    assert limits(kit, dose) == {
        "cd3_kg": ("not judgeable", "cd3_per_kg is not known: the weight or a result of the lot is missing"),
        "endotoxin_kg": (
            "not judgeable",
            "endotoxin_per_kg is not known: the weight or a result of the lot is missing",
        ),
        "viable": ("passes", "viable_nk = 85500000 cells meets value >= 50000000"),
    }


def test_a_limit_without_a_result_is_not_judgeable(kit):
    dose = quantities(BAG, contents_of(kit.PRODUCT, ()), weight_kg=Decimal(60))
    assert {verdict for verdict, _ in limits(kit, dose).values()} == {"not judgeable"}
    judged = judge_dose(kit.PRODUCT, kit.REGIMEN, dose, Decimal(60))
    assert (judged.verdict, judged.text) == (
        "not judgeable",
        "viable NK cells: viability or the share of NK cells is not known",
    )


def test_several_results_that_count_are_all_heeded(kit):
    results = (*kit.results(cd3="2"), kit.result("cd3", "15", hours=2))
    dose = quantities(BAG, contents_of(kit.PRODUCT, results), weight_kg=Decimal(60))
    assert limits(kit, dose)["cd3_kg"] == (
        "not judgeable",
        "cd3_per_kg = 33333.3 to 250000 cells/kg does not tell whether it meets value <= 200000",
    )


def test_a_dose_may_go_by_weight_or_by_all_cells(kit):
    by_weight = kit.regimen(dose={"value": 1_000_000, "unit": "Therapeutic Cells", "per": "kg"})
    assert planned_dose(by_weight, Decimal(60)) == Decimal(60_000_000)
    assert planned_dose(by_weight, None) is None
    plain = kit.product(composition={}, dose_limits=[])
    dose = quantities(BAG, contents_of(plain, ()), weight_kg=None)
    judged = judge_dose(plain, kit.REGIMEN, dose, None)
    assert judged.text == "100000000 cells of 100000000 planned, within 90000000 to 110000000"
    assert judge_dose(plain, by_weight, dose, None).text == "cells: weight is not known"
