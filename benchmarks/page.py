"""Pages of docs that hold figures: what stands between two marks is made here, and nowhere else.

<!-- begin load -->
…
<!-- end load -->
"""

from __future__ import annotations

import re
import statistics
from typing import TYPE_CHECKING

from benchmarks import measured
from benchmarks.growth.tables import cost, price_list, quota_list, rates
from benchmarks.growth.workload import deployed, figures
from benchmarks.markdown import table
from benchmarks.speed import tables
from local_stack.emulator import ROOT
from local_stack.template import read_template

if TYPE_CHECKING:
    from pathlib import Path

SCALING = ROOT / "docs" / "scaling.md"
PERFORMANCE = ROOT / "docs" / "performance.md"

# What a token takes, and a handler that does nothing.
_CAPACITY = ("an empty handler", "IssueToken, HS256", "IssueToken, RS256", "AuthorizeClient")
_SECTION = re.compile(r"<!-- begin ([a-z]+) -->\n.*?<!-- end \1 -->\n", re.DOTALL)


def sections() -> dict[Path, dict[str, str]]:
    """Return each section of each page by its name, as it is now."""
    load = measured.read(measured.Load, measured.LOAD)
    quiet, busy = (measured.read(measured.Speed, path) for path in (measured.QUIET, measured.BUSY))
    token, stack = figures(load, quiet.containers), deployed(read_template())
    return {
        SCALING: {
            "load": load_table(load),
            "capacity": capacity_table(quiet),
            "rates": rates(token),
            "cost": cost(token, stack),
            "prices": price_list(),
            "quotas": quota_list(token, stack),
        },
        PERFORMANCE: tables.sections(quiet, busy, stack.issue_gb),
    }


def rewritten(text: str, made: dict[str, str]) -> str:
    """Return a page with each of its sections made anew.

    Raises:
        KeyError: the page has a section that nobody makes.
    """
    return _SECTION.sub(
        lambda found: f"<!-- begin {found[1]} -->\n\n{made[found[1]]}\n\n<!-- end {found[1]} -->\n",
        text,
    )


def write() -> None:
    """Make the pages' sections anew."""
    for page, made in sections().items():
        page.write_text(rewritten(page.read_text(), made))


def load_table(load: measured.Load) -> str:
    """Return a run of load as a table."""
    return f"Measured on {_where(load.machine)}, {load.seconds} s a step.\n\n" + table(
        ["callers", "requests/s", "of these tokens/s", "p50", "p95", "p99", "errors"],
        (
            [
                str(step.callers),
                f"{step.requests_per_second:.0f}",
                f"{step.tokens_per_second:.0f}",
                *(f"{milliseconds:.0f} ms" for milliseconds in (step.p50, step.p95, step.p99)),
                str(step.errors),
            ]
            for step in load.steps
        ),
        texts=0,
    )


def capacity_table(speed: measured.Speed) -> str:
    """Return what one container of each handler that a token takes can do."""
    containers = speed.containers
    rounds = len(containers.handlers[0].rounds)
    return (
        f"Measured on {_where(speed.machine)}: medians of {rounds} containers,"
        f" {containers.calls:,} warm calls each.\n"
        f"A token leaves a line of {containers.line_bytes} bytes in the log; Lambda's own three"
        f" have {containers.platform_bytes}.\n\n"
    ) + table(
        ["", "calls/s", "p50", "in the runtime"],
        (
            [
                name,
                f"{statistics.median(turn.calls_per_second for turn in rounds):.0f}",
                f"{statistics.median(turn.p50 for turn in rounds):.1f} ms",
                f"{containers[name].duration:.1f} ms",
            ]
            for name in _CAPACITY
            for rounds in [containers[name].rounds]
        ),
    )


def _where(machine: measured.Machine) -> str:
    return f"{machine.date}, {machine.processors} processors"
