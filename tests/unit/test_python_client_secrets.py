"""No object and no error of the Python client shows a key or a token."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
import operator
import pickle
import pprint
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jitsi_tokens_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    Meeting,
    NotAllowedError,
    Secret,
    UnavailableError,
)
from jitsi_tokens_client.request import TokenRequest

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://tokens.example.org"
KEYS: dict[str, Any] = {"api_key": "Api-Key-0123456789", "id_key": "Id-Key-0123456789"}
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
USER = "Jane-Doe-0123456789"
MEETING = Meeting(TOKEN, 2, 1, f"https://meet.example.org/visit#jwt={TOKEN}", USER)
ASKED = TokenRequest(room_name="visit", user_name=USER)
CLIENT, ASYNC_CLIENT = Client(URL, **KEYS), AsyncClient(URL, **KEYS)
HOLDERS = [MEETING, CLIENT, ASYNC_CLIENT, Secret(TOKEN)]


@pytest.mark.parametrize(
    "thing",
    [*HOLDERS, ASKED, vars(CLIENT), CLIENT._token_request(ASKED)],
    ids=lambda thing: type(thing).__name__,
)
def test_an_object_shows_nothing(thing: object) -> None:
    """By repr, str, format, pprint, or within a container."""
    out = io.StringIO()
    pprint.pprint(thing, stream=out)

    shown = f"{thing!r} {thing!s} {thing} {[thing]} {out.getvalue()}"
    assert [hidden for hidden in (*KEYS.values(), TOKEN, USER) if hidden in shown] == []


@pytest.mark.parametrize("thing", HOLDERS, ids=lambda thing: type(thing).__name__)
def test_what_holds_a_secret_is_not_pickled(thing: object) -> None:
    """By no protocol; a copy is the object itself."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(thing, protocol)
    assert copy.copy(thing) is thing
    assert copy.deepcopy([thing])[0] is thing


@pytest.mark.parametrize(
    "dump",
    [
        dataclasses.asdict,
        json.dumps,
        vars,
        list,
        msgspec.to_builtins,
        msgspec.json.encode,
        operator.methodcaller("__getstate__"),
    ],
)
@pytest.mark.parametrize("thing", [MEETING, Secret(TOKEN)], ids=["Meeting", "Secret"])
def test_no_serialiser_finds_anything(dump: Callable[[object], object], thing: object) -> None:
    """Structured logs turn any object into JSON."""
    with pytest.raises(TypeError) as raised:
        dump(thing)

    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("no", status=404),
        CredentialsError("no", status=401),
        NotAllowedError("no", status=403, field="/isModerator"),
        InvalidRequestError("no", status=400, field="/roomName"),
        UnavailableError("no", status=503, retry_after_seconds=7),
    ],
)
def test_an_error_survives_pickle(error: JitsiTokensError) -> None:
    """Task queues send them from process to process."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - pickled here

    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))
