"""Nothing is wrong; then the functions' clock jumps, and nothing sticks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.askers import CALLERS, NEW_CALLERS, PROBES, PUBLIC_KEYS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, Promise

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

HOUR = 3600
# Two secrets a container; a storm is two a request.
MOST_READS = 24

EVERYBODY = (CALLERS, NEW_CALLERS, PROBES, PUBLIC_KEYS)
UNNOTICED = Promise(outage_seconds=5)
TOLD = Promise(outage_seconds=20, may_answer=frozenset({"503"}))


def test_everybody_is_answered(world: World) -> None:
    """What the other scenarios are compared with."""
    askers = world.askers
    groups = (askers.callers(), askers.new_callers(), askers.probes(), askers.public_keys())
    with Crowd(*groups) as crowd:
        crowd.go_on(CALLERS, 200)

    world.table.hold("nothing is wrong", crowd, dict.fromkeys(EVERYBODY, UNNOTICED))


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("forward 6 minutes", 360), ("forward 5 hours", 5 * HOUR), ("back an hour", -HOUR)],
)
def test_a_jump_is_noticed_by_nobody(world: World, name: str, seconds: int) -> None:
    """What was kept is read again, once, and then is fresh by the new time."""
    askers, manager, ssm = world.askers, world.proxies.secrets_manager, world.proxies.ssm
    groups = (askers.callers(), askers.new_callers(), askers.probes(), askers.public_keys())
    with Crowd(*groups) as crowd:
        reads, keys_read = manager.count("GetSecretValue"), ssm.count("GetParametersByPath")
        world.clock.jump(seconds)
        crowd.go_on(CALLERS, 100)
        reads = manager.count("GetSecretValue") - reads
        keys_read = ssm.count("GetParametersByPath") - keys_read

    assert 2 <= reads <= MOST_READS
    assert 1 <= keys_read <= MOST_READS
    world.table.hold(f"the clock jumps {name}", crowd, dict.fromkeys(EVERYBODY, UNNOTICED))


def test_a_clock_that_is_put_right_ends_what_it_caused(world: World) -> None:
    """Five hours ahead, with no Secrets Manager, every key seems too old: but only until then."""
    with Crowd(world.askers.callers()) as crowd:
        world.proxies.secrets_manager.switch("refuse")
        world.clock.jump(5 * HOUR)
        crowd.go_on(CALLERS, 20, "503")
        world.clock.jump(-5 * HOUR)
        crowd.go_on(CALLERS, 20, GOOD)

    scenario = "ahead 5 hours, no Secrets Manager, put right"
    world.table.hold(scenario, crowd, {CALLERS: TOLD})
