"""A visit in WebKit, as on Apple's phones, without a camera: WebKitGTK finds none here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.browsers import webkit
from tests.page.patients import SCREENS, Patient

if TYPE_CHECKING:
    from tests.stack.visits import Visits

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    # selenium's own.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]

# By Chromium's DevTools alone.
_NOT_HERE = ("unsupported", "offline", "no-camera", "denied")


def test_webkit_shows_each_screen(record: Visits) -> None:
    """From the link to the end, in one window."""
    with webkit() as browser:
        for screen, lead in SCREENS.items():
            if screen not in _NOT_HERE:
                lead(Patient(record, browser))


def test_webkit_hears_the_end_of_a_call(record: Visits) -> None:
    """Within a second; a device without a camera joins all the same."""
    with webkit() as browser:
        patient = Patient(record, browser)
        patient.open("waiting")
        browser.press("test-devices")
        browser.until(lambda: browser.shows("[data-devices=none]"))
        patient.enter()
        for how in ("hang-up", "hang-up-navigate", "kick"):
            browser.wait_for_meeting()
            browser.press_in_frame(how)
            browser.wait_for("left", 1)
            browser.press("enter")
            browser.wait_for("call")
