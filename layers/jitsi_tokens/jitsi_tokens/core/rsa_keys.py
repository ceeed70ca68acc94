"""RSA keys: made, and told of by what others may know."""

import base64
import hashlib
import json
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from jwt.algorithms import RSAAlgorithm

# What 8x8's instructions ask for.
RSA_BITS = 4096


class Jwk(NamedTuple):
    """The numbers of a public key as a JWK has them: base64url (RFC 7518, 6.3.1)."""

    n: str
    e: str


def make_rsa_key(bits: int = RSA_BITS) -> RSAPrivateKey:
    """Return a new RSA key, which exists in memory only."""
    return generate_private_key(public_exponent=65537, key_size=bits)


def private_pem(key: RSAPrivateKey) -> str:
    """Return the PEM that a signing key's document holds (PKCS#8)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: RSAPublicKey) -> str:
    """Return the PEM that 8x8's console and Prosody take (`BEGIN PUBLIC KEY`)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public_pem(text: str) -> RSAPublicKey | None:
    """Return the RSA public key of a PEM; None where it holds anything else."""
    try:
        # Of half a character no PEM is made.
        key = load_pem_public_key(text.encode(errors="replace"))
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def fingerprint(key: RSAPublicKey) -> str:
    """Return the SHA-256 of the public key's DER, in hex: `openssl pkey -pubin -outform DER`."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def jwk(key: RSAPublicKey) -> Jwk:
    """Return the numbers of a public key for a JWKS."""
    members = RSAAlgorithm.to_jwk(key, as_dict=True)
    return Jwk(members["n"], members["e"])


def thumbprint(key: RSAPublicKey) -> str:
    """Return the JWK thumbprint (RFC 7638): a `kid` that no other key can have."""
    numbers = jwk(key)
    members = {"e": numbers.e, "kty": "RSA", "n": numbers.n}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
