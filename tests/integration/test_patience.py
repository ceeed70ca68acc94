"""How long a caller waits for a part of AWS that takes connections and never answers."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens import publication, secrets, status
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
EVENT = {
    "headers": {"Content-Type": "application/json"},
    "body": json.dumps({"userId": "user-1", "userName": "Jo", "roomName": "visit-1"}),
    "requestContext": {
        "authorizer": {"client": write_client(Client(name="a", policy=Policy(rooms=["visit-*"])))}
    },
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
    """What stands between a function and AWS, and can fall silent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Aws)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    with FaultProxy() as proxy:
        proxy.target_port = server.server_port
        yield proxy
    server.shutdown()
    server.server_close()


@pytest.fixture
def app(load_app: LoadApp, self_hosted_environ: dict[str, str], aws_behind: FaultProxy) -> Any:
    """IssueToken, with its own clients."""
    names = {
        "SIGNING_KEY_SECRET": "signing-key",
        "DIGEST_KEY_SECRET": "digest-key",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_behind.endpoint,
    }
    return load_app("issue_token", self_hosted_environ | names)


def test_a_cold_start_gives_up_in_time(app: Any, aws_behind: FaultProxy) -> None:
    """The whole answer, for which both secrets are missing, is a 503 that a caller still gets."""
    aws_behind.switch("silent")
    started = time.monotonic()

    response = app.handler(EVENT, None)

    assert time.monotonic() - started < COLD_SECONDS
    assert response["statusCode"] == 503
    with pytest.raises(secrets.SecretUnavailable) as refused:
        app.SIGNING_KEY.get(time.time())
    assert refused.value.code == "unreachable"


def test_a_key_that_is_held_signs_although_its_refresh_hangs(
    app: Any, aws_behind: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the five minutes are over one caller waits, and not for long; the next not at all."""
    assert app.handler(EVENT, None)["statusCode"] == 200
    aws_behind.switch("silent")
    later = time.time() + KEY_FRESH_SECONDS
    monkeypatch.setattr(app.time, "time", lambda: later)

    seconds = []
    for _ in range(2):
        started = time.monotonic()
        assert app.handler(EVENT, None)["statusCode"] == 200
        seconds.append(time.monotonic() - started)

    assert 0.1 < seconds[0] < HELD_SECONDS
    assert seconds[1] < 0.1
    assert app.SIGNING_KEY.stale


class Serving:
    """A function that reads SSM, with clients of its own and a clock that stands."""

    def __init__(self, app: Any, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        self._app = app
        self._event = event
        monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: self.now))

    def get(self) -> tuple[int, float]:
        """Return the status of an answer, and the seconds it took."""
        started = time.monotonic()
        status: int = self._app.handler(self._event, None)["statusCode"]
        return status, time.monotonic() - started


@pytest.fixture
def serving(load_app: LoadApp, aws_behind: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Return ServePublicKey."""
    names = {"PUBLIC_KEYS_PATH": "/", "AWS_ENDPOINT_URL_SSM": aws_behind.endpoint}
    event = {"pathParameters": {"file": f"{PUBLIC_KEY.name}.pem"}}
    return Serving(load_app("serve_public_key", names), event, monkeypatch)


@pytest.fixture
def probing(
    load_app: LoadApp,
    self_hosted_environ: dict[str, str],
    aws_behind: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> Serving:
    """Return ProbeConfig."""
    names = {"STATUS_PARAMETER": "/status", "AWS_ENDPOINT_URL_SSM": aws_behind.endpoint}
    event = {"httpMethod": "GET", "resource": "/api/jitsi/jwt"}
    return Serving(load_app("probe_config", self_hosted_environ | names), event, monkeypatch)


def test_a_public_key_is_given_up_in_time(serving: Serving, aws_behind: FaultProxy) -> None:
    """Jitsi is told to ask again; whoever asks in the next seconds does not wait."""
    aws_behind.switch("silent")

    answers = [serving.get() for _ in range(2)]

    assert [status for status, _ in answers] == [503, 503]
    assert answers[0][1] < COLD_SECONDS
    assert answers[1][1] < 0.1


def test_a_public_key_that_is_held_is_served_although_its_refresh_hangs(
    serving: Serving, aws_behind: FaultProxy
) -> None:
    """Once its minute is over one login waits; the next not at all."""
    assert serving.get()[0] == 200
    aws_behind.switch("silent")
    serving.now += publication.FRESH_SECONDS

    answers = [serving.get() for _ in range(2)]

    assert [status for status, _ in answers] == [200, 200]
    assert 0.1 < answers[0][1] < HELD_SECONDS
    assert answers[1][1] < 0.1


def test_a_status_that_is_held_is_told_although_its_refresh_hangs(
    probing: Serving, aws_behind: FaultProxy
) -> None:
    """Whoever watches the probe takes a long wait for a failure."""
    assert probing.get()[0] == 200
    aws_behind.switch("silent")
    probing.now += status.FRESH_SECONDS

    answers = [probing.get() for _ in range(2)]

    assert [code for code, _ in answers] == [200, 200]
    assert 0.1 < answers[0][1] < HELD_SECONDS
    assert answers[1][1] < 0.1
