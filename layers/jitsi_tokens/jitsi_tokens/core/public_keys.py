"""A published public key: where it is found, what it contains, and for how long."""

import base64
import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

# Prosody caches a 200 whatever it holds, and hangs logins on what is no PEM.
_FOUR = r"[A-Za-z0-9+/]{4}"
_LAST = r"(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
_PEM = (
    rf"^-----BEGIN PUBLIC KEY-----\n(?:(?:{_FOUR}){{16}}\n)*(?:{_FOUR}){{0,15}}{_LAST}\n"
    r"-----END PUBLIC KEY-----\n\Z"
)
# What a signing key must have too: keys.py, which is not imported, as it loads what signs.
_MIN_RSA_BITS = 2048
_SEQUENCE, _INTEGER, _BIT_STRING = 0x30, 0x02, 0x03
# A length from here on is the number of octets behind it that hold the length.
_LONG_FORM = 0x80
# RFC 8017, A.1: rsaEncryption, whose parameters are NULL.
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")


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


class _NoRsaKey(ValueError):
    """A PEM that holds no RSA key which may sign."""


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


def as_served(key: PublicKey) -> PublicKey | None:
    """Return a key with modulus and exponent read from its PEM; stored ones are ignored.

    None where the PEM holds no RSA key, or a weak one.
    """
    try:
        n, e = _rsa_numbers(key.pem)
    except _NoRsaKey:
        return None
    return replace(key, n=_base64url(n), e=_base64url(e))


def jwks(keys: list[PublicKey]) -> dict[str, Any]:
    """Return the keys as a JWK set, the latest first."""
    latest_first = sorted(keys, key=lambda key: (-key.published_at, key.kid))
    return {"keys": [key.jwk() for key in latest_first]}


def _rsa_numbers(pem: str) -> tuple[int, int]:
    """Return modulus and exponent of the key in a PEM (RFC 5280, 4.1; RFC 8017, A.1.1).

    Read here, as loading `cryptography` for it would make every cold start longer.
    """
    info = _only(_SEQUENCE, base64.b64decode("".join(pem.splitlines()[1:-1])))
    if not info.startswith(_RSA):
        raise _NoRsaKey
    bits = _only(_BIT_STRING, info[len(_RSA) :])
    if bits[:1] != b"\0":
        raise _NoRsaKey
    modulus, rest = _first(_INTEGER, _only(_SEQUENCE, bits[1:]))
    n, e = _positive(modulus), _positive(_only(_INTEGER, rest))
    # With an even number or an exponent of 1 anybody signs.
    if n.bit_length() < _MIN_RSA_BITS or not n & e & 1 or not 1 < e < n:
        raise _NoRsaKey
    return n, e


def _first(tag: int, der: bytes) -> tuple[bytes, bytes]:
    """Return the content of the first value of a DER text, and the rest behind it."""
    length, start = (der[1], 2) if len(der) > 1 else (0, 0)
    if length >= _LONG_FORM:
        start += length - _LONG_FORM
        length = int.from_bytes(der[2:start])
        if length < _LONG_FORM or not der[2]:
            raise _NoRsaKey  # DER has one form, the shortest.
    end = start + length
    if der[:1] != bytes([tag]) or len(der) < end:
        raise _NoRsaKey
    return der[start:end], der[end:]


def _only(tag: int, der: bytes) -> bytes:
    value, rest = _first(tag, der)
    if rest:
        raise _NoRsaKey
    return value


def _positive(integer: bytes) -> int:
    number = int.from_bytes(integer)
    if integer != number.to_bytes(number.bit_length() // 8 + 1):
        raise _NoRsaKey
    return number


def _base64url(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
