"""An AWS emulator for the benchmarks alone."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from local_stack import emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator


@contextlib.contextmanager
def running_emulator() -> Iterator[Emulator]:
    """Run an emulator that starts empty, and leave nothing of it."""
    home = emulator.Home(emulator.LOCAL / "benchmark-home")
    emulator.stop(home)
    shutil.rmtree(home.folder, ignore_errors=True)
    try:
        yield emulator.start(home)
    finally:
        emulator.stop(home)
        shutil.rmtree(home.folder, ignore_errors=True)
