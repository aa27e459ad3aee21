import pickle
from pathlib import Path

from equipoise.exchange.table_faults import TableFault, TableRefused
from equipoise.refusals import Refusal, shown


def test_a_refusal_is_field_value_problem_remedy_on_one_line():
    assert (
        str(Refusal("visits[1].window", -3, "is negative", "write 3")) == "visits[1].window = -3: is negative; write 3"
    )
    assert str(Refusal("reason", None, "is blank", "say why")) == "reason: is blank; say why"


def test_control_characters_and_length_cannot_hide_the_rest_of_a_message():
    assert shown("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert shown("x" * 500) == "x" * 79 + "…"


def test_a_long_path_stays_whole():
    path = Path("/" + "folder/" * 30 + "trial.db")
    assert shown(path) == str(path)
    assert shown(Path("f" * 5_000)) == "f" * 999 + "…"


def test_a_refusal_comes_back_whole_from_another_process():
    refusal = Refusal("visit", "m25", "is not in the protocol", "did you mean m24?")
    told = TableRefused((TableFault("a.csv", 2, "cd4", "1O", "is not a number", "write digits"),), 3)
    for each in (refusal, told):
        again = pickle.loads(pickle.dumps(each))
        assert type(again) is type(each)
        assert (str(again), again.args, vars(again)) == (str(each), each.args, vars(each))
