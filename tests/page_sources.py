"""The page's sources, and the file that `sam build` makes of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "functions" / "join_visit" / "page"


def built_page(folder: Path = SOURCES) -> str:
    """Return the page, made of the sources in a folder."""
    spec = importlib.util.spec_from_file_location("build", SOURCES / "build.py")
    assert spec
    assert spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    page: str = build.page(folder)
    return page
