"""Handlers under AWS's Runtime Interface Emulator, in one container after another, by turns."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

import jwt

from benchmarks.container import Container, ContainerFailure, Report, read_report
from benchmarks.measured import Containers, Handler, Round
from local_stack.emulator import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchmarks.speed.subjects import Subject

_LOG = LOCAL / "bench.log"


class Sample(NamedTuple):
    """What one container did, and what its log says."""

    round: Round
    report: Report


def measure(subjects: Sequence[Subject], *, rounds: int, calls: int) -> Containers:
    """Give each handler a container, and so many warm calls in it; again and again.

    By turns, so that what slows the machine for a while slows all of them.

    Raises:
        ContainerFailure: a handler did not start, or answered otherwise than it has to.
    """
    samples: dict[str, list[Sample]] = {subject.name: [] for subject in subjects}
    for number in range(1, rounds + 1):
        print(f"  round {number} of {rounds}: {len(subjects)} containers", flush=True)
        for subject in subjects:
            samples[subject.name].append(run(subject, calls))
    lines = [
        sample.report
        for name, taken in samples.items()
        for sample in taken
        if name.startswith("IssueToken")
    ]
    return Containers(
        calls=calls,
        handlers=[
            Handler(
                name=subject.name,
                function_bytes=size_of(subject.folder),
                layer_bytes=sum(map(size_of, subject.layers)),
                rounds=[sample.round for sample in samples[subject.name]],
            )
            for subject in subjects
        ],
        line_bytes=_median_of(count for report in lines for count in report.line_bytes),
        platform_bytes=_median_of(count for report in lines for count in report.platform_bytes),
    )


def run(subject: Subject, calls: int) -> Sample:
    """Run one container, from its start to its last call; its log stays until the next one's.

    Raises:
        ContainerFailure: it did not start, or answered otherwise than it has to.
    """
    try:
        with Container(subject.folder, subject.layers, subject.environment, _LOG) as container:
            first = container.call(subject.event)
            answers = [container.call(subject.event) for _ in range(calls)]
            peak = container.peak_kib()
        report = read_report(_LOG.read_text())
        for answer in (first, *answers):
            subject.check(answer.body)
    except (ContainerFailure, LookupError, ValueError, jwt.PyJWTError) as error:
        raise ContainerFailure(f"{subject.name}: {error}; see {_LOG}") from error
    seconds = [answer.seconds for answer in answers] or [first.seconds]
    return Sample(
        Round(
            init=report.init,
            first=round(report.durations[0], 3),
            p50=_percentile(seconds, 50),
            p95=_percentile(seconds, 95),
            p99=_percentile(seconds, 99),
            duration=round(statistics.median(report.durations[1:] or report.durations), 3),
            calls_per_second=round(len(seconds) / sum(seconds), 1),
            peak=peak,
        ),
        report,
    )


def size_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _percentile(seconds: list[float], percent: int) -> float:
    if len(seconds) == 1:
        return round(seconds[0] * 1000, 3)
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return round(cuts[percent - 1] * 1000, 3)


def _median_of(counts: Iterable[int]) -> int:
    found = list(counts)
    return round(statistics.median(found)) if found else 0
