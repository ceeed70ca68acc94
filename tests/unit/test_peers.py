"""What the service is measured against does the same work."""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest

from benchmarks.peers.scripts import pasted_secret, pem_each_time
from benchmarks.warm import load_peer
from local_stack.emulator import ROOT
from tests.conftest import ENVIRONS, NAMES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.conftest import LoadApp

EVENT = ROOT / "events" / "issue_token_doctor.json"
NOW = 1_800_000_000
SHARED_SECRET = "0123456789abcdef" * 4
POLICY = {
    "rooms": ["session-*", "caf%c3%a9"],
    "moderator": True,
    "features": ["moderation"],
    "max_lifetime_seconds": 7200,
}
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

    def ask(self, changes: dict[str, Any]) -> list[dict[str, Any]]:
        """Return both answers to a request with these fields changed."""
        event = json.loads(EVENT.read_text())
        client = json.dumps({"name": "openemr", "policy": POLICY})
        event["requestContext"]["authorizer"]["client"] = client
        event["body"] = json.dumps(json.loads(event["body"]) | changes)
        return [app.handler(event, CONTEXT) for app in (self.ours, self.peer)]


@pytest.fixture(params=["self-hosted", "published"])
def pair(
    request: pytest.FixtureRequest,
    load_app: LoadApp,
    monkeypatch: pytest.MonkeyPatch,
    rsa_pem: str,
) -> Pair:
    """Return both, with a shared secret and with an RSA key."""
    if request.param == "self-hosted":
        document = {"algorithm": "HS256", "kid": "key", "secret": SHARED_SECRET}
    else:
        document = {"algorithm": "RS256", "kid": "key", "private_key": rsa_pem}
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name=NAMES["SIGNING_KEY_SECRET"], SecretString=json.dumps(document))
    manager.create_secret(Name=NAMES["DIGEST_KEY_SECRET"], SecretString="digest-key-0123456789")
    service = {"POWERTOOLS_SERVICE_NAME": f"peers-{request.node.name}"}
    ours = load_app("issue_token", ENVIRONS[request.param] | NAMES | service)
    both = Pair(ours, load_peer())
    clock = SimpleNamespace(time=lambda: float(NOW), perf_counter=time.perf_counter)
    for app in (both.ours, both.peer):
        monkeypatch.setattr(app, "time", clock)
    return both


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
def test_the_peer_answers_and_signs_the_same(pair: Pair, changes: dict[str, Any]) -> None:
    """The same answer, header and claims, but for the jti."""
    seen = []
    for answer in pair.ask(changes):
        document = json.loads(answer["body"])
        token = document.pop("token")
        document["meetingUrl"] = document["meetingUrl"].replace(token, "TOKEN")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims.pop("jti")
        seen.append((document, jwt.get_unverified_header(token), claims))

    assert seen[0] == seen[1]


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "ours", "peer"),
    [
        ({"userName": 7}, 400, 422),
        ({"isModerater": True}, 400, 422),
        ({"expirationSeconds": 14401}, 400, 422),
        ({"features": {"telepathy": False}}, 400, 422),
        ({"userEmail": "nobody"}, 400, 422),
        ({"userAvatar": "http://clinic.example/smith.png"}, 400, 422),
        ({"notBefore": NOW + 604801}, 400, 400),
        ({"notBefore": NOW - 3600}, 400, 400),
        ({"roomName": "*"}, 400, 400),
        ({"roomName": "other"}, 403, 403),
        ({"expirationSeconds": 7201}, 403, 403),
        ({"features": {"recording": True}}, 403, 403),
    ],
)
def test_the_peer_checks_what_the_service_checks(
    pair: Pair, changes: dict[str, Any], ours: int, peer: int
) -> None:
    """Powertools answers 422 to a wrong type, where the contract says 400."""
    assert [answer["statusCode"] for answer in pair.ask(changes)] == [ours, peer]


@pytest.mark.parametrize("pair", ["self-hosted"], indirect=True)
def test_the_peer_leaves_the_same_record(pair: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    """It does the work of an audit record, too."""
    # The logger was made in the fixture, with another stdout.
    [handler] = pair.peer.logger.handlers
    handler.setStream(sys.stdout)
    pair.ask({})

    ours, audit, metrics = map(json.loads, capsys.readouterr().out.splitlines())

    same = ("outcome", "role", "client", "moderator", "room", "user", "kid", "exp", "requestId")
    assert {name: audit[name] for name in same} == {name: ours[name] for name in same}
    assert {"Requests", "Latency"} < metrics.keys()


def test_the_peer_reads_its_key_once(pair: Pair) -> None:
    """A second token costs neither a fetch nor parsing."""
    pair.ask({})
    manager = boto3.client("secretsmanager")
    manager.delete_secret(SecretId=NAMES["SIGNING_KEY_SECRET"], ForceDeleteWithoutRecovery=True)

    assert pair.ask({})[1]["statusCode"] == 200

    assert pair.peer.signing_key.cache_info().misses == 1


def test_the_scripts_sign(rsa_pem: str, rsa_key: rsa.RSAPrivateKey) -> None:
    """Tokens as Prosody and JaaS verify them."""
    by_secret = jwt.decode(
        pasted_secret(SHARED_SECRET)(), SHARED_SECRET, ["HS256"], audience="openemr_telehealth"
    )
    by_pem = jwt.decode(pem_each_time(rsa_pem)(), rsa_key.public_key(), ["RS256"], audience="jitsi")

    assert by_secret["room"] == by_pem["room"] == "session-123"
