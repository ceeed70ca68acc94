"""`make bench` measures, and writes docs/performance.md; `make bench-check` holds bounds."""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks import measured, page, stack
from benchmarks.peers.build import build as build_peers
from benchmarks.speed import check, containers, subjects, warm
from benchmarks.speed.clients import by_clients
from benchmarks.speed.extension_stand_in import ExtensionStandIn
from benchmarks.speed.ratios import COMPILED, PLAIN, ratios
from local_stack import deployment
from local_stack.demonstration import say
from local_stack.emulator import LOCAL, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.peers.build import Built
    from local_stack.emulator import Emulator


def main() -> int:
    """Do what was asked for.

    Returns:
        1 where --check finds a ratio over its bound.
    """
    arguments = _arguments()
    with _neighbours(os.cpu_count() or 1 if arguments.busy else 0):
        if arguments.check:
            return check.main()
        speed = _measured(arguments)
    measured.write(speed, measured.BUSY if arguments.busy else measured.QUIET)
    _plot()
    page.write()
    for name, found in ratios(speed).items():
        print(f"{found.text:>24}  {name}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.speed", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare ratios with their bounds")
    parser.add_argument(
        "--busy", action="store_true", help="beside as many restless processes as processors"
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="containers of each handler (%(default)s)"
    )
    parser.add_argument("--calls", type=int, default=300, help="warm calls in each (%(default)s)")
    parser.add_argument(
        "--times", type=int, default=2000, help="calls of what is compared (%(default)s)"
    )
    return parser.parse_args()


def _measured(arguments: argparse.Namespace) -> measured.Speed:
    say("sam build")
    deployment.build()
    peers = build_peers()
    with stack.running_emulator() as running:
        taken = _containers(running, peers, arguments.rounds, arguments.calls)
        say("the authorizer, by the number of clients")
        clients = by_clients(running, arguments.times)
    say("the handler, beside what it is compared with")
    compared = warm.compared(arguments.times)
    say("the handler, part by part")
    parts = warm.in_parts(arguments.times)
    say("the handler, by its client's room patterns")
    patterns = warm.by_patterns(arguments.times)
    return measured.Speed(
        machine=measured.this_machine(),
        busy=arguments.busy,
        containers=taken,
        warm=compared,
        parts=parts,
        patterns=patterns,
        clients=clients,
        packages=_packages(),
    )


def _containers(running: Emulator, peers: Built, rounds: int, calls: int) -> measured.Containers:
    say("sam deploy: self-hosted, HS256 and RS256")
    shared = stack.deploy(running, "HS256")
    published = stack.deploy(running, "RS256")
    with ExtensionStandIn(subjects.secrets_of(shared)) as extension:

        def floor(function: str) -> subjects.Subject:
            return subjects.floor(subjects.floor_of(function), peers, running.environment())

        # Each behind its floor.
        every = [
            subjects.EMPTY,
            subjects.botocore_client(running.environment()),
            floor("IssueToken"),
            subjects.issue_token(shared, "HS256"),
            subjects.issue_token(published, "RS256"),
            subjects.with_extension(shared, "HS256", extension.port),
            subjects.peer(shared, "HS256", peers.compiled, COMPILED),
            subjects.peer(shared, "HS256", peers.plain, PLAIN),
            floor("AuthorizeClient"),
            subjects.authorize_client(published),
            floor("ProbeConfig"),
            subjects.probe_config(published),
            subjects.serve_public_key(published),
            floor("CheckKey"),
            subjects.check_key(published),
            subjects.rotate_signing_key(published),
        ]
        say(f"containers, by turns, with {calls} calls each")
        return containers.measure(every, rounds=rounds, calls=calls)


def _packages() -> dict[str, int]:
    sizes: dict[str, int] = {}
    for entry in subjects.LAYER.iterdir():
        if entry.name.endswith(".dist-info") or entry.name == "__pycache__":
            continue
        size = containers.size_of(entry) if entry.is_dir() else entry.stat().st_size
        sizes[entry.name.partition(".")[0]] = size
    return dict(sorted(sizes.items(), key=lambda package: -package[1]))


def _plot() -> None:
    python = LOCAL / "load" / "bin" / "python"
    command = [str(python), "-m", "benchmarks.speed.plots", str(measured.QUIET), str(ROOT / "docs")]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own environment's


@contextlib.contextmanager
def _neighbours(count: int) -> Iterator[None]:
    """Keep so many processes busy meanwhile."""
    processes = [multiprocessing.Process(target=_never_rest, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _never_rest() -> None:
    while True:
        sum(range(10_000))


if __name__ == "__main__":
    sys.exit(main())
