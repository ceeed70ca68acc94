"""Which text a token may contain."""

import re
import unicodedata

# U+FFFD is what API Gateway makes of broken UTF-8; the rest can forge or hide what a person reads.
# U+200C and U+200D stay allowed: Persian and Indic names need them.
_UNSAFE = re.compile(
    "(?P<control>[\\x00-\\x1f\\x7f-\\x9f])"
    "|(?P<layout>[\\u2028-\\u202e\\u2066-\\u2069])"
    "|(?P<surrogate>[\\ud800-\\udfff])"
    "|(?P<replacement>\\ufffd)"
)
_REASONS = {
    "control": "must not hold control characters",
    "surrogate": "must not hold lone surrogates",
    "replacement": "must be valid UTF-8 without U+FFFD",
}
# Default_Ignorable_Code_Point and U+FDD0 to U+FDEF of Unicode; and blanks that it calls letters or
# symbols.
_INVISIBLE = re.compile(
    "[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2065\\u2800\\u3164\\ufdd0-\\ufdef"
    "\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufff8\\U00013441\\U00013442\\U0001d159"
    "\\U000e0000-\\U000e0fff]"
)
# It and U+xxFFFF are no characters, in each plane.
_NO_CHARACTER = 0xFFFE


def rejection_reason(text: str) -> str | None:
    """Say why a text is refused, without repeating it; None when it is fine."""
    if text.isascii() and text.isprintable() and text.strip():
        return None  # Most texts: what follows takes five times as long.
    if found := _UNSAFE.search(text):
        if found.lastgroup == "layout":
            return f"must not hold U+{ord(found[0]):04X}, {unicodedata.name(found[0]).lower()}"
        return _REASONS[str(found.lastgroup)]
    if not any(map(_is_visible, text)):
        return "must hold a visible character"
    return None


def is_unassigned(character: str) -> bool:
    """Tell whether Python's Unicode tables lack a character; newer ones may have it."""
    return unicodedata.category(character) == "Cn"


def _is_visible(character: str) -> bool:
    if character.isprintable():
        return not character.isspace() and not _INVISIBLE.match(character)
    # What is unassigned may be a visible character in newer tables.
    is_character = ord(character) & _NO_CHARACTER != _NO_CHARACTER
    return is_character and is_unassigned(character) and not _INVISIBLE.match(character)
