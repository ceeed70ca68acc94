"""A visit, from the link to its end, as its patient sees it."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import pytest
from selenium.webdriver.common.keys import Keys

from local_stack import deployment
from tests.page.accessibility import spoken
from tests.page.browsers import chromium
from tests.page.patients import DAY, FAST, Patient
from tests.stack.visits import at, claims_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.page.browsers import Browser
    from tests.stack.service import Service
    from tests.stack.visits import Visits

pytestmark = pytest.mark.stack

_WRONG_CLOCK = """{
const Right = Date, late = %d * 3600000;
window.Date = new Proxy(Right, {
    construct: (_, given) => given.length ? new Right(...given) : new Right(Right.now() + late),
    apply: () => String(new Right(Right.now() + late)),
    get: (_, name) => name === "now" ? () => Right.now() + late : Right[name],
});
}"""
# A laptop whose lid was closed for an hour.
_SLEPT = "{const now = Date.now; Date.now = () => now() + 3600000;}"
_LANGUAGE = "return document.documentElement.lang"
_CHANGES: dict[str, Callable[[Patient], object]] = {
    "ready": Patient.join,
    "late": lambda patient: patient.call("PATCH", json={"delayMinutes": 20}),
    "early": lambda patient: patient.put(startsAt=at(21 * DAY)),
    "by-phone": lambda patient: patient.call("POST", "/end", json={"because": "by-phone"}),
    "over": lambda patient: patient.call("POST", "/end"),
    "cancelled": lambda patient: patient.call("DELETE"),
    "replaced": Patient.new_link,
}
_ENDS = {
    "messages": ["hang-up"],
    "navigation": ["hang-up-navigate"],
    "both": ["hang-up", "hang-up-navigate"],
    "kicked": ["kick"],
}
_LOCKS = """if (window.WakeLock) {
window.locks = [];
const request = WakeLock.prototype.request;
WakeLock.prototype.request = async function (...given) {
    locks.push(await request.apply(this, given));
    return locks[locks.length - 1];
};
}"""
_HELD = "return locks.filter(lock => !lock.released).length"


def test_the_opening_offers_join_whatever_the_device_thinks_the_time_is(
    record: Visits, browser: Browser
) -> None:
    """Within ten seconds, without a reload, with a clock two hours fast or slow."""
    patient = Patient(record, browser, startsAt=at(6), opensBeforeMinutes=0, admission="on-time")
    opens_at = record.get(patient.visit_id)["state"]["opensAt"]
    with contextlib.ExitStack() as tabs:
        opened = []
        for hours in (2, -2):
            tabs.enter_context(browser.own_tab())
            browser.before_each_page(_WRONG_CLOCK % hours)
            patient.open("soon")
            opened.append(browser.driver.current_window_handle)

        for tab in opened:
            browser.driver.switch_to.window(tab)
            browser.wait_for("ready", opens_at + 10 - time.time())

        assert time.time() > opens_at
        browser.press("enter")
        browser.wait_for("call")


def test_a_device_that_slept_shows_at_once_how_the_visit_is(
    patient: Patient, browser: Browser
) -> None:
    """Its timers slept too: the next question would have been minutes away."""
    patient.put(startsAt=at(1800))
    patient.open("soon")
    patient.join()

    browser.run(_SLEPT)

    browser.wait_for("ready")


def test_what_the_clinic_does_shows_within_one_question(record: Visits, browser: Browser) -> None:
    """The page asks each five seconds while the visit is open."""
    with contextlib.ExitStack() as tabs:
        waiting = {}
        for screen in _CHANGES:
            tabs.enter_context(browser.own_tab())
            patient = Patient(record, browser)
            patient.open("waiting")
            waiting[screen] = (browser.driver.current_window_handle, patient)
        for screen, (_, patient) in waiting.items():
            _CHANGES[screen](patient)
        deadline = time.time() + 5

        for screen, (tab, _) in waiting.items():
            browser.driver.switch_to.window(tab)
            browser.wait_for(screen, max(1, deadline - time.time()))
            assert browser.shows("[data-notice=moved]") == (screen == "early")


def test_a_change_is_announced_where_the_screen_stays(patient: Patient, browser: Browser) -> None:
    """A longer delay, and a new day: a screen reader says both."""
    browser.before_each_page(FAST)
    patient.call("PATCH", json={"delayMinutes": 15})
    patient.open("late")

    patient.call("PATCH", json={"delayMinutes": 25})
    _wait_until_told(browser, "25 minutes")
    for days in (21, 22):
        start = datetime.now(ZoneInfo("Europe/Vienna")) + timedelta(days=days)
        patient.put(startsAt=start.isoformat(timespec="seconds"))
        browser.run("dispatchEvent(new Event('online'))")  # asks at once
        _wait_until_told(browser, f"{start:%B} {start.day} ")


def test_the_display_stays_on_while_somebody_waits(patient: Patient, browser: Browser) -> None:
    """Until the end; a phone takes the lock away, and the page asks for it again."""
    browser.before_each_page(FAST + _LOCKS)
    patient.open("waiting")
    browser.until(lambda: browser.run(_HELD) == 1)
    browser.run("locks[0].release()")
    browser.until(lambda: browser.run(_HELD) == 0)

    browser.run("document.dispatchEvent(new Event('visibilitychange'))")

    browser.until(lambda: browser.run(_HELD) == 1)
    patient.call("POST", "/end")
    browser.wait_for("over")
    browser.until(lambda: browser.run(_HELD) == 0)


@pytest.mark.slow
def test_a_stack_that_redirects_leaves_the_page_for_jitsi(
    patient: Patient, browser: Browser, service: Service, jitsi: str
) -> None:
    """In this tab, where the way back leads to the visit."""
    ssm = deployment.client(service.emulator, "ssm")
    name = service.function("JoinVisit")["Environment"]["Variables"]["PAGE_PARAMETER"]
    before = ssm.get_parameter(Name=name)["Parameter"]["Value"]

    def set_page(value: str) -> None:
        ssm.put_parameter(Name=name, Value=value, Overwrite=True)
        service.replace_containers("JoinVisit")

    set_page(before.replace("embed", "redirect"))
    try:
        patient.join()
        patient.open("ready")
        browser.press("enter")
        browser.until(lambda: browser.shows("[data-verdict=accepted] [data-action=join]"))
        assert urlsplit(browser.driver.current_url).netloc == jitsi
        browser.driver.back()
        browser.wait_for("ready")
    finally:
        set_page(before)


def test_one_link_works_after_a_reload_and_on_a_second_device(
    patient: Patient, browser: Browser
) -> None:
    """All of them are the same person for Jitsi."""
    patient.enter()
    entered = [_claims(browser)]
    browser.driver.refresh()
    browser.wait_for("ready")
    browser.press("enter")
    browser.wait_for("call")
    entered.append(_claims(browser))
    with chromium() as phone:
        phone.open(patient.link)
        phone.wait_for("ready")
        phone.press("enter")
        phone.wait_for("call")
        entered.append(_claims(phone))

    assert len({claims["jti"] for claims in entered}) == 3
    assert len({(claims["room"], claims["context"]["user"]["id"]) for claims in entered}) == 1


@pytest.mark.parametrize("how", _ENDS)
def test_the_end_of_the_call_shows_within_a_second(
    patient: Patient, browser: Browser, how: str
) -> None:
    """However Jitsi tells it; the frame is gone, and the patient can join again."""
    patient.enter()
    browser.wait_for_meeting()

    browser.press_in_frame(*_ENDS[how])

    browser.wait_for("left", 1)
    assert not browser.shows("iframe")
    browser.press("enter")
    browser.wait_for("call")
    browser.wait_for_meeting()


def test_a_visit_that_is_opened_again_after_its_end_says_so(
    patient: Patient, browser: Browser
) -> None:
    """The patient reads neither that they left, nor that a visit that is over has a new time."""
    patient.open("waiting")
    patient.put(startsAt=at(200))
    patient.join()
    browser.wait_for("ready")
    browser.press("enter")
    browser.wait_for("call")
    patient.call("POST", "/end")
    browser.press("leave")
    browser.wait_for("over")
    assert not browser.shows("[data-notice=moved]")

    patient.join()
    browser.run("dispatchEvent(new Event('online'))")  # asks at once

    browser.wait_for("ready")
    assert "Dr. Novak has opened the room." in browser.text


def test_a_stranger_cannot_end_the_call(patient: Patient, browser: Browser) -> None:
    """Jitsi's messages are heard from its frame and its origin only."""
    patient.enter()
    browser.wait_for_meeting()

    browser.run(
        "for (const name of ['video-conference-left', 'video-ready-to-close'])"
        " postMessage(JSON.stringify({postis: true, scope: 'jitsi_meet_external_api_1',"
        " method: 'message', params: {type: 'event', data: {name}}}), '*')"
    )

    browser.press("leave")
    browser.wait_for("left")


