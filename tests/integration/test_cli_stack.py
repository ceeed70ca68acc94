"""How the command line finds its stack, and how it fails.

Holds the world that the other `test_cli_*` modules run in: moto's Secrets Manager and DynamoDB,
and a loopback server that answers as CloudFormation, Lambda and the deployed service.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
import pytest
from typer.testing import CliRunner

from jitsi_tokens_cli.main import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

STACK = "meetings"
APP_ID = "vpaas-magic-cookie-0123456789abcdef0123456789ABCDEF"
TABLE = "clients"

_ENVIRONMENT = (
    "AWS_REGION",
    "JITSI_TOKENS_STACK_NAME",
    "JITSI_TOKENS_URL",
    "JITSI_TOKENS_API_KEY",
    "JITSI_TOKENS_API_KEY_FILE",
)


class Answer(NamedTuple):
    """What the loopback server sends."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


HANGS_UP = Answer(0, "")


class Received(NamedTuple):
    """What the loopback server was sent."""

    path: str
    headers: dict[str, str]
    body: str


def checked(**status: Any) -> Answer:
    """Return CheckKey's answer."""
    return Answer(200, json.dumps({"configured": True, "checkedAt": 1, "problems": [], **status}))


class World:
    """A deployed stack as the command line meets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, port: int, *, provider: str) -> None:
        self._monkeypatch = monkeypatch
        self.url = f"http://127.0.0.1:{port}"
        self.secrets = boto3.client("secretsmanager")
        self.dynamodb = boto3.client("dynamodb")
        self.secret = self.secrets.create_secret(Name="signing-key")["ARN"]
        self.outputs = {
            "ApiUrl": f"{self.url}/v1",
            "Provider": provider,
            "SigningAlgorithm": "RS256" if provider == "jaas" else "HS256",
            "SigningKeySecret": self.secret,
            "ClientsTable": TABLE,
            "CheckKeyFunction": "arn:aws:lambda:eu-central-1:123456789012:function:check:live",
        }
        if provider == "jaas":
            self.outputs["JaasAppId"] = APP_ID
        self.parameters = {"AuthorizerCacheSeconds": "45"}
        self.received: list[Received] = []
        self.cloudformation: Callable[[str], Answer] = self._described
        self.check: Callable[[], Answer] = checked
        self.service = Answer(404, "")
        self.secrets_manager: Callable[[str], Answer] = lambda _: Answer(404, "")
        self._create_table()

    def run(self, *arguments: str, typed: str | bytes | None = None, stack: bool = True) -> Result:
        """Run a command of this stack; what is typed goes to its stdin."""
        named = ["--stack-name", STACK] if stack else []
        return CliRunner().invoke(app, [*named, *arguments], input=typed)

    def at_a_terminal(self) -> None:
        """Let the commands ask."""
        self._monkeypatch.setattr("jitsi_tokens_cli.inputs.is_interactive", lambda: True)

    def with_secrets_manager(self, answer: Callable[[str], Answer]) -> None:
        """Let Secrets Manager answer the commands so, by operation."""
        self.secrets_manager = answer
        self._monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.url)

    def store(self, document: dict[str, str]) -> None:
        """Give the stack a key."""
        self.secrets.put_secret_value(SecretId=self.secret, SecretString=json.dumps(document))

    def store_bytes(self, content: bytes) -> None:
        """Give the stack's secret what no key document is."""
        self.secrets.put_secret_value(SecretId=self.secret, SecretBinary=content)

    def stored(self) -> dict[str, str]:
        """Return what the stack's secret holds."""
        document: dict[str, str] = json.loads(
            self.secrets.get_secret_value(SecretId=self.secret)["SecretString"]
        )
        return document

    def is_empty(self) -> bool:
        """Tell whether the stack has no key."""
        return "VersionIdsToStages" not in self.secrets.describe_secret(SecretId=self.secret)

    def answer(self, request: Received) -> Answer:
        """Answer as CloudFormation, Lambda or the service."""
        self.received.append(request)
        if "secretsmanager" in (target := request.headers.get("X-Amz-Target", "")):
            return self.secrets_manager(target.rpartition(".")[2])
        if request.path.endswith("/invocations"):
            return self.check()
        if request.path.endswith("/api/jitsi/jwt"):
            return self.service
        return self.cloudformation(parse_qs(request.body)["StackName"][0])

    def _described(self, name: str) -> Answer:
        if name != STACK:
            return aws_error("ValidationError", f"Stack with id {name} does not exist")
        outputs = _members("Output", self.outputs)
        parameters = _members("Parameter", self.parameters)
        return Answer(
            200,
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"
            f"<StackName>{STACK}</StackName><Outputs>{outputs}</Outputs>"
            f"<Parameters>{parameters}</Parameters>"
            "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>",
        )

    def _create_table(self) -> None:
        self.dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "key_digest", "AttributeType": "S"},
                {"AttributeName": "client", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-client",
                    "KeySchema": [
                        {"AttributeName": "client", "KeyType": "HASH"},
                        {"AttributeName": "key_digest", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )


def aws_error(code: str, message: str, status: int = 400) -> Answer:
    """Return an error of an AWS query API."""
    return Answer(
        status,
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        "</ErrorResponse>",
    )


def json_error(code: str, message: str = "") -> Answer:
    """Return an error of an AWS JSON API."""
    return Answer(400, json.dumps({"__type": code, "message": message}))


@contextlib.contextmanager
def running_world(monkeypatch: pytest.MonkeyPatch, *, provider: str = "jaas") -> Iterator[World]:
    """Run the loopback server for as long as a test runs."""
    worlds: list[World] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            answer = worlds[0].answer(Received(self.path, dict(self.headers), body))
            if answer is HANGS_UP:
                return
            content = answer.body.encode()
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    for name in _ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    for service in ("CLOUDFORMATION", "LAMBDA"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{server.server_port}")
    worlds.append(World(monkeypatch, server.server_port, provider=provider))
    try:
        yield worlds[0]
    finally:
        server.shutdown()
        server.server_close()


def _members(kind: str, values: dict[str, str]) -> str:
    return "".join(
        f"<member><{kind}Key>{name}</{kind}Key><{kind}Value>{escape(value)}</{kind}Value></member>"
        for name, value in values.items()
    )


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a JaaS stack without a key."""
    with running_world(monkeypatch) as world:
        yield world


def test_version_is_the_distributions() -> None:
    """--version prints the installed version and needs no stack."""
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.stdout == "jitsi-tokens 0.1.0\n"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["key"],
        ["key", "create"],
        ["key", "import"],
        ["key", "show"],
        ["key", "check"],
        ["client"],
        ["client", "add"],
        ["client", "set"],
        ["client", "list"],
        ["client", "revoke"],
        ["token"],
        ["token", "issue"],
        ["token", "inspect"],
    ],
)
def test_help_is_there_for_every_command(command: list[str]) -> None:
    """--help explains each command without a stack, the commands with an example."""
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert ("Example:" in result.stdout) == (len(command) != 1)


def test_a_stack_must_be_named(world: World) -> None:
    """A command of a stack says how to name one."""
    result = world.run("key", "show", stack=False)

    assert result.exit_code == 1
    assert "Give --stack-name before the command" in result.stderr


def test_the_environment_names_stack_and_region(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JITSI_TOKENS_STACK_NAME and AWS_REGION stand for the options."""
    monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", "elsewhere")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    result = world.run("key", "show", stack=False)

    assert "There is no stack elsewhere in eu-west-1." in result.stderr


def test_the_region_option_wins(world: World) -> None:
    """--region names the region in which the stack is looked for."""
    result = world.run("--region", "us-east-2", "--stack-name", "other", "key", "show", stack=False)

    assert result.exit_code == 1
    assert "There is no stack other in us-east-2." in result.stderr


def test_a_stack_of_something_else_is_told_apart(world: World) -> None:
    """A stack without the outputs of jitsi-tokens is named as such."""
    del world.outputs["ClientsTable"]

    result = world.run("client", "list")

    assert result.exit_code == 1
    assert "has no output ClientsTable" in result.stderr


def test_the_app_id_may_lack_its_prefix(world: World) -> None:
    """A stack deployed with the bare App ID has the same key ids."""
    world.outputs["JaasAppId"] = APP_ID.removeprefix("vpaas-magic-cookie-")

    world.run("key", "create", "--kid", "abc", "--bits", "2048")

    assert world.stored()["kid"] == f"{APP_ID}/abc"


def test_a_denial_of_aws_is_one_sentence(world: World) -> None:
    """What AWS denies is told with AWS's reason, without a traceback."""
    world.cloudformation = lambda _: aws_error(
        "AccessDenied", "User: me is not authorized to perform: cloudformation:DescribeStacks", 403
    )

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert result.stderr == (
        "Error: AWS refused DescribeStacks (AccessDenied: User: me is not authorized to perform:"
        " cloudformation:DescribeStacks).\n"
    )


def test_an_unknown_error_of_aws_shows_its_code_alone(world: World) -> None:
    """Other messages of AWS may repeat what was sent, so they stay out."""
    world.cloudformation = lambda _: aws_error("OddError", "SecretString was hunter2", 400)

    result = world.run("key", "show")

    assert result.stderr == "Error: AWS refused DescribeStacks (OddError).\n"


def test_missing_credentials_are_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials the command says so."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert result.stderr == "Error: AWS cannot be used: Unable to locate credentials.\n"


def test_a_parameter_that_botocore_refuses_is_not_repeated(world: World) -> None:
    """Botocore quotes values in its complaint, so the complaint stays out."""
    world.outputs["ClientsTable"] = ""

    result = world.run("client", "list")

    assert result.exit_code == 1
    assert result.stderr == "Error: AWS's client refused the form of a parameter.\n"


def test_a_fault_shows_no_text_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is told by type and place: its text may quote a secret."""

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("jitsi_tokens_cli.key_commands.current_version", broken)

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert re.search(
        r"a fault: RuntimeError in broken, test_cli_stack\.py:\d+\. Please", result.stderr
    )
    assert "hunter2" not in result.output


def test_a_usage_error_exits_with_2(world: World) -> None:
    """Typer's own usage errors keep their exit code."""
    assert world.run("key", "create", "--bits", "1024").exit_code == 2
