"""What a token costs over its signature. Measured without coverage, which slows our side only."""

from __future__ import annotations

import json
import statistics
import time
from typing import TYPE_CHECKING

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jitsi_tokens.clients import Client, write_client
from jitsi_tokens.policy import make_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import LoadApp

CALLS = 2000
MAX_RATIO = 8.0
SECRET = "0123456789abcdef" * 4

BODY = {
    "userId": "user-123",
    "userName": "John Doe",
    "userEmail": "john@example.com",
    "roomName": "session-123",
    "isModerator": True,
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}


def shared_secret() -> dict[str, str]:
    """Return the document of an HS256 key."""
    return {"algorithm": "HS256", "kid": "initial", "secret": SECRET}


def private_key() -> dict[str, str]:
    """Return the document of a 4096-bit RS256 key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=4096)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    kid = "vpaas-magic-cookie-0123456789abcdef0123456789ABCDEF/k"
    return {"algorithm": "RS256", "kid": kid, "private_key": pem}


@pytest.mark.parametrize(
    ("environ", "document"),
    [("self_hosted_environ", shared_secret), ("jaas_environ", private_key)],
    ids=["HS256", "RS256 with 4096 bits"],
)
def test_a_token_costs_little_more_than_its_signature(
    request: pytest.FixtureRequest,
    load_app: LoadApp,
    capsys: pytest.CaptureFixture[str],
    environ: str,
    document: Callable[[], dict[str, str]],
) -> None:
    """The handler less a bare sign: at most 8 of PyJWT's bare HS256 encode of the same claims."""
    manager = boto3.client("secretsmanager", region_name="eu-central-1")
    manager.create_secret(Name="signing", SecretString=json.dumps(document()))
    manager.create_secret(Name="digest", SecretString=SECRET)
    names = {"SIGNING_KEY_SECRET": "signing", "DIGEST_KEY_SECRET": "digest"}
    app = load_app("issue_token", request.getfixturevalue(environ) | names)
    policy = make_policy(rooms=["session-*"], moderator=True, features=["moderation"])
    client = write_client(Client(name="openemr", policy=policy))
    event = {
        "httpMethod": "POST",
        "headers": {"content-type": "application/json"},
        "body": json.dumps(BODY),
        "requestContext": {"requestId": "r", "authorizer": {"client": client}},
    }
    token = json.loads(app.handler(event, None)["body"])["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    key = app.SIGNING_KEY.get(time.time())
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    prepared = algorithm.prepare_key(key._key)
    signed = token.rpartition(".")[0].encode()

    calls: dict[str, Callable[[], object]] = {
        "handler": lambda: app.handler(event, None),
        "sign": lambda: algorithm.sign(signed, prepared),
        "encode": lambda: jwt.encode(claims, SECRET, algorithm="HS256"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(CALLS):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    capsys.readouterr()

    median = {name: statistics.median(values) * 1e6 for name, values in seconds.items()}
    ratio = (median["handler"] - median["sign"]) / median["encode"]
    figures = ", ".join(f"{name} {value:.0f} µs" for name, value in median.items())
    with capsys.disabled():
        print(f"\n  {key.algorithm}: {figures}: {ratio:.2f} encodes over the signature")
    assert ratio <= MAX_RATIO
