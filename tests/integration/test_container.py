"""A container of `make bench`: a handler under the Runtime Interface Emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.container import Container, ContainerFailure, read_report
from benchmarks.speed.subjects import EMPTY

if TYPE_CHECKING:
    from pathlib import Path


def test_a_container_answers_and_says_how_long_it_took(tmp_path: Path) -> None:
    """It starts at the first call; then each call has a duration, and three lines of Lambda's."""
    log = tmp_path / "log"

    with Container(EMPTY.folder, EMPTY.layers, EMPTY.environment, log) as container:
        answers = [container.call(EMPTY.event) for _ in range(3)]

    report = read_report(log.read_text())
    assert [answer.body for answer in answers] == [{"statusCode": 200}] * 3
    assert report.init > 0
    assert len(report.durations) == len(report.platform_bytes) == 3
    assert all(
        duration <= answer.seconds * 1000
        for duration, answer in zip(report.durations, answers, strict=True)
    )
    assert min(report.platform_bytes) > 100
    assert report.line_bytes == []


def test_no_container_is_left(tmp_path: Path) -> None:
    """Nobody answers where one was."""
    with Container(EMPTY.folder, EMPTY.layers, EMPTY.environment, tmp_path / "log") as container:
        container.call(EMPTY.event)

    with pytest.raises(ConnectionRefusedError):
        container.call(EMPTY.event)


@pytest.mark.parametrize("app", ["import nothing_such", "1 / 0"])
def test_a_handler_that_does_not_start_is_not_taken_for_a_fast_one(
    tmp_path: Path, app: str
) -> None:
    """Its start ends early."""
    (tmp_path / "app.py").write_text(app)
    log = tmp_path / "log"
    with Container(tmp_path, (), {}, log) as container:
        container.call({})

    with pytest.raises(ContainerFailure, match="did not start"):
        read_report(log.read_text())


def test_a_log_without_a_start_is_no_report() -> None:
    """As of an emulator that ended before."""
    with pytest.raises(ContainerFailure):
        read_report("")
