"""The HTTP client that a `Client` makes for itself: it ends the attempts that nobody awaits."""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping


class OwnHttp(httpx.Client):
    """An HTTP client that knows its sockets, and the attempts that are made with it.

    Once it is retired no attempt begins. Attempts that somebody awaits end in their own time; then
    the sockets are shut down, which ends the others; then all is closed. A socket is never closed
    under an attempt: that would not wake it, and the socket's number may soon be another file's.
    """

    def __init__(self, *, trust_env: bool) -> None:
        self._guard = threading.Lock()
        # Of a connection that is no more nothing is kept.
        self._streams: weakref.WeakSet[Any] = weakref.WeakSet()
        self._awaited = 0
        self._running = 0
        self._is_retired = False
        super().__init__(trust_env=trust_env)

    def begin(self) -> bool:
        """Count an attempt as awaited and running; False where none may begin any more."""
        with self._guard:
            if self._is_retired:
                return False
            self._awaited += 1
            self._running += 1
            return True

    def forget(self) -> None:
        """Say of an attempt that nobody awaits it any more: it has ended, or is left behind."""
        with self._guard:
            self._awaited -= 1
        self._tidy()

    def end(self) -> None:
        """Say of an attempt that it runs no more."""
        with self._guard:
            self._running -= 1
        self._tidy()

    def retire(self) -> None:
        """Let no more attempts begin."""
        with self._guard:
            self._is_retired = True
        self._tidy()

    def build_request(self, *args: Any, **options: Any) -> httpx.Request:
        """Return a request that tells which connections are made for it."""
        request = super().build_request(*args, **options)
        request.extensions = {**request.extensions, "trace": self._watch}
        return request

    @property
    def _is_over(self) -> bool:
        return self._is_retired and not self._awaited

    def _tidy(self) -> None:
        with self._guard:
            streams = list(self._streams) if self._is_over else []
            is_idle = self._is_retired and not self._running
        for stream in streams:
            _shut_down(stream)
        if is_idle:
            self.close()

    def _watch(self, _event: str, info: Mapping[str, Any]) -> None:
        # Of the events those matter that a new connection comes of, with or without TLS or proxy.
        stream = info.get("return_value")
        if not hasattr(stream, "get_extra_info"):
            return
        with self._guard:
            self._streams.add(stream)
            is_over = self._is_over
        if is_over:
            _shut_down(stream)


def _shut_down(stream: Any) -> None:
    one = stream.get_extra_info("socket")
    if isinstance(one, socket.socket):
        # Nobody is connected any more, or TLS has taken the socket over. The method of TLS's own
        # sockets would make what still comes pass for plain text.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(one, socket.SHUT_RDWR)
