"""An application whose page holds `<JitsiMeeting>`, and the page as a person sees it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.clients.npm import NODE_MODULES, package
from tests.clients.test_nextjs import node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.page.browsers import Browser

_HERE = Path(__file__).parent
# A wait of up to 20 seconds is over at once, by the page's clock too; the limit of an attempt is
# left as it is. `waited`: the waits so far; `waiting`: all that is still to come; `signals`: one
# for each request.
_WATCHED = """
    if (window === top) {
        Object.assign(window, { waited: [], waiting: new Map(), signals: [] });
        const [set, clear, send, now] = [setTimeout, clearTimeout, fetch, performance.now];
        let skipped = 0;
        performance.now = () => now.call(performance) + skipped;
        window.setTimeout = (call, wait) => {
            const isWait = wait !== 12000;
            const isShort = isWait && wait <= 20000;
            if (isWait) waited.push(wait);
            const over = () => { waiting.delete(timer); skipped += isShort && wait; call(); };
            const timer = set(over, isShort ? 0 : wait);
            waiting.set(timer, over);
            return timer;
        };
        window.clearTimeout = timer => { waiting.delete(timer); clear(timer); };
        window.fetch = (route, sent) => { signals.push(sent.signal); return send(route, sent); };
    }
"""


def bundle(folder: Path) -> Path:
    """Build the page's script, as an application under development has it."""
    built = folder / "app.js"
    esbuild = package("@esbuild/linux-x64") / "bin/esbuild"
    subprocess.run(  # noqa: S603 - pinned by its checksum
        [
            *(esbuild, _HERE / "next_page.js", f"--outfile={built}", "--bundle"),
            *("--define:process.env.NODE_ENV='development'", "--log-level=warning"),
        ],
        env={"NODE_PATH": str(NODE_MODULES)},
        check=True,
    )
    return built


@contextlib.contextmanager
def running(script: Path, service: str, api_key: str) -> Iterator[str]:
    """Run the application before a service; yield its address."""
    environment = {"JITSI_TOKENS_URL": service, "JITSI_TOKENS_API_KEY": api_key}
    with subprocess.Popen(  # noqa: S603 - our own application
        [node(), _HERE / "next_app.mjs", script],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


class Meeting:
    """The page as a person sees it.

    Attributes:
        browser: its browser.
    """

    def __init__(self, browser: Browser, application: str) -> None:
        self.browser = browser
        self._application = application

    def open(self, user: str = "john", **properties: Any) -> None:
        """Open the page as this user, with these properties of the meeting."""
        self.browser.before_each_page(_WATCHED)
        given = {"roomName": "session-123"} | properties
        query = urlencode({"user": user, "properties": json.dumps(given)})
        self.browser.open(f"{self._application}/?{query}")

    def reads(self, words: str) -> None:
        """Wait until the page says this."""
        self.browser.until(lambda: words in self.browser.text, what=words)

    def press(self) -> None:
        """Press the page's one button."""
        self.browser.find(".jitsi-meeting button").click()

    def expire(self) -> None:
        """End every wait and every limit that is under way."""
        self.browser.run("for (const [timer, over] of waiting) { clearTimeout(timer); over(); }")

    @contextlib.contextmanager
    def in_jitsi(self) -> Iterator[Browser]:
        """Look into the frame, which shows what Jitsi makes of the token."""
        self.browser.until(lambda: self.browser.shows("iframe"), what="in the meeting")
        driver = self.browser.driver
        driver.switch_to.frame(self.browser.find("iframe"))
        self.browser.until(lambda: self.browser.shows("[data-verdict]"))
        yield self.browser
        driver.switch_to.default_content()

    @property
    def waits(self) -> list[float]:
        """The milliseconds between attempts, so far."""
        return list(self.browser.run("return waited"))
