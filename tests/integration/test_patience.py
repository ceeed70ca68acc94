"""How long a caller waits for a part of AWS that takes connections and never answers."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens import publication, status
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.public_keys import write_public_key
from jitsi_tokens.core.rsa_keys import make_rsa_key
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from tests.public_key_of import public_key_of
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
PUBLIC_KEY = public_key_of(make_rsa_key(2048), published_at=1)
PARAMETERS = {
    "Parameters": [{"Name": f"/{PUBLIC_KEY.name}", "Value": write_public_key(PUBLIC_KEY)}],
    "Parameter": {"Name": "/status", "Value": '{"configured": true, "checkedAt": 1}'},
}
CLIENT = write_client(Client(name="a", policy=Policy(rooms=["visit-*"])))
# The functions that keep what they read: what each is asked, and for how long it keeps it.
FUNCTIONS: dict[str, tuple[dict[str, Any], int]] = {
    "issue_token": (
        {
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"userId": "user-1", "userName": "Jo", "roomName": "visit-1"}),
            "requestContext": {"authorizer": {"client": CLIENT}},
        },
        KEY_FRESH_SECONDS,
    ),
    "serve_public_key": (
        {"pathParameters": {"file": f"{PUBLIC_KEY.name}.pem"}},
        publication.FRESH_SECONDS,
    ),
    "probe_config": (
        {"httpMethod": "GET", "resource": "/api/jitsi/jwt"},
        status.FRESH_SECONDS,
    ),
}


class Aws(BaseHTTPRequestHandler):
    """Answers GetSecretValue, GetParametersByPath and GetParameter."""

    def do_POST(self) -> None:
        """Return the secret's current version, or what SSM holds."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer: dict[str, Any] = PARAMETERS
        if self.headers["X-Amz-Target"].startswith("secretsmanager"):
            text = SECRETS[asked["SecretId"]]
            answer = {"VersionId": "1" * 32, "SecretString": text, "CreatedDate": 1.0}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def aws_behind() -> Iterator[FaultProxy]:
    """A proxy between a function and AWS, which can fall silent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Aws)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with FaultProxy() as proxy:
        proxy.target_port = server.server_port
        yield proxy
    server.shutdown()
    server.server_close()


class Serving:
    """A function with AWS clients of its own, and a clock that does not move."""

    def __init__(self, app: Any, event: dict[str, Any], fresh_seconds: int) -> None:
        self.app = app
        self.fresh_seconds = fresh_seconds
        self.now = time.time()
        self._event = event
        app.time = SimpleNamespace(time=lambda: self.now, perf_counter=time.perf_counter)

    def get(self) -> tuple[int, float]:
        """Return the status of an answer, and the seconds it took."""
        started = time.monotonic()
        status: int = self.app.handler(self._event, None)["statusCode"]
        return status, time.monotonic() - started


@pytest.fixture
def serving(
    request: pytest.FixtureRequest,
    load_app: LoadApp,
    self_hosted_environ: dict[str, str],
    aws_behind: FaultProxy,
) -> Serving:
    """Return the function that a test is about."""
    name: str = request.param
    names = {
        "SIGNING_KEY_SECRET": "signing-key",
        "DIGEST_KEY_SECRET": "digest-key",
        "STATUS_PARAMETER": "/status",
        "PUBLIC_KEYS_PATH": "/",
        "AWS_ENDPOINT_URL_SSM": aws_behind.endpoint,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_behind.endpoint,
    }
    return Serving(load_app(name, self_hosted_environ | names), *FUNCTIONS[name])


@pytest.mark.parametrize("serving", ["issue_token", "serve_public_key"], indirect=True)
def test_a_cold_start_gives_up_in_time(serving: Serving, aws_behind: FaultProxy) -> None:
    """Callers still get the 503, for whatever is missing; the next ones do not wait."""
    aws_behind.switch("silent")

    answers = [serving.get() for _ in range(2)]

    assert [status for status, _ in answers] == [503, 503]
    assert 0.1 < answers[0][1] < COLD_SECONDS
    assert answers[1][1] < 0.1


@pytest.mark.parametrize("serving", FUNCTIONS, indirect=True)
def test_what_is_held_is_used_although_its_refresh_hangs(
    serving: Serving, aws_behind: FaultProxy
) -> None:
    """Once it is old one caller waits, and not for long; the next not at all."""
    assert serving.get()[0] == 200
    aws_behind.switch("silent")
    serving.now += serving.fresh_seconds

    answers = [serving.get() for _ in range(2)]

    assert [status for status, _ in answers] == [200, 200]
    assert 0.1 < answers[0][1] < HELD_SECONDS
    assert answers[1][1] < 0.1
