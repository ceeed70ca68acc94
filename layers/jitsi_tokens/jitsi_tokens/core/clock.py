"""A clock, handed in where the time is read or let pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(NamedTuple):
    """The time, in epoch seconds, and a way to let some pass."""

    now: Callable[[], float]
    sleep: Callable[[float], None]
