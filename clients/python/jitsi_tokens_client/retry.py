"""How long a call may take, when it sends again, and how long it waits before."""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from random import SystemRandom

from jitsi_tokens_client.errors import JitsiTokensError, UnavailableError

_DAY_SECONDS = 86_400
_SHORTEST_SECONDS = 0.001
# RFC 9110, 15.6, and RFC 6585.
TRANSIENT_STATUSES = frozenset({429, 502, 503, 504})
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 2.0
_LONGEST_RETRY_AFTER_SECONDS = 10**9
_random = SystemRandom()


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
    """The attempts of one call, which begins now."""

    def __init__(self, limits: Limits, *, is_repeatable: bool = True) -> None:
        self._limits = limits
        self._is_repeatable = is_repeatable
        self._ends_at = time.monotonic() + limits.total_seconds
        self._begun = 0

    def begin(self) -> float:
        """Count an attempt, and return how many seconds it may take."""
        self._begun += 1
        left = self._ends_at - time.monotonic()
        return max(_SHORTEST_SECONDS, min(self._limits.attempt_seconds, left))

    def wait_after(self, error: JitsiTokensError) -> float:
        """Return the seconds to wait after a failed attempt: full jitter, plus Retry-After.

        Raises:
            JitsiTokensError: the same error: another attempt would not help, or come too late.
        """
        # Without a status the connection failed, and what was sent may still be under way.
        is_lost = error.status is None
        may_pass = self._is_repeatable if is_lost else error.status in TRANSIENT_STATUSES
        longest = min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2.0 ** min(self._begun - 1, 10))
        wait = _random.uniform(0, longest) + (error.retry_after_seconds or 0)
        is_in_time = time.monotonic() + wait < self._ends_at
        is_left = self._begun < self._limits.attempts
        if not (isinstance(error, UnavailableError) and may_pass and is_in_time and is_left):
            raise error
        return wait


def retry_after_seconds(header: str | None) -> int | None:
    """Return what Retry-After asks for (RFC 9110, 10.2.3); None if it is malformed."""
    text = (header or "").strip()
    try:
        if re.fullmatch("-?[0-9]+", text):
            seconds = float(text)
        else:
            moment = parsedate_to_datetime(text).replace(tzinfo=timezone.utc)
            seconds = math.ceil(moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
    return int(max(0, min(seconds, _LONGEST_RETRY_AFTER_SECONDS)))
