"""An alarm's way: a broken key, the metric, the alarm, what the runbook says, and the repair."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local_stack import deployment
from local_stack.metrics import alarm_states, put_metrics
from tests.stack.service import EVERYTHING, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator

pytestmark = pytest.mark.stack


@pytest.fixture
def alarmed(running_emulator: Emulator) -> Iterator[Service]:
    """A stack of this test's own, as its key is broken: self-hosted with a shared secret."""
    stack = deployment.deploy(running_emulator, "self-hosted", name="jitsi-tokens-alarmed")
    service = Service(running_emulator, stack)
    with service.http:
        yield service


def state(service: Service, alarm: str) -> str:
    """Return the state of one of the stack's alarms."""
    return alarm_states(service.emulator, service.stack)[f"{service.stack.name}-{alarm}"]


def test_a_broken_key_rings_and_its_repair_is_measured(alarmed: Service) -> None:
    """The emulator makes no metrics of lines: that part of AWS's is taken here."""
    api_key = alarmed.add_client("alarmed", *EVERYTHING)
    secrets = deployment.client(alarmed.emulator, "secretsmanager")
    secret = alarmed.stack.outputs["SigningKeySecret"]
    secrets.put_secret_value(SecretId=secret, SecretString="not a key at all")

    refused = alarmed.post(api_key)
    metrics = put_metrics(alarmed.emulator, alarmed.stack)
    rung = state(alarmed, "missing-signing-key")
    listed = json.loads(alarmed.commands.run("key", "list", "--json"))
    alarmed.commands.run("key", "rollback", "--yes", "--no-wait")
    alarmed.replace_containers()  # or they would ask again after 30 seconds
    issued = alarmed.post(api_key)
    mended = put_metrics(alarmed.emulator, alarmed.stack)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert (metrics["MissingSigningKey"], rung) == (1, "ALARM")
    assert "initial" in json.dumps(listed)
    assert issued.status_code == 200
    assert (mended["MissingSigningKey"], mended["Configured"]) == (0, 1)
