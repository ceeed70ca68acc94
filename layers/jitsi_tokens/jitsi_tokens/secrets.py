"""A secret of Secrets Manager's: keep what was made of it, outlive an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from jitsi_tokens.core.keys import KeyDocument, KeyRefused
from jitsi_tokens.settings import KEY_FRESH_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

# Its labels, as Secrets Manager names them.
CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"
PREVIOUS = "AWSPREVIOUS"

RETRY_SECONDS = 30

UNREACHABLE = "unreachable"


class SecretUnavailable(Exception):
    """There is no value to work with. `code` and text name the cause and hold no content."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class KeyVersion(NamedTuple):
    """One version of a secret that holds a key; its content stays out of its repr.

    Attributes:
        text: empty where it holds bytes, or has no value.
    """

    id: str
    text: str
    created_at: datetime
    holds_bytes: bool = False

    def __repr__(self) -> str:
        return f"KeyVersion(id={self.id!r})"

    @property
    def document(self) -> KeyDocument | None:
        """The signing key that it holds; None where what it holds is none."""
        try:
            return msgspec.json.decode(self.text, type=KeyDocument)
        except (msgspec.DecodeError, UnicodeError):
            return None

    @property
    def kid(self) -> str:
        """The signing key's id; empty where there is none, as before 8x8 gave one."""
        return document.kid if (document := self.document) else ""

    def has_key_of(self, document: KeyDocument) -> bool:
        """Tell whether it holds the same signing key, under whatever id."""
        held = self.document
        return held is not None and (
            (held.private_key, held.secret) == (document.private_key, document.secret)
        )


class CircuitBreaker:
    """When Secrets Manager last did not answer: a container waits for it once.

    The signing key alone may trip it: no other secret's failure delays it.
    """

    def __init__(self) -> None:
        self._began_at: float | None = None

    def trip(self, now: float) -> None:
        """Note that there was no answer; `now` in epoch seconds."""
        self._began_at = now

    def is_open(self, now: float) -> bool:
        """Tell whether it is too early to try again."""
        return self._began_at is not None and 0 <= now - self._began_at < RETRY_SECONDS


class CachedSecret[T]:
    """What was made of a secret: fresh for five minutes, renewed then, outlived meanwhile.

    A failed fetch is not repeated for 30 seconds. Times are epoch seconds, handed in.

    Args:
        fetch: returns the current version, or raises SecretUnavailable; its argument says whether
            there is a value to go on with.
    """

    def __init__(
        self,
        fetch: Callable[[bool], KeyVersion],
        make: Callable[[str], T],
        *,
        breaker: CircuitBreaker,
        trips_breaker: bool,
        max_stale_seconds: int,
        warn: Callable[[SecretUnavailable], None],
    ) -> None:
        self._fetch = fetch
        self._make = make
        self._breaker = breaker
        self._trips_breaker = trips_breaker
        self._usable_seconds = KEY_FRESH_SECONDS + max_stale_seconds
        self._warn = warn
        self._value: T | None = None
        self._version_id: str | None = None
        self._fetched_at = 0.0
        self._failure: tuple[str, str] | None = None
        self._failed_at = 0.0

    @property
    def stale(self) -> bool:
        """Whether the last fetch failed, so that a value may be the last known good one."""
        return self._failure is not None

    def get(self, now: float) -> T:
        """Return the value.

        Raises:
            SecretUnavailable: there is none, or none recent enough.
        """
        if self._value is None or not 0 <= now - self._fetched_at < KEY_FRESH_SECONDS:
            self._renew(now)
        value = self._usable(now)
        if value is not None:
            return value
        # A new one each time: an exception that is raised again keeps what it passed through.
        raise SecretUnavailable(
            *(self._failure or (UNREACHABLE, "Secrets Manager does not answer."))
        )

    def _usable(self, now: float) -> T | None:
        return self._value if now - self._fetched_at < self._usable_seconds else None

    def _renew(self, now: float) -> None:
        if self._failure and 0 <= now - self._failed_at < RETRY_SECONDS:
            return
        if self._breaker.is_open(now):
            self._failure = self._failure or (
                UNREACHABLE,
                "Secrets Manager failed a moment ago and is not asked again yet.",
            )
            return
        try:
            version = self._fetch(self._usable(now) is not None)
            if self._value is None or version.id != self._version_id:
                self._value = self._make(version.text)
                self._version_id = version.id
        except (SecretUnavailable, KeyRefused) as error:
            if error.code == UNREACHABLE and self._trips_breaker:
                self._breaker.trip(now)
            self._failure = (error.code, str(error))
            self._failed_at = now
            self._warn(SecretUnavailable(error.code, str(error)))
            return
        self._fetched_at = now
        self._failure = None
