"""API Gateway's proxy events in, and what it answers from."""

import base64
import json
import re
from typing import Any

import msgspec
import pytest

from jitsi_tokens import http
from jitsi_tokens.core import problems
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.problems import FieldError, Kind, Problem, invalid_field

JSON = "application/json"
LARGEST = b" " * http.MAX_BODY_BYTES
HEADERS = {
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}


def event(body: Any, content_type: str | None = JSON, **more: Any) -> dict[str, Any]:
    """Return a proxy event with this body."""
    return {"body": body, "headers": {"Content-Type": content_type}, **more}


def in_base_64(body: bytes) -> dict[str, Any]:
    """Return a proxy event with a body as API Gateway sends binary types."""
    return event(base64.b64encode(body).decode(), isBase64Encoded=True)


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        *(
            (event('{"a": "é"}', content_type), '{"a": "é"}'.encode())
            for content_type in (
                *(JSON, "Application/JSON", "application/json; charset=utf-8", "application/json;"),
                *('application/json;charset="UTF-8"', " application/json ; charset=UTF-8 "),
            )
        ),
        *(
            ({"body": "{}", "headers": {name: JSON}}, b"{}")
            for name in ("content-type", "CONTENT-TYPE")
        ),
        (in_base_64(b'{"a": 1}'), b'{"a": 1}'),
        # What reads it says what is wrong with it.
        (event(None), b""),
        (event(""), b""),
        (event(LARGEST.decode()), LARGEST),
        (in_base_64(LARGEST), LARGEST),
    ],
)
def test_a_json_body_arrives(sent: dict[str, Any], body: bytes) -> None:
    """As the bytes of its UTF-8, however type and header are spelt, up to 16 KiB."""
    assert http.json_body(sent) == body


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        *(
            # A browser's form cannot reach the service by accident.
            (event("{}", content_type), problems.UNSUPPORTED_MEDIA_TYPE)
            for content_type in (
                *(None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"),
                *("application/json; charset=latin-1", "application/problem+json", "text/json"),
                *("application/json; charset=utf-8; profile=x", "application/json, text/plain"),
            )
        ),
        *(
            ({"body": "{}", "headers": headers}, problems.UNSUPPORTED_MEDIA_TYPE)
            for headers in (None, {}, {"Content-Type": JSON, "Content-Encoding": "gzip"})
        ),
        *(
            (event(text, isBase64Encoded=True), problems.MALFORMED_REQUEST)
            for text in ("%%%", "e30", "e30=\n", "é30=")
        ),
        (event('"\ud800"'), problems.MALFORMED_REQUEST),
        # Counted in bytes, and before anything else is looked at or decoded.
        (event(" " * (http.MAX_BODY_BYTES + 1)), problems.CONTENT_TOO_LARGE),
        (event("é" * (http.MAX_BODY_BYTES // 2 + 1)), problems.CONTENT_TOO_LARGE),
        (in_base_64(LARGEST + b" "), problems.CONTENT_TOO_LARGE),
        (event("%" * 7_000_000, isBase64Encoded=True), problems.CONTENT_TOO_LARGE),
        (event(" " * 100_000, "text/plain"), problems.CONTENT_TOO_LARGE),
    ],
)
def test_another_body_is_refused(sent: dict[str, Any], kind: Kind) -> None:
    """Too large, of another type, compressed, or not to be decoded."""
    with pytest.raises(Problem) as refused:
        http.json_body(sent)

    assert refused.value.kind is kind


def test_the_caller_is_who_the_authorizer_recognised() -> None:
    """Read back from the one string."""
    client = Client(name="clinic-a", policy=Policy(rooms=["*"]))
    context = {"authorizer": {"client": write_client(client), "principalId": "clinic-a"}}

    assert http.caller({"requestContext": context}) == client


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {}}},
        {"requestContext": {"authorizer": {"client": ""}}},
        {"requestContext": {"authorizer": {"client": {"name": "a", "policy": {}}}}},
        {"requestContext": {"authorizer": {"client": '{"name": "a"}'}}},
        {"requestContext": {"authorizer": {"principalId": "clinic-a"}}},
    ],
)
def test_a_caller_whom_nobody_recognised_is_refused(sent: dict[str, Any]) -> None:
    """Missing or malformed, it is a 401."""
    with pytest.raises(Problem) as refused:
        http.caller(sent)

    assert refused.value.kind is problems.UNAUTHORIZED


