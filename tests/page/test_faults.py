"""What goes wrong on a patient's side, and between: the page says so, and Join stays."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from local_stack.api import STAGE
from tests.page.browsers import chromium
from tests.page.patients import CONTACT, FAST, NO_ANSWER, NO_CAMERA, Patient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.page.browsers import Browser
    from tests.stack.fault_proxy import FaultProxy
    from tests.stack.service import Service
    from tests.stack.visits import Visits

pytestmark = pytest.mark.stack

_NEEDED = ["fetch", "AbortController", "Intl", "Element.prototype.replaceChildren"]


@pytest.mark.parametrize("outcome", ["ok", "denied", "hanging", "blocked"])
def test_the_device_check_keeps_nobody_out(
    patient: Patient, browser: Browser, outcome: str
) -> None:
    """It says what is wrong, and Join is offered all the same."""
    browser.may_use_camera("denied" if outcome == "denied" else "granted")
    browser.before_each_page(FAST + {"blocked": NO_CAMERA, "hanging": NO_ANSWER}.get(outcome, ""))

    _check_devices(patient, outcome)
    patient.join()

    browser.wait_for("ready")
    expected = "Join now" if outcome == "ok" else "Join anyway"
    browser.until(lambda: browser.find("[data-action=enter]").text == expected)


def test_a_device_without_a_camera_can_join(record: Visits) -> None:
    """A real browser without camera and microphone."""
    with chromium("--use-fake-device-for-media-stream=device-count=0") as browser:
        browser.before_each_page(FAST)
        patient = Patient(record, browser)
        _check_devices(patient, "none")
        patient.join()
        browser.wait_for("ready")
        browser.press("enter")
        browser.wait_for("call")


def _check_devices(patient: Patient, outcome: str) -> None:
    browser = patient.browser
    patient.open("waiting")
    browser.press("test-devices")
    browser.until(lambda: browser.shows(f"[data-devices={outcome}]"), what=outcome)
    assert browser.can("copy-link") == (outcome in {"hanging", "blocked"})


@contextlib.contextmanager
def _offline(browser: Browser, _service: Service, _dynamodb: FaultProxy) -> Iterator[None]:
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.cdp("Network.emulateNetworkConditions", offline=True, **line)
    try:
        yield
    finally:
        browser.cdp("Network.emulateNetworkConditions", offline=False, **line)


@contextlib.contextmanager
def _unavailable(_browser: Browser, _service: Service, dynamodb: FaultProxy) -> Iterator[None]:
    dynamodb.switch("refuse")
    try:
        yield
    finally:
        dynamodb.switch("through")


@contextlib.contextmanager
def _throttled(_browser: Browser, service: Service, _dynamodb: FaultProxy) -> Iterator[None]:
    gateway = deployment.client(service.emulator, "apigateway")

    def limit(rate: str) -> None:
        gateway.update_stage(
            restApiId=service.stack.outputs["ApiId"],
            stageName=STAGE,
            patchOperations=[
                {"op": "replace", "path": f"/~1join~1{route}/POST/throttling/{name}", "value": rate}
                for route in ("status", "enter")
                for name in ("rateLimit", "burstLimit")
            ],
        )

    limit("0")
    try:
        yield
    finally:
        limit("100")


FAULTS = {"offline": _offline, "503": _unavailable, "429": _throttled}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_that_gets_no_answer_goes_on_by_itself(
    patient: Patient, browser: Browser, service: Service, dynamodb: FaultProxy, fault: str
) -> None:
    """It says that it has no connection, and whom to call."""
    browser.before_each_page(FAST)
    patient.open("waiting")
    with FAULTS[fault](browser, service, dynamodb):
        browser.wait_for("offline")
        assert CONTACT["phone"] in browser.text
    browser.wait_for("waiting")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_button_that_gets_no_answer_can_be_pressed_again(
    patient: Patient, browser: Browser, service: Service, dynamodb: FaultProxy, fault: str
) -> None:
    """The page tries it again for some seconds first."""
    browser.before_each_page(FAST)
    patient.join()
    patient.open("ready")
    with FAULTS[fault](browser, service, dynamodb):
        browser.press("enter")
        failed = "[data-notice=enter-failed], [data-screen=offline]"
        browser.until(lambda: browser.shows(failed), what="that it failed")
        assert CONTACT["phone"] in browser.text
    browser.wait_for("ready")
    browser.press("enter")
    browser.wait_for("call")


def test_a_call_outlasts_the_connection_of_its_page(
    patient: Patient, browser: Browser, service: Service, dynamodb: FaultProxy
) -> None:
    """Jitsi has a connection of its own; the frame stays when status fails."""
    browser.before_each_page(FAST)
    patient.enter()
    with _unavailable(browser, service, dynamodb):
        browser.events()
        browser.until(lambda: len(_answers(browser, 503)) > 0)
        assert browser.screen == "call"
    browser.press("leave")
    browser.wait_for("left")


def test_an_address_that_a_mail_program_has_encoded(patient: Patient, browser: Browser) -> None:
    """`%23` means `#`; a link without its end can be pasted, broken over two lines too."""
    for encoded in ("%23", "?source=mail&to=%23"):
        browser.open(patient.link.replace("#", encoded))
        browser.wait_for("waiting")
        assert browser.driver.current_url == patient.link

    for broken in ("", " ", "= ", " > ", "\u200b"):
        browser.open(patient.link.partition("#")[0])
        browser.wait_for("incomplete")
        browser.find("input").send_keys(f"  {patient.link[:-9]}{broken}{patient.link[-9:]}\n")
        browser.wait_for("waiting")


@pytest.mark.parametrize("feature", _NEEDED)
def test_an_old_browser_is_told_so(patient: Patient, browser: Browser, feature: str) -> None:
    """The page as served says it, with a number."""
    browser.before_each_page(f"delete {feature}")

    patient.open("unsupported")

    assert "112" in browser.text


def _answers(browser: Browser, status: int) -> list[str]:
    events = browser.events("Network.responseReceived")
    return [event["response"]["url"] for event in events if event["response"]["status"] == status]
