"""The two Python clients, with a server in this process: what they send with."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from typing import TYPE_CHECKING, Any

import generate_jwt_token
import httpx
import jitsi_tokens_client
import pytest
from jitsi_tokens_client import AsyncClient, Client, Limits, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

URL = "https://tokens.example.org"
KEY = "Api-Key-0123456789"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
MEETING = {
    "token": TOKEN,
    "expiresAt": 2,
    "notBefore": 1,
    "meetingUrl": f"https://meet.example.org/visit#jwt={TOKEN}",
    "roomName": "visit",
}


class Server:
    """It gives the answers in turn, and keeps what it was sent."""

    def __init__(self, *answers: httpx.Response | BaseException) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Keep a request and give the next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


type Use = Callable[..., Any]


def use_synchronous(server: Server, method: str, arguments: dict[str, Any], **given: Any) -> Any:
    """Call a method of a Client."""
    http = httpx.Client(transport=httpx.MockTransport(server), auth=("other", "word"))
    with http, Client(URL, KEY, http=http, **given) as client:
        return getattr(client, method)(**arguments)


def use_asynchronous(server: Server, method: str, arguments: dict[str, Any], **given: Any) -> Any:
    """Call a method of an AsyncClient."""

    async def use() -> Any:
        transport = httpx.MockTransport(server)
        async with (
            httpx.AsyncClient(transport=transport, auth=("other", "word")) as http,
            AsyncClient(URL, KEY, http=http, **given) as client,
        ):
            return await getattr(client, method)(**arguments)

    return asyncio.run(use())


@pytest.fixture(params=[use_synchronous, use_asynchronous])
def use(request: pytest.FixtureRequest) -> Use:
    """Return how to call a method of either."""
    found: Use = request.param
    return found


ASKED: dict[str, Any] = {"room_name": "visit", "user_name": "Jane"}


def test_an_own_http_client_keeps_its_credentials(use: Use) -> None:
    """The API key is sent, or none."""
    server = Server(*(httpx.Response(200, json=MEETING) for _ in range(2)))

    assert use(server, "issue", ASKED).token == TOKEN
    with pytest.raises(UnavailableError):
        use(server, "is_configured", {})

    issue, is_configured = server.requests
    assert issue.headers["Authorization"] == f"Bearer {KEY}"
    assert issue.headers["Accept-Encoding"] == "identity"
    assert issue.headers["Accept"] == "application/json, application/problem+json"
    assert issue.headers["User-Agent"].startswith("jitsi-tokens-python/")
    assert "Authorization" not in is_configured.headers
    assert "Content-Type" not in is_configured.headers


@pytest.mark.parametrize("error", [httpx.ReadError("Bearer"), OSError("Bearer")])
def test_an_error_has_no_context(use: Use, error: Exception) -> None:
    """The HTTP client's exception holds the request, with the API key."""
    with pytest.raises(UnavailableError) as raised:
        use(Server(error), "issue", ASKED, limits=Limits(attempts=1))

    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def test_a_cancellation_passes_through() -> None:
    """It is not an error of the service's, and nothing follows it."""
    server = Server(asyncio.CancelledError("stop"))

    with pytest.raises(asyncio.CancelledError, match="stop"):
        use_asynchronous(server, "issue", ASKED)
    assert len(server.requests) == 1


def test_both_clients_have_one_interface() -> None:
    """Parameter by parameter."""
    for name in ("__init__", "issue", "is_configured"):
        one, other = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
        assert [str(p).replace("Async", "") for p in other.parameters.values()] == [
            str(p) for p in one.parameters.values()
        ]
    assert all(hasattr(jitsi_tokens_client, name) for name in jitsi_tokens_client.__all__)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_httpx_cannot_set_up_is_a_configuration_error(
    kind: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is none, for instance; loopback has none."""
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")

    async def ask() -> None:
        asked = kind(URL, KEY).is_configured()
        if inspect.isawaitable(asked):
            await asked

    with pytest.raises(jitsi_tokens_client.ConfigurationError, match="cannot be set up"):
        asyncio.run(ask())


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_forked_process_has_connections_of_its_own(
    kind: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one connection the bytes of parent and child would mix."""
    client = kind("http://localhost:1", KEY)

    of_parent = client._http()
    assert client._http() is of_parent
    monkeypatch.setattr(os, "getpid", lambda: -1)
    of_child = client._http()

    assert of_child is not of_parent
    assert client._http() is of_child


def test_the_drop_in_returns_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Called as old code calls it."""
    server = Server(httpx.Response(200, json=MEETING))
    with httpx.Client(transport=httpx.MockTransport(server)) as http:
        client = Client(URL, KEY, http=http)
        monkeypatch.setattr(generate_jwt_token, "_client", lambda: client)

        moderator = ("visit", "Jane", "j@a.org", True)
        assert generate_jwt_token.generate_jwt_token(*moderator) == TOKEN

    assert json.loads(server.requests[0].content)["isModerator"] is True


def test_a_part_of_an_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody becomes a moderator by a slip."""
    with pytest.raises(SystemExit) as left:
        generate_jwt_token.main(["a", "b", "c", "--mod"])

    assert left.value.code == 2
    assert "unrecognized arguments: --mod" in capsys.readouterr().err


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The drop-in's client asks a server that answers well."""
    with httpx.Client(
        transport=httpx.MockTransport(Server(httpx.Response(200, json=MEETING)))
    ) as h:
        client = Client(URL, KEY, http=h)
        monkeypatch.setattr(generate_jwt_token, "_client", lambda: client)
        yield


@pytest.mark.usefixtures("served")
def test_a_name_with_a_hyphen_stands_after_two(capsys: pytest.CaptureFixture[str]) -> None:
    """As the README says."""
    assert generate_jwt_token.main(["--", "-visit", "--moderator", ""]) == 0
    assert TOKEN in capsys.readouterr().out
