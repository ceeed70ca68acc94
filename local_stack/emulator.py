"""MiniStack, the AWS emulator: started on loopback, found again, stopped by its own process id."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from local_stack import processes
from local_stack.steps import Failure

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
REGION = "us-east-1"

_USUAL_PORT = 4566


class Emulator(processes.Process):
    """A running emulator."""

    @property
    def endpoint(self) -> str:
        """The address of every AWS service."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return what the AWS tools need to speak to the emulator and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }


class Home(NamedTuple):
    """Where an emulator keeps what it has: one folder, so that several do not meet."""

    folder: Path

    @property
    def record(self) -> Path:
        """The file that names the running process."""
        return self.folder / "running.json"

    @property
    def log(self) -> Path:
        """What the emulator prints."""
        return self.folder / "emulator.log"


HOME = Home(LOCAL / "emulator-home")


def running(home: Home = HOME) -> Emulator | None:
    """Return the emulator that runs from this home; None when there is none."""
    found = processes.running(home.record, _working_folder(home))
    return found and Emulator(*found)


def start(
    home: Home = HOME,
    *,
    extra_environment: dict[str, str] | None = None,
    also_listen: str | None = None,
) -> Emulator:
    """Return the running emulator, starting it where there is none.

    It listens on loopback, and on `also_listen`, such as Docker's bridge. It enforces IAM, and
    keeps its data over a clean stop, with secrets in plain text: only the owner may read the
    folder.

    Raises:
        Failure: it does not answer.
    """
    if emulator := running(home):
        _wait_for(emulator, home)
        return emulator
    temporary = _working_folder(home)
    for folder in (home.folder, home.folder / "state", home.folder / "s3", temporary):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    port = processes.free_port(_USUAL_PORT)
    binaries = LOCAL / "emulator" / "bin"
    environment = {
        "PATH": f"{binaries}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home.folder / "state"),
        "S3_DATA_DIR": str(home.folder / "s3"),
        "IOT_MTLS_ENABLED": "0",  # else it listens on every interface too
        "SFTP_ENABLED": "0",
        **(extra_environment or {}),
    }
    addresses = ["127.0.0.1", also_listen] if also_listen else ["127.0.0.1"]
    process = processes.start(
        [
            *(str(binaries / "python"), "-m", "hypercorn", "ministack.app:app"),
            *(f"--bind={address}:{port}" for address in addresses),
            *("--log-level", "warning"),
        ],
        port,
        folder=temporary,
        environment=environment,
        log=home.log,
        record=home.record,
    )
    emulator = Emulator(*process)
    _wait_for(emulator, home)
    return emulator


def stop(home: Home = HOME) -> None:
    """Stop the emulator of this home if it runs, letting it write what it keeps."""
    if emulator := running(home):
        processes.end(emulator.pid)
    home.record.unlink(missing_ok=True)
    # Every worker unpacks the layer there and leaves it. One by one, some disks take minutes.
    workers = _working_folder(home).glob("ministack-lambda-*")
    with ThreadPoolExecutor(8) as pool:
        pool.map(lambda folder: shutil.rmtree(folder, ignore_errors=True), workers)
    shutil.rmtree(_working_folder(home), ignore_errors=True)


def _working_folder(home: Home) -> Path:
    return home.folder.resolve() / "tmp"


def _wait_for(emulator: Emulator, home: Home) -> None:
    if not processes.answers(emulator, "/_ministack/health"):
        raise Failure(f"The emulator does not answer. Run `make stop`, and see {home.log}.")
