"""Nothing is wrong: what the other scenarios are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.askers import CALLERS, NEW_CALLERS, PROBES, PUBLIC_KEYS
from tests.faults.crowd import Crowd
from tests.faults.figures import Promise

if TYPE_CHECKING:
    from tests.faults.world import World

pytestmark = pytest.mark.stack

EVERYTHING = Promise(outage_seconds=5)


def test_everybody_is_answered(world: World) -> None:
    """Doctors and patients, known and new, the probe, and who fetches public keys."""
    askers = world.askers
    groups = (askers.callers(), askers.new_callers(), askers.probes(), askers.public_keys())
    with Crowd(*groups) as crowd:
        crowd.go_on(CALLERS, 200)

    names = (CALLERS, NEW_CALLERS, PROBES, PUBLIC_KEYS)
    world.table.hold("nothing is wrong", crowd, dict.fromkeys(names, EVERYTHING))
