"""What the routes answer: bodies, headers, and the problems of each status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jitsi_tokens.core import problems
from openapi.problems import EXAMPLES
from openapi.schemas import ANSWERS, example, kind_name, reference, schemas

if TYPE_CHECKING:
    from jitsi_tokens.core.problems import Kind

PROBLEM_JSON = "application/problem+json"
_DIGEST = "0123456789abcdef" * 4
_NO_STORE = "NoStore"
_ALWAYS = {"X-Content-Type-Options": "Nosniff"}

HEADERS: dict[str, dict[str, Any]] = {
    _NO_STORE: {
        "description": "No cache may store this response.",
        "required": True,
        "schema": {"type": "string", "const": "no-store"},
        "example": "no-store",
    },
    "PublicForAWhile": {
        "description": "Any cache may store this response, for at most 60 seconds.",
        "required": True,
        "schema": {"type": "string", "pattern": "^public, max-age=[0-9]+$"},
        "example": "public, max-age=60",
    },
    "EntityTag": {
        "description": "Identifies the body. Send it as `If-None-Match` in the next request.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{64}"$'},
        "example": f'"{_DIGEST}"',
    },
    "Nosniff": {
        "description": "Tells browsers to trust `Content-Type`.",
        "required": True,
        "schema": {"type": "string", "const": "nosniff"},
        "example": "nosniff",
    },
    "BearerScheme": {
        "description": (
            "How to authenticate. Present only on API Gateway's own 401 responses, as the gateway"
            " renames this header on those from a function."
        ),
        "required": False,
        "schema": {"type": "string", "const": "Bearer"},
        "example": "Bearer",
    },
    "Allow": {
        "description": "The methods that this path supports.",
        "required": True,
        "schema": {"type": "string"},
        "example": "GET, HEAD, POST",
    },
    "RetryAfter": {
        "description": "How many seconds to wait before you try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
        "example": 5,
    },
}
_PUBLIC = {"Cache-Control": "PublicForAWhile", "ETag": "EntityTag", **_ALWAYS}

# The name of a refusal, the kinds that it answers with, when it does.
_REFUSALS: dict[str, tuple[list[Kind], str]] = {
    "Unreadable": ([problems.MALFORMED_REQUEST], "API Gateway cannot read the request."),
    "Refused": (
        [problems.MALFORMED_REQUEST, problems.INVALID_REQUEST],
        "The body is not a JSON object in UTF-8, or a field is invalid.",
    ),
    "Unknown": ([problems.UNAUTHORIZED], "The API key is missing, wrong or revoked."),
    "Forbidden": ([problems.FORBIDDEN], "The client's policy does not allow this."),
    "Filtered": (
        [problems.FORBIDDEN],
        "The web application firewall, if the stack has one, rejected the request.",
    ),
    "NotPublished": (
        [problems.NOT_FOUND],
        "No such key is published. Only self-hosted stacks with RS256 publish keys.",
    ),
    "NoVisit": (
        [problems.NOT_FOUND],
        "This client has no such visit, or the visit has no such participant.",
    ),
    "Superseded": (
        [problems.SUPERSEDED],
        "The visit already has a higher `revision`. Nothing changed.",
    ),
    "Cancelled": (
        [problems.VISIT_CANCELLED],
        "The visit is cancelled. A PUT with `participants` revives it.",
    ),
    "NotNow": (
        [
            problems.TOO_EARLY,
            problems.WAITING_FOR_MODERATOR,
            problems.VISIT_OVER,
            problems.VISIT_CANCELLED,
        ],
        "The visit does not let this participant in now. `type` says why.",
    ),
    "NoLink": (
        [problems.LINK_INVALID, problems.LINK_REPLACED],
        "The link does not exist, or it was replaced or revoked.",
    ),
    "Interrupted": (
        [problems.VISIT_INTERRUPTED, problems.UNAVAILABLE],
        (
            "`unavailable`: the service cannot answer now; try again after `Retry-After`."
            " `visit-interrupted`, without `Retry-After`: the client that created the visit has no"
            " API key any more, or its policy no longer allows the visit."
        ),
    ),
    "MethodNotAllowed": (
        [problems.METHOD_NOT_ALLOWED],
        "This path does not support the method. `Allow` lists the methods it does.",
    ),
    "TooLarge": (
        [problems.CONTENT_TOO_LARGE],
        "The body exceeds 16,384 bytes.",
    ),
    "NotJson": (
        [problems.UNSUPPORTED_MEDIA_TYPE],
        "The body is not `application/json` in UTF-8, or it has a `Content-Encoding`.",
    ),
    "TooMany": (
        [problems.TOO_MANY_REQUESTS],
        "Too many requests. Try again after `Retry-After` seconds.",
    ),
    "Unavailable": (
        [problems.UNAVAILABLE],
        "The service cannot answer now. Try again after `Retry-After` seconds.",
    ),
}


def refusals(*names: str) -> dict[str, Any]:
    """Return a route's refusals by status."""
    return {
        str(_REFUSALS[name][0][0].status): {"$ref": f"#/components/responses/{name}"}
        for name in names
    }


