"""What the service needs is gone: Secrets Manager, and the clients' table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.fault_proxy import FaultProxy, Mode

pytestmark = pytest.mark.stack

SLOW_SECONDS = 1.0


@pytest.fixture(autouse=True)
def repaired(secrets_manager: FaultProxy, dynamodb: FaultProxy) -> Iterator[None]:
    """Leave everything reachable for the tests that follow."""
    yield
    secrets_manager.switch("through")
    dynamodb.switch("through")


@pytest.mark.parametrize("mode", ["refuse", "silent"])
def test_tokens_go_on_when_secrets_manager_is_gone(
    jaas: Service, secrets_manager: FaultProxy, mode: Mode
) -> None:
    """After a first token the next hundred are issued, and none of them waits."""
    assert jaas.post().status_code == 200
    secrets_manager.switch(mode)

    seconds = []
    for _ in range(100):
        started = time.monotonic()
        assert jaas.post().status_code == 200
        seconds.append(time.monotonic() - started)

    assert max(seconds) < SLOW_SECONDS


def test_a_caller_may_try_again_when_the_clients_cannot_be_read(
    jaas: Service, dynamodb: FaultProxy
) -> None:
    """The authorizer's failure is a 503 and no refusal, and over when the table is back."""
    api_key = jaas.add_client("patient-two", "--any-room")
    dynamodb.switch("refuse")

    unavailable = jaas.post(api_key)
    dynamodb.switch("through")
    answer = jaas.post(api_key)

    assert unavailable.status_code == 503
    assert unavailable.headers["content-type"] == "application/problem+json"
    assert int(unavailable.headers["retry-after"]) > 0
    assert answer.status_code == 200


@pytest.mark.slow
def test_a_start_without_secrets_manager_says_so_and_recovers(
    self_hosted: Service, secrets_manager: FaultProxy
) -> None:
    """A container that never had the key answers 503, then tokens, with nothing restarted."""
    api_key = self_hosted.add_client("patient-one", "--any-room")
    secrets_manager.switch("refuse")
    stack = deployment.deploy(
        self_hosted.emulator, "self-hosted", AuthorizerCacheSeconds="2", ClockSkewSeconds="11"
    )
    service = Service(self_hosted.emulator, stack)
    with service.http:
        unavailable = service.post(api_key)
        secrets_manager.switch("through")
        deadline = time.monotonic() + 60
        while (answer := service.post(api_key)).status_code == 503:
            assert time.monotonic() < deadline, "the key was never fetched"
            time.sleep(1)

    assert unavailable.status_code == 503
    assert unavailable.headers["content-type"] == "application/problem+json"
    assert int(unavailable.headers["retry-after"]) > 0
    assert unavailable.json()["type"] == "urn:jitsi-tokens:problem:unavailable"
    assert answer.status_code == 200
