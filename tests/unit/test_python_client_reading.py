"""What the Python client reads out of an answer, and of none."""

from __future__ import annotations

import json
import socket
import ssl
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import (
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    Limits,
    Meeting,
    NotAllowedError,
    Secret,
    UnavailableError,
)
from jitsi_tokens_client.address import Address
from jitsi_tokens_client.attempt import failure_of
from jitsi_tokens_client.body import TokenRequest
from jitsi_tokens_client.call import Call, is_configured, issue
from jitsi_tokens_client.outcome import MAX_BODY_BYTES, Answer, Failure, Reason, Reception
from jitsi_tokens_client.settings import Settings

HOST = "tokens.example.org"
KEY = "Never-In-A-Message-0123456789"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
ID_KEY = "An-Id-Key-In-No-Message"
SETTINGS = Settings(Address(f"https://{HOST}", HOST), Secret(KEY), Secret(ID_KEY))
PROBLEM = "application/problem+json"
MEETING = {
    "token": TOKEN,
    "expiresAt": 2,
    "notBefore": 1,
    "meetingUrl": f"https://meet.example.org/visit#jwt=%22{TOKEN}%22",
    "roomName": "visit",
}


def result(outcome: Answer | Failure) -> Meeting | JitsiTokensError:
    """Return what a call for a token comes to that makes one attempt."""
    call = issue(SETTINGS, Limits(attempts=1), TokenRequest(room_name="visit", user_name="Jane"))
    assert isinstance(call, Call)
    call.begin(0)
    assert call.take(outcome, now=0, clock=0, chance=0) is None
    assert call.result is not None
    return call.result


def state(outcome: Answer) -> bool | JitsiTokensError:
    """Return what a call comes to that asks whether the service is configured."""
    call = is_configured(SETTINGS, Limits())
    call.begin(0)
    assert call.take(outcome, now=0, clock=0, chance=0) is None
    assert call.result is not None
    return call.result


def answer(status: int, document: object, media_type: str = "application/json") -> Answer:
    """Return an answer with this JSON."""
    return Answer(status, media_type, None, json.dumps(document).encode())


def problem(**changes: Any) -> JitsiTokensError:
    """Return the error of a problem document."""
    document = {
        "type": "urn:jitsi-tokens:problem:forbidden",
        "detail": "isModerator must be false.",
        "errors": [{"pointer": "/isModerator", "detail": "must be false."}],
    }
    error = result(answer(403, document | changes, PROBLEM))
    assert isinstance(error, NotAllowedError)
    return error


def test_a_token_is_read() -> None:
    """Field by field; more than these may stand there."""
    meeting = result(answer(200, MEETING | {"more": 1}))

    assert isinstance(meeting, Meeting)
    assert (meeting.token, meeting.meeting_url) == (TOKEN, MEETING["meetingUrl"])
    assert (meeting.expires_at, meeting.not_before, meeting.room_name) == (2, 1, "visit")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        json.dumps(MEETING).encode()[:-1],
        json.dumps([MEETING]).encode(),
        json.dumps(MEETING).encode("utf-16"),
        b"[" * 60_000,
        b'{"expiresAt": ' + b"7" * 5000 + b"}",
        *(json.dumps({k: v for k, v in MEETING.items() if k != name}).encode() for name in MEETING),
        *(
            json.dumps(MEETING | wrong).encode()
            for wrong in (
                {"token": "a.b"},
                {"token": "a..c"},
                {"token": "a.b.c\n"},
                {"token": 7},
                {"expiresAt": True},
                {"expiresAt": "2"},
                {"expiresAt": 2.0},
                {"expiresAt": 2**63},
                {"notBefore": None},
                {"notBefore": False},
                {"meetingUrl": "http://meet.example.org"},
                {"meetingUrl": "https://"},
                {"meetingUrl": "https://meet.example.org/a b"},
                {"meetingUrl": "https://meet.example.org/\n"},
                {"meetingUrl": "https://meet.example.org/\x7f"},
                {"roomName": None},
                {"roomName": "\ud800"},
            )
        ),
    ],
)
def test_what_is_no_token_is_not_taken_for_one(body: bytes) -> None:
    """Whoever answers there is not the service."""
    error = result(Answer(200, "application/json", None, body))

    assert isinstance(error, UnavailableError)
    assert error.status == 200
    assert "something else than a token: is the address right?" in str(error)


