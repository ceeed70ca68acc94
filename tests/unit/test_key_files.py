"""Key files as people have them: read, or named as what they are."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from jwt.algorithms import RSAAlgorithm

from jitsi_tokens.core.rsa_keys import private_pem
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key.files import read_rsa_key, read_shared_secret

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    type Wrapping = Callable[[str], str | bytes]

PKCS1, PKCS8 = PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8
FORMATS = [PKCS1, PKCS8, PrivateFormat.OpenSSH]
DAMAGED = "The private key is damaged"


def never() -> str:
    """Fail: no passphrase should be asked for."""
    pytest.fail("asked for a passphrase")


def read(content: str | bytes) -> rsa.RSAPrivateKey:
    """Read a key that needs no passphrase."""
    return read_rsa_key(content if isinstance(content, bytes) else content.encode(), never)


def pem_of(key: PrivateKeyTypes, form: PrivateFormat = PKCS8) -> str:
    """Return a private key's PEM."""
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def lines_of(pem: str, line: str) -> str:
    """Return a PEM with each line put into a template."""
    return "\n".join(line.format(each) for each in pem.splitlines())


def b64(content: str | bytes) -> str:
    """Return base64 in one line, as `base64 -w0` prints it."""
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


def der(pem: str) -> bytes:
    """Return what a PEM holds."""
    return base64.b64decode("".join(pem.splitlines()[1:-1]))


WRAPPINGS: dict[str, Wrapping] = {
    "as it is": lambda pem: pem,
    # Systems and editors.
    "CRLF": lambda pem: pem.replace("\n", "\r\n"),
    "CR": lambda pem: pem.replace("\n", "\r"),
    "byte-order mark": lambda pem: "\ufeff" + pem,
    "UTF-16 of PowerShell's >": lambda pem: pem.encode("utf-16"),
    "UTF-16, big-endian": lambda pem: b"\xfe\xff" + pem.encode("utf-16-be"),
    "UTF-16 without a mark": lambda pem: pem.encode("utf-16-le"),
    "Latin-1 before": lambda pem: b"friendlyName: Cl\xe9\n" + pem.encode(),
    "binary before and after": lambda pem: b"\x00\xff\x30\x82" + pem.encode() + b"\x00\xfe",
    "long dashes": lambda pem: pem.replace("--", "\u2014"),
    "no-break spaces": lambda pem: pem.replace(" ", "\xa0"),
    "indented": lambda pem: lines_of(pem, "    {}"),
    "blank lines": lambda pem: pem.replace("\n", "\n\n"),
    "no line ends": lambda pem: pem.replace("\n", ""),
    "spaces for line ends": lambda pem: pem.replace("\n", " "),
    "no newline at its end": str.rstrip,
    # Where it was copied from.
    "PKCS#12 export": lambda pem: f"Bag Attributes\n  friendlyName: x\nKey Attributes\n{pem}",
    "with its certificate": lambda pem: (
        f"-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n{pem}"
    ),
    "with its public key": lambda pem: f"ssh-rsa AAAAB3Nza me@here\n{pem}",
    "quoted in a mail": lambda pem: lines_of(pem, "> {}"),
    "patch": lambda pem: lines_of(pem, "+{}"),
    "comment": lambda pem: lines_of(pem, "# {}"),
    "numbered": lambda pem: "\n".join(f"{i:4}  {x}" for i, x in enumerate(pem.splitlines())),
    "Markdown": lambda pem: f"the key:\n```pem\n{pem}```\n",
    "HTML": lambda pem: "<p>" + pem.replace("\n", "<br>") + "</p>",
    "JavaScript": lambda pem: "const key = " + lines_of(pem, '  "{}\\n" +') + ' "";',
    "PHP": lambda pem: "$key = " + lines_of(pem, "  '{}' . \"\\n\" .") + " '';",
    "YAML": lambda pem: "stringData:\n  key: |\n" + lines_of(pem, "    {}"),
    # Environments.
    "written-out line ends": lambda pem: pem.replace("\n", "\\n"),
    "written-out CRLF": lambda pem: pem.replace("\n", "\\r\\n"),
    "written-out twice": lambda pem: pem.replace("\n", "\\\\n"),
    ".env": lambda pem: "JITSI_PRIVATE_KEY='{}'\n".format(pem.replace("\n", "\\n")),
    ".env, real line ends": lambda pem: f'export JITSI_PRIVATE_KEY="{pem}"\n',
    "among other variables": lambda pem: f'A=1\nKEY="{pem}"\nB=x\n',
    "address": lambda pem: f"key={quote(pem, safe='')}",
    "form": lambda pem: f"key={quote_plus(pem)}",
    # Documents.
    "JSON": lambda pem: json.dumps({"keys": [{"kid": "4f6c2a", "private_key": pem}]}),
    "JSON of PHP": lambda pem: json.dumps({"key": pem}).replace("/", "\\/"),
    "JSON of .NET": lambda pem: json.dumps({"key": pem}).replace("+", "\\u002B"),
    "JSON in JSON": lambda pem: json.dumps({"SecretString": json.dumps({"key": pem})}),
    "JSON of lines": lambda pem: json.dumps(pem.splitlines(), indent=2),
    # Layers.
    "base64": b64,
    "base64, 76 columns": lambda pem: base64.encodebytes(pem.encode()),
    "base64url without padding": lambda pem: base64.urlsafe_b64encode(pem.encode()).rstrip(b"="),
    "base64 twice": lambda pem: b64(b64(pem)),
    "base64 of UTF-16": lambda pem: b64(pem.encode("utf-16")),
    "Kubernetes": lambda pem: f"data:\n  cert: {b64('x' * 900)}\n  key.pem: {b64(pem)}\n",
    "Kubernetes as JSON": lambda pem: json.dumps({"data": {"key": b64(pem)}}),
    "base64 of JSON": lambda pem: b64(json.dumps({"private_key": pem})),
    # DER.
    "DER": der,
    "DER and a line end": lambda pem: der(pem) + b"\r\n",
    "base64 of DER": lambda pem: b64(der(pem)),
    "base64 of DER, 64 columns": lambda pem: "\n".join(pem.splitlines()[1:-1]),
    "base64 of DER in JSON": lambda pem: json.dumps({"key": b64(der(pem))}).replace("/", "\\/"),
    "base64 of DER in a variable": lambda pem: f"KEY={b64(der(pem))}\nOTHER=1\n",
    # Labels.
    "BEGIN RSA PRIVATE KEY": lambda pem: (
        pem.replace(" PRIVATE KEY", " RSA PRIVATE KEY")
        if "RSA" not in pem
        else pem.replace("RSA ", "")
    ),
    "another label at its end": lambda pem: pem.replace("END ", "END X "),
}


