"""Lua patterns: the room claim is one where `context.room.regex` says so."""

import re

# Lua 5.4 Reference Manual, 6.4.1. A quantifier follows a single character alone, never a group.
_ITEM = re.compile(
    r"(?P<single>%.|\[\^?\]?+(?:%.|[^\]])*\]|[^%\[()])(?P<quantifier>[*+?-]?)|(?P<group>[()])",
    re.DOTALL,
)
_MEMBER = re.compile(r"%.|(?P<range>.-.)|.", re.DOTALL)
_CLASSES = {
    "a": "A-Za-z",
    "c": r"\x00-\x1f\x7f",
    "d": "0-9",
    "g": "!-~",
    "l": "a-z",
    "p": r"!-/:-@\[-`{-~",
    "s": r"\t-\r ",
    "u": "A-Z",
    "w": "A-Za-z0-9",
    "x": "A-Fa-f0-9",
}
# Prosody refuses what is over them (token_regex_max_quantifiers, token_regex_room_max_length).
MAX_QUANTIFIERS = 3
MAX_ROOM_LENGTH = 128


def matches(pattern: str, room: str) -> bool | None:
    """Tell whether what the pattern matches, or first captures, is the whole room.

    None where the pattern is over Jitsi's limits, or holds %b, %f, () or a back-reference.
    """
    expression, quantifiers = "", 0
    position, end = int(pattern.startswith("^")), len(pattern)
    while position < end:
        item = _ITEM.match(pattern, position)
        if item is None or re.match("%[bf0-9]", item[0]):
            return None
        if item[0] == "$" and item.end() == end:
            expression += r"\Z"
        elif item["group"]:
            expression += item["group"]
        else:
            quantifiers += bool(item["quantifier"])
            expression += _single(item["single"]) + item["quantifier"].replace("-", "*?")
        position = item.end()
    if quantifiers > MAX_QUANTIFIERS or len(room) > MAX_ROOM_LENGTH or "()" in expression:
        return None
    try:
        compiled = re.compile(expression, re.DOTALL)
    except re.error:
        return None
    found = compiled.match(room) if pattern.startswith("^") else compiled.search(room)
    return found is not None and found[min(1, compiled.groups)] == room


def _single(item: str) -> str:
    """Return the regular expression of a pattern item that matches one character."""
    if item == ".":
        return "."
    if item.startswith("[") and len(item) > 1:
        is_complement = item.startswith("[^")
        members = "|".join(
            f"[{re.escape(member[0][0])}-{re.escape(member[0][2])}]"
            if member["range"]
            else _class(member[0])
            for member in _MEMBER.finditer(item[1 + is_complement : -1])
        )
        return f"(?:(?!{members}).)" if is_complement else f"(?:{members})"
    return _class(item)


def _class(item: str) -> str:
    letter = item[-1]
    if item.startswith("%") and letter.lower() in _CLASSES:
        return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
    return re.escape(letter)
