"""Which text a token may contain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.core.text import rejection_reason


@pytest.mark.parametrize(
    ("reason", "codes"),
    [
        ("control characters", [0x00, 0x09, 0x0A, 0x1F, 0x7F, 0x80, 0x9F]),
        ("U+2028, line separator", [0x2028]),
        ("U+2029, paragraph separator", [0x2029]),
        ("U+202A, left-to-right embedding", [0x202A]),
        ("U+202B, right-to-left embedding", [0x202B]),
        ("U+202C, pop directional formatting", [0x202C]),
        ("U+202D, left-to-right override", [0x202D]),
        ("U+202E, right-to-left override", [0x202E]),
        ("U+2066, left-to-right isolate", [0x2066]),
        ("U+2067, right-to-left isolate", [0x2067]),
        ("U+2068, first strong isolate", [0x2068]),
        ("U+2069, pop directional isolate", [0x2069]),
        ("lone surrogates", [0xD800, 0xDBFF, 0xDC00, 0xDFFF]),
    ],
)
def test_a_character_that_deceives_is_refused_by_its_name(reason: str, codes: list[int]) -> None:
    """Nobody sees such a character, so that it has to be named."""
    for code in codes:
        assert rejection_reason(f"a{chr(code)}b") == f"must not hold {reason}"


def test_the_replacement_character_is_refused() -> None:
    """U+FFFD is what API Gateway makes of broken UTF-8."""
    assert rejection_reason("Jos\ufffd") == "must be valid UTF-8 without U+FFFD"


def test_a_text_that_nobody_can_see_is_refused() -> None:
    """Something visible must be there."""
    blanks = ["", " ", "\u00a0\u3000", "\u200c", "\u200d \u200b", "\u00ad", "\ufeff", "\u034f"]
    ignorable = ["\ufe0f", "\u3164", "\u2800", "\U0001d159", "\u2065", "\ufff0", "\ufdd0", "\uffff"]
    beyond = ["\U0010fffe", "\U000e0001", "\U000e0fff", "\ue000"]

    assert {rejection_reason(text) for text in blanks + ignorable + beyond} == {
        "must hold a visible character"
    }


@pytest.mark.parametrize(
    "text",
    [
        *("Anna", "O'Brien-Łuczak", " a ", "李雷", "می\u200cخواهم", "क्\u200dष"),  # noqa: RUF001
        *("👩\u200d⚕️", "\u200ea\u200f", "\U0001fae9"),  # the last is of Unicode 16
    ],
)
def test_names_of_every_script_are_fine(text: str) -> None:
    """Letters of every script pass, joiners and direction marks between them too."""
    assert rejection_reason(text) is None


@given(st.text(st.characters()), st.text(st.characters()))
def test_what_is_around_a_flaw_does_not_hide_it(before: str, after: str) -> None:
    """An override is found wherever it is."""
    assert rejection_reason(f"{before}\u202e{after}") is not None
