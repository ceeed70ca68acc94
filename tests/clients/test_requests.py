"""What a caller sends, and what it refuses to send."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.samples import API_KEY, DOCTOR, ID_KEY, MEETING, PATIENT, WELL, settings
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.callers import Caller


def sent(caller: Caller, id_key: str | None = None, **request: Any) -> dict[str, Any]:
    """Return the body that a caller sends."""
    with UnrulyServer(WELL) as server:
        given = settings(server) | ({"id_key": id_key} if id_key else {})
        outcome = caller.issue(given, **request)
        assert outcome.kind == "meeting", outcome
        body: dict[str, Any] = json.loads(server.received[0].body)
        return body


def identifier(key: str, message: str) -> str:
    """Return the id that stands for a person."""
    return hmac.digest(key.encode(), message.encode(), hashlib.sha256).hex()


def test_the_answer_is_handed_on(caller: Caller) -> None:
    """A token, when it works, where to go, and the room as Jitsi names it."""
    with UnrulyServer(WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert outcome.values == MEETING
        headers = server.received[0].headers
        assert headers["authorization"] == f"Bearer {API_KEY}"
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"].startswith("jitsi-tokens-")
        assert server.received[0].line == "POST /api/jitsi/jwt HTTP/1.1"


def test_everything_that_is_given_is_sent(caller: Caller) -> None:
    """And in the words of the contract."""
    everything = DOCTOR | {
        "user_id": "user-7",
        "user_avatar": "https://clinic.example/zoe.png",
        "expiration_seconds": 600,
        "not_before": 1795315724,
        "features": {"recording": False},
    }

    assert sent(caller, **everything) == {
        "userId": "user-7",
        "userName": "Dr. Zoë Quackenbush",
        "userEmail": "Zoe@Clinic.Example",
        "userAvatar": "https://clinic.example/zoe.png",
        "roomName": "visit",
        "isModerator": True,
        "expirationSeconds": 600,
        "notBefore": 1795315724,
        "features": {"recording": False},
    }


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_field_is_left_out(caller: Caller, empty: str | None) -> None:
    """The service refuses an empty address; a form sends one."""
    body = sent(caller, **PATIENT, user_email=empty, user_avatar=empty, user_id=empty)

    assert body.keys() == {"userId", "userName", "roomName", "isModerator"}
    assert body["isModerator"] is False


def test_no_features_at_all_are_not_features_left_out(caller: Caller) -> None:
    """An empty object denies them all."""
    assert sent(caller, **PATIENT, features={})["features"] == {}


def test_a_person_keeps_an_id(caller: Caller) -> None:
    """By the e-mail address in any case, by name and room without one; ASCII alone is folded."""
    email = identifier(ID_KEY, "email\nzoe@clinic.example")
    name = identifier(ID_KEY, "name\nJohn Doe\nvisit")

    assert sent(caller, ID_KEY, **DOCTOR)["userId"] == email
    assert sent(caller, **DOCTOR)["userId"] == identifier(API_KEY, "email\nzoe@clinic.example")
    assert sent(caller, ID_KEY, **PATIENT)["userId"] == name
    umlaut = sent(caller, ID_KEY, **DOCTOR | {"user_email": "ZOË@clinic.example"})["userId"]
    assert umlaut == identifier(ID_KEY, "email\nzoË@clinic.example")


def test_an_appointment_is_a_window(caller: Caller) -> None:
    """From 15 minutes before it begins until 30 after its end."""
    appointment = {"start": "2026-11-23T10:00:00-05:00", "duration": 1800}

    body = sent(caller, **PATIENT, appointment=appointment)

    assert body["notBefore"] == 1795445100
    assert body["expirationSeconds"] == 900 + 1800 + 1800


@pytest.mark.parametrize("extra", [{"not_before": 1795315724}, {"expiration_seconds": 600}])
def test_an_appointment_and_a_time_of_ones_own_are_too_much(
    caller: Caller, extra: dict[str, Any]
) -> None:
    """One of them would be passed over."""
    appointment = {"start": "2026-11-23T10:00:00-05:00", "duration": 1800}
    with UnrulyServer(WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT, appointment=appointment, **extra)

        assert outcome.kind == "InvalidRequest", outcome
        assert not server.received


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("http://tokens.example.org", "https"),
        ("http://127.0.0.1.example.org", "https"),
        ("http://127.0.0.1@example.org/", "user"),
        ("https://user:secret-word@tokens.example.org", "user"),
        ("https://tokens.example.org/?x=1", ""),
        ("https://tokens.example.org/#x", ""),
        ("https://", "host"),
        ("ftp://127.0.0.1/", "https"),
        ("file:///etc/passwd", "https"),
        ("tokens.example.org", "https"),
        ("https://tokens.example.org:99999", ""),
        ("http://tokens.example.org/v1/api/jitsi/jwt", "https"),
        ("https://tokens.example.org/\r\nX: y", ""),
        ("https://tokens.exa mple.org/", ""),
    ],
)
def test_an_address_that_must_not_get_the_key_is_refused(
    caller: Caller, url: str, hint: str
) -> None:
    """Before anything is sent; a password in it is not repeated."""
    outcome = caller.issue({"url": url, "api_key": API_KEY, "total_seconds": 2}, **PATIENT)

    assert outcome.kind == "Configuration", outcome
    assert hint in outcome.values["message"]
    assert "secret-word" not in outcome.values["message"] + outcome.dumps


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_loopback_may_be_plain(caller: Caller, host: str) -> None:
    """That is where a developer's stack is; here nobody listens."""
    outcome = caller.issue(
        {"url": f"http://{host}:9", "api_key": API_KEY, "total_seconds": 1}, **PATIENT
    )

    assert outcome.kind == "Unavailable", outcome


