"""What the Python client leaves behind ends, and the client goes on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from jitsi_tokens_client import Client, Limits, UnavailableError

from tests.clients import unruly_server as unruly
from tests.clients.drop_ins import DROP_INS, PERSON
from tests.clients.samples import API_KEY, GOOD, PATIENT, TOKEN, WELL
from tests.clients.tls_server import TlsServer
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from tests.clients.unruly_server import Deed

IMPATIENT = Limits(connect_seconds=2, attempt_seconds=0.5, total_seconds=3, attempts=1)
DRIP = unruly.drip(GOOD, head=True)


def inform(connection: socket.socket, stopped: threading.Event) -> None:
    """Say for ever that the answer will come (RFC 9110, 15.2)."""
    while not stopped.wait(0.1):
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


def flood(connection: socket.socket, stopped: threading.Event) -> None:
    """Say so as fast as it is read."""
    while not stopped.is_set():
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


def slowly(deed: Deed, seconds: float) -> Deed:
    """Do something later."""

    def wait(connection: socket.socket, stopped: threading.Event) -> None:
        stopped.wait(seconds)
        deed(connection, stopped)

    return wait


class TlsUnrulyServer(UnrulyServer):
    """Behind TLS."""

    def __init__(self, tls: TlsServer, *deeds: Deed) -> None:
        super().__init__(*deeds)
        self.url = self.url.replace("http:", "https:")
        self._context = tls._context

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            super()._serve(self._context.wrap_socket(connection, server_side=True))


def threads() -> list[threading.Thread]:
    """Return the attempts that still run."""
    return [one for one in threading.enumerate() if one.name == "jitsi-tokens"]


def assert_all_end(seconds: float = 2, but: int = 0) -> None:
    """Fail where an attempt runs on, or more of them than may."""
    ends_at = time.monotonic() + seconds
    while len(threads()) > but and time.monotonic() < ends_at:
        time.sleep(0.02)
    assert len(threads()) == but


def ask(client: Client) -> str:
    """Return the token, or why there is none."""
    try:
        return client.issue(**PATIENT).token
    except UnavailableError as error:
        return str(error)


def together(*calls: Callable[[], object]) -> None:
    """Do all of them at a time."""
    running = [threading.Thread(target=one) for one in calls]
    for one in running:
        one.start()
    for one in running:
        one.join()


# A flood is read without pause: a few of them are all that a machine can take.
@pytest.mark.parametrize(
    ("deed", "count"), [(DRIP, 110), (inform, 110), (flood, 6), (unruly.stall, 110)]
)
def test_attempts_left_behind_end(deed: Deed, count: int) -> None:
    """More of them than a pool has connections, and the client is as good as before."""
    with (
        UnrulyServer(*[deed] * count, WELL) as server,
        Client(server.url, API_KEY, limits=IMPATIENT) as client,
    ):
        for _ in range(2):
            together(*[lambda: ask(client)] * (count // 2))
        assert_all_end()

        assert ask(client) == TOKEN
    assert_all_end()


@pytest.mark.parametrize("deed", [DRIP, inform, unruly.stall])
def test_attempts_left_behind_end_under_tls(
    deed: Deed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing that comes for them is read by those that follow at once."""
    tls = TlsServer(tmp_path, "127.0.0.1")
    tls._listener.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    limits = Limits(connect_seconds=2, attempt_seconds=0.7, total_seconds=9, attempts=4)
    with (
        TlsUnrulyServer(tls, deed, deed, slowly(WELL, 0.4)) as server,
        Client(server.url, API_KEY, limits=limits) as client,
    ):
        assert ask(client) == TOKEN
        assert len(server.received) == 3
        assert_all_end()


def test_nobody_else_is_cut_off() -> None:
    """A call that is awaited ends in its own time, on the connections that it has."""
    limits = Limits(attempt_seconds=1, attempts=1)
    answers: list[str] = []
    with (
        UnrulyServer(DRIP, slowly(WELL, 0.8), WELL) as server,
        Client(server.url, API_KEY, limits=limits) as client,
    ):

        def ask_later() -> None:
            time.sleep(0.5)
            answers.append(ask(client))

        together(lambda: ask(client), ask_later)

        assert answers == [TOKEN]
        assert len(server.received) == 2
        assert_all_end()


def test_a_closed_client_lets_calls_come_to_their_end() -> None:
    """It is closed after them."""
    answers: list[str] = []
    with UnrulyServer(slowly(WELL, 0.6)) as server:
        client = Client(server.url, API_KEY, limits=Limits(attempts=1))

        def close() -> None:
            time.sleep(0.2)
            client.close()

        together(lambda: answers.append(ask(client)), close)

        assert answers == [TOKEN]
        assert client._own_http is None
        assert_all_end()


def test_an_http_client_that_was_handed_in_stays_open() -> None:
    """What was left behind with it lasts as long as the server likes."""
    with UnrulyServer(inform, WELL) as server, httpx.Client() as http:
        client = Client(server.url, API_KEY, limits=IMPATIENT, http=http)

        assert "timed out" in ask(client)
        assert ask(client) == TOKEN
        assert_all_end(but=1)
        assert not http.is_closed
    # The server has gone.
    assert_all_end(5)


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
def test_the_drop_in_says_that_it_cannot_write(redirection: str) -> None:
    """One line, and nothing more when Python ends."""
    script = DROP_INS["python"].script
    with UnrulyServer(WELL) as server:
        finished = subprocess.run(  # noqa: S603 - our own words
            ["/bin/sh", "-c", f'exec "$0" "$@" {redirection}', sys.executable, script, *PERSON],
            capture_output=True,
            text=True,
            env=os.environ
            | {
                # libfaketime would take the closed descriptor for a file of its own.
                "LD_PRELOAD": "",
                "JITSI_TOKENS_URL": server.url,
                "JITSI_TOKENS_API_KEY": API_KEY,
                "PYTHONPATH": os.path.dirname(script),  # noqa: PTH120
            },
            timeout=60,
            check=False,
        )

    assert finished.returncode == 1
    assert finished.stderr == "Standard output cannot be written.\n"
