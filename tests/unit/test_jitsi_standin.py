"""The stand-in for Jitsi: what it says of a token, and who reaches it."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from jitsi_tokens.core.rooms import meeting_url
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.token.explain.expectations import KeyFound, of_settings
from local_stack.jitsi.server import StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def standin(self_hosted_environ: dict[str, str]) -> Iterator[StandIn]:
    """Return one that stands for the Jitsi of a stack with a shared secret and a tenant."""
    with StandIn() as server:
        environ = {"JITSI_DOMAIN": server.domain, "JITSI_TENANT": "clinic"}
        settings = read_settings(self_hosted_environ | environ)
        server.expect = lambda _: of_settings(settings, lambda _: KeyFound(KEY.encode()))
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def explained(standin: StandIn, room: str = "r", key: str = KEY, **claims: Any) -> dict[str, Any]:
    """Return what the page of a room is told of a token for the room r."""
    now = int(time.time())
    good = {
        "iss": "openemr",
        "aud": "openemr_audience",
        "sub": "clinic",
        "room": "r",
        "nbf": now - 60,
        "exp": now + 60,
        "context": {"user": {"name": "Dr. Novak", "moderator": "true"}},
    }
    token = jwt.encode(good | claims, key, "HS256")
    address = meeting_url(standin.domain, "clinic", room, token, "fragment")
    answer: dict[str, Any] = httpx.post(f"http://{standin.domain}/explain", content=address).json()
    return answer


def test_a_good_token_is_accepted_as_its_person_and_role(standin: StandIn) -> None:
    """With the room, the name and the end that the page shows."""
    end = int(time.time()) + 300

    answer = explained(standin, exp=end)

    shown = {name: answer[name] for name in ("verdict", "room", "name", "role", "ends")}
    assert shown == {
        "verdict": "accepted",
        "room": "r",
        "name": "Dr. Novak",
        "role": "moderator",
        "ends": end,
    }


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"exp": 1}, "exp"), ({"room": "other"}, "room"), ({"key": KEY[::-1]}, "signature")],
)
def test_what_jitsi_refuses_is_refused_with_the_reason(
    standin: StandIn, change: dict[str, Any], rule: str
) -> None:
    """An expired token, one opened in another room, one that another key signed."""
    answer = explained(standin, **change)

    assert (answer["verdict"], answer["why"].partition(":")[0]) == ("refused", rule)


def test_a_signature_that_cannot_be_checked_is_said_to_be_unchecked(standin: StandIn) -> None:
    """Without a stack, as started by hand."""
    standin.expect = standin.expect_without_key

    answer = explained(standin)

    assert (answer["verdict"], "signature" in answer["why"]) == ("undecided", True)


def test_it_opens_what_jitsis_web_server_opens(standin: StandIn) -> None:
    """Rooms, with a tenant and without, and the script of the IFrame API."""
    paths = ["/r", "/clinic/r", "/clinic/external_api.js", "/favicon.ico", "/a/b/c"]

    found = [httpx.get(f"http://{standin.domain}{path}").status_code for path in paths]

    assert found == [200, 200, 200, 404, 404]


def test_no_other_machine_reaches_it(standin: StandIn) -> None:
    """Not by another address of this one either: all of 127.0.0.0/8 are this machine's."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", standin.server_port))
