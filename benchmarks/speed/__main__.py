"""Measures, and writes docs/performance.md and docs/scaling.md; with --check, holds bounds."""

from __future__ import annotations

import argparse
import contextlib
import functools
import multiprocessing
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks import measured, page, stack
from benchmarks.peers.build import build as build_peers
from benchmarks.speed import check, containers, deployed, subjects, warm
from benchmarks.speed.clients import by_clients
from benchmarks.speed.extension_stand_in import ExtensionStandIn
from benchmarks.speed.ratios import ratios
from benchmarks.speed.subjects import COMPILED, PLAIN
from benchmarks.speed.turns import BLOCKS
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
        if not arguments.page:
            speed = _measured(arguments)
            measured.write(speed, measured.BUSY if arguments.busy else measured.QUIET)
    _plot()
    page.write()
    speed = measured.read(measured.Speed, measured.BUSY if arguments.busy else measured.QUIET)
    for name, found in ratios(speed).items():
        print(f"{found.text:>24}  {name}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speed",
        description=__doc__,
        epilog="The numbers N are of what is measured for the pages; --check has its own.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="compare ratios with their bounds")
    what.add_argument(
        "--page", action="store_true", help="measure nothing: make page and plots of what is stored"
    )
    parser.add_argument(
        "--busy", action="store_true", help="beside as many restless processes as processors"
    )
    add_number = functools.partial(parser.add_argument, type=int, metavar="N")
    add_number("--rounds", default=7, help="containers of each handler (%(default)s)")
    add_number("--calls", default=200, help="warm calls in each container (%(default)s)")
    add_number(
        "--in-process-calls",
        default=2000,
        help=f"calls within one process, a multiple of {BLOCKS} (%(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.rounds < 2 or arguments.calls < 2:  # noqa: PLR2004 - fewer have no spread
        parser.error("--rounds and --calls: at least 2")
    if arguments.in_process_calls < BLOCKS or arguments.in_process_calls % BLOCKS:
        parser.error(f"--in-process-calls: a multiple of {BLOCKS}")
    return arguments


def _measured(arguments: argparse.Namespace) -> measured.Speed:
    times = arguments.in_process_calls
    say("sam build")
    deployment.build()
    peers = build_peers()
    with stack.running_emulator() as running:
        taken = _containers(running, peers, arguments.rounds, arguments.calls)
        say("the authorizer, by the number of clients")
        clients = by_clients(running, times)
    say("the handler beside its signature, and beside what else one could run")
    over_the_signature = warm.over_the_signature(times)
    others = warm.beside_others(times)
    say("the handler, part by part")
    parts = warm.in_parts(times)
    say("the handler, by its client's room patterns")
    patterns = warm.by_patterns(times)
    return measured.Speed(
        machine=measured.this_machine(),
        busy=arguments.busy,
        containers=taken,
        warm=over_the_signature,
        others=others,
        parts=parts,
        patterns=patterns,
        clients=clients,
        packages=_packages(),
    )


def _containers(running: Emulator, peers: Built, rounds: int, calls: int) -> measured.Containers:
    say("sam deploy: self-hosted, HS256 and RS256")
    shared = stack.deploy(running, "HS256")
    published = stack.deploy(running, "RS256")
    with ExtensionStandIn(deployed.secrets_of(shared)) as extension:

        def floor(function: str) -> subjects.Subject:
            return subjects.floor(subjects.floor_of(function), peers, running.environment())

        # Each behind its floor.
        every = [
            subjects.EMPTY,
            subjects.botocore_client(running.environment()),
            floor("IssueToken"),
            deployed.issue_token(shared, "HS256"),
            deployed.issue_token(published, "RS256"),
            deployed.with_extension(shared, extension.port),
            deployed.peer(shared, peers.compiled, COMPILED),
            deployed.peer(shared, peers.plain, PLAIN),
            floor("AuthorizeClient"),
            deployed.authorize_client(published),
            floor("ProbeConfig"),
            deployed.probe_config(published),
            deployed.serve_public_key(published),
            floor("CheckKey"),
            deployed.check_key(published),
            deployed.rotate_signing_key(published),
        ]
        say(f"containers, by turns, with {calls} calls each")
        return containers.measure(every, rounds=rounds, calls=calls)


def _packages() -> dict[str, int]:
    sizes: dict[str, int] = {}
    for entry in subjects.LAYER.iterdir():
        if entry.name.endswith(".dist-info") or entry.name == "__pycache__":
            continue
        size = containers.size_of(entry) if entry.is_dir() else entry.stat().st_size
        name = entry.name.partition(".")[0]
        sizes[name] = sizes.get(name, 0) + size
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
    # Whoever kills the parent gives it no time to end this.
    parent = os.getppid()
    while os.getppid() == parent:
        sum(range(10_000))


if __name__ == "__main__":
    sys.exit(main())
