"""What is told of a key: for a person, for a script. Never its private part."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from jitsi_tokens.core.rsa_keys import public_pem
from jitsi_tokens_cli.output import echo, echo_json, echo_table, info, iso_time

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens.status import KeyStatus


def facts(key: SigningKey) -> dict[str, Any]:
    """Return what a script may know of a key."""
    public = key.public_key
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "fingerprint": key.fingerprint,
        "publicKey": public_pem(public) if public else None,
    }


def put_public_part(key: SigningKey) -> None:
    """Hand over a key's public part; a shared secret has none."""
    if key.public_key:
        echo(public_pem(key.public_key).strip())


def put_key(key: SigningKey, created_at: datetime, *, as_json: bool) -> None:
    """Show a key, with its public part if it has one."""
    if as_json:
        echo_json(facts(key) | {"createdAt": iso_time(created_at)})
        return
    rows = [
        ["Key id (kid)", key.kid],
        ["Algorithm", key.algorithm],
        ["Created", iso_time(created_at)],
    ]
    if key.fingerprint:
        rows.append(["Fingerprint (SHA-256)", key.fingerprint])
    echo_table(["Signing key", ""], rows)
    put_public_part(key)
    if not key.public_key:
        info("A shared secret has no public part.")


def status_document(status: KeyStatus) -> dict[str, Any]:
    """Return a check's answer for a script, its times readable."""
    document: dict[str, Any] = msgspec.to_builtins(status)
    document["checkedAt"] = _iso(status.checked_at)
    if status.key:
        document["key"]["createdAt"] = _iso(status.key.created_at)
    return document


def _iso(seconds: int) -> str:
    return iso_time(datetime.fromtimestamp(seconds, UTC))
