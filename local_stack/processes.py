"""Servers in the background: recorded, found again, and ended by their own process id."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_START_SECONDS = 60
_STOP_SECONDS = 30

# This process's own children: they stay until they are waited for.
_STARTED: list[subprocess.Popen[bytes]] = []


class Process(NamedTuple):
    """A server, as its record names it."""

    pid: int
    port: int


def start(
    command: Sequence[str],
    port: int,
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    record: Path,
) -> Process:
    """Start a server that outlives this process, and record it."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _STARTED.append(child)
    process = Process(child.pid, port)
    record.write_text(json.dumps(process._asdict()))
    return process


def answers(process: Process, path: str) -> bool:
    """Wait for a server's answer; False if it ends first, or takes longer than a minute."""
    deadline = time.monotonic() + _START_SECONDS
    while is_alive(process.pid) and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{process.port}{path}", timeout=2):
                return True
        except OSError:
            time.sleep(0.1)
    return False


def recorded(record: Path) -> Process | None:
    """Return the server that was started last, running or not; None where none was."""
    try:
        return Process(**json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def running(record: Path, folder: Path) -> Process | None:
    """Return the recorded server where it still runs, in its folder."""
    process = recorded(record)
    # The process id may have gone to another program since, and the record may be a copy.
    try:
        is_it = process and Path(f"/proc/{process.pid}/cwd").readlink() == folder
    except OSError:
        return None
    return process if is_it else None


def is_alive(pid: int) -> bool:
    """Tell whether a process runs."""
    for process in _STARTED:
        if process.pid == pid:
            return process.poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end(pid: int) -> None:
    """Let a server write what it keeps and end, and wait for that."""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while is_alive(pid):
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            break
        time.sleep(0.1)


def free_port(*wanted: int) -> int:
    """Return the first of these ports of 127.0.0.1 that nobody has, else any such port."""
    for port in (*wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("There is no free port on 127.0.0.1.")
