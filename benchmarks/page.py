"""docs/scaling.md: what stands between two marks there is made here, and nowhere else.

<!-- begin load -->
…
<!-- end load -->
"""

from __future__ import annotations

import re

from benchmarks import measured
from benchmarks.growth.tables import cost, price_list, quota_list, rates
from benchmarks.growth.workload import deployed, figures
from benchmarks.markdown import table
from local_stack.emulator import ROOT
from local_stack.template import read_template

PAGE = ROOT / "docs" / "scaling.md"

_SECTION = re.compile(r"<!-- begin ([a-z]+) -->\n.*?<!-- end \1 -->\n", re.DOTALL)


def sections() -> dict[str, str]:
    """Return each section of the page by its name, as it is now."""
    load = measured.read(measured.Load, measured.LOAD)
    capacity = measured.read(measured.Capacity, measured.CAPACITY)
    token, stack = figures(load, capacity), deployed(read_template())
    return {
        "load": load_table(load),
        "capacity": capacity_table(capacity),
        "rates": rates(token),
        "cost": cost(token, stack),
        "prices": price_list(),
        "quotas": quota_list(token, stack),
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
    """Make the page's sections anew."""
    PAGE.write_text(rewritten(PAGE.read_text(), sections()))


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


def capacity_table(capacity: measured.Capacity) -> str:
    """Return a run of the handlers as a table."""
    return (
        f"Measured on {_where(capacity.machine)}: medians of {capacity.containers} containers,"
        f" {capacity.calls:,} warm calls each.\n"
        f"A token leaves a line of {capacity.line_bytes} bytes in the log; Lambda's own three have"
        f" {capacity.platform_bytes}.\n\n"
    ) + table(
        ["", "start", "first call", "calls/s", "p50", "p95", "p99", "in the runtime"],
        (
            [
                handler.name,
                f"{handler.init:.0f} ms",
                f"{handler.first:.0f} ms",
                f"{handler.calls_per_second:.0f}",
                *(f"{ms:.1f} ms" for ms in (handler.p50, handler.p95, handler.p99)),
                f"{handler.duration:.1f} ms",
            ]
            for handler in capacity.handlers
        ),
    )


def _where(machine: measured.Machine) -> str:
    return f"{machine.date}, {machine.processors} processors"
