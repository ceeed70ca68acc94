"""IssueToken in this process, with a key of its own; Secrets Manager is stood in for by moto."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import secrets
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import jwt
import pytest
from aws_lambda_powertools.utilities import parameters

from benchmarks.peers.loading import load_peer
from jitsi_tokens.clients import Client, write_client
from jitsi_tokens.policy import make_policy
from jitsi_tokens.rsa_keys import make_rsa_key, private_pem
from tests.conftest import ENVIRONS, load_function, stood_in_for_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jitsi_tokens.keys import SigningKey

# By the key's name in tables: bits of an RSA key, or none for a shared secret.
KEYS = {"HS256": None, "RSA-2048": 2048, "RSA-3072": 3072, "RSA-4096": 4096}

_COUNTER = itertools.count()

BODY = {
    "userId": "user-123",
    "userName": "John Doe",
    "userEmail": "john@example.com",
    "roomName": "session-123",
    "isModerator": True,
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}


class Issuing(NamedTuple):
    """IssueToken, ready to sign.

    Attributes:
        app: its module.
        key: what it signs with.
        secret: a shared secret of the same run, for what only HS256 is compared with.
        pem: the private key, where there is one.
        peer: the handler of benchmarks/peers/powertools, with the same settings and key.
    """

    app: Any
    key: SigningKey
    secret: str
    pem: str | None
    peer: Callable[[dict[str, Any]], Any]

    def event(self, *, patterns: int = 1) -> dict[str, Any]:
        """Return a request of a client with so many room patterns, the last of which matches."""
        rooms = [f"ward-{number:02}-*" for number in range(1, patterns)] + ["session-*"]
        policy = make_policy(rooms=rooms, moderator=True, features=["moderation"])
        # A policy's patterns are sorted; these are, and the one that matches comes last.
        policy.rooms.sort(key="session-*".__eq__)
        return {
            "httpMethod": "POST",
            "path": "/api/jitsi/jwt",
            "resource": "/api/jitsi/jwt",
            "headers": {"content-type": "application/json"},
            "body": json.dumps(BODY),
            "requestContext": {
                "extendedRequestId": "r",
                "authorizer": {"client": write_client(Client(name="openemr", policy=policy))},
            },
        }

    def token(self) -> str:
        """Return a token that it issues.

        Raises:
            ValueError: it does not.
        """
        answer = self.app.handler(self.event(), None)
        if answer["statusCode"] != 200:  # noqa: PLR2004 - HTTP's
            raise ValueError(answer["body"])
        return str(json.loads(answer["body"])["token"])

    def bare_sign(self) -> Callable[[], object]:
        """Return PyJWT's signing of the same bytes with the prepared key, and nothing else."""
        algorithm = jwt.get_algorithm_by_name(self.key.algorithm)
        prepared = algorithm.prepare_key(self.key._key)  # noqa: SLF001 - the very same key
        signed = self.token().rpartition(".")[0].encode()
        return lambda: algorithm.sign(signed, prepared)

    def bare_encode(self) -> Callable[[], object]:
        """Return PyJWT's whole HS256 encoding of the same claims."""
        claims = jwt.decode(self.token(), options={"verify_signature": False})
        return lambda: jwt.encode(claims, self.secret, algorithm="HS256")


@contextlib.contextmanager
def issuing(name: str) -> Iterator[Issuing]:
    """Load IssueToken with a key of a kind: a name of KEYS. What is printed meanwhile is lost."""
    bits, secret = KEYS[name], secrets.token_urlsafe(48)
    pem = private_pem(make_rsa_key(bits)) if bits else None
    kind = "published" if pem else "self-hosted"
    document = (
        {"algorithm": "RS256", "kid": "measured", "private_key": pem}
        if pem
        else {"algorithm": "HS256", "kid": "measured", "secret": secret}
    )
    names = {
        "SIGNING_KEY_SECRET": "signing",
        "DIGEST_KEY_SECRET": "digest",
        # Powertools keeps a logger by its service's name, and that one the stdout it was made with.
        "POWERTOOLS_SERVICE_NAME": f"jitsi-tokens-{next(_COUNTER)}",
        "POWERTOOLS_METRICS_NAMESPACE": "Peer",
    }
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        pytest.MonkeyPatch.context() as monkeypatch,
        stood_in_for_aws(monkeypatch),
    ):
        manager = boto3.client("secretsmanager")
        manager.create_secret(Name="signing", SecretString=json.dumps(document))
        manager.create_secret(Name="digest", SecretString=secrets.token_hex(32))
        app = load_function(monkeypatch, "issue_token", ENVIRONS[kind] | names)
        key = app.SIGNING_KEY.get(time.time())
        parameters.clear_caches()  # type: ignore[no-untyped-call]
        yield Issuing(app, key, secret, pem, _peer(monkeypatch))


def _peer(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Any]:
    module = load_peer(monkeypatch, "powertools")
    context = SimpleNamespace(
        function_name="peer",
        memory_limit_in_mb=1769,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:peer",
        aws_request_id="r",
    )
    return lambda event: module.handler(event, context)
