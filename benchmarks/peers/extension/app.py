"""IssueToken with its secrets from AWS's Parameters and Secrets Extension, without botocore.

An experiment, to see what such a start would take; docs/performance.md has its end. It is the
function's own code with another source of secrets, and no more of that than a good answer needs.

environment:
  ISSUE_TOKEN_APP                         the built function's app.py
  PARAMETERS_SECRETS_EXTENSION_HTTP_PORT  where the extension listens, on loopback
  AWS_SESSION_TOKEN                       what it wants of its callers
"""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import closing
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation
from http.client import HTTPConnection
from types import ModuleType
from typing import Any
from urllib.parse import quote

import msgspec

from jitsi_tokens.secrets import UNREACHABLE, SecretUnavailable, Version


class _SecretValue(msgspec.Struct, rename="pascal"):
    version_id: str
    created_date: datetime
    secret_string: str


class _Extension:
    """A source of secrets, in the place of jitsi_tokens.secrets_manager.SecretsManager."""

    def fetch(self, secret_id: str, *, renewing: bool) -> Version:
        """Return the current version.

        Raises:
            SecretUnavailable: there is no good answer.
        """
        port = int(os.environ["PARAMETERS_SECRETS_EXTENSION_HTTP_PORT"])
        with closing(HTTPConnection("127.0.0.1", port, timeout=1 if renewing else 2)) as connection:
            connection.request(
                "GET",
                f"/secretsmanager/get?secretId={quote(secret_id, safe='')}",
                headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
            )
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:  # noqa: PLR2004 - HTTP's
            raise SecretUnavailable(UNREACHABLE, f"The extension refused: {answer.status}.")
        value = msgspec.json.decode(body, type=_SecretValue)
        return Version(value.version_id, value.secret_string, value.created_date)


def _load_issue_token() -> Any:
    source: Any = ModuleType("jitsi_tokens.secrets_manager")
    source.SecretsManager = _Extension
    sys.modules[source.__name__] = source
    spec = importlib.util.spec_from_file_location("issue_token", os.environ["ISSUE_TOKEN_APP"])
    if spec is None or spec.loader is None:
        raise ImportError(os.environ["ISSUE_TOKEN_APP"])
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    return app


handler = _load_issue_token().handler
