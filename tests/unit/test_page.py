"""The page as `sam build` makes it: what a browser needs to trust it, and its languages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens import visit_page
from tests.page_sources import SOURCES, build_page

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUES: dict[str, dict[str, str]] = {
    path.stem: json.loads(path.read_text()) for path in (SOURCES / "languages").glob("*.json")
}
# What patients read while the page knows no visit.
CONTACT = ("Call 144.", 'Rufen Sie <144> & "an".')


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Return a folder with the page."""
    build_page(tmp_path / "page.html")
    return tmp_path


def test_a_browser_runs_what_was_built_and_nothing_else(built: Path) -> None:
    """Hashes of the one script and the one style; no request but to the page's own host."""
    page = visit_page.read_page(built, "meet.example.org:8443")
    allowed = [part.split() for part in page.headers["Content-Security-Policy"].split("; ")]
    policy = {name: sources for name, *sources in allowed}

    shown = page.with_contact(CONTACT)
    for tag in ("script", "style"):
        [text] = re.findall(f"<{tag}>(.*?)</{tag}>", shown, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy.pop(f"{tag}-src") == [f"'sha256-{digest}'"]
    assert policy == {
        "default-src": ["'none'"],
        "img-src": ["data:"],
        "connect-src": ["'self'"],
        "frame-src": ["https://meet.example.org:8443"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    # The rest of the page is text: no handler, no style, no address of a file.
    assert not re.search(r"<\w[^>]*\s(on\w+|style|src|srcdoc)=", shown)
    assert len(shown.encode()) <= 60_000


def test_camera_and_microphone_are_for_the_page_and_jitsi_alone(built: Path) -> None:
    """By http on this machine, where a Jitsi has no certificate."""
    headers = visit_page.read_page(built, "localhost:8443").headers

    assert headers["Permissions-Policy"] == ", ".join(
        f'{feature}=(self "http://localhost:8443")'
        for feature in ("camera", "microphone", "display-capture", "screen-wake-lock")
    )
    assert "frame-src http://localhost:8443;" in headers["Content-Security-Policy"]
    assert (headers["Referrer-Policy"], headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_what_is_served_is_the_last_screen(built: Path) -> None:
    """Without a script it says whom to call, as the operator wrote it, and is no markup."""
    shown = visit_page.read_page(built, "meet.example.org").with_contact(CONTACT)

    main = re.findall(r'<main id="screen" data-screen="unsupported">.*?</main>', shown, re.DOTALL)
    assert main
    assert "too old for a video visit" in main[0]
    assert "<p>Call 144.</p><p>Rufen Sie &lt;144&gt; &amp; &quot;an&quot;.</p>" in main[0]


def test_a_page_without_its_parts_is_not_built(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Such as one whose script has another name."""
    folder = shutil.copytree(SOURCES, tmp_path / "page")
    (folder / "index.html").write_text("<script src=app.js></script>")

    with pytest.raises(subprocess.CalledProcessError):
        build_page(tmp_path / "page.html", folder)

    assert "index.html must have this once" in capfd.readouterr().err


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_a_language_is_complete(language: str) -> None:
    """Each sentence of the English, with the same values in it, and stars in pairs."""
    known, catalogue = CATALOGUES["en"], CATALOGUES[language]

    assert catalogue.keys() == known.keys()
    for key, text in catalogue.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", known[key]))
        assert text.count("*") % 2 == 0
        assert text.strip()


def test_each_sentence_is_used() -> None:
    """By its key, or as the title or the text of a screen."""
    script = (SOURCES / "page.js").read_text()
    for key in CATALOGUES["en"]:
        screen = re.fullmatch(r"([a-z-]+)\.(title|text)", key)
        names = (key, screen[1]) if screen else (key, key.rpartition(".")[2])
        assert any(f"'{name}'" in script or f".{name}" in script for name in names), key


def test_catalogues_are_no_markup(tmp_path: Path) -> None:
    """Whatever a translator writes."""
    folder = shutil.copytree(SOURCES, tmp_path / "page")
    text = "</script><script>"
    (folder / "languages" / "xx.json").write_text(json.dumps({"title": text}))

    build_page(tmp_path / "page.html", folder)

    page = (tmp_path / "page.html").read_text()
    [catalogues] = re.findall(r'id="languages">(.*?)</script>', page, re.DOTALL)
    assert json.loads(catalogues)["xx"] == {"title": text}
    assert page.count("<script") == 2
