"""Secrets Manager gone: after a first token, and from the start."""

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
def repaired(secrets_manager: FaultProxy) -> Iterator[None]:
    """Leave Secrets Manager reachable for the tests that follow."""
    yield
    secrets_manager.switch("through")


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
