"""What a scenario has in its hands."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.stack.fault_proxy import AwsError, Slow

if TYPE_CHECKING:
    from tests.faults.askers import Askers
    from tests.faults.figures import Table
    from tests.stack.fault_proxy import Mode
    from tests.stack.own_emulator import Proxies
    from tests.stack.service import Service

SLOW = Slow(1.5)
# The ways in which a service of AWS fails. 3 s: longer than any function waits for an answer, and
# shorter than one waits that has nothing yet.
OUTAGES: dict[str, Mode] = {
    "too slow (3 s)": Slow(3),
    "HTTP 500": AwsError(500, "InternalServiceError"),
    "throttles": AwsError(400, "ThrottlingException"),
    "denies access": AwsError(400, "AccessDeniedException"),
    "refuses connections": "refuse",
    "silent": "silent",
}


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


class World(NamedTuple):
    """A deployed stack with its callers, and what can go wrong around it."""

    askers: Askers
    service: Service
    clock: WorkersClock
    proxies: Proxies
    table: Table
