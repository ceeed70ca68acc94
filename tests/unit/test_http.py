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
SECURITY = {
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}


def event(body: Any, content_type: str | None = JSON, **more: Any) -> dict[str, Any]:
    """Return a proxy event with this body."""
    return {"body": body, "headers": {"Content-Type": content_type}, **more}


def refusal(sent: dict[str, Any]) -> Kind:
    """Return the kind of the problem that an event's body meets."""
    with pytest.raises(Problem) as refused:
        http.json_body(sent)
    return refused.value.kind


@pytest.mark.parametrize(
    "content_type",
    [
        *(JSON, "Application/JSON", "application/json; charset=utf-8", "application/json;"),
        *('application/json;charset="UTF-8"', " application/json ; charset=UTF-8 "),
    ],
)
def test_a_json_body_arrives(content_type: str) -> None:
    """As the bytes of its UTF-8, however the type is spelt."""
    assert http.json_body(event('{"a": "é"}', content_type)) == '{"a": "é"}'.encode()


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_header_names_have_no_case(name: str) -> None:
    """API Gateway hands them on as they were sent."""
    assert http.json_body({"body": "{}", "headers": {name: JSON}}) == b"{}"


def test_a_body_in_base_64_arrives() -> None:
    """As API Gateway sends binary types."""
    text = base64.b64encode(b'{"a": 1}').decode()

    assert http.json_body(event(text, isBase64Encoded=True)) == b'{"a": 1}'


@pytest.mark.parametrize("body", [None, ""], ids=["null", "empty"])
def test_no_body_is_an_empty_one(body: str | None) -> None:
    """What reads it says what is wrong with it."""
    assert http.json_body(event(body)) == b""


@pytest.mark.parametrize(
    "content_type",
    [
        *(None, "", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"),
        *("application/json; charset=latin-1", "application/problem+json", "text/json"),
        *("application/json; charset=utf-8; profile=x", "application/json, text/plain"),
    ],
)
def test_another_type_is_refused(content_type: str | None) -> None:
    """A browser's form cannot reach the service by accident."""
    assert refusal(event("{}", content_type)) is problems.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("headers", [None, {}], ids=["null", "none"])
def test_a_request_without_headers_is_refused(headers: dict[str, str] | None) -> None:
    """It does not say that it is JSON."""
    assert refusal({"body": "{}", "headers": headers}) is problems.UNSUPPORTED_MEDIA_TYPE


def test_a_compressed_body_is_refused() -> None:
    """Nothing here unpacks what may be a bomb."""
    sent = {"body": "{}", "headers": {"Content-Type": JSON, "Content-Encoding": "gzip"}}

    assert refusal(sent) is problems.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("text", ["%%%", "e30", "e30=\n", "é30="])
def test_broken_base_64_is_refused(text: str) -> None:
    """Characters outside its alphabet, ASCII or not, and padding that lacks."""
    assert refusal(event(text, isBase64Encoded=True)) is problems.MALFORMED_REQUEST


def test_a_body_that_utf_8_cannot_carry_is_refused() -> None:
    """Half a surrogate pair."""
    assert refusal(event('"\ud800"')) is problems.MALFORMED_REQUEST


def test_the_largest_body_is_accepted() -> None:
    """Sixteen KiB, plain or in base 64."""
    largest = b" " * http.MAX_BODY_BYTES
    in_base_64 = base64.b64encode(largest).decode()

    assert http.json_body(event(largest.decode())) == largest
    assert http.json_body(event(in_base_64, isBase64Encoded=True)) == largest


@pytest.mark.parametrize(
    ("body", "in_base_64"),
    [
        (" " * (http.MAX_BODY_BYTES + 1), False),
        ("é" * (http.MAX_BODY_BYTES // 2 + 1), False),
        (" " * 7_000_000, False),
        (base64.b64encode(b" " * (http.MAX_BODY_BYTES + 1)).decode(), True),
        ("%" * 7_000_000, True),
    ],
    ids=["one-byte", "in-bytes", "seven-megabytes", "base-64", "broken-base-64"],
)
def test_a_larger_body_is_refused(body: str, *, in_base_64: bool) -> None:
    """Counted in bytes, and before it is decoded where that is plain already."""
    assert refusal(event(body, isBase64Encoded=in_base_64)) is problems.CONTENT_TOO_LARGE


def test_a_large_body_is_refused_before_its_type_is_looked_at() -> None:
    """The size comes first."""
    assert refusal(event(" " * 100_000, "text/plain")) is problems.CONTENT_TOO_LARGE


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
        {"requestContext": {}},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {}}},
        {"requestContext": {"authorizer": {"client": None}}},
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
    "key", [None, "", 7, "0123456789a", "0123456789abc", "0123456789AB", "0123456789ab\n"]
)
def test_a_key_that_no_authorizer_writes_is_none(key: object) -> None:
    """An answer of an earlier authorizer has no such value, and its caller is served."""
    assert http.key_digits({"requestContext": {"authorizer": {"key": key}}}) is None
    assert http.key_digits({"requestContext": {"authorizer": {}}}) is None
    assert http.key_digits({}) is None


