"""`make load`: deploys a stack of its own, asks it with more and more callers, prints a table."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.emulator import running_emulator
from local_stack import deployment
from local_stack.emulator import LOCAL, ROOT
from tests.stack.service import Service

if TYPE_CHECKING:
    from pathlib import Path

_CALLERS = (1, 2, 4, 8, 16, 32, 64)
_SECONDS = 12
# To start and to end.
_GRACE_SECONDS = 90
_RESULTS = LOCAL / "load-results"
_ROOMS = ("--room", "visit-*")
# About how many workers the emulator can start in a second.
_SPAWN_RATE = 2


class Step(NamedTuple):
    """What so many callers at once were answered; times in milliseconds."""

    callers: int
    requests_per_second: float
    tokens_per_second: float
    p50: float
    p95: float
    p99: float
    errors: int


def main() -> int:
    """Measure; return 1 where an answer was wrong, or no token was issued."""
    shutil.rmtree(_RESULTS, ignore_errors=True)
    print("sam build")
    deployment.build()
    steps = []
    with running_emulator() as running:
        print("sam deploy --config-env local (self-hosted, RS256)")
        # Where the emulator's authorizer forgets a caller, every call of that moment starts a
        # worker, which stops the machine: so it remembers for an hour.
        stack = deployment.deploy(running, "self-hosted", "RS256", AuthorizerCacheSeconds="3600")
        service = Service(running, stack)
        service.rotate()
        service.check_key()
        api_keys = {
            "DOCTORS_API_KEY": service.add_client("doctors", *_ROOMS, "--moderator"),
            "PATIENTS_API_KEY": service.add_client("patients", *_ROOMS),
        }
        for callers in _CALLERS:
            print(f"{callers} callers for {_SECONDS} s, once the emulator has started its workers")
            warm_up = {"seconds": callers // _SPAWN_RATE + 5, "spawn_rate": _SPAWN_RATE}
            ask(stack.url, api_keys, _RESULTS / "warm-up", callers, **warm_up)
            steps.append(ask(stack.url, api_keys, _RESULTS, callers, seconds=_SECONDS))
    print("\n| callers | requests/s | tokens/s | p50, ms | p95, ms | p99, ms | errors |")
    print("|" + " ---: |" * len(Step._fields))
    for step in steps:
        print("| " + " | ".join(f"{value:.0f}" for value in step) + " |")
    print(f"by kind of call: {_RESULTS.relative_to(ROOT)}")
    return 0 if all(step.tokens_per_second and not step.errors for step in steps) else 1


def ask(
    url: str,
    environment: dict[str, str],
    results: Path,
    callers: int,
    *,
    seconds: int,
    spawn_rate: int | None = None,
) -> Step:
    """Ask a stack, and return what the callers saw.

    Args:
        url: the stack's address.
        environment: the variables of `callers.py`.
        results: a folder for what locust counts, by kind of call and of error.
        callers: how many at once.
        seconds: for how long at most.
        spawn_rate: how many of them start in a second; without it all at once.

    Raises:
        subprocess.SubprocessError: locust failed, or did not end; the results say why.
    """
    results.mkdir(parents=True, exist_ok=True)
    counted = results / f"{callers}-callers.json"
    with counted.with_suffix(".txt").open("w") as report:
        subprocess.run(  # noqa: S603 - our own environment's
            [
                *(str(LOCAL / "load" / "bin" / "locust"), "--headless", "--only-summary"),
                *("--locustfile", str(ROOT / "benchmarks" / "load" / "callers.py"), "--host", url),
                *("--users", str(callers), "--spawn-rate", str(spawn_rate or callers)),
                *("--run-time", f"{seconds}s", "--stop-timeout", "30"),
                *("--loglevel", "WARNING", "--exit-code-on-error", "0"),
            ],
            cwd=ROOT,
            env={**os.environ, **environment, "LOAD_STEP": str(counted), "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=subprocess.STDOUT,
            timeout=seconds + _GRACE_SECONDS,
            check=True,
        )
    return Step(callers, **json.loads(counted.read_text()))


if __name__ == "__main__":
    sys.exit(main())
