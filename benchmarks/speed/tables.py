"""A run of `make bench`, and another on a busy machine, as tables in Markdown."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.markdown import table
from benchmarks.speed.bounds import AT_LEAST, MOST
from benchmarks.speed.meaning import meaning
from benchmarks.speed.ratios import ratios
from benchmarks.speed.warm import ENCODE, HANDLER, PEER, PEM, SCRIPT, SIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.measured import Handler, Round, Series, Speed
    from benchmarks.speed.ratios import Ratio

_MEGABYTE = 1_000_000


def sections(quiet: Speed, busy: Speed, issue_gb: float) -> dict[str, str]:
    """Return the page's sections by name; `issue_gb` is what IssueToken is given."""
    return {
        "machine": machine(quiet, busy),
        "ratios": all_ratios(quiet, busy),
        "starts": starts(quiet),
        "warm": warm(quiet),
        "others": others(quiet),
        "parts": parts(quiet),
        "clients": clients(quiet),
        "patterns": patterns(quiet),
        "packages": packages(quiet),
        "meaning": meaning(quiet, issue_gb),
    }


def machine(quiet: Speed, busy: Speed) -> str:
    """Return where and how both runs were made."""
    rounds = len(quiet.containers.handlers[0].rounds)
    return (
        f"Measured on {quiet.machine.date} with {quiet.machine.processors} processors:"
        f" {rounds} containers of each handler by turns,\n"
        f"{quiet.containers.calls} warm calls in each; {quiet.warm[0].calls:,} calls within one"
        f" process, forty of what parses a PEM.\nThe busy run, on {busy.machine.date}: the same"
        f" beside {busy.machine.processors} processes that never rest."
    )


def all_ratios(quiet: Speed, busy: Speed) -> str:
    """Return every ratio of both runs, and whether they agree."""
    found, again = ratios(quiet), ratios(busy)
    return table(
        ["ratio", "bound", "quiet", "busy", "agree"],
        (
            [name, _bound(name), one.text, *_again(one, again.get(name))]
            for name, one in found.items()
        ),
    )


def starts(speed: Speed) -> str:
    """Return all handlers, in containers of their own."""

    def row(handler: Handler) -> list[str]:
        def median(value: Callable[[Round], float]) -> float:
            return statistics.median(map(value, handler.rounds))

        return [
            handler.name,
            f"{handler.init:.0f}",
            f"{median(lambda turn: turn.first):.1f}",
            f"{median(lambda turn: turn.p50):.1f}",
            f"{median(lambda turn: turn.p95):.1f}",
            f"{median(lambda turn: turn.p99):.1f}",
            f"{handler.duration:.2f}",
            f"{handler.peak / 1024:.0f}",
            f"{handler.function_bytes / 1000:.1f}",
            f"{handler.layer_bytes / _MEGABYTE:.1f}",
        ]

    return table(
        [
            "",
            "start, ms",
            "first call, ms",
            "p50, ms",
            "p95, ms",
            "p99, ms",
            "in the runtime, ms",
            "peak, MiB",
            "function, kB",
            "layer, MB",
        ],
        map(row, speed.containers.handlers),
    )


def warm(speed: Speed) -> str:
    """Return a warm request beside its signature, in microseconds."""
    return _of_keys(speed.warm, (HANDLER, SIGN, ENCODE))


def others(speed: Speed) -> str:
    """Return a warm request beside what else one could run, in microseconds."""
    return _of_keys(speed.others, (HANDLER, PEER, SCRIPT, PEM))


def parts(speed: Speed) -> str:
    """Return the handler's parts by key, in microseconds."""
    names = [name for name in speed.parts[0].blocks if name not in (HANDLER, SIGN)]

    def rest(series: Series) -> str:
        known = sum(statistics.median(series.blocks[name]) for name in names)
        return f"{statistics.median(series.blocks[HANDLER]) - known:.0f}"

    return table(
        ["key", *names, "the rest", HANDLER],
        (
            [
                series.title,
                *(_microseconds(series, name) for name in names),
                rest(series),
                _microseconds(series, HANDLER),
            ]
            for series in speed.parts
        ),
    )


def clients(speed: Speed) -> str:
    """Return the authorizer by the number of clients."""
    return table(
        ["clients in the table", "calls of DynamoDB", "the authorizer, ms"],
        (
            [f"{one.clients:,}", f"{one.reads:g}", f"{statistics.median(one.blocks) / 1000:.2f}"]
            for one in speed.clients
        ),
        texts=0,
    )


def patterns(speed: Speed) -> str:
    """Return the handler by the number of room patterns, in microseconds."""
    counts = list(speed.patterns[0].blocks)
    return table(
        ["room patterns", *counts],
        (
            [series.title, *(_microseconds(series, count) for count in counts)]
            for series in speed.patterns
        ),
    )


def packages(speed: Speed) -> str:
    """Return what the layer holds."""
    named = [*speed.packages.items()]
    rest = [size for _, size in named if size < _MEGABYTE / 10]
    rows = [[name, f"{size / _MEGABYTE:.1f}"] for name, size in named if size >= _MEGABYTE / 10]
    return table(
        ["package, with its bytecode", "MB"],
        [
            *rows,
            [f"{len(rest)} more", f"{sum(rest) / _MEGABYTE:.1f}"],
            ["all", f"{sum(speed.packages.values()) / _MEGABYTE:.1f}"],
        ],
    )


def _of_keys(every: Sequence[Series], names: Sequence[str]) -> str:
    return table(
        ["key", *names],
        ([series.title, *(_microseconds(series, name) for name in names)] for series in every),
    )


def _bound(name: str) -> str:
    if name in AT_LEAST:
        return f"≥ {AT_LEAST[name]:g}"
    return f"≤ {MOST[name].target:g}" if name in MOST else ""


def _again(one: Ratio, other: Ratio | None) -> tuple[str, str]:
    # What was renamed or added since is not in the other run yet.
    if other is None:
        return "", ""
    return other.text, "yes" if one.low <= other.high and other.low <= one.high else "no"


def _microseconds(series: Series, name: str) -> str:
    values: Sequence[float] = series.blocks.get(name, ())
    return f"{statistics.median(values):,.0f}" if values else ""
