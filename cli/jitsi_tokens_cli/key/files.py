"""What people have as a key, read into what a stack can store."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning

from jitsi_tokens.core.keys import MIN_RSA_BITS, MIN_SECRET_BYTES
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

# Making and validating a longer one takes many seconds.
MAX_RSA_BITS = 8192

_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=")
_PEM_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----.*?-----END (?P=label)-----", re.DOTALL
)
_PEM_BEGIN = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----")
_SSH_PUBLIC_KEY = re.compile(
    r"(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+ AAAA|---- BEGIN SSH2 PUBLIC KEY"
)
# docker-jitsi-meet writes the secret into Prosody's Lua, by way of a shell's .env file.
_BREAKS_JITSI = "\"\\'$#"
_DAMAGED = (
    "The private key is damaged, or of a kind that cannot be read: its numbers do not make a key."
    " Take it from its source again."
)


def read_rsa_key(content: bytes, ask_passphrase: Callable[[], str]) -> rsa.RSAPrivateKey:
    """Return the RSA key of a file, validated in full.

    It may be PKCS#1, PKCS#8 or OpenSSH, encrypted, or pasted from an .env file. The passphrase is
    asked for only if there is need of one.

    Raises:
        CommandError: with what the file is instead, and nothing of its content.
    """
    label, pem = _private_block(_as_text(content))
    if label == "EC PRIVATE KEY":
        raise CommandError(_other_kind("an elliptic-curve"))
    if label == "DSA PRIVATE KEY":
        raise CommandError(_other_kind("a DSA"))
    try:
        key = _load(label, pem, None)
    except TypeError:
        key = _load_encrypted(label, pem, ask_passphrase())
    except (ValueError, UnsupportedAlgorithm):
        raise CommandError(_DAMAGED) from None
    return _validated(_of_fitting_kind(key))


def read_shared_secret(content: bytes) -> str:
    """Return the shared secret of a file, without the line end that editors add.

    Raises:
        CommandError: Jitsi could not use it, or it is too weak.
    """
    secret = _as_text(content).removesuffix("\n").removesuffix("\r")
    if secret.startswith("JWT_APP_SECRET="):
        raise CommandError("Give the secret alone, without JWT_APP_SECRET= before it.")
    if not all("!" <= character <= "~" for character in secret):
        raise CommandError(
            "A shared secret is one line of printable ASCII without spaces: Jitsi reads it from"
            " an environment variable."
        )
    if any(character in secret for character in _BREAKS_JITSI):
        raise CommandError(
            "A shared secret holds none of \" \\ ' $ #: they break the configuration that"
            " docker-jitsi-meet generates from it."
        )
    if len(secret) < MIN_SECRET_BYTES:
        raise CommandError(
            f"The shared secret is too short: HS256 needs {MIN_SECRET_BYTES} bytes or more."
        )
    return secret


def _as_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            "The file is binary. Make a PEM of it first: openssl pkey -inform DER -in FILE."
        ) from None
    if not text.strip():
        raise CommandError("The file is empty.")
    return text


def _private_block(text: str) -> tuple[str, bytes]:
    """Return the label and the PEM of the only private key in a text."""
    text = _unescaped(text)
    blocks = [
        found for found in _PEM_BLOCK.finditer(text) if found["label"].endswith("PRIVATE KEY")
    ]
    match blocks:
        case [block]:
            return block["label"], f"{block[0]}\n".encode()
        case [_, *_]:
            raise CommandError("The file holds several private keys: give one with the one to use.")
    labels = {found["label"] for found in _PEM_BEGIN.finditer(text)}
    if any(label.endswith("PRIVATE KEY") for label in labels):
        raise CommandError("The private key is cut off: its END line is missing.")
    if any(label.endswith("PUBLIC KEY") for label in labels) or _SSH_PUBLIC_KEY.match(text):
        raise CommandError("This is a public key. The stack signs, so it needs the private key.")
    if any("CERTIFICATE" in label for label in labels):
        raise CommandError(
            "This is a certificate. The stack signs, so it needs the private key that goes with it."
        )
    if text.startswith("PuTTY-User-Key-File"):
        raise CommandError("This is a PuTTY key. Export it as an OpenSSH key with PuTTYgen first.")
    raise CommandError(
        "This is no private key: a PEM file begins with -----BEGIN PRIVATE KEY-----,"
        " -----BEGIN RSA PRIVATE KEY----- or the like."
    )


def _unescaped(text: str) -> str:
    """Undo what an .env file does to a PEM: a name, quotes, written-out line ends."""
    value = _ASSIGNMENT.sub("", text.strip(), count=1) if _ASSIGNMENT.match(text.strip()) else text
    value = value.strip().strip("\"'")
    value = value.replace("\\r", "").replace("\\n", "\n")
    return "\n".join(line.strip() for line in value.splitlines())


def _load(label: str, pem: bytes, passphrase: bytes | None) -> object:
    load = load_ssh_private_key if label == "OPENSSH PRIVATE KEY" else load_pem_private_key
    with warnings.catch_warnings():
        # A DSA key is refused below; that it is also out of date is not what matters.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        # RSA numbers are validated after their length, which validation's time depends on.
        return load(pem, passphrase, unsafe_skip_rsa_key_validation=True)


def _load_encrypted(label: str, pem: bytes, passphrase: str) -> object:
    try:
        return _load(label, pem, passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CommandError(
            "The passphrase is wrong, or the encrypted key is damaged. Nothing was stored."
        ) from None


def _of_fitting_kind(key: object) -> rsa.RSAPrivateKey:
    match key:
        case rsa.RSAPrivateKey() if key.key_size < MIN_RSA_BITS:
            raise CommandError(
                f"The RSA key is too short: it has {key.key_size} bits and needs {MIN_RSA_BITS}"
                " or more. 8x8 recommends 4096."
            )
        case rsa.RSAPrivateKey() if key.key_size > MAX_RSA_BITS:
            raise CommandError(
                f"The RSA key is too long: it has {key.key_size} bits and may have"
                f" {MAX_RSA_BITS} at most. 8x8 recommends 4096."
            )
        case rsa.RSAPrivateKey():
            return key
        case ec.EllipticCurvePrivateKey():
            raise CommandError(_other_kind("an elliptic-curve"))
        case ed25519.Ed25519PrivateKey():
            raise CommandError(_other_kind("an Ed25519"))
        case dsa.DSAPrivateKey():
            raise CommandError(_other_kind("a DSA"))
        case _:
            raise CommandError(_other_kind("another kind of"))


def _validated(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    try:
        return key.private_numbers().private_key()
    except ValueError:
        raise CommandError(_DAMAGED) from None


def _other_kind(kind: str) -> str:
    return f"This is {kind} key. Tokens are signed with RS256, which takes an RSA key."
