"""The weight at the bedside beside that of the forms: a slip of the pen must not defeat a limit per kilogram."""

from decimal import Decimal

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.donors import RecordedWeight

ASKED = "      - {id: drawn, question: Drawn on, type: date, required: true}\n"
WEIGHT = "      - {id: weight, cdash: WEIGHT, question: Weight, type: decimal, unit: kg, places: 1}\n"
LIMIT_IS_BROKEN = {"cd3": "10"}  # 1.2e8 x 0.10 / 58.6 kg = 204,778 cells/kg, where 200,000 may be given


def weighed(trial_kit, folder, weight="58.6", item=WEIGHT):
    """A participant with that weight at baseline, a bag of 10 % T cells issued for them."""
    kit = trial_kit.Kit(folder / "trial", trial_kit.PROTOCOL.replace(ASKED, ASKED + item))
    kit.typed_donor()
    assessed = kit.assessed

    def with_weight(*args, **answers):
        participant = assessed(*args, **answers)
        if weight is not None:
            conduct.correct(kit.trial, participant, "m0", "blood", "weight", weight, **kit.entry())
        return participant

    kit.assessed = with_weight
    participant = kit.matched()
    kit.released(**LIMIT_IS_BROKEN)
    kit.issue(participant)
    return kit, participant


def refused(kit, participant, weight):
    with pytest.raises(conduct.InfusionRefused) as found:
        kit.infuse(participant, weight_kg=weight)
    return [reason.code for reason in found.value.reasons]


@pytest.mark.parametrize("typed", ["586", "58600", "0.586", "1e9"])
def test_a_weight_that_nobody_has_does_not_defeat_a_limit(kit, typed):
    kit.typed_donor()
    participant = kit.matched()
    kit.released(**LIMIT_IS_BROKEN)
    kit.issue(participant)
    assert refused(kit, participant, "58.6") == ["dose-limit"]
    assert refused(kit, participant, typed) == ["weight", "dose-limit"]
    assert kit.rows("infusion") == []


def test_a_weight_far_from_that_on_the_forms_needs_a_word(trial_kit, tmp_path):
    kit, participant = weighed(trial_kit, tmp_path)
    today = kit.today
    assert conduct.last_weight(kit.trial, participant, by_day=today) == RecordedWeight(Decimal("58.6"), today)
    with pytest.raises(conduct.InfusionRefused) as found:
        kit.infuse(participant, weight_kg="85.6")
    assert str(found.value) == (
        f"bag = L01-1: [weight_kg = 85.6: is 46.1 % off the 58.6 kg of {today}, more than 15 %; weigh again; "
        "correct the recorded weight if that is wrong, or say why it changed (accept_weight)]; "
        "do not infuse; the attempt is recorded with these reasons"
    )
    kit.infuse(participant, weight_kg="85.6", accept_weight="recorded at another hospital before ascites formed")
    (event,) = kit.events(Kind.INFUSION_STARTED)
    assert event.payload["accept_weight"] == "recorded at another hospital before ascites formed"
    assert kit.trial.ledger.rebuild().identical


def test_a_corrected_weight_is_the_one_to_compare_with(trial_kit, tmp_path):
    kit, participant = weighed(trial_kit, tmp_path)
    assert refused(kit, participant, "85.6") == ["weight-change"]
    conduct.correct(kit.trial, participant, "m0", "blood", "weight", "85.6", **kit.entry())
    kit.infuse(participant, weight_kg="85.6")
    assert kit.events(Kind.INFUSION_STARTED)[0].payload["accept_weight"] is None


def test_the_latest_weight_counts_and_none_of_a_later_day(trial_kit, tmp_path):
    kit, participant = weighed(trial_kit, tmp_path)
    first = kit.today
    kit.wait(3)
    kit.record(participant, "extra", "blood", {"drawn": kit.today, "cd4": 150, "cd8": 700, "weight": "63.2"})
    assert conduct.last_weight(kit.trial, participant, by_day=kit.today).kg == Decimal("63.2")
    assert conduct.last_weight(kit.trial, participant, by_day=first).kg == Decimal("58.6")


@pytest.mark.parametrize(
    ("weight", "item"),
    [
        (None, WEIGHT),
        ("129.2", WEIGHT.replace("unit: kg", 'unit: "[lb_av]"')),
        ("58.6", WEIGHT.replace("cdash", "help")),
    ],
    ids=["not recorded", "in another unit", "not named as the weight"],
)
def test_without_a_weight_to_compare_with_there_is_nothing_to_say(trial_kit, tmp_path, weight, item):
    kit, participant = weighed(trial_kit, tmp_path, weight, item)
    assert conduct.last_weight(kit.trial, participant, by_day=kit.today) is None
    kit.infuse(participant, weight_kg="99")


def test_the_last_weight_of_nobody(kit):
    with pytest.raises(conduct.NotFound) as found:
        conduct.last_weight(kit.trial, "01-999", by_day=kit.today)
    assert str(found.value) == "participant = 01-999: is not in this trial; check the code"
