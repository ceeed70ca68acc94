"""What the Python client makes of an answer, and of an exception of the HTTP client."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import ConfigurationError, JitsiTokensError, Meeting, Secret
from jitsi_tokens_client import UnavailableError as Unavailable
from jitsi_tokens_client.answer import MAX_BODY_BYTES, Answer, error_of

HOST = "tokens.example.org"
KEY = "Never-In-A-Message-0123456789"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
PROBLEM = "application/problem+json"
MEETING = {
    "token": TOKEN,
    "expiresAt": 2,
    "notBefore": 1,
    "meetingUrl": f"https://meet.example.org/visit#jwt=%22{TOKEN}%22",
    "roomName": "visit",
}


def answer(status: int, media_type: str, body: bytes, **headers: str) -> Answer:
    """Return an answer whose body has come."""
    fields = {"Content-Type": media_type} | headers
    received = Answer(httpx.Response(status, headers=fields), HOST, clock=0)
    received.take(body)
    return received


def result(received: Answer) -> Meeting | JitsiTokensError:
    """Return the meeting, or the error."""
    try:
        return received.error([Secret(KEY)], is_with_key=True) or received.meeting()
    except JitsiTokensError as error:
        return error


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"expiresAt": ' + b"7" * 5000 + b"}",
        json.dumps(MEETING).encode("utf-16"),
        *(json.dumps({k: v for k, v in MEETING.items() if k != name}).encode() for name in MEETING),
    ],
)
def test_a_body_without_a_token_is_unavailable(body: bytes) -> None:
    """Other cases stand in tests/clients/test_alike.py, for PHP too."""
    error = result(answer(200, "application/json", body))

    assert isinstance(error, Unavailable)
    assert "something else than a token: is the address right?" in str(error)


LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from([KEY, TOKEN])
JSON = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.text(), LEAVES, max_size=2)
ERRORS = st.fixed_dictionaries({}, optional={"pointer": JSON, "detail": JSON})
# The service's own, but for one part.
DOCUMENTS = st.builds(
    lambda document, name, value: document | {name: value},
    st.sampled_from([MEETING, {"type": "urn:jitsi-tokens:problem:x", "detail": "no."}]),
    st.sampled_from(["type", "detail", "errors", *MEETING]),
    JSON | st.lists(ERRORS, max_size=2),
)


@given(
    st.integers(min_value=100, max_value=999),
    st.sampled_from(["application/json", PROBLEM, "text/html", ""]),
    st.text("0123456789 -:GMT"),
    st.binary() | DOCUMENTS.map(lambda d: json.dumps(d).encode()),
)
def test_any_answer_is_a_meeting_or_an_error(
    status: int, media_type: str, retry_after: str, body: bytes
) -> None:
    """The error's message is one line without key and token."""
    outcome = result(answer(status, media_type, body, **{"Retry-After": retry_after}))

    assert isinstance(outcome, Meeting | JitsiTokensError)
    shown = f"{outcome!r} {outcome}" if isinstance(outcome, JitsiTokensError) else repr(outcome)
    assert KEY not in shown
    assert TOKEN not in shown
    assert shown.isprintable()


def test_a_body_is_read_as_far_as_it_is_of_use() -> None:
    """Not one byte over the limit, and nothing that is encoded."""
    assert not answer(200, "", b"x" * MAX_BODY_BYTES).is_foreign
    assert answer(200, "", b"x" * (MAX_BODY_BYTES + 1)).is_foreign
    assert answer(200, "", b"", **{"Content-Encoding": "gzip"}).is_foreign


def caused_by(cause: Exception) -> httpx.ConnectError:
    """Return how httpx reports that it cannot connect."""
    error = httpx.ConnectError(KEY)
    error.__context__ = RuntimeError()
    error.__context__.__cause__ = cause
    return error


def refused_while_handling_a_certificate() -> Exception:
    """Return the error of a second service that the caller asks because of a first one."""
    error = ConnectionRefusedError()
    error.__context__ = ssl.SSLCertVerificationError()
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (httpx.ReadTimeout(KEY), Unavailable, "timed out"),
        (httpx.PoolTimeout(KEY), Unavailable, "timed out"),
        (httpx.ConnectError(KEY), Unavailable, "no connection"),
        (httpx.ProxyError(KEY), Unavailable, "no connection"),
        (httpx.ReadError(KEY), Unavailable, "closed"),
        (httpx.RemoteProtocolError(KEY), Unavailable, "closed"),
        (ConnectionResetError(KEY), Unavailable, "closed"),
        (caused_by(refused_while_handling_a_certificate()), Unavailable, "no connection"),
        (caused_by(socket.gaierror(KEY)), Unavailable, "its name does not resolve"),
        (caused_by(ssl.SSLCertVerificationError(KEY)), ConfigurationError, "certificate"),
    ],
)
def test_an_exception_becomes_an_error(
    error: Exception, kind: type[JitsiTokensError], words: str
) -> None:
    """By its kind and its causes; its text may hold what was sent."""
    told: Any = error_of(error, HOST)

    assert type(told) is kind
    assert words in str(told)
    assert HOST in str(told)
    assert KEY not in repr(told)
