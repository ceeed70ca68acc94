"""Secrets Manager fails: the key that a container has goes on, one that has none says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.secrets import RETRY_SECONDS
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from tests.faults.askers import CALLERS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, Promise
from tests.faults.world import OUTAGES, SLOW

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

MAXIMUM_STALE_SECONDS = 14_400  # the template's default

OUTLIVED = Promise(outage_seconds=5)
# As long as the fault lasts, and while new containers start: four at once, on two cores.
TOLD = Promise(outage_seconds=45, may_answer=frozenset({"503"}))


@pytest.mark.parametrize("outage", OUTAGES)
def test_the_last_known_good_key_goes_on(world: World, outage: str) -> None:
    """Every container has to renew its key, cannot, and signs all the same."""
    manager = world.proxies.secrets_manager
    with Crowd(world.askers.callers()) as crowd:
        manager.switch(OUTAGES[outage])
        before = manager.connections
        for pause in (KEY_FRESH_SECONDS, RETRY_SECONDS):
            world.clock.jump(pause)
            crowd.go_on(CALLERS, 30)
        tries = manager.connections - before
        manager.switch("through")
        world.clock.jump(RETRY_SECONDS)
        crowd.go_on(CALLERS, 20)

    assert tries >= 2
    world.table.hold(f"Secrets Manager: {outage}", crowd, {CALLERS: OUTLIVED})


@pytest.mark.parametrize("outage", ["throttles", "silent"])
def test_a_container_without_a_key_says_so_and_recovers(world: World, outage: str) -> None:
    """All containers are new while it lasts; nothing is restarted after it."""
    with Crowd(world.askers.callers()) as crowd:
        world.proxies.secrets_manager.switch(OUTAGES[outage])
        world.service.replace_containers()
        crowd.go_on(CALLERS, 20, "503")
        world.proxies.secrets_manager.switch("through")
        world.clock.jump(RETRY_SECONDS)
        crowd.go_on(CALLERS, 20, GOOD)

    world.table.hold(f"Secrets Manager: {outage}, new containers", crowd, {CALLERS: TOLD})


def test_new_containers_wait_for_a_slow_answer(world: World) -> None:
    """There is nothing to answer with, so an answer that comes is worth the wait."""
    with Crowd(world.askers.callers()) as crowd:
        world.proxies.secrets_manager.switch(SLOW)
        world.service.replace_containers()
        crowd.go_on(CALLERS, 40)

    promise = Promise(outage_seconds=45)
    world.table.hold("Secrets Manager: slow (1.5 s), new containers", crowd, {CALLERS: promise})


def test_the_last_known_good_key_ends(world: World) -> None:
    """It signs up to its bound, then says so; and back is back, even where answers are slow."""
    with Crowd(world.askers.callers()) as inside:
        world.proxies.secrets_manager.switch("refuse")
        world.clock.jump(MAXIMUM_STALE_SECONDS)
        inside.go_on(CALLERS, 40)
    with Crowd(world.askers.callers()) as beyond:
        world.clock.jump(KEY_FRESH_SECONDS)
        beyond.go_on(CALLERS, 20, "503")
        world.proxies.secrets_manager.switch(SLOW)
        world.clock.jump(RETRY_SECONDS)
        beyond.go_on(CALLERS, 20, GOOD)

    world.table.hold("Secrets Manager: gone for 4 hours", inside, {CALLERS: OUTLIVED})
    world.table.hold("Secrets Manager: gone longer, back slow", beyond, {CALLERS: TOLD})
