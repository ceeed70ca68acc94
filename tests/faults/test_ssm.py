"""SSM fails: tokens need none of it; the probe and the public keys tell what they knew last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jitsi_tokens import publication, status
from local_stack.commands import CommandFailure
from tests.faults.askers import CALLERS, PROBES, PUBLIC_KEYS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, Promise
from tests.faults.world import OUTAGES

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

OUTLIVED = Promise(outage_seconds=5)
TOLD = Promise(outage_seconds=45, may_answer=frozenset({"503"}))


@pytest.mark.parametrize("outage", OUTAGES)
def test_what_was_read_last_is_told(world: World, outage: str) -> None:
    """What is kept is over for every container, and SSM gives no other."""
    askers, ssm = world.askers, world.proxies.ssm
    with Crowd(askers.callers(), askers.probes(), askers.public_keys()) as crowd:
        ssm.switch(OUTAGES[outage])
        before = ssm.connections
        for pause in (publication.FRESH_SECONDS, publication.UNKNOWN_SECONDS):
            world.clock.jump(pause)
            for group in (PROBES, PUBLIC_KEYS):
                crowd.go_on(group, 5)
        tries = ssm.connections - before
        crowd.go_on(CALLERS, 20)

    assert tries >= 2
    promises = dict.fromkeys((CALLERS, PROBES, PUBLIC_KEYS), OUTLIVED)
    world.table.hold(f"SSM: {outage}", crowd, promises)


def test_what_was_never_read_is_503_and_then_there(world: World) -> None:
    """All containers are new while it lasts, and CheckKey cannot leave what it finds."""
    askers = world.askers
    with Crowd(askers.callers(), askers.probes(), askers.public_keys()) as crowd:
        world.proxies.ssm.switch(OUTAGES["throttles"])
        for function in ("ProbeConfig", "ServePublicKey"):
            world.service.replace_containers(function)
        for group in (PROBES, PUBLIC_KEYS):
            crowd.go_on(group, 5, "503")
        with pytest.raises(CommandFailure):
            world.service.check_key()
        world.proxies.ssm.switch("through")
        world.clock.jump(status.FRESH_SECONDS)
        for group in (PROBES, PUBLIC_KEYS):
            crowd.go_on(group, 5, GOOD)
        world.service.check_key()

    promises = {CALLERS: OUTLIVED, PROBES: TOLD, PUBLIC_KEYS: TOLD}
    world.table.hold("SSM: throttles, new containers", crowd, promises)
