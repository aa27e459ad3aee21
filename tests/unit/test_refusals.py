from pathlib import Path

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
