"""A switchable proxy on loopback: lets through, slows, refuses, stays silent, answers errors."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.calls import Exchanges


class Slow(NamedTuple):
    """Each answer comes, so many seconds late."""

    seconds: float


class AwsError(NamedTuple):
    """Each request is answered with an error, as the AWS JSON protocol has it."""

    status: int
    code: str


class Lost(NamedTuple):
    """One operation's requests, or its answers, never arrive; everything else does."""

    what: Literal["request", "answer"]
    operation: str


type Mode = Literal["through", "refuse", "silent"] | Slow | AwsError | Lost


class FaultProxy:
    """Forwards TCP to a port of this machine, until told otherwise.

    Args:
        watch: called for each new connection, and given what passes on it.

    Attributes:
        target_port: where to.
        connections: how many callers opened, in whatever mode.
    """

    def __init__(self, watch: Callable[[], Exchanges] | None = None) -> None:
        self._watch = watch
        self.target_port: int | None = None
        self.connections = 0
        self._mode: Mode = "through"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._seen: list[bytes] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._drop()

    @property
    def endpoint(self) -> str:
        """The address that callers are given."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def count(self, operation: str) -> int:
        """Return how often callers asked for an operation of an AWS JSON API, and were heard."""
        return b"".join(self._seen).count(f".{operation}\r\n".encode())

    def switch(self, mode: Mode) -> None:
        """Behave otherwise from now on; connections that are open are cut."""
        self._mode = mode
        self._drop()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._open.append(caller)
            match self._mode:
                case "refuse":
                    self._drop()
                case "through":
                    self._forward(caller, 0)
                case Slow(seconds):
                    self._forward(caller, seconds)
                case Lost() as lost:
                    self._forward(caller, 0, lost)
                case AwsError() as error:
                    arguments = (error, caller, self._seen)
                    threading.Thread(target=_answer_with, args=arguments, daemon=True).start()

    def _forward(
        self, caller: socket.socket, late_seconds: float, lost: Lost | None = None
    ) -> None:
        if self.target_port is None:
            return
        try:
            target = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            # The emulator has stopped while a function of a schedule's was under way.
            self._drop()
            return
        with self._lock:
            self._open.append(target)
        asked = threading.Event()
        seen: tuple[Callable[[bytes], None], ...] = (self._seen.append,)
        answered: tuple[Callable[[bytes], None], ...] = ()
        if self._watch:
            exchanges = self._watch()
            seen, answered = (*seen, exchanges.sent), (exchanges.answered,)
        if lost:
            ends_request, ends_answer = _losing(lost)
            seen, answered = (*seen, ends_request), (*answered, ends_answer)
        for pump, arguments in (
            (_pass_requests, (caller, target, seen, asked)),
            (_pass_answers, (target, caller, answered, asked, late_seconds)),
        ):
            threading.Thread(target=pump, args=arguments, daemon=True).start()

    def _drop(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._open.clear()


def _losing(lost: Lost) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
    """Return what ends a connection at a request, and at an answer."""
    asked = threading.Event()

    def at_request(data: bytes) -> None:
        if f".{lost.operation}\r\n".encode() in data:
            if lost.what == "request":
                raise ConnectionAbortedError
            asked.set()

    def at_answer(_data: bytes) -> None:
        if asked.is_set():
            raise ConnectionAbortedError

    return at_request, at_answer


def _pass_requests(
    caller: socket.socket,
    target: socket.socket,
    told: tuple[Callable[[bytes], None], ...],
    asked: threading.Event,
) -> None:
    with contextlib.suppress(OSError):
        while data := caller.recv(65536):
            for tell in told:
                tell(data)
            asked.set()
            target.sendall(data)
    _close(caller, target)


def _pass_answers(
    target: socket.socket,
    caller: socket.socket,
    told: tuple[Callable[[bytes], None], ...],
    asked: threading.Event,
    late_seconds: float,
) -> None:
    with contextlib.suppress(OSError):
        while data := target.recv(65536):
            for tell in told:
                tell(data)
            if late_seconds and asked.is_set():
                asked.clear()
                time.sleep(late_seconds)
            caller.sendall(data)
    _close(caller, target)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _answer_with(error: AwsError, caller: socket.socket, seen: list[bytes]) -> None:
    """Answer until the caller hangs up; what it asks for is added to what was seen."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            seen.append(f"{self.headers['X-Amz-Target']}\r\n".encode())
            self.rfile.read(int(self.headers["Content-Length"]))
            body = json.dumps({"__type": error.code, "message": "said by the tests"}).encode()
            self.send_response(error.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with contextlib.suppress(OSError):
        Handler(caller, caller.getpeername(), None)  # type: ignore[arg-type]
