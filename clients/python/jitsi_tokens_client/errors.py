"""Why there is no token, by what can be done about it."""

from __future__ import annotations


class JitsiTokensError(Exception):
    """What every error of this package is. Its text holds no key, no token, nothing sent.

    Attributes:
        status: of the answer (HTTP); None where none came.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigurationError(JitsiTokensError):
    """The address or a key is missing or malformed, or there is no token service there."""


class CredentialsError(JitsiTokensError):
    """The service does not accept the API key (401)."""


class NotAllowedError(JitsiTokensError):
    """The client's policy does not allow this, or something before the service does not (403).

    Attributes:
        field: JSON pointer (RFC 6901) to the field at fault, such as "/isModerator", or None.
    """

    def __init__(
        self, message: str, *, status: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.field = field


class InvalidRequestError(JitsiTokensError):
    """The request breaks a rule of the service's (400, 413, 415, 422), or cannot even be sent.

    Attributes:
        field: JSON pointer (RFC 6901) to the field at fault, such as "/roomName", or None.
    """

    def __init__(
        self, message: str, *, status: int | None = None, field: str | None = None
    ) -> None:
        super().__init__(message, status=status)
        self.field = field


class UnavailableError(JitsiTokensError):
    """No usable answer came in time: it may come later.

    Attributes:
        retry_after_seconds: how long the service asks to wait (Retry-After), or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message, status=status)
        self.retry_after_seconds = retry_after_seconds
