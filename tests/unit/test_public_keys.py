"""A published public key: where it is found, what it contains, and for how long."""

import base64
import hashlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from jitsi_tokens.core.public_keys import (
    PublicKey,
    as_served,
    jwks,
    name_of,
    read_public_key,
    write_public_key,
)
from jitsi_tokens.core.rsa_keys import private_pem
from tests.public_key_of import public_key_of

NOW = 1_800_000_000
BEGIN, END = "-----BEGIN PUBLIC KEY-----\n", "-----END PUBLIC KEY-----\n"
LINE = "MIIB" * 16 + "\n"
RSA = bytes.fromhex("300d06092a864886f70d0101010500")
MODULUS = (1 << 2047) + 1
# Of 128 octets, the first length that takes the long form: 81 80.
LONG = (1 << 1015) + 1
LONG_HEADS = (b"\x02\x80", b"\x02\x82\0\x80")


def base64url(number: int) -> str:
    """Return a number as a JWK has it."""
    octets = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def tlv(tag: int, content: bytes) -> bytes:
    """Return a value in DER."""
    length = len(content)
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    head = bytes([length]) if length < 0x80 else bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + content


def integer(number: int) -> bytes:
    """Return a positive integer in DER."""
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def pem_of(der: bytes) -> str:
    """Return a PEM of whatever it holds."""
    text = base64.b64encode(der).decode()
    return BEGIN + "\n".join(text[i : i + 64] for i in range(0, len(text), 64)) + "\n" + END


def spki(numbers: bytes, algorithm: bytes = RSA, *, behind: bytes = b"") -> bytes:
    """Return a SubjectPublicKeyInfo with something else instead of the two numbers."""
    return tlv(0x30, algorithm + tlv(0x03, b"\0" + tlv(0x30, numbers)) + behind)


SOUND = integer(MODULUS) + integer(65537)
OTHER_KINDS = [
    key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1()))
]


@pytest.fixture
def key(rsa_key: rsa.RSAPrivateKey) -> PublicKey:
    """Return a key as it is published."""
    return public_key_of(rsa_key)


@pytest.mark.parametrize(
    ("kid", "name"),
    [
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("é", hashlib.sha256(b"\xc3\xa9").hexdigest()),
    ],
)
def test_a_key_is_found_where_prosody_looks(key: PublicKey, kid: str, name: str) -> None:
    """Under the SHA-256 of its `kid`, in lower-case hex (FIPS 180-2's own example)."""
    assert name_of(kid) == replace(key, kid=kid).name == name


def test_a_key_is_served_until_its_end(key: PublicKey) -> None:
    """At its end it is over; one that signs has none, however late it is."""
    ending = replace(key, expires_at=NOW)

    assert ending.is_served(NOW - 0.001)
    assert not ending.is_served(NOW)
    assert key.is_served(1e12)


@pytest.mark.parametrize("expires_at", [None, 0, NOW])
def test_what_is_kept_reads_back(key: PublicKey, expires_at: int | None) -> None:
    """Whole, with an end or without."""
    kept = replace(key, expires_at=expires_at)

    assert read_public_key(write_public_key(kept), kept.name) == kept


def test_what_is_kept_stays_readable_from_one_release_to_the_next(key: PublicKey) -> None:
    """The members are those that a stack has in SSM already; it fits a parameter's 4 KB.

    After a release was taken back, keys with a member of tomorrow are still served.
    """
    text = write_public_key(replace(key, expires_at=NOW + 1))
    of_tomorrow = json.dumps(json.loads(write_public_key(key)) | {"use": "sig"})

    assert json.loads(text) == {
        "kid": key.kid,
        "pem": key.pem,
        "n": key.n,
        "e": key.e,
        "publishedAt": NOW,
        "expiresAt": NOW + 1,
    }
    assert len(text) < 4096
    assert read_public_key(of_tomorrow, key.name) == key


def test_a_key_under_anothers_name_is_none(key: PublicKey) -> None:
    """Nobody is given a key that its own `kid` does not lead to."""
    text = write_public_key(key)

    assert read_public_key(text, name_of("another")) is None
    assert read_public_key(text, key.name.upper()) is None
    assert read_public_key(text, "") is None