@pytest.mark.parametrize("form", [PKCS1, PKCS8])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_key_is_read_whatever_it_is_wrapped_in(
    rsa_key: rsa.RSAPrivateKey, wrapping: str, form: PrivateFormat
) -> None:
    """PKCS#1 and PKCS#8 alike."""
    content = WRAPPINGS[wrapping](pem_of(rsa_key, form))

    assert read(content).private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("wrapping", ["as it is", "UTF-16 of PowerShell's >", "JSON", "base64"])
@pytest.mark.parametrize("form", FORMATS)
def test_an_encrypted_key_takes_its_passphrase(
    rsa_key: rsa.RSAPrivateKey, form: PrivateFormat, wrapping: str
) -> None:
    """A wrong one is a sentence that does not repeat it, nor chains what could."""
    pem = rsa_key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"open")).decode()
    wrapped = WRAPPINGS[wrapping](pem)
    content = wrapped if isinstance(wrapped, bytes) else wrapped.encode()

    assert read_rsa_key(content, lambda: "open").private_numbers() == rsa_key.private_numbers()
    with pytest.raises(CommandError, match="The passphrase is wrong") as refused:
        read_rsa_key(content, lambda: "sesame")
    assert "sesame" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_encrypted_der_takes_its_passphrase(rsa_key: rsa.RSAPrivateKey) -> None:
    """Of PKCS#8, which alone encrypts DER."""
    content = rsa_key.private_bytes(Encoding.DER, PKCS8, BestAvailableEncryption(b"open"))

    assert read_rsa_key(content, lambda: "open").private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize("passphrase", ["", "a passphrase"])
@pytest.mark.parametrize(
    "command",
    [
        *(f"ssh-keygen -q -t rsa -b 2048 -m {form} -f key -N" for form in ("PEM", "RFC4716")),
        "openssl genrsa -traditional -aes128 -out key -passout",
    ],
)
def test_what_tools_make_is_read(tmp_path: Path, command: str, passphrase: str) -> None:
    """8x8's own instructions use ssh-keygen."""
    words = command.split()
    if words[0] == "openssl":
        words = [each for each in words if passphrase or each not in ("-aes128", "-passout")]
        last = [f"pass:{passphrase}"] if passphrase else []
    else:
        last = [passphrase]
    content = made_by(tmp_path, *words, *last)

    key = read_rsa_key(content, (lambda: passphrase) if passphrase else never)

    assert key.key_size == 2048


