"""A container of `make bench`: a handler under the Runtime Interface Emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.container import Container, ContainerFailure, read_times

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = "def handler(event, context):\n    return event\n"


def test_a_container_answers_and_logs_how_long_it_took(tmp_path: Path) -> None:
    """It starts at the first call, and leaves nothing behind."""
    (tmp_path / "app.py").write_text(EMPTY)
    log = tmp_path / "log"

    with Container(tmp_path, (), {}, log) as container:
        assert [container.call({"call": number}) for number in (1, 2)] == [{"call": 1}, {"call": 2}]
        assert 1_000 < container.peak_kib() < 1_000_000

    init, durations = read_times(log.read_text())
    assert init > 0
    assert len(durations) == 2
    with pytest.raises(ConnectionRefusedError):
        container.call({})


def test_a_handler_that_does_not_start_is_not_a_fast_one(tmp_path: Path) -> None:
    """Its start ends early."""
    (tmp_path / "app.py").write_text("1 / 0")
    log = tmp_path / "log"
    with Container(tmp_path, (), {}, log) as container:
        container.call({})

    with pytest.raises(ContainerFailure, match="did not start"):
        read_times(log.read_text())