@pytest.mark.parametrize(
    "pem",
    [
        *("", " ", "\n", "not found", "<html></html>", "{}"),
        *(BEGIN, BEGIN + END, BEGIN + "\n" + END, BEGIN + LINE, LINE + END),
        *(BEGIN + "====\n" + END, BEGIN + "M===\n" + END, BEGIN + "MI\n" + END),
        *(BEGIN + "MI==\nMIIB\n" + END, BEGIN + "MII*\n" + END, BEGIN + "MII-_A==\n" + END),
        *(BEGIN + "MIIB\n\nMIIB\n" + END, BEGIN + "MIIB\nMIIB\n" + END),
        *(BEGIN + "Proc-Type: 4,ENCRYPTED\n" + LINE + END,),
        (BEGIN + LINE + END).rstrip("\n"),
        (BEGIN + LINE + END).replace("\n", "\r\n"),
        (BEGIN + LINE + END).replace("\n", ""),
        *(BEGIN + LINE + END + "\n", BEGIN + LINE + END + "more", "\n" + BEGIN + LINE + END),
        *(BEGIN + LINE + END + BEGIN + LINE + END, "x" + BEGIN + LINE + END),
        (BEGIN + LINE + END).replace("PUBLIC", "RSA PUBLIC"),
        (BEGIN + LINE + END).replace("PUBLIC", "PRIVATE"),
        (BEGIN + LINE + END).replace("PUBLIC KEY", "CERTIFICATE"),
    ],
)
def test_a_pem_that_is_none_is_refused(key: PublicKey, pem: str) -> None:
    """Prosody would keep it as the key, and every login would hang."""
    assert read_public_key(write_public_key(replace(key, pem=pem)), key.name) is None


@pytest.mark.parametrize("bits", [2048, 2056, 3072, 4096])
def test_a_pem_of_any_length_is_one(key: PublicKey, bits: int) -> None:
    """Its last line may be full, or end in padding."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << bits) - 1)
    pem = numbers.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    kept = replace(key, pem=pem.decode())

    assert read_public_key(write_public_key(kept), kept.name) == kept


@pytest.mark.parametrize(
    ("member", "value"),
    [
        *(("kid", ""), ("kid", None), ("kid", 7), ("pem", None), ("pem", []), ("n", None)),
        *(("n", 7), ("e", None), ("e", 65537), ("publishedAt", "now"), ("publishedAt", 1.5)),
        *(("publishedAt", None), ("expiresAt", "never"), ("expiresAt", 1.5)),
    ],
)
def test_a_member_of_another_kind_is_refused(key: PublicKey, member: str, value: object) -> None:
    """Nothing is guessed."""
    text = json.dumps(json.loads(write_public_key(key)) | {member: value})

    assert read_public_key(text, key.name) is None


@pytest.mark.parametrize("member", ["kid", "pem", "n", "e", "publishedAt"])
def test_a_member_that_is_missing_is_refused(key: PublicKey, member: str) -> None:
    """A key without an end alone is one; what has no modulus would break Prosody's reader."""
    members = json.loads(write_public_key(key))
    del members[member]

    assert read_public_key(json.dumps(members), key.name) is None


@given(text=st.text(st.characters(codec=None)), kid=st.text())
@example(text="\ud800", kid="a")
@example(text='{"kid":"\\ud800"}', kid="a")
@example(text='{"kid":' * 4000, kid="a")
@example(text='{"x":' + "[" * 4000 + "]" * 4000 + "}", kid="a")
@example(text='{"publishedAt":1e999}', kid="a")
@example(text='{"publishedAt":' + "9" * 4000 + "}", kid="a")
def test_arbitrary_text_is_no_key(text: str, kid: str) -> None:
    """And is no reason to fail: one value in SSM would hide all the others."""
    assert read_public_key(text, name_of(kid)) is None


