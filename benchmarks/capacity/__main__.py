"""`make capacity`: the built handlers, one container each, one call after another."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import measured, page, stack
from benchmarks.capacity.container import Container, Report, read_report
from benchmarks.capacity.subjects import EMPTY, Subject, authorize_client, issue_token
from local_stack import deployment
from local_stack.demonstration import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.keys import Algorithm


class Sample(NamedTuple):
    """What one container did; times in milliseconds."""

    first: float
    seconds: list[float]
    report: Report


def main() -> int:
    """Measure, and write docs/scaling.md anew."""
    containers = int(os.environ.get("CAPACITY_CONTAINERS", "5"))
    calls = int(os.environ.get("CAPACITY_CALLS", "1000"))
    say("sam build")
    deployment.build()
    handlers = []
    with stack.running_emulator() as running:
        subjects = [EMPTY]
        algorithms: tuple[Algorithm, ...] = ("HS256", "RS256")
        for algorithm in algorithms:
            say(f"sam deploy --config-env local (self-hosted, {algorithm})")
            service = stack.deploy(running, algorithm)
            subjects.append(issue_token(service, algorithm))
        subjects.append(authorize_client(service))
        for subject in subjects:
            say(f"{subject.name}: {containers} containers, {calls} calls each")
            samples = [_measure(subject, calls) for _ in range(containers)]
            handlers.append(_summary(subject.name, samples))
            print(handlers[-1], flush=True)
            if subject.name.startswith("IssueToken"):
                reports = [sample.report for sample in samples]
    result = measured.Capacity(
        machine=measured.this_machine(),
        containers=containers,
        calls=calls,
        handlers=handlers,
        line_bytes=round(statistics.median(b for r in reports for b in r.line_bytes)),
        platform_bytes=round(statistics.median(b for r in reports for b in r.platform_bytes)),
    )
    measured.write(result, measured.CAPACITY)
    page.write()
    print(page.sections()["capacity"])
    return 0


def _measure(subject: Subject, calls: int) -> Sample:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with Container(subject.folder, subject.layers, subject.environment, log) as container:
            first = container.call(subject.event)
            answers = [container.call(subject.event) for _ in range(calls)]
        report = read_report(log.read_text())
    for answer in (first, *answers):
        subject.check(answer.body)
    return Sample(first.seconds * 1000, [answer.seconds for answer in answers], report)


def _summary(name: str, samples: list[Sample]) -> measured.Handler:
    def median(value: Callable[[Sample], float]) -> float:
        return round(statistics.median(value(sample) for sample in samples), 2)

    def percentile(percent: int) -> float:
        return median(
            lambda sample: (
                1000 * statistics.quantiles(sample.seconds, n=100, method="inclusive")[percent - 1]
            )
        )

    return measured.Handler(
        name=name,
        init=median(lambda sample: sample.report.init),
        first=median(lambda sample: sample.first),
        calls_per_second=median(lambda sample: len(sample.seconds) / sum(sample.seconds)),
        p50=percentile(50),
        p95=percentile(95),
        p99=percentile(99),
        duration=median(lambda sample: statistics.median(sample.report.durations[1:])),
    )


if __name__ == "__main__":
    sys.exit(main())
