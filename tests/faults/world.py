"""What a scenario has in its hands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.askers import Askers
    from tests.faults.table import Table
    from tests.faults.workers_clock import WorkersClock
    from tests.stack.own_emulator import Proxies
    from tests.stack.service import Service


class World(NamedTuple):
    """A deployed stack with its callers, and what can go wrong around it."""

    askers: Askers
    service: Service
    clock: WorkersClock
    proxies: Proxies
    table: Table
