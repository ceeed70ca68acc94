"""JSON Schemas of the types, and of each kind of problem."""

from __future__ import annotations

import copy
import functools
from typing import TYPE_CHECKING, Any

import msgspec

from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens.core.problems import ProblemDetails
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.core.visit_answers import EnterAnswer, StatusAnswer, VisitAnswer, VisitList
from jitsi_tokens.core.visit_requests import (
    DelayBody,
    EndBody,
    EnterBody,
    ParticipantBody,
    StatusBody,
    VisitBody,
)
from jitsi_tokens.diagnostics import Diagnostics, Probe
from openapi.key_set import JwkSet
from openapi.problems import EXAMPLES

if TYPE_CHECKING:
    from jitsi_tokens.core.problems import Kind

type Schema = dict[str, Any]

_REQUESTS = [TokenRequest, VisitBody, DelayBody, EndBody, ParticipantBody, EnterBody, StatusBody]
_OF_VISITS = [VisitAnswer, VisitList, StatusAnswer, EnterAnswer]
_ANSWERS = [IssuedToken, Probe, Diagnostics, JwkSet, *_OF_VISITS]
ANSWERS = [answer.__name__ for answer in _ANSWERS]
_TEMPLATE = "#/components/schemas/{name}"


@functools.cache
def schemas() -> dict[str, Schema]:
    """Return every schema by its name: the types first, then the problems."""
    _, components = msgspec.json.schema_components(
        [*_REQUESTS, *_ANSWERS, ProblemDetails], ref_template=_TEMPLATE
    )
    problem = components.pop("ProblemDetails")
    named = {kind_name(kind): _of_kind(kind, problem) for kind in EXAMPLES}
    return {name: _readable(schema) for name, schema in (components | named).items()}


def kind_name(kind: Kind) -> str:
    """Return the name of a kind's schema: `InvalidRequest` for `invalid-request`."""
    return "".join(word.capitalize() for word in kind.name.split("-"))


def reference(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": _TEMPLATE.format(name=name)}


def example(schema: Schema) -> dict[str, Any]:
    """Return an object made of the first example of each of its fields."""
    return {name: field["examples"][0] for name, field in schema["properties"].items()}


def _of_kind(kind: Kind, problem: Schema) -> Schema:
    schema = copy.deepcopy(problem)
    schema["title"] = kind_name(kind)
    schema["description"] = f"{kind.title} (RFC 9457)."
    document = msgspec.to_builtins(EXAMPLES[kind].details())
    for name, value in document.items():
        schema["properties"][name]["examples"] = [value]
    for name in ("type", "title", "status"):
        schema["properties"][name]["const"] = document[name]
    schema["properties"] = {
        name: field for name, field in schema["properties"].items() if name in document
    }
    return schema


_ORDER = ("title", "$ref", "type", "description")


def _readable(node: Any) -> Any:
    """Return a schema with its title, type and description first."""
    match node:
        case dict():
            first = [key for key in _ORDER if key in node and not isinstance(node[key], dict)]
            if "type" not in node and all(isinstance(each, str) for each in node.get("enum", [0])):
                node = {"type": "string"} | node
            rest = [key for key in node if key not in first]
            return {key: _readable(node[key]) for key in [*first, *rest]}
        case list():
            return [_readable(item) for item in node]
    return node
