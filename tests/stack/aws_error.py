"""An error of AWS's, given to every request of a connection."""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket


class AwsError(NamedTuple):
    """Each request is answered with an error, as the AWS JSON protocol has it."""

    status: int
    code: str


def answer_with(error: AwsError, caller: socket.socket, seen: list[bytes]) -> None:
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
