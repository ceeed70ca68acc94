"""The PHP client in processes that fork, and the output that its command writes to."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import pytest

from tests.clients.php_caller import CLIENT, php, require, require_php
from tests.clients.samples import API_KEY, MEETING, WELL
from tests.clients.tls_server import TlsServer
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

SCRIPT = str(CLIENT / "generate-jwt-token.php")
CHILDREN = 8


class KeepingServer(ThreadingHTTPServer):
    """Keeps its connections, and makes each name a token of its own."""

    daemon_threads = True
    # All children connect at once.
    request_queue_size = 64

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        # For each request that came its connection, by the client's port.
        self.ports: list[int] = []
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Say nothing of processes that are gone."""


class Handler(BaseHTTPRequestHandler):
    """Takes its time, so that requests of all children are under way together."""

    protocol_version = "HTTP/1.1"
    server: KeepingServer
    timeout = 20

    def do_GET(self) -> None:
        """Say that there is a key."""
        self._answer({"configured": True})

    def do_POST(self) -> None:
        """Make a token of the name."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(0.1)
        self._answer(MEETING | {"token": token_of(asked["userName"])})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, document: object) -> None:
        self.server.ports.append(self.client_address[1])
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def token_of(name: str) -> str:
    """Return what looks like a token, and holds the name."""
    return f"e30.{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}.c2ln"


def require_forks() -> None:
    """Leave a test out where PHP cannot fork."""
    require_php()
    modules = php("-m").stdout.split()
    available = {"pcntl", "posix"} <= set(modules)
    require("PHP's pcntl and posix", "a php-cli that has them", available=available)


def forking(script: str, url: str, folder: Path, **variables: str) -> list[str]:
    """Run a script with a client `$ask(name)`, in a file since children share what is read."""
    path = folder / "forking.php"
    path.write_text(
        f"""<?php
        require '{CLIENT}/autoload.php';
        $limits = new JitsiTokens\\Limits(5, 10, 10, attempts: 1);
        $client = new JitsiTokens\\Client('{url}', new JitsiTokens\\Secret('k'), limits: $limits);
        $ask = static function (string $name) use ($client): void {{
            try {{
                $told = $client->issue('visit', $name)->token;
            }} catch (Exception $error) {{
                $told = $error->getMessage();
            }}
            fwrite(STDOUT, "{{$name}} {{$told}}\\n");
        }};
        {script}"""
    )
    finished = php(str(path), **variables)
    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    return finished.stdout.splitlines()


def test_each_process_gets_its_own_answer(tmp_path: Path) -> None:
    """With a client that had its connection before they were forked, and parent and children."""
    require_forks()
    script = f"""
        $client->isConfigured();
        for ($n = 0; $n < {CHILDREN}; $n++) {{
            if (pcntl_fork() === 0) {{
                $ask("first-{{$n}}");
                $ask("second-{{$n}}");
                exit;
            }}
        }}
        $ask('parent');
        while (pcntl_wait($status) > 0);
        $ask('parent-again');"""
    with KeepingServer() as server:
        lines = forking(script, server.url, tmp_path)

        names = [f"{time}-{n}" for n in range(CHILDREN) for time in ("first", "second")]
        names += ["parent", "parent-again"]
        assert sorted(lines) == sorted(f"{name} {token_of(name)}" for name in names)
        # One connection each, which the second request uses again; the parent has three.
        counts = sorted(server.ports.count(port) for port in set(server.ports))
        assert counts == [2] * CHILDREN + [3]


def test_a_process_that_ends_leaves_its_parent_an_answer(tmp_path: Path) -> None:
    """PHP destroys every handle then, and says over the shared connection that TLS ends."""
    require_forks()
    script = """
        $ask('parent');
        foreach (['one', 'two', 'three'] as $name) {
            if (pcntl_fork() === 0) {
                $ask($name);
                exit;
            }
            pcntl_wait($status);
            $ask("after-{$name}");
        }"""
    with TlsServer(tmp_path, "127.0.0.1") as named, KeepingServer(named._context) as server:
        lines = forking(script, server.url, tmp_path, SSL_CERT_FILE=str(named.certificate))

    names = ["parent", "one", "after-one", "two", "after-two", "three", "after-three"]
    assert lines == [f"{name} {token_of(name)}" for name in names]


def test_a_process_leaves_its_parents_tls_alone(tmp_path: Path) -> None:
    """While the child lives on: both have answers, the parent over its first connection."""
    require_forks()
    script = """
        $ask('parent');
        [$near, $far] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        if (($child = pcntl_fork()) === 0) {
            $ask('child');
            fwrite($far, "\\n");
            sleep(20);
        }
        fgets($near);
        $ask('parent-again');
        posix_kill($child, SIGKILL);"""
    with TlsServer(tmp_path, "127.0.0.1") as named, KeepingServer(named._context) as server:
        trust = {"SSL_CERT_FILE": str(named.certificate)}
        lines = forking(script, server.url, tmp_path, **trust)

        names = ["parent", "child", "parent-again"]
        assert lines == [f"{name} {token_of(name)}" for name in names]
        first, second, third = server.ports
        assert first == third != second


@pytest.mark.parametrize("output", [">/dev/full", ">&-"])
@pytest.mark.parametrize("asked", ["room name ''", "--help"])
def test_a_command_that_cannot_write_says_so(output: str, asked: str) -> None:
    """In one line, and not by exit status 0."""
    require_php()
    with UnrulyServer(WELL) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        told = "-d error_reporting=-1 -d display_errors=stderr"
        finished = subprocess.run(  # noqa: S602 - our own line
            f"exec php {told} {shlex.quote(SCRIPT)} {asked} {output}",
            shell=True,
            stderr=subprocess.PIPE,
            text=True,
            # libfaketime would take the closed descriptor for a file of its own.
            env=os.environ | variables | {"LD_PRELOAD": ""},
            timeout=60,
            check=False,
        )

        assert finished.stderr == "Standard output cannot be written.\n"
        assert finished.returncode == 1


def test_a_command_that_can_write_nothing_ends_by_its_status() -> None:
    """Without a notice in the place of its sentence."""
    require_php()
    told = "-d error_reporting=-1 -d display_errors=stdout"
    finished = subprocess.run(  # noqa: S602 - our own line
        f"exec php {told} {shlex.quote(SCRIPT)} 2>/dev/full",
        shell=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )

    assert (finished.returncode, finished.stdout) == (2, "")
