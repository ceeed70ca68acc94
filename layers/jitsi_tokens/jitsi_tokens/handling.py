"""What the functions that need a secret share: how they keep it, and how a call fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens import aws, http, telemetry
from jitsi_tokens.core.problems import UNAVAILABLE, Problem, unexpected
from jitsi_tokens.secrets import RETRY_SECONDS, CachedSecret, CircuitBreaker, SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.core.keys import SigningKey


class ContainerSecrets:
    """A container's secrets. While Secrets Manager does not answer, it waits once for all."""

    def __init__(self, max_stale_seconds: int) -> None:
        self.first_fetch = aws.client("secretsmanager", aws.FIRST_FETCH)
        self.refresh = aws.client("secretsmanager", aws.REFRESH)
        self._breaker = CircuitBreaker()
        self._max_stale_seconds = max_stale_seconds

    def cached[T](
        self, secret_id: str, make: Callable[[str], T], *, trips_breaker: bool
    ) -> CachedSecret[T]:
        """Return a cache for the value that `make` makes of a secret's text."""
        return CachedSecret(
            lambda refresh: fetch_version(self.refresh if refresh else self.first_fetch, secret_id),
            make,
            breaker=self._breaker,
            trips_breaker=trips_breaker,
            max_stale_seconds=self._max_stale_seconds,
            warn=_warn,
        )


def signing_key(
    cached: CachedSecret[SigningKey], now: float, line: telemetry.RequestLine
) -> SigningKey:
    """Return the key to sign with; `now` in epoch seconds.

    Raises:
        Problem: 503: no key can be read, and none is cached.
    """
    try:
        return cached.get(now)
    except SecretUnavailable:
        line.no_signing_key()
        raise Problem(
            UNAVAILABLE,
            "There is no signing key to work with: the diagnostics say why. Try again later.",
            retry_after_seconds=RETRY_SECONDS,
        ) from None


def digest_key(cached: CachedSecret[bytes], now: float) -> bytes | None:
    """Return the key of the digests; None if it cannot be read: the answer does not need it."""
    try:
        return cached.get(now)
    except SecretUnavailable:
        return None
    except Exception as error:  # noqa: BLE001 - what is signed or written already must be answered
        telemetry.report(error)
        return None


def answered(
    line: telemetry.RequestLine,
    work: Callable[[], http.Response],
    known_field: Callable[[Problem], str | None],
) -> http.Response:
    """Return what `work` answers, or the problem that it raises, which the line notes.

    The log names an unexpected error by its type and place; the answer never does.
    """
    try:
        return work()
    except Problem as problem:
        line.refused(problem, known_field(problem))
        return http.refused(problem)
    except Exception as error:  # noqa: BLE001 - the text of a bug's error may quote what was sent
        telemetry.report(error)
        failure = unexpected()
        line.refused(failure)
        return http.refused(failure)


def _warn(failure: SecretUnavailable) -> None:
    telemetry.logger().warning("a secret could not be fetched", cause=failure.code)
