"""When an appointment takes place, as a token's time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_SECOND = dt.timedelta(seconds=1)
_EARLY = dt.timedelta(minutes=15)
_OVERRUN = dt.timedelta(minutes=30)
_LONGEST = dt.timedelta(days=31)
# PHP reads the first ten as abbreviations without daylight-saving time, and both clients must mean
# the same by a name. The others name no place.
_NO_PLACE = re.compile(
    r"(cet|eet|est|gmt\+0|gmt-0|hst|met|mst|uct|wet|factory|localtime|posixrules)\Z|posix/|right/"
)
# ZoneInfo alone would take dots or backslashes for slashes, and recurse into a long name.
_NAME = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


@dataclass(frozen=True)
class Appointment:
    """Its token works from `early` before the start until `overrun` after the planned end.

    Attributes:
        start: an aware datetime.
        duration: the planned length.
        early: how long before the start the user may enter.
        overrun: how long after the planned end the user may still enter.

    Raises:
        ValueError: the start is naive or before 1970, or a length is negative or over 31 days.
    """

    start: dt.datetime
    duration: dt.timedelta
    early: dt.timedelta = _EARLY
    overrun: dt.timedelta = _OVERRUN

    def __post_init__(self) -> None:
        if self.start.utcoffset() is None:
            raise ValueError("start must be an aware datetime: give it a time zone.")
        if self.start < _EPOCH:
            raise ValueError("start must be in the years 1970 to 9999 (UTC).")
        for name in ("duration", "early", "overrun"):
            if getattr(self, name) < dt.timedelta():
                raise ValueError(f"{name} must not be negative.")
            if getattr(self, name) > _LONGEST:
                raise ValueError(f"{name} must be at most 31 days.")

    @classmethod
    def local(  # noqa: PLR0917 - the last two are seldom given
        cls,
        date: dt.date,
        time: dt.time,
        time_zone: str,
        duration: dt.timedelta,
        early: dt.timedelta = _EARLY,
        overrun: dt.timedelta = _OVERRUN,
    ) -> Appointment:
        """Return the appointment at a date and time of day in a time zone.

        The zone is a tz database name of a place, "Europe/Berlin", or "UTC"; case does not matter.
        Where daylight-saving time skips the time, 02:30 means 03:30; where the time comes twice,
        the first is meant (RFC 5545, 3.3.5).

        Raises:
            ValueError: the zone is no place, the time has a zone of its own, a length is negative.
        """
        if time.tzinfo is not None:
            raise ValueError("time must be naive: its zone is time_zone.")
        zone = _zone(time_zone)
        if zone is None:
            raise ValueError(
                f"time_zone {time_zone!r} is not a place: use one such as Europe/Berlin, or UTC."
            )
        start = dt.datetime.combine(date, time.replace(fold=0), zone)
        return cls(start, duration, early, overrun)

    @property
    def not_before(self) -> int:
        """When the token begins, in epoch seconds."""
        return (self.start - _EPOCH) // _SECOND - self.early // _SECOND

    @property
    def expiration_seconds(self) -> int:
        """How long the token works, from `not_before` on."""
        return sum(part // _SECOND for part in (self.early, self.duration, self.overrun))


def _zone(name: str) -> ZoneInfo | None:
    if not _NAME.fullmatch(name) or _NO_PLACE.match(name.lower()):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        # Not as it is written there: listing all names takes a tenth of a second.
        listed = _listed().get(name.lower())
        return None if listed is None else ZoneInfo(listed)


@cache
def _listed() -> dict[str, str]:
    # By their names in lower case.
    return {name.lower(): name for name in available_timezones()}
