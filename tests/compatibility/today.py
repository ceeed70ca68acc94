"""What the code of today answers, sends and writes where a recording asks it to."""

from __future__ import annotations

import contextlib
import io
import json
import time
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
from msgspec.structs import asdict

from jitsi_tokens.core.clients import digest, make_api_key
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem
from jitsi_tokens.http import caller
from jitsi_tokens.publication import Publication
from jitsi_tokens.secrets import CURRENT
from jitsi_tokens_cli.key.versions import NEXT
from tests.clients import unruly_server as unruly
from tests.clients.drop_ins import DROP_INS, python
from tests.clients.php_caller import php
from tests.clients.samples import API_KEY, ID_KEY, WELL
from tests.conftest import APP_ID, ENVIRONS, NAMES
from tests.integration.cli_world import TABLE, running_world
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

    from tests.conftest import LoadApp
    from tests.integration.cli_world import World

STATUS, PUBLIC_KEYS = NAMES["STATUS_PARAMETER"], NAMES["PUBLIC_KEYS_PATH"]
# Placeholders in a recording, where a secret was, and are filled with one made for the run.
PKCS8, SHARED_SECRET = "<PKCS 8 PEM>", "<shared secret>"
_ROUTE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/POST/api/jitsi/jwt"
_READER = '{"name":"recorded","policy":{"diagnostics":true}}'


class Scene:
    """A stack without clients, its functions loaded one by one, its time standing still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, load: LoadApp) -> None:
        self._monkeypatch = monkeypatch
        self._load = load
        self.ssm = boto3.client("ssm")
        self.api_key = make_api_key()
        self.filled = {SHARED_SECRET: make_api_key(), PKCS8: private_pem(make_rsa_key(2048))}

    def call(
        self, function: str, stack: str, event: dict[str, Any], now: int = 0
    ) -> tuple[Any, str]:
        """Return what a function of a kind of stack answers and prints at a time."""
        service = {"POWERTOOLS_SERVICE_NAME": "recorded"}
        app = self._load(function, ENVIRONS[stack] | NAMES | service)
        clock = SimpleNamespace(time=lambda: now, perf_counter=time.perf_counter)
        self._monkeypatch.setattr(app, "time", clock, raising=False)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            return app.handler(event, None), printed.getvalue()

    def give_key(self, stack: str, digest_key: str = "any") -> str:
        """Give the stack a signing key made for the run, and a digest key; return the kid."""
        kid = f"{APP_ID}/recorded" if stack == "jaas" else "recorded"
        document = {"algorithm": "RS256", "kid": kid, "private_key": PKCS8}
        if stack == "self-hosted":
            document = {"algorithm": "HS256", "kid": kid, "secret": SHARED_SECRET}
        secrets = {"SIGNING_KEY_SECRET": self.fill(document), "DIGEST_KEY_SECRET": digest_key}
        for name, secret in secrets.items():
            boto3.client("secretsmanager").create_secret(Name=NAMES[name], SecretString=secret)
        return kid

    def give_client(self, item: dict[str, Any]) -> None:
        """Put an item of the table, under the digest of this scene's API key."""
        dynamodb = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName=NAMES["CLIENTS_TABLE"],
            AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        own = item | {"key_digest": {"S": digest(self.api_key)}}
        dynamodb.put_item(TableName=NAMES["CLIENTS_TABLE"], Item=own)

    def fill(self, recorded: Any) -> str:
        """Return a recorded document as text, with secrets made for the run in it."""
        text = json.dumps(recorded)
        for placeholder, secret in self.filled.items():
            text = text.replace(placeholder, json.dumps(secret)[1:-1])
        return text

    @contextlib.contextmanager
    def commands(self, stack: str) -> Iterator[World]:
        """Return the world in which the command line runs, for as long as it is needed."""
        algorithm = "RS256" if stack == "published" else "HS256"
        provider = "jaas" if stack == "jaas" else "self-hosted"
        with running_world(self._monkeypatch, provider=provider, algorithm=algorithm) as world:
            yield world