def test_the_whole_visit_by_keyboard(
    patient: Patient, browser: Browser, pictures: Path | None
) -> None:
    """Each change puts the focus on the new heading, and what follows is a few tabs away."""
    heard = []

    def hear(screen: str) -> None:
        browser.wait_for(screen)
        assert _focused(browser) == "h1"
        heard.append(f"== {screen}\n{spoken(browser)}\n")

    browser.before_each_page(FAST)
    patient.open("waiting")
    hear("waiting")
    patient.join()
    hear("ready")
    for action, screen in (
        *(("enter", "call"), ("leave", "left"), ("enter", "call"), ("leave", "left")),
        ("finish", "finished"),
    ):
        heard.append(f"Tab, {_tab_to(browser, action)} times; Enter\n")
        browser.keys(Keys.ENTER)
        hear(screen)

    if pictures:
        (pictures / "heard.txt").write_text("\n".join(heard))
    assert "#" not in browser.driver.current_url
    browser.driver.back()
    assert "jtv_" not in browser.driver.current_url


def test_a_call_can_go_on_in_a_tab_of_its_own(
    patient: Patient, browser: Browser, jitsi: str
) -> None:
    """It leaves the frame, and is entered with a token of its own."""
    patient.enter()
    before = set(browser.driver.window_handles)

    browser.press("open-tab")

    browser.wait_for("left")
    [tab] = set(browser.driver.window_handles) - before
    page = browser.driver.current_window_handle
    browser.driver.switch_to.window(tab)
    browser.until(lambda: browser.shows("[data-verdict=accepted] [data-action=join]"))
    assert urlsplit(browser.driver.current_url).netloc == jitsi
    assert browser.run("return opener") is None
    browser.driver.close()
    browser.driver.switch_to.window(page)


