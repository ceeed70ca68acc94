"""The four steps of a rotation by Secrets Manager, for the stack whose public keys it publishes."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time
from typing import TYPE_CHECKING, Any, assert_never

import urllib3

from jitsi_tokens import aws, telemetry
from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.publication import Publication
from jitsi_tokens.rotation import Rotation, RotationRefused
from jitsi_tokens.secrets_manager import SigningSecret
from jitsi_tokens.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SETTINGS = read_settings(os.environ)
SECRETS_MANAGER = aws.client("secretsmanager", aws.FIRST_FETCH)
SSM = aws.client("ssm", aws.FIRST_FETCH)
SIGNING_KEY_SECRET = os.environ["SIGNING_KEY_SECRET"]

_TIMEOUT_SECONDS = 5
# What a step still needs after the last time that it asks the public address.
_MARGIN_SECONDS = 30
_MAX_PEM_BYTES = 16_384
_OK = 200

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Do the step that Secrets Manager asks for.

    Raises:
        RotationRefused: why not; Secrets Manager shows it, and keeps the current key.
    """
    match SETTINGS.trust:
        case "console" | "shared":
            raise RotationRefused(
                "This stack's key does not rotate by itself, as the other side has to know it"
                " first: run `jitsi-tokens key stage`, then `key promote`. Nothing was changed."
            )
        case "published":
            pass
        case _:
            assert_never(SETTINGS.trust)
    if event.get("SecretId") != SIGNING_KEY_SECRET:
        raise RotationRefused("This function rotates only its own stack's signing key.")
    token = event.get("ClientRequestToken")
    if not isinstance(token, str) or not token:
        raise RotationRefused("The event names no version: ClientRequestToken is missing.")
    steps = {
        "createSecret": Rotation.create,
        "setSecret": Rotation.publish,
        "testSecret": Rotation.test,
        "finishSecret": Rotation.finish,
    }
    step = steps.get(event.get("Step", ""))
    if step is None:
        raise RotationRefused(f"The steps are: {', '.join(steps)}.")
    try:
        step(_rotation(context.get_remaining_time_in_millis() / 1000), token)
    except RotationRefused:
        raise
    except KeyRefused as error:
        raise RotationRefused(f"The new key cannot sign: {error}") from None
    except Exception as error:  # noqa: BLE001 - an error's text may quote what it was given
        telemetry.report(error)
        raise RotationRefused("The step failed, and can be repeated: see the log.") from None


def _rotation(seconds_left: float) -> Rotation:
    return Rotation(
        SigningSecret(SECRETS_MANAGER, SIGNING_KEY_SECRET),
        Publication(SSM, os.environ["PUBLIC_KEYS_PATH"]),
        fetch=_fetch,
        deadline=time.time() + seconds_left - _MARGIN_SECONDS,
        lead_seconds=int(os.environ["PUBLICATION_LEAD_SECONDS"]),
        retention_seconds=SETTINGS.key_retention_seconds,
        clock=Clock(time.time, time.sleep),
    )


def _fetch(name: str) -> str | None:
    """Return what Jitsi would be given for a name; None where that is no key, or no answer."""
    try:
        answer = urllib3.request(
            "GET",
            f"{os.environ['PUBLIC_URL']}/asap/{name}.pem",
            timeout=_TIMEOUT_SECONDS,
            retries=False,
            redirect=False,
            preload_content=False,
        )
        body = answer.read(_MAX_PEM_BYTES)
        return body.decode() if answer.status == _OK else None
    except (urllib3.exceptions.HTTPError, UnicodeDecodeError):
        return None
