"""Hostile words in every text of the acts on donors and product: kept as said, or refused whole."""

import pytest

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.refusals import Refusal

HOSTILE = [
    "'; DROP TABLE read_bag;--", "L01-1' OR '1'='1", "<script>alert(1)</script>", "=HYPERLINK(1)", "\0", "\ud800",
    "\u202eL01-1", " ", "", "x" * 100_000, "../../etc/passwd", "{{7*7}}", "%s%n", "Ｌ01-1",
]  # fmt: skip


def laboratory(kit):
    return kit.entry(kit.LABORATORY)


#: For each act a call with one text in it; the trial has a released lot of which bag 1 is issued.
TEXTS = {
    "register donor": lambda kit, _, text: conduct.register_donor(
        kit.trial, text, sex="F", birth_year=1990, **laboratory(kit)
    ),
    "register sex": lambda kit, _, text: conduct.register_donor(
        kit.trial, "D9", sex=text, birth_year=1990, **laboratory(kit)
    ),
    "test donor": lambda kit, _, text: conduct.record_donor_tests(
        kit.trial, text, results={"HIV": "NEGATIVE"}, sampled_on=kit.today, **laboratory(kit)
    ),
    "test name": lambda kit, _, text: conduct.record_donor_tests(
        kit.trial, "D01", results={text: "NEGATIVE"}, sampled_on=kit.today, **laboratory(kit)
    ),
    "test result": lambda kit, _, text: conduct.record_donor_tests(
        kit.trial, "D01", results={"CMV": text}, sampled_on=kit.today, **laboratory(kit)
    ),
    "judge": lambda kit, _, text: conduct.judge_donor(
        kit.trial, "D01", eligible=True, statement=text, **kit.entry(kit.QUALITY)
    ),
    "type cell": lambda kit, _, text: kit.type_donor("D01", (text, "C*05:01")),
    "type KIR": lambda kit, _, text: kit.type_donor("D01", ("C*07:01", "C*05:01"), text),
    "type laboratory": lambda kit, _, text: conduct.type_donor(
        kit.trial,
        "D01",
        hla={"C": ("C*07:01", "C*05:01")},
        method="NGS",
        laboratory=text,
        reported_on=kit.today,
        **laboratory(kit),
    ),
    "match donor": lambda kit, p, text: conduct.match_donor(kit.trial, p, text, **laboratory(kit)),
    "match accepted": lambda kit, p, text: conduct.match_donor(
        kit.trial, p, "D01", accept_ambiguous=text, **laboratory(kit)
    ),
    "lot": lambda kit, _, text: kit.received(text),
    "lot product": lambda kit, _, text: kit.received("L07", product=text),
    "lot made": lambda kit, _, text: kit.received("L07", made={"culture": text}),
    "lot place": lambda kit, _, text: kit.received("L07", place=text),
    "lot giver": lambda kit, _, text: kit.received("L07", giver=text),
    "lot celsius": lambda kit, _, text: kit.received("L07", celsius=text),
    "result value": lambda kit, _, text: kit.result("L01", "sterility", text),
    "result number": lambda kit, _, text: kit.result("L01", "cd3", text),
    "result criterion": lambda kit, _, text: conduct.record_lot_result(
        kit.trial, "L01", text, value="1", unit="%", **laboratory(kit)
    ),
    "result invalidates": lambda kit, _, text: kit.result("L01", "cd3", invalidates=text),
    "recall": lambda kit, _, text: conduct.recall_lot(kit.trial, "L01", statement=text, **kit.entry(kit.QUALITY)),
    "issue bag": lambda kit, p, text: kit.issue(p, bag=text),
    "issue participant": lambda kit, _, text: kit.issue(text, bag="L01-2"),
    "issue course": lambda kit, p, text: kit.issue(p, bag="L01-2", course=text),
    "issue receiver": lambda kit, p, text: kit.issue(p, bag="L01-2", receiver=text),
    "hand over": lambda kit, _, text: conduct.hand_over_bag(
        kit.trial, "L01-1", giver=kit.NURSE.id, receiver=text, place=text, **laboratory(kit)
    ),
    "destroy": lambda kit, _, text: conduct.destroy_bag(kit.trial, text, place="store", **laboratory(kit)),
    "miss course": lambda kit, p, text: conduct.miss_course(kit.trial, p, text, cause="away", **kit.entry()),
    "take back course": lambda kit, p, text: conduct.take_back_missed_course(kit.trial, p, text, **kit.entry()),
    "take back participant": lambda kit, _, text: conduct.take_back_missed_course(kit.trial, text, "C2", **kit.entry()),
    "correct signs course": lambda kit, p, text: conduct.correct_infusion_vital_signs(
        kit.trial, p, text, minutes=15, **kit.entry()
    ),
    "miss cause": lambda kit, p, text: conduct.miss_course(kit.trial, p, "C2", cause=text, **kit.entry()),
}  # fmt: skip


