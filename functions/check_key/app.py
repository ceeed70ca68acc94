"""On a schedule and after every key change: can a token be signed? The answer goes to SSM."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time
from typing import Any, assert_never

import msgspec

from jitsi_tokens import aws, secrets, telemetry
from jitsi_tokens.core import keys
from jitsi_tokens.core.findings import Finding, finding
from jitsi_tokens.core.public_keys import PublicKey, name_of
from jitsi_tokens.core.rsa_keys import public_pem
from jitsi_tokens.key_metrics import write_metrics
from jitsi_tokens.publication import Publication
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import KeyStatus, facts_of, write_status

SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]
SETTINGS = read_settings(os.environ)
SECRETS_MANAGER = aws.client("secretsmanager", aws.FIRST_FETCH)
SSM = aws.client("ssm", aws.FIRST_FETCH)
PUBLICATION = Publication(SSM, os.environ["PUBLIC_KEYS_PATH"])

# A replaced key's, with every limit at its own limit.
LONGEST_RETENTION_SECONDS = 33 * 86_400 + 300
# With these Jitsi refuses every token, or nobody can tell whether it does.
UNUSABLE = {"not-published", "published-key-differs", "publication-unreadable"}

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check the key, keep the answer, and return it."""
    status = _check(int(time.time()))
    for problem in status.problems:
        telemetry.logger().warning("the signing key has a problem", cause=problem.code)
    write_status(SSM, os.environ["STATUS_PARAMETER"], status)
    # Last: an alarm takes silence for a failed check.
    write_metrics(SERVICE, status)
    answer: dict[str, Any] = msgspec.to_builtins(status)
    return answer


def _check(now: int) -> KeyStatus:
    try:
        version = fetch_version(SECRETS_MANAGER, os.environ["SIGNING_KEY_SECRET"])
        key = keys.read_key(
            version.text, algorithm=SETTINGS.algorithm, kid_prefix=SETTINGS.kid_prefix
        )
    except (secrets.SecretUnavailable, keys.KeyRefused) as error:
        return KeyStatus(
            configured=False, checked_at=now, problems=[_finding(error.code, str(error))]
        )
    match SETTINGS.trust:
        case "console" | "shared":
            problems = []
        case "published":
            problems = _problems_of_publication(key, now)
        case _:
            assert_never(SETTINGS.trust)
    usable = not any(problem.code in UNUSABLE for problem in problems)
    facts = facts_of(key, version.created_at)
    return KeyStatus(configured=usable, checked_at=now, key=facts, problems=problems)


def _problems_of_publication(key: keys.SigningKey, now: int) -> list[Finding]:
    """Compare what Jitsi verifies with to what signs."""
    try:
        everything = PUBLICATION.keys()
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        what = f"The published keys cannot be read ({type(error).__name__})."
        return [_finding("publication-unreadable", what)]
    return _problems_of_own_key(key, everything, now) + _problems_of_others(key, everything, now)


def _problems_of_own_key(
    key: keys.SigningKey, everything: dict[str, PublicKey], now: int
) -> list[Finding]:
    published = everything.get(name_of(key.kid))
    if published is None or not published.is_served(now):
        return [_finding("not-published")]
    if key.public_key is None or published.pem != public_pem(key.public_key):
        return [_finding("published-key-differs")]
    if published.expires_at is not None:
        return [_finding("published-key-ends")]
    return []


def _problems_of_others(
    key: keys.SigningKey, everything: dict[str, PublicKey], now: int
) -> list[Finding]:
    """Find keys that Jitsi would accept, that neither sign nor are about to, and have no end.

    Anyone who can publish their own key can make their own tokens.
    """
    latest_end = now + LONGEST_RETENTION_SECONDS
    endless = {
        published.kid
        for published in everything.values()
        if published.expires_at is None or published.expires_at > latest_end
    }
    strangers = endless - {key.kid}
    if strangers and (pending := _pending_kid()):
        strangers -= {pending}
    return [_finding("unknown-key-published")] if strangers else []


def _pending_kid() -> str | None:
    try:
        version = fetch_version(SECRETS_MANAGER, os.environ["SIGNING_KEY_SECRET"], secrets.PENDING)
        return keys.read_key(version.text, algorithm="RS256", kid_prefix="").kid
    except (secrets.SecretUnavailable, keys.KeyRefused):
        return None


def _finding(code: str, what: str = "") -> Finding:
    return finding(code, what, trust=SETTINGS.trust)
