"""What is the Python client's own; what it shares with the PHP client: tests/clients."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import inspect
import json
import math
import os
import pickle
import pprint
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import (
    Appointment,
    AsyncClient,
    Client,
    ConfigurationError,
    InvalidRequestError,
    JitsiTokensError,
    Limits,
    Meeting,
    Secret,
    UnavailableError,
)
from jitsi_tokens_client import retry as retries
from jitsi_tokens_client.answer import MAX_BODY_BYTES, Answer
from jitsi_tokens_client.request import Request, TokenRequest, json_body

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://tokens.example.org"
KEY, ID_KEY = "Api-Key-0123456789", "Id-Key-0123456789"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
USER = "Jane-Doe-0123456789"
MEETING = {
    "token": TOKEN,
    "expiresAt": 2,
    "notBefore": 1,
    "meetingUrl": f"https://meet.example.org/visit#jwt=%22{TOKEN}%22",
    "roomName": "visit",
}
SHOWN = Meeting(TOKEN, 2, 1, f"https://meet.example.org/visit#jwt={TOKEN}", USER)
HALF_HOUR = dt.timedelta(minutes=30)
NEW_YORK = "America/New_York"


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
    st.sampled_from(["application/json", "application/problem+json", "text/html", ""]),
    st.text("0123456789 -:GMT"),
    st.binary() | DOCUMENTS.map(lambda d: json.dumps(d).encode()),
)
def test_any_answer_is_a_meeting_or_an_error(
    status: int, media_type: str, retry_after: str, body: bytes
) -> None:
    """The error's message is one line without key and token."""
    headers = {"Content-Type": media_type, "Retry-After": retry_after}
    request = Request("POST", "/api/jitsi/jwt", b"{}", Secret(KEY))
    answer = Answer(httpx.Response(status, headers=headers), "tokens.example.org")
    answer.take(body)
    try:
        outcome = answer.error([Secret(KEY)], request) or answer.meeting()
    except UnavailableError as error:
        outcome = error

    assert isinstance(outcome, Meeting | JitsiTokensError)
    shown = f"{outcome!r} {outcome} {getattr(outcome, 'field', '')}"
    assert KEY not in shown
    assert TOKEN not in shown
    assert shown.isprintable()


def test_a_body_is_read_to_its_limit() -> None:
    """Not one byte more."""
    answer = Answer(httpx.Response(200), "tokens.example.org")

    answer.take(b"x" * MAX_BODY_BYTES)
    assert not answer.is_foreign
    answer.take(b"x")
    assert answer.is_foreign


def test_an_own_http_client_keeps_its_credentials_and_stays_open() -> None:
    """The client sends the API key instead, or none."""
    requests: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json=MEETING | {"configured": True})

    with httpx.Client(transport=httpx.MockTransport(serve), auth=("other", "word")) as http:
        with Client(URL, KEY, http=http) as client:
            assert client.issue(room_name="visit", user_name="Jane").token == TOKEN
            assert client.is_configured()
        assert not http.is_closed

    assert [one.headers.get("Authorization") for one in requests] == [f"Bearer {KEY}", None]


