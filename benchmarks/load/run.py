"""One step of load: so many callers, for so long, counted by locust."""

from __future__ import annotations

import csv
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.measured import Step
from local_stack.emulator import LOCAL, ROOT

if TYPE_CHECKING:
    from pathlib import Path

_CALLERS = ROOT / "benchmarks" / "load" / "callers.py"
_TOKEN_NAMES = {"doctor", "patient"}
# To come to life and to end: what takes longer hangs.
_GRACE_SECONDS = 90


class LoadFailure(RuntimeError):
    """Locust did not come to an end; the text holds what it printed."""


class Run(NamedTuple):
    """So many callers at once, for so many seconds; `spawn_rate` of them begin in a second."""

    callers: int
    seconds: int
    spawn_rate: int | None = None


def ask(url: str, api_keys: dict[str, str], run: Run, results: Path) -> Step:
    """Ask a stack, and return what the callers saw.

    Args:
        url: the stack's address.
        api_keys: the variables of `callers.py`.
        run: how many callers, and for how long.
        results: a folder for what locust counts, by kind of call and by kind of error.

    Raises:
        LoadFailure: locust failed.
    """
    results.mkdir(parents=True, exist_ok=True)
    prefix = results / f"{run.callers}-callers"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST")}
    try:
        finished = subprocess.run(  # noqa: S603 - our own environment's
            [
                *(str(LOCAL / "load" / "bin" / "locust"), "--locustfile", str(_CALLERS)),
                *("--headless", "--only-summary", "--loglevel", "WARNING", "--host", url),
                *("--users", str(run.callers)),
                *("--spawn-rate", str(run.spawn_rate or run.callers)),
                *("--run-time", f"{run.seconds}s", "--stop-timeout", "30"),
                *("--exit-code-on-error", "0", "--csv", str(prefix)),
            ],
            cwd=ROOT,
            env={**inherited, **api_keys, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=run.seconds + _GRACE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LoadFailure("locust does not come to an end") from None
    if finished.returncode:
        raise LoadFailure(f"locust failed:\n{finished.stdout}")
    return read_step(prefix.with_name(f"{prefix.name}_stats.csv"), run.callers)


def read_step(statistics: Path, callers: int) -> Step:
    """Return a step as locust counted it."""
    with statistics.open(newline="") as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    everything = rows.pop("Aggregated")
    tokens = (float(row["Requests/s"]) for name, row in rows.items() if name in _TOKEN_NAMES)
    return Step(
        callers=callers,
        requests_per_second=round(float(everything["Requests/s"]), 1),
        tokens_per_second=round(sum(tokens), 1),
        p50=float(everything["50%"]),
        p95=float(everything["95%"]),
        p99=float(everything["99%"]),
        errors=int(everything["Failure Count"]),
        answer_bytes=round(float(rows["patient"]["Average Content Size"]))
        if "patient" in rows
        else 0,
    )
