"""API Gateway's proxy events in, and what it answers from."""

import base64
import functools
import hashlib
import re
from typing import Any

import msgspec

from jitsi_tokens.core.clients import KEY_DIGITS, Client, read_client
from jitsi_tokens.core.problems import (
    CONTENT_TOO_LARGE,
    MALFORMED_REQUEST,
    UNAUTHORIZED,
    UNSUPPORTED_MEDIA_TYPE,
    Problem,
)

MAX_BODY_BYTES = 16 * 1024

# Two years. Nothing here is ever answered without TLS, on any domain name.
_SECURITY_HEADERS = {
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}

_KEY = re.compile(f"[0-9a-f]{{{KEY_DIGITS}}}")

type Event = dict[str, Any]
type Response = dict[str, Any]


def json_body(event: Event) -> bytes:
    """Return the body of a request that says it is JSON.

    Raises:
        Problem: 413, 415, or 400 for what cannot be decoded.
    """
    text = event.get("body") or ""
    # Checked before anything is decoded; base 64 is a third longer than what it holds.
    if len(text) > MAX_BODY_BYTES * 4 // 3 + 4:
        raise _too_large()
    headers = _headers(event)
    if not _is_json(headers.get("content-type")) or "content-encoding" in headers:
        raise Problem(
            UNSUPPORTED_MEDIA_TYPE,
            "Send the body as it is, with Content-Type: application/json (UTF-8).",
        )
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(text, validate=True)
        else:
            body = text.encode()
    except ValueError:
        raise Problem(MALFORMED_REQUEST, "The body must be valid JSON in UTF-8.") from None
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def caller(event: Event) -> Client:
    """Return the client that the authorizer recognised.

    Raises:
        Problem: 401: the authorizer handed on nothing that can be read.
    """
    text, max_advance = _handed_on(event, "client"), _handed_on(event, "maxAdvanceSeconds")
    client = None
    if isinstance(text, str) and isinstance(max_advance, str | None):
        client = read_client(text, max_advance)
    if client is None:
        raise Problem(UNAUTHORIZED, "Send a valid API key: Authorization: Bearer <API key>.")
    return client


def key_digits(event: Event) -> str | None:
    """Return the first digits of the API key's digest; None where the authorizer handed on none.

    API Gateway may remember an answer of an earlier version of the authorizer.
    """
    digits = _handed_on(event, "key")
    return digits if isinstance(digits, str) and _KEY.fullmatch(digits) else None


def path_parameter(event: Event, name: str) -> str:
    """Return a part of the path as API Gateway hands it over: on AWS percent-encoded."""
    return str((event.get("pathParameters") or {}).get(name, ""))


def query(event: Event) -> dict[str, str]:
    """Return the query, with each blank turned back into the `+` that was sent."""
    sent = event.get("queryStringParameters") or {}
    return {name: str(value).replace(" ", "+") for name, value in sent.items()}


def request_id(event: Event) -> str | None:
    """Return API Gateway's own id of the request: callers can set the shorter `requestId`."""
    identifier = (event.get("requestContext") or {}).get("extendedRequestId")
    return identifier if isinstance(identifier, str) else None


def ok(document: msgspec.Struct, status: int = 200) -> Response:
    """Return a 200, or another success, with a JSON body."""
    return _response(status, "application/json", document)


def cacheable(event: Event, content_type: str, body: str, max_age_seconds: int) -> Response:
    """Return a 200 that anybody may keep for a while, or a 304 to callers that have it already."""
    tag = _tag(body)
    headers = {
        "Cache-Control": f"public, max-age={max_age_seconds}",
        "ETag": tag,
        **_SECURITY_HEADERS,
    }
    known = _headers(event).get("if-none-match") or ""
    # RFC 9110, 13.1.2: a list, compared weakly, or a star.
    if tag in known or known.strip() == "*":
        return {"statusCode": 304, "headers": headers, "body": ""}
    return {"statusCode": 200, "headers": {"Content-Type": content_type, **headers}, "body": body}


def refused(problem: Problem) -> Response:
    """Return a problem as RFC 9457 problem details.

    A 401 has no `WWW-Authenticate`: API Gateway renames a function's. Its own 401 has one.
    """
    response = _response(problem.kind.status, "application/problem+json", problem.details())
    if problem.retry_after_seconds is not None:
        response["headers"]["Retry-After"] = str(problem.retry_after_seconds)
    if problem.allow is not None:
        response["headers"]["Allow"] = problem.allow
    return response


def for_method(event: Event, response: Response) -> Response:
    """Return a response without its body if the request is a HEAD (RFC 9110, 9.3.2)."""
    return response | {"body": ""} if event.get("httpMethod") == "HEAD" else response


@functools.lru_cache(maxsize=1)
def _tag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()}"'


def _handed_on(event: Event, name: str) -> object:
    context = event.get("requestContext") or {}
    return (context.get("authorizer") or {}).get(name)


def _headers(event: Event) -> dict[str, Any]:
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _response(status: int, content_type: str, document: msgspec.Struct) -> Response:
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            **_SECURITY_HEADERS,
        },
        "body": msgspec.json.encode(document).decode(),
    }


def _is_json(content_type: object) -> bool:
    if not isinstance(content_type, str):
        return False
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = ("charset=utf-8", 'charset="utf-8"', "")
    return media_type == "application/json" and all(part in charset for part in parameters)


def _too_large() -> Problem:
    return Problem(CONTENT_TOO_LARGE, f"The body must be at most {MAX_BODY_BYTES} bytes.")
