"""An emulator of the benchmarks' own, and stacks on it that are ready to be asked."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from local_stack import deployment, emulator
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator


@contextlib.contextmanager
def running_emulator() -> Iterator[Emulator]:
    """Run an emulator that begins empty, and leave nothing of it."""
    home = emulator.Home(emulator.LOCAL / "benchmark-home")
    emulator.stop(home)
    shutil.rmtree(home.folder, ignore_errors=True)
    try:
        yield emulator.start(home)
    finally:
        emulator.stop(home)
        shutil.rmtree(home.folder, ignore_errors=True)


def deploy(running: Emulator, algorithm: str) -> Service:
    """Deploy a self-hosted stack that signs; `HS256` or `RS256`.

    Where the emulator's authorizer forgets a caller, each call of that moment starts a worker,
    which stops the machine and is nothing of ours: it remembers for an hour here.
    """
    stack = deployment.deploy(running, "self-hosted", algorithm, AuthorizerCacheSeconds="3600")
    service = Service(running, stack)
    if stack.publishes_keys:
        service.rotate()
    service.check_key()
    return service
