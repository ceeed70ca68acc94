"""Bad requests over HTTP: what API Gateway hands on, and the problem that a caller is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.stack.service import FORGED, PERSON

if TYPE_CHECKING:
    import httpx

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps(PERSON).encode()
MALFORMED = {
    "empty": b"",
    "array": b"[]",
    "deep": b"[" * 15000,
    "a name twice": GOOD.replace(b"{", b'{"isModerator": true, "isModerator": false, ', 1),
    "truncated": GOOD[:-1],
    "lone surrogate": GOOD.replace(b"Zebulon", b"\\ud800"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": json.dumps(PERSON).encode("utf-16"),
}
INVALID = {
    "/userName": GOOD.replace(b"Zebulon", b"\xff\xfe"),  # broken UTF-8
    "/userId": GOOD.replace(b"-4711", b"\\u0000"),
    "/roomName": GOOD.replace(b"xylophone-visit", b"*"),
    "/expirationSeconds": GOOD.replace(b"{", b'{"expirationSeconds": 1e999, ', 1),
    "/features": GOOD.replace(b"{", b'{"features": %s, ' % (b"[" * 5000 + b"]" * 5000), 1),
    "/admin": GOOD.replace(b"{", b'{"admin": true, ', 1),
}


def send(service: Service, content: bytes, **headers: str) -> httpx.Response:
    """Send a body with an API key that may do everything."""
    headers["Authorization"] = f"Bearer {service.api_key}"
    return service.http.post("/api/jitsi/jwt", content=content, headers=headers)


def assert_problem(answer: httpx.Response, status: int, kind: str) -> None:
    """Assert that an answer is a problem of a kind."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["type"] == f"urn:jitsi-tokens:problem:{kind}"
    assert answer.json()["detail"]


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_json_object_is_refused(jaas: Service, content: bytes) -> None:
    """However its bytes pass API Gateway."""
    assert_problem(send(jaas, content, **JSON), 400, "malformed-request")


@pytest.mark.parametrize("pointer", INVALID)
def test_a_field_that_breaks_a_rule_is_named(jaas: Service, pointer: str) -> None:
    """tests/unit/test_requests.py has every rule."""
    answer = send(jaas, INVALID[pointer], **JSON)

    assert_problem(answer, 400, "invalid-request")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("size", [16 * 1024 + 1, 7_000_000])
def test_a_body_too_large_is_refused(jaas: Service, size: int) -> None:
    """Sixteen KiB are read."""
    assert_problem(send(jaas, GOOD.ljust(size), **JSON), 413, "content-too-large")
    assert send(jaas, GOOD.ljust(16 * 1024), **JSON).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        JSON | {"Content-Encoding": "gzip"},
    ],
    ids=["none", "form", "UTF-16", "gzip"],
)
def test_a_body_that_is_not_sent_as_json_is_refused(jaas: Service, headers: dict[str, str]) -> None:
    """By its media type, or its encoding."""
    assert_problem(send(jaas, GOOD, **headers), 415, "unsupported-media-type")


def test_headers_that_look_like_log_lines_are_nothing_special(jaas: Service) -> None:
    """What a caller puts into other headers is not in the answer; test_whole_log reads the log."""
    answer = send(
        jaas,
        GOOD,
        **JSON,
        **{
            "User-Agent": f'{{"outcome":"issued","client":"{FORGED}"}}',
            "X-Amzn-Trace-Id": f"Root=1;{FORGED}",
            "X-Forwarded-For": FORGED,
            "x-amzn-RequestId": f"{FORGED}-request-id@{FORGED}.example",
        },
    )

    assert answer.status_code == 200
    assert FORGED not in answer.text + str(answer.headers)
