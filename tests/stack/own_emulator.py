"""An emulator of the tests' own, and the proxies between the functions and its services."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from local_stack import deployment, emulator
from local_stack.building import BUILT
from tests.stack.fault_proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from local_stack.emulator import Emulator
    from tests.stack.calls import Exchanges

# Each worker unpacks the layer, 45 MB: in memory where there is room, as many disks take a second
# or more to write and to delete that.
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it
MOST_BYTES = 4 * 2**30


class Proxies(NamedTuple):
    """What can be switched, by service."""

    secrets_manager: FaultProxy
    dynamodb: FaultProxy
    ssm: FaultProxy
    other_services: FaultProxy

    @property
    def environment(self) -> dict[str, str]:
        """What makes the functions ask these."""
        return {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": self.secrets_manager.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb.endpoint,
            "AWS_ENDPOINT_URL_SSM": self.ssm.endpoint,
            "AWS_ENDPOINT_URL": self.other_services.endpoint,
        }


@pytest.fixture(scope="session")
def proxies(watch: Callable[[], Exchanges] | None) -> Iterator[Proxies]:
    """The proxies between the functions and the services that they ask.

    A fixture `watch` is called for each connection.
    """
    with contextlib.ExitStack() as open_proxies:
        yield Proxies(*(open_proxies.enter_context(FaultProxy(watch)) for _ in Proxies._fields))


@pytest.fixture(scope="session")
def dynamodb(proxies: Proxies) -> FaultProxy:
    """The proxy between the authorizer and the clients' table."""
    return proxies.dynamodb


@pytest.fixture(scope="session")
def built() -> Path:
    """What `sam build` has made just now."""
    deployment.build()
    return BUILT


@contextlib.contextmanager
def own_emulator(
    folder: str, proxies: Proxies, extra_environment: Mapping[str, str] | None = None
) -> Iterator[Emulator]:
    """Run an emulator that begins empty and leaves nothing, in a folder of its own."""
    home = emulator.Home(emulator.LOCAL / folder)
    unpacked = MEMORY / str(home.folder).replace("/", "-")
    folders = (home.folder, unpacked)
    emulator.stop(home)
    for each in folders:
        shutil.rmtree(each, ignore_errors=True)
    environment = {**proxies.environment, **(extra_environment or {})}
    if MEMORY.is_dir() and _takes_workers(MEMORY):
        unpacked.mkdir(0o700)
        environment["TMPDIR"] = str(unpacked)
    running = emulator.start(home, extra_environment=environment)
    for proxy in proxies:
        proxy.target_port = running.port
    try:
        yield running
    finally:
        emulator.stop(home)
        for each in folders:
            shutil.rmtree(each, ignore_errors=True)


def _takes_workers(folder: Path) -> bool:
    """Tell whether there is room, and code may be loaded: containers mount it without that."""
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize > MOST_BYTES and not there.f_flag & os.ST_NOEXEC
