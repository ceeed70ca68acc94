"""The stand-in of a stack in the background, until `make stop`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from local_stack import processes
from local_stack.emulator import LOCAL, ROOT
from local_stack.steps import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

# .local may be a link, and a process's working folder is none.
_FOLDER = (LOCAL / "jitsi").resolve()
_USUAL_PORT = 4570


def port_of(stack_name: str) -> int:
    """Return the port of a stack's stand-in, which it keeps as long as nobody else has it."""
    folder = _FOLDER / stack_name
    if found := processes.running(_record(folder), folder):
        return found.port
    before = processes.recorded(_record(folder))
    return processes.free_port(*([before.port] if before else []), _USUAL_PORT)


def start(emulator: Emulator, stack: Stack, port: int) -> None:
    """Start a stack's stand-in. One that runs is replaced: it may be of older code.

    Raises:
        Failure: it does not answer.
    """
    folder = _FOLDER / stack.name
    _end(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = folder / "stand-in.log"
    process = processes.start(
        [sys.executable, "-m", "local_stack.jitsi", "--port", str(port)],
        port,
        folder=folder,
        environment={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "JITSI_TOKENS_STACK_NAME": stack.name,
            "JITSI_TOKENS_URL": stack.url,
            **emulator.environment(),
        },
        log=log,
        record=_record(folder),
    )
    if not processes.answers(process, "/"):
        raise Failure(f"Jitsi's stand-in does not answer: see {log}")


def stop() -> None:
    """Stop the stand-ins of all stacks. Their ports are remembered."""
    for folder in _FOLDER.glob("*"):
        _end(folder)


def _record(folder: Path) -> Path:
    return folder / "running.json"


def _end(folder: Path) -> None:
    if found := processes.running(_record(folder), folder):
        processes.end(found.pid)
