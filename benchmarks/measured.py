"""What was measured last, kept beside the code: the tables of docs are made of it."""

from __future__ import annotations

import datetime as dt
import os
import statistics
from typing import TYPE_CHECKING

import msgspec

from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOAD = ROOT / "benchmarks" / "measured" / "load.json"
QUIET = ROOT / "benchmarks" / "measured" / "speed.json"
BUSY = ROOT / "benchmarks" / "measured" / "speed-busy.json"


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


class Round(msgspec.Struct, frozen=True):
    """One container, from its start to its last call; times in milliseconds, memory in KiB.

    `duration` is what the runtime saw of a warm call, without the way to it.
    """

    init: float
    first: float
    p50: float
    p95: float
    p99: float
    duration: float
    calls_per_second: float
    peak: int


class Handler(msgspec.Struct, frozen=True):
    """A handler, in one container after another; sizes in bytes, unzipped.

    Its properties are medians of the rounds.
    """

    name: str
    function_bytes: int
    layer_bytes: int
    rounds: list[Round]

    @property
    def init(self) -> float:
        """The start, in milliseconds."""
        return statistics.median(made.init for made in self.rounds)

    @property
    def duration(self) -> float:
        """A warm call in the runtime, in milliseconds."""
        return statistics.median(made.duration for made in self.rounds)

    @property
    def peak(self) -> float:
        """The most memory that it had, in KiB."""
        return statistics.median(made.peak for made in self.rounds)


class Containers(msgspec.Struct, frozen=True):
    """Handlers, in containers of their own, by turns; and the bytes of a call in the log.

    `line_bytes` is the request's own line, `platform_bytes` what Lambda adds in its three.
    """

    calls: int
    handlers: list[Handler]
    line_bytes: int
    platform_bytes: int

    def __getitem__(self, name: str) -> Handler:
        """Return a handler by its name.

        Raises:
            KeyError: there is none.
        """
        return {handler.name: handler for handler in self.handlers}[name]


class Series(msgspec.Struct, frozen=True):
    """Calls of one process that took turns: medians of the same blocks, in microseconds."""

    title: str
    calls: int
    blocks: dict[str, list[float]]


class Clients(msgspec.Struct, frozen=True):
    """The authorizer among so many clients: its reads of the table a call, and its time."""

    clients: int
    reads: float
    blocks: list[float]


class Speed(msgspec.Struct, frozen=True):
    """A run of `make bench`.

    Attributes:
        busy: whether as many other processes as there are processors never rested meanwhile.
        warm: the handler beside a bare signature and a bare encode, by key.
        others: the handler beside what else one could run, by key.
        parts: the parts of the handler, by key.
        patterns: the handler by the number of its client's room patterns, by key.
        packages: what the layer holds, in bytes.
    """

    machine: Machine
    busy: bool
    containers: Containers
    warm: list[Series]
    others: list[Series]
    parts: list[Series]
    patterns: list[Series]
    clients: list[Clients]
    packages: dict[str, int]


def this_machine() -> Machine:
    """Return where and when this is."""
    return Machine(dt.datetime.now(dt.UTC).date().isoformat(), os.cpu_count() or 1)


def read[T](kind: type[T], path: Path) -> T:
    """Return what was measured.

    Raises:
        msgspec.ValidationError: the file holds something else.
    """
    return msgspec.json.decode(path.read_bytes(), type=kind)


def write(measured: Load | Speed, path: Path) -> None:
    """Keep what was measured."""
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=2) + b"\n")
    beside.replace(path)
