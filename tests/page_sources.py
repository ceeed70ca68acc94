"""The page's sources, and the file that `sam build` makes of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCES = Path(__file__).parents[1] / "functions" / "join_visit" / "page"


def build_page(file: Path, sources: Path = SOURCES) -> None:
    """Make the page of the sources in a folder, as functions/join_visit/Makefile does."""
    subprocess.run([sys.executable, sources / "build.py", file], check=True)  # noqa: S603 - ours
