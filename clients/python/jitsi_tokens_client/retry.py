"""How long a call may take, when it sends again, and how long it waits before."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime

from jitsi_tokens_client.errors import JitsiTokensError, UnavailableError

_DAY_SECONDS = 86_400
_SHORTEST_SECONDS = 0.001
# RFC 9110, 15.6, and RFC 6585.
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 2.0
_LONGEST_RETRY_AFTER_SECONDS = 10**9


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds, and how many attempts it makes.

    Attributes:
        connect_seconds: for one connection, TLS included.
        attempt_seconds: for one attempt. `Client` checks it between reads, and each read may take
            as long.
        total_seconds: for the whole call, with the waits between attempts.
        attempts: how many at most.

    Raises:
        ValueError: a number is not over 0, a time is over a day, or attempts is not whole.
    """

    connect_seconds: float = 3.0
    attempt_seconds: float = 8.0
    total_seconds: float = 20.0
    attempts: int = 4

    def __post_init__(self) -> None:
        for name in ("connect_seconds", "attempt_seconds", "total_seconds"):
            if not 0 < getattr(self, name) <= _DAY_SECONDS:
                raise ValueError(f"{name} must be over 0, and at most {_DAY_SECONDS}.")
        # True is an int, too.
        if type(self.attempts) is not int or self.attempts < 1:
            raise ValueError("attempts must be a whole number, 1 or more.")


class Attempts:
    """The attempts of one call. `now` is always a monotonic clock's, in seconds."""

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._ends_at = now + limits.total_seconds
        self._begun = 0

    def begin(self, now: float) -> float:
        """Count an attempt, and return how many seconds it may take."""
        self._begun += 1
        return max(_SHORTEST_SECONDS, min(self._limits.attempt_seconds, self._ends_at - now))

    def wait_after(self, error: JitsiTokensError, now: float, chance: float) -> float:
        """Return the seconds to wait after a failed attempt; `chance` is uniform in [0, 1].

        Raises:
            JitsiTokensError: the same error: another attempt would not help, or come too late.
        """
        # Without a status the connection failed.
        may_pass = error.status is None or error.status in TRANSIENT_STATUSES
        wait = backoff_seconds(self._begun, chance) + (error.retry_after_seconds or 0)
        is_in_time = self._begun < self._limits.attempts and now + wait < self._ends_at
        if not (isinstance(error, UnavailableError) and may_pass and is_in_time):
            raise error
        return wait


def backoff_seconds(attempts: int, chance: float) -> float:
    """Return the wait after so many attempts, with full jitter: `chance` is uniform in [0, 1]."""
    return chance * min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(attempts - 1, 10))


def retry_after_seconds(header: str | None, clock: float) -> int | None:
    """Return what Retry-After asks for (RFC 9110, 10.2.3); None if it is malformed.

    `clock` is now in epoch seconds, for a date.
    """
    text = (header or "").strip()
    try:
        if re.fullmatch("-?[0-9]+", text):
            seconds = float(text)
        else:
            moment = parsedate_to_datetime(text).replace(tzinfo=timezone.utc)
            seconds = math.ceil(moment.timestamp() - clock)
    except (ValueError, TypeError, OverflowError):
        return None
    return int(max(0, min(seconds, _LONGEST_RETRY_AFTER_SECONDS)))
