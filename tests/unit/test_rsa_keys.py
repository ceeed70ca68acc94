"""RSA keys: what others may know of one."""

import hashlib
import json
import subprocess
from base64 import urlsafe_b64decode

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from jitsi_tokens.core.rsa_keys import (
    fingerprint,
    jwk,
    make_rsa_key,
    private_pem,
    public_pem,
    read_public_pem,
    thumbprint,
)

# RFC 7638, 3.1: a key and its thumbprint.
RFC_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJEC"
    "PebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM"
    "4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)
RFC_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def openssl(*arguments: str, given: str) -> bytes:
    """Return what openssl makes of a PEM."""
    finished = subprocess.run(  # noqa: S603 - openssl, with what this file asks of it
        ["openssl", *arguments],  # noqa: S607 - as it is installed
        input=given.encode(),
        check=True,
        capture_output=True,
    )
    return finished.stdout


def test_openssl_tells_the_same_of_a_key(rsa_key: rsa.RSAPrivateKey) -> None:
    """Its public PEM byte for byte, and the fingerprint that the docstring promises."""
    pem = openssl("rsa", "-pubout", given=private_pem(rsa_key))
    der = openssl("pkey", "-pubin", "-outform", "DER", given=pem.decode())

    assert public_pem(rsa_key.public_key()).encode() == pem
    assert fingerprint(rsa_key.public_key()) == hashlib.sha256(der).hexdigest()


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The RFC's own example; another key has another one."""
    modulus = int.from_bytes(urlsafe_b64decode(RFC_MODULUS + "=="))

    assert thumbprint(rsa.RSAPublicNumbers(65537, modulus).public_key()) == RFC_THUMBPRINT
    assert thumbprint(make_rsa_key(2048).public_key()) != RFC_THUMBPRINT


def test_the_jwks_numbers_are_the_keys_own(rsa_key: rsa.RSAPrivateKey) -> None:
    """Base64url of the big-endian modulus and exponent, without padding."""
    public = rsa_key.public_key()

    numbers = jwk(public)

    assert int.from_bytes(urlsafe_b64decode(numbers.n + "==")) == public.public_numbers().n
    assert numbers.e == "AQAB"
    assert "=" not in json.dumps(numbers)


def test_a_key_reads_back_from_its_pem(rsa_key: rsa.RSAPrivateKey) -> None:
    """The private one of a document, and the public one."""
    loaded = load_pem_private_key(private_pem(rsa_key).encode(), None)

    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.private_numbers() == rsa_key.private_numbers()
    assert read_public_pem(public_pem(rsa_key.public_key())) == rsa_key.public_key()


def test_what_is_no_rsa_key_reads_as_none() -> None:
    """Text, half a frame, half a character, or another kind of key: Jitsi takes RSA alone."""
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    for text in ("", "<html>", "-----BEGIN PUBLIC KEY-----\n", "\ud800", pem):
        assert read_public_pem(text) is None
