"""Many callers: a table of 100,000 API keys, and bursts of bad ones."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core.clients import digest
from local_stack import deployment
from tests.faults.askers import CALLERS, MALFORMED, NEW_CALLERS, UNKNOWN
from tests.faults.crowd import Crowd
from tests.faults.figures import Promise

if TYPE_CHECKING:
    from tests.faults.world import World
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

KEYS = 100_000
LOOK_UPS = 40

SERVED = Promise(outage_seconds=5)
# The emulator starts a new container after each 401 of the authorizer.
SERVED_BETWEEN_STARTS = Promise(outage_seconds=15)
REFUSED = Promise(outage_seconds=15)


def read_seconds(service: Service, api_key: str) -> float:
    """Return how long the emulator itself takes for what the authorizer asks of it."""
    dynamodb = deployment.client(service.emulator, "dynamodb")
    seconds = []
    for _ in range(LOOK_UPS):
        started = time.perf_counter()
        dynamodb.get_item(
            TableName=service.stack.outputs["ClientsTable"],
            Key={"key_digest": {"S": digest(api_key)}},
            ConsistentRead=True,
        )
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def test_a_hundred_thousand_api_keys_slow_nobody(world: World) -> None:
    """A look-up is by the key's digest: as quick among many as among few."""
    [api_key] = world.askers.add_keys(1, moderator=False)
    of_the_emulator = [read_seconds(world.service, api_key)]
    with Crowd(world.askers.callers(), world.askers.new_callers()) as few:
        few.go_on(NEW_CALLERS, LOOK_UPS)
    with Crowd(world.askers.callers()) as growing:
        world.askers.add_keys(KEYS, moderator=False)
    of_the_emulator.append(read_seconds(world.service, api_key))
    with Crowd(world.askers.callers(), world.askers.new_callers()) as many:
        many.go_on(NEW_CALLERS, LOOK_UPS)

    table = world.table
    table.hold("few API keys", few, {CALLERS: SERVED, NEW_CALLERS: SERVED})
    table.hold("100,000 API keys are written", growing, {CALLERS: SERVED})
    table.hold("100,000 API keys", many, {CALLERS: SERVED, NEW_CALLERS: SERVED})
    before, after = (crowd.figures(NEW_CALLERS).median for crowd in (few, many))
    table.note(
        f"A new caller's request, median: {before * 1000:.0f} ms with few API keys,"
        f" {after * 1000:.0f} ms with 100,000. The emulator's own GetItem:"
        f" {of_the_emulator[0] * 1000:.1f} and {of_the_emulator[1] * 1000:.1f} ms."
    )
    assert after < 3 * before + 0.1


def test_bad_credentials_are_refused_beside_good_ones(world: World) -> None:
    """API Gateway refuses what has not the form; the rest costs a look-up each."""
    askers = world.askers
    groups = (askers.callers(), askers.new_callers(), askers.malformed(), askers.unknown())
    with Crowd(*groups) as crowd:
        crowd.go_on(UNKNOWN, 6)

    promises = {
        CALLERS: SERVED,
        NEW_CALLERS: SERVED_BETWEEN_STARTS,
        MALFORMED: REFUSED,
        UNKNOWN: REFUSED,
    }
    world.table.hold("bursts of bad API keys", crowd, promises)
