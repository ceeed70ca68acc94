"""A rotation of the signing key, its steps called as Secrets Manager calls them on AWS."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from local_stack.deployment import client
from local_stack.steps import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def rotate(emulator: Emulator, stack: Stack) -> Iterator[str]:
    """Take the steps one by one, naming each before it is taken.

    The emulator's own `rotate_secret` calls no function.

    Raises:
        Failure: a step was refused.
    """
    token = str(uuid.uuid4())
    for step in STEPS:
        yield step
        take_step(emulator, stack, step, token)


def _drop_leftovers(emulator: Emulator, stack: Stack, token: str) -> None:
    """Take AWSPENDING from every version but the token's: on AWS it moves to that by itself."""
    manager, secret = client(emulator, "secretsmanager"), stack.outputs["SigningKeySecret"]
    versions = manager.describe_secret(SecretId=secret).get("VersionIdsToStages", {})
    for version, stages in versions.items():
        if "AWSPENDING" in stages and version != token:
            manager.update_secret_version_stage(
                SecretId=secret, VersionStage="AWSPENDING", RemoveFromVersionId=version
            )


def take_step(
    emulator: Emulator, stack: Stack, step: str, token: str, secret_id: str | None = None
) -> None:
    """Take one step.

    Raises:
        Failure: it was refused.
    """
    if step == STEPS[0]:
        _drop_leftovers(emulator, stack, token)
    event = {
        "Step": step,
        "SecretId": secret_id or stack.outputs["SigningKeySecret"],
        "ClientRequestToken": token,
    }
    answer = client(emulator, "lambda").invoke(
        FunctionName=stack.outputs["RotateSigningKeyFunction"], Payload=json.dumps(event)
    )
    if answer.get("FunctionError"):
        raise Failure(json.load(answer["Payload"]).get("errorMessage", "no message"))