def test_a_token_says_that_it_is_json() -> None:
    """A page that happens to parse is none."""
    assert isinstance(result(answer(200, MEETING, "text/html")), UnavailableError)
    assert isinstance(result(Answer(200, "application/json", None, None)), UnavailableError)


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        (CredentialsError, [401]),
        (NotAllowedError, [403]),
        (InvalidRequestError, [400, 413, 415, 422]),
        (ConfigurationError, [301, 302, 303, 307, 308, 304, 399, 404, 405]),
        (UnavailableError, [429, 502, 503, 504, 500, 501, 418, 201, 204, 101, 599, 402]),
    ],
)
def test_a_status_is_an_error_of_its_kind(
    kind: type[JitsiTokensError], statuses: list[int]
) -> None:
    """With and without a body that can be read."""
    for status in statuses:
        for body in (b"", b"<html>", json.dumps(MEETING).encode()):
            error = result(Answer(status, "application/json", None, body))
            assert type(error) is kind
            assert error.status == status
            assert HOST in str(error)


def test_a_state_is_a_boolean() -> None:
    """Anything else is not the service's."""
    assert state(answer(200, {"configured": True})) is True
    assert state(answer(200, {"configured": False})) is False
    documents: tuple[object, ...] = ({}, {"configured": 1}, [])
    for document in documents:
        error = state(answer(200, document))
        assert isinstance(error, UnavailableError)
        assert "something else than whether it is configured" in str(error)


def test_no_key_is_refused_where_none_is_sent() -> None:
    """The service asks nobody for one to tell its state."""
    error = state(answer(401, {"type": "urn:jitsi-tokens:problem:unauthorized"}, PROBLEM))

    assert type(error) is ConfigurationError
    assert str(error) == f"There is no token service at this address ({HOST}, HTTP 401)."
    assert error.status == 401


def test_what_the_service_says_is_repeated() -> None:
    """The first error's detail, else the document's own; the field by its pointer."""
    error = problem()
    assert str(error) == f"{HOST} does not allow this: /isModerator must be false."
    assert isinstance(error, NotAllowedError)
    assert error.field == "/isModerator"

    assert str(problem(errors=[])) == f"{HOST} does not allow this: isModerator must be false."
    assert str(problem(errors={"0": {"detail": "no"}})) == (
        f"{HOST} does not allow this: isModerator must be false."
    )
    assert str(problem(errors=None, detail=None)) == f"{HOST} does not allow this."


def test_a_refusal_by_another_than_the_service_is_told_apart() -> None:
    """Nothing of it is repeated."""
    for document, media_type in (
        ({"detail": "Forbidden"}, PROBLEM),
        ({"type": "about:blank", "detail": "Forbidden"}, PROBLEM),
        ({"type": "urn:jitsi-tokens:problem:forbidden", "detail": "Forbidden"}, "text/html"),
    ):
        error = result(answer(403, document, media_type))
        assert "a firewall or the address's own access list" in str(error)
        assert "Forbidden" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {KEY}",
        KEY,
        ID_KEY,
        f"{'x' * 290}{KEY}",
        f"token {TOKEN}",
        f"{TOKEN[:20]}",
        f"/{KEY}",
        f"/{TOKEN}",
    ],
)
def test_a_detail_with_a_secret_is_dropped(text: str) -> None:
    """Whole, and before it is cut: a part of a key is one, too."""
    error = problem(detail=text, errors=[{"pointer": text, "detail": text}])

    assert str(error) == f"{HOST} does not allow this."
    assert isinstance(error, NotAllowedError)
    assert error.field is None


def test_a_detail_is_one_line_of_300_characters() -> None:
    """A log takes one line for one line."""
    error = problem(errors=[], detail="a\r\n\x1b[31m\u202e\u2028" + "x" * 400)

    assert str(error) == f"{HOST} does not allow this: a   [31m  {'x' * 290}."


