"""The pages as a site, as `make docs` left it."""

from __future__ import annotations

import functools
import threading
from collections import Counter
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.page.accessibility import barriers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.page.browsers import Browser

_ROOT = Path(__file__).parents[2]
_SITE = _ROOT / ".local/site"
_SOURCES = sorted(
    path.relative_to(_ROOT)
    for pattern in ("*.md", "docs/*.md", "clients/*/README.md")
    for path in _ROOT.glob(pattern)
)


class _Blocks(HTMLParser):
    """How many lists, rows and blocks of code there are in a page's text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(html.partition("<article")[2].partition("</article>")[0] or html)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag in {"ul", "ol", "li", "tr", "pre", "blockquote"}:
            self.found[tag] += 1


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=_SITE)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("page", ["index.html", "docs/visits.html", "docs/openapi.html"])
def test_a_page_keeps_nobody_out_and_asks_no_other_host(
    browser: Browser, site: str, page: str
) -> None:
    """On a phone in the dark, and on a desktop."""
    for width, scheme in ((400, "dark"), (1280, "light")):
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        browser.cdp("Emulation.setDeviceMetricsOverride", **size)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.cdp("Emulation.setEmulatedMedia", features=[feature])
        browser.open(f"{site}{page}")
        browser.until(lambda: not browser.shows("pre.mermaid"), what="a drawn diagram")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert barriers(browser) == []

    answers = [each["response"] for each in browser.events("Network.responseReceived")]
    answered = [each for each in answers if each["url"].startswith("http")]
    assert {urlsplit(each["url"]).netloc for each in answered} == {urlsplit(site).netloc}
    assert [each["url"] for each in answered if each["status"] not in {200, 304}] == []


@pytest.mark.parametrize("source", _SOURCES, ids=str)
def test_a_page_has_the_lists_and_tables_that_github_shows(source: Path) -> None:
    """MkDocs parses Markdown differently: a list on GitHub can become plain text."""
    made = _SITE / source.parent / ("index" if source.stem == "README" else source.stem)
    on_github = MarkdownIt().enable("table").render((_ROOT / source).read_text())

    assert _Blocks(made.with_suffix(".html").read_text()).found == _Blocks(on_github).found
