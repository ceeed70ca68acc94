"""Secrets Manager, asked through AWS's Parameters and Secrets Lambda Extension.

The extension is a process beside the function's, from a layer of AWS's: an HTTP server on loopback
that asks with the function's own role. Who asks it needs no botocore, most of what a function that
signs waits for at its start.

What it takes and answers: docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html.
"""

from __future__ import annotations

import re
import select
import time
from datetime import datetime  # noqa: TC003 - msgspec reads the annotation
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec
from msgspec import Struct

from jitsi_tokens.secrets import (
    CURRENT,
    REFUSALS,
    UNREACHABLE,
    SecretUnavailable,
    Version,
    text_version,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = "AWS_SESSION_TOKEN"
# A secret has 64 KB at most, and JSON may write each byte of it as six.
_MAX_ANSWER_BYTES = 6 * 65_536 + 4_096
_KNOWN_CODE = re.compile(rb"\b(" + "|".join(REFUSALS).encode() + rb")\b")
# It says so until it has heard of the container's first call, of which the function may hear first.
_NOT_READY = b"not ready to serve traffic"


class _Patience(NamedTuple):
    """How long the extension is waited for, in seconds.

    Each try waits `seconds` for a connection and for each part of the answer; after each pause it
    is asked again where it was not ready.
    """

    seconds: float
    tries: int
    pauses: tuple[float, ...]


# As aws.PATIENT and aws.IMPATIENT, and for their reasons. The extension's own time limit, in
# template.yaml, is shorter than the first: what it says is worth more than its silence.
_PATIENT = _Patience(seconds=2, tries=2, pauses=(0.05, 0.1, 0.2, 0.4))
_IMPATIENT = _Patience(seconds=1, tries=1, pauses=())


class _Reply(NamedTuple):
    """What the extension sent; its content stays out of its repr."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"_Reply(status={self.status})"

    @property
    def is_value(self) -> bool:
        return self.status == 200  # noqa: PLR2004 - HTTP's own


class _SecretValue(Struct, rename="pascal"):
    """What GetSecretValue answers, as far as it is used; its content stays out of its repr."""

    version_id: str
    created_date: datetime
    secret_string: str | None = None
    secret_binary: str | None = None

    def __repr__(self) -> str:
        return f"_SecretValue(version_id={self.version_id!r})"


class SecretsExtension:
    """A source of secrets: it waits less long where there is a value to go on with.

    `environ` is looked at in each fetch, as the credentials in it are the container's.
    """

    def __init__(self, port: int, environ: Mapping[str, str]) -> None:
        self._environ = environ
        # Asks no proxy and follows no redirect: what is sent is a credential.
        self._connection = HTTPConnection("127.0.0.1", port)
        self._host = f"localhost:{port}"

    def fetch(self, secret_id: str, *, renewing: bool) -> Version:
        """Return the current version.

        Raises:
            SecretUnavailable: with the cause.
        """
        if not (token := self._environ.get(_TOKEN)):
            raise SecretUnavailable(UNREACHABLE, f"{_TOKEN} is not set, which the extension asks.")
        path = f"/secretsmanager/get?secretId={quote(secret_id, safe='')}&versionStage={CURRENT}"
        headers = {"Host": self._host, "X-Aws-Parameters-Secrets-Token": token}
        reply = self._reply(path, headers, _IMPATIENT if renewing else _PATIENT)
        if not reply.is_value:
            raise _refused(reply)
        return _version(reply.body)

    def _reply(self, path: str, headers: Mapping[str, str], patience: _Patience) -> _Reply:
        for pause in patience.pauses:
            reply = self._asked(path, headers, patience)
            if reply.is_value or _NOT_READY not in reply.body:
                return reply
            time.sleep(pause)
        return self._asked(path, headers, patience)

    def _asked(self, path: str, headers: Mapping[str, str], patience: _Patience) -> _Reply:
        failure = ""
        for _ in range(patience.tries):
            try:
                return self._get(path, headers, patience.seconds)
            # A ValueError is a header that HTTP cannot take, and its text is the token.
            except (OSError, HTTPException, ValueError) as error:
                self._connection.close()
                failure = type(error).__name__
        raise SecretUnavailable(UNREACHABLE, f"The extension did not answer ({failure}).")

    def _get(self, path: str, headers: Mapping[str, str], seconds: float) -> _Reply:
        connection = self._connection
        if connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()  # The extension has closed it: there is nothing else to be read.
        connection.timeout = seconds
        if connection.sock:
            connection.sock.settimeout(seconds)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        body = response.read(_MAX_ANSWER_BYTES)
        if not response.isclosed():
            connection.close()
        return _Reply(response.status, body)


def _refused(reply: _Reply) -> SecretUnavailable:
    # Only a name that is known is taken from a text that may hold anything.
    code = _KNOWN_CODE.search(reply.body)
    if not code:
        return SecretUnavailable(UNREACHABLE, f"The extension refused: status {reply.status}.")
    return SecretUnavailable(*REFUSALS[code[1].decode()])


def _version(body: bytes) -> Version:
    try:
        # Not strict: AWS writes times as text or as a number.
        value = msgspec.json.decode(body, type=_SecretValue, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SecretUnavailable(
            UNREACHABLE, "The extension's answer cannot be read, or is too long."
        ) from None
    return text_version(
        value.version_id,
        value.secret_string,
        value.created_date,
        holds_bytes=bool(value.secret_binary),
    )
