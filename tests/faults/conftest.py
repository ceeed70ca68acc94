"""One deployed stack, whose AWS fails and whose clocks jump as the tests say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.settings import KEY_FRESH_SECONDS
from local_stack.emulator import LOCAL
from tests.faults.askers import CALLERS, Askers
from tests.faults.crowd import Crowd
from tests.faults.figures import Table
from tests.faults.world import WorkersClock, World
from tests.stack.own_emulator import built, own_emulator, proxies
from tests.stack.service import Service, deployed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_stack.emulator import Emulator
    from tests.stack.own_emulator import Proxies

__all__ = ["built", "proxies"]  # fixtures

TABLE = pytest.StashKey[Table]()
WRITTEN_TO = LOCAL / "faults.md"


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Table:
    """Where every scenario leaves its figures."""
    return pytestconfig.stash.setdefault(TABLE, Table())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures, and keep them in a file."""
    if table := config.stash.get(TABLE, None):
        WRITTEN_TO.write_text(table.text())
        terminalreporter.section(f"figures, also in {WRITTEN_TO}")
        terminalreporter.write(table.text())


@pytest.fixture(scope="session")
def watch() -> None:
    """What passes is not recorded: there is too much of it."""


@pytest.fixture(scope="session")
def session_clock(tmp_path_factory: pytest.TempPathFactory) -> WorkersClock:
    """The clock of all functions."""
    return WorkersClock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="session")
def running_emulator(
    built: Path,  # noqa: ARG001 - what is deployed there
    proxies: Proxies,
    session_clock: WorkersClock,
) -> Iterator[Emulator]:
    """An emulator that begins empty."""
    environment = session_clock.environment | {"PERSIST_STATE": "0"}
    with own_emulator("faults-emulator-home", proxies, environment) as running:
        yield running


@pytest.fixture(scope="session")
def service(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack that publishes its keys: it needs all of AWS that any stack needs."""
    with deployed(running_emulator, "self-hosted", "RS256") as service:
        service.rotate()
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def session_askers(service: Service, session_clock: WorkersClock) -> Askers:
    """Callers; every function has as many warm containers as they need."""
    askers = Askers(service, session_clock)
    with Crowd(askers.callers(), askers.new_callers(), askers.probes(), askers.public_keys()) as it:
        it.go_on(CALLERS, 100)
    return askers


@pytest.fixture
def world(
    session_askers: Askers,
    service: Service,
    session_clock: WorkersClock,
    proxies: Proxies,
    table: Table,
) -> Iterator[World]:
    """All that a scenario needs; at its end AWS is back, and every container asks it again."""
    yield World(session_askers, service, session_clock, proxies, table)
    for proxy in proxies:
        proxy.switch("through")
    session_clock.jump(KEY_FRESH_SECONDS)
