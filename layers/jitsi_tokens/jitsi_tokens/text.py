"""Which text may stand in a token."""

import re

# U+FFFD is what API Gateway makes of broken UTF-8; the rest can forge or hide what a person reads.
# U+200C and U+200D stay allowed: Persian and Indic names need them.
_UNSAFE = re.compile(
    "(?P<control>[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029])"
    "|(?P<bidirectional>[\\u202a-\\u202e\\u2066-\\u2069])"
    "|(?P<surrogate>[\\ud800-\\udfff])"
    "|(?P<replacement>\\ufffd)"
)
# Letters and symbols by their class, and yet nothing is seen of them.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_REASONS = {
    "control": "must not hold control characters",
    "bidirectional": "must not hold bidirectional overrides",
    "surrogate": "must not hold lone surrogates",
    "replacement": "must be valid UTF-8 without U+FFFD",
}


def flaw(text: str) -> str | None:
    """Say why a text is refused, without repeating it; None when it is fine."""
    if found := _UNSAFE.search(text):
        return _REASONS[str(found.lastgroup)]
    if not any(map(_is_visible, text)):
        return "must hold a visible character"
    return None


def _is_visible(character: str) -> bool:
    return character.isprintable() and not character.isspace() and character not in _INVISIBLE
