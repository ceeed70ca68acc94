"""DynamoDB fails: who is remembered notices nothing, who is not is asked to try again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.askers import CALLERS, NEW_CALLERS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, Promise
from tests.faults.world import OUTAGES, SLOW

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

REMEMBERED = Promise(outage_seconds=5)
# Never 401: a caller that gets it gives up. Each failure costs the emulator a container.
TOLD = Promise(outage_seconds=45, may_answer=frozenset({"503"}))
SERVED_LATE = Promise(outage_seconds=10)


@pytest.mark.parametrize("outage", OUTAGES)
def test_who_cannot_be_looked_up_may_try_again(world: World, outage: str) -> None:
    """API Gateway remembers the others, for AuthorizerCacheSeconds from their last look-up."""
    with Crowd(world.askers.callers(), world.askers.new_callers()) as crowd:
        world.proxies.dynamodb.switch(OUTAGES[outage])
        crowd.go_on(NEW_CALLERS, 1, "503")
        crowd.go_on(CALLERS, 20)
        world.proxies.dynamodb.switch("through")
        crowd.go_on(NEW_CALLERS, 3, GOOD)

    promises = {CALLERS: REMEMBERED, NEW_CALLERS: TOLD}
    world.table.hold(f"DynamoDB: {outage}", crowd, promises)


def test_an_answer_that_comes_is_worth_the_wait(world: World) -> None:
    """Half a second below the authorizer's time limit."""
    with Crowd(world.askers.callers(), world.askers.new_callers()) as crowd:
        world.proxies.dynamodb.switch(SLOW)
        crowd.go_on(NEW_CALLERS, 3)

    promises = {CALLERS: REMEMBERED, NEW_CALLERS: SERVED_LATE}
    world.table.hold("DynamoDB: slow (1.5 s)", crowd, promises)
