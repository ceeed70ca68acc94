"""`make load`: deploys a stack of its own and prints two tables: callers, and pages that wait."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from typing import Any

from benchmarks.emulator import running_emulator
from local_stack import deployment
from local_stack.emulator import LOCAL, ROOT
from tests.stack.service import Service
from tests.stack.visits import DOCTOR, Visits, links_of

_CALLERS = (1, 2, 4, 8, 16, 32, 64)
_SECONDS = 12
# To start and to end.
_GRACE_SECONDS = 90
_RESULTS = LOCAL / "load-results"
_ROOMS = ("--room", "visit-*")
# About how many workers the emulator can start in a second.
_SPAWN_RATE = 2
_VISITS, _PATIENTS = 20, 10
# Once all pages are there.
_OPENING_SECONDS = 120
_PROMISED_SECONDS = 10


def main() -> int:
    """Measure; return 1 where an answer was wrong or late, or nobody got a token."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("part", nargs="?", choices=_PARTS, help="only one of the tables")
    part = parser.parse_args().part
    shutil.rmtree(_RESULTS, ignore_errors=True)
    _RESULTS.mkdir()
    print("sam build")
    deployment.build()
    with running_emulator() as running:
        print("sam deploy --config-env local (self-hosted, RS256)")
        # Where the emulator's authorizer forgets a caller, every call of that moment starts a
        # worker, which stops the machine: so it remembers for an hour.
        stack = deployment.deploy(running, "self-hosted", "RS256", AuthorizerCacheSeconds="3600")
        service = Service(running, stack)
        service.rotate()
        service.check_key()
        good = [_PARTS[each](service) for each in ([part] if part else _PARTS)]
    print(f"by kind of call: {_RESULTS.relative_to(ROOT)}")
    return 0 if all(good) else 1


def _callers(service: Service) -> bool:
    environment = {
        "DOCTORS_API_KEY": service.add_client("doctors", *_ROOMS, "--moderator"),
        "PATIENTS_API_KEY": service.add_client("patients", *_ROOMS),
    }
    rows = {}
    for callers in _CALLERS:
        print(f"{callers} callers for {_SECONDS} s, once the emulator has started its workers")
        for name, spawn_rate, seconds in (
            ("warm-up", _SPAWN_RATE, callers // _SPAWN_RATE + 5),
            ("callers", callers, _SECONDS),
        ):
            rows[callers] = _run_locust(  # the last one counts
                *("callers.py", service.stack.url, environment, f"{callers}-{name}"),
                *("--users", str(callers), "--spawn-rate", str(spawn_rate)),
                seconds=seconds,
            )
    print("\n| callers | requests/s | tokens/s | p50, ms | p95, ms | p99, ms | errors |")
    print("|" + " ---: |" * 7)
    for callers, row in rows.items():
        print(f"| {callers} | " + " | ".join(f"{value:.0f}" for value in row.values()) + " |")
    return all(row["tokens_per_second"] and not row["errors"] for row in rows.values())


def _pages(service: Service) -> bool:
    api_key = service.add_client("record", "--visits", "--moderator")
    record = Visits(service, api_key, "record")
    guests = [{"participantId": f"p-{n}", "userName": "Patient"} for n in range(_PATIENTS)]
    links = {
        visit: list(links_of(record.put(visit, participants=[DOCTOR, *guests])).values())
        for visit in (f"visit-{n}" for n in range(_VISITS))
    }
    pages = _VISITS * _PATIENTS
    print(f"{pages} pages for {_OPENING_SECONDS} s, while {_VISITS} visits open")
    seen = _run_locust(
        *("pages.py", service.stack.url),
        {"RECORD_API_KEY": api_key, "LINKS": json.dumps(links)},
        "pages",
        # And the moderator.
        *("--users", str(pages + 1), "--spawn-rate", str(_SPAWN_RATE)),
        "--reset-stats",
        seconds=pages // _SPAWN_RATE + _OPENING_SECONDS,
    )
    print("\n|  | 200 | 429 | other answers | p50, ms | p95, ms | p99, ms | longest, ms |")
    print("| --- |" + " ---: |" * 7)
    for name, row in seen.items():
        print(f"| {name} | " + " | ".join(f"{value:.0f}" for value in row) + " |")
    return bool(
        seen["enter"][0] == seen["offer"][0] == pages
        and seen["offer"][-1] <= _PROMISED_SECONDS * 1000
        and not any(row[2] for row in seen.values())
    )


def _run_locust(
    file: str, url: str, environment: dict[str, str], name: str, *options: str, seconds: int
) -> dict[str, Any]:
    results = _RESULTS / f"{name}.json"
    with results.with_suffix(".txt").open("w") as report:
        subprocess.run(  # noqa: S603 - our own environment's
            [
                *(str(LOCAL / "load" / "bin" / "locust"), "--headless", "--only-summary"),
                *("--locustfile", str(ROOT / "benchmarks" / "load" / file), "--host", url),
                *("--run-time", f"{seconds}s", "--stop-timeout", "30"),
                *("--loglevel", "WARNING", "--exit-code-on-error", "0", *options),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                **environment,
                "LOAD_ROW": str(results),
                "PYTHONPATH": str(ROOT),
            },
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=subprocess.STDOUT,
            timeout=seconds + _GRACE_SECONDS,
            check=True,
        )
    return dict(json.loads(results.read_text()))


_PARTS = {"callers": _callers, "pages": _pages}

if __name__ == "__main__":
    sys.exit(main())
