"""Calls that take turns, so that what slows the machine for a while slows all of them."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

BLOCKS = 20
# Of what takes hundreds of milliseconds, so many calls a block.
SELDOM = 2
_WARM_UP = 20


def take_turns(
    calls: Mapping[str, Callable[[], object]], *, times: int, seldom: Collection[str] = ()
) -> dict[str, list[float]]:
    """Make each call so many times, and return the median of each of its blocks, in microseconds.

    Args:
        calls: what to call, by name.
        times: how often; a multiple of BLOCKS.
        seldom: the names of what is called SELDOM times a block.
    """
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for name, call in calls.items():
        for _ in range(1 if name in seldom else _WARM_UP):
            call()
    for _ in range(BLOCKS):
        seconds = _block(calls, times // BLOCKS, seldom)
        for name, taken in seconds.items():
            medians[name].append(round(statistics.median(taken) * 1e6, 2))
    return medians


def _block(
    calls: Mapping[str, Callable[[], object]], times: int, seldom: Collection[str]
) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(times):
        for name, call in calls.items():
            if name in seldom and turn >= SELDOM:
                continue
            started = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - started)
    return seconds
