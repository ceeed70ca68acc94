"""`python -m benchmarks.load.plot load.json load.svg`, in the environment that has matplotlib."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks import svg

_BLUE, _RED, _ORANGE, _YELLOW = "#1f4e79", "#8b1a1a", "#c2571a", "#b8901f"


def main() -> None:
    """Draw what was measured."""
    source, target = (Path(argument) for argument in sys.argv[1:])
    svg.save(lambda: draw(json.loads(source.read_text())), target)


def draw(load: dict[str, Any]) -> Figure:
    """Return throughput and latency over the number of callers."""
    steps, machine = load["steps"], load["machine"]
    callers = [step["callers"] for step in steps]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    figure.suptitle(
        f"The emulator on {machine['processors']} processors, {machine['date']}: not AWS's figures"
    )
    throughput, latency = figure.subplots(1, 2)
    throughput.plot(
        callers, [step["requests_per_second"] for step in steps], "o-", color=_BLUE, markersize=4
    )
    throughput.set(title="requests a second", ylim=(0, None))
    for name, color in (("p99", _RED), ("p95", _ORANGE), ("p50", _YELLOW)):
        values = [step[name] for step in steps]
        latency.plot(callers, values, "o-", color=color, markersize=4, label=name)
    lowest = 10 ** math.floor(math.log10(min(step["p50"] for step in steps)))
    latency.set(title="milliseconds to the answer", yscale="log", ylim=(lowest, None))
    latency.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    latency.set_yticks([], minor=True)
    latency.legend(frameon=False)
    for axes in (throughput, latency):
        axes.set(xlabel="callers at once", xscale="log", xticks=callers)
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    return figure


if __name__ == "__main__":
    main()
