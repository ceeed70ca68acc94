"""Real browsers, and a page in them as a person sees it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service as ChromeDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from selenium.webdriver.webkitgtk.service import Service as WebKitDriver

from tests.clients.php_caller import leave_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver.remote.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

# A browser asks its maker for this and that, which no test may wait for. Root has no sandbox.
_SWITCHES = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-fake-device-for-media-stream", "--lang=en-US", "--window-size=1280,1024"),
)
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 10


class Browser:
    """A browser, and what a person does in it.

    Attributes:
        driver: selenium's own.
    """

    def __init__(self, driver: WebDriver) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Open an address; one that differs in its fragment alone is loaded too."""
        self.driver.get("about:blank")
        self.driver.get(address)

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page, and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def cdp(self, command: str, **parameters: Any) -> dict[str, Any]:
        """Give Chromium a command of its DevTools protocol."""
        chrome = cast("webdriver.Chrome", self.driver)
        return dict(chrome.execute_cdp_cmd(command, parameters))

    def before_each_page(self, script: str) -> None:
        """Run a script in this tab before a page's own."""
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)

    def may_use_camera(self, answer: str) -> None:
        """Have Chromium give this answer whenever a page asks for camera or microphone."""
        for name in ("camera", "microphone"):
            self.cdp("Browser.setPermission", permission={"name": name}, setting=answer)

    @property
    def screen(self) -> str:
        """The name of the screen."""
        return str(self.run("return document.querySelector('#screen')?.dataset.screen"))

    @property
    def text(self) -> str:
        """What the page says, without its frame."""
        return str(self.run("return document.body.innerText"))

    def wait_for(self, screen: str, within: float = _SECONDS) -> None:
        """Wait until this screen shows."""
        self.until(lambda: self.screen == screen, within, f"the screen {screen}")

    def until(self, holds: Callable[[], Any], within: float = _SECONDS, what: str = "it") -> None:
        """Wait until something holds."""
        try:
            WebDriverWait(self.driver, within, 0.05).until(lambda _: holds())
        except TimeoutException:
            found = f"{self.screen}: {self.text}"
            raise AssertionError(f"within {within} s not {what}, but {found}") from None

    def find(self, selector: str) -> WebElement:
        """Return the one element of the page that a CSS selector finds."""
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def shows(self, selector: str) -> bool:
        """Tell whether such an element can be seen."""
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return any(each.is_displayed() for each in found)

    def can(self, action: str) -> bool:
        """Tell whether the page offers an action."""
        return self.shows(f"[data-action={action}]:enabled, a[data-action={action}]")

    def press(self, action: str) -> None:
        """Press what has this action."""
        self.find(f"[data-action={action}]").click()

    def wait_for_meeting(self) -> None:
        """Wait until Jitsi's stand-in is in the meeting, in the frame."""
        self.driver.switch_to.frame(self.find("iframe#meeting"))
        self.until(lambda: self.shows("[data-action=hang-up]"))
        self.driver.switch_to.default_content()

    def press_in_frame(self, *actions: str) -> None:
        """Press what is in the frame, all in one go; the frame may be gone then."""
        self.driver.switch_to.frame(self.find("iframe#meeting"))
        self.run(
            "setTimeout(() => { for (const action of arguments)"
            " document.querySelector(`[data-action=${action}]`).click(); })",
            *actions,
        )
        self.driver.switch_to.default_content()

    def keys(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def events(self, *methods: str) -> list[dict[str, Any]]:
        """Return what Chromium has told of its network since the last call, oldest first."""
        messages = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return [each["params"] for each in messages if each["method"] in methods]

    def errors(self) -> list[str]:
        """Return what the page has left on the console since the last call, but answers' codes."""
        return [
            entry["message"]
            for entry in self._log("browser")
            if entry["level"] == "SEVERE" and entry["source"] != "network"
        ]

    def _log(self, name: str) -> list[dict[str, Any]]:
        chrome: Any = self.driver  # selenium has no types for this
        return list(chrome.get_log(name))

    @contextlib.contextmanager
    def own_tab(self) -> Iterator[Browser]:
        """Open a tab whose settings and scripts end with it."""
        before = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        tab = self.driver.current_window_handle
        try:
            yield self
        finally:
            self.driver.switch_to.window(tab)
            self.driver.close()
            self.driver.switch_to.window(before)


@contextlib.contextmanager
def chromium(*switches: str) -> Iterator[Browser]:
    """Run whichever Chromium is found, with a profile of its own.

    It has a camera and a microphone, and asks before it gives them.
    """
    binary = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        leave_out("Chromium is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for switch in (*_SWITCHES, *switches, f"--user-data-dir={profile}"):
            options.add_argument(switch)
        running = webdriver.Chrome(options, ChromeDriver(driver))
        try:
            yield Browser(running)
        finally:
            running.quit()


@contextlib.contextmanager
def webkit() -> Iterator[Browser]:
    """Run WebKitGTK's browser, on a display of its own."""
    driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    binary = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None)
    if not binary or not driver or not display:
        leave_out("WebKitGTK is not installed: apt-get install webkit2gtk-driver xvfb")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(binary)
    options.add_argument("--automation")
    reading, writing = os.pipe()
    with subprocess.Popen(  # noqa: S603 - Debian's own
        [display, "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    ) as server:
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        try:
            environment = {**os.environ, "DISPLAY": f":{number}"}
            running = webdriver.WebKitGTK(options, service=WebKitDriver(driver, env=environment))
            try:
                yield Browser(running)
            finally:
                running.quit()
        finally:
            server.terminate()
