"""The time that an audit is about, as people give it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from jitsi_tokens_cli.errors import UsageError
from jitsi_tokens_cli.output import iso_time

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AGO = re.compile("([0-9]{1,9})([mhd])")
_MILLISECONDS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Window(NamedTuple):
    """From when to when, in epoch milliseconds. What happened at `until` itself is outside."""

    since: int
    until: int | None

    def holds(self, time: int) -> bool:
        """Tell whether a time, in epoch milliseconds, is inside."""
        return self.since <= time and (self.until is None or time < self.until)

    def __str__(self) -> str:
        until = "now" if self.until is None else time_of(self.until)
        return f"from {time_of(self.since)} until {until}"


def read_window(since: str, until: str | None, now: float) -> Window:
    """Return the window that two options give; `now` in epoch seconds.

    Raises:
        UsageError: one of them is no time, or nothing lies between them.
    """
    begin = _read_time("--since", since, now)
    end = None if until is None else _read_time("--until", until, now)
    if begin > now * 1000:
        raise UsageError("--since lies in the future.")
    if end is not None and end <= begin:
        raise UsageError("--until must be later than --since.")
    return Window(begin, end)


def time_of(milliseconds: int) -> str:
    """Return epoch milliseconds as ISO 8601 in UTC."""
    return iso_time(_EPOCH + milliseconds * _MILLISECOND, "milliseconds")


def _read_time(option: str, text: str, now: float) -> int:
    if ago := _AGO.fullmatch(text):
        return max(0, int(now * 1000) - int(ago[1]) * _MILLISECONDS[ago[2]])
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} takes how long ago, such as 30m, 24h or 7d, or a date or time of ISO 8601,"
            " such as 2026-11-01 or 2026-11-01T08:30:00+01:00; what names no zone is UTC."
        ) from None
    return max(0, (moment - _EPOCH) // _MILLISECOND)
