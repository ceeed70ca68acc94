"""A call to the service without sending anything: what to send, and what comes after an outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from jitsi_tokens_client import body
from jitsi_tokens_client.outcome import Answer, Failure
from jitsi_tokens_client.reading import (
    error_of_answer,
    error_of_failure,
    read_configured,
    read_meeting,
)
from jitsi_tokens_client.request import Request
from jitsi_tokens_client.retry import RETRIED_STATUSES, backoff_seconds, retry_after_seconds
from jitsi_tokens_client.settings import missing_api_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens_client.errors import JitsiTokensError
    from jitsi_tokens_client.limits import Limits
    from jitsi_tokens_client.meeting import Meeting
    from jitsi_tokens_client.settings import Settings

T = TypeVar("T")
_LEAST_SECONDS = 0.001


class Call(Generic[T]):
    """One call. Whoever sends asks for the limits of an attempt, and hands in what it came to.

    Attributes:
        request: what to send.
        result: once it is over, what to return, or the error to raise.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits,
        request: Request,
        read: Callable[[Answer], T | None],
        wanted: str,
    ) -> None:
        self.request = request
        self.result: T | JitsiTokensError | None = None
        self._settings = settings
        self._limits = limits
        self._read = read
        self._wanted = wanted
        self._attempts = 0
        self._ends_at: float | None = None

    def begin(self, now: float) -> float:
        """Begin an attempt and return how many seconds it may take; `now` is a monotonic clock's.

        The call's time begins with its first attempt.
        """
        self._attempts += 1
        if self._ends_at is None:
            self._ends_at = now + self._limits.total_seconds
        return max(_LEAST_SECONDS, min(self._limits.attempt_seconds, self._ends_at - now))

    def take(
        self, outcome: Answer | Failure, *, now: float, clock: float, chance: float
    ) -> float | None:
        """Return how many seconds to wait before the next attempt; None: the call is over.

        Args:
            outcome: what the attempt came to.
            now: by the same clock as `begin`'s.
            clock: in epoch seconds.
            chance: a random number, uniform in [0, 1].
        """
        if isinstance(outcome, Failure):
            retry_after, may_pass = None, outcome.reason.may_pass
        else:
            may_pass = outcome.status in RETRIED_STATUSES
            retry_after = retry_after_seconds(outcome.retry_after, clock) if may_pass else None
        if may_pass and self._attempts < self._limits.attempts:
            wait = backoff_seconds(self._attempts, chance) + (retry_after or 0)
            if now + wait < (self._ends_at or now):
                return wait
        self.result = self._conclude(outcome, retry_after)
        return None

    def _conclude(self, outcome: Answer | Failure, retry_after: int | None) -> T | JitsiTokensError:
        address, *keys = self._settings
        if isinstance(outcome, Failure):
            return error_of_failure(outcome, address.host)
        result = self._read(outcome) if outcome.status == 200 else None  # noqa: PLR2004 - OK
        if result is not None:
            return result
        return error_of_answer(
            outcome,
            address.host,
            secrets=[key for key in keys if key],
            retry_after=retry_after,
            wanted=self._wanted,
            is_with_key=self.request.api_key is not None,
        )


def issue(
    settings: Settings, limits: Limits, asked: body.TokenRequest
) -> Call[Meeting] | JitsiTokensError:
    """Return the call for a token, or why it cannot be made."""
    if settings.api_key is None:
        return missing_api_key()
    content = body.encode(asked, settings.id_key or settings.api_key)
    if not isinstance(content, bytes):
        return content
    request = Request(settings.address, content, settings.api_key)
    return Call(settings, limits, request, read_meeting, "a token")


def is_configured(settings: Settings, limits: Limits) -> Call[bool]:
    """Return the call that asks whether the service is configured."""
    wanted = "whether it is configured"
    return Call(settings, limits, Request(settings.address), read_configured, wanted)
