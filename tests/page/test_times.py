"""The time of a visit, in its own zone and on the patient's device, where clocks change."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.page.patients import Patient

if TYPE_CHECKING:
    from tests.page.browsers import Browser
    from tests.stack.visits import Visits

pytestmark = pytest.mark.stack

# Where the visit is, and where the device.
_ZONES = [
    ("Europe/Vienna", "Europe/Vienna"),
    ("Europe/Vienna", "America/New_York"),
    ("America/New_York", "Asia/Kolkata"),
]


def _changes(place: str) -> list[datetime]:
    """Return when its clocks change next, in the 400 days that a visit can be ahead."""
    zone = ZoneInfo(place)
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    hours = [first + timedelta(hours=hour) for hour in range(24 * 380)]
    offsets = [hour.astimezone(zone).utcoffset() for hour in hours]
    return [
        hour for hour, old, new in zip(hours[1:], offsets, offsets[1:], strict=False) if old != new
    ]


@pytest.mark.parametrize(("place", "device"), _ZONES)
def test_a_time_is_right_where_clocks_change(
    record: Visits, browser: Browser, place: str, device: str
) -> None:
    """An hour before and an hour after; the device's own time beside it where it is another."""
    browser.cdp("Emulation.setTimezoneOverride", timezoneId=device)
    person = {"participantId": "patient", "userName": "Anna", "language": "en-GB"}
    patient = Patient(record, browser, participants=[person])
    for change in _changes(place):
        for start in (change - timedelta(hours=1), change + timedelta(hours=1)):
            patient.put(startsAt=start.isoformat(), timeZone=place, participants=[person])
            patient.open("early")
            there, here = (start.astimezone(ZoneInfo(zone)) for zone in (place, device))
            times = [there] if there.utcoffset() == here.utcoffset() else [there, here]
            text = browser.find("main").text
            assert re.findall(r"\d+:\d\d", text) == [f"{each:%-H:%M}" for each in times], text
            assert re.search(f"{there:%A},? {there.day} {there:%B}", text), text
