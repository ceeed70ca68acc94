"""What an attempt comes to: an answer, or why none came."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpx

MAX_BODY_BYTES = 65_536


@dataclass(frozen=True, repr=False)
class Answer:
    """What came. Its repr shows nothing: the body may hold a token.

    Attributes:
        media_type: what the body says that it is, without parameters, in lower case.
        retry_after: the header as it came.
        body: None where it is too long, or encoded: then it is not the service's.
    """

    status: int
    media_type: str
    retry_after: str | None
    body: bytes | None


class Reason(enum.Enum):
    """Why no answer came, as it is told."""

    TIMED_OUT = "timed out"
    NOT_RESOLVED = "its name does not resolve"
    NOT_CONNECTED = "no connection"
    CLOSED = "the connection was closed"
    CERTIFICATE = "its certificate does not hold"
    ADDRESS = "the address is malformed"
    SETUP = "the HTTP client cannot be set up"
    UNEXPECTED = "unexpected error"

    @property
    def may_pass(self) -> bool:
        """Whether another attempt may go well."""
        return self in _MAY_PASS


_MAY_PASS = {Reason.TIMED_OUT, Reason.NOT_RESOLVED, Reason.NOT_CONNECTED, Reason.CLOSED}


class Failure(NamedTuple):
    """Why no answer came; `detail` is OpenSSL's text on a certificate, or an error's class."""

    reason: Reason
    detail: str = ""


class Reception:
    """An answer while it comes in, not more of it than is needed."""

    def __init__(self, response: httpx.Response) -> None:
        self._status = response.status_code
        self._media_type = response.headers.get("Content-Type", "").partition(";")[0]
        self._retry_after = response.headers.get("Retry-After")
        self._body = bytearray()
        # None was asked for, and what it unpacks to may be of any size.
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        self._is_foreign = encoding not in ("", "identity")

    @property
    def is_complete(self) -> bool:
        """Whether no more of the body is of use."""
        return self._is_foreign

    def take(self, chunk: bytes) -> None:
        """Add what came of the body."""
        self._body += chunk
        self._is_foreign = self._is_foreign or len(self._body) > MAX_BODY_BYTES

    def answer(self) -> Answer:
        """Return the answer, its body as far as it has come."""
        return Answer(
            self._status,
            self._media_type.strip().lower(),
            self._retry_after,
            None if self._is_foreign else bytes(self._body),
        )
