"""An alarm's way: a broken key, the metric, the alarm, what the runbook says, and the repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from local_stack.metrics import alarm_states, put_metrics

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


def test_a_broken_key_rings_and_its_repair_is_measured(changing: Service) -> None:
    """The emulator makes no metrics of lines: that part of AWS's is taken here."""
    emulator, stack = changing.emulator, changing.stack
    deployment.client(emulator, "secretsmanager").put_secret_value(
        SecretId=stack.outputs["SigningKeySecret"], SecretString="not a key at all"
    )

    refused = changing.post()
    metrics = put_metrics(emulator, stack)
    rung = alarm_states(emulator, stack)[f"{stack.name}-missing-signing-key"]
    listed = changing.commands.run("key", "list", "--json")
    changing.commands.run("key", "rollback", "--yes", "--no-wait")
    changing.replace_containers()  # or they would ask again after 30 seconds
    issued = changing.post()
    mended = put_metrics(emulator, stack)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert refused.json()["type"] == "urn:jitsi-tokens:problem:unavailable"
    assert (metrics["MissingSigningKey"], rung) == (1, "ALARM")
    assert "initial" in listed
    assert issued.status_code == 200
    assert (mended["MissingSigningKey"], mended["Configured"]) == (0, 1)
