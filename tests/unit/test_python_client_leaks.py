"""Neither key nor token shows, however an object or an error of the Python client is seen."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import io
import json
import operator
import pickle
import pprint
import queue
import sys
import threading
import traceback
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import (
    AsyncClient,
    Client,
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    Limits,
    Meeting,
    NotAllowedError,
    Secret,
    UnavailableError,
    attempt,
)
from jitsi_tokens_client import call as calls
from jitsi_tokens_client.body import TokenRequest
from jitsi_tokens_client.outcome import Answer
from jitsi_tokens_client.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

URL = "https://tokens.example.org"
KEYS: dict[str, Any] = {"api_key": "Api-Key-0123456789", "id_key": "Id-Key-0123456789"}
SECRETS: dict[str, Any] = {name: Secret(value) for name, value in KEYS.items()}
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
USER = "Jane-Doe-0123456789"
HIDDEN = (*KEYS.values(), TOKEN, USER, "Bearer")
DOCUMENT: dict[str, Any] = {
    "token": TOKEN,
    "expiresAt": 2,
    "notBefore": 1,
    "meetingUrl": f"https://meet.example.org/visit#jwt={TOKEN}",
    "roomName": USER,
}
ONCE = Limits(attempts=1)
ASKED: dict[str, Any] = {
    "room_name": f"visit {USER}",
    "user_name": USER,
    "user_email": f"{USER}@a.org",
}


def echo(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """Return a server that repeats what it was sent, and a token."""

    def handle(request: httpx.Request) -> httpx.Response:
        sent = f"{request.headers['Authorization']} {TOKEN}"
        document = DOCUMENT | {
            "type": "urn:jitsi-tokens:problem:x",
            "detail": sent,
            "errors": [{"pointer": f"/{sent}", "detail": sent}],
            "expiresAt": sent,
        }
        media_type = "application/json" if status == 200 else "application/problem+json"
        headers = {"Content-Type": media_type, "Location": "/x", "X-Echo": sent}
        return httpx.Response(status, headers=headers, content=json.dumps(document))

    return handle


def broken(kind: Callable[[str], BaseException]) -> Callable[[httpx.Request], httpx.Response]:
    """Return a server to which the connection breaks, by an exception with what was sent."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise kind(request.headers["Authorization"])

    return handle


def seen(error: BaseException) -> str:
    """Return all that an error reporter may show of an error, callers' frames here apart."""
    assert error.__cause__ is None
    assert error.__context__ is None
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    told = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    return "".join([*told.format(), repr(error), str(vars(error)), repr(pickle.dumps(error))])


def assert_hides(text: str) -> None:
    """Fail where any of it shows, without showing it again."""
    assert [hidden for hidden in HIDDEN if hidden in text] == []


HANDLERS = [
    *(echo(status) for status in (200, 204, 302, 400, 401, 403, 404, 429, 500, 503)),
    *(
        broken(kind)
        for kind in (
            httpx.ConnectError,
            httpx.ReadTimeout,
            httpx.RemoteProtocolError,
            httpx.InvalidURL,
            ValueError,
            RuntimeError,
            UnicodeError,
            KeyError,
        )
    ),
]


@pytest.mark.parametrize("handler", HANDLERS)
def test_an_error_shows_nothing(handler: Callable[[httpx.Request], httpx.Response]) -> None:
    """Not with its frames' locals; and there is no other error behind it."""
    with (
        httpx.Client(transport=httpx.MockTransport(handler)) as http,
        pytest.raises(JitsiTokensError) as raised,
    ):
        Client(URL, **SECRETS, limits=ONCE, http=http).issue(**ASKED)

    assert_hides(seen(raised.value))


@pytest.mark.parametrize("handler", HANDLERS)
def test_an_asynchronous_error_shows_nothing(
    handler: Callable[[httpx.Request], httpx.Response],
) -> None:
    """As the synchronous one."""

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
            await AsyncClient(URL, **SECRETS, limits=ONCE, http=http).issue(**ASKED)

    with pytest.raises(JitsiTokensError) as raised:
        asyncio.run(ask())

    error = raised.value
    frames = error.__traceback__
    while frames and "jitsi_tokens_client" not in frames.tb_frame.f_code.co_filename:
        frames = frames.tb_next
    assert frames
    assert_hides(seen(error.with_traceback(frames)))


