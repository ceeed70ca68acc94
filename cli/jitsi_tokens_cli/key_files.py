"""What people have as a key, read into what a stack can store."""

import warnings
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from jitsi_tokens.keys import MIN_RSA_BITS
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.files import as_text
from jitsi_tokens_cli.pem_text import private_block


def read_rsa_key(content: bytes, ask_passphrase: Callable[[], str]) -> rsa.RSAPrivateKey:
    """Return the RSA key of a file, validated in full.

    It may be PKCS#1, PKCS#8 or OpenSSH, encrypted, or pasted from an .env file. The passphrase is
    asked for only if there is need of one.

    Raises:
        CommandError: with what the file is instead, and nothing of its content.
    """
    label, pem = private_block(as_text(content))
    if label == "EC PRIVATE KEY":
        raise CommandError(_other_kind("an elliptic-curve"))
    if label == "DSA PRIVATE KEY":
        raise CommandError(_other_kind("a DSA"))
    try:
        key = _load(label, pem, None)
    except TypeError:
        key = _load_encrypted(label, pem, ask_passphrase())
    except (ValueError, UnsupportedAlgorithm):
        raise CommandError(
            "The private key is damaged, or of a kind that cannot be read: its numbers do not"
            " make a key. Take it from its source again."
        ) from None
    return _checked(key)


def _load(label: str, pem: bytes, passphrase: bytes | None) -> object:
    with warnings.catch_warnings():
        # A DSA key is refused below; that it is also out of date is not what matters.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        if label == "OPENSSH PRIVATE KEY":
            return load_ssh_private_key(pem, passphrase)
        return load_pem_private_key(pem, passphrase)


def _load_encrypted(label: str, pem: bytes, passphrase: str) -> object:
    try:
        return _load(label, pem, passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CommandError(
            "The passphrase is wrong, or the encrypted key is damaged. Nothing was stored."
        ) from None


def _checked(key: object) -> rsa.RSAPrivateKey:
    match key:
        case rsa.RSAPrivateKey() if key.key_size >= MIN_RSA_BITS:
            return key
        case rsa.RSAPrivateKey():
            raise CommandError(
                f"The RSA key is too short: it has {key.key_size} bits and needs {MIN_RSA_BITS}"
                " or more. 8x8 recommends 4096."
            )
        case ec.EllipticCurvePrivateKey():
            raise CommandError(_other_kind("an elliptic-curve"))
        case ed25519.Ed25519PrivateKey():
            raise CommandError(_other_kind("an Ed25519"))
        case dsa.DSAPrivateKey():
            raise CommandError(_other_kind("a DSA"))
        case _:
            raise CommandError(_other_kind("another kind of"))


def _other_kind(kind: str) -> str:
    return f"This is {kind} key. Tokens are signed with RS256, which takes an RSA key."
