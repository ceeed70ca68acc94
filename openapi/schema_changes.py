"""Which changes of a schema break what relies on it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

type Schema = dict[str, Any]
type Direction = Literal["request", "response"]

_REMARKS = {"title", "description", "examples", "example", "deprecated"}
_ALTERNATIVES = ("anyOf", "oneOf")
_NESTED = ("items", "propertyNames", "additionalProperties")
_TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"]
# Whether all that fits the first value of a keyword fits the second.
_FITS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda given, taken: set(given) <= {*taken, *(["integer"] * ("number" in taken))},
    "enum": lambda given, taken: all(value in taken for value in given),
    **dict.fromkeys(("minimum", "minLength", "minItems"), operator.ge),
    **dict.fromkeys(("maximum", "maxLength", "maxItems"), operator.le),
    **dict.fromkeys(("pattern", "format"), operator.eq),
}
_COMPARED = {*_FITS, *_NESTED, *_ALTERNATIVES, "default", "properties", "required"}


def broken(old: Schema, new: Schema, direction: Direction, where: str) -> Iterator[str]:
    """Yield a sentence for each change that breaks, of schemas without references.

    A request that was right must stay right; an answer must stay one that was to be expected, but
    for further properties where the schema is open. A keyword that is not known here breaks with
    every change.
    """
    olds, news = _alternatives(old), _alternatives(new)
    was, must_be = (olds, news) if direction == "request" else (news, olds)
    for each in was:
        # What fits one of the alternatives breaks nothing; else the closest says what does.
        pairs = [(each, other) if direction == "request" else (other, each) for other in must_be]
        yield from min((list(_broken(*pair, direction, where)) for pair in pairs), key=len)


def _broken(old: Schema, new: Schema, direction: Direction, where: str) -> Iterator[str]:
    for keyword in _narrowed(*((old, new) if direction == "request" else (new, old))):
        yield f"{where}: {keyword} was {_shown(old, keyword)}, and is {_shown(new, keyword)}."
    for keyword in sorted((old.keys() | new.keys()) - _REMARKS - _COMPARED):
        if old.get(keyword) != new.get(keyword):
            yield f"{where}: {keyword} changed, which nobody can judge here."
    if direction == "request" and old.get("default") != new.get("default"):
        yield f"{where}: default was {_shown(old, 'default')}, and is {_shown(new, 'default')}."
    yield from _broken_properties(old, new, direction, where)
    for keyword in _NESTED:
        if isinstance(old.get(keyword), dict) and isinstance(new.get(keyword), dict):
            yield from broken(old[keyword], new[keyword], direction, f"{where} ({keyword})")


def _broken_properties(old: Schema, new: Schema, direction: Direction, where: str) -> Iterator[str]:
    olds, news = old.get("properties", {}), new.get("properties", {})
    for name, schema in olds.items():
        if name in news:
            yield from broken(schema, news[name], direction, f"{where}/{name}")
        else:
            yield f"{where}/{name} is gone."
    required_before, required = set(old.get("required", [])), set(new.get("required", []))
    if direction == "request":
        for name in sorted(required - required_before):
            yield f"{where}/{name} is required now."
    else:
        for name in sorted((required_before - required) & news.keys()):
            yield f"{where}/{name} may be missing now."
        for name in sorted(news.keys() - olds.keys()):
            if old.get("additionalProperties") is False:
                yield f"{where}/{name} is new, where nothing was to be added."


def _narrowed(given: Schema, taken: Schema) -> Iterator[str]:
    """Yield the keywords for which not all that is given is taken."""
    for keyword, fits in _FITS.items():
        if keyword in taken and not (keyword in given and fits(given[keyword], taken[keyword])):
            yield keyword
    for keyword in _NESTED:
        given_more, taken_more = given.get(keyword, True), taken.get(keyword, True)
        if (given_more is True and taken_more is not True) or (given_more and not taken_more):
            yield keyword


def _alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of which a value fits one, each whole, its values and types as lists."""
    shared = {name: value for name, value in schema.items() if name not in _ALTERNATIVES}
    found = [shared | each for name in _ALTERNATIVES for each in schema.get(name, [])]
    return [_as_lists(each) for each in found or [shared]]


def _as_lists(schema: Schema) -> Schema:
    types = schema.get("type", _TYPES)
    plain = {name: value for name, value in schema.items() if name != "const"}
    values = {"enum": [schema["const"]]} if "const" in schema else {}
    return plain | values | {"type": types if isinstance(types, list) else [types]}


def _shown(schema: Schema, keyword: str) -> str:
    match schema.get(keyword):
        case None if keyword not in schema:
            return "not there"
        case dict():
            return "another schema"
        case [only]:
            return repr(only)
        case value:
            return repr(value)
