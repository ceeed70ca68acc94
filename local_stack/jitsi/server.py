"""The stand-in's web server, and what Jitsi would do with a token by the rules of `token explain`.

Its page sends it the token in a request's body, and it logs nothing.
"""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jitsi_tokens.core.rooms import unopened
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.token.explain.context import makes_moderator
from jitsi_tokens_cli.token.explain.expectations import (
    Expectations,
    KeyUnknown,
    TokenUnderTest,
    looks_like_jaas,
    of_jaas,
)
from jitsi_tokens_cli.token.explain.rooms import read_address
from jitsi_tokens_cli.token.explain.rules import Explanation, explain
from jitsi_tokens_cli.token.text import decode, token_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens_cli.token.text import Token

    # What the Jitsi that it stands in for expects of a token.
    type Expect = Callable[[Token], Expectations]

_FOLDER = Path(__file__).parent
_HTML = "text/html; charset=utf-8"
_SCRIPT = "text/javascript; charset=utf-8"
_MOST_BYTES = 65_536
# <tenant>/<room>
_DEEPEST = 2


class StandIn(ThreadingHTTPServer):
    """Listens on loopback alone. Port 0: any free one."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.expect: Expect = self.expect_without_key

    @property
    def domain(self) -> str:
        """The value for the stack's parameter JitsiDomain."""
        return f"127.0.0.1:{self.server_port}"

    def expect_without_key(self, token: Token) -> Expectations:
        """Expect what any Jitsi does: it stands in for no Jitsi in particular."""
        unknown = KeyUnknown("The stand-in has no key to check it with.")
        if looks_like_jaas(token.header, token.claims):
            return of_jaas(None, lambda _: unknown)._replace(domain=self.domain)
        return Expectations(None, lambda _: unknown, domain=self.domain)


def verdict(address: str, expect: Expect, now: int) -> dict[str, Any]:
    """Return what Jitsi would do with the token in a meeting's address, for the page to show."""
    try:
        found = token_in(address)
        if not found:
            return _refused("The URL has no token, and nobody gets in without one.")
        token = decode(found.text)
    except CommandError as error:
        return _refused(str(error))
    meeting = read_address(found.url)
    tested = TokenUnderTest(found, token, expect(token), meeting and meeting.room, now)
    explanation = explain(tested)
    names = ("rule", "outcome", "found", "why", "remedy")
    [signature] = [check for check in explanation.rules if check.name == "signature"]
    return {
        "verdict": explanation.verdict,
        "why": _why(explanation),
        "room": explanation.room,
        "name": str(tested.user.get("name") or ""),
        "role": "moderator" if makes_moderator(tested) else "guest",
        "ends": tested.claims.get("exp"),
        "signature": " ".join(filter(None, (f"{signature.found}.", signature.why))),
        "rules": [dict(zip(names, check, strict=False)) for check in explanation.rules],
    }


def _refused(why: str) -> dict[str, Any]:
    return {"verdict": "refused", "why": why, "name": "", "rules": []}


def _why(explanation: Explanation) -> str:
    if explanation.failures:
        first = explanation.failures[0]
        return f"{first.name}: {first.found}. {first.why} {first.remedy}"
    if explanation.not_checked:
        return f"Not checked: {', '.join(check.name for check in explanation.not_checked)}."
    return ""


class _Handler(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        name = path.rpartition("/")[2]
        if path == "/transport.js":
            self._answer(_SCRIPT, _read("transport.js"))
        elif name == "external_api.js":
            self._answer(_SCRIPT, _read("transport.js") + _read("external_api.js"))
        elif path.strip("/").count("/") >= _DEEPEST or unopened(name):
            # What Jitsi's web server opens no meeting for.
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._answer(_HTML, _read("page.html"))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/explain" or length > _MOST_BYTES:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        address = self.rfile.read(length).decode(errors="replace")
        answer = verdict(address, self.server.expect, int(time.time()))
        self._answer("application/json", json.dumps(answer).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing: an address may hold a token."""

    def _answer(self, content_type: str, content: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)


def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
