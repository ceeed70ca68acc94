"""A web server on loopback with the given answers, wrong ones too."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    type Deed = Callable[[socket.socket, threading.Event], None]

_DRIP_SECONDS = 0.2


class Received(NamedTuple):
    """A request as it arrived, and when, in seconds of the monotonic clock."""

    at: float
    line: str
    headers: dict[str, str]
    body: bytes


def answer(
    status: int, body: str | bytes, content_type: str = "application/json", **headers: str
) -> Deed:
    """Send one whole answer; `_` in a header's name means `-`."""
    return lambda connection, _: connection.sendall(_answer(status, body, content_type, headers))


def problem(
    kind: str, status: int, detail: str, pointer: str | None = None, **headers: str
) -> Deed:
    """Send a problem as the service does (RFC 9457)."""
    document: dict[str, object] = {
        "type": f"urn:jitsi-tokens:problem:{kind}",
        "title": "A problem",
        "status": status,
        "detail": detail,
    }
    if pointer:
        document["errors"] = [{"pointer": pointer, "detail": detail}]
    return answer(status, json.dumps(document), "application/problem+json", **headers)


def half(body: str) -> Deed:
    """Send half of what the answer says that it holds, and close."""
    whole = _answer(200, body, "application/json", {})
    return lambda connection, _: connection.sendall(whole[: len(whole) - len(body) // 2])


def close(_connection: socket.socket, _stopped: threading.Event) -> None:
    """Say nothing, and close."""


def reset(connection: socket.socket, _stopped: threading.Event) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stall(_connection: socket.socket, stopped: threading.Event) -> None:
    """Say nothing, and hold the connection."""
    stopped.wait(30)


def drip(body: str) -> Deed:
    """Send the head of an answer, then its body a byte at a time."""

    def send(connection: socket.socket, stopped: threading.Event) -> None:
        whole = _answer(200, body, "application/json", {})
        begin = len(whole) - len(body)
        connection.sendall(whole[:begin])
        for position in range(begin, len(whole)):
            if stopped.wait(_DRIP_SECONDS):
                return
            connection.sendall(whole[position : position + 1])

    return send


class UnrulyServer:
    """Takes a deed for each connection in turn; the last one again for all that follow."""

    def __init__(self, *deeds: Deed, context: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._deeds = list(deeds)
        self._context = context
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._listener.close()

    @property
    def waits(self) -> list[float]:
        """The seconds between each request and the next."""
        times = [one.at for one in self.received]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # The caller may have gone, or does not trust the certificate.
        with contextlib.suppress(OSError):
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                request = _read_request(connection)
                if not request.line:
                    return
                with self._lock:
                    self.received.append(request)
                    deed = self._deeds.pop(0) if len(self._deeds) > 1 else self._deeds[0]
                deed(connection, self._stopped)


def _read_request(connection: socket.socket) -> Received:
    """Return the next request of a connection."""
    at = time.monotonic()
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        headers: dict[str, str] = {}
        while text := stream.readline().decode().strip():
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
    return Received(at, line, headers, body)


def _answer(status: int, body: str | bytes, content_type: str, headers: dict[str, str]) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    lines = {
        "Content-Type": content_type,
        "Content-Length": str(len(content)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content
