"""What msgspec says of a body that breaks its type, in the words of the contract."""

import re

from jitsi_tokens.core.problems import INVALID_REQUEST, MALFORMED_REQUEST, Problem, invalid_field

_COMPLAINT = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_TYPE = re.compile(r"`([^`]*)`")
_JSON_NAMES = {
    "str": "string",
    "int": "whole number",
    "float": "number with a fraction",
    "bool": "true or false",
    "datetime": "RFC 3339 time",
}
# The objects within a body: an unknown field's name may look like any other path.
_AT = r"(?: - at `\$(?P<path>\.contact|\.participants\[\d+\])`)?"
_MISSING = re.compile(rf"Object missing required field `(?P<name>[^`]*)`{_AT}")
_UNKNOWN = re.compile(rf"Object contains unknown field `(?P<name>.*?)`{_AT}", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def problem_from(complaint: str) -> Problem:
    """Return the problem that one of msgspec's complaints describes, with its field."""
    if missing := _MISSING.fullmatch(complaint):
        return invalid_field(_pointer(missing["path"], missing["name"]), "is required")
    if unknown := _UNKNOWN.fullmatch(complaint):
        pointer = _pointer(unknown["path"], unknown["name"])
        return invalid_field(pointer, "is not a field of this request")
    found = _COMPLAINT.fullmatch(complaint)
    what, path = (found["what"], found["path"]) if found else (complaint, None)
    what = _TYPE.sub(lambda found: _in_json(found[1]), what)
    what = what.replace("got null", "got null: leave the field out to give no value")
    if path:
        return invalid_field(_pointer(path), f"is not valid: {_lowered(what)}")
    if what.startswith("Expected object"):
        return Problem(MALFORMED_REQUEST, "The body must be a JSON object.")
    return Problem(INVALID_REQUEST, f"The body is not valid: {_lowered(what)}.")


def _in_json(types: str) -> str:
    return " or ".join(_JSON_NAMES.get(name, name) for name in types.split(" | "))


def json_pointer(name: str) -> str:
    """Return the JSON pointer to a name at the top (RFC 6901, 3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _pointer(path: str | None, name: str | None = None) -> str:
    """Return the JSON pointer to one of msgspec's paths, or to a name there."""
    steps = "".join(f"/{field or number}" for field, number in _STEP.findall(path or ""))
    return steps + ("" if name is None else json_pointer(name))


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