@pytest.mark.parametrize(
    "given",
    [
        {"url": f"https://{KEYS['api_key']}@tokens.example.org"},
        {"url": f"https://tokens.example.org?key={KEYS['api_key']}"},
        {"url": f"http://tokens.example.org/{KEYS['api_key']}"},
        {"api_key": f"{KEYS['api_key']} x"},
        {"api_key": KEYS["api_key"].encode()},
        {"id_key": f"{KEYS['id_key']}\ud800"},
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_configuration_error_shows_nothing(
    kind: type[Client | AsyncClient], given: dict[str, Any]
) -> None:
    """Though the keys are given as plain strings."""
    with pytest.raises(ConfigurationError) as raised:
        kind(**{"url": URL} | KEYS | given)

    assert_hides(seen(raised.value))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_what_is_not_sent_shows_nothing(kind: type[Client | AsyncClient]) -> None:
    """Neither who it is for."""
    asked = ASKED | {"user_name": f"{USER}\ud800"}

    async def ask() -> None:
        made = kind(URL, **KEYS).issue(**asked)
        assert not isinstance(made, Meeting)
        await made

    with pytest.raises(InvalidRequestError) as raised:
        asyncio.run(ask())

    error = raised.value
    frames = error.__traceback__
    while frames and "jitsi_tokens_client" not in frames.tb_frame.f_code.co_filename:
        frames = frames.tb_next
    assert_hides(seen(error.with_traceback(frames)))


def objects() -> list[object]:
    """Return one of each kind that holds something."""
    settings = read_settings(URL, SECRETS["api_key"], SECRETS["id_key"], {})
    assert not isinstance(settings, ConfigurationError)
    asked = TokenRequest(**ASKED)
    call = calls.issue(settings, ONCE, asked)
    assert isinstance(call, calls.Call)
    call.begin(0)
    body = json.dumps(DOCUMENT).encode()
    outcome = Answer(200, "application/json", None, body)
    call.take(outcome, now=0, clock=0, chance=0)
    assert isinstance(call.result, Meeting)
    arguments = call.request.arguments(1, 1)["auth"]
    client, other = Client(URL, **KEYS), AsyncClient(URL, **KEYS)
    return [
        settings,
        asked,
        call,
        call.request,
        outcome,
        arguments,
        call.result,
        client,
        other,
        *SECRETS.values(),
    ]


@pytest.mark.parametrize("thing", objects(), ids=lambda thing: type(thing).__name__)
def test_an_object_shows_nothing(thing: object) -> None:
    """By repr, str, format, pprint, or within a container."""
    out = io.StringIO()
    pprint.pprint(thing, stream=out)

    assert_hides(f"{thing!r} {thing!s} {thing} {[thing]} {out.getvalue()} {vars_of(thing)}")


def vars_of(thing: object) -> str:
    """Return the attributes, as a debugger shows them; request and answer are not for display."""
    return str(vars(thing)) if isinstance(thing, Client | AsyncClient | calls.Call) else ""


@pytest.mark.parametrize(
    "thing",
    [thing for thing in objects() if isinstance(thing, Client | AsyncClient | Secret | Meeting)],
    ids=lambda thing: type(thing).__name__,
)
def test_what_holds_a_secret_is_not_pickled(thing: object) -> None:
    """By no protocol; a copy of what cannot change is itself."""
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(thing, protocol)
    if isinstance(thing, Secret | Meeting):
        assert copy.copy(thing) is thing
        assert copy.deepcopy([thing])[0] is thing
    else:
        with pytest.raises(TypeError, match="pickled"):
            copy.copy(thing)


def a_meeting(room_name: str = USER) -> Meeting:
    """Return a meeting."""
    return Meeting(TOKEN, 2, 1, DOCUMENT["meetingUrl"], room_name)


def test_a_meeting_shows_its_times_alone() -> None:
    """Its room may name a user."""
    meeting = a_meeting()

    assert repr(meeting) == "Meeting(expires_at=2, not_before=1)"
    assert (meeting.token, meeting.expires_at, meeting.not_before) == (TOKEN, 2, 1)
    assert (meeting.meeting_url, meeting.room_name) == (DOCUMENT["meetingUrl"], USER)
    assert not hasattr(meeting, "__dict__")


def test_a_meeting_is_a_value() -> None:
    """Equal to another of the same values, and never another."""
    meeting = a_meeting()

    assert meeting == a_meeting()
    assert len({meeting, a_meeting(), a_meeting("other")}) == 2
    assert meeting != a_meeting("other")
    assert meeting != (TOKEN, 2, 1, DOCUMENT["meetingUrl"], USER)
    for name in ("token", "_values", "more"):
        with pytest.raises(AttributeError, match="cannot be changed"):
            setattr(meeting, name, "x")
        with pytest.raises(AttributeError, match="cannot be changed"):
            delattr(meeting, name)


@pytest.mark.parametrize(
    "dump",
    [
        dataclasses.asdict,
        dataclasses.astuple,
        json.dumps,
        vars,
        dict,
        list,
        msgspec.to_builtins,
        msgspec.json.encode,
        operator.methodcaller("__getstate__"),
        operator.methodcaller("__reduce_ex__", 2),
    ],
)
@pytest.mark.parametrize("thing", [a_meeting(), Secret(TOKEN)], ids=["Meeting", "Secret"])
def test_no_serialiser_finds_anything(dump: Callable[[object], object], thing: object) -> None:
    """Whatever kinds of objects it knows."""
    with pytest.raises(TypeError) as raised:
        dump(thing)

    assert TOKEN not in str(raised.value)


class Hanging(httpx.AsyncByteStream):
    """A body of which half comes, with the token, and the rest never."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give the half."""
        yield json.dumps(DOCUMENT).encode()
        await anyio.sleep_forever()


async def hang_in_head(request: httpx.Request) -> httpx.Response:
    """Take a request, and answer never."""
    sent = request.headers["Authorization"]
    await anyio.sleep_forever()
    raise AssertionError(sent)


async def hang_in_body(_: httpx.Request) -> httpx.Response:
    """Answer as far as the token."""
    return httpx.Response(200, stream=Hanging())


async def hang_in_other_errors(request: httpx.Request) -> httpx.Response:
    """Be cancelled while what was sent is an error's text."""
    try:
        raise ValueError(request.headers["Authorization"])  # noqa: TRY301
    except ValueError:
        await anyio.sleep_forever()
        raise


HANGING = [hang_in_head, hang_in_body, hang_in_other_errors]


async def issue_from(handler: Any, **given: Any) -> Meeting:
    """Ask a server that does not come to an end."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as http:
        return await AsyncClient(URL, **SECRETS, http=http, **given).issue(**ASKED)


def chain_of(error: BaseException) -> list[BaseException]:
    """Return an exception and those that it came of, also where that is not told."""
    todo, found = [error], list[BaseException]()
    while todo:
        one = todo.pop()
        found.append(one)
        todo += [other for other in (one.__cause__, one.__context__) if other]
    return found


def locals_of(error: BaseException) -> str:
    """Return the variables of all frames, those here apart: they are given what is asked."""
    frames = [
        frame
        for one in chain_of(error)
        for frame, _ in traceback.walk_tb(one.__traceback__)
        if frame.f_code.co_filename != __file__ or frame.f_code.co_name.startswith("hang")
    ]
    assert any(frame.f_code.co_filename.endswith("async_client.py") for frame in frames)
    # The event loop's own are given the coroutine.
    return "".join(f"{frame.f_code.co_name} {frame.f_locals}" for frame in frames)


@pytest.mark.parametrize("handler", HANGING)
def test_a_time_limit_around_a_call_shows_nothing(handler: Any) -> None:
    """asyncio.timeout chains the cancellation, with its frames, into its own error."""

    async def ask() -> None:
        async with asyncio.timeout(0.05):
            await issue_from(handler)

    with pytest.raises(TimeoutError) as raised:
        asyncio.run(ask())

    assert isinstance(raised.value.__cause__, asyncio.CancelledError)
    assert_hides(locals_of(raised.value))
    told = traceback.TracebackException.from_exception(raised.value)
    assert_hides("".join(told.format()))
    assert_hides(str([repr(one) for one in chain_of(raised.value)]))


@pytest.mark.parametrize("handler", HANGING)
def test_a_cancelled_task_shows_nothing(handler: Any) -> None:
    """And is cancelled."""

    async def ask() -> None:
        task = asyncio.create_task(issue_from(handler))
        await asyncio.sleep(0.05)
        task.cancel("stop")
        try:
            await task
        finally:
            assert task.cancelled()

    with pytest.raises(asyncio.CancelledError, match="stop") as raised:
        asyncio.run(ask())

    assert_hides(locals_of(raised.value))


async def fail_beside(other: Coroutine[Any, Any, object]) -> None:
    """Fail in a group of tasks in which another one runs."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(other)
        await asyncio.sleep(0.05)
        raise KeyError


@pytest.mark.parametrize("handler", HANGING)
def test_whoever_cancels_gets_it_back(handler: Any) -> None:
    """Scopes and groups of tasks take their own cancellation in, the attempt's among them."""

    async def ask() -> None:
        with anyio.move_on_after(0.05) as scope:
            await issue_from(handler)
        assert scope.cancelled_caught
        with pytest.raises(ExceptionGroup) as group:
            await fail_beside(issue_from(handler))
        assert [type(one) for one in group.value.exceptions] == [KeyError]
        async with anyio.create_task_group() as others:
            others.start_soon(issue_from, handler)
            await anyio.sleep(0.05)
            others.cancel_scope.cancel()
        with pytest.raises(UnavailableError, match="timed out"):
            await issue_from(handler, limits=Limits(attempt_seconds=0.05, attempts=2))
        task = asyncio.current_task()
        assert task
        assert task.cancelling() == 0

    asyncio.run(ask())


def test_a_group_of_cancellations_loses_its_frames() -> None:
    """Some libraries raise all that they stopped together; a circle among them ends."""

    async def handle(request: httpx.Request) -> httpx.Response:
        sent = request.headers["Authorization"]
        stopped = asyncio.CancelledError("stop")
        try:
            raise stopped
        except asyncio.CancelledError:
            stopped.__context__ = asyncio.CancelledError("before")
            stopped.__context__.__context__ = stopped
            group = BaseExceptionGroup("all", [stopped])
        assert sent
        raise group

    with pytest.raises(BaseExceptionGroup) as raised:
        asyncio.run(issue_from(handle))

    (stopped,) = raised.value.exceptions
    assert stopped.__traceback__ is None
    assert isinstance(stopped.__context__, asyncio.CancelledError)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
    assert_hides(locals_of(raised.value))


def test_an_interrupt_of_a_call_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives where the caller waits for the attempt."""
    waited = threading.Event()

    def wait(*_: object, **__: object) -> None:
        waited.wait(5)
        raise KeyboardInterrupt

    def handle(_: httpx.Request) -> httpx.Response:
        waited.set()
        return httpx.Response(503)

    kept = SimpleNamespace(get=wait, put=lambda _: None)
    queues = SimpleNamespace(SimpleQueue=lambda: kept, Empty=queue.Empty)
    monkeypatch.setattr(attempt, "queue", queues)
    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as http,
        pytest.raises(KeyboardInterrupt) as raised,
    ):
        Client(URL, **SECRETS, http=http).issue(**ASKED)

    frames = traceback.walk_tb(raised.value.__traceback__)
    own = [frame for frame, _ in frames if frame.f_code.co_filename != __file__]
    assert own
    assert_hides(str([frame.f_locals for frame in own]))


@given(st.text())
def test_a_secret_reveals_when_asked(text: str) -> None:
    """And in no other way."""
    secret = Secret(text)

    assert secret.reveal() == text
    assert f"{secret} {secret!r}" == "Secret(...) Secret(...)"


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


def test_no_thread_or_frame_keeps_a_request() -> None:
    """What sys.last_exc and error reporters keep holds the redacted objects alone."""
    with pytest.raises(UnavailableError) as raised:
        Client(
            URL,
            **SECRETS,
            limits=ONCE,
            http=httpx.Client(transport=httpx.MockTransport(broken(httpx.ReadError))),
        ).issue(**ASKED)

    frames = raised.value.__traceback__
    while frames:
        kinds = {type(value) for value in frames.tb_frame.f_locals.values()}
        assert not kinds & {httpx.Request, httpx.Response, httpx.Headers}
        frames = frames.tb_next
    assert sys.exc_info() == (None, None, None)
