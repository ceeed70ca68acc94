"""A switchable proxy on loopback: lets through, refuses, or stays silent."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.calls import Exchanges

type Mode = Literal["through", "refuse", "silent"]


class FaultProxy:
    """Forwards TCP to a port of this machine, until told otherwise.

    Args:
        watch: what is told of a new connection, and given what passes on it.
    """

    def __init__(self, watch: Callable[[], Exchanges] | None = None) -> None:
        self._watch = watch
        self.target_port: int | None = None
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
        """Return how often callers asked for an operation of an AWS JSON API."""
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
            with self._lock:
                self._open.append(caller)
            if self._mode == "refuse":
                self._drop()
            elif self._mode == "through" and self.target_port:
                try:
                    target = socket.create_connection(("127.0.0.1", self.target_port))
                except OSError:
                    # The emulator has stopped while a function of a schedule's was under way.
                    self._drop()
                    continue
                with self._lock:
                    self._open.append(target)
                seen: tuple[Callable[[bytes], None], ...] = (self._seen.append,)
                answered: tuple[Callable[[bytes], None], ...] = ()
                if self._watch:
                    exchanges = self._watch()
                    seen, answered = (*seen, exchanges.sent), (exchanges.answered,)
                for arguments in ((caller, target, seen), (target, caller, answered)):
                    threading.Thread(target=_pump, args=arguments, daemon=True).start()

    def _drop(self) -> None:
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    reset = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            self._open.clear()


def _pump(
    source: socket.socket, sink: socket.socket, told: tuple[Callable[[bytes], None], ...]
) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            for tell in told:
                tell(data)
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
