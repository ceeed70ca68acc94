"""The stacks that the tests speak to over HTTP, on an emulator of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from tests.stack.calls import Calls
from tests.stack.own_emulator import (
    built,
    dynamodb,
    own_emulator,
    proxies,
    secrets_manager,
    ssm,
)
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from local_stack.emulator import Emulator
    from tests.stack.calls import Exchanges
    from tests.stack.own_emulator import Proxies

__all__ = ["built", "dynamodb", "proxies", "secrets_manager", "ssm"]  # fixtures


@pytest.fixture(scope="session")
def calls() -> Calls:
    """What the functions have asked of AWS in this run."""
    return Calls()


@pytest.fixture(scope="session")
def watch(calls: Calls) -> Callable[[], Exchanges]:
    """What is told of each connection between a function and AWS."""
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
    service = Service(running_emulator, deployment.deploy(running_emulator, "jaas"))
    with service.http:
        assert service.http.get("/api/jitsi/jwt").json() == {"configured": False}
        service.commands.run("key", "create", "--kid", "4f4910")
        yield service


@pytest.fixture(scope="session")
def self_hosted(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack, with the key it made itself, and callers remembered for 2 seconds."""
    stack = deployment.deploy(running_emulator, "self-hosted", AuthorizerCacheSeconds="2")
    service = Service(running_emulator, stack)
    with service.http:
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def published(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack that publishes its keys, with the one of its first rotation."""
    stack = deployment.deploy(running_emulator, "self-hosted", "RS256")
    service = Service(running_emulator, stack)
    with service.http:
        assert service.http.get("/.well-known/jwks.json").status_code == 404
        service.rotate()
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def tenant(running_emulator: Emulator) -> Iterator[Service]:
    """A self-hosted stack with a tenant."""
    stack = deployment.deploy(
        running_emulator, "self-hosted", name="jitsi-tokens-tenant", JitsiTenant="clinic"
    )
    service = Service(running_emulator, stack)
    with service.http:
        service.check_key()
        yield service
