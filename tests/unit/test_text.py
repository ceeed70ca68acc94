"""Which text may stand in a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.core.text import rejection_reason


@pytest.mark.parametrize("code", [0x00, 0x09, 0x0A, 0x1F, 0x7F, 0x80, 0x9F], ids=hex)
def test_control_characters_are_refused(code: int) -> None:
    """A control character anywhere is a flaw."""
    assert rejection_reason(f"a{chr(code)}b") == "must not hold control characters"


@pytest.mark.parametrize(
    ("code", "named"),
    [
        (0x2028, "U+2028, line separator"),
        (0x2029, "U+2029, paragraph separator"),
        (0x202A, "U+202A, left-to-right embedding"),
        (0x202B, "U+202B, right-to-left embedding"),
        (0x202C, "U+202C, pop directional formatting"),
        (0x202D, "U+202D, left-to-right override"),
        (0x202E, "U+202E, right-to-left override"),
        (0x2066, "U+2066, left-to-right isolate"),
        (0x2067, "U+2067, right-to-left isolate"),
        (0x2068, "U+2068, first strong isolate"),
        (0x2069, "U+2069, pop directional isolate"),
    ],
)
def test_what_reorders_or_breaks_a_line_is_refused_by_its_name(code: int, named: str) -> None:
    """Nobody sees such a character, so that it has to be named."""
    assert rejection_reason(f"a{chr(code)}b") == f"must not hold {named}"


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_lone_surrogates_are_refused(code: int) -> None:
    """Half a surrogate pair is a flaw."""
    assert rejection_reason(f"a{chr(code)}b") == "must not hold lone surrogates"


def test_the_replacement_character_is_refused() -> None:
    """U+FFFD, which API Gateway makes of broken UTF-8, is a flaw."""
    assert rejection_reason("Jos\ufffd") == "must be valid UTF-8 without U+FFFD"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "\u00a0\u3000",
            "\u200c",
            "\u200d \u200b",
            "\u00ad",
            "\ufeff",
            "\u034f",
            "\ufe0f",
        ),
        *("\u3164", "\u2800", "\U0001d159", "\u2065", "\ufff0", "\ufdd0", "\uffff", "\U0010fffe"),
        *("\U000e0001", "\U000e0fff", "\ue000"),
    ],
    ids=ascii,
)
def test_a_text_that_nobody_can_see_is_refused(text: str) -> None:
    """Something visible must be there."""
    assert rejection_reason(text) == "must hold a visible character"


@pytest.mark.parametrize(
    "text",
    [
        "Anna",
        "می\u200cخواهم",  # noqa: RUF001
        "क्\u200dष",
        "O'Brien-Łuczak",
        "李雷",
        "👩\u200d⚕️",
        " a ",
        "\u200ea\u200f",
        "\U0001fae9",
    ],
    ids=[
        "plain",
        "persian",
        "hindi",
        "latin",
        "chinese",
        "emoji",
        "spaces",
        "direction-marks",
        "unicode-16",
    ],
)
def test_names_of_every_script_are_fine(text: str) -> None:
    """Letters of every script pass, joiners and direction marks between them too."""
    assert rejection_reason(text) is None


@given(st.text(st.characters()), st.text(st.characters()))
def test_what_is_around_a_flaw_does_not_hide_it(before: str, after: str) -> None:
    """An override is found wherever it stands."""
    assert rejection_reason(f"{before}\u202e{after}") is not None
