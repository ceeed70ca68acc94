"""HTTP requests to the service, or to a key server, as health records and Jitsi send them."""

from __future__ import annotations

import json
import ssl
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec

from jitsi_tokens_cli.address import check_url
from jitsi_tokens_cli.output import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

PROBLEM = "application/problem+json"
# GET is the probe, POST asks for a token.
TOKEN_PATH = "/api/jitsi/jwt"
VISITS_PATH = "/api/visits"
# API Gateway itself gives up after 29.
_LIMIT_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
# A Lambda function sends no more.
_MAX_BYTES = 6 * 1024 * 1024


class Unanswered(Exception):
    """No answer came; the text says why, as far as is known."""


class CertificateRefused(Unanswered):
    """The address has no valid certificate."""


class FieldError(msgspec.Struct):
    """What is wrong with one field of a request."""

    pointer: str = ""
    detail: str = ""


class Problem(msgspec.Struct):
    """Why a request was refused (RFC 9457); empty where the answer does not say."""

    title: str = ""
    detail: str = ""
    errors: list[FieldError] = []
    opens_at: int | None = msgspec.field(name="opensAt", default=None)
    because: str = ""


class Reply(NamedTuple):
    """An answer; its content may hold a token, and stays out of its repr.

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
        """The content's type, without parameters."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()

    @property
    def date(self) -> int | None:
        """When it was sent, by the clock there, in epoch seconds."""
        try:
            return int(parsedate_to_datetime(self.headers.get("Date", "")).timestamp())
        except (ValueError, OverflowError):
            return None

    @property
    def is_failure(self) -> bool:
        """Whether the service failed, rather than refused the request."""
        return httpx.codes.is_server_error(self.status)

    def problem(self) -> Problem:
        """Return why the request was refused."""
        try:
            return msgspec.json.decode(self.content, type=Problem)
        except (msgspec.DecodeError, UnicodeError):
            return Problem()

    def document(self) -> dict[str, Any]:
        """Return its JSON object; an empty one where there is none."""
        try:
            return msgspec.json.decode(self.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError):
            return {}


class Web:
    """The address of a service, or of a key server, which may be plain http.

    Args:
        limit_seconds: how long a whole request may take, from the look-up of the name on.

    Raises:
        UsageError: it is no address, or an API key must not be sent there.
    """

    def __init__(
        self, url: str, *, is_key_server: bool = False, limit_seconds: float = _LIMIT_SECONDS
    ) -> None:
        parts = check_url(url, is_key_server=is_key_server)
        self.url = url.rstrip("/")
        self.host = parts.hostname or ""
        self._limit_seconds = limit_seconds
        self._client = httpx.Client(
            timeout=httpx.Timeout(limit_seconds, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            # A proxy would see what goes over plain http, even what is meant for loopback.
            trust_env=parts.scheme == "https",
            # Nothing stays open.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def get(self, path: str) -> Reply:
        """Fetch what is at a path.

        Raises:
            Unanswered: nothing came.
        """
        return self._ask("GET", path, {})

    def ask_token(self, request: dict[str, Any], api_key: str | None) -> Reply:
        """Request a token; the answer may hold one.

        Raises:
            Unanswered: nothing came.
        """
        return self.call("POST", TOKEN_PATH, api_key, request)

    def call(
        self, method: str, path: str, api_key: str | None, request: dict[str, Any] | None = None
    ) -> Reply:
        """Send a request of a health record's; the answer may hold a token or links.

        Raises:
            Unanswered: nothing came.
        """
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        if request is None:
            return self._ask(method, path, headers)
        headers["Content-Type"] = "application/json"
        return self._ask(method, path, headers, json.dumps(request))

    def _ask(
        self, method: str, path: str, headers: dict[str, str], content: str | None = None
    ) -> Reply:
        outcome: SimpleQueue[Reply | Exception] = SimpleQueue()

        def send() -> None:
            try:
                with self._client.stream(
                    method, f"{self.url}{path}", content=content, headers=headers
                ) as response:
                    ends_at = _certificate_end(response)
                    reply = Reply(
                        response.status_code, response.headers, _content(response), ends_at
                    )
                outcome.put(reply)
            except Exception as error:  # noqa: BLE001 - raised where it was asked for
                outcome.put(error)

        # httpx limits each step, not the whole, and the look-up of the name not at all.
        Thread(target=send, daemon=True).start()
        with progress(f"Waiting for {self.host}"):
            try:
                answered = outcome.get(timeout=self._limit_seconds)
            except Empty:
                answered = httpx.TimeoutException("")
        if isinstance(answered, httpx.HTTPError | httpx.InvalidURL):
            raise _unanswered(self.host, answered, self._limit_seconds)
        if isinstance(answered, Exception):
            raise answered
        return answered


def _content(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_BYTES:
            break
    return bytes(content[:_MAX_BYTES])


def _certificate_end(response: httpx.Response) -> int | None:
    stream = response.extensions.get("network_stream")
    encrypted = stream.get_extra_info("ssl_object") if stream else None
    certificate = encrypted.getpeercert() if encrypted else None
    return int(ssl.cert_time_to_seconds(certificate["notAfter"])) if certificate else None


def _unanswered(host: str, error: Exception, limit_seconds: float) -> Unanswered:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(
                f"The certificate of {host} is not valid: {cause.verify_message}."
            )
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return Unanswered(f"{host} does not answer within {limit_seconds:g} seconds.")
    # The text of an error may hold what was sent.
    return Unanswered(f"{host} does not answer ({type(error).__name__}).")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