@pytest.fixture(scope="module")
def bedside(trial_kit, template, tmp_path_factory):
    """A trial in which a bag is issued; each attack is made on a copy of it."""
    kit = trial_kit.Kit.copied(template, tmp_path_factory.mktemp("bedside") / "trial")
    kit.participant = kit.issued()
    kit.trial.close()
    return kit


@pytest.fixture
def attacked(trial_kit, bedside, tmp_path):
    """The trial, open."""
    kit = trial_kit.Kit.copied(bedside, tmp_path / "trial")
    kit.now = bedside.now
    yield kit
    kit.trial.close()


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_words_are_kept_as_said_or_refused_whole(attacked, bedside, name):
    for text in HOSTILE:
        head = attacked.head()
        refusal = None
        try:
            TEXTS[name](attacked, bedside.participant, text)
        except Refusal as found:
            refusal = found
        assert (refusal is None) == (attacked.head() != head), text
        assert refusal is None or str(refusal).isprintable(), text
    assert attacked.rows("bag") != []
    assert attacked.trial.ledger.verify().ok
    assert attacked.trial.ledger.rebuild().identical


@pytest.mark.parametrize(
    "name", ["participant", "course", "bag", "weight_kg", "place", "accept_conditional", "celsius"]
)
def test_hostile_words_at_the_bedside_give_nothing_and_are_recorded(attacked, bedside, name):
    usual = {"participant": bedside.participant, "course": "C1", "bag": "L01-1"}
    for text in HOSTILE:
        facts = {"label": attacked.label(bedside.participant), "second": attacked.NURSE} | usual | {name: text}
        head = attacked.head().seq
        with pytest.raises(Refusal):
            attacked.infuse(facts.pop("participant"), facts.pop("course"), facts.pop("bag"), **facts)
        assert attacked.head().seq == head + 1, text
    assert attacked.rows("infusion") == []
    assert len(attacked.events(Kind.INFUSION_REFUSED)) == len(HOSTILE)
    assert attacked.trial.ledger.verify().ok
    assert attacked.trial.ledger.rebuild().identical


def test_what_is_of_another_site_reads_as_what_is_not_there(attacked, bedside):
    told = set()
    for code in (bedside.participant, "01-999"):
        with pytest.raises(conduct.NotFound) as refused:
            attacked.infuse(code, by=attacked.OTHER_DOCTOR, label=attacked.label(code))
        told.add(str(refused.value).replace(code, "CODE"))
    assert len(told) == 1
    told = set()
    for code in ("L01-1", "L01-9"):
        hands = {"giver": "n.nurse", "receiver": "s.doctor", "place": "ward"}
        with pytest.raises(conduct.NotFound) as refused:
            conduct.hand_over_bag(attacked.trial, code, **hands, **attacked.entry(attacked.OTHER_DOCTOR))
        told.add(str(refused.value).replace(code, "CODE"))
    assert len(told) == 1
