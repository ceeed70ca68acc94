"""Nothing that names a person, opens a room or signs a token stands in any log of these tests."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.stack.log_search import found, needles, whole_log

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.whole]

# Runs last, as files run in the order of their names: what it searches is what the others left.
MIN_LINES = 500


def test_the_whole_log_holds_nothing_of_anybody(
    jaas: Service, self_hosted: Service, tenant: Service
) -> None:
    """Every kind was used in these tests, and none is in the log."""
    for service in (jaas, self_hosted, tenant):
        assert service.post(isModerator=True).status_code == 200
    forbidden = needles(jaas, self_hosted, tenant)
    assert all(forbidden.values())

    lines = whole_log(jaas.emulator)

    assert len(lines) > MIN_LINES
    assert found(lines, forbidden) == set()


def test_every_request_left_one_line(tenant: Service) -> None:
    """The line is the audit record: who asked, what came of it, and digests for the rest."""
    answer = tenant.post(isModerator=True)
    records: list[dict[str, Any]] = [
        json.loads(line) for line in whole_log(tenant.emulator) if line.startswith('{"_aws"')
    ]

    claims = msgspec.json.decode(_payload(answer.json()["token"]))
    mine = [record for record in records if record.get("jti") == claims["jti"]]
    assert len(mine) == 1
    assert mine[0]["outcome"] == "issued"
    assert mine[0]["role"] == "moderator"
    assert mine[0]["client"] == "everything"
    assert mine[0]["exp"] == claims["exp"]
    assert len(mine[0]["room"]) == len(mine[0]["user"]) == 64


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
