"""The stacks that the tests speak to over HTTP, on an emulator of their own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from local_stack import deployment, emulator
from local_stack.building import BUILT
from tests.stack.calls import Calls
from tests.stack.fault_proxy import FaultProxy
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_stack.emulator import Emulator


@pytest.fixture(scope="session")
def calls() -> Calls:
    """What the functions have asked of AWS in this run."""
    return Calls()


@pytest.fixture(scope="session")
def secrets_manager(calls: Calls) -> Iterator[FaultProxy]:
    """What stands between the functions and Secrets Manager, and can be switched."""
    with FaultProxy(calls.watch) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def dynamodb(calls: Calls) -> Iterator[FaultProxy]:
    """What stands between the authorizer and the clients' table, and can be switched."""
    with FaultProxy(calls.watch) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def ssm(calls: Calls) -> Iterator[FaultProxy]:
    """What stands between the functions and SSM, and counts."""
    with FaultProxy(calls.watch) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def other_services(calls: Calls) -> Iterator[FaultProxy]:
    """What stands between the functions and every other service of AWS."""
    with FaultProxy(calls.watch) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def built() -> Path:
    """What `sam build` has made just now."""
    deployment.build()
    return BUILT


@pytest.fixture(scope="session")
def running_emulator(
    built: Path,  # noqa: ARG001 - what is deployed there
    secrets_manager: FaultProxy,
    dynamodb: FaultProxy,
    ssm: FaultProxy,
    other_services: FaultProxy,
) -> Iterator[Emulator]:
    """An emulator that begins empty."""
    home = emulator.Home(emulator.LOCAL / "test-emulator-home")
    emulator.stop(home)
    shutil.rmtree(home.folder, ignore_errors=True)
    running = emulator.start(
        home,
        extra_environment={
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": secrets_manager.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
            "AWS_ENDPOINT_URL_SSM": ssm.endpoint,
            "AWS_ENDPOINT_URL": other_services.endpoint,
        },
    )
    for proxy in (secrets_manager, dynamodb, ssm, other_services):
        proxy.target_port = running.port
    yield running
    emulator.stop(home)
    shutil.rmtree(home.folder, ignore_errors=True)


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
