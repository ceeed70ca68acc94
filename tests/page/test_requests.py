"""What the page asks for, of whom, and what it gives away."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.page.patients import Patient

if TYPE_CHECKING:
    from tests.page.browsers import Browser
    from tests.stack.service import Service
    from tests.stack.visits import Visits

pytestmark = pytest.mark.stack

_MOST_BYTES = 60_000
_TOLD = ("Network.requestWillBeSent", "Network.requestWillBeSentExtraInfo")


def test_a_visit_asks_its_own_host_and_jitsis_frame_only(
    patient: Patient, browser: Browser, service: Service, jitsi: str
) -> None:
    """The link's secret is in the bodies of status and enter, and nowhere else."""
    patient.open("waiting")
    first = [_address(event) for event in browser.events(_TOLD[0])]
    patient.enter()
    browser.press("leave")
    browser.wait_for("left")
    browser.press("finish")
    browser.wait_for("finished")
    events = browser.events(*_TOLD)

    host, secret = urlsplit(service.stack.url).netloc, patient.link.partition("#")[2]
    assert [each.rpartition("/")[2] for each in first if each.startswith("http")] == ["", "status"]
    asked = [event for event in events if _address(event).startswith("http")]
    assert {urlsplit(_address(event)).netloc for event in asked} == {host, jitsi}
    with_secret = set()
    for event in events:
        request = event.get("request", {})
        body = request.pop("postData", "")
        request.pop("urlFragment", None)  # is not sent
        if secret in body:
            with_secret.add(_address(event).partition("/join/")[2])
        assert secret not in json.dumps([request, event.get("headers")])
        headers = {**request.get("headers", {}), **event.get("headers", {})}
        assert not any(headers.get(name) for name in ("Referer", "Cookie"))
    assert with_secret == {"status", "enter"}


def test_the_page_is_small(service: Service) -> None:
    """Uncompressed: a proxy may not compress it."""
    assert len(service.http.get("/join/").content) <= _MOST_BYTES


@pytest.mark.slow
def test_the_first_screen_comes_soon_on_a_slow_phone(record: Visits, browser: Browser) -> None:
    """Within two seconds, where the processor has a sixth of its speed."""
    patient = Patient(record, browser)
    browser.cdp("Emulation.setCPUThrottlingRate", rate=6)
    seconds = []
    for _ in range(3):
        browser.driver.get("about:blank")
        started = time.monotonic()
        browser.driver.get(patient.link)
        browser.wait_for("waiting")
        seconds.append(time.monotonic() - started)
    assert min(seconds) <= 2, seconds


def _address(event: dict[str, object]) -> str:
    request = event.get("request")
    return str(request["url"]) if isinstance(request, dict) else ""
