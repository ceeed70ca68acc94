"""`jitsi-tokens doctor`: an address, its certificate, and what it may not answer."""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.doctor.address import clock_check, make_contact, meeting_page_check
from jitsi_tokens_cli.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    type Serve = Callable[..., Web]

CLOCK = Clock(time.time, time.sleep)


def _certificate(key: RSAPrivateKey, name: str, days: float) -> bytes:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


@pytest.fixture
def asked() -> list[str]:
    """Return the paths that the service was asked for."""
    return []


@pytest.fixture
def serve(
    tmp_path: Path,
    rsa_key: RSAPrivateKey,
    rsa_pem: str,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[str],
) -> Iterator[Serve]:
    """Return how a service begins to listen with a certificate, trusted or not."""
    for variable in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
    with contextlib.ExitStack() as stack:

        def begin(
            *,
            days: float = 90.5,
            name: str = "localhost",
            trusted: bool = True,
            headers: tuple[tuple[str, str], ...] = (),
            body: bytes = b'{"configured": true}',
            status: int = 200,
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

            class Server(ThreadingHTTPServer):
                def handle_error(self, request: object, client_address: object) -> None:
                    """Keep quiet: a client hangs up on a certificate that it does not trust."""

            certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
            certificate.write_bytes(_certificate(rsa_key, name, days))
            key.write_text(rsa_pem)
            if trusted:
                monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server = Server(("127.0.0.1", 0), Handler)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return Web(f"https://localhost:{server.server_port}")

        yield begin


def test_a_certificate_that_holds(serve: Serve) -> None:
    """The days that are left are told."""
    check = make_contact(serve(), CLOCK).check

    assert check.outcome == "pass"
    assert check.found == "localhost answers; its certificate holds for 90 days."


def test_a_certificate_that_ends_soon_is_a_warning(serve: Serve) -> None:
    """Two weeks before."""
    check = make_contact(serve(days=13.5), CLOCK).check

    assert check.outcome == "warning"
    assert "ends in 13 days" in check.found
    assert check.remedy


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ({"days": -1.0}, "certificate has expired"),
        ({"name": "other.example.org"}, "Hostname mismatch"),
        ({"trusted": False}, "self-signed certificate"),
    ],
)
def test_a_certificate_that_does_not_hold(
    serve: Serve, flaw: dict[str, object], words: str
) -> None:
    """Nothing is asked behind it."""
    contact = make_contact(serve(**flaw), CLOCK)

    assert contact.check.outcome == "fail"
    assert words in contact.check.found
    assert contact.reply is None


def test_a_name_that_does_not_resolve() -> None:
    """It is told as no answer."""
    check = make_contact(Web("https://tokens.invalid"), CLOCK).check

    assert check.outcome == "fail"
    assert "tokens.invalid does not answer (ConnectError)." in check.found


@pytest.mark.parametrize("headers", [(), (("Date", "yesterday"),)])
def test_an_address_without_a_time(serve: Serve, headers: tuple[tuple[str, str], ...]) -> None:
    """The clocks are not compared."""
    contact = make_contact(serve(headers=headers), CLOCK)

    assert contact.check.outcome == "pass"
    assert clock_check(contact, 10).outcome == "skipped"


def test_an_address_without_an_end(serve: Serve) -> None:
    """No more is read than any answer of the service holds."""
    contact = make_contact(serve(body=b" " * 1_000_000), CLOCK)

    assert "not as jitsi-tokens does" in contact.check.found


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "pass"), (404, "fail"), (302, "skipped"), (502, "skipped")]
)
def test_the_page_of_a_meeting(
    serve: Serve, asked: list[str], self_hosted_environ: dict[str, str], status: int, outcome: str
) -> None:
    """Of a room with a hyphen, behind the tenant; no redirect is followed."""
    elsewhere = ("Location", "/elsewhere")
    domain = serve(status=status, headers=(elsewhere,)).url.removeprefix("https://")
    environ = self_hosted_environ | {"JITSI_DOMAIN": domain, "JITSI_TENANT": "clinic"}

    check = meeting_page_check(read_settings(environ))

    assert (check.name, check.outcome) == ("meeting-page", outcome)
    assert "localhost" in check.found
    assert ("jitsi-config --format prosody" in check.remedy) == (status == 404)
    [path] = asked
    assert re.fullmatch("/clinic/doctor-[0-9a-f]{16}", path)
    assert path not in check.found


def test_a_jitsi_out_of_reach_is_no_failure(self_hosted_environ: dict[str, str]) -> None:
    """It may be one that only browsers inside the clinic reach."""
    environ = self_hosted_environ | {"JITSI_DOMAIN": "meet.invalid"}

    check = meeting_page_check(read_settings(environ))

    assert check.outcome == "skipped"
    assert not check.obstructed
    assert "meet.invalid does not answer" in check.found
