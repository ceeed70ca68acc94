"""Nothing that names a person, opens a room or signs a token is in any log of these tests."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from tests.stack.log_search import found, needles, whole_log

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.whole]

# Runs last, as files run in the order of their names: what it searches is what the others left.
MIN_LINES = 500


def test_the_whole_log_holds_nothing_of_anybody(
    jaas: Service, self_hosted: Service, published: Service
) -> None:
    """Every kind was used in these tests, and none is in the log until it is planted there."""
    for service in (jaas, self_hosted, published):
        assert service.post(isModerator=True).status_code == 200
    forbidden = needles(jaas, self_hosted, published)
    assert all(forbidden.values())

    lines = whole_log(jaas.emulator)

    assert len(lines) > MIN_LINES
    assert found(lines, forbidden) == set()
    logs = deployment.client(jaas.emulator, "logs")
    place = {"logGroupName": jaas.stack.outputs["AuditLogGroup"], "logStreamName": "planted"}
    logs.create_log_stream(**place)
    planted = json.dumps({kind: values[-1] for kind, values in forbidden.items()})
    event = {"timestamp": int(time.time() * 1000), "message": planted}
    logs.put_log_events(**place, logEvents=[event])
    assert found(whole_log(jaas.emulator), forbidden) == forbidden.keys()
