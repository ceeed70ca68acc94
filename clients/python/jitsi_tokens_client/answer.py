"""What came back: an answer of the service, or the error to raise."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

import httpx

from jitsi_tokens_client.errors import (
    ConfigurationError,
    ConflictError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    NotAllowedError,
    NotFoundError,
    UnavailableError,
)
from jitsi_tokens_client.meeting import Meeting
from jitsi_tokens_client.problem import read_problem
from jitsi_tokens_client.request import TOKEN_PATH
from jitsi_tokens_client.retry import TRANSIENT_STATUSES, retry_after_seconds
from jitsi_tokens_client.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitsi_tokens_client.request import Request
    from jitsi_tokens_client.visits import Visit, VisitPage

# What a Lambda function can answer at most.
MAX_BODY_BYTES = 6 * 1024 * 1024
_REFUSALS: dict[int, tuple[type[JitsiTokensError], str]] = {
    401: (CredentialsError, "does not accept the API key"),
    403: (NotAllowedError, "does not allow this"),
    404: (NotFoundError, "has no such visit or participant (HTTP {status})"),
    **dict.fromkeys(
        (400, 413, 415, 422), (InvalidRequestError, "refuses the request (HTTP {status})")
    ),
}


class Answer:
    """An HTTP answer, whose body is taken in parts."""

    def __init__(self, response: httpx.Response, host: str) -> None:
        self.status = response.status_code
        headers = response.headers
        self._media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._retry_after_seconds = retry_after_seconds(headers.get("Retry-After"))
        # An encoding was not asked for, and may unpack to any size.
        encoding = headers.get("Content-Encoding", "").strip().lower()
        self.is_foreign = encoding not in ("", "identity")
        self._body = bytearray()
        self._host = host

    def take(self, chunk: bytes) -> None:
        """Add a part of the body. Of a foreign answer no more is of use."""
        self._body += chunk
        self.is_foreign = self.is_foreign or len(self._body) > MAX_BODY_BYTES

    def meeting(self) -> Meeting:
        """Return the meeting in it, or raise UnavailableError."""
        match self._result():
            case {
                "token": str(token),
                "expiresAt": int(expires_at),
                "notBefore": int(not_before),
                "meetingUrl": str(meeting_url),
                "roomName": str(room_name),
            }:
                return Meeting(token, expires_at, not_before, meeting_url, room_name)
        raise self._unusable("something other than a token")

    def visit(self) -> Visit:
        """Return the visit in it, or raise UnavailableError."""
        visit = self._result()
        if not isinstance(visit.get("state"), dict):
            raise self._unusable("something other than a visit")
        return cast("Visit", visit)

    def page(self) -> VisitPage:
        """Return the visits in it, or raise UnavailableError."""
        page = self._result()
        if not isinstance(page.get("visits"), list):
            raise self._unusable("something other than visits")
        return cast("VisitPage", page)

    def configured(self) -> bool:
        """Return whether the service says that it is configured, or raise UnavailableError."""
        configured = self._result().get("configured")
        if not isinstance(configured, bool):
            raise self._unusable("something other than whether it is configured")
        return configured

    def error(self, secrets: Sequence[Secret], request: Request) -> JitsiTokensError | None:
        """Return the error that it means, or None for 200 and 201. No message holds a secret."""
        host, status = self._host, self.status
        is_problem = self._media_type == "application/problem+json" and not self.is_foreign
        problem = read_problem(self._object() if is_problem else {}, secrets)
        if status in TRANSIENT_STATUSES:
            sentence = problem.append_to(f"{host} cannot answer now (HTTP {status})")
            return UnavailableError(
                sentence, status=status, retry_after_seconds=self._retry_after_seconds
            )
        if self.is_foreign:
            return self._unusable("what is not the service's, too long or encoded")
        if status in {200, 201}:
            return None
        if problem.is_ours and status == 409:  # noqa: PLR2004 - Conflict
            sentence = problem.append_to(f"{host} refuses the request (HTTP {status})")
            return ConflictError(
                sentence, status=status, kind=problem.kind, opens_at=problem.opens_at
            )
        # Below the path of tokens nothing is missing but the path itself.
        is_ours = problem.is_ours and request.path != TOKEN_PATH
        is_elsewhere = (status in {404, 405} and not is_ours) or status // 100 == 3  # noqa: PLR2004
        if is_elsewhere or (status == 401 and request.api_key is None):  # noqa: PLR2004
            sentence = f"There is no token service at this address ({host}, HTTP {status})."
            return ConfigurationError(sentence, status=status)
        kind, sentence = _REFUSALS.get(status, (UnavailableError, "failed (HTTP {status})"))
        if kind is NotAllowedError and not problem.is_ours:
            sentence += ": a firewall or the address's own access list"
        return kind(
            problem.append_to(f"{host} {sentence.format(status=status)}"),
            status=status,
            field=problem.field if kind in {NotAllowedError, InvalidRequestError} else None,
        )

    def _object(self) -> dict[str, Any]:
        # The JSON object in the body; an empty one if there is none.
        try:
            document = json.loads(self._body.decode(), object_hook=_with_hidden_link)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _result(self) -> dict[str, Any]:
        return self._object() if self._media_type == "application/json" else {}

    def _unusable(self, content: str) -> UnavailableError:
        return UnavailableError(
            f"{self._host} answered HTTP {self.status} with {content}: is the address right?",
            status=self.status,
        )


def _with_hidden_link(found: dict[str, Any]) -> dict[str, Any]:
    # Anyone who has a link can join: no print of a visit shows it.
    if isinstance(link := found.get("link"), str):
        found["link"] = Secret(link)
    return found


def error_of(error: Exception, host: str) -> JitsiTokensError:
    """Return the error for what the HTTP client raised; it repeats nothing of the request."""
    # The first system error: behind it comes what the caller was handling.
    cause: BaseException | None = error
    while cause and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message.rstrip(".")
        return ConfigurationError(f"The certificate of {host} is not valid: {why}.")
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        why = "timed out"
    elif isinstance(cause, socket.gaierror):
        why = "its name does not resolve"
    elif isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        why = "no connection"
    else:
        why = "the connection was closed"
    return UnavailableError(f"{host} does not answer ({why}).")
