"""What `make run` prints: each step with its time, as it ends."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME_WIDTH = 18


class Failure(RuntimeError):
    """The local stack did not do what it should; the text says what, and where to look."""


class Step:
    """A step that goes on; `told` is what its line says at its end."""

    told = ""


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print a step's name, time and outcome at its end; on a terminal its name at once."""
    going, begun = Step(), time.monotonic()
    if sys.stdout.isatty():
        print(f"  · {name} ...", end="\r", flush=True)
    mark = "✗"
    try:
        yield going
        mark = "✓"
    finally:
        seconds = f"{time.monotonic() - begun:.1f} s"
        print(f"  {mark} {name:<{_NAME_WIDTH}}{seconds:>8}  {going.told}".rstrip(), flush=True)
