"""The stacks that the tests speak to over HTTP, on an emulator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stack.calls import Calls
from tests.stack.own_emulator import built, dynamodb, own_emulator, proxies
from tests.stack.service import deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_stack.emulator import Emulator
    from tests.stack.calls import Exchanges
    from tests.stack.own_emulator import Proxies
    from tests.stack.service import Service

__all__ = ["built", "dynamodb", "proxies"]  # fixtures


@pytest.fixture(scope="session")
def calls() -> Calls:
    """What the functions have asked of AWS in this run."""
    return Calls()


@pytest.fixture(scope="session")
def watch(calls: Calls) -> Callable[[], Exchanges]:
    """What hears of each connection between a function and AWS."""
    return calls.watch


@pytest.fixture(scope="session")
def running_emulator(
    built: Path,  # noqa: ARG001 - what is deployed there
    proxies: Proxies,
) -> Iterator[Emulator]:
    """An emulator that begins empty."""
    with own_emulator("test-emulator-home", proxies) as running:
        yield running


@pytest.fixture(scope="session")
def jaas(running_emulator: Emulator) -> Iterator[Service]:
    """A JaaS stack with a key."""
    with deployed(running_emulator, "jaas") as service:
        assert service.http.get("/api/jitsi/jwt").json() == {"configured": False}
        service.commands.run("key", "create", "--kid", "4f4910")
        yield service


@pytest.fixture(scope="session")
def self_hosted(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack, with the key it made itself, and callers remembered for 2 seconds."""
    with deployed(running_emulator, "self-hosted", AuthorizerCacheSeconds="2") as service:
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def published(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack with a tenant, which publishes the key of its first rotation."""
    with deployed(running_emulator, "self-hosted", "RS256", JitsiTenant="clinic") as service:
        assert service.http.get("/.well-known/jwks.json").status_code == 404
        service.rotate()
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def changing(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack whose key breaks, and which is deployed again."""
    with deployed(running_emulator, "self-hosted", name="jitsi-tokens-changing") as service:
        yield service
