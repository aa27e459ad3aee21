"""Measured text: widths that boxes can rely on, and lines that fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from equipoise.report.text_width import SLACK, text_width, wrapped

WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=30)


@pytest.mark.parametrize("bold", [False, True])
def test_widths_agree_with_matplotlibs_own_layout(bold):
    text = "Excluded before randomisation (n = 9)"
    font = FontProperties(family="DejaVu Sans", size=12, weight="bold" if bold else "normal")
    expected, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    # Kerning is in matplotlib's width alone: 2%.
    assert text_width(text, 12, bold=bold) / SLACK == pytest.approx(expected, rel=0.02)


def test_a_chinese_character_counts_as_a_full_square():
    assert text_width("天津", 12) == pytest.approx(SLACK * 24)


def test_a_combining_accent_takes_no_room():
    assert text_width("e\N{COMBINING ACUTE ACCENT}", 12) == text_width("e", 12)


@given(st.lists(WORDS, min_size=1, max_size=12).map(" ".join))
def test_wrapped_lines_fit_and_lose_no_letter(text):
    lines = wrapped(text, 120, 12)
    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(text_width(line, 12) <= 120 or len(line) == 1 for line in lines)


def test_a_text_is_broken_at_spaces_where_it_has_them():
    assert wrapped("Withdrew because of a long journey", 100, 12) == ("Withdrew", "because of a", "long journey")


def test_a_word_too_long_is_broken_inside():
    assert len(wrapped("x" * 100, 100, 12)) > 1
