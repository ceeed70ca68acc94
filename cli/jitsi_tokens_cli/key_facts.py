"""What may be told of a signing key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from jitsi_tokens.keys import fingerprint, public_pem
from jitsi_tokens_cli.output import iso_time, put, put_table, say

if TYPE_CHECKING:
    from datetime import datetime

    from jitsi_tokens.keys import SigningKey


class Facts(TypedDict):
    """A key's public side, as `key show --json` prints it."""

    kid: str
    algorithm: str
    createdAt: str
    fingerprint: str | None
    publicKey: str | None


def facts_of(key: SigningKey, created_at: datetime) -> Facts:
    """Return what may be told of a key."""
    public = key.public_key
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "createdAt": iso_time(created_at),
        "fingerprint": fingerprint(public) if public else None,
        "publicKey": public_pem(public) if public else None,
    }


def put_facts(facts: Facts) -> None:
    """Show them to a person."""
    rows = [
        ["Key id (kid)", facts["kid"]],
        ["Algorithm", facts["algorithm"]],
        ["Created", facts["createdAt"]],
    ]
    if facts["fingerprint"]:
        rows.append(["Fingerprint (SHA-256)", facts["fingerprint"]])
    put_table(["Signing key", ""], rows)
    if facts["publicKey"]:
        put(facts["publicKey"].strip())
    else:
        say("A shared secret has no public part.")