def test_a_jitsi_that_forbids_the_frame_is_reached_in_a_tab(
    patient: Patient, browser: Browser, jitsi: str
) -> None:
    """No event tells: what says nothing for 20 seconds is offered otherwise."""
    browser.before_each_page(FAST)
    browser.cdp("Network.setBlockedURLs", urls=[f"*{jitsi}*"])
    patient.enter()

    browser.until(lambda: browser.shows("[data-notice=silent]"))

    assert browser.can("open-tab")
    browser.errors()  # of the stand-in, which has lost its script


def test_the_language_is_the_participants_and_can_be_changed(
    record: Visits, browser: Browser
) -> None:
    """Nothing of the choice is kept on the device."""
    person = {"participantId": "patient", "userName": "Anna", "language": "de-AT"}
    patient = Patient(record, browser, participants=[person])
    patient.open("waiting")
    assert browser.run(_LANGUAGE) == "de"

    browser.find("option[value=es]").click()
    browser.until(lambda: browser.run(_LANGUAGE) == "es")
    browser.driver.refresh()
    browser.wait_for("waiting")

    assert browser.run(_LANGUAGE) == "de"
    assert browser.run("return localStorage.length + sessionStorage.length") == 0
    assert browser.run("return document.cookie") == ""


def _wait_until_told(browser: Browser, words: str) -> None:
    """Wait until a screen reader is given these words."""
    told = "return document.querySelector('[role=status]').textContent"
    browser.until(lambda: words in browser.run(told), what=f"told {words}")


def _claims(browser: Browser) -> dict[str, Any]:
    address = unquote(browser.find("iframe#meeting").get_dom_attribute("src"))
    return claims_of(address.partition('jwt="')[2].partition('"')[0])


def _focused(browser: Browser) -> str:
    script = (
        "const {dataset, localName} = document.activeElement; return dataset.action || localName"
    )
    return str(browser.run(script))


def _tab_to(browser: Browser, action: str) -> int:
    for pressed in range(1, 10):
        browser.keys(Keys.TAB)
        if _focused(browser) == action:
            return pressed
    raise AssertionError(f"nine tabs do not lead to {action}")
