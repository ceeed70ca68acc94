"""Key files as people have them."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key.files import read_rsa_key, read_shared_secret

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

FORMATS = [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8, PrivateFormat.OpenSSH]
DAMAGED = "The private key is damaged"

needs_ssh_keygen = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen")
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl")


def never() -> str:
    """Fail: no passphrase should be asked for."""
    pytest.fail("asked for a passphrase")


def read(content: str | bytes) -> rsa.RSAPrivateKey:
    """Read a key that needs no passphrase."""
    return read_rsa_key(content if isinstance(content, bytes) else content.encode(), never)


def pem_of(key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    """Return a private key's PEM."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def made_by(tmp_path: Path, *command: str) -> bytes:
    """Return the file `key` that a command makes."""
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)  # noqa: S603 - ours
    return (tmp_path / "key").read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_reads_every_format_of_rsa_keys(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat) -> None:
    """PKCS#1, PKCS#8 and OpenSSH are the same key."""
    assert read(pem_of(rsa_key, form)).private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("form", FORMATS)
def test_reads_encrypted_keys(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat) -> None:
    """Each format may be encrypted with a passphrase."""
    content = rsa_key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open"))

    key = read_rsa_key(content, lambda: "open")

    assert key.private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("form", FORMATS)
def test_refuses_a_wrong_passphrase(rsa_key: rsa.RSAPrivateKey, form: PrivateFormat) -> None:
    """A wrong passphrase is a sentence that does not repeat it, nor chains what could."""
    content = rsa_key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open"))

    with pytest.raises(CommandError, match="The passphrase is wrong") as refused:
        read_rsa_key(content, lambda: "sesame")

    assert "sesame" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param(lambda pem: pem.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda pem: "\ufeff" + pem, id="byte order mark"),
        pytest.param(lambda pem: pem.replace("\n", "\\n"), id="written-out line ends"),
        pytest.param(lambda pem: pem.replace("\n", "\\r\\n"), id="written-out CRLF"),
        pytest.param(lambda pem: '"{}"\n'.format(pem.replace("\n", "\\n")), id="quoted"),
        pytest.param(
            lambda pem: "JITSI_PRIVATE_KEY='{}'\n".format(pem.replace("\n", "\\n")), id=".env"
        ),
        pytest.param(lambda pem: f'export JITSI_PRIVATE_KEY="{pem}"\n', id=".env, real line ends"),
        pytest.param(
            lambda pem: "\n".join(f"    {line}" for line in pem.splitlines()), id="indented"
        ),
        pytest.param(lambda pem: f"Bag Attributes\n  friendlyName: x\n{pem}", id="PKCS#12 export"),
    ],
)
def test_reads_what_people_paste(rsa_key: rsa.RSAPrivateKey, pasted: object) -> None:
    """A PEM survives .env files, Windows and indentation."""
    assert callable(pasted)

    key = read(pasted(pem_of(rsa_key)))

    assert key.private_numbers() == rsa_key.private_numbers()


@needs_ssh_keygen
@pytest.mark.parametrize("form", ["PEM", "PKCS8", "RFC4716"])
@pytest.mark.parametrize("passphrase", ["", "a passphrase"])
def test_reads_what_ssh_keygen_makes(tmp_path: Path, form: str, passphrase: str) -> None:
    """8x8's own instructions use ssh-keygen."""
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", form]
    content = made_by(tmp_path, *command, "-f", "key", "-N", passphrase)

    key = read_rsa_key(content, (lambda: passphrase) if passphrase else never)

    assert key.key_size == 2048


@needs_ssh_keygen
def test_reads_the_key_of_8x8s_instructions(tmp_path: Path) -> None:
    """Ssh-keygen -t rsa -b 4096 -m PEM is the line that 8x8 documents."""
    command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "4096", "-m", "PEM", "-N", ""]

    assert read(made_by(tmp_path, *command, "-f", "key")).key_size == 4096


@needs_openssl
@pytest.mark.parametrize("command", [["genrsa"], ["genrsa", "-traditional"]])
def test_reads_what_openssl_makes(tmp_path: Path, command: list[str]) -> None:
    """Openssl genrsa makes PKCS#8, with -traditional PKCS#1."""
    assert read(made_by(tmp_path, "openssl", *command, "-out", "key", "2048")).key_size == 2048


@needs_ssh_keygen
@pytest.mark.parametrize("form", ["PEM", "RFC4716"])
def test_refuses_dsa_keys(tmp_path: Path, form: str) -> None:
    """A DSA key is named as one, in both formats that ssh-keygen writes."""
    command = ["ssh-keygen", "-q", "-t", "dsa", "-N", ""]
    try:
        content = made_by(tmp_path, *command, "-m", form, "-f", "key")
    except subprocess.CalledProcessError:
        pytest.skip("this ssh-keygen makes no DSA keys")

    with pytest.raises(CommandError, match="This is a DSA key"):
        read(content)


@needs_openssl
def test_refuses_an_elliptic_curve_key_with_its_parameters(tmp_path: Path) -> None:
    """Openssl ecparam writes two blocks; the key among them is named."""
    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-out", "key"]

    with pytest.raises(CommandError, match="This is an elliptic-curve key"):
        read(made_by(tmp_path, *command))


