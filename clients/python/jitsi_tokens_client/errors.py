"""Why a call failed, by what the caller can do about it."""

from __future__ import annotations


class JitsiTokensError(Exception):
    """The base of every error of this package. No message holds a key, a token or a link.

    Attributes:
        status: the HTTP status of the answer; None without an answer.
        field: JSON pointer (RFC 6901) to the field at fault, such as "/roomName", or None.
        retry_after_seconds: how long the service asks to wait (Retry-After), or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        field: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after_seconds = retry_after_seconds


class ConfigurationError(JitsiTokensError):
    """The address or a key is missing or malformed, or no token service answers there."""


class CredentialsError(JitsiTokensError):
    """The service does not accept the API key (401)."""


class NotAllowedError(JitsiTokensError):
    """The client's policy, or a firewall before the service, does not allow this (403)."""


class InvalidRequestError(JitsiTokensError):
    """The request breaks a rule: refused by the service (400, 413, 415, 422), or never sent."""


class NotFoundError(JitsiTokensError):
    """There is no such visit, or no such participant (404)."""


class ConflictError(JitsiTokensError):
    """What the visit is does not allow this, or not now (409).

    Attributes:
        kind: "superseded", "too-early", "waiting-for-moderator", "visit-over", "visit-cancelled",
            or another end of the problem's type.
        opens_at: when the visit opens, in epoch seconds, if the service says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        kind: str | None = None,
        opens_at: int | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.kind = kind
        self.opens_at = opens_at


class UnavailableError(JitsiTokensError):
    """No usable answer came in time. Try again later."""
