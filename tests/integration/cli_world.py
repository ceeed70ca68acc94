"""The world that the command line is tested in.

Moto's Secrets Manager, DynamoDB and SSM, and a loopback server that answers as CloudFormation,
Lambda and the deployed service.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
from typer.testing import CliRunner

from jitsi_tokens_cli.main import app
from tests.integration.moto_labels import follow_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from typer.testing import Result

STACK = "meetings"
APP_ID = "vpaas-magic-cookie-0123456789abcdef0123456789ABCDEF"
TABLE = "clients"
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function"

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
    method: str = "POST"


def checked(**status: Any) -> Answer:
    """Return CheckKey's answer."""
    return Answer(200, json.dumps({"configured": True, "checkedAt": 1, "problems": [], **status}))


class World:
    """A deployed stack as the command line meets it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        port: int,
        *,
        provider: str,
        algorithm: str,
    ) -> None:
        self._monkeypatch = monkeypatch
        self.url = f"http://127.0.0.1:{port}"
        follow_labels(monkeypatch)
        self.secrets = boto3.client("secretsmanager")
        self.dynamodb = boto3.client("dynamodb")
        self.ssm = boto3.client("ssm")
        self.secret = self.secrets.create_secret(Name="signing-key")["ARN"]
        self.outputs = {
            "ApiUrl": f"{self.url}/v1",
            "SigningKeySecret": self.secret,
            "ClientsTable": TABLE,
            "CheckKeyFunction": f"{FUNCTION}:check:live",
            "RotateSigningKeyFunction": f"{FUNCTION}:rotate",
            "KeyStatusParameter": f"/jitsi-tokens/{STACK}/key-status",
            "PublicKeysPath": f"/jitsi-tokens/{STACK}/public-keys",
        }
        self.parameters = {
            "AuthorizerCacheSeconds": "45",
            "Provider": provider,
            "SigningAlgorithm": algorithm,
            "JitsiDomain": "" if provider == "jaas" else "meet.example.org",
            "JaasAppId": APP_ID if provider == "jaas" else "",
            "JitsiAppId": "openemr_telehealth",
            "JitsiIssuer": "openemr",
            "JitsiAudience": "openemr_audience",
            "JitsiSubject": "",
            "JitsiTenant": "",
            "MeetingUrlTokenPlacement": "fragment",
            "MaximumLifetimeSeconds": "14400",
            "MaximumAdvanceSeconds": "604800",
            "ClockSkewSeconds": "10",
            "MaximumStaleSeconds": "14400",
            "RotationDays": "90",
            "JoinMode": "embed",
        }
        self.status = "CREATE_COMPLETE"
        self.received: list[Received] = []
        self.cloudformation: Callable[[str], Answer] = self._described
        self.check: Callable[[], Answer] = checked
        self.service = Answer(404, "")
        self.api: Callable[[Received], Answer] = lambda _: self.service
        self.date: Callable[[], float] = time.time
        self.web: Callable[[str], Answer] = lambda _: Answer(404, "")
        self.secrets_manager: Callable[[str], Answer] = lambda _: Answer(404, "")
        self.parameter_store = Answer(404, "")
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

    def with_ssm(self, answer: Answer) -> None:
        """Let SSM answer the commands so."""
        self.parameter_store = answer
        self._monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", self.url)

    def with_logs(self, answer: Callable[[str], Answer]) -> None:
        """Let CloudWatch Logs answer the commands so, by operation."""
        self.secrets_manager = answer
        self._monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", self.url)

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
        """Answer as CloudFormation, Lambda, the service, or whatever else the web holds."""
        self.received.append(request)
        if target := request.headers.get("X-Amz-Target"):
            is_ssm = target.startswith("AmazonSSM")
            return self.parameter_store if is_ssm else self.secrets_manager(target.split(".")[1])
        if request.path.endswith("/invocations"):
            return self.check()
        is_token = request.path.endswith("/api/jitsi/jwt") and request.method == "POST"
        if is_token or "/api/visits" in request.path:
            return self.api(request)
        if request.method == "GET":
            return self.web(request.path)
        return self.cloudformation(parse_qs(request.body)["StackName"][0])

    def _described(self, name: str) -> Answer:
        if name != STACK:
            return aws_error("ValidationError", f"Stack with id {name} does not exist")
        outputs = _members("Output", self.outputs)
        parameters = _members("Parameter", self.parameters)
        return Answer(
            200,
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>"
            f"<StackName>{STACK}</StackName><StackStatus>{self.status}</StackStatus>"
            f"<Outputs>{outputs}</Outputs>"
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
def running_world(
    monkeypatch: pytest.MonkeyPatch, *, provider: str = "jaas", algorithm: str = "HS256"
) -> Iterator[World]:
    """Run the loopback server for as long as a test runs."""
    worlds: list[World] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            request = Received(self.path, dict(self.headers), body, self.command)
            answer = worlds[0].answer(request)
            if answer is HANGS_UP:
                return
            content = answer.body.encode()
            self.send_response(answer.status)
            for name, value in (*answer.headers, ("Content-Length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815 - their names there

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(timestamp or worlds[0].date())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    for name in _ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    for service in ("CLOUDFORMATION", "LAMBDA"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", f"http://127.0.0.1:{server.server_port}")
    worlds.append(World(monkeypatch, server.server_port, provider=provider, algorithm=algorithm))
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
