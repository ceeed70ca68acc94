"""A published public key: where it is found, what is told of it, and for how long."""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

# Prosody caches a 200 whatever it holds, and hangs logins on what is no PEM.
_FOUR = r"[A-Za-z0-9+/]{4}"
_LAST = r"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
_PEM = (
    rf"^-----BEGIN PUBLIC KEY-----\n(?:(?:{_FOUR}){{16}}\n)*(?:{_FOUR}){{0,15}}{_LAST}\n"
    r"-----END PUBLIC KEY-----\n\Z"
)


class PublicKey(Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A public key as it is published. Times in epoch seconds.

    Attributes:
        n: modulus, base64url (RFC 7518, 6.3.1).
        e: exponent, base64url.
        retention_seconds: how long it was to be needed after its key's end, when it was published.
        expires_at: when no token that it verifies can be in use; None while its key signs.
    """

    kid: Annotated[str, Meta(min_length=1)]
    pem: Annotated[str, Meta(pattern=_PEM)]
    n: str
    e: str
    published_at: int
    retention_seconds: int = 0
    expires_at: int | None = None

    @property
    def name(self) -> str:
        """What Prosody asks for, less `.pem`."""
        return name_of(self.kid)

    def is_served(self, now: float) -> bool:
        """Tell whether a token may still need it."""
        return self.expires_at is None or now < self.expires_at

    def jwk(self) -> dict[str, str]:
        """Return its JWK (RFC 7517)."""
        return {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.kid,
            "n": self.n,
            "e": self.e,
        }


_DECODER = msgspec.json.Decoder(PublicKey)


def name_of(kid: str) -> str:
    """Return the SHA-256 of a `kid`, in hex, under which its key is found.

    Prosody: token/util.lib.lua asks for `<server>/<name>.pem`.
    """
    return hashlib.sha256(kid.encode()).hexdigest()


def write_public_key(key: PublicKey) -> str:
    """Return what SSM keeps of a key."""
    return msgspec.json.encode(key).decode()


def read_public_key(text: str, name: str) -> PublicKey | None:
    """Return the key that is kept under a name; None where it is no key, or another's."""
    try:
        key = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    return key if key.name == name else None


def jwks(keys: list[PublicKey]) -> dict[str, Any]:
    """Return the keys as a JWK set, the latest first."""
    latest_first = sorted(keys, key=lambda key: (-key.published_at, key.kid))
    return {"keys": [key.jwk() for key in latest_first]}
