"""Texts that enter a hash: refused unless they have exactly one spelling in bytes."""

import unicodedata

from equipoise.refusals import Refusal

LONGEST_TEXT = 200


def check_text(field: str, text: str, refused: type[Refusal], *, empty: bool = False) -> None:
    """Refuse a text that could be written in two ways, or that could pass for two texts.

    NUL separates the parts of a drawing message, so no part may hold one. Composed and decomposed accents look
    alike and hash apart, so only NFC is taken: a stratum spelled anew must never start a second sequence.

    Args:
        field: the name a refusal gives.
        text: what to check.
        refused: the class of refusal to raise.
        empty: whether the empty text is allowed.

    Raises:
        Refusal: of the class given.
    """
    if not isinstance(text, str) or (not text and not empty):
        raise refused(field, text, "not a text", "write a text of at least one character")
    if len(text) > LONGEST_TEXT:
        raise refused(field, text, f"longer than {LONGEST_TEXT} characters", "shorten it")
    if text.isascii() and text.isprintable():
        return
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in text):
        raise refused(field, text, "holds a character that does not show", "take it out")
    if not unicodedata.is_normalized("NFC", text):
        raise refused(field, text, "holds an accent written as a character of its own", "write it in the form NFC")
