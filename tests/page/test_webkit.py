"""A visit in WebKit, as on Apple's phones: all but the camera, which WebKitGTK has none of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.browsers import webkit
from tests.page.patients import SCREENS, Patient

if TYPE_CHECKING:
    from tests.stack.visits import Visits

pytestmark = [pytest.mark.stack, pytest.mark.slow]

# By Chromium's DevTools alone.
_NOT_HERE = ("unsupported", "offline", "no-camera", "denied")


# selenium's own.
@pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning")
def test_webkit_shows_each_screen(record: Visits) -> None:
    """From the link to the end, in one window."""
    with webkit() as browser:
        for screen, lead in SCREENS.items():
            if screen not in _NOT_HERE:
                lead(Patient(record, browser))