@pytest.mark.parametrize(
    ("sent", "identifier"),
    [
        ({"requestContext": {"extendedRequestId": "id-1", "requestId": "of-the-caller"}}, "id-1"),
        ({"requestContext": {"extendedRequestId": 7}}, None),
        ({"requestContext": {}}, None),
        ({"requestContext": None}, None),
        ({}, None),
    ],
)
def test_the_requests_id(sent: dict[str, Any], identifier: str | None) -> None:
    """API Gateway's, or none."""
    assert http.request_id(sent) == identifier


def test_an_answer() -> None:
    """JSON that nobody stores or guesses the type of."""
    assert http.ok(FieldError("/userName", "é")) == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            **SECURITY,
        },
        "body": '{"pointer":"/userName","detail":"é"}',
    }


def test_a_refusal() -> None:
    """Problem details, stored no more than an answer is."""
    problem = invalid_field("/userId", "is required")

    response = http.refused(problem)

    assert response["statusCode"] == 400
    assert response["headers"] == {
        "Content-Type": "application/problem+json",
        "Cache-Control": "no-store",
        **SECURITY,
    }
    assert json.loads(response["body"]) == msgspec.to_builtins(problem.details())


@pytest.mark.parametrize("seconds", [0, 30])
def test_a_refusal_says_when_to_try_again(seconds: int) -> None:
    """In the header that HTTP has for it."""
    problem = Problem(problems.UNAVAILABLE, "Later.", retry_after_seconds=seconds)

    assert http.refused(problem)["headers"]["Retry-After"] == str(seconds)


def test_a_405_names_the_right_methods() -> None:
    """As RFC 9110 wants it (15.5.6); no other refusal does."""
    wrong = http.refused(Problem(problems.METHOD_NOT_ALLOWED, "No.", allow="GET, HEAD"))

    assert wrong["headers"]["Allow"] == "GET, HEAD"
    assert "Allow" not in http.refused(Problem(problems.NOT_FOUND, "No."))["headers"]


def test_what_anybody_may_keep() -> None:
    """The body as it is, for how long, and a tag that is the body's own."""
    response = http.cacheable({}, "text/plain", "é", 60)
    other = http.cacheable({}, "text/plain", "e", 60)

    tag = response["headers"].pop("ETag")
    assert response == {
        "statusCode": 200,
        "headers": {
            "Content-Type": "text/plain",
            "Cache-Control": "public, max-age=60",
            **SECURITY,
        },
        "body": "é",
    }
    assert re.fullmatch(r'"[!-~]+"', tag)
    assert tag != other["headers"]["ETag"]


@pytest.mark.parametrize("name", ["If-None-Match", "if-none-match", "IF-NONE-MATCH"])
@pytest.mark.parametrize(
    "known", ["TAG", "W/TAG", '"other", TAG', 'W/"other",W/TAG , "third"', "*", " * "]
)
def test_who_has_it_already_is_told_so(name: str, known: str) -> None:
    """With the headers that renew what they keep, and without the body (RFC 9110, 15.4.5)."""
    sent = http.cacheable({}, "text/plain", "body", 60)
    tag = sent["headers"]["ETag"]

    response = http.cacheable(
        {"headers": {name: known.replace("TAG", tag)}}, "text/plain", "body", 60
    )

    assert response["statusCode"] == 304
    assert response["body"] == ""
    assert response["headers"]["ETag"] == tag
    assert response["headers"]["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("known", [None, "", '"other"', "TAG without quotes", "W/", '"*"'])
def test_who_has_another_body_is_sent_this_one(known: str | None) -> None:
    """Or none, or a header that is none."""
    tag = http.cacheable({}, "text/plain", "body", 60)["headers"]["ETag"].strip('"')
    sent = known.replace("TAG", tag) if known else known

    response = http.cacheable({"headers": {"If-None-Match": sent}}, "text/plain", "body", 60)

    assert (response["statusCode"], response["body"]) == (200, "body")
