"""A signing key: read from its document, tried, and used."""

import hmac
import json
from base64 import urlsafe_b64decode
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from jitsi_tokens.core.keys import (
    Algorithm,
    KeyDocument,
    KeyRefused,
    SigningKey,
    read_key,
)
from jitsi_tokens.core.rsa_keys import public_pem

SECRET = "Never-In-A-Log-0123456789-abcdef"
KID = "vpaas-magic-cookie-1/abc123"
PREFIX = "vpaas-magic-cookie-1/"


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PKCS #8."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def rsa_document(pem: str | None, **changes: Any) -> str:
    """Return the document of an RSA key."""
    return json.dumps({"algorithm": "RS256", "kid": KID, "private_key": pem} | changes)


def shared_document(**changes: Any) -> str:
    """Return the document of a shared secret."""
    return json.dumps({"algorithm": "HS256", "kid": "initial", "secret": SECRET} | changes)


def refusal(document: str, *, algorithm: Algorithm = "RS256", kid_prefix: str = "") -> KeyRefused:
    """Return why a document is refused."""
    with pytest.raises(KeyRefused) as refused:
        read_key(document, algorithm=algorithm, kid_prefix=kid_prefix)
    return refused.value


def test_an_rsa_key_signs_what_its_public_part_verifies(rsa_pem: str) -> None:
    """RS256 with the document's kid, verified here without the library that signed."""
    key = read_key(rsa_document(rsa_pem), algorithm="RS256", kid_prefix=PREFIX)

    header, claims, signature = key.sign({"room": "r"}).split(".")

    assert json.loads(urlsafe_b64decode(header + "==")) == {
        "alg": "RS256",
        "kid": KID,
        "typ": "JWT",
    }
    assert json.loads(urlsafe_b64decode(claims + "==")) == {"room": "r"}
    assert key.public_key is not None
    key.public_key.verify(
        urlsafe_b64decode(signature + "=="), f"{header}.{claims}".encode(), PKCS1v15(), SHA256()
    )


def test_a_shared_secret_signs_with_its_raw_bytes() -> None:
    """HS256 over the secret as it stands, never base64-decoded: as Prosody reads it."""
    key = read_key(shared_document(), algorithm="HS256", kid_prefix="")

    header, claims, signature = key.sign({"room": "r"}).split(".")

    expected = hmac.digest(SECRET.encode(), f"{header}.{claims}".encode(), "sha256")
    assert urlsafe_b64decode(signature + "==") == expected
    assert (key.algorithm, key.kid, key.public_key) == ("HS256", "initial", None)


def test_a_key_verifies_its_own_tokens_whenever_they_are_from(rsa_pem: str) -> None:
    """Times and audience are not its business."""
    key = read_key(rsa_document(rsa_pem), algorithm="RS256", kid_prefix="")
    claims = {"aud": "jitsi", "exp": 1, "nbf": 9_999_999_999, "iat": 9_999_999_999}

    assert key.verify(key.sign(claims)) == claims


@pytest.mark.parametrize("change", ["signature", "claims", "algorithm"])
def test_a_key_refuses_what_it_did_not_sign(change: str) -> None:
    """A changed signature, other claims, or no signature at all."""
    key = SigningKey("HS256", "k", SECRET.encode())
    header, claims, signature = key.sign({"room": "r"}).split(".")
    forged = {
        "signature": f"{header}.{claims}.{signature[:-4]}AAAA",
        "claims": f"{header}.{key.sign({'room': '*'}).split('.')[1]}.{signature}",
        "algorithm": jwt.encode({"room": "r"}, "", algorithm="none"),
    }[change]

    with pytest.raises(jwt.PyJWTError):
        key.verify(forged)


@pytest.mark.parametrize(
    "document",
    [
        *("", "{", "null", "[]", '"text"', "-----BEGIN PRIVATE KEY-----"),
        '{"kid": "k", "private_key": "x"}',
        '{"algorithm": "ES256", "kid": "k", "private_key": "x"}',
        '{"algorithm": "none", "kid": "k"}',
        '{"algorithm": "RS256", "kid": 7, "private_key": "x"}',
        '{"algorithm": "RS256", "kid": "k", "private_key": ["x"]}',
        '{"algorithm": "RS256", "kid": "k", "private_key": "x", "admin": true}',
        '{"algorithm": "RS256", "kid": "\\ud800"}',
        '{"algorithm": "RS256", "kid": "\ud800"}',
    ],
)
def test_what_is_no_key_document_is_refused(document: str) -> None:
    """Anything but an object of the known fields."""
    assert refusal(document).code == "not-a-key-document"


@pytest.mark.parametrize(
    ("algorithm", "document"),
    [("RS256", shared_document()), ("HS256", rsa_document("x"))],
    ids=["secret-for-rsa", "rsa-for-secret"],
)
def test_a_key_for_another_algorithm_is_refused(algorithm: Algorithm, document: str) -> None:
    """A stack signs with one algorithm: Jitsi is set to one."""
    assert refusal(document, algorithm=algorithm).code == "wrong-algorithm"