def made_by(tmp_path: Path, *command: str) -> bytes:
    """Return the file `key` that a command makes."""
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)  # noqa: S603 - ours
    return (tmp_path / "key").read_bytes()


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what openssl and keytool make of a key and a certificate."""
    folder = tmp_path_factory.mktemp("certified")
    for command in (
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key.pem -out cert.pem",
        "openssl req -new -key key.pem -subj /CN=x -out csr.pem",
        "openssl x509 -in cert.pem -outform DER -out cert.der",
        "openssl req -in csr.pem -outform DER -out csr.der",
        "openssl crl2pkcs7 -nocrl -certfile cert.pem -out cert.p7b",
        "openssl crl2pkcs7 -nocrl -certfile cert.pem -outform DER -out p7b.der",
        "openssl rsa -in key.pem -pubout -out public.pem",
        "openssl rsa -in key.pem -pubout -outform DER -out public.der",
        "openssl rsa -in key.pem -RSAPublicKey_out -out pkcs1.pem",
        "openssl pkcs12 -export -in cert.pem -inkey key.pem -passout pass:x -out key.p12",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)  # noqa: S603
    (folder / "base64-of-p12").write_text(b64((folder / "key.p12").read_bytes()))
    (folder / "json-of-cert").write_text(json.dumps({"x": (folder / "cert.pem").read_text()}))
    return folder


@pytest.mark.parametrize(
    ("name", "sentence", "command"),
    [
        *((name, "This is a certificate", "key create") for name in ("cert.pem", "cert.der")),
        *((name, "This is a certificate", "key create") for name in ("csr.pem", "csr.der")),
        *((name, "This is a certificate", "key create") for name in ("cert.p7b", "p7b.der")),
        ("json-of-cert", "This is a certificate", "key create"),
        *((name, "This is a public key", "key create") for name in ("public.pem", "public.der")),
        ("pkcs1.pem", "This is a public key", "key create"),
        *((name, "This is a PKCS#12 file", "openssl pkcs12") for name in ("key.p12",)),
        ("base64-of-p12", "This is a PKCS#12 file", "openssl pkcs12"),
    ],
)
def test_what_goes_with_a_key_is_named(
    certified: Path, name: str, sentence: str, command: str
) -> None:
    """With the command that leads to the key."""
    with pytest.raises(CommandError, match=sentence) as refused:
        read((certified / name).read_bytes())

    assert command in str(refused.value)


def test_the_command_for_pkcs12_leads_to_the_key(certified: Path) -> None:
    """As the sentence has it, but for the passphrases that it asks for."""
    command = "openssl pkcs12 -in key.p12 -nocerts -out key -passin pass:x -passout pass:open"

    assert read_rsa_key(made_by(certified, *command.split()), lambda: "open").key_size == 2048


def test_the_command_for_a_jwk_leads_to_the_key(rsa_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    """Node needs no package for it."""
    jwk = RSAAlgorithm.to_jwk(rsa_key)
    (tmp_path / "FILE").write_text(jwk)
    with pytest.raises(CommandError, match="This is a JWK") as refused:
        read(jwk)
    command = str(refused.value).partition("`")[2].partition("`")[0]

    content = made_by(tmp_path, "sh", "-c", command.replace("key.pem", "key"))

    assert read(content).private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n\n", "The file is empty."),
        (b"\xff\xfe\r\x00\n\x00", "The file is empty."),
        (b"\x30\x82\x04\xa4\x02\x01", "The file holds no private key"),
        (b"hello\n", "The file holds no private key"),
        (b"s" * 64, "The file holds no private key"),
        (b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ me@here\n", "This is a public key"),
        (b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNo me@here\n", "This is a public key"),
        (b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "This is a public key"),
        (b"PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", "puttygen FILE -O private-openssh"),
        (b"\xfe\xed\xfe\xed\x00\x00\x00\x02", "keytool -importkeystore"),
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ\n", "This is a PGP key"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "its END line is missing"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n".encode("utf-16"), "its END line is missing"),
        (b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n", DAMAGED),
        (b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", DAMAGED),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3==\n-----END OPENSSH PRIVATE KEY-----", DAMAGED),
        (b"-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----", "elliptic-curve"),
        (b"-----BEGIN DSA PRIVATE KEY-----\nMHcC\n-----END DSA PRIVATE KEY-----", "a DSA key"),
    ],
)
def test_what_is_no_key_is_named(content: bytes, sentence: str) -> None:
    """Each mistake has a sentence of its own."""
    with pytest.raises(CommandError, match=sentence):
        read(content)


@pytest.mark.parametrize("wrapping", ["as it is", "base64", "JSON"])
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ec.generate_private_key(ec.SECP256R1()), "This is an elliptic-curve key"),
        (ed25519.Ed25519PrivateKey.generate, "This is an Ed25519 key"),
        (ed448.Ed448PrivateKey.generate, "This is another kind of key"),
        (lambda: rsa.generate_private_key(65537, 1024), "has 1024 bits; 2048 to"),  # noqa: S505
    ],
)
def test_other_kinds_of_keys_are_named(
    make: Callable[[], PrivateKeyTypes], sentence: str, wrapping: str
) -> None:
    """A key that RS256 cannot use."""
    with pytest.raises(CommandError, match=sentence):
        read(WRAPPINGS[wrapping](pem_of(make())))


@pytest.mark.parametrize(
    "together",
    [
        lambda one, two: one + two,
        lambda one, _: one + one,
        lambda one, two: json.dumps({"a": one, "b": two}),
        lambda one, two: json.dumps([b64(one), b64(two)]),
        lambda one, two: f"{b64(der(one))}\n{b64(der(two))}\n",
        lambda one, two: b64(one + two),
    ],
)
def test_two_keys_are_refused(
    rsa_pool: list[rsa.RSAPrivateKey], together: Callable[[str, str], str]
) -> None:
    """Which of them is meant is not guessed."""
    one, two = (private_pem(key) for key in rsa_pool[:2])

    with pytest.raises(CommandError, match=r"holds several private keys.*openssl pkey"):
        read(together(one, two))


@pytest.mark.parametrize("wrapped", [lambda pem: b64(b64(b64(pem))), lambda pem: pem[:-40]])
def test_what_holds_no_whole_key_is_not_read(rsa_pem: str, wrapped: Callable[[str], str]) -> None:
    """Nothing of it is repeated: not three layers down, nor cut off."""
    with pytest.raises(CommandError) as refused:
        read(wrapped(rsa_pem))

    assert not any(line in str(refused.value) for line in rsa_pem.splitlines()[1:-1])


@pytest.mark.parametrize(
    "unit", [b"-", b"A", b"\\", b"A ", b'"  ', b"-----BEGIN ", b"0x30", b"\x30\x82", b"<b", b"1 "]
)
def test_no_file_is_looked_through_for_long(unit: bytes) -> None:
    """The longest that is read."""
    content = unit * (65_536 // len(unit))
    started = time.process_time()

    with pytest.raises(CommandError):
        read(content)

    assert time.process_time() - started < 3


@pytest.mark.parametrize("form", FORMATS)
def test_a_key_that_is_too_long_is_refused(form: PrivateFormat) -> None:
    """The length is judged before the numbers, whose validation takes longer with each bit."""
    p, q = (1 << 5119) + (1 << 5118) + 1, (1 << 5119) + (1 << 5118) + 3
    no_primes = rsa.RSAPrivateNumbers(
        p=p, q=q, d=3, dmp1=3, dmq1=3, iqmp=3, public_numbers=rsa.RSAPublicNumbers(3, p * q)
    ).private_key(unsafe_skip_rsa_key_validation=True)

    with pytest.raises(CommandError, match="has 10240 bits; 2048 to 8192"):
        read(pem_of(no_primes, form))


def test_a_corrupt_key_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    """A key whose numbers do not belong together: validation is in full."""
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
        read(pem_of(corrupt, PKCS1))

    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    "written",
    [
        str.encode,
        lambda secret: f"{secret}\n".encode(),
        lambda secret: f"{secret}\r\n\r\n".encode(),
        lambda secret: f"\ufeff{secret}\r\n".encode(),
        lambda secret: f"{secret}\r\n".encode("utf-16"),
        lambda secret: b"\xfe\xff" + f"{secret}\n".encode("utf-16-be"),
    ],
)
def test_a_shared_secret_is_read_as_editors_write_it(written: Callable[[str], bytes]) -> None:
    """Whatever their text and its end; `#` and `$` are for the command to warn of."""
    assert read_shared_secret(written("a1-_=+/~!#$" * 4)) == "a1-_=+/~!#$" * 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "The file is empty."),
        ("\n", "The file is empty."),
        ("s" * 31, r"too short: HS256 needs 32 bytes.*`jitsi-tokens jitsi-config`"),
        ("s" * 40 + " x", "without spaces"),
        ("s" * 40 + "\nsecond line\n", "one line"),
        ("s" * 40 + "ß", "printable ASCII"),
        ("s" * 40 + '"', "Prosody's configuration"),
        ("s" * 40 + "\\", "Prosody's configuration"),
        ("s" * 40 + "'", "Prosody's configuration"),
        ("JWT_APP_SECRET=" + "s" * 40, "Give only the secret"),
        ('{"secret":"' + "s" * 40 + '"}', "Give only the secret"),
    ],
)
def test_a_shared_secret_that_jitsi_cannot_use_is_refused(content: str, sentence: str) -> None:
    """What breaks Jitsi's configuration, or is too weak, is refused without repeating it."""
    with pytest.raises(CommandError, match=sentence) as refused:
        read_shared_secret(content.encode())

    assert "sss" not in str(refused.value)
