"""What the functions share that answer with a secret: what a container keeps, how a call fails."""

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
    """The secrets of a container, which waits for Secrets Manager once while it does not answer."""

    def __init__(self, max_stale_seconds: int) -> None:
        self.first_fetch = aws.client("secretsmanager", aws.FIRST_FETCH)
        self.refresh = aws.client("secretsmanager", aws.REFRESH)
        self._breaker = CircuitBreaker()
        self._max_stale_seconds = max_stale_seconds

    def cached[T](
        self, secret_id: str, make: Callable[[str], T], *, trips_breaker: bool
    ) -> CachedSecret[T]:
        """Return what keeps the value that `make` makes of a secret's text."""
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
        Problem: 503: there is none to work with.
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
    """Return the key of the digests; None where it cannot be read, which must cost no answer."""
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
    """Return what `work` answers, or the problem that it ends in, which the line notes.

    An error nobody expected is in the log by its type and place, and in no answer.
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
