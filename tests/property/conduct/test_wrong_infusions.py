"""A hundred wrong attempts to infuse, of every kind, in every state: none is recorded as given, each refusal is."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise import conduct
from equipoise.conduct.kinds import Kind
from equipoise.ledger import Actor
from equipoise.refusals import Refusal

ATTEMPTS = 100
STATES = (
    "ready", "given", "recalled", "out of specification", "returned", "destroyed", "expired", "withdrawn", "stopped",
    "typed anew", "donor judged against", "missed", "locked",
)  # fmt: skip


def on_label(**wrong):
    return lambda kit, person: {"label": replace(kit.label(person), **wrong)}


#: What is wrong with the attempt itself; it alone is enough to refuse it.
DEFECTS = {
    "nobody": lambda kit, _: {"participant": "01-999"},
    "site": lambda kit, _: {"by": kit.OTHER_DOCTOR},
    "role": lambda kit, _: {"by": kit.LABORATORY},
    "no role": lambda kit, _: {"by": Actor("x", "king")},
    "other holder": lambda kit, _: {"by": Actor("o.nurse", "coordinator", "01")},
    "alone": lambda kit, _: {"second": kit.NURSE},
    "alone, in capitals": lambda kit, _: {"second": Actor("N.NURSE", "investigator", "01")},
    "alone, in full width": lambda kit, _: {"second": Actor("ｎ.nurse", "investigator", "01")},
    "second from elsewhere": lambda kit, _: {"second": kit.OTHER_DOCTOR},
    "second of no clinic": lambda kit, _: {"second": kit.QUALITY},
    "bag unknown": lambda kit, _: {"bag": "L99-1"},
    "bag in the store": lambda kit, _: {"bag": "L01-2"},
    "course unknown": lambda kit, _: {"course": "C9"},
    "course too early": lambda kit, _: {"course": "C2"},
    "label: bag": on_label(bag="L01-3"),
    "label: lot": on_label(lot="L10"),
    "label: wristband": on_label(participant="01-002"),
    "label: hostile": on_label(bag="=cmd()|<script>"),
    "label: expiry": on_label(expires_at=None),
    "label: expiry without zone": lambda kit, person: {
        "label": replace(kit.label(person), expires_at=kit.label(person).expires_at.replace(tzinfo=None))
    },
    "unanswered": lambda kit, _: {"preconditions": {}},
    "answered no": lambda kit, _: {"preconditions": {"afebrile": False}},
    "answered otherwise": lambda kit, _: {"preconditions": {"afebrile": "yes"}},
    "asked by nobody": lambda kit, _: {"preconditions": {"afebrile": True, "hungry": True}},
    "no weight": lambda kit, _: {"weight_kg": None},
    "no weight at all": lambda kit, _: {"weight_kg": 0},
    "light": lambda kit, _: {"weight_kg": "5"},
    "a weight in words": lambda kit, _: {"weight_kg": "sixty"},
    "in the future": lambda kit, _: {"started_at": kit.now + timedelta(days=1)},
    "before it came": lambda kit, _: {"started_at": kit.now - timedelta(days=2)},
    "ends too late": lambda kit, _: {"ends_at": kit.now + timedelta(days=2)},
    "time without zone": lambda kit, _: {"started_at": kit.now.replace(tzinfo=None)},
}


def brought_to(kit, person, state):
    """Bring the trial into a state in which even a right attempt must be refused (but when `ready`)."""
    quality = lambda: kit.entry(kit.QUALITY)  # noqa: E731
    match state:
        case "given":
            kit.infuse(person)
            kit.finish(person)
        case "recalled":
            conduct.recall_lot(kit.trial, "L01", statement="donor fell ill", **quality())
        case "out of specification":
            kit.result("L01", "sterility", "POSITIVE")
        case "returned":
            hands = {"giver": kit.NURSE.id, "receiver": kit.LABORATORY.id, "place": "store"}
            conduct.return_bag(kit.trial, "L01-1", **hands, **kit.entry(kit.LABORATORY))
        case "destroyed":
            hands = {"giver": kit.NURSE.id, "place": "ward"}
            conduct.destroy_bag(kit.trial, "L01-1", **hands, **kit.entry(kit.LABORATORY))
        case "expired":
            kit.wait(1)
        case "withdrawn":
            facts = {"scope": "intervention", "reason_code": "WISH", "on": kit.today}
            conduct.withdraw(kit.trial, person, **facts, **kit.entry())
        case "stopped":
            kit.harmed(person, grade=4, related={"cells": "RELATED", "procedure": "NOT RELATED"})
        case "typed anew":
            kit.type_participant(person)
        case "donor judged against":
            conduct.judge_donor(kit.trial, "D01", eligible=False, statement="CMV IgM found", **quality())
        case "missed":
            conduct.miss_course(kit.trial, person, "C1", cause="away", **kit.entry())
        case "locked":
            conduct.lock(kit.trial, accept_open=True, **kit.entry(kit.MANAGER))


def attempts():
    """A state, and what is wrong with the attempt; something is wrong with one of the two."""
    defects = st.lists(st.sampled_from(sorted(DEFECTS)), max_size=3, unique=True)
    drawn = st.tuples(st.sampled_from(STATES), defects)
    return drawn.filter(lambda pair: pair[0] != "ready" or pair[1])


def refused(kit, person, wrong):
    """Try it, and see that it is refused and recorded, and nothing given."""
    head, before = kit.head().seq, (kit.rows("infusion"), kit.rows("bag"), kit.rows("custody"))
    facts = {"participant": person, "course": "C1", "bag": "L01-1", "label": kit.label(person)}
    for name in wrong:
        facts |= DEFECTS[name](kit, person)
    try:
        kit.infuse(facts.pop("participant"), facts.pop("course"), facts.pop("bag"), **facts)
    except Refusal as refusal:
        text = str(refusal)
    else:
        raise AssertionError(f"{wrong} was let pass")
    assert (kit.rows("infusion"), kit.rows("bag"), kit.rows("custody")) == before
    assert kit.head().seq == head + 1
    (event,) = [event for event in kit.events(Kind.INFUSION_REFUSED) if event.seq == head + 1]
    assert event.payload["reasons"]
    assert all(reason["text"] in text for reason in event.payload["reasons"])


def test_every_defect_and_every_state_alone_is_refused(trial_kit, template, tmp_path):
    kit = trial_kit.Kit.copied(template, tmp_path / "defects")
    person = kit.issued()
    for name in DEFECTS:
        refused(kit, person, [name])
    kit.infuse(person)  # and nothing else stood in the way
    assert kit.trial.ledger.verify().ok
    kit.trial.close()
    for state in STATES[1:]:
        kit = trial_kit.Kit.copied(template, tmp_path / state.replace(" ", "-"))
        person = kit.issued()
        brought_to(kit, person, state)
        refused(kit, person, [])
        kit.trial.close()


@given(tried=st.lists(attempts(), min_size=ATTEMPTS // 20, max_size=ATTEMPTS // 20))
@settings(
    max_examples=20,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_a_hundred_wrong_attempts_give_nothing(trial_kit, template, tmp_path_factory, tried):
    states = {}
    for state, wrong in tried:
        if state not in states:
            kit = trial_kit.Kit.copied(template, tmp_path_factory.mktemp("wrong") / "trial")
            person = kit.issued()
            brought_to(kit, person, state)
            states[state] = (kit, person)
        refused(*states[state], wrong)
    for kit, _ in states.values():
        assert len(kit.rows("infusion")) == sum(state == "given" for state in states if states[state][0] is kit)
        assert kit.trial.ledger.verify().ok
        assert kit.trial.ledger.rebuild().identical
        kit.trial.close()
