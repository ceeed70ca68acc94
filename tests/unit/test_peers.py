"""What the service is measured against: it does the same work, and goes on doing it."""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from aws_lambda_powertools.utilities import parameters

from benchmarks.peers import loading
from benchmarks.peers.scripts import pasted_secret, pem_each_time
from tests.conftest import APP_ID, ENVIRONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.conftest import LoadApp

ROOT = Path(__file__).parents[2]
EVENT = ROOT / "events" / "issue_token_doctor.json"
NOW = 1_800_000_000
SHARED_SECRET = "0123456789abcdef" * 4
KID = f"{APP_ID}/key"
CLIENT = {
    "name": "openemr",
    "policy": {
        "rooms": ["session-*", "caf%c3%a9"],
        "moderator": True,
        "features": ["moderation"],
        "max_lifetime_seconds": 7200,
        "diagnostics": False,
    },
}
LEAST = {"userId": "u", "userName": "John Doe", "roomName": "session-1"}
CONTEXT = SimpleNamespace(
    function_name="issue",
    memory_limit_in_mb=128,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:issue",
    aws_request_id="request",
)


class Pair:
    """The service's function and its peer, at one moment, with the same secrets."""

    def __init__(self, ours: Any, peer: Any) -> None:
        self.ours = ours
        self.peer = peer

    def ask_ours(self, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the service answers."""
        answer: dict[str, Any] = self.ours.handler(event(changes or {}), CONTEXT)
        return answer

    def ask_peer(self, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the peer answers."""
        answer: dict[str, Any] = self.peer.handler(event(changes or {}), CONTEXT)
        return answer


def event(changes: dict[str, Any]) -> dict[str, Any]:
    """Return API Gateway's event of a request with these fields in place of the usual ones."""
    made: dict[str, Any] = json.loads(EVENT.read_text())
    made["requestContext"]["authorizer"]["client"] = json.dumps(CLIENT)
    made["body"] = json.dumps(json.loads(made["body"]) | changes)
    return made


@pytest.fixture
def load_peer(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[Callable[[str], Any]]:
    """Return the loader of handlers from a folder of benchmarks/peers; AWS is stood in for."""
    yield functools.partial(loading.load_peer, monkeypatch)
    parameters.clear_caches()  # type: ignore[no-untyped-call]


@pytest.fixture(params=["jaas", "self-hosted", "tenant", "published"])
def pair(
    request: pytest.FixtureRequest,
    load_app: LoadApp,
    load_peer: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    rsa_pem: str,
) -> Pair:
    """Return both, of each kind of stack."""
    environ = ENVIRONS[request.param]
    if environ.get("SIGNING_ALGORITHM") == "HS256":
        document = {"algorithm": "HS256", "kid": KID, "secret": SHARED_SECRET}
    else:
        document = {"algorithm": "RS256", "kid": KID, "private_key": rsa_pem}
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="signing-key", SecretString=json.dumps(document))
    manager.create_secret(Name="digest-key", SecretString="digest-key-0123456789")
    names = {"SIGNING_KEY_SECRET": "signing-key", "DIGEST_KEY_SECRET": "digest-key"}
    both = Pair(load_app("issue_token", environ | names), load_peer("powertools"))
    clock = SimpleNamespace(time=lambda: float(NOW), perf_counter=time.perf_counter)
    for app in (both.ours, both.peer):
        monkeypatch.setattr(app, "time", clock)
    return both


def token_in(answer: dict[str, Any]) -> str:
    """Return the token that was issued."""
    assert answer["statusCode"] == 200, answer["body"]
    token: str = json.loads(answer["body"])["token"]
    return token


def unsigned(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, but for its jti."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    assert claims.pop("jti")
    return jwt.get_unverified_header(token), claims


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"isModerator": False, "features": {}},
        {"userAvatar": "https://clinic.example/smith.png", "expirationSeconds": 60},
        {"roomName": "CAFÉ", "notBefore": NOW + 3600},
        {"roomName": "Session-My Room", "notBefore": "2027-01-15T10:00:00+01:00"},
    ],
    ids=["doctor", "patient", "avatar", "later", "RFC 3339"],
)
def test_the_peer_signs_the_same_claims(pair: Pair, changes: dict[str, Any]) -> None:
    """Header and claims are ours, but for the jti."""
    ours, peer = token_in(pair.ask_ours(changes)), token_in(pair.ask_peer(changes))

    assert unsigned(peer) == unsigned(ours)


def test_the_peer_signs_as_the_service_does(pair: Pair) -> None:
    """The service's own key verifies the peer's token."""
    key = pair.ours.SIGNING_KEY.get(float(NOW))

    assert key.verify(token_in(pair.ask_peer()))["room"] == "session-123"


def test_the_peer_takes_the_least_request(pair: Pair) -> None:
    """What may be left out may be left out there too."""
    least = event({}) | {"body": json.dumps(LEAST)}

    ours, peer = (token_in(app.handler(least, CONTEXT)) for app in (pair.ours, pair.peer))

    assert unsigned(peer) == unsigned(ours)


def test_the_peer_answers_the_same_fields(pair: Pair) -> None:
    """The same document, around a token of its own."""
    answers = []
    for answer in (pair.ask_ours(), pair.ask_peer()):
        document = json.loads(answer["body"])
        document["meetingUrl"] = document["meetingUrl"].replace(document.pop("token"), "TOKEN")
        answers.append(document)

    assert answers[0] == answers[1]


