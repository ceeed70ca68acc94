"""`python -m benchmarks.speed.plots speed.json docs`, in the environment that has matplotlib."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks import svg

_PARTS = {
    "parse": "#1f4e79",
    "policy": "#4a86b8",
    "claims": "#9cc3e0",
    "sign": "#8b1a1a",
    "line": "#b8901f",
    "response": "#dcc583",
}
_OURS, _THEIRS, _FIRST = "#1f4e79", "#9a9a9a", "#b8901f"


def main() -> None:
    """Draw what was measured."""
    speed, docs = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    svg.save(lambda: anatomy(speed), docs / "anatomy.svg")
    svg.save(lambda: cold_starts(speed), docs / "cold-starts.svg")


def anatomy(speed: dict[str, Any]) -> Figure:
    """Return a request's parts, for a key that costs nothing and for the dearest."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    figure.suptitle("Where a warm request's time goes, in microseconds")
    shown = [series for series in speed["parts"] if series["title"] in ("HS256", "RSA-4096")]
    for axes, series in zip(figure.subplots(2, 1), shown, strict=True):
        left = 0.0
        for name, color in _PARTS.items():
            width = statistics.median(series["blocks"][name])
            axes.barh(0, width, left=left, color=color, label=name)
            left += width
        axes.set(yticks=[0], yticklabels=[series["title"]], xlim=(0, left * 1.02))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return figure


def cold_starts(speed: dict[str, Any]) -> Figure:
    """Return each handler's start, and its first call behind it."""
    handlers = list(reversed(speed["containers"]["handlers"]))
    figure = Figure(figsize=(8, 0.32 * len(handlers) + 1.2), layout="constrained")
    figure.suptitle(
        "Cold starts: the start (line: from least to most), and the first call behind it"
    )
    axes = figure.subplots()
    for place, handler in enumerate(handlers):
        inits = [turn["init"] for turn in handler["rounds"]]
        init = statistics.median(inits)
        first = statistics.median(turn["first"] for turn in handler["rounds"])
        ours = not handler["name"].startswith(("an empty", "a client", "Powertools"))
        spread = [[init - min(inits)], [max(inits) - init]]
        axes.barh(place, init, color=_OURS if ours else _THEIRS, xerr=spread, ecolor="#444444")
        axes.barh(place, first, left=init, color=_FIRST)
    names = [handler["name"] for handler in handlers]
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="milliseconds")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    return figure


if __name__ == "__main__":
    main()
