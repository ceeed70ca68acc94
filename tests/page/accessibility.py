"""What keeps people out of a page, as axe finds it, and the page in a screen reader's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.npm import package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.page.browsers import Browser

# A frame is another site's: Jitsi's own business.
_RUN = """
const done = arguments[arguments.length - 1];
axe.run({exclude: ["iframe"]}, {iframes: false, resultTypes: ["violations"]}).then(
    ({violations}) => done(violations.map(
        ({id, help, nodes}) => `${id}: ${help}: ${nodes.map(node => node.html).join(" ")}`)),
    error => done([String(error)]))
"""
_NOTHING: dict[str, Any] = {"childIds": [], "ignored": True}
_PASSED_ON = {"none", "generic", "InlineTextBox", "strong", "LabelText", "MenuListPopup"}
_OF_WORDS = {"paragraph", "status"}
_BY_NAME = {"heading", "link", "button", "option", "Iframe"}
_STATES = {"focused", "disabled", "selected"}


def barriers(browser: Browser) -> list[str]:
    """Return what axe finds wrong in a page."""
    browser.run((package("axe-core") / "axe.min.js").read_text())
    return list(browser.driver.execute_async_script(_RUN))


def spoken(browser: Browser) -> str:
    """Return the page as Chromium hands it to screen readers, a line an element."""
    nodes = {each["nodeId"]: each for each in browser.cdp("Accessibility.getFullAXTree")["nodes"]}

    def lines(node: dict[str, Any]) -> Iterator[str]:
        role, name = (node.get(key, {}).get("value", "") for key in ("role", "name"))
        below = [line for each in node["childIds"] for line in lines(nodes.get(each, _NOTHING))]
        if role == "StaticText":
            yield name
        elif node["ignored"] or role in _PASSED_ON:
            yield from below
        elif role in _OF_WORDS:
            yield f"{role}: {' '.join(map(str.strip, below))}"
        else:
            states = (
                each["name"]
                for each in node.get("properties", [])
                if each["name"] in _STATES and each["value"].get("value") is True
            )
            yield ", ".join((f"{role}: {name}" if name else role, *states))
            if role not in _BY_NAME:
                yield from (f"  {line}" for line in below)

    return "\n".join(lines(next(iter(nodes.values()))))
