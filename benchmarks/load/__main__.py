"""`make load`: deploys a stack of its own, and asks it with more and more callers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from benchmarks import measured, page, stack
from benchmarks.load.run import Run, ask
from local_stack import deployment
from local_stack.demonstration import say
from local_stack.emulator import LOCAL, ROOT

CALLERS = (1, 2, 4, 8, 16, 32, 64)
_RESULTS = LOCAL / "load-results"
_ROOMS = ("--room", "visit-*")
# What the emulator can start in a second, or nearly so, of workers for further callers.
_SPAWN_RATE = 2
_SETTLE_SECONDS = 5


def main() -> int:
    """Measure, and write docs/scaling.md and docs/load.svg anew."""
    seconds = int(os.environ.get("LOAD_SECONDS", "12"))
    shutil.rmtree(_RESULTS, ignore_errors=True)
    say("sam build")
    deployment.build()
    steps = []
    with stack.running_emulator() as running:
        say("sam deploy --config-env local (self-hosted, RS256)")
        service = stack.deploy(running, "RS256")
        api_keys = {
            "DOCTORS_API_KEY": service.add_client("doctors", *_ROOMS, "--moderator"),
            "PATIENTS_API_KEY": service.add_client("patients", *_ROOMS),
        }
        for callers in CALLERS:
            say(f"{callers} callers for {seconds} s, once the emulator has started its workers")
            warm_up = Run(callers, callers // _SPAWN_RATE + _SETTLE_SECONDS, _SPAWN_RATE)
            ask(service.stack.url, api_keys, warm_up, _RESULTS / "warm-up")
            steps.append(ask(service.stack.url, api_keys, Run(callers, seconds), _RESULTS))
            print(steps[-1], flush=True)
    measured.write(measured.Load(measured.this_machine(), seconds, steps), measured.LOAD)
    shutil.copy(measured.LOAD, LOCAL / "load.json")
    _plot()
    page.write()
    print(page.sections()[page.SCALING]["load"])
    errors = sum(step.errors for step in steps)
    say(f"{errors} errors; by kind of call: {_RESULTS.relative_to(ROOT)}")
    return 1 if errors else 0


def _plot() -> None:
    python = LOCAL / "load" / "bin" / "python"
    picture = ROOT / "docs" / "load.svg"
    command = [str(python), "-m", "benchmarks.load.plot", str(measured.LOAD), str(picture)]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own environment's


if __name__ == "__main__":
    sys.exit(main())