@pytest.mark.parametrize("pointer", ["isModerator", "/" + "x" * 100, "/a\nb", 7, None, "", [], {}])
def test_a_field_is_a_short_pointer(pointer: object) -> None:
    """Else there is none."""
    error = problem(errors=[{"pointer": pointer, "detail": "no."}])

    assert isinstance(error, NotAllowedError)
    assert error.field is None


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
    st.sampled_from(["application/json", PROBLEM, "text/html", ""]) | st.text(),
    st.text() | st.none(),
    st.binary() | DOCUMENTS.map(lambda d: json.dumps(d).encode()) | st.none(),
)
def test_anything_comes_to_an_outcome(
    status: int, media_type: str, retry_after: str | None, body: bytes | None
) -> None:
    """A meeting or an error, whose message holds neither key nor token, on one line."""
    outcome = result(Answer(status, media_type, retry_after, body))

    assert isinstance(outcome, Meeting | JitsiTokensError)
    shown = f"{outcome!r} {outcome}" if isinstance(outcome, JitsiTokensError) else repr(outcome)
    assert KEY not in shown
    assert TOKEN not in shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ReadTimeout(KEY), Reason.TIMED_OUT),
        (httpx.PoolTimeout(KEY), Reason.TIMED_OUT),
        (httpx.ConnectError(KEY), Reason.NOT_CONNECTED),
        (httpx.ProxyError(KEY), Reason.NOT_CONNECTED),
        (httpx.ReadError(KEY), Reason.CLOSED),
        (httpx.RemoteProtocolError(KEY), Reason.CLOSED),
        (ConnectionResetError(KEY), Reason.CLOSED),
        (socket.gaierror(KEY), Reason.NOT_RESOLVED),
        (ssl.SSLCertVerificationError(KEY), Reason.CERTIFICATE),
        (httpx.InvalidURL(KEY), Reason.ADDRESS),
        (httpx.UnsupportedProtocol(KEY), Reason.ADDRESS),
        (UnicodeError(KEY), Reason.ADDRESS),
        (httpx.LocalProtocolError(KEY), Reason.UNEXPECTED),
        (RuntimeError(KEY), Reason.UNEXPECTED),
    ],
)
def test_an_exception_becomes_a_failure(error: Exception, reason: Reason) -> None:
    """By its kind; its text may hold what was sent."""
    failure = failure_of(error)
    assert failure.reason is reason

    expected = UnavailableError
    if reason in {Reason.CERTIFICATE, Reason.ADDRESS}:
        expected = ConfigurationError  # type: ignore[assignment]
    told = result(failure)
    assert type(told) is expected
    assert KEY not in repr(told)


def test_a_cause_decides_before_its_wrapper() -> None:
    """Httpx tells a certificate and a name by ConnectError alone."""
    for cause, reason in (
        (ssl.SSLCertVerificationError(), Reason.CERTIFICATE),
        (socket.gaierror(), Reason.NOT_RESOLVED),
    ):
        error = httpx.ConnectError("")
        error.__context__ = OSError()
        error.__context__.__cause__ = cause
        assert failure_of(error).reason is reason


def test_causes_in_a_circle_end() -> None:
    """An exception may be made its own ancestor."""
    one, other = httpx.ReadError(""), OSError()
    one.__cause__, other.__cause__ = other, one

    assert failure_of(one) == Failure(Reason.CLOSED)


def test_an_answer_comes_in_as_far_as_it_is_of_use() -> None:
    """One byte too many, or any encoding, and it is not the service's."""
    headers = {"Content-Type": "Application/JSON; charset=utf-8", "Retry-After": "7"}
    reception = Reception(httpx.Response(503, headers=headers))
    reception.take(b"x" * MAX_BODY_BYTES)
    assert not reception.is_complete
    whole = reception.answer()
    assert (whole.status, whole.media_type, whole.retry_after) == (503, "application/json", "7")
    assert whole.body == b"x" * MAX_BODY_BYTES

    reception.take(b"x")
    assert reception.is_complete
    assert reception.answer().body is None

    packed = Reception(httpx.Response(200, headers={"Content-Encoding": "gzip"}))
    assert packed.is_complete
    assert packed.answer().body is None
