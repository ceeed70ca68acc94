"""The real functions and commands, with what a recording asks of them."""

from __future__ import annotations

import contextlib
import io
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from jwt.utils import base64url_decode

from jitsi_tokens.core.clients import digest, make_api_key
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem
from tests.conftest import APP_ID, ENVIRONS
from tests.integration.cli_world import running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.conftest import LoadApp
    from tests.integration.cli_world import World

STATUS = "/jitsi-tokens/recorded/key-status"
PUBLIC_KEYS = "/jitsi-tokens/recorded/public-keys"
TABLE = "clients"
# Stands in a recording where a secret was, and is filled with one made for the run.
PKCS8, SHARED_SECRET, API_KEY = "<PKCS 8 PEM>", "<shared secret>", "<API key>"


class Answered(NamedTuple):
    """What a function answered, and printed."""

    response: Any
    printed: str


class Scene:
    """A stack without clients, its functions loaded one by one, its time standing still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, load: LoadApp) -> None:
        self._monkeypatch = monkeypatch
        self._load = load
        self._secrets = boto3.client("secretsmanager")
        self.ssm = boto3.client("ssm")
        self.dynamodb = boto3.client("dynamodb")
        self.api_key = make_api_key()
        self.filled = {API_KEY: self.api_key, SHARED_SECRET: make_api_key()}

    def call(self, function: str, stack: str, event: dict[str, Any], now: int) -> Answered:
        """Return what a function of a kind of stack answers at a time, in epoch seconds.

        Raises:
            Exception: what the function raised.
        """
        names = {
            "SIGNING_KEY_SECRET": "signing-key",
            "DIGEST_KEY_SECRET": "digest-key",
            "STATUS_PARAMETER": STATUS,
            "PUBLIC_KEYS_PATH": PUBLIC_KEYS,
            "PUBLIC_URL": "https://tokens.example.org",
            "PUBLICATION_LEAD_SECONDS": "130",
            "CLIENTS_TABLE": TABLE,
            "POWERTOOLS_SERVICE_NAME": "recorded",
        }
        app = self._load(function, ENVIRONS[stack] | names)
        if hasattr(app, "time"):
            clock = SimpleNamespace(time=lambda: now, perf_counter=time.perf_counter)
            self._monkeypatch.setattr(app, "time", clock)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            response = app.handler(event, None)
        return Answered(response, printed.getvalue())

    def give_key(self, stack: str) -> str:
        """Give the stack a signing key made for the run, and return its kid."""
        kid = f"{APP_ID}/recorded" if stack == "jaas" else "recorded"
        if stack in {"jaas", "published"}:
            document = {"algorithm": "RS256", "kid": kid, "private_key": PKCS8}
        else:
            document = {"algorithm": "HS256", "kid": kid, "secret": SHARED_SECRET}
        self._secrets.create_secret(Name="signing-key", SecretString=self.fill(document))
        return kid

    def give_digest_key(self, digest_key: str) -> None:
        """Give the stack the key of its digests."""
        self._secrets.create_secret(Name="digest-key", SecretString=digest_key)

    def give_client(self, item: dict[str, Any]) -> None:
        """Put an item of the table, under the digest of this scene's API key."""
        self.dynamodb.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.dynamodb.put_item(
            TableName=TABLE, Item=item | {"key_digest": {"S": digest(self.api_key)}}
        )

    def fill(self, recorded: Any) -> str:
        """Return a recorded document as text, with secrets made for the run in it."""
        text = json.dumps(recorded)
        if PKCS8 in text and PKCS8 not in self.filled:
            self.filled[PKCS8] = private_pem(make_rsa_key(2048))
        for placeholder, secret in self.filled.items():
            text = text.replace(json.dumps(placeholder)[1:-1], json.dumps(secret)[1:-1])
        return text

    @contextlib.contextmanager
    def commands(self, stack: str) -> Iterator[World]:
        """Return the world in which the command line runs, for as long as it is needed."""
        algorithm = "RS256" if stack == "published" else "HS256"
        provider = "jaas" if stack == "jaas" else "self-hosted"
        with running_world(self._monkeypatch, provider=provider, algorithm=algorithm) as world:
            yield world


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(base64url_decode(header)), json.loads(base64url_decode(claims))
