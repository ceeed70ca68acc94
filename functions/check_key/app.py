"""On a schedule and after every key change: can a token be signed? The answer goes to SSM."""

from __future__ import annotations

import os
import time
from typing import Any

import boto3
import msgspec

from jitsi_tokens import keys, secrets, telemetry
from jitsi_tokens.aws import PATIENT
from jitsi_tokens.findings import Finding, finding
from jitsi_tokens.public_keys import name_of
from jitsi_tokens.publication import Publication
from jitsi_tokens.rsa_keys import fingerprint, public_pem
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import KeyFacts, KeyStatus, write_status

SETTINGS = read_settings(os.environ)
SECRETS_MANAGER = boto3.client("secretsmanager", config=PATIENT)
SSM = boto3.client("ssm", config=PATIENT)
PUBLICATION = Publication(SSM, os.environ["PUBLIC_KEYS_PATH"])

# With these Jitsi refuses every token, or nobody can tell whether it does.
UNUSABLE = {"not-published", "published-key-differs", "publication-unreadable"}


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check the key, keep the answer, and return it."""
    status = _check(int(time.time()))
    for problem in status.problems:
        telemetry.logger().warning("the signing key cannot be used", cause=problem.code)
    write_status(SSM, os.environ["STATUS_PARAMETER"], status)
    answer: dict[str, Any] = msgspec.to_builtins(status)
    return answer


def _check(now: int) -> KeyStatus:
    try:
        version = secrets.fetch_current(SECRETS_MANAGER, os.environ["SIGNING_KEY_SECRET"])
        key = keys.read_key(
            version.text, algorithm=SETTINGS.algorithm, kid_prefix=SETTINGS.kid_prefix
        )
    except (secrets.SecretUnavailable, keys.KeyRefused) as error:
        return KeyStatus(
            configured=False, checked_at=now, problems=[finding(error.code, str(error))]
        )
    facts = KeyFacts(
        kid=key.kid,
        algorithm=key.algorithm,
        fingerprint=fingerprint(key.public_key) if key.public_key else None,
        created_at=int(version.created_at.timestamp()),
    )
    problems = _problems_of_publication(key, now) if SETTINGS.publishes_keys else []
    usable = not any(problem.code in UNUSABLE for problem in problems)
    return KeyStatus(configured=usable, checked_at=now, key=facts, problems=problems)


def _problems_of_publication(key: keys.SigningKey, now: int) -> list[Finding]:
    """Compare what Jitsi verifies with to what signs."""
    try:
        published = PUBLICATION.keys().get(name_of(key.kid))
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        what = f"The published keys cannot be read ({type(error).__name__})."
        return [finding("publication-unreadable", what)]
    if published is None or not published.is_served(now):
        return [finding("not-published", "The signing key's public part is not published.")]
    if key.public_key is None or published.pem != public_pem(key.public_key):
        return [finding("published-key-differs", "Another key is published under its kid.")]
    if published.expires_at is not None:
        return [finding("published-key-ends", "The signing key's public part is about to end.")]
    return []
