"""One attempt: a request goes out, its outcome comes back within a time, whatever happens.

httpx limits each read, not the whole: a server that sends a byte a second, and a name server that
does not answer, hold it up for as long as they like.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

import anyio
import httpx

from jitsi_tokens_client.outcome import Answer, Failure, Reason, Reception
from jitsi_tokens_client.own_http import OwnHttp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jitsi_tokens_client.limits import Limits
    from jitsi_tokens_client.request import Request

_TIMED_OUT = Failure(Reason.TIMED_OUT)
# It means the same, but is another object: the attempt still runs.
LEFT_BEHIND = Failure(*_TIMED_OUT)
_MOST_CAUSES = 20
# The first that fits.
_REASONS: tuple[tuple[tuple[type[Exception], ...], Reason], ...] = (
    ((httpx.TimeoutException, TimeoutError), Reason.TIMED_OUT),
    ((httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError), Reason.ADDRESS),
    ((httpx.ConnectError, httpx.ProxyError), Reason.NOT_CONNECTED),
    ((httpx.NetworkError, httpx.RemoteProtocolError, OSError), Reason.CLOSED),
)


def attempt(
    http: httpx.Client, request: Request, *, seconds: float, limits: Limits
) -> Answer | Failure:
    """Send a request and return what it comes to, after at most so many seconds `LEFT_BEHIND`.

    An attempt that takes longer is left to its thread. There `OwnHttp`, once it is retired,
    ends it; any other HTTP client lets it go on for as long as the server keeps sending.
    """
    outcomes: queue.SimpleQueue[Answer | Failure] = queue.SimpleQueue()

    def send() -> None:
        outcome = _send(http, request, seconds, limits)
        if isinstance(http, OwnHttp):
            http.end()
        outcomes.put(outcome)

    try:
        threading.Thread(target=send, name="jitsi-tokens", daemon=True).start()
    # The process may start no more threads.
    except RuntimeError as error:
        if isinstance(http, OwnHttp):
            http.end()
        return failure_of(error)
    try:
        return outcomes.get(timeout=seconds)
    except queue.Empty:
        return LEFT_BEHIND


async def attempt_async(
    http: httpx.AsyncClient, request: Request, *, seconds: float, limits: Limits
) -> Answer | Failure:
    """Send a request and return what it comes to after at most so many seconds."""
    with anyio.move_on_after(seconds):
        try:
            return await _send_async(http, request, seconds, limits)
        # It is cancelled. The frames that this came through hold the key, and what was answered.
        except BaseException as error:  # noqa: BLE001 - it goes on
            raise _without_frames(error)  # noqa: B904 - it is the same
    return _TIMED_OUT


def failure_of(error: BaseException) -> Failure:
    """Return what an exception of the HTTP client means, and nothing of the request it holds."""
    causes = list(islice(_causes(error), _MOST_CAUSES))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(
                Reason.CERTIFICATE, str(getattr(cause, "verify_message", "")).rstrip(".")
            )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Failure(Reason.NOT_RESOLVED)
    for kinds, reason in _REASONS:
        if isinstance(error, kinds):
            return Failure(reason)
    return Failure(Reason.UNEXPECTED, type(error).__name__)


def _send(http: httpx.Client, request: Request, seconds: float, limits: Limits) -> Answer | Failure:
    ends_at = time.monotonic() + seconds
    try:
        with http.stream(**request.arguments(seconds, limits.connect_seconds)) as response:
            reception = Reception(response)
            chunks = response.iter_bytes()
            while not reception.is_complete and (chunk := next(chunks, None)) is not None:
                reception.take(chunk)
                if time.monotonic() > ends_at:
                    return _TIMED_OUT
            return reception.answer()
    # Whatever it is, it may hold the request; and nobody but the caller would take it in a thread.
    except BaseException as error:  # noqa: BLE001
        return failure_of(error)


async def _send_async(
    http: httpx.AsyncClient, request: Request, seconds: float, limits: Limits
) -> Answer | Failure:
    try:
        async with http.stream(**request.arguments(seconds, limits.connect_seconds)) as response:
            reception = Reception(response)
            chunks = response.aiter_bytes()
            while not reception.is_complete and (chunk := await anext(chunks, None)) is not None:
                reception.take(chunk)
            return reception.answer()
    except Exception as error:  # noqa: BLE001 - whatever it is, it may hold the request
        return failure_of(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _without_frames(error: BaseException) -> BaseException:
    """Return an exception without the frames that it, and those that it came of, passed through.

    What cancels looks for its own exception among those; of others nothing is left.
    """
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        one.__traceback__ = None
        is_suppressed = one.__suppress_context__
        if isinstance(one.__cause__, Exception):
            one.__cause__ = None
        if isinstance(one.__context__, Exception):
            one.__context__ = None
        one.__suppress_context__ = is_suppressed
        # Of a group, those in it.
        members: tuple[BaseException, ...] = getattr(one, "exceptions", ())
        todo += [other for other in (one.__cause__, one.__context__, *members) if other]
    return error
