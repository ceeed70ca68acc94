"""Over TLS a caller sends its API key to whom the certificate names, and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.samples import API_KEY, PATIENT, TOKEN
from tests.clients.tls_server import TlsServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.callers import Caller


def test_a_certificate_that_is_trusted_and_fits_is_taken(caller: Caller, tmp_path: Path) -> None:
    """By whom it is told to trust."""
    with TlsServer(tmp_path, "127.0.0.1") as server:
        outcome = caller.issue(
            {"url": server.url, "api_key": API_KEY},
            {"SSL_CERT_FILE": str(server.certificate)},
            **PATIENT,
        )

        assert outcome.kind == "meeting", outcome
        assert outcome.values["token"] == TOKEN


def test_a_certificate_that_nobody_vouches_for_is_refused(caller: Caller, tmp_path: Path) -> None:
    """At once, and before the key is sent."""
    with TlsServer(tmp_path, "127.0.0.1") as server:
        outcome = caller.issue({"url": server.url, "api_key": API_KEY}, **PATIENT)

        assert outcome.kind == "Configuration", outcome
        assert "certificate" in outcome.values["message"]
        assert server.requests == 0


def test_a_certificate_of_another_host_is_refused(caller: Caller, tmp_path: Path) -> None:
    """A trusted one is not enough."""
    with TlsServer(tmp_path, "tokens.example.org") as server:
        outcome = caller.issue(
            {"url": server.url, "api_key": API_KEY},
            {"SSL_CERT_FILE": str(server.certificate)},
            **PATIENT,
        )

        assert outcome.kind == "Configuration", outcome
        assert server.requests == 0
