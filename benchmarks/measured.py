"""What was measured last, kept beside the code: the tables of docs/scaling.md are made of it."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

import msgspec

from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOAD = ROOT / "benchmarks" / "measured" / "load.json"
CAPACITY = ROOT / "benchmarks" / "measured" / "capacity.json"


class Machine(msgspec.Struct, frozen=True):
    """Where and when: the date in UTC, and how many processors there were."""

    date: str
    processors: int


class Step(msgspec.Struct, frozen=True):
    """What so many callers at once were answered; times in milliseconds.

    `answer_bytes` is the size of a guest's token answer, without headers.
    """

    callers: int
    requests_per_second: float
    tokens_per_second: float
    p50: float
    p95: float
    p99: float
    errors: int
    answer_bytes: int


class Load(msgspec.Struct, frozen=True):
    """A run of `make load`; `seconds` is the length of each step."""

    machine: Machine
    seconds: int
    steps: list[Step]

    @property
    def answer_bytes(self) -> int:
        """The size of a token's answer."""
        return max(step.answer_bytes for step in self.steps)


class Handler(msgspec.Struct, frozen=True):
    """One handler in one container, medians of several containers; times in milliseconds.

    `duration` is what the runtime saw of a warm call, without the way to it.
    """

    name: str
    init: float
    first: float
    calls_per_second: float
    p50: float
    p95: float
    p99: float
    duration: float


class Capacity(msgspec.Struct, frozen=True):
    """A run of `make capacity`: handlers, and the bytes that one call leaves in the log.

    `line_bytes` is the request's own line, `platform_bytes` what Lambda adds in its three.
    """

    machine: Machine
    containers: int
    calls: int
    handlers: list[Handler]
    line_bytes: int
    platform_bytes: int


def this_machine() -> Machine:
    """Return where and when this is."""
    return Machine(dt.datetime.now(dt.UTC).date().isoformat(), os.cpu_count() or 1)


def read[T](kind: type[T], path: Path) -> T:
    """Return what was measured.

    Raises:
        msgspec.ValidationError: the file holds something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=kind)


def write(measured: Load | Capacity, path: Path) -> None:
    """Keep what was measured."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
