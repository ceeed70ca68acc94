"""How long to wait before another attempt."""

from __future__ import annotations

import math
import re
from datetime import timezone
from email.utils import parsedate_to_datetime

# RFC 9110, 15.5 and 15.6, and RFC 6585: what may be well a moment later.
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 2.0
_SECONDS = re.compile(r"-?[0-9]{1,1000}")
_FOR_EVER_SECONDS = 10**9
# RFC 9110, 5.6.7: the format that is sent, and the two that were.
_TIME = r"\d{2}:\d{2}:\d{2}"
_HTTP_DATE = re.compile(
    rf"[A-Z][a-z]{{2}}, \d{{2}} [A-Z][a-z]{{2}} \d{{4}} {_TIME} GMT"
    rf"|[A-Z][a-z]+, \d{{2}}-[A-Z][a-z]{{2}}-\d{{2}} {_TIME} GMT"
    rf"|[A-Z][a-z]{{2}} [A-Z][a-z]{{2}} [ \d]\d {_TIME} \d{{4}}",
    re.ASCII,
)


def backoff_seconds(attempts: int, chance: float) -> float:
    """Return the wait after so many attempts: full jitter, `chance` is uniform in [0, 1]."""
    return chance * min(_LONGEST_SECONDS, _FIRST_SECONDS * 2.0 ** min(attempts - 1, 10))


def retry_after_seconds(header: str | None, clock: float) -> int | None:
    """Return what Retry-After asks for (RFC 9110, 10.2.3), None where it cannot be read.

    Args:
        header: its value.
        clock: this machine's, in epoch seconds, for a date in it.
    """
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return max(0, min(int(text), _FOR_EVER_SECONDS))
    if not _HTTP_DATE.fullmatch(text):
        return None
    try:
        moment = parsedate_to_datetime(text).replace(tzinfo=timezone.utc).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0, min(math.ceil(moment - clock), _FOR_EVER_SECONDS))
