"""A whole stack in this process: the World's loopback server answers from the real functions."""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jitsi_tokens.core.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.keys import read_key
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.public_keys import name_of, write_public_key
from jitsi_tokens.core.rsa_keys import thumbprint
from jitsi_tokens.publication import Publication
from jitsi_tokens_cli.web import Web
from tests.conftest import NAMES
from tests.integration.cli_world import APP_ID, STACK, TABLE, Answer
from tests.integration.visit_scene import create_visits_table
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tests.conftest import LoadApp
    from tests.integration.cli_world import Received, World

SHARED_SECRET = "a-shared-secret-0123456789abcdef"
STATUS = f"/jitsi-tokens/{STACK}/key-status"
PROBLEM = (("Content-Type", "application/problem+json"), ("Cache-Control", "no-store"))
# template.yaml: the authorizer's ValidationExpression.
_BEARER = re.compile("[Bb][Ee][Aa][Rr][Ee][Rr] +jtk_[0-9A-Za-z]{49}")
_ROUTES = ("/api/jitsi/jwt", "/.well-known/jwks.json")


class Deployed:
    """A stack, its functions and its clock.

    Attributes:
        offset: how far this world is from the time of the machine, in seconds.
        ours: how far the command's clock is from this world's, in seconds.
        slept: how long the command waited each time, which passes at once.
        while_asleep: what happens meanwhile.
    """

    def __init__(
        self,
        world: World,
        load_app: LoadApp,
        environ: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.world = world
        self._began_at = time.time()
        self.offset = 0.0
        self.ours = 0.0
        self.slept: list[float] = []
        self.while_asleep: Callable[[float], None] = lambda _: None
        self.meeting_page = Answer(200, "<html>")
        digest_key = world.secrets.create_secret(Name="digest-key", SecretString="d" * 32)["ARN"]
        world.ssm.put_parameter(Name=STATUS, Value="{}", Type="String")
        create_visits_table(world.dynamodb)
        of_visits = ("VISITS_TABLE", "VISIT_RETENTION_DAYS", "JOIN_URL", "STACK_NAME")
        names = {name: NAMES[name] for name in of_visits} | {
            "SIGNING_KEY_SECRET": world.secret,
            "DIGEST_KEY_SECRET": digest_key,
            "LINK_KEY_SECRET": digest_key,
            "STATUS_PARAMETER": STATUS,
            "PUBLIC_KEYS_PATH": world.outputs["PublicKeysPath"],
            "CLIENTS_TABLE": TABLE,
        }
        functions = ("authorize_client", "issue_token", "check_key", "probe_config")
        self.apps = {
            name: load_app(name, environ | names)
            for name in (*functions, "serve_public_key", "manage_visits")
        }
        clock = SimpleNamespace(time=self.now, perf_counter=time.perf_counter)
        for app in self.apps.values():
            if hasattr(app, "time"):
                monkeypatch.setattr(app, "time", clock)
        world.date = self.now
        world.check = self.check
        world.api = self.api
        world.web = self.web
        # Jitsi is here too.
        monkeypatch.setattr("jitsi_tokens_cli.doctor.address.Web", lambda *_, **__: Web(world.url))
        monkeypatch.setattr(
            "jitsi_tokens_cli.doctor.command.CLOCK",
            Clock(lambda: self.now() + self.ours, self._sleep),
        )

    def now(self) -> float:
        """Return the time in this world, which passes only where somebody waits."""
        return self._began_at + self.offset

    def check(self) -> Answer:
        """Run CheckKey."""
        return Answer(200, json.dumps(self._call("check_key", {})))

    def web(self, path: str) -> Answer:
        """Answer a GET as API Gateway does, and as Jitsi."""
        if path.startswith("/doctor-"):
            return self.meeting_page
        path = path.removeprefix("/v1")
        file = re.fullmatch("/asap/([^/]+)", path)
        event = {
            "httpMethod": "GET",
            "resource": "/asap/{file}" if file else path if path in _ROUTES else "/{proxy+}",
            "pathParameters": {"file": file[1]} if file else None,
            "requestContext": {},
        }
        keys = file or path == "/.well-known/jwks.json"
        return _answer(self._call("serve_public_key" if keys else "probe_config", event))

    def api(self, request: Received) -> Answer:
        """Answer a POST as API Gateway does."""
        authorization = request.headers.get("Authorization", "")
        if not _BEARER.fullmatch(authorization):
            return Answer(401, "{}", PROBLEM)
        path = request.path.removeprefix("/v1")
        arn = f"arn:api/v1/{request.method}{path}"
        event = {"authorizationToken": authorization, "methodArn": arn}
        try:
            allowed = self._call("authorize_client", event)
        except Exception as error:  # noqa: BLE001 - as API Gateway does
            return Answer(401 if str(error) == "Unauthorized" else 503, "{}", PROBLEM)
        is_visit = path.startswith("/api/visits/")
        return _answer(
            self._call(
                "manage_visits" if is_visit else "issue_token",
                {
                    "httpMethod": request.method,
                    "resource": "/api/visits/{visitId}" if is_visit else path,
                    "pathParameters": {"visitId": path.rpartition("/")[2]},
                    "headers": request.headers,
                    "body": request.body,
                    "requestContext": {"authorizer": allowed["context"]},
                },
            )
        )

    def add_client(self, name: str = "clinic-a", **policy: Any) -> str:
        """Add a client with a policy, and return its API key."""
        api_key = make_api_key()
        client = Client(name=name, policy=Policy(**policy))
        self.world.dynamodb.put_item(
            TableName=TABLE,
            Item={
                "key_digest": {"S": digest(api_key)},
                "client": {"S": client.name},
                "record": {"S": write_client(client)},
            },
        )
        return api_key

    def publish(self, key: RSAPrivateKey, kid: str, expires_at: int | None = None) -> str:
        """Publish a key's public part, and return its name."""
        now = int(self.now())
        document = public_key_of(key, kid, published_at=now, expires_at=expires_at)
        self.world.ssm.put_parameter(
            Name=f"{self.world.outputs['PublicKeysPath']}/{document.name}",
            Value=write_public_key(document),
            Type="String",
            Overwrite=True,
        )
        return name_of(kid)

    def private_key(self) -> RSAPrivateKey:
        """Return the current key, one of RSA."""
        pem = self.world.stored()["private_key"].encode()
        return cast("RSAPrivateKey", load_pem_private_key(pem, None))

    def schedule_rotation(self) -> None:
        """Turn the rotation on, for a secret that holds nothing yet."""
        self.world.secrets.rotate_secret(
            SecretId=self.world.secret, RotationRules={"AutomaticallyAfterDays": 90}
        )

    def leave_pending(self) -> str:
        """Leave a version under the label of a rotation, and return its id."""
        return self.world.secrets.put_secret_value(
            SecretId=self.world.secret,
            SecretString=json.dumps(self.world.stored()),
            VersionStages=["AWSPENDING"],
        )["VersionId"]

    def answer_get(self, path: str, answer: Answer) -> None:
        """Answer what begins with a path so."""
        web = self.world.web
        self.world.web = lambda asked: answer if asked.startswith(f"/v1{path}") else web(asked)

    def replace(self, status: int, answer: Answer) -> None:
        """Answer so instead of every answer with a status."""
        web = self.world.web

        def replaced(path: str) -> Answer:
            present = web(path)
            return answer if present.status == status else present

        self.world.web = replaced

    def change_answers(self, status: int, change: Callable[[Answer], Answer]) -> None:
        """Change the answers to POST that have a status: those about tokens."""
        api = self.world.api

        def changed(request: Received) -> Answer:
            present = api(request)
            is_meant = request.method == "POST" and present.status == status
            return change(present) if is_meant else present

        self.world.api = changed

    def answer_known(self, answer: Answer) -> None:
        """Answer callers so who hold an API key."""
        self.change_answers(HTTPStatus.OK, lambda _: answer)

    def change_claims(self, claims: dict[str, Any]) -> None:
        """Let tokens have these claims instead of theirs."""

        def changed(present: Answer) -> Answer:
            token = json.loads(present.body)["token"]
            genuine = jwt.decode(token, options={"verify_signature": False})
            other = self.sign(genuine | claims)
            return present._replace(body=present.body.replace(token, other))

        self.change_answers(HTTPStatus.OK, changed)

    def withdraw(self, kid: str) -> None:
        """Unpublish a key."""
        Publication(self.world.ssm, self.world.outputs["PublicKeysPath"]).withdraw(kid)

    def kid(self) -> str:
        """Return the current key's id."""
        return self.world.stored()["kid"]

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign claims with the current key."""
        stored = self.world.stored()
        algorithm: Any = stored["algorithm"]
        return read_key(json.dumps(stored), algorithm=algorithm, kid_prefix="").sign(claims)

    def _call(self, name: str, event: dict[str, Any]) -> Any:
        with contextlib.redirect_stdout(io.StringIO()):
            return self.apps[name].handler(event, None)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.offset += seconds
        self.while_asleep(seconds)


def jaas_document(pem: str) -> dict[str, str]:
    """Return a key of JaaS."""
    return {"algorithm": "RS256", "kid": f"{APP_ID}/key1", "private_key": pem}


def published_document(key: RSAPrivateKey, pem: str) -> dict[str, str]:
    """Return a key as a rotation makes it."""
    return {"algorithm": "RS256", "kid": thumbprint(key.public_key()), "private_key": pem}


def _answer(response: dict[str, Any]) -> Answer:
    return Answer(response["statusCode"], response["body"], tuple(response["headers"].items()))
