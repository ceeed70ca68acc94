"""A public key as it is published, of a key made for the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.core.public_keys import PublicKey
from jitsi_tokens.core.rsa_keys import jwk, public_pem, thumbprint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


def public_key_of(
    key: RSAPrivateKey,
    kid: str | None = None,
    *,
    published_at: int = 1_800_000_000,
    expires_at: int | None = None,
) -> PublicKey:
    """Return a key's public part as it is published, by default under its thumbprint."""
    public = key.public_key()
    numbers = jwk(public)
    return PublicKey(
        kid=thumbprint(public) if kid is None else kid,
        pem=public_pem(public),
        n=numbers.n,
        e=numbers.e,
        published_at=published_at,
        expires_at=expires_at,
    )