@pytest.mark.parametrize("api_key", ["a key", "key\r\nX-Injected: 1", "schlüssel", "\x00"])
def test_an_api_key_that_cannot_stand_in_a_header_is_refused(caller: Caller, api_key: str) -> None:
    """And not repeated."""
    with UnrulyServer(WELL) as server:
        outcome = caller.issue({"url": server.url, "api_key": api_key}, **PATIENT)

        assert outcome.kind == "Configuration", outcome
        assert api_key not in outcome.values["message"]
        assert not server.received


def test_address_and_key_come_from_the_environment(caller: Caller, tmp_path: Path) -> None:
    """By value, or from a file; a line break at its end is an editor's."""
    key_file = tmp_path / "api-key"
    key_file.write_text(f"{API_KEY}\n")
    with UnrulyServer(WELL) as server:
        for variables in (
            {"JITSI_TOKENS_URL": f"{server.url}/", "JITSI_TOKENS_API_KEY": API_KEY},
            {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY_FILE": str(key_file)},
        ):
            outcome = caller.issue({}, variables | {"JITSI_TOKENS_ID_KEY": ID_KEY}, **DOCTOR)
            assert outcome.kind == "meeting", outcome
        for received in server.received:
            assert received.line == "POST /api/jitsi/jwt HTTP/1.1"
            assert received.headers["authorization"] == f"Bearer {API_KEY}"
            body = json.loads(received.body)
            assert body["userId"] == identifier(ID_KEY, "email\nzoe@clinic.example")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"JITSI_TOKENS_API_KEY": API_KEY}, "JITSI_TOKENS_URL"),
        ({"JITSI_TOKENS_URL": "https://x.example"}, "JITSI_TOKENS_API_KEY"),
        (
            {"JITSI_TOKENS_URL": "https://x.example", "JITSI_TOKENS_API_KEY": ""},
            "JITSI_TOKENS_API_KEY",
        ),
        (
            {
                "JITSI_TOKENS_URL": "https://x.example",
                "JITSI_TOKENS_API_KEY": API_KEY,
                "JITSI_TOKENS_API_KEY_FILE": "/nowhere",
            },
            "JITSI_TOKENS_API_KEY_FILE",
        ),
        (
            {"JITSI_TOKENS_URL": "https://x.example", "JITSI_TOKENS_API_KEY_FILE": "/nowhere"},
            "JITSI_TOKENS_API_KEY_FILE",
        ),
    ],
    ids=["no address", "no key", "empty key", "both", "no file"],
)
def test_what_is_missing_is_named(caller: Caller, variables: dict[str, str], named: str) -> None:
    """By the variable that would hold it."""
    outcome = caller.issue({}, variables, **PATIENT)

    assert outcome.kind == "Configuration", outcome
    assert named in outcome.values["message"]
    assert API_KEY not in outcome.values["message"] + outcome.dumps
