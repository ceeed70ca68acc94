"""The function that Secrets Manager rotates the signing key with, beside those that use it."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from botocore.client import BaseClient

from jitsi_tokens import rotation
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.rotation import Rotation, RotationRefused
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.conftest import LoadApp

NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"
LEAD = 90
SECONDS_LEFT = 300
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
FIRST, SECOND = "1" * 32, "2" * 32
CONTENT = "never-in-an-answer-or-a-log-0123456789"
NAME = name_of("a")


@pytest.fixture(autouse=True)
def _keys_at_hand(rsa_pool: list[RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    # A key of 4,096 bits takes seconds.
    keys = itertools.cycle(rsa_pool)
    monkeypatch.setattr(rotation, "make_rsa_key", lambda: next(keys))


class Address:
    """A public address on loopback, and what it was asked for."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.asked: list[str] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda request: send(request, 404)


def send(request: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request."""
    request.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def address() -> Iterator[Address]:
    """Return an address that has nothing to give out."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            here.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Address(server.server_port)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield here
    server.shutdown()
    server.server_close()


class World:
    """The functions of one stack that publishes its keys, and the clock that all look at."""

    def __init__(
        self,
        load_app: LoadApp,
        environ: dict[str, str],
        address: Address,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.now = float(NOW)
        self._monkeypatch = monkeypatch
        manager = boto3.client("secretsmanager")
        self.secret = manager.create_secret(Name="signing-key")["ARN"]
        manager.create_secret(Name="digest-key", SecretString="0123456789")
        names = {
            "SIGNING_KEY_SECRET": self.secret,
            "DIGEST_KEY_SECRET": "digest-key",
            "PUBLIC_KEYS_PATH": PATH,
            "PUBLIC_URL": address.url,
            "PUBLICATION_LEAD_SECONDS": str(LEAD),
        }
        clock = SimpleNamespace(
            time=lambda: self.now, perf_counter=lambda: self.now, sleep=self._sleep
        )
        self.rotating, self.issuing, self.serving = (
            load_app(function, environ | names)
            for function in ("rotate_signing_key", "issue_token", "serve_public_key")
        )
        for app in (self.rotating, self.issuing, self.serving):
            monkeypatch.setattr(app, "time", clock)
        for manager in self._issuing_clients():
            manager.meta.events.register(
                "provide-client-params.secrets-manager.GetSecretValue", _of_the_current_version
            )
        address.answer = self._send_public_key

    def step(self, step: str, token: str) -> None:
        """Let Secrets Manager ask for one step."""
        event = {"Step": step, "SecretId": self.secret, "ClientRequestToken": token}
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: SECONDS_LEFT * 1000)
        assert self.rotating.handler(event, context) is None

    def rotate(self, token: str) -> None:
        """Let Secrets Manager rotate the key."""
        for step in STEPS:
            self.step(step, token)

    def issue(self, **fields: object) -> str:
        """Return a token."""
        request = {"userId": "user-1", "userName": "Jo", "roomName": "visit-1", **fields}
        client = write_client(Client(name="a", policy=Policy(rooms=["visit-*"])))
        event = {
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(request),
            "requestContext": {"authorizer": {"client": client}},
        }
        response = self.issuing.handler(event, None)
        assert response["statusCode"] == 200, response["body"]
        return str(json.loads(response["body"])["token"])

    def pem(self, name: str) -> str | None:
        """Return what Jitsi is given for a name."""
        response = self._get(f"{name}.pem")
        return response["body"] if response["statusCode"] == 200 else None

    def cut_issuing_off(self) -> None:
        """Let the containers that issue tokens reach Secrets Manager no more."""

        def fail(**_arguments: object) -> None:
            raise TimeoutError

        for manager in self._issuing_clients():
            self._monkeypatch.setattr(manager, "get_secret_value", fail)

    def _get(self, file: str) -> dict[str, Any]:
        event = {"resource": "/asap/{file}", "pathParameters": {"file": file}}
        response: dict[str, Any] = self.serving.handler(event, None)
        return response

    def _send_public_key(self, request: BaseHTTPRequestHandler) -> None:
        response = self._get(request.path.rpartition("/")[2])
        send(request, response["statusCode"], response["body"].encode())

    def _issuing_clients(self) -> list[Any]:
        return [self.issuing.FIRST_FETCH, self.issuing.REFRESH]

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


def _of_the_current_version(params: dict[str, Any], **_arguments: object) -> dict[str, Any]:
    # What AWS takes for meant; moto forgets it once the label was moved.
    return {"VersionStage": "AWSCURRENT", **params}


@pytest.fixture
def world(
    load_app: LoadApp,
    published_environ: dict[str, str],
    address: Address,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    """Return a stack without a key."""
    return World(load_app, published_environ, address, monkeypatch)


def claims_of(token: str, pem: str | None) -> dict[str, Any]:
    """Return a token's claims, its signature verified, its times unchecked."""
    assert pem
    times: Any = {f"verify_{time}": False for time in ("exp", "nbf", "iat", "aud")}
    claims: dict[str, Any] = jwt.decode(token, pem, algorithms=["RS256"], options=times)
    return claims


def name_in(token: str) -> str:
    """Return where Jitsi asks for a token's key."""
    return name_of(jwt.get_unverified_header(token)["kid"])


def test_tokens_verify_before_and_after_a_rotation(world: World) -> None:
    """Those of the key that was replaced, too."""
    world.rotate(FIRST)
    earlier = world.issue()

    world.rotate(SECOND)
    world.now += KEY_FRESH_SECONDS
    later = world.issue()

    assert name_in(earlier) != name_in(later)
    for token in (earlier, later):
        assert claims_of(token, world.pem(name_in(token)))["room"] == "visit-1"


def test_the_last_token_of_a_replaced_key_verifies_until_it_is_over(world: World) -> None:
    """Signed by a container that never learned, the longest ahead, for the longest time."""
    world.rotate(FIRST)
    settings = world.rotating.SETTINGS
    # The container fetched the key in the last moment before it was replaced.
    created = world.rotating.Rotation.finish
    fetched: list[str] = []

    def issue_first(self: Rotation, token: str) -> None:
        fetched.append(world.issue())
        created(self, token)

    world._monkeypatch.setattr(world.rotating.Rotation, "finish", issue_first)
    world.rotate(SECOND)
    demoted_at = world.now
    world.cut_issuing_off()

    world.now = demoted_at + KEY_FRESH_SECONDS + settings.max_stale_seconds - 0.5
    latest = int(world.now) + settings.limits.max_advance_seconds
    token = world.issue(notBefore=latest, expirationSeconds=settings.limits.max_lifetime_seconds)

    assert name_in(token) == name_in(fetched[0])
    end = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert end == latest + settings.limits.max_lifetime_seconds
    world.now = end - 1
    assert claims_of(token, world.pem(name_in(token)))["exp"] == end
    world.now = demoted_at + settings.key_retention_seconds
    assert world.pem(name_in(token)) is None


def test_the_address_is_asked_as_jitsi_asks_it(world: World, address: Address) -> None:
    """For the SHA-256 of the `kid`, once it gives the key out."""
    world.rotate(FIRST)

    assert address.asked == [f"/v1/asap/{name_in(world.issue())}.pem"]


# What the function refuses


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("environ", ["jaas_environ", "self_hosted_environ"])
def test_a_key_that_the_other_side_must_know_first_does_not_rotate(
    load_app: LoadApp,
    request: pytest.FixtureRequest,
    environ: str,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal names the command to run; AWS is not asked for anything."""

    def fail(*_arguments: object, **_options: object) -> None:
        pytest.fail("asked AWS")

    app = load_app(
        "rotate_signing_key",
        request.getfixturevalue(environ)
        | {
            "SIGNING_KEY_SECRET": "signing-key",
            "PUBLIC_KEYS_PATH": PATH,
            "PUBLIC_URL": "https://keys.example.org",
            "PUBLICATION_LEAD_SECONDS": "0",
        },
    )
    monkeypatch.setattr(BaseClient, "_make_api_call", fail)
    event = {"Step": step, "SecretId": "signing-key", "ClientRequestToken": FIRST}

    with pytest.raises(RotationRefused, match=r"`jitsi-tokens key stage`.*Nothing was changed"):
        app.handler(event, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SecretId": "another"}, "its own stack's signing key alone"),
        ({"SecretId": None}, "its own stack's signing key alone"),
        ({"SecretId": "signing-key"}, "its own stack's signing key alone"),
        ({"ClientRequestToken": None}, "ClientRequestToken is missing"),
        ({"ClientRequestToken": ""}, "ClientRequestToken is missing"),
        ({"ClientRequestToken": 7}, "ClientRequestToken is missing"),
        ({"Step": "rotate"}, "createSecret, setSecret, testSecret, finishSecret"),
        ({"Step": "createsecret"}, "createSecret, setSecret, testSecret, finishSecret"),
        ({"Step": ""}, "createSecret, setSecret, testSecret, finishSecret"),
        ({"Step": None}, "createSecret, setSecret, testSecret, finishSecret"),
    ],
)
@pytest.mark.parametrize("absent", [True, False], ids=["absent", "as-it-is"])
def test_an_event_that_is_no_rotations_is_refused(
    world: World, change: dict[str, Any], sentence: str, *, absent: bool
) -> None:
    """Whoever may call the function may not turn it against another secret."""
    event = {"Step": "createSecret", "SecretId": world.secret, "ClientRequestToken": FIRST}
    event = event | change if not absent else {n: v for n, v in event.items() if n not in change}

    with pytest.raises(RotationRefused, match=sentence):
        world.rotating.handler(event, None)

    manager = boto3.client("secretsmanager")
    assert not manager.describe_secret(SecretId=world.secret).get("VersionIdsToStages")


@pytest.mark.parametrize("step", STEPS[1:])
def test_what_a_step_refuses_is_told(
    world: World, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the step's own words, and with nothing in the log: Secrets Manager shows them."""
    world.rotate(FIRST)

    with pytest.raises(RotationRefused, match="run createSecret first"):
        world.step(step, SECOND)

    assert capsys.readouterr() == ("", "")


def told_by(
    refused: pytest.ExceptionInfo[RotationRefused], capsys: pytest.CaptureFixture[str]
) -> str:
    """Return all that is told of a refusal: its traceback, and what was printed."""
    printed = "".join(capsys.readouterr())
    return "".join(traceback.format_exception(refused.value)) + printed


@pytest.mark.parametrize("step", STEPS[1:])
@pytest.mark.parametrize(
    "document",
    [
        CONTENT,
        {"algorithm": CONTENT, "kid": CONTENT},
        {"algorithm": "HS256", "kid": CONTENT, "secret": CONTENT},
        {"algorithm": "RS256", "kid": CONTENT, "secret": CONTENT},
        {"algorithm": "RS256", "kid": CONTENT, "private_key": CONTENT},
    ],
    ids=["text", "unknown-algorithm", "shared-secret", "no-key", "unreadable"],
)
def test_a_version_that_is_no_key_is_refused_without_its_content(
    world: World, document: object, step: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets Manager shows the refusal to whoever may look."""
    text = document if isinstance(document, str) else json.dumps(document)
    boto3.client("secretsmanager").put_secret_value(
        SecretId=world.secret,
        ClientRequestToken=FIRST,
        SecretString=text,
        VersionStages=["AWSPENDING"],
    )

    with pytest.raises(RotationRefused, match="The new key cannot sign: ") as refused:
        world.step(step, FIRST)

    assert CONTENT not in told_by(refused, capsys)


@pytest.mark.parametrize("step", STEPS)
def test_an_error_nobody_expected_is_refused_without_its_text(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log has its type and its place: the text may quote the key."""

    def fail(*_arguments: object) -> None:
        raise ValueError(CONTENT)

    for name in ("create", "publish", "test", "finish"):
        monkeypatch.setattr(world.rotating.Rotation, name, fail)

    with pytest.raises(RotationRefused, match="can be repeated: see the log") as refused:
        world.step(step, FIRST)

    told = told_by(refused, capsys)
    logged = json.loads(told.splitlines()[-1])
    assert (logged["level"], logged["error"]) == ("ERROR", "ValueError")
    assert logged["place"].startswith("test_rotate_signing_key.py:")
    assert CONTENT not in told


def test_a_refusal_of_aws_is_told_without_its_text(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whose text may quote what AWS was sent: the private key."""
    sent: list[str] = []

    def fail(params: dict[str, Any], **_arguments: object) -> None:
        sent.append(params["body"].decode())
        raise ValueError(params["body"])

    client = boto3.client("secretsmanager")
    client.meta.events.register("before-call.secrets-manager.PutSecretValue", fail)
    monkeypatch.setattr(world.rotating, "SECRETS_MANAGER", client)

    with pytest.raises(RotationRefused) as refused:
        world.step("createSecret", FIRST)

    told = told_by(refused, capsys)
    [body] = sent
    assert "PRIVATE KEY" in body
    assert "PRIVATE KEY" not in told
    assert json.loads(body)["SecretString"][200:240] not in told


def test_a_rotation_prints_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the key least of all."""
    world.rotate(FIRST)

    assert capsys.readouterr() == ("", "")


# What the public address answers


def fetched(world: World, address: Address, answer: Callable[[Any], None]) -> str | None:
    """Return what the function makes of an answer."""
    address.answer = answer
    address.asked.clear()
    body: str | None = world.rotating._fetch(NAME)
    return body


def test_a_pem_is_fetched(world: World, address: Address, rsa_key: RSAPrivateKey) -> None:
    """As it is, from where Jitsi looks for it."""
    pem = public_key_of(rsa_key).pem

    body = fetched(world, address, lambda request: send(request, 200, pem.encode()))

    assert body == pem
    assert address.asked == [f"/v1/asap/{NAME}.pem"]


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 403, 404, 429, 500, 502, 503])
def test_another_status_is_no_key(
    world: World, address: Address, rsa_key: RSAPrivateKey, status: int
) -> None:
    """Whatever stands in the body."""
    body = b"" if status in (204, 304) else public_key_of(rsa_key).pem.encode()

    assert fetched(world, address, lambda request: send(request, status, body)) is None
    assert len(address.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    world: World, address: Address, rsa_key: RSAPrivateKey, status: int
) -> None:
    """Prosody does not either."""
    pem = public_key_of(rsa_key).pem.encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/elsewhere":
            send(request, 200, pem)
        else:
            send(request, status, pem, Location="/elsewhere")

    assert fetched(world, address, answer) is None
    assert len(address.asked) == 1


def _hang_up(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def _hang_up_within(text: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(text)
        request.wfile.flush()
        _hang_up(request)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_hang_up, id="at-once"),
        pytest.param(_hang_up_within(b"HTTP/1.1 2"), id="in-the-status"),
        pytest.param(_hang_up_within(b"rubbish\r\n\r\n"), id="no-http"),
        pytest.param(
            _hang_up_within(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nMIIB"),
            id="in-the-body",
        ),
        pytest.param(
            _hang_up_within(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nMIIB"),
            id="in-a-chunk",
        ),
        pytest.param(
            _hang_up_within(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            id="no-chunk",
        ),
        pytest.param(
            _hang_up_within(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 99_999 + b"\r\n\r\n"),
            id="a-header-without-end",
        ),
        pytest.param(lambda request: send(request, 200, b"\xff\xfe"), id="not-utf-8"),
        pytest.param(
            lambda request: send(request, 200, b"no gzip", Content_Encoding="gzip"), id="no-gzip"
        ),
    ],
)
def test_an_answer_that_breaks_off_is_no_key(
    world: World, address: Address, answer: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    """It is no error: the step asks again, in its own time."""
    assert fetched(world, address, answer) is None
    assert len(address.asked) == 1


def test_an_address_that_nobody_answers_at_is_no_key(
    world: World, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where nobody listens, as yet, nor where somebody does and says nothing."""
    over = threading.Event()

    def stay_silent(_request: BaseHTTPRequestHandler) -> None:
        over.wait(5)

    monkeypatch.setattr(world.rotating, "_TIMEOUT_SECONDS", 0.1)
    silent = fetched(world, address, stay_silent)
    over.set()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{port}/v1")
    refused = world.rotating._fetch(NAME)

    assert (silent, refused) == (None, None)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_an_answer_without_end_is_never_taken_for_a_key(
    world: World, address: Address, rsa_key: RSAPrivateKey, *, packed: bool
) -> None:
    """No more of it is read than any key is long."""
    pem = public_key_of(rsa_key).pem
    body = (pem + "\n" * 10_000_000).encode()

    def answer(request: BaseHTTPRequestHandler) -> None:
        if packed:
            send(request, 200, gzip.compress(body), Content_Encoding="gzip")
        else:
            with contextlib.suppress(OSError):
                send(request, 200, body)

    text = fetched(world, address, answer)

    assert text is None or (len(text) <= 16_384 and text != pem)
