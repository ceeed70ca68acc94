"""A stand-in for AWS's Parameters and Secrets Lambda Extension, on loopback.

Not AWS's: that is a layer which only AWS gives out. This answers as AWS documents it
(docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html), from secrets that it is given, at
once. How long the real one takes to start, and to ask Secrets Manager, is not in here.
"""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class ExtensionStandIn:
    """The extension, while it is entered; `secrets` are texts by their names."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        answers = {name: _value(name, text) for name, text in secrets.items()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                body = answers.get(parse_qs(asked.query).get("secretId", [""])[0], b"")
                known = asked.path == "/secretsmanager/get" and body
                allowed = self.headers.get("X-Aws-Parameters-Secrets-Token")
                self.send_response(200 if known and allowed else 400)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])


def _value(secret_id: str, text: str) -> bytes:
    document: dict[str, object] = {
        "ARN": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{secret_id}",
        "CreatedDate": datetime.now(UTC).isoformat(),
        "Name": secret_id,
        "SecretBinary": None,
        "SecretString": text,
        "VersionId": str(uuid.uuid4()),
        "VersionStages": ["AWSCURRENT"],
        "ResultMetadata": {},
    }
    return json.dumps(document).encode()
