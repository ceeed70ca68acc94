"""How long a caller waits for a Secrets Manager that takes connections and never answers."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens import secrets
from jitsi_tokens.clients import Client, write_client
from jitsi_tokens.policy import Policy
from tests.stack.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import LoadApp

# Under API Gateway's 29 seconds and the functions' own limit; the second, what a person bears.
COLD_SECONDS = 8
HELD_SECONDS = 2.5

SECRETS = {
    "signing-key": json.dumps({"algorithm": "HS256", "kid": "initial", "secret": "x" * 32}),
    "digest-key": "0123456789",
}
EVENT = {
    "headers": {"Content-Type": "application/json"},
    "body": json.dumps({"userId": "user-1", "userName": "Jo", "roomName": "visit-1"}),
    "requestContext": {
        "authorizer": {"client": write_client(Client(name="a", policy=Policy(rooms=["visit-*"])))}
    },
}


class SecretsManager(BaseHTTPRequestHandler):
    """Answers GetSecretValue."""

    def do_POST(self) -> None:
        """Return the secret's current version."""
        secret = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["SecretId"]
        answer = {"VersionId": "1" * 32, "SecretString": SECRETS[secret], "CreatedDate": 1.0}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def secrets_manager() -> Iterator[FaultProxy]:
    """What stands between the function and its secrets, and can fall silent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), SecretsManager)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with FaultProxy() as proxy:
        proxy.target_port = server.server_port
        yield proxy
    server.shutdown()
    server.server_close()


@pytest.fixture
def app(load_app: LoadApp, self_hosted_environ: dict[str, str], secrets_manager: FaultProxy) -> Any:
    """IssueToken, with its own clients."""
    names = {
        "SIGNING_KEY_SECRET": "signing-key",
        "DIGEST_KEY_SECRET": "digest-key",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager.endpoint,
    }
    return load_app("issue_token", self_hosted_environ | names)


def test_a_cold_start_gives_up_in_time(app: Any, secrets_manager: FaultProxy) -> None:
    """The whole answer, for which both secrets are missing, is a 503 that a caller still gets."""
    secrets_manager.switch("silent")
    started = time.monotonic()

    response = app.handler(EVENT, None)

    assert time.monotonic() - started < COLD_SECONDS
    assert response["statusCode"] == 503
    with pytest.raises(secrets.SecretUnavailable) as refused:
        app.SIGNING_KEY.get(time.time())
    assert refused.value.code == "unreachable"


def test_a_key_that_is_held_signs_although_its_refresh_hangs(
    app: Any, secrets_manager: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the five minutes are over one caller waits, and not for long; the next not at all."""
    assert app.handler(EVENT, None)["statusCode"] == 200
    secrets_manager.switch("silent")
    later = time.time() + secrets.FRESH_SECONDS
    monkeypatch.setattr(app.time, "time", lambda: later)

    seconds = []
    for _ in range(2):
        started = time.monotonic()
        assert app.handler(EVENT, None)["statusCode"] == 200
        seconds.append(time.monotonic() - started)

    assert 0.1 < seconds[0] < HELD_SECONDS
    assert seconds[1] < 0.1
    assert app.SIGNING_KEY.stale
