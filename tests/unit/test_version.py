"""One version: of the service, of its document, and of what calls it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def test_the_packages_have_it() -> None:
    """What pip and npm get."""
    python = tomllib.loads((ROOT / "clients" / "python" / "pyproject.toml").read_text())
    node = json.loads((ROOT / "clients" / "nextjs" / "package.json").read_text())

    assert python["project"]["version"] == node["version"] == VERSION


@pytest.mark.parametrize("language", ["php", "python", "nextjs"])
def test_each_caller_says_it(language: str) -> None:
    """In the header User-Agent."""
    sources = "".join(
        file.read_text()
        for suffix in ("php", "py", "js")
        for file in (ROOT / "clients" / language).rglob(f"*.{suffix}")
    )

    assert re.findall(rf"jitsi-tokens-{language}/([0-9.]+)", sources) == [VERSION]
