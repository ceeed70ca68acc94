"""A deployed stack as its callers and its operator see it."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from jitsi_tokens.core.public_keys import name_of
from local_stack import deployment, rotation
from local_stack.commands import CommandFailure, Commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

# None of these may be in a log: the search for them is a test of its own.
NAME = "Zebulon Quackenbush"
EMAIL = "zebulon@quackenbush.example"
ROOM = "xylophone-visit"
USER_ID = "quackenbush-4711"
FORGED = "forged"  # in headers that nobody asked for
PERSON = {"userId": USER_ID, "userName": NAME, "userEmail": EMAIL, "roomName": ROOM}

EVERYTHING = (
    *("--any-room", "--moderator", "--diagnostics", "--visits"),
    *("--feature", "moderation", "--max-advance", "604800"),
)

API_KEYS: list[str] = []
TOKENS: list[str] = []
LINKS: list[str] = []
ROOMS: list[str] = []  # drawn for a visit


class Service:
    """A deployed stack as its callers and its operator see it."""

    def __init__(self, running: Emulator, stack: Stack) -> None:
        self.emulator = running
        self.stack = stack
        self.commands = Commands(running, stack)
        self.http = httpx.Client(base_url=stack.url, timeout=30)
        self._everything: str | None = None

    @property
    def api_key(self) -> str:
        """The API key of a client that may do everything."""
        if self._everything is None:
            self._everything = self.add_client("everything", *EVERYTHING)
        return self._everything

    def function(self, name: str) -> dict[str, Any]:
        """Return the configuration of a function, by its name in the template."""
        found = deployment.client(self.emulator, "cloudformation").describe_stack_resource(
            StackName=self.stack.name, LogicalResourceId=name
        )["StackResourceDetail"]["PhysicalResourceId"]
        functions = deployment.client(self.emulator, "lambda")
        return dict(functions.get_function_configuration(FunctionName=found))

    def rotate(self) -> None:
        """Take the four steps of a rotation."""
        for _ in rotation.rotate(self.emulator, self.stack):
            pass

    def replace_containers(self, function: str = "IssueToken") -> None:
        """Have the next request answered by a container that has read nothing yet."""
        functions = deployment.client(self.emulator, "lambda")
        found = self.function(function)
        name, variables = found["FunctionName"], found["Environment"]
        variables["Variables"]["REPLACED"] = str(uuid.uuid4())
        functions.update_function_configuration(FunctionName=name, Environment=variables)
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)

    def secret_document(self) -> dict[str, str]:
        """Return what the signing secret holds now."""
        answer = deployment.client(self.emulator, "secretsmanager").get_secret_value(
            SecretId=self.stack.outputs["SigningKeySecret"]
        )
        return dict(json.loads(answer["SecretString"]))

    def check_key(self) -> None:
        """Have the key checked; on AWS the schedule does this within five minutes."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.commands.run("key", "check")
            except CommandFailure as failure:
                # A function that was deployed this moment may still be on its way.
                if "ResourceConflict" not in str(failure) or time.monotonic() > deadline:
                    raise
                time.sleep(1)
            else:
                return

    def add_client(self, name: str, *policy: str) -> str:
        """Add a client, or a further API key of one, and return the key."""
        api_key = str(
            json.loads(self.commands.run("client", "add", name, *policy, "--json"))["apiKey"]
        )
        API_KEYS.append(api_key)
        return api_key

    def post(self, api_key: str | None = None, **fields: Any) -> httpx.Response:
        """Ask for a token for the person of these tests."""
        answer = self.http.post(
            "/api/jitsi/jwt",
            json=PERSON | fields,
            headers={"Authorization": f"Bearer {api_key or self.api_key}"},
        )
        if answer.is_success:
            TOKENS.append(answer.json()["token"])
        return answer

    def public_pem(self) -> str:
        """Return the public part of the signing key, as an operator sees it."""
        return str(json.loads(self.commands.run("key", "show", "--json"))["publicKey"])

    def published_pem(self, kid: str) -> str | None:
        """Return a key as Prosody finds it: by the hash of its `kid`, at the stack's address."""
        answer = self.http.get(f"/asap/{name_of(kid)}.pem")
        return answer.text if answer.is_success else None

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that the stack's Jitsi accepts now."""
        TOKENS.append(token)
        audience, issuer = "openemr_telehealth", "openemr"
        key: str | None
        match self.stack.trust:
            case "console":
                key, audience, issuer = self.public_pem(), "jitsi", "chat"
            case "shared":
                key = self.secret_document()["secret"]
            case "published":
                key = self.published_pem(jwt.get_unverified_header(token)["kid"])
        assert key
        algorithms = [self.stack.outputs["SigningAlgorithm"]]
        return jwt.decode(token, key, algorithms, audience=audience, issuer=issuer)


@contextlib.contextmanager
def deployed(emulator: Emulator, *kind: str, **parameters: Any) -> Iterator[Service]:
    """Deploy a stack of a kind: its provider, and the algorithm of a self-hosted one."""
    service = Service(emulator, deployment.deploy(emulator, *kind, **parameters))
    with service.http:
        yield service
