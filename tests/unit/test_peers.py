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

from benchmarks.warm import load_peer
from local_stack.emulator import ROOT
from tests.conftest import ENVIRONS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LoadApp

    type Ask = Callable[[dict[str, Any]], list[dict[str, Any]]]

NOW = 1_800_000_000
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


@pytest.fixture(params=["self-hosted", "published"])
def ask(
    request: pytest.FixtureRequest,
    load_app: LoadApp,
    monkeypatch: pytest.MonkeyPatch,
    rsa_pem: str,
) -> Ask:
    """Return what asks both, at one moment and with the same secrets, for the same token."""
    key = {"algorithm": "RS256", "private_key": rsa_pem}
    if request.param == "self-hosted":
        key = {"algorithm": "HS256", "secret": "0123456789abcdef" * 4}
    manager = boto3.client("secretsmanager")
    document = json.dumps({"kid": "key", **key})
    manager.create_secret(Name=NAMES["SIGNING_KEY_SECRET"], SecretString=document)
    manager.create_secret(Name=NAMES["DIGEST_KEY_SECRET"], SecretString="digest-key-0123456789")
    service = {"POWERTOOLS_SERVICE_NAME": f"peers-{request.node.name}"}
    ours = load_app("issue_token", ENVIRONS[request.param] | NAMES | service)
    peer = load_peer()
    clock = SimpleNamespace(time=lambda: float(NOW), perf_counter=time.perf_counter)
    for app in (ours, peer):
        monkeypatch.setattr(app, "time", clock)
    # The logger was made when the peer was loaded, with another stdout.
    [handler] = peer.logger.handlers

    def asked(changes: dict[str, Any]) -> list[dict[str, Any]]:
        handler.setStream(sys.stdout)
        event = json.loads((ROOT / "events" / "issue_token_doctor.json").read_text())
        client = json.dumps({"name": "openemr", "policy": POLICY})
        event["requestContext"]["authorizer"]["client"] = client
        event["body"] = json.dumps(json.loads(event["body"]) | changes)
        return [app.handler(event, CONTEXT) for app in (ours, peer)]

    return asked


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
def test_the_peer_issues_and_records_the_same(
    ask: Ask, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same answer, header and claims, but for the jti; the same audit record; metrics."""
    seen = []
    for answer in ask(changes):
        document = json.loads(answer["body"])
        token = document.pop("token")
        document["meetingUrl"] = document["meetingUrl"].replace(token, "TOKEN")
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims.pop("jti")
        seen.append((document, jwt.get_unverified_header(token), claims))
    ours, audit, metrics = map(json.loads, capsys.readouterr().out.splitlines())

    assert seen[0] == seen[1]
    same = ("outcome", "role", "client", "moderator", "room", "user", "kid", "exp", "requestId")
    assert {name: audit[name] for name in same} == {name: ours[name] for name in same}
    assert {"Requests", "Latency"} < metrics.keys()


@pytest.mark.parametrize("ask", ["self-hosted"], indirect=True)
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
    ask: Ask, changes: dict[str, Any], ours: int, peer: int
) -> None:
    """Powertools answers 422 to a wrong type, where the contract says 400."""
    assert [answer["statusCode"] for answer in ask(changes)] == [ours, peer]
