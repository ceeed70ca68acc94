"""The stand-in of a stack in the background, until `make stop`."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from typing import TYPE_CHECKING

from local_stack import processes
from local_stack.emulator import LOCAL, ROOT, EmulatorFailure

if TYPE_CHECKING:
    from pathlib import Path

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

_FOLDER = LOCAL / "jitsi"
_USUAL_PORT = 4570
_START_SECONDS = 30


def port_of(stack_name: str) -> int:
    """Return the port of a stack's stand-in, which it keeps as long as nobody else has it."""
    folder = _folder(stack_name)
    if found := processes.running(_record(folder), folder):
        return found.port
    before = processes.recorded(_record(folder))
    return processes.free_port(*([before.port] if before else []), _USUAL_PORT)


def start(emulator: Emulator, stack: Stack, port: int) -> None:
    """Start a stack's stand-in, in place of one that runs: that may be of older code.

    Raises:
        EmulatorFailure: it does not answer.
    """
    folder = _folder(stack.name)
    _end(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "JITSI_TOKENS_STACK_NAME": stack.name,
        "JITSI_TOKENS_URL": stack.url,
        **emulator.environment(),
    }
    command = [sys.executable, "-m", "local_stack.jitsi", "--port", str(port)]
    log = folder / "stand-in.log"
    with log.open("wb") as output:
        process = processes.Process(processes.spawn(command, folder, environment, output), port)
    _record(folder).write_text(json.dumps(process._asdict()))
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if not processes.is_alive(process.pid) or time.monotonic() > deadline:
            raise EmulatorFailure(f"Jitsi's stand-in does not answer: see {log}")
        time.sleep(0.1)


def stop() -> None:
    """Stop the stand-ins of all stacks. Their ports are remembered."""
    for record in _FOLDER.glob("*/running.json"):
        _end(record.parent)


def _folder(stack_name: str) -> Path:
    return _FOLDER.resolve() / stack_name


def _record(folder: Path) -> Path:
    return folder / "running.json"


def _end(folder: Path) -> None:
    if found := processes.running(_record(folder), folder.resolve()):
        processes.end(found.pid)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return True
    except OSError:
        return False