def test_what_is_told_of_a_key_is_its_pems(rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """Somebody who writes another key's numbers beside it gives Jitsi nothing to take."""
    key, theirs = (public_key_of(each) for each in rsa_pool[:2])
    forged = replace(key, n=theirs.n, e="Aw")

    assert as_served(forged) == key


@pytest.mark.parametrize(
    ("exponent", "e"), [(3, "Aw"), (65537, "AQAB"), (65559, "AQAX"), (LONG, base64url(LONG))]
)
def test_numbers_are_read_as_cryptography_reads_them(key: PublicKey, exponent: int, e: str) -> None:
    """What the tests below spoil is sound before."""
    sound = replace(key, pem=pem_of(spki(integer(MODULUS) + integer(exponent))))

    found = as_served(sound)

    numbers = load_pem_public_key(sound.pem.encode())
    assert isinstance(numbers, rsa.RSAPublicKey)
    assert numbers.public_numbers() == rsa.RSAPublicNumbers(exponent, MODULUS)
    assert found == replace(sound, n=base64url(MODULUS), e=e)


@pytest.mark.parametrize(
    "der",
    [
        *OTHER_KINDS,
        spki(integer((1 << 1023) + 1) + integer(65537)),
        *(spki(integer(1 << 2046 | 1) + integer(65537)), spki(integer(MODULUS + 1) + integer(3))),
        *(spki(integer(MODULUS) + integer(e)) for e in (0, 1, 65536, MODULUS)),
        *(spki(integer(MODULUS)), spki(SOUND + integer(1)), spki(SOUND, behind=b"\5\0")),
        *(spki(SOUND) + b"\0", spki(SOUND)[:-1], b"", b"\x30", b"\x30\x80", b"\x30\x82\0"),
        spki(SOUND, bytes.fromhex("300b06092a864886f70d010101")),
        spki(SOUND, bytes.fromhex("300d06092a864886f70d01010a0500")),
        spki(tlv(0x02, MODULUS.to_bytes(256)) + integer(65537)),
        spki(tlv(0x02, b"\0\0" + MODULUS.to_bytes(256)) + integer(65537)),
        spki(tlv(0x04, b"\0" + MODULUS.to_bytes(256)) + integer(65537)),
        spki(integer(MODULUS) + bytes.fromhex("028103010001")),
        spki(integer(MODULUS) + bytes.fromhex("0280010001")),
        *(spki(integer(MODULUS) + head + LONG.to_bytes(128)) for head in LONG_HEADS),
        tlv(0x30, RSA + tlv(0x03, b"\1" + tlv(0x30, SOUND))),
        tlv(0x30, RSA + tlv(0x03, b"")),
    ],
    ids=lambda _: "der",  # each run makes other keys
)
def test_a_pem_of_anything_but_a_good_rsa_key_is_not_served(key: PublicKey, der: bytes) -> None:
    """Another kind of key, a weak one, and what two readers might read in two ways."""
    assert as_served(replace(key, pem=pem_of(der))) is None


def test_a_jwk_has_the_members_of_rfc_7517(key: PublicKey) -> None:
    """And nothing else: neither an end nor the PEM."""
    assert key.jwk() == {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": key.kid,
        "n": key.n,
        "e": "AQAB",
    }


def test_a_set_has_the_latest_first(rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """By when they were published, then by `kid`, so that the same keys are the same bytes."""
    first, second, third, fourth = (
        public_key_of(rsa_pool[0], kid, published_at=at)
        for kid, at in [("c", NOW), ("b", NOW - 1), ("a", NOW - 1), ("d", NOW + 1)]
    )

    sets = [jwks([first, second, third, fourth]), jwks([third, fourth, second, first])]

    assert sets[0] == sets[1]
    assert [member["kid"] for member in sets[0]["keys"]] == ["d", "c", "a", "b"]
    assert {member["kty"] for member in sets[0]["keys"]} == {"RSA"}


def test_a_set_verifies_the_tokens_of_its_keys(rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """As a reader of JWKS sees it: each by its `kid`, and no token of another key."""
    assert jwks([]) == {"keys": []}
    keys = jwt.PyJWKSet.from_dict(jwks([public_key_of(key) for key in rsa_pool[:2]]))

    for key in rsa_pool[:2]:
        kid = public_key_of(key).kid
        token = jwt.encode({"room": "visit-1"}, private_pem(key), algorithm="RS256")

        assert jwt.decode(token, keys[kid], algorithms=["RS256"]) == {"room": "visit-1"}

    other = jwt.encode({}, private_pem(rsa_pool[2]), algorithm="RS256")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(other, keys[kid], algorithms=["RS256"])
