"""Which text may stand in a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.text import flaw


@pytest.mark.parametrize(
    "code", [0x00, 0x09, 0x0A, 0x1F, 0x7F, 0x80, 0x9F, 0x2028, 0x2029], ids=hex
)
def test_control_characters_are_refused(code: int) -> None:
    """A control or line-breaking character anywhere is a flaw."""
    assert flaw(f"a{chr(code)}b") == "must not hold control characters"


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)], ids=hex)
def test_bidirectional_overrides_are_refused(code: int) -> None:
    """Each of the nine characters that reorder what a person reads is a flaw."""
    assert flaw(f"a{chr(code)}b") == "must not hold bidirectional overrides"


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex)
def test_lone_surrogates_are_refused(code: int) -> None:
    """Half a surrogate pair is a flaw."""
    assert flaw(f"a{chr(code)}b") == "must not hold lone surrogates"


def test_the_replacement_character_is_refused() -> None:
    """U+FFFD, which API Gateway makes of broken UTF-8, is a flaw."""
    assert flaw("Jos\ufffd") == "must be valid UTF-8 without U+FFFD"


@pytest.mark.parametrize(
    "text",
    ["", " ", "\u00a0\u3000", "\u200c", "\u200d \u200b"],
    ids=["empty", "space", "other-spaces", "non-joiner", "joiner-and-zero-width-space"],
)
def test_a_text_that_nobody_can_see_is_refused(text: str) -> None:
    """Something visible must be there."""
    assert flaw(text) == "must hold a visible character"


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
    ],
    ids=["plain", "persian", "hindi", "latin", "chinese", "emoji", "spaces", "direction-marks"],
)
def test_names_of_every_script_are_fine(text: str) -> None:
    """Letters of every script pass, joiners and direction marks between them too."""
    assert flaw(text) is None


@given(st.text(st.characters()), st.text(st.characters()))
def test_what_is_around_a_flaw_does_not_hide_it(before: str, after: str) -> None:
    """An override is found wherever it stands."""
    assert flaw(f"{before}\u202e{after}") is not None
