"""The PHP client in processes that fork."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from tests.clients.certificate import certify
from tests.clients.php_caller import CLIENT, php, require, require_php
from tests.clients.samples import MEETING

if TYPE_CHECKING:
    from pathlib import Path

CHILDREN = 8
# A file, since children share what is read.
SCRIPT = f"""<?php
require '{CLIENT}/autoload.php';
$limits = new JitsiTokens\\Limits(attempts: (int) $argv[2]);
$client = new JitsiTokens\\Client($argv[1], new JitsiTokens\\Secret('k'), limits: $limits);
$ask = static function (string $name) use ($client): void {{
    $token = $client->issue('visit', $name)->token;
    fwrite(STDOUT, "{{$name}} {{$token}}\\n");
}};
$ask('parent');
for ($n = 0; $n < {CHILDREN}; $n++) {{
    if (pcntl_fork() === 0) {{
        $ask("first-{{$n}}");
        $ask("second-{{$n}}");
        exit;
    }}
}}
$ask('parent-meanwhile');
while (pcntl_wait($status) > 0);
$ask('parent-afterwards');
"""


class KeepingServer(ThreadingHTTPServer):
    """Keeps the connections that it accepts."""

    daemon_threads = True
    # All children connect at once.
    request_queue_size = 64
    # For each request the connection that it came over, by the client's port.
    ports: list[int]

    def handle_error(self, *_: object) -> None:
        """Say nothing of processes that are gone."""


class Handler(BaseHTTPRequestHandler):
    """Makes a token of each name, slowly, so that requests of all children are under way."""

    protocol_version = "HTTP/1.1"
    server: KeepingServer
    timeout = 20

    def do_POST(self) -> None:
        """Answer with a token."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.ports.append(self.client_address[1])
        time.sleep(0.1)
        body = json.dumps(MEETING | {"token": token_of(asked["userName"])}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def token_of(name: str) -> str:
    """Return what looks like a token, and holds the name."""
    return f"e30.{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}.c2ln"


# Over TLS a child that lays down its parent's connection ends it: the parent makes another.
@pytest.mark.parametrize(("scheme", "attempts"), [("http", 1), ("https", 4)])
def test_each_process_gets_its_own_answers(scheme: str, attempts: int, tmp_path: Path) -> None:
    """With a client that had its connection before the fork: parent and children."""
    require_php()
    modules = php("-m").stdout.split()
    available = {"pcntl", "posix"} <= set(modules)
    require("PHP's pcntl and posix", "a php-cli that has them", available=available)
    certificate, context = certify(tmp_path, "127.0.0.1")
    script = tmp_path / "forking.php"
    script.write_text(SCRIPT)
    with KeepingServer(("127.0.0.1", 0), Handler) as server:
        server.ports = []
        if scheme == "https":
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        url = f"{scheme}://127.0.0.1:{server.server_port}"
        finished = php(str(script), url, str(attempts), SSL_CERT_FILE=str(certificate))
        server.shutdown()

    assert finished.returncode == 0, finished.stderr
    assert not finished.stderr
    names = [f"{time}-{n}" for n in range(CHILDREN) for time in ("first", "second")]
    names += ["parent", "parent-meanwhile", "parent-afterwards"]
    assert sorted(finished.stdout.splitlines()) == sorted(f"{n} {token_of(n)}" for n in names)
    # Each child's second request comes over the connection of its first one.
    counts = [server.ports.count(port) for port in set(server.ports)]
    assert counts.count(2) >= CHILDREN
