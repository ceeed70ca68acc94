"""A signing key: read from its document, tried, and used."""

import hmac
import json
from base64 import urlsafe_b64decode
from typing import Any

import jwt
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


def with_exponent_3(key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """Return a private key whose parts do not belong together."""
    own = key.private_numbers()
    public = rsa.RSAPublicNumbers(3, own.public_numbers.n)
    numbers = rsa.RSAPrivateNumbers(own.p, own.q, own.d, own.dmp1, own.dmq1, own.iqmp, public)
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


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
    """HS256 over the secret as it is, never base64-decoded: as Prosody reads it."""
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
    ("code", "documents"),
    [
        ("wrong-algorithm", [rsa_document("x")]),
        ("wrong-kid", [shared_document(kid="")]),
        (
            "not-a-key-document",
            [shared_document(secret=None), shared_document(secret=None, private_key=SECRET)],
        ),
        ("key-too-short", [shared_document(secret=text) for text in ("", "a" * 31, "é" * 15)]),
    ],
)
def test_a_secret_that_cannot_sign_is_refused(code: str, documents: list[str]) -> None:
    """Of another algorithm, without a kid or a secret, or of fewer bytes than the hash has."""
    for document in documents:
        assert refusal(document, algorithm="HS256").code == code


def test_the_shortest_secret_counts_bytes() -> None:
    """Sixteen letters of two bytes are 32 bytes."""
    key = read_key(shared_document(secret="é" * 16), algorithm="HS256", kid_prefix="")

    assert key.verify(key.sign({"a": 1})) == {"a": 1}


@pytest.mark.parametrize(
    "kid",
    ["abc123", PREFIX, "VPAAS-magic-cookie-1/abc123", "vpaas-magic-cookie-2/abc123"],
)
def test_a_kid_of_another_stack_is_refused(kid: str, rsa_pem: str) -> None:
    """JaaS looks the key up by App ID and key id, in exactly this case."""
    problem = refusal(rsa_document(rsa_pem, kid=kid), kid_prefix=PREFIX)

    assert problem.code == "wrong-kid"
    assert "<App ID>/<key id>" in str(problem)


def test_a_key_that_waits_for_its_id_is_told_from_one_of_another_stack(rsa_pem: str) -> None:
    """8x8's console gives the id once it has the public key: until then nothing is wrong."""
    assert refusal(rsa_document(rsa_pem, kid=""), kid_prefix=PREFIX).code == "no-key-id"


def test_a_private_key_that_cannot_sign_is_refused(
    rsa_key: rsa.RSAPrivateKey, rsa_pem: str
) -> None:
    """Missing, no PEM, encrypted, the public half, too short, or of another kind."""
    framed = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
    locked = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"p"))
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - what is refused
    refused = {
        rsa_document(None): "not-a-key-document",
        rsa_document(None, secret=SECRET): "not-a-key-document",
        shared_document(): "wrong-algorithm",
        rsa_document(""): "unreadable-key",
        rsa_document(framed): "unreadable-key",
        rsa_document(locked.decode()): "unreadable-key",
        rsa_document(public_pem(rsa_key.public_key())): "unreadable-key",
        rsa_document(pem_of(short)): "key-too-short",
        rsa_document(pem_of(ec.generate_private_key(ec.SECP256R1()))): "not-rsa",
        # Its public exponent is another: it loads, as RSA parameters are not validated then.
        rsa_document(pem_of(with_exponent_3(rsa_key))): "self-check-failed",
    }

    assert {document: refusal(document).code for document in refused} == refused
    # Its text would become the secret.
    in_its_place = refusal(shared_document(secret=rsa_pem), algorithm="HS256")
    assert in_its_place.code == "self-check-failed"


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
    assert json.loads(document.text()) == json.loads(shared_document(kid="k"))
