"""The waiting room of a busy morning: nobody sees an error."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.page.patients import Patient

if TYPE_CHECKING:
    from tests.page.browsers import Browser
    from tests.stack.visits import Visits

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_TABS = 10
_OTHERS = 190
_AT_ONCE = 10
_SECONDS = 120
_SCREENS = """
window.screens = new Set();
new MutationObserver(() => screens.add(document.getElementById("screen").dataset.screen)).observe(
    document, {subtree: true, attributes: true, attributeFilter: ["data-screen"]});
"""


def test_two_hundred_wait_for_two_minutes(record: Visits, browser: Browser) -> None:
    """Ten of them in a browser; the others ask as a page does. Then the doctor comes."""
    others = [Patient(record, browser).link.partition("#")[2] for _ in range(_OTHERS)]
    answers: list[int] = []
    over = threading.Event()

    def ask(links: list[str]) -> None:
        while not over.is_set():
            next_at = time.monotonic() + 5
            answers.extend(record.status(link, 1).status_code for link in links)
            over.wait(max(0, next_at - time.monotonic()))

    with contextlib.ExitStack() as opened, ThreadPoolExecutor(_AT_ONCE) as callers:
        opened.callback(over.set)
        crowd = [callers.submit(ask, others[first::_AT_ONCE]) for first in range(_AT_ONCE)]
        browser.until(lambda: len(answers) > _OTHERS, _SECONDS)
        tabs = []
        for _ in range(_TABS):
            opened.enter_context(browser.own_tab())
            browser.before_each_page(_SCREENS)
            patient = Patient(record, browser)
            patient.open("waiting")
            tabs.append((browser.driver.current_window_handle, patient))
        over.wait(_SECONDS)
        for _, patient in tabs:
            patient.join()
        for tab, _ in tabs:
            browser.driver.switch_to.window(tab)
            browser.wait_for("ready")
            assert set(browser.run("return [...screens]")) <= {"loading", "waiting", "ready"}
        over.set()
        for each in crowd:
            each.result()
    assert set(answers) == {200}
    assert len(answers) > _OTHERS * _SECONDS / 10
