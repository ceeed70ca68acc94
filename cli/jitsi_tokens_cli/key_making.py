"""New keys, and the documents in which the secret keeps them."""

import secrets
import string

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jitsi_tokens.keys import KeyDocument

SHARED_SECRET_CHARACTERS = 64


def make_rsa_key(bits: int) -> RSAPrivateKey:
    """Return a new RSA key, which exists in memory only."""
    return generate_private_key(public_exponent=65537, key_size=bits)


def make_shared_secret() -> str:
    """Return a new secret that every configuration file of Jitsi carries unharmed."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(SHARED_SECRET_CHARACTERS))


def rsa_document(kid: str, key: RSAPrivateKey) -> KeyDocument:
    """Return the document of an RSA key."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return KeyDocument(algorithm="RS256", kid=kid, private_key=pem)


def shared_document(kid: str, secret: str) -> KeyDocument:
    """Return the document of a shared secret."""
    return KeyDocument(algorithm="HS256", kid=kid, secret=secret)