def with_head(get: dict[str, Any]) -> dict[str, Any]:
    """Return a route that answers GET and HEAD."""
    changed = {
        "operationId": f"{get['operationId']}Head",
        "summary": f"{get['summary']} (headers only)",
        "description": "Returns what GET returns, without the body.",
        "responses": _without_body(get["responses"]),
    }
    return {"get": get, "head": get | changed}


def _without_body(answers: dict[str, Any]) -> dict[str, Any]:
    """Return a route's answers to GET as it answers HEAD."""
    shared = shared_answers()
    resolved = {
        status: shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in answers.items()
    }
    return {
        status: {name: value for name, value in answer.items() if name != "content"}
        for status, answer in resolved.items()
    }


def shared_answers() -> dict[str, Any]:
    """Return the refusals that routes refer to."""
    return {name: _refusal(*refusal) for name, refusal in _REFUSALS.items()}


def examples() -> dict[str, Any]:
    """Return the examples that answers refer to."""
    found = {
        name: {"summary": schemas()[name]["description"], "value": example(schemas()[name])}
        for name in ANSWERS
    }
    for kind, problem in EXAMPLES.items():
        value = msgspec.to_builtins(problem.details())
        found[kind_name(kind)] = {"summary": kind.title, "value": value}
    return found


def json_answer(
    schema: str,
    description: str,
    *,
    media_type: str = "application/json",
    public: bool = False,
) -> dict[str, Any]:
    """Return an answer whose body is an object of a schema."""
    return {
        "description": description,
        "headers": _headers(_PUBLIC if public else {"Cache-Control": _NO_STORE, **_ALWAYS}),
        "content": {
            media_type: {
                "schema": reference(schema),
                "examples": {schema: {"$ref": f"#/components/examples/{schema}"}},
            }
        },
    }


def page_answer() -> dict[str, Any]:
    """Return the answer of the page of visits."""
    return {
        "description": "The page, as HTML.",
        "headers": _headers(_PUBLIC),
        "content": {
            "text/html; charset=utf-8": {
                "schema": {"type": "string", "pattern": "^<!doctype html>"},
                "example": "<!doctype html>…",
            }
        },
    }


def pem_answer() -> dict[str, Any]:
    """Return the answer of a public key."""
    return {
        "description": "The public key, as PEM.",
        "headers": _headers(_PUBLIC),
        "content": {
            "application/x-pem-file": {
                "schema": {"type": "string", "pattern": "^-----BEGIN PUBLIC KEY-----\\n"},
                "example": "-----BEGIN PUBLIC KEY-----\nMIIBojANBgkq…\n-----END PUBLIC KEY-----\n",
            }
        },
    }


def not_modified() -> dict[str, Any]:
    """Return the answer to a caller that already has it."""
    return {
        "description": "Not modified: what the caller has (`If-None-Match`) is still current.",
        "headers": _headers(_PUBLIC),
    }


def _refusal(kinds: list[Kind], description: str) -> dict[str, Any]:
    headers = {"Cache-Control": _NO_STORE}
    if kinds == [problems.UNAUTHORIZED]:
        headers["WWW-Authenticate"] = "BearerScheme"
    if EXAMPLES[kinds[0]].allow is not None:
        headers["Allow"] = "Allow"
    if EXAMPLES[kinds[0]].retry_after_seconds is not None:
        headers["Retry-After"] = "RetryAfter"
    references = [reference(kind_name(kind)) for kind in kinds]
    return {
        "description": description,
        "headers": _headers(headers),
        "content": {
            PROBLEM_JSON: {
                "schema": {"oneOf": references} if references[1:] else references[0],
                "examples": {
                    kind_name(kind): {"$ref": f"#/components/examples/{kind_name(kind)}"}
                    for kind in kinds
                },
            }
        },
    }


def _headers(names: dict[str, str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{header}"} for name, header in names.items()}
