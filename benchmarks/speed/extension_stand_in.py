"""A stand-in for AWS's Parameters and Secrets Lambda Extension, on loopback.

Not AWS's: that is a layer which only AWS gives out. This answers as AWS documents it
(docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html), from secrets that it is given, at
once. How long the real one takes to start, and to ask Secrets Manager, is not in here.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class Answer(NamedTuple):
    """What is answered, after so many seconds; `closes` the connection after it without a word."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    after_seconds: float = 0
    closes: bool = False
    seconds_a_byte: float = 0


class Asked(NamedTuple):
    """What a caller sent."""

    secret_id: str
    stage: str
    token: str


def value(secret_id: str, **content: str) -> Answer:
    """Return the answer that holds a secret: its SecretString or SecretBinary, or neither."""
    document: dict[str, object] = {
        "ARN": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{secret_id}",
        "CreatedDate": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "Name": secret_id,
        "SecretBinary": None,
        "SecretString": None,
        "VersionId": str(uuid.uuid4()),
        "VersionStages": ["AWSCURRENT"],
        "ResultMetadata": {},
    }
    return Answer(200, json.dumps(document | content).encode())


def refusal(code: str) -> Answer:
    """Return the answer to what Secrets Manager refuses."""
    text = (
        "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400,"
        f" RequestID: {uuid.uuid4()}, api error {code}: "
    )
    return Answer(400, text.encode())


NOT_READY = Answer(400, b"not ready to serve traffic, please wait")


class ExtensionStandIn:
    """The extension, while it is entered.

    Attributes:
        answers: by the secret's id; what is not there is not found.
        first: answered before these, each once.
        asked: by its callers, in their order.
        connections: how many callers opened.
    """

    def __init__(self, secrets: Mapping[str, str], *, port: int = 0) -> None:
        self.answers = {name: value(name, SecretString=text) for name, text in secrets.items()}
        self.first: list[Answer] = []
        self.asked: list[Asked] = []
        self.connections = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])

    def answer(self, asked: Asked) -> Answer:
        """Return what a caller is answered."""
        self.asked.append(asked)
        if not asked.token or asked.stage != "AWSCURRENT":
            return Answer(401, b"Unauthorized")
        if self.first:
            return self.first.pop(0)
        return self.answers.get(asked.secret_id) or refusal("ResourceNotFoundException")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                stand_in.connections += 1

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = parse_qs(address.query)
                known = address.path == "/secretsmanager/get"
                answer = stand_in.answer(
                    Asked(
                        query.get("secretId", [""])[0],
                        query.get("versionStage", [""])[0] if known else "",
                        self.headers.get("X-Aws-Parameters-Secrets-Token", ""),
                    )
                )
                time.sleep(answer.after_seconds)
                length = {"Content-Length": str(len(answer.body))}
                self.send_response(answer.status)
                for name, text in (length | dict(answer.headers)).items():
                    self.send_header(name, text)
                self.end_headers()
                if answer.seconds_a_byte:
                    self._trickle(answer)
                else:
                    self.wfile.write(answer.body)
                self.close_connection = answer.closes

            def _trickle(self, answer: Answer) -> None:
                with contextlib.suppress(OSError):
                    for byte in answer.body:
                        time.sleep(answer.seconds_a_byte)
                        self.wfile.write(bytes([byte]))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
