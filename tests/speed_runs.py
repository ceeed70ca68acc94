"""Runs of `make bench` that are made up: what a test of them needs, and nothing measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measured import Containers, Handler, Machine, Round, Series, Speed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def container(init: float, peak: int = 0, *, duration: float = 0, first: float = 0) -> Round:
    """Return one container's round; times in milliseconds, memory in KiB."""
    return Round(
        init=init,
        first=first,
        p50=0,
        p95=0,
        p99=0,
        duration=duration,
        calls_per_second=0,
        peak=peak,
    )


def run(
    *,
    handlers: Mapping[str, Sequence[Round]] | None = None,
    warm: Sequence[Series] = (),
    others: Sequence[Series] = (),
    parts: Sequence[Series] = (),
    patterns: Sequence[Series] = (),
    packages: dict[str, int] | None = None,
) -> Speed:
    """Return a run of these handlers' rounds and of these series."""
    return Speed(
        machine=Machine("2026-01-01", 2),
        busy=False,
        containers=Containers(
            calls=0,
            handlers=[
                Handler(name, 0, 0, list(rounds)) for name, rounds in (handlers or {}).items()
            ],
            line_bytes=0,
            platform_bytes=0,
        ),
        warm=list(warm),
        others=list(others),
        parts=list(parts),
        patterns=list(patterns),
        clients=[],
        packages=packages or {},
    )
