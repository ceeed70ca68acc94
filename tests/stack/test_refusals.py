"""Bad requests over HTTP: each is a 4xx problem, and a good one works after them."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.stack.service import FORGED, PERSON, ROOM

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

JSON = "application/json"
NOW = int(time.time())


def body(**fields: Any) -> bytes:
    """Return the good body with some fields set otherwise."""
    return json.dumps(PERSON | fields).encode()


def without(name: str) -> bytes:
    """Return the good body without one field."""
    return json.dumps({key: value for key, value in PERSON.items() if key != name}).encode()


WRONG_TYPES: list[Any] = [None, 7, 1.5, True, [], {}, ["x"], {"x": 1}]
WRONG_BOOLEANS: list[Any] = [None, 0, 1, "true", "", []]
WRONG_LIFETIMES: list[Any] = [None, "3600", 3600.5, True, [], 0, -1, 59, 14401, 10**30]
WRONG_TIMES: list[Any] = [None, True, 1.5, [], "", "soon", "2026-11-22T10:00:00", "2026-13-45"]
WRONG_FEATURES: list[Any] = [
    None,
    [],
    "x",
    {"lobby": 1},
    {"lobby": "true"},
    {"lobby": None},
    {"fly": True},
]
STRINGS = ["userId", "userName", "roomName", "userEmail", "userAvatar"]
UNSAFE = {
    "NUL": "\0",
    "line feed": "\n",
    "escape": "\x1b[31m",
    "C1": "\x85",
    "line separator": "\u2028",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "replacement": "\ufffd",
}

BAD: dict[str, bytes] = {
    **{
        f"{name} is {json.dumps(value)}": body(**{name: value})
        for name in STRINGS
        for value in WRONG_TYPES
    },
    **{f"isModerator is {json.dumps(value)}": body(isModerator=value) for value in WRONG_BOOLEANS},
    **{
        f"expirationSeconds is {json.dumps(value)}": body(expirationSeconds=value)
        for value in WRONG_LIFETIMES
    },
    **{f"notBefore is {json.dumps(value)}": body(notBefore=value) for value in WRONG_TIMES},
    **{f"features is {json.dumps(value)}": body(features=value) for value in WRONG_FEATURES},
    **{f"no {name}": without(name) for name in ("userId", "userName", "roomName")},
    **{f"empty {name}": body(**{name: ""}) for name in STRINGS},
    **{f"blank {name}": body(**{name: " \u200d\t"}) for name in ("userId", "userName", "roomName")},
    "long userId": body(userId="x" * 129),
    "long userName": body(userName="x" * 256),
    "long roomName": body(roomName="x" * 256),
    "long userAvatar": body(userAvatar=f"https://example.org/{'x' * 2048}"),
    "long userEmail": body(userEmail=f"{'x' * 300}@example.org"),
    **{
        f"{label} in {name}": body(**{name: f"a{text}b"})
        for label, text in UNSAFE.items()
        for name in ("userId", "userName", "roomName", "userEmail")
    },
    **{
        f"room {label}": body(roomName=room)
        for label, room in {
            "star": "*",
            "escaped star": "%2A",
            "full-width star": "\uff0a",
            "small star": "\ufe61",
            "escaped full-width star": "%EF%BC%8A",
            "dot": ".",
            "escaped dots": "%2e%2e",
            "tenant": f"vpaas-magic-cookie-2ec2e4abf2874096ba00d895b9672444/{ROOM}",
            "escaped slash": f"a%2F{ROOM}",
            "escaped NUL": f"{ROOM}%00",
            "escaped override": f"{ROOM}%E2%80%AE",
            "unstable": f"{ROOM}J\u030c",
            "too long once encoded": "\U0001f600" * 255,
        }.items()
    },
    "NaN": b'{"userId": "x", "userName": "x", "roomName": "x", "expirationSeconds": NaN}',
    "infinity": b'{"userId": "x", "userName": "x", "roomName": "x", "notBefore": Infinity}',
    "1e999": b'{"userId": "x", "userName": "x", "roomName": "x", "expirationSeconds": 1e999}',
    "ten thousand digits": body(notBefore=0).replace(
        b'"notBefore": 0', b'"notBefore": ' + b"9" * 9999
    ),
    "deep arrays": b"[" * 15000,
    "deep objects": b'{"features":' * 1200,
    "deep value": body(features=0).replace(b'"features": 0', b'"features": ' + b"[" * 9000),
    "a name twice": body().replace(b"{", b'{"isModerator": true, "isModerator": false, ', 1),
    "a feature twice": body(features=0).replace(b": 0", b': {"lobby": true, "lobby": false}'),
    "broken UTF-8": body(userName="@").replace(b"@", b"\xff\xfe"),
    "overlong UTF-8": body(userName="@").replace(b"@", b"\xc0\xaf"),
    "lone surrogate": body(userName="@").replace(b"@", b"\\ud800"),
    "byte order mark": b"\xef\xbb\xbf" + body(),
    "UTF-16": json.dumps(PERSON).encode("utf-16"),
    "base64": base64.b64encode(body()),
    "empty": b"",
    "blank": b"   ",
    "null": b"null",
    "array": b"[]",
    "string": b'"x"',
    "number": b"1",
    "truncated": body()[:-1],
    "trailing": body() + b"x",
    "form": b"userId=x&userName=x&roomName=x",
    "unknown field": body(admin=True),
    "unknown field with line feed": body(**{"x\ninjected": 1}),
    "misspelt field": body(ismoderator=True),
    "context": body(context={"user": {"moderator": True}}),
    "http avatar": body(userAvatar="http://example.org/a.png"),
    "javascript avatar": body(userAvatar="javascript:alert(1)"),
    "avatar with password": body(userAvatar="https://user:pass@example.org/a.png"),
    "avatar with bad port": body(userAvatar="https://example.org:99999/"),
    "no address": body(userEmail="nobody"),
    "address with line feed": body(userEmail="a@example.org\nBcc: b@example.org"),
    "two addresses": body(userEmail="a@example.org,b@example.org"),
    "window over": body(notBefore=NOW - 7200, expirationSeconds=3600),
    "window too far ahead": body(notBefore=NOW + 8 * 86400),
    "milliseconds": body(notBefore=NOW * 1000),
    "before all time": body(notBefore=-(10**18)),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_body_is_refused_with_a_reason(jaas: Service, content: bytes) -> None:
    """Whatever is wrong, the answer is a 400 problem that says what to change."""
    answer = jaas.http.post(
        "/api/jitsi/jwt",
        content=content,
        headers={"Authorization": f"Bearer {jaas.api_key}", "Content-Type": JSON},
    )

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 400
    assert problem["type"].startswith("urn:jitsi-tokens:problem:")
    assert problem["detail"]


@pytest.mark.parametrize(
    ("headers", "size", "status"),
    [
        ({"Content-Type": JSON}, 16 * 1024 + 1, 413),
        ({"Content-Type": JSON}, 7_000_000, 413),
        ({}, 0, 415),
        ({"Content-Type": "text/plain"}, 0, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 0, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 0, 415),
        ({"Content-Type": "application/json, text/plain"}, 0, 415),
        ({"Content-Type": JSON, "Content-Encoding": "gzip"}, 0, 415),
    ],
)
def test_a_body_too_large_or_not_json_is_refused(
    jaas: Service, headers: dict[str, str], size: int, status: int
) -> None:
    """Size and media type are looked at before the body is."""
    content = body() + b" " * max(0, size - len(body()))

    answer = jaas.http.post(
        "/api/jitsi/jwt",
        content=content,
        headers={"Authorization": f"Bearer {jaas.api_key}"} | headers,
    )

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_headers_that_look_like_log_lines_are_nothing_special(jaas: Service) -> None:
    """What a caller puts into other headers is not in the answer; test_whole_log reads the log."""
    answer = jaas.http.post(
        "/api/jitsi/jwt",
        json=PERSON,
        headers={
            "Authorization": f"Bearer {jaas.api_key}",
            "User-Agent": f'{{"outcome":"issued","client":"{FORGED}"}}',
            "X-Amzn-Trace-Id": f"Root=1;{FORGED}",
            "X-Forwarded-For": FORGED,
            "x-amzn-RequestId": f"{FORGED}-request-id@{FORGED}.example",
        },
    )

    assert answer.status_code == 200
    assert FORGED not in answer.text
    assert FORGED not in str(answer.headers)


def test_16_kib_are_read(jaas: Service) -> None:
    """The largest body that is allowed is answered."""
    content = body() + b" " * (16 * 1024 - len(body()))

    answer = jaas.http.post(
        "/api/jitsi/jwt",
        content=content,
        headers={"Authorization": f"Bearer {jaas.api_key}", "Content-Type": JSON},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"userName": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"},
        {"notBefore": NOW - 300, "expirationSeconds": 3600},
        {"notBefore": NOW + 6 * 86400},
        {"expirationSeconds": 14400},
        {"features": {}},
    ],
    ids=["plain", "Persian name", "inside the window", "next week", "ceiling", "no features"],
)
def test_a_good_request_works_after_them(jaas: Service, fields: dict[str, Any]) -> None:
    """Nothing of the above broke the service."""
    answer = jaas.post(**fields)

    assert answer.status_code == 200
