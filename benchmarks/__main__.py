"""`make bench`: prints what it measured as Markdown. With --check, compares it with the guards."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from benchmarks import ratios, starts, warm
from benchmarks.emulator import running_emulator
from benchmarks.peers.build import build
from local_stack import deployment

if TYPE_CHECKING:
    from pathlib import Path

_CONTAINERS = 7
_CALLS = 200
_TIMES = 2000


def main() -> int:
    """Measure; return 1 where --check finds a ratio over its guard."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare ratios with their limits")
    check = parser.parse_args().check
    print("sam build")
    deployment.build()
    built = build()
    if check:
        return ratios.held(lambda: _guarded(built.boto3))
    with running_emulator() as running:
        print(f"containers by turns, {_CALLS} warm calls in those that are called")
        called = starts.called(running, built)
        # Those first, and the rest behind them.
        subjects = called | starts.beside_floors(running.environment(), built.boto3) | called
        taken = starts.measure(subjects, rounds=_CONTAINERS, calls=_CALLS)
    print("warm requests")
    pairs = (
        warm.over_the_signature(_TIMES)
        | warm.over_the_peers(_TIMES)
        | warm.by_patterns(_TIMES, ("HS256", "RSA-4096"))
        | starts.pairs(taken)
    )
    print(f"\n{starts.table(taken)}\n\n{ratios.table(pairs)}")
    return 0


def _guarded(boto3: Path) -> ratios.Pairs:
    print("starts of every function and its floor")
    taken = starts.measure(starts.beside_floors(starts.NO_AWS, boto3), rounds=_CONTAINERS)
    print("warm requests")
    return (
        starts.pairs(taken)
        | warm.over_the_signature(_TIMES, ("HS256", "RSA-2048"))
        | warm.by_patterns(_TIMES, ("HS256",))
    )


if __name__ == "__main__":
    sys.exit(main())
