"""Plots as SVG, in the environment that has matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

# Text as text; and the same bytes for the same figures.
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "jitsi-tokens",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def save(draw: Callable[[], Figure], target: Path) -> None:
    """Draw a figure in the style of all plots, and write it."""
    with mpl.rc_context(_STYLE):
        draw().savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    # matplotlib ends lines with spaces.
    lines = [line.rstrip() for line in target.read_text().splitlines()]
    target.write_text("\n".join(lines) + "\n")
