"""What the last check of the signing key found, kept in SSM Parameter Store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from jitsi_tokens.core import findings
from jitsi_tokens.core.problems import UNAVAILABLE, Problem
from jitsi_tokens.telemetry import logger

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_ssm import SSMClient

    from jitsi_tokens.core.keys import SigningKey

FRESH_SECONDS = 5
# The check runs every five minutes; two missed runs are no accident.
OVERDUE_SECONDS = 15 * 60


class KeyFacts(Struct, frozen=True, rename="camel"):
    """What may be told of the signing key. `created_at` in epoch seconds."""

    kid: str
    algorithm: str
    fingerprint: str | None
    created_at: int


class KeyStatus(Struct, frozen=True, rename="camel"):
    """The answer of a check: whether a token was signed and verified. Epoch seconds."""

    configured: bool
    checked_at: int
    key: KeyFacts | None = None
    problems: list[findings.Finding] = []


NEVER_CHECKED = KeyStatus(configured=False, checked_at=0, problems=[findings.NEVER_CHECKED])


def facts_of(key: SigningKey, created_at: datetime) -> KeyFacts:
    """Return what may be told of a key."""
    return KeyFacts(
        kid=key.kid,
        algorithm=key.algorithm,
        fingerprint=key.fingerprint,
        created_at=int(created_at.timestamp()),
    )


def write_status(client: SSMClient, name: str, status: KeyStatus) -> None:
    """Keep a check's answer."""
    text = msgspec.json.encode(status).decode()
    client.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)


def read_status(client: SSMClient, name: str) -> KeyStatus:
    """Return the last check's answer; before the first one, that there was none."""
    text = client.get_parameter(Name=name)["Parameter"].get("Value", "")
    try:
        return msgspec.json.decode(text, type=KeyStatus)
    except msgspec.DecodeError:
        return NEVER_CHECKED


class CachedStatus:
    """The last check's answer, read at most every five seconds and outlived when SSM fails.

    SSM answers 40 reads a second to the whole account, and anybody may ask for the probe.

    Args:
        first_fetch: asks while there is nothing to answer with.
        refresh: asks while there is, and had better not wait long.
        name: the parameter's.
    """

    def __init__(self, *, first_fetch: SSMClient, refresh: SSMClient, name: str) -> None:
        self._first_fetch = first_fetch
        self._refresh = refresh
        self._name = name
        self._status: KeyStatus | None = None
        self._read_at = 0.0

    def get(self, now: float) -> KeyStatus:
        """Return the answer; `now` in epoch seconds.

        Raises:
            Problem: 503, SSM fails and there is no earlier answer.
        """
        if not 0 <= now - self._read_at < FRESH_SECONDS:
            self._read_at = now
            try:
                client = self._first_fetch if self._status is None else self._refresh
                self._status = read_status(client, self._name)
            except Exception as error:  # noqa: BLE001 - botocore raises more than its own class
                logger().warning("the key's status cannot be read", cause=type(error).__name__)
        if self._status is None:
            raise Problem(
                UNAVAILABLE, "The key's status cannot be read.", retry_after_seconds=FRESH_SECONDS
            )
        return self._status


def problems_of(status: KeyStatus, now: int) -> list[findings.Finding]:
    """Return what the check found, and whether the check itself has stopped."""
    if status.checked_at and now - status.checked_at > OVERDUE_SECONDS:
        return [*status.problems, findings.CHECK_OVERDUE]
    return status.problems
