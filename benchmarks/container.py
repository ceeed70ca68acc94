"""One container of a function, under AWS's Lambda Runtime Interface Emulator without Docker.

SAM CLI ships that emulator. Like Lambda, it starts the runtime at the first call, gives it one call
at a time, and logs how long each took.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from local_stack.emulator import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PROGRAM = "lib/python3.13/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64"
_PATH = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 30
_CALL_SECONDS = 60


class ContainerFailure(RuntimeError):
    """The container does not answer as it should; the text says where to look."""


class Container:
    """Runs the handler of `<folder>/app.py`.

    Args:
        folder: what Lambda has at /var/task.
        layers: what else is on the path, built.
        environment: the function's variables, and where AWS is.
        log: a file for what the container prints.

    Its Python has the runtime and nothing else, which shows what the layer lacks. As on Lambda,
    Python cannot write bytecode: it compiles what comes without.
    """

    def __init__(
        self, folder: Path, layers: Iterable[Path], environment: Mapping[str, str], log: Path
    ) -> None:
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": ":".join(str(path) for path in (folder, *layers)),
            **environment,
        }
        self._log = log

    def __enter__(self) -> Self:
        port, runtime_port = _free_ports()
        command = [
            str(LOCAL / "sam" / _PROGRAM),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
            *(str(LOCAL / "runtime" / "bin" / "python"), "-m", "awslambdaric", "app.handler"),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - SAM CLI's
                command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_CALL_SECONDS)
        try:
            self._wait()
        except ContainerFailure:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        # The runtime is a child of the emulator, in the same group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def call(self, event: Mapping[str, Any]) -> Any:
        """Call the handler, and return its answer."""
        self._connection.request("POST", _PATH, json.dumps(event))
        return json.loads(self._connection.getresponse().read())

    def peak_kib(self) -> int:
        """Return the most memory that the runtime has used so far, in KiB (proc(5), VmHWM)."""
        # The emulator is written in Go: any of its threads may have started the runtime.
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/children")
        [runtime] = " ".join(children.read_text() for children in threads).split()
        status = Path(f"/proc/{runtime}/status").read_text()
        return int(re.findall(r"VmHWM:\s+([0-9]+) kB", status)[0])

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                self._connection.connect()
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ContainerFailure(f"the Runtime Interface Emulator: see {self._log}")
            time.sleep(0.02)


def read_times(log: str) -> tuple[float, list[float]]:
    """Return how long a container's start and each of its calls took, in milliseconds.

    Raises:
        ContainerFailure: the handler did not start, or not once.
    """
    starts = re.findall(r"INIT RTDONE\(status: (\w+)\)", log)
    inits = re.findall(r"INIT REPORT\(durationMs: ([0-9.]+)\)", log)
    if starts != ["success"] or len(inits) != 1:
        raise ContainerFailure("the handler did not start, or not once")
    durations = re.findall(r"INVOKE RTDONE\(.*duration: ([0-9.]+)ms\)", log)
    return float(inits[0]), [float(found) for found in durations]


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