def test_both_clients_have_one_interface() -> None:
    """Parameter by parameter, for each public method."""
    names = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
    for name in ("__init__", *names):
        one, other = (inspect.signature(getattr(kind, name)) for kind in (Client, AsyncClient))
        assert one.parameters == other.parameters


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_httpx_cannot_set_up_is_a_configuration_error(
    kind: type[Client | AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is none, for instance."""
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")

    async def ask() -> None:
        asked = kind(URL, KEY).is_configured()
        if inspect.isawaitable(asked):
            await asked

    with pytest.raises(ConfigurationError, match="cannot be set up"):
        asyncio.run(ask())


def test_a_forked_process_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On one connection the bytes of parent and child would mix."""
    client = Client("http://localhost:1", KEY)

    of_parent = client._http()
    assert client._http() is of_parent
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert client._http() is not of_parent


def test_waits_double_up_to_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it by chance; what Retry-After asks for comes on top."""
    attempts = retries.Attempts(Limits(total_seconds=60, attempts=100))
    monkeypatch.setattr(retries._random, "uniform", lambda _, most: most)
    waits = []
    for _ in range(6):
        attempts.begin()
        waits.append(attempts.wait_after(UnavailableError("", status=503)))

    assert waits == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
    assert attempts.wait_after(UnavailableError("", status=503, retry_after_seconds=7)) == 9


@pytest.mark.parametrize("name", ["connect_seconds", "attempt_seconds", "total_seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 86_401])
def test_a_time_is_over_nothing_and_at_most_a_day(name: str, value: float) -> None:
    """Clocks and selectors take no infinity."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("attempts", [0, 1.5, True, "2"])
def test_attempts_are_a_whole_number(attempts: Any) -> None:
    """At least one."""
    with pytest.raises(ValueError, match="attempts must be a whole number, 1 or more"):
        Limits(attempts=attempts)


def test_an_argument_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, and a key is a string or a Secret."""
    for name, value in (("URL", "https://other.example.org"), ("API_KEY", "a"), ("ID_KEY", "b")):
        monkeypatch.setenv(f"JITSI_TOKENS_{name}", value)

    def values(client: Client) -> list[str | None]:
        settings = client._settings
        keys = (settings.api_key, settings.id_key)
        return [settings.url, *(key.reveal() if key else None for key in keys)]

    assert values(Client(URL, "given")) == [URL, "given", "b"]
    assert values(Client(URL, id_key=Secret("given"))) == [URL, "a", "given"]


@pytest.mark.parametrize(
    "thing",
    [
        SHOWN,
        Client(URL, KEY, id_key=ID_KEY),
        AsyncClient(URL, KEY, id_key=ID_KEY),
        Client(URL, KEY, id_key=ID_KEY)._settings,
        Client(URL, KEY)._token_request(TokenRequest(USER, USER)),
        TokenRequest(USER, USER),
        Secret(KEY),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_an_object_shows_nothing(thing: object) -> None:
    """By repr, str, or within a container."""
    shown = f"{thing} {[thing]} {pprint.pformat(thing)}"

    assert [hidden for hidden in (KEY, ID_KEY, TOKEN, USER) if hidden in shown] == []


@pytest.mark.parametrize("dump", [vars, json.dumps, msgspec.json.encode, pickle.dumps])
@pytest.mark.parametrize("thing", [SHOWN, Secret(TOKEN)], ids=["Meeting", "Secret"])
def test_no_serializer_finds_a_secret(dump: Callable[[object], object], thing: object) -> None:
    """Structured logs turn any object into JSON; a copy is the object itself."""
    with pytest.raises(TypeError):
        dump(thing)
    assert copy.copy(thing) is copy.deepcopy(thing) is thing


@pytest.mark.parametrize(
    "document", [{"userName": "a\ud800"}, {"participants": [{"userName": "\udfff"}]}]
)
def test_half_a_character_is_not_sent(document: dict[str, Any]) -> None:
    """UTF-8 cannot hold it. The message does not repeat the value."""
    with pytest.raises(InvalidRequestError) as raised:
        json_body(document)

    assert raised.value.field == f"/{next(iter(document))}"
    assert str(raised.value).isascii()


def test_no_answer_to_who_is_a_moderator_is_not_a_no() -> None:
    """The service refuses null; left out, it would mean a guest."""
    asked = TokenRequest("visit", "Jane", is_moderator=None)  # type: ignore[arg-type]

    assert asked.document(Secret(KEY))["isModerator"] is None


def test_an_id_as_it_was_computed_elsewhere() -> None:
    """By openssl dgst -sha256 -hmac: a change here would give all users new ids."""
    of_email = TokenRequest("r", "n", user_email="Jane.Doe@Example.ORG")
    of_name = TokenRequest("visit-1", "Jane Doe")

    ids = [one.document(Secret("0123456789abcdef"))["userId"] for one in (of_email, of_name)]
    assert ids == [
        "0ae2734da3fb78f807a8625184ce1ad314c00a3e4cf4c3a2315276e320b1763d",
        "cc08efb329345371248b6e2a0e6492f18bed25d9fce199f3ad41ac6e2c93b0af",
    ]
    # os.environ keeps bytes that are not UTF-8 as surrogates.
    assert len(of_name.document(Secret("\udcff"))["userId"]) == 64


@given(
    st.datetimes(
        min_value=dt.datetime(1990, 1, 1),  # noqa: DTZ001
        max_value=dt.datetime(2100, 1, 1),  # noqa: DTZ001
    ),
    *(st.timedeltas(dt.timedelta(), dt.timedelta(days=2)) for _ in range(3)),
)
def test_a_window_is_a_sum_of_whole_seconds(
    moment: dt.datetime, duration: dt.timedelta, early: dt.timedelta, overrun: dt.timedelta
) -> None:
    """Around daylight-saving time too."""
    appointment = Appointment.local(
        moment.date(), moment.time(), NEW_YORK, duration, early, overrun
    )

    lengths = [int(length.total_seconds()) for length in (early, duration, overrun)]
    assert appointment.expiration_seconds == sum(lengths)
    assert appointment.not_before + lengths[0] == appointment.start.timestamp() // 1


def test_an_appointment_that_cannot_be_is_refused() -> None:
    """By the name of what is wrong; the `fold` of a local time does not count."""
    day, nine = dt.date(2026, 11, 1), dt.time(9)
    for name in ("duration", "early", "overrun"):
        for days in (-1, 32):
            with pytest.raises(ValueError, match=name):
                Appointment.local(
                    day, nine, NEW_YORK, **{"duration": HALF_HOUR, name: dt.timedelta(days=days)}
                )
    with pytest.raises(ValueError, match="aware"):
        Appointment(dt.datetime(2026, 1, 5, 9), HALF_HOUR)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        Appointment.local(day, nine.replace(tzinfo=dt.UTC), NEW_YORK, HALF_HOUR)
    with pytest.raises(ValueError, match="1970"):
        Appointment.local(dt.date(1969, 12, 30), nine, NEW_YORK, HALF_HOUR)

    first, folded = (
        Appointment.local(day, dt.time(1, 30, fold=fold), NEW_YORK, HALF_HOUR) for fold in (0, 1)
    )
    assert folded.not_before == first.not_before