@pytest.mark.parametrize(
    "kid",
    ["", "abc123", PREFIX, "VPAAS-magic-cookie-1/abc123", "vpaas-magic-cookie-2/abc123"],
    ids=["empty", "bare", "prefix-alone", "other-case", "other-app"],
)
def test_a_kid_of_another_stack_is_refused(kid: str, rsa_pem: str) -> None:
    """JaaS looks the key up by App ID and key id, in exactly this case."""
    problem = refusal(rsa_document(rsa_pem, kid=kid), kid_prefix=PREFIX)

    assert problem.code == "wrong-kid"
    assert "<App ID>/<key id>" in str(problem)


def test_a_shared_secret_needs_a_kid_too() -> None:
    """Without one there is nothing to tell two keys apart by."""
    problem = refusal(shared_document(kid=""), algorithm="HS256")

    assert (problem.code, str(problem)) == ("wrong-kid", "The key has no kid.")


@pytest.mark.parametrize(
    ("algorithm", "document"),
    [
        ("RS256", rsa_document(None)),
        ("HS256", shared_document(secret=None)),
        ("RS256", rsa_document(None, secret=SECRET)),
        ("HS256", shared_document(secret=None, private_key=SECRET)),
    ],
    ids=["no-private-key", "no-secret", "secret-instead", "private-key-instead"],
)
def test_a_document_without_its_key_is_refused(algorithm: Algorithm, document: str) -> None:
    """The field that the algorithm needs must be there."""
    assert refusal(document, algorithm=algorithm).code == "not-a-key-document"


@pytest.mark.parametrize("secret", ["", "a" * 31, "é" * 15], ids=["empty", "31-bytes", "30-bytes"])
def test_a_short_secret_is_refused(secret: str) -> None:
    """RFC 7518 wants as many bytes as the hash has."""
    assert refusal(shared_document(secret=secret), algorithm="HS256").code == "key-too-short"


def test_the_shortest_secret_counts_bytes() -> None:
    """Sixteen letters of two bytes are 32 bytes."""
    key = read_key(shared_document(secret="é" * 16), algorithm="HS256", kid_prefix="")

    assert key.verify(key.sign({"a": 1})) == {"a": 1}


@pytest.mark.parametrize(
    "pem", ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_pem_is_refused(pem: str) -> None:
    """Garbage, in a frame or without."""
    assert refusal(rsa_document(pem)).code == "unreadable-key"


def test_an_encrypted_private_key_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    """Nobody is there to type its password."""
    pem = rsa_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
    )

    assert refusal(rsa_document(pem.decode())).code == "unreadable-key"


def test_a_public_key_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    """The other half, pasted by mistake, cannot sign."""
    assert refusal(rsa_document(public_pem(rsa_key.public_key()))).code == "unreadable-key"


def test_a_key_that_is_not_rsa_is_refused() -> None:
    """Jitsi reads no elliptic curves."""
    pem = pem_of(ec.generate_private_key(ec.SECP256R1()))

    assert refusal(rsa_document(pem)).code == "not-rsa"


def test_a_short_rsa_key_is_refused() -> None:
    """1,024 bits are too few."""
    pem = pem_of(rsa.generate_private_key(65537, 1024))  # noqa: S505 - what is refused

    assert refusal(rsa_document(pem)).code == "key-too-short"


def test_a_key_whose_parts_do_not_belong_together_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    """It loads, as RSA parameters are not validated then, but what it signs does not verify."""
    numbers = rsa_key.private_numbers()
    other = rsa.RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        numbers.d,
        numbers.dmp1,
        numbers.dmq1,
        numbers.iqmp,
        rsa.RSAPublicNumbers(3, numbers.public_numbers.n),
    ).private_key(unsafe_skip_rsa_key_validation=True)

    assert refusal(rsa_document(pem_of(other))).code == "self-check-failed"


def test_a_secret_that_is_a_pem_is_refused(rsa_pem: str) -> None:
    """A private key in the place of a shared secret would make its text the secret."""
    assert refusal(shared_document(secret=rsa_pem), algorithm="HS256").code == "self-check-failed"


@pytest.mark.parametrize(
    "document",
    [
        shared_document(algorithm=SECRET),
        shared_document(kid=SECRET, secret=SECRET[:20]),
        shared_document(secret=[SECRET]),
        shared_document(extra=SECRET),
        SECRET,
    ],
    ids=["as-algorithm", "as-kid", "in-a-list", "as-more", "alone"],
)
def test_a_refusal_holds_nothing_of_the_document(document: str) -> None:
    """Neither its text nor its cause: it goes to logs and diagnostics."""
    refused = refusal(document, algorithm="HS256")

    assert SECRET[:20] not in f"{refused} {refused.code} {refused!r} {refused.__cause__!r}"


def test_a_key_document_hides_its_content() -> None:
    """Its repr says the algorithm alone; what is not there stays out of its JSON."""
    document = KeyDocument(algorithm="HS256", kid="k", secret=SECRET)

    assert repr(document) == "KeyDocument(algorithm='HS256')"
    assert json.loads(msgspec.json.encode(document)) == json.loads(shared_document(kid="k"))
