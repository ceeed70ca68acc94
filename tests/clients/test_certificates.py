"""Over TLS a caller sends its API key to whom the certificate names, and to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients.certificate import certify
from tests.clients.samples import PATIENT, WELL, settings
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.callers import Caller


@pytest.mark.parametrize(
    ("subject", "is_trusted", "kind"),
    [
        ("127.0.0.1", True, "meeting"),
        ("127.0.0.1", False, "Configuration"),
        ("tokens.example.org", True, "Configuration"),
    ],
    ids=["trusted", "of nobody known", "of another host"],
)
def test_a_certificate_must_be_trusted_and_fit(
    caller: Caller,
    tmp_path: Path,
    subject: str,
    is_trusted: bool,  # noqa: FBT001
    kind: str,
) -> None:
    """If it is not valid, the call ends at once, and before the key is sent."""
    certificate, context = certify(tmp_path, subject)
    trust = {"SSL_CERT_FILE": str(certificate)} if is_trusted else {}
    with UnrulyServer(WELL, context=context) as server:
        outcome = caller.issue(settings(server), trust, **PATIENT)

        assert outcome.kind == kind, outcome
        assert len(server.received) == (kind == "meeting")
        assert kind == "meeting" or "certificate" in outcome.values["message"]
