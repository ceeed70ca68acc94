"""`jitsi-tokens doctor`: an address, its certificate, and what it may not answer."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.doctor.address import clock_check, make_contact, meeting_page_check
from jitsi_tokens_cli.web import Web
from tests.clients.certificate import certify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CLOCK = Clock(time.time, time.sleep)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: a client hangs up on a certificate that it does not trust."""


@pytest.fixture
def asked() -> list[str]:
    """Return the paths that the service was asked for."""
    return []


@pytest.fixture
def serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> Iterator[Callable[..., Web]]:
    """Return how a service begins to listen: with a certificate, trusted or not, or without TLS."""
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with contextlib.ExitStack() as stack:

        def begin(
            *,
            days: float = 90.5,
            name: str = "localhost",
            trusted: bool = True,
            tls: bool = True,
            status: int = 200,
            headers: tuple[tuple[str, str], ...] = (),
            body: bytes = b'{"configured": true}',
        ) -> Web:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    asked.append(self.path)
                    self.send_response_only(status)
                    for header in headers:
                        self.send_header(*header)
                    self.end_headers()
                    with contextlib.suppress(OSError):
                        self.wfile.write(body)

                def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                    """Keep quiet."""

            server = _Server(("127.0.0.1", 0), Handler)
            if tls:
                certificate, context = certify(tmp_path, name, days)
                if trusted:
                    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
                server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return Web(f"http{'s' if tls else ''}://localhost:{server.server_port}")

        yield begin


@pytest.mark.parametrize(
    ("service", "outcome", "words"),
    [
        ({}, "pass", "localhost answers; its certificate is valid for 90 days."),
        ({"days": 13.5}, "warning", "ends in 13 days"),
        ({"days": -1.0}, "fail", "certificate has expired"),
        ({"name": "other.example.org"}, "fail", "Hostname mismatch"),
        ({"trusted": False}, "fail", "self-signed certificate"),
        # No more is read than any answer of the service holds.
        ({"body": b" " * 7_000_000}, "fail", "not as jitsi-tokens does"),
    ],
)
def test_a_certificate_and_an_answer(
    serve: Callable[..., Web], service: dict[str, Any], outcome: str, words: str
) -> None:
    """Nothing goes to an address whose certificate is not valid."""
    contact = make_contact(serve(**service), CLOCK)

    assert contact.check.outcome == outcome
    assert words in contact.check.found
    # An answer may hold a token, which must not be in its repr.
    assert repr(contact.reply) == ("None" if outcome == "fail" else "Reply(status=200)")


@pytest.mark.parametrize("headers", [(), (("Date", "yesterday"),)])
def test_an_address_without_a_time(
    serve: Callable[..., Web], headers: tuple[tuple[str, str], ...]
) -> None:
    """The clocks are not compared."""
    contact = make_contact(serve(headers=headers), CLOCK)

    assert contact.check.outcome == "pass"
    assert clock_check(contact, 10).outcome == "skipped"


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "pass"), (404, "fail"), (302, "skipped"), (502, "skipped")]
)
def test_the_page_of_a_meeting(
    serve: Callable[..., Web],
    asked: list[str],
    self_hosted_environ: dict[str, str],
    status: int,
    outcome: str,
) -> None:
    """Of a room with a hyphen, behind the tenant; no redirect is followed."""
    elsewhere = ("Location", "/elsewhere")
    domain = serve(status=status, headers=(elsewhere,), tls=False).url.removeprefix("http://")
    environ = self_hosted_environ | {"JITSI_DOMAIN": domain, "JITSI_TENANT": "clinic"}

    check = meeting_page_check(read_settings(environ))

    assert (check.name, check.outcome) == ("meeting-page", outcome)
    assert "localhost" in check.found
    assert ("jitsi-config --format prosody" in check.remedy) == (status == 404)
    [path] = asked
    assert re.fullmatch("/clinic/doctor-[0-9a-f]{16}", path)
    assert path not in check.found


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({}, ""),
        ({"X-Frame-Options": "DENY"}, "X-Frame-Options"),
        ({"X-Frame-Options": "SameOrigin"}, "X-Frame-Options"),
        ({"Content-Security-Policy": "default-src 'none'"}, ""),
        ({"Content-Security-Policy": "img-src *; Frame-Ancestors 'none'"}, "Security-Policy"),
        ({"Content-Security-Policy": "frame-ancestors"}, "Security-Policy"),
        ({"Content-Security-Policy": "frame-ancestors 'self' https://*.other.org"}, "-Policy"),
        # Browsers then do not look at the older header.
        (
            {
                "Content-Security-Policy": "frame-ancestors https://visits.example.org/",
                "X-Frame-Options": "DENY",
            },
            "",
        ),
        ({"Content-Security-Policy": "frame-ancestors 'self' *.example.org"}, ""),
        ({"Content-Security-Policy": "frame-ancestors http://visits.example.org"}, "-Policy"),
        ({"Content-Security-Policy": "frame-ancestors *, frame-ancestors 'self'"}, "-Policy"),
    ],
)
def test_a_frame_that_a_header_forbids(
    serve: Callable[..., Web],
    self_hosted_environ: dict[str, str],
    headers: dict[str, str],
    named: str,
) -> None:
    """A warning names the header and what to do, unless nobody shows Jitsi in a frame."""
    domain = serve(headers=tuple(headers.items()), tls=False).url.removeprefix("http://")
    settings = read_settings(self_hosted_environ | {"JITSI_DOMAIN": domain})

    check = meeting_page_check(settings, "https://Visits.example.org/v1")

    assert check.outcome == ("warning" if named else "pass")
    assert named in check.found
    assert ("JoinMode=redirect" in check.remedy) == bool(named)
    assert meeting_page_check(settings).outcome == "pass"


def test_a_jitsi_out_of_reach_is_no_failure(self_hosted_environ: dict[str, str]) -> None:
    """It may be one that only browsers inside the clinic reach."""
    environ = self_hosted_environ | {"JITSI_DOMAIN": "meet.invalid"}

    check = meeting_page_check(read_settings(environ))

    assert check.outcome == "skipped"
    assert not check.obstructed
    assert "meet.invalid does not answer" in check.found