def token_request(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of POST /api/jitsi/jwt, the token's claims, and the audit line."""
    kid = scene.give_key(given["stack"], given["digestKey"])
    event = {
        "httpMethod": "POST",
        "resource": "/api/jitsi/jwt",
        "headers": {"Content-Type": "application/json"},
        "body": given["body"],
        "requestContext": {
            "extendedRequestId": "recorded",
            "authorizer": {"client": given["client"]},
        },
    }
    response, printed = scene.call("issue_token", given["stack"], event, given["now"])
    line, token = json.loads(printed), json.loads(response["body"])["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (line["jti"], line["kid"]) == (claims.pop("jti"), kid)
    return {
        "status": response["statusCode"],
        # Metrics begin with a capital, and jti is another one each time.
        "line": {name: line[name] for name in line if name[0].islower() and name != "jti"},
        "answer": json.loads(response["body"].replace(token, "<token>")),
        "header": jwt.get_unverified_header(token),
        "claims": claims,
    }


def script_call(_scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the body that a call of a script sends."""
    with unruly.UnrulyServer(WELL) as server:
        variables = {
            "JITSI_TOKENS_URL": server.url,
            "JITSI_TOKENS_API_KEY": API_KEY,
            "JITSI_TOKENS_ID_KEY": ID_KEY,
        }
        if given["language"] == "python":
            program = f"from generate_jwt_token import generate_jwt_token\n{given['call']}"
            finished = python("-c", program, **variables)
        else:
            program = f"<?php require '{DROP_INS['php'].script}'; {given['call']};"
            finished = php(text=program, **variables)
        assert finished.returncode == 0, finished.stderr
        return {"body": json.loads(server.received[0].body)}


def client_record(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the item that `client add` writes, and the client that is read from it."""
    with scene.commands("jaas") as world:
        added = world.run("client", "add", "clinic-a", *given["options"], "--json")
        assert added.exit_code == 0, added.output
        items = world.dynamodb.scan(TableName=TABLE)["Items"]
        # Beside the client's own item, which has no `client`.
        (item,) = [each for each in items if "client" in each]
        world.dynamodb.delete_table(TableName=TABLE)
    return {"item": item, "client": recognised(scene, item)}


def recognised(scene: Scene, item: dict[str, Any]) -> dict[str, Any]:
    """Return the client that the authorizer hands on for an item, as its reader reads it."""
    scene.give_client(item)
    asked = {"authorizationToken": f"Bearer {scene.api_key}", "methodArn": _ROUTE}
    allowed, _ = scene.call("authorize_client", "jaas", asked)
    read = caller({"requestContext": {"authorizer": allowed["context"]}})
    assert allowed["principalId"] == read.name
    return {"name": read.name, "policy": asdict(read.policy)}


def secret_document(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the secret holds, with a stand-in where its key was."""
    with scene.commands(given["stack"]) as world:
        ran = world.run("key", *given["made"], typed=scene.filled[SHARED_SECRET])
        assert ran.exit_code == 0, ran.output
        label = NEXT if given["made"][0] == "stage" else CURRENT
        stored = world.secrets.get_secret_value(SecretId=world.secret, VersionStage=label)
    document = json.loads(stored["SecretString"])
    if "secret" in document:
        document["secret"] = SHARED_SECRET
    else:
        assert document["private_key"].startswith("-----BEGIN PRIVATE KEY-----\n")
        document["private_key"] = PKCS8
    return {"document": document}


def key_status(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what CheckKey writes, and the diagnostics a minute later."""
    if given["key"]:
        scene.give_key(given["stack"])
    scene.ssm.put_parameter(Name=STATUS, Type="String", Value="{}")
    scene.call("check_key", given["stack"], {}, given["now"])
    value = scene.ssm.get_parameter(Name=STATUS)["Parameter"]["Value"]
    return {"value": value, "diagnostics": diagnostics(scene, given, value)}


def diagnostics(scene: Scene, given: dict[str, Any], value: str) -> dict[str, Any]:
    """Return how a status is shown, problems and advice by their codes."""
    scene.ssm.put_parameter(Name=STATUS, Type="String", Value=value, Overwrite=True)
    asked = {
        "httpMethod": "GET",
        "resource": "/api/jitsi/diagnostics",
        "requestContext": {"authorizer": {"client": _READER}},
    }
    answered, _ = scene.call("probe_config", given["stack"], asked, given["now"] + 60)
    told: dict[str, Any] = json.loads(answered["body"])
    codes = {part: [finding["code"] for finding in told[part]] for part in ("problems", "advice")}
    return told | codes


def public_key(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what SSM holds of a published key, and what is given out of it."""
    times = {"published_at": given["now"], "expires_at": given["expiresAt"]}
    Publication(scene.ssm, PUBLIC_KEYS).publish(public_key_of(make_rsa_key(2048), **times))
    (parameter,) = scene.ssm.get_parameters_by_path(Path=PUBLIC_KEYS)["Parameters"]
    name = parameter["Name"].rpartition("/")[2]
    return {"name": name, "value": parameter["Value"], **given_out(scene, name, given["now"])}


def given_out(scene: Scene, name: str, now: int) -> dict[str, Any]:
    """Return the PEM, or None, and the JWK set that are given out at a time."""
    file = {"resource": "/asap/{file}", "pathParameters": {"file": f"{name}.pem"}}
    (pem, _), (jwks, _) = (
        scene.call("serve_public_key", "published", event, now)
        for event in (file, {"resource": "/.well-known/jwks.json"})
    )
    found = pem["body"] if pem["statusCode"] == HTTPStatus.OK else None
    return {"pem": found, "jwks": json.loads(jwks["body"])}


PRODUCED: dict[str, Callable[[Scene, Any], dict[str, Any]]] = {
    "token_requests": token_request,
    "script_calls": script_call,
    "client_records": client_record,
    "staged_keys": secret_document,
    "secret_documents": secret_document,
    "key_statuses": key_status,
    "public_keys": public_key,
}
