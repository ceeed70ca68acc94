"""Each screen of the page: what all have in common, in each language, and nobody is kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.page.accessibility import barriers
from tests.page.patients import CONTACT, SCREENS, UNKNOWN, Patient

if TYPE_CHECKING:
    from pathlib import Path

    from tests.page.browsers import Browser

pytestmark = pytest.mark.stack

_WIDTHS = (360, 1280)
# WCAG asks for 24 by 24 at least; a finger wants 44.
_SMALL = """
return [...document.querySelectorAll("button, select, input, a[data-action]")].filter(each => {
    const {width, height} = each.getBoundingClientRect();
    return height && (height < 44 || width < 44);
}).map(each => each.outerHTML)
"""
# Numbers whose beginning is under something else.
_COVERED = """
return [...document.querySelectorAll("a[href^=tel]")].filter(each => {
    const {left, top, height} = each.getBoundingClientRect();
    const found = document.elementFromPoint(left + 2, top + height / 2);
    return height && found && !each.contains(found);
}).map(each => each.outerHTML)
"""
# A language from right to left: English in Hebrew letters, added before the page's script reads
# its catalogues.
_HEBREW = """
new MutationObserver((_, observer) => {
    const block = document.getElementById("languages");
    let all;
    try { all = JSON.parse(block.textContent); } catch { return; }
    observer.disconnect();
    const letters = text => text.replace(/\\{\\w+\\}|[a-z]/gi, found => found.length > 1 ? found
        : String.fromCharCode(0x5d0 + found.charCodeAt() % 27));
    all.he = {};
    for (const key in all.en) all.he[key] = key === "dir" ? "rtl" : letters(all.en[key]);
    block.textContent = JSON.stringify(all);
}).observe(document, {childList: true, subtree: true});
"""


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen(patient: Patient, browser: Browser, screen: str, pictures: Path | None) -> None:
    """It begins with whom the visit is with, ends with a number, and fits a small phone."""
    browser.before_each_page(_HEBREW)
    SCREENS[screen](patient)

    assert "112" in browser.text or CONTACT["phone"] in browser.text
    if screen not in UNKNOWN:
        assert screen == "call" or browser.text.startswith(CONTACT["name"])
        assert browser.shows("a[href^='tel:']")
        assert screen == "call" or browser.shows("footer a[href='https://novak.example/privacy']")
    if screen != "unsupported":
        assert browser.run("return document.activeElement === document.querySelector('h1')")
    assert browser.run(_SMALL) == []
    for language in _languages(browser):
        if language:
            browser.find(f"option[value={language}]").click()
            assert browser.run("return document.dir") == ("rtl" if language == "he" else "ltr")
        for width in _WIDTHS if pictures else _WIDTHS[:1]:  # what fits a phone fits more
            _resize(browser, width)
            assert browser.run("return document.documentElement.scrollWidth") <= width
            if pictures:
                # The focus that comes from choosing a language is nobody's.
                browser.run("document.activeElement.blur()")
                name = f"{screen}-{language or 'as-it-is'}-{width}.png"
                browser.driver.save_screenshot(str(pictures / name))
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.cdp("Emulation.setEmulatedMedia", features=[feature])
        assert barriers(browser) == []


@pytest.mark.parametrize("screen", ["waiting", "call"])
def test_a_long_number_fits_and_is_dialled_as_it_is_meant(
    patient: Patient, browser: Browser, screen: str
) -> None:
    """On a small phone, with a long name of a clinic before it; `(0)` is for calls at home."""
    phone = "+43 (0)1 2345678 Anmeldung und Auskunft"
    patient.put(contact={"name": "Gemeinschaftspraxis " * 5, "phone": phone})
    SCREENS[screen](patient)

    for width in (320, 640):
        _resize(browser, width)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(_COVERED) == []
    assert browser.find("a[href^=tel]").get_dom_attribute("href") == "tel:+4312345678"


def _languages(browser: Browser) -> list[str]:
    """Return those of the page's list; an empty one where a screen has no list."""
    if not browser.shows("select"):
        return [""]
    options = browser.driver.find_elements(By.CSS_SELECTOR, "option")
    languages = [str(option.get_dom_attribute("value")) for option in options]
    assert languages[-1] == "he"
    return languages


def _resize(browser: Browser, width: int) -> None:
    size = {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": False}
    browser.cdp("Emulation.setDeviceMetricsOverride", **size)