@pytest.mark.parametrize("pair", ["jaas"], indirect=True)
def test_the_peer_leaves_the_same_record(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    """One line of audit and one of metrics, and nothing that was sent."""
    # Made in the fixture, whose stdout is not the test's.
    [handler] = pair.peer.logger.handlers
    handler.setStream(sys.stdout)
    pair.ask_ours()
    ours = json.loads(capsys.readouterr().out)
    token = token_in(pair.ask_peer())
    printed = capsys.readouterr().out

    audit, metrics = map(json.loads, printed.splitlines())

    same = ("outcome", "role", "client", "moderator", "room", "user", "kid", "exp", "requestId")
    assert {name: audit[name] for name in same} == {name: ours[name] for name in same}
    assert audit["jti"] == jwt.decode(token, options={"verify_signature": False})["jti"]
    [directive] = metrics["_aws"]["CloudWatchMetrics"]
    expected = ours["_aws"]["CloudWatchMetrics"][0]
    assert sorted(directive["Dimensions"][0]) == sorted(expected["Dimensions"][0])
    assert {metric["Name"] for metric in directive["Metrics"]} == {"Requests", "Latency"}
    for private in ("Jane", "dr.smith", "session-123", "user-123", token, SHARED_SECRET):
        assert private not in printed


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "ours", "peer"),
    [
        ({"userName": 7}, 400, 422),
        ({"isModerator": "true"}, 400, 422),
        ({"userId": ""}, 400, 422),
        ({"isModerater": True}, 400, 422),
        ({"expirationSeconds": 59}, 400, 422),
        ({"expirationSeconds": 14401}, 400, 422),
        ({"features": {"telepathy": False}}, 400, 422),
        ({"userEmail": "nobody"}, 400, 422),
        ({"userAvatar": "http://clinic.example/smith.png"}, 400, 422),
        ({"notBefore": "tomorrow"}, 400, 422),
        ({"notBefore": NOW + 604801}, 400, 400),
        ({"notBefore": NOW - 3600}, 400, 400),
        ({"roomName": "*"}, 400, 400),
        ({"roomName": "\uff0a"}, 400, 400),
        ({"roomName": "other"}, 403, 403),
        ({"expirationSeconds": 7201}, 403, 403),
        ({"features": {"recording": True}}, 403, 403),
    ],
)
def test_the_peer_refuses_what_the_service_refuses(
    pair: Pair, changes: dict[str, Any], ours: int, peer: int
) -> None:
    """Its resolver says 422 for what breaks a type, where the contract says 400."""
    assert pair.ask_ours(changes)["statusCode"] == ours
    assert pair.ask_peer(changes)["statusCode"] == peer


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
def test_the_peer_refuses_what_is_no_json(pair: Pair) -> None:
    """It is no token's request."""
    assert pair.peer.handler(event({}) | {"body": "{"}, CONTEXT)["statusCode"] == 422


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
def test_the_peer_knows_nobody_whom_the_authorizer_did_not_name(pair: Pair) -> None:
    """No client, no token."""
    nobody = event({})
    nobody["requestContext"]["authorizer"] = None

    assert pair.peer.handler(nobody, CONTEXT)["statusCode"] == 401


def test_the_peer_reads_its_key_once(pair: Pair) -> None:
    """A second token costs no fetch and no parsing."""
    pair.ask_peer()
    delete_secrets()

    token_in(pair.ask_peer())

    assert pair.peer.signing_key.cache_info().misses == 1


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
def test_the_peer_is_unavailable_without_its_key(pair: Pair) -> None:
    """Try again later."""
    delete_secrets()

    assert pair.peer.handler(event({}), CONTEXT)["statusCode"] == 503


def delete_secrets() -> None:
    """Have Secrets Manager know neither secret any more."""
    manager = boto3.client("secretsmanager")
    for name in ("signing-key", "digest-key"):
        manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_the_pasted_script_signs_with_its_secret() -> None:
    """A doctor's and a patient's token, as Prosody verifies them."""
    generate_jwt_token = pasted_secret(SHARED_SECRET)
    arguments = ("appointment-123", "Dr. Smith", "dr.smith@clinic.example")

    for is_moderator in (True, False):
        token = generate_jwt_token(*arguments, is_moderator=is_moderator)
        claims = jwt.decode(
            token,
            SHARED_SECRET,
            algorithms=["HS256"],
            audience="openemr_telehealth",
            issuer="openemr",
        )
        assert claims["room"] == "appointment-123"
        assert claims["exp"] - claims["iat"] == 3600
        assert claims["context"]["user"]["moderator"] is is_moderator


def test_the_sample_signs_with_its_pem(rsa_pem: str, rsa_key: rsa.RSAPrivateKey) -> None:
    """A token as JaaS verifies it."""
    generate_jwt_token = pem_each_time(rsa_pem, app_id=APP_ID, kid=KID)

    token = generate_jwt_token("session-123", "Jane", "jane@clinic.example", is_moderator=True)

    claims = jwt.decode(
        token, rsa_key.public_key(), algorithms=["RS256"], audience="jitsi", issuer="chat"
    )
    assert jwt.get_unverified_header(token)["kid"] == KID
    assert (claims["sub"], claims["room"]) == (APP_ID, "session-123")
    assert claims["context"]["user"]["moderator"] == "true"


@pytest.mark.parametrize("folder", ["client", "botocore_client"])
def test_a_floor_makes_the_clients_that_it_is_told(
    load_peer: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Each function's own: some read a table or parameters too."""
    assert [named(client) for client in load_peer(folder).CLIENTS] == ["secretsmanager"]
    monkeypatch.setenv("FLOOR_CLIENTS", "dynamodb,ssm")

    app = load_peer(folder)

    assert [named(client) for client in app.CLIENTS] == ["dynamodb", "ssm"]
    assert app.handler({}, None) == {"statusCode": 200}


def named(client: Any) -> str:
    """Return the name of a client's service."""
    name: str = client.meta.service_model.service_name
    return name
