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
    """Return the id of a person."""
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
