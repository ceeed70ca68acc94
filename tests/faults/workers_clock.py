"""The clock that the functions see, which the tests let jump."""

from __future__ import annotations

import time
from pathlib import Path


class WorkersClock:
    """Seconds that every function's clock is ahead of this machine's; below 0: behind."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock-offset"
        self._offset = 0.0
        self.jump(0)

    @property
    def environment(self) -> dict[str, str]:
        """What the emulator hands on to its workers."""
        return {
            "PYTHONPATH": str(Path(__file__).parent / "worker"),
            "FAULTS_CLOCK_OFFSET_FILE": str(self._file),
        }

    def now(self) -> float:
        """Return the functions' time, in epoch seconds."""
        return time.time() + self._offset

    def jump(self, seconds: float) -> None:
        """Put the clocks forward, or back."""
        self._offset += seconds
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self._offset))
        fresh.replace(self._file)
