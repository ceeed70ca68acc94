"""The service, or a key server, at its address: asked as Jitsi and a health record ask it."""

from __future__ import annotations

import json
import ssl
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec

from jitsi_tokens_cli.address import check_url
from jitsi_tokens_cli.output import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEM = "application/problem+json"
# API Gateway itself gives up after 29 seconds.
_TIMEOUT = httpx.Timeout(30, connect=5)
_MAX_BYTES = 262_144


class Unanswered(Exception):
    """No answer came. The text says why, as far as it can be told."""


class CertificateRefused(Unanswered):
    """The address has no certificate that holds."""


class FieldError(msgspec.Struct):
    """What is wrong with one field of a request."""

    pointer: str = ""
    detail: str = ""


class Problem(msgspec.Struct):
    """A refusal, as far as the answer says why (RFC 9457)."""

    title: str = ""
    detail: str = ""
    errors: list[FieldError] = []


class Reply(NamedTuple):
    """What the address answers; nothing of its content is repeated by who reads it.

    Attributes:
        certificate_ends_at: in epoch seconds; None without TLS.
    """

    status: int
    headers: httpx.Headers
    content: bytes
    certificate_ends_at: int | None

    def __repr__(self) -> str:
        return f"Reply(status={self.status})"

    @property
    def media_type(self) -> str:
        """What the content says that it is."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def date(self) -> int | None:
        """When it was sent by the clock there, in epoch seconds."""
        try:
            return int(parsedate_to_datetime(self.headers.get("Date", "")).timestamp())
        except (ValueError, OverflowError):
            return None

    @property
    def is_failure(self) -> bool:
        """Whether it is the address that fails, not what it was asked."""
        return httpx.codes.is_server_error(self.status)

    def problem(self) -> Problem:
        """Return why it refuses; an empty problem where it does not say."""
        try:
            return msgspec.json.decode(self.content, type=Problem)
        except (msgspec.DecodeError, UnicodeError):
            return Problem()

    def document(self) -> dict[str, Any]:
        """Return the JSON object in it; an empty one where there is none."""
        try:
            return msgspec.json.decode(self.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError):
            return {}


class Web:
    """The address of a service, or of a key server, which may be plain http.

    Raises:
        UsageError: it is none, or an API key must not be sent there.
    """

    def __init__(self, url: str, *, is_key_server: bool = False) -> None:
        parts = check_url(url, is_key_server=is_key_server)
        self.url = url.rstrip("/")
        self.host = parts.hostname or ""
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            follow_redirects=False,
            # A proxy would see what goes over plain http, even what is meant for loopback.
            trust_env=parts.scheme == "https",
            # Nothing stays open.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def get(self, path: str) -> Reply:
        """Ask for what stands at a path.

        Raises:
            Unanswered: nothing came.
        """
        return self._ask("GET", path, {})

    def ask_token(self, request: dict[str, Any], api_key: str | None) -> Reply:
        """Ask for a token; the answer may hold one.

        Raises:
            Unanswered: nothing came.
        """
        headers = {"Content-Type": "application/json"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        return self._ask("POST", "/api/jitsi/jwt", headers, json.dumps(request))

    def _ask(
        self, method: str, path: str, headers: dict[str, str], content: str | None = None
    ) -> Reply:
        try:
            with (
                progress(f"Waiting for {self.host}"),
                self._client.stream(
                    method, f"{self.url}{path}", content=content, headers=headers
                ) as response,
            ):
                ends_at = _certificate_end(response)
                return Reply(response.status_code, response.headers, _content(response), ends_at)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unanswered(self.host, error) from None


def _content(response: httpx.Response) -> bytes:
    content = b""
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_BYTES:
            break
    return content[:_MAX_BYTES]


def _certificate_end(response: httpx.Response) -> int | None:
    stream = response.extensions.get("network_stream")
    encrypted = stream.get_extra_info("ssl_object") if stream else None
    certificate = encrypted.getpeercert() if encrypted else None
    return int(ssl.cert_time_to_seconds(certificate["notAfter"])) if certificate else None


def _unanswered(host: str, error: Exception) -> Unanswered:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(
                f"The certificate of {host} does not hold: {cause.verify_message}."
            )
    # The text of an error may hold what was sent.
    return Unanswered(f"{host} does not answer ({type(error).__name__}).")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