@pytest.mark.parametrize(
    "authorizer",
    [{}, *({"key": key} for key in (None, 7, "0123456789a", "0123456789AB", "0123456789ab\n"))],
)
def test_a_key_that_no_authorizer_writes_is_none(authorizer: dict[str, object]) -> None:
    """An answer of an earlier authorizer has no such value, and its caller is served."""
    assert http.key_digits({"requestContext": {"authorizer": authorizer}}) is None


@pytest.mark.parametrize(
    ("sent", "identifier"),
    [
        ({"requestContext": {"extendedRequestId": "id-1", "requestId": "of-the-caller"}}, "id-1"),
        ({"requestContext": {"extendedRequestId": 7}}, None),
        ({"requestContext": None}, None),
    ],
)
def test_the_requests_id(sent: dict[str, Any], identifier: str | None) -> None:
    """API Gateway's, or none."""
    assert http.request_id(sent) == identifier


def test_an_answer() -> None:
    """JSON that nobody stores or guesses the type of."""
    assert http.ok(FieldError("/userName", "é")) == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json", **HEADERS},
        "body": '{"pointer":"/userName","detail":"é"}',
    }


@pytest.mark.parametrize(
    ("problem", "headers"),
    [
        (invalid_field("/userId", "is required"), {}),
        (Problem(problems.UNAVAILABLE, "x", retry_after_seconds=0), {"Retry-After": "0"}),
        # RFC 9110, 15.5.6.
        (Problem(problems.METHOD_NOT_ALLOWED, "x", allow="GET, HEAD"), {"Allow": "GET, HEAD"}),
    ],
)
def test_a_refusal(problem: Problem, headers: dict[str, str]) -> None:
    """Problem details, stored no more than an answer is, and the headers of its kind alone."""
    response = http.refused(problem)

    assert response["statusCode"] == problem.kind.status
    assert response["headers"] == {"Content-Type": "application/problem+json", **HEADERS, **headers}
    assert json.loads(response["body"]) == msgspec.to_builtins(problem.details())


def test_what_anybody_may_keep() -> None:
    """The body as it is, for how long, and a tag that is the body's own."""
    response = http.cacheable({}, "text/plain", "é", 60)
    other = http.cacheable({}, "text/plain", "e", 60)

    tag = response["headers"].pop("ETag")
    assert response == {
        "statusCode": 200,
        "headers": {
            **HEADERS,
            "Content-Type": "text/plain",
            "Cache-Control": "public, max-age=60",
        },
        "body": "é",
    }
    assert re.fullmatch(r'"[!-~]+"', tag)
    assert tag != other["headers"]["ETag"]


@pytest.mark.parametrize(
    ("name", "known", "status"),
    [
        ("If-None-Match", "TAG", 304),
        ("IF-NONE-MATCH", "W/TAG", 304),
        ("if-none-match", '"other", TAG', 304),
        ("if-none-match", 'W/"other",W/TAG , "third"', 304),
        ("if-none-match", " * ", 304),
        ("if-none-match", None, 200),
        ("if-none-match", "", 200),
        ("if-none-match", '"other"', 200),
        ("if-none-match", "UNQUOTED", 200),
        ("if-none-match", "W/", 200),
        ("if-none-match", '"*"', 200),
    ],
)
def test_who_has_a_body_already_is_sent_none(name: str, known: str | None, status: int) -> None:
    """But the headers that renew what they keep (RFC 9110, 15.4.5)."""
    tag = http.cacheable({}, "text/plain", "body", 60)["headers"]["ETag"]
    sent = known and known.replace("TAG", tag).replace("UNQUOTED", tag.strip('"'))

    response = http.cacheable({"headers": {name: sent}}, "text/plain", "body", 60)

    assert (response["statusCode"], response["body"]) == (status, "body" if status == 200 else "")
    assert response["headers"]["ETag"] == tag
    assert response["headers"]["Cache-Control"] == "public, max-age=60"
