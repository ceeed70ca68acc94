"""Secrets Manager, asked through AWS's Parameters and Secrets Lambda Extension.

The extension is a process beside the function's, from a layer of AWS's: an HTTP server on loopback
that asks with the function's own role. Who asks it needs no botocore, most of what a function that
signs waits for at its start.

What it takes and answers: docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html.
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple
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
    """How long the extension is waited for: a try, all of them together, the pauses; in seconds."""

    a_try: float
    altogether: float
    pauses: tuple[float, ...]


# As aws.PATIENT and aws.IMPATIENT, and for their reasons. The function may hear of the container's
# first call before the extension does, and so is patient with one that is not there yet, too.
_PATIENT = _Patience(a_try=2, altogether=4, pauses=(0.05, 0.1, 0.2, 0.4, 0.8))
_IMPATIENT = _Patience(a_try=1, altogether=1, pauses=())


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
    created_date: Any = None
    secret_string: str | None = None
    secret_binary: str | None = None

    def __repr__(self) -> str:
        return f"_SecretValue(version_id={self.version_id!r})"


class SecretsExtension:
    """A source of secrets: it waits less long where there is a value to go on with.

    `environ` is looked at in each fetch, as the credentials in it are the container's.
    """

    def __init__(self, port: int, environ: Mapping[str, str]) -> None:
        self._port = port
        self._environ = environ

    def fetch(self, secret_id: str, *, renewing: bool) -> Version:
        """Return the current version.

        Raises:
            SecretUnavailable: with the cause.
        """
        if not (token := self._environ.get(_TOKEN)):
            raise SecretUnavailable(UNREACHABLE, f"{_TOKEN} is not set, which the extension asks.")
        path = f"/secretsmanager/get?secretId={quote(secret_id, safe='')}&versionStage={CURRENT}"
        headers = {"Host": f"localhost:{self._port}", "X-Aws-Parameters-Secrets-Token": token}
        reply = self._reply(path, headers, _IMPATIENT if renewing else _PATIENT)
        if not reply.is_value:
            raise _refused(reply)
        return _version(reply.body)

    def _reply(self, path: str, headers: Mapping[str, str], patience: _Patience) -> _Reply:
        end = time.monotonic() + patience.altogether
        for pause in (*patience.pauses, patience.altogether):
            try:
                reply = self._get(path, headers, min(end, time.monotonic() + patience.a_try))
                if reply.is_value or _NOT_READY not in reply.body:
                    return reply
                failure = "not ready"
            except (OSError, HTTPException) as error:
                failure = type(error).__name__
            except ValueError as error:
                # A header that HTTP will not take next time either; the error's text is the token.
                failure, end = type(error).__name__, 0
            if time.monotonic() + pause >= end:
                break
            time.sleep(pause)
        raise SecretUnavailable(UNREACHABLE, f"The extension did not answer ({failure}).")

    def _get(self, path: str, headers: Mapping[str, str], deadline: float) -> _Reply:
        # Asks no proxy and follows no redirect: what is sent is a credential. Kept open it would be
        # used once in five minutes, and might be closed at that moment.
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_left(deadline))
        with closing(connection):
            connection.request("GET", path, headers=headers)
            socket = connection.sock
            response = connection.getresponse()
            body = b""
            while len(body) < _MAX_ANSWER_BYTES:
                socket.settimeout(_left(deadline))
                if not (part := response.read1(_MAX_ANSWER_BYTES - len(body))):
                    break
                body += part
            return _Reply(response.status, body)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


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
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise SecretUnavailable(
            UNREACHABLE, "The extension's answer cannot be read, or is too long."
        ) from None
    return text_version(
        value.version_id,
        value.secret_string,
        _moment(value.created_date),
        holds_bytes=bool(value.secret_binary),
    )


def _moment(value: object) -> datetime:
    # Who signs does not ask how old the key is, and AWS does not say how this is written.
    try:
        return msgspec.convert(value, datetime, strict=False)
    except msgspec.ValidationError:
        return datetime.fromtimestamp(0, UTC)
