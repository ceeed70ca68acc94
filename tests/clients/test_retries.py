"""What a caller does when the service does not answer, against a real server on loopback."""

from __future__ import annotations

import gzip
import socket
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.samples import API_KEY, GOOD, PATIENT, TOKEN, TOO_LONG, WELL, settings
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from tests.clients.callers import Caller
    from tests.clients.unruly_server import Deed

BUSY = unruly.problem("unavailable", 503, "Try again.")
# Enough for a machine under load; what takes longer has not ended by its own limit.
SLACK_SECONDS = 1.5


@pytest.mark.parametrize(
    "deed",
    [
        *(unruly.answer(status, "busy", "text/plain") for status in (429, 502, 503, 504)),
        BUSY,
        unruly.close,
        unruly.reset,
        unruly.half(GOOD),
    ],
    ids=["429", "502", "503", "504", "problem", "closed", "reset", "half a body"],
)
def test_what_may_pass_is_asked_again(caller: Caller, deed: Deed) -> None:
    """The second try gets the token, and asks for the same."""
    with UnrulyServer(deed, WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "meeting", outcome
        assert outcome.values["token"] == TOKEN
        first, second = server.received
        assert (first.line, first.body) == (second.line, second.body)
        # Full jitter of a first wait: between nothing and 0.2 seconds.
        assert server.waits[0] < 0.2 + SLACK_SECONDS


def test_a_stalled_answer_is_given_up_and_asked_for_again(caller: Caller) -> None:
    """A try has a limit of its own, so that another one has time."""
    with UnrulyServer(unruly.stall, WELL) as server:
        outcome = caller.issue(settings(server, attempt_seconds=0.5), **PATIENT)

        assert outcome.kind == "meeting", outcome
        assert 0.4 < server.waits[0] < 0.7 + SLACK_SECONDS


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(caller: Caller, status: int) -> None:
    """What the service asks for is the least that is waited."""
    with UnrulyServer(unruly.answer(status, "", Retry_After="1"), WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "meeting", outcome
        assert 0.98 < server.waits[0] < 1.2 + SLACK_SECONDS


def test_retry_after_may_be_a_date(caller: Caller) -> None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    later = formatdate(time.time() + 2, usegmt=True)
    with UnrulyServer(unruly.answer(503, "", Retry_After=later), WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "meeting", outcome
        assert server.waits[0] > 0.5


def test_a_retry_after_that_says_nothing_is_passed_over(caller: Caller) -> None:
    """It is no reason to wait, nor to fail."""
    with UnrulyServer(unruly.answer(503, "", Retry_After="soon"), WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "meeting", outcome
        assert server.waits[0] < 0.2 + SLACK_SECONDS


def test_a_retry_after_beyond_the_limit_ends_the_call_at_once(caller: Caller) -> None:
    """The error says how long the service asks to wait."""
    deed = unruly.problem("unavailable", 503, "Try again later.", Retry_After="30")
    with UnrulyServer(deed) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "Unavailable", outcome
        assert outcome.values["retryAfterSeconds"] == 30
        assert outcome.seconds < SLACK_SECONDS
        assert len(server.received) == 1


def test_tries_are_bounded_in_number(caller: Caller) -> None:
    """Four, unless told otherwise."""
    with UnrulyServer(BUSY) as server:
        outcome = caller.issue(settings(server), **PATIENT)
        assert outcome.kind == "Unavailable", outcome
        assert outcome.values["status"] == 503
        assert len(server.received) == 4

    with UnrulyServer(BUSY) as server:
        caller.issue(settings(server, attempts=2), **PATIENT)
        assert len(server.received) == 2


@pytest.mark.parametrize(
    "deed",
    [unruly.stall, unruly.drip(GOOD), unruly.close],
    ids=["stalls", "drips its body", "closes"],
)
def test_tries_are_bounded_in_time(caller: Caller, deed: Deed) -> None:
    """Whatever the server does, the call ends within its limit."""
    with UnrulyServer(deed) as server:
        outcome = caller.issue(
            settings(server, attempt_seconds=0.6, total_seconds=1, attempts=1000), **PATIENT
        )

        assert outcome.kind == "Unavailable", outcome
        assert outcome.seconds < 1 + SLACK_SECONDS


def test_an_unreachable_address_ends_within_the_limit(caller: Caller) -> None:
    """A port that nobody listens on, and one whose queue is full: no answer at all."""
    # Bound and not listening: nobody else gets the port meanwhile.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        outcome = caller.issue({"url": url, "api_key": API_KEY, "total_seconds": 3}, **PATIENT)
    assert outcome.kind == "Unavailable", outcome
    assert outcome.seconds < 3 + SLACK_SECONDS

    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(full.getsockname())
        outcome = caller.issue(
            {
                "url": f"http://127.0.0.1:{full.getsockname()[1]}",
                "api_key": API_KEY,
                "connect_seconds": 0.4,
                "attempts": 1,
            },
            **PATIENT,
        )
        for one in waiting:
            one.close()
    assert outcome.kind == "Unavailable", outcome
    assert outcome.seconds < 0.4 + SLACK_SECONDS


def test_a_name_that_nobody_knows_is_unavailable(caller: Caller) -> None:
    """RFC 6761: .invalid never resolves."""
    outcome = caller.issue(
        {"url": "https://tokens.invalid", "api_key": API_KEY, "total_seconds": 2}, **PATIENT
    )

    assert outcome.kind == "Unavailable", outcome
    assert outcome.seconds < 2 + SLACK_SECONDS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 501])
def test_what_will_not_pass_is_not_asked_again(caller: Caller, status: int) -> None:
    """A refusal stays one."""
    with UnrulyServer(unruly.answer(status, "no", "text/plain", Retry_After="1")) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind not in ("meeting", "configured")
        assert outcome.values["status"] == status
        assert len(server.received) == 1


@pytest.mark.parametrize(
    "deed",
    [
        unruly.answer(200, "<html>Sign in to the hotel</html>", "text/html"),
        unruly.answer(200, b"\xff\xfe"),
        unruly.answer(200, "[" * 60_000),
        unruly.answer(200, GOOD + " " * TOO_LONG),
        unruly.answer(200, gzip.compress(GOOD.encode()), Content_Encoding="gzip"),
        unruly.answer(204, ""),
    ],
)
def test_an_answer_of_something_else_is_no_token(caller: Caller, deed: Deed) -> None:
    """A captive portal, a proxy, another service: unavailable, and asked once."""
    with UnrulyServer(deed) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.kind == "Unavailable", outcome
        assert len(server.received) == 1


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_is_not_followed(caller: Caller, status: int) -> None:
    """The API key goes to the address that it was given for, and nowhere else."""
    with UnrulyServer(WELL) as elsewhere:
        deed = unruly.answer(status, "", Location=f"{elsewhere.url}/api/jitsi/jwt")
        with UnrulyServer(deed) as server:
            outcome = caller.issue(settings(server), **PATIENT)

            assert outcome.kind == "Configuration", outcome
            assert len(server.received) == 1
        assert not elsewhere.received


def test_is_configured_is_asked_again_too(caller: Caller) -> None:
    """It needs no API key, and sends none."""
    with UnrulyServer(BUSY, unruly.answer(200, '{"configured": true}')) as server:
        outcome = caller.is_configured({"url": server.url})

        assert outcome.kind == "configured", outcome
        assert outcome.values == {"configured": True}
        assert [one.line for one in server.received] == ["GET /api/jitsi/jwt HTTP/1.1"] * 2
        assert "authorization" not in server.received[0].headers