@needs_openssl
def test_refuses_a_certificate(tmp_path: Path) -> None:
    """A certificate is named as one."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]

    with pytest.raises(CommandError, match="This is a certificate"):
        read(made_by(tmp_path, *command, "-keyout", "other", "-out", "key"))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n\n", "The file is empty."),
        (b"\x30\x82\x04\xa4\x02\x01", "The file is binary."),
        (b"hello\n", "This is no private key"),
        (b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ me@here\n", "This is a public key"),
        (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@here\n", "This is a public key"),
        (b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNo me@here\n", "This is a public key"),
        (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "This is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", "This is a PuTTY key"),
        (b"-----BEGIN CERTIFICATE REQUEST-----\nMII\n", "This is a certificate"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "its END line is missing"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", DAMAGED),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3==\n-----END OPENSSH PRIVATE KEY-----", DAMAGED),
    ],
)
def test_refuses_what_is_no_key(content: bytes, sentence: str) -> None:
    """Each mistake has a sentence of its own."""
    with pytest.raises(CommandError, match=sentence):
        read(content)


def test_refuses_public_keys_in_pem(rsa_key: rsa.RSAPrivateKey) -> None:
    """Both PEM forms of a public key are named as one."""
    for form in (PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1):
        pem = rsa_key.public_key().public_bytes(Encoding.PEM, form)

        with pytest.raises(CommandError, match="This is a public key"):
            read(pem)


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "This is an elliptic-curve key"),
        (ed25519.Ed25519PrivateKey.generate(), "This is an Ed25519 key"),
        (ed448.Ed448PrivateKey.generate(), "This is another kind of key"),
        (rsa.generate_private_key(65537, 1024), "has 1024 bits and"),  # noqa: S505 - refused
    ],
)
def test_refuses_other_kinds_of_keys(key: PrivateKeyTypes, sentence: str) -> None:
    """A key that RS256 cannot use is named as what it is."""
    with pytest.raises(CommandError, match=sentence):
        read(pem_of(key))


@pytest.mark.parametrize("form", FORMATS)
def test_refuses_a_key_that_is_too_long(form: PrivateFormat) -> None:
    """The length is judged before the numbers, whose validation takes longer with each bit."""
    p, q = (1 << 5119) + (1 << 5118) + 1, (1 << 5119) + (1 << 5118) + 3
    no_primes = rsa.RSAPrivateNumbers(
        p=p, q=q, d=3, dmp1=3, dmq1=3, iqmp=3, public_numbers=rsa.RSAPublicNumbers(3, p * q)
    ).private_key(unsafe_skip_rsa_key_validation=True)

    with pytest.raises(CommandError, match="has 10240 bits and may have 8192 at most"):
        read(pem_of(no_primes, form))


def test_refuses_an_elliptic_curve_key_of_openssh() -> None:
    """OpenSSH's one format holds every kind, so the kind is found inside."""
    key = ec.generate_private_key(ec.SECP256R1())

    with pytest.raises(CommandError, match="This is an elliptic-curve key"):
        read(pem_of(key, PrivateFormat.OpenSSH))


def test_refuses_a_corrupt_key(rsa_key: rsa.RSAPrivateKey) -> None:
    """A key whose numbers do not belong together is refused: validation is in full."""
    numbers = rsa_key.private_numbers()
    corrupt = rsa.RSAPrivateNumbers(
        p=numbers.p,
        q=numbers.q,
        d=numbers.d,
        dmp1=numbers.dmp1 + 2,
        dmq1=numbers.dmq1,
        iqmp=numbers.iqmp,
        public_numbers=numbers.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)

    with pytest.raises(CommandError, match=DAMAGED) as refused:
        read(pem_of(corrupt, PrivateFormat.TraditionalOpenSSL))

    assert refused.value.__suppress_context__


def test_refuses_two_keys_in_one_file(rsa_key: rsa.RSAPrivateKey) -> None:
    """Which of several keys is meant is not guessed."""
    with pytest.raises(CommandError, match="holds several private keys"):
        read(pem_of(rsa_key) + pem_of(rsa_key))


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_reads_a_shared_secret_without_its_line_end(end: str) -> None:
    """Editors end a file with a line end, which is no part of the secret."""
    assert read_shared_secret(f"{'a1-_=+/~!' * 4}{end}".encode()) == "a1-_=+/~!" * 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file is empty."),
        ("s" * 31, "too short: HS256 needs 32 bytes"),
        ("s" * 40 + " x", "without spaces"),
        ("s" * 40 + "\nsecond line\n", "one line"),
        ("s" * 40 + "ß", "printable ASCII"),
        ("s" * 40 + '"', "docker-jitsi-meet"),
        ("s" * 40 + "\\", "docker-jitsi-meet"),
        ("s" * 40 + "'", "docker-jitsi-meet"),
        ("s" * 40 + "$", "docker-jitsi-meet"),
        ("s" * 40 + "#", "docker-jitsi-meet"),
        ("JWT_APP_SECRET=" + "s" * 40, "Give the secret alone"),
    ],
)
def test_refuses_a_shared_secret_that_jitsi_cannot_use(content: str, sentence: str) -> None:
    """What breaks Jitsi's configuration, or is too weak, is refused without repeating it."""
    with pytest.raises(CommandError, match=sentence) as refused:
        read_shared_secret(content.encode())

    assert "sss" not in str(refused.value)
