"""What people have as a key, read into what a stack can store.

The key is looked for first, whatever it is wrapped in. Only a file without one is judged.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import html
import re
import warnings
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509 import load_der_x509_certificate, load_der_x509_csr

from jitsi_tokens.core.keys import MIN_RSA_BITS, MIN_SECRET_BYTES
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Making and validating a longer one takes many seconds.
MAX_RSA_BITS = 8192
# In docker-jitsi-meet's .env they begin a comment or a variable; elsewhere they do no harm.
BREAKS_ENV_FILE = frozenset("#$")

# As a Kubernetes Secret in JSON has a PEM, and once more by somebody's script.
_BASE64_LAYERS = 2
# An editor makes long dashes of two hyphens.
_DASHES = r"[-\u2010-\u2015]{2,8}"
_LABEL = r"(?P<label>(?:[A-Z0-9]+[\s+]+)*PRIVATE[\s+]+KEY)"
_PEM_BEGIN = rf"{_DASHES}\s*BEGIN[\s+]+{_LABEL}\s*{_DASHES}"
_PEM_BLOCK = re.compile(rf"{_PEM_BEGIN}(?P<body>(?:(?!{_DASHES}).)*){_DASHES}\s*END\b", re.DOTALL)
_ENCRYPTION = re.compile(r"DEK-Info:\s*([A-Z0-9-]+,[0-9A-Fa-f]+)")
_OPENSSH = b"openssh-key-v1\0"
_BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,}+(?:\s+[A-Za-z0-9+/_-]{40,}+)*(?:\s+[A-Za-z0-9+/_-]+)?"
)
_NOISE = re.compile(
    r"""
      \\{1,4} (?: u000[adAD] | x0[adAD] | [nrt] )  # line ends written out
    | ["'`] \s* \+ \s* ["'`]                       # strings put together by source code
    | < [^<>\n]{1,20} >                            # HTML
    | ^ [ \t]* \d+ [ \t]* [:|\t ] [ \t]* (?=\S)    # numbers of lines
    """,
    re.VERBOSE | re.MULTILINE,
)
_ESCAPED = re.compile(r"\\{1,4}(?:u([0-9A-Fa-f]{4})|/)")

_NEW_KEY = "If it is lost, make another key: `jitsi-tokens key create`."
_PUBLIC = (
    "This is a public key, and the stack needs the private key to sign. It is in the file beside"
    f" this one, as jaasauth.key is beside jaasauth.key.pub. {_NEW_KEY}"
)
_CERTIFICATE = (
    "This is a certificate, and the stack needs the private key to sign. It is in the file that"
    f" was made with the certificate, which often ends in .key. {_NEW_KEY}"
)
_PKCS12 = (
    "This is a PKCS#12 file (.p12, .pfx). Extract the private key, then import key.pem: `openssl"
    " pkcs12 -in FILE -nocerts -out key.pem`."
)
_KEYSTORE = (
    "This is a Java keystore. Convert it to a PKCS#12 file, then import that: `keytool"
    " -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12`."
)
_PUTTY = (
    "This is a PuTTY key. Export it for OpenSSH, then import key.pem: `puttygen FILE -O"
    " private-openssh -o key.pem`, or PuTTYgen's menu Conversions."
)
_JWK = (
    "This is a JWK. Convert it to PEM, then import key.pem: `node -p"
    ' \'crypto.createPrivateKey({key: JSON.parse(fs.readFileSync("FILE")), format:'
    ' "jwk"}).export({type: "pkcs8", format: "pem"})\' > key.pem`.'
)
_PGP = "This is a PGP key, which signs no tokens. Make an RSA key: `jitsi-tokens key create`."
_NAMED_BYTES = {
    rb"(?s)\x30(?:\x80|\x81.|\x82..|\x83.{3}|\x84.{4})\x02\x01\x03\x30": _PKCS12,
    # The signed data of PKCS#7, by its object identifier.
    rb"(?s)\x30.{1,5}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02": _CERTIFICATE,
    rb"\xfe\xed\xfe\xed|\xce\xce\xce\xce": _KEYSTORE,
}
_NAMED_TEXTS = {
    _PEM_BEGIN: "The private key is cut off: its END line is missing. Copy it again, to its end.",
    "PuTTY-User-Key-File": _PUTTY,
    r"BEGIN (?:[A-Z0-9]+ )*PUBLIC KEY|\b(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+ AAAA": _PUBLIC,
    r"BEGIN (?:[A-Z0-9]+ )*(?:CERTIFICATE|PKCS7)": _CERTIFICATE,
    "BEGIN PGP": _PGP,
    r'"kty"\s*:': _JWK,
}
_NAMED_DER: tuple[tuple[Callable[[bytes], object], str], ...] = (
    (load_der_public_key, _PUBLIC),
    (load_der_x509_certificate, _CERTIFICATE),
    (load_der_x509_csr, _CERTIFICATE),
)
_SEVERAL = (
    "The file holds several private keys. Put the one to use into a file of its own:"
    " `openssl pkey -in FILE -out key.pem` takes the first."
)
_DAMAGED = (
    "The private key is damaged, or of a kind that cannot be read: its numbers do not make a key."
    " Copy it from its source again."
)
_OTHER_KIND = (
    "This is {} key. Tokens are signed with RS256, which needs an RSA key: `jitsi-tokens key"
    " create` makes one."
)
_KINDS = (
    (ec.EllipticCurvePrivateKey, "an elliptic-curve"),
    (ed25519.Ed25519PrivateKey, "an Ed25519"),
    (dsa.DSAPrivateKey, "a DSA"),
)
_KINDS_BY_LABEL = {"EC": "an elliptic-curve", "DSA": "a DSA"}
# Prosody's configuration has the secret between quotes.
_BREAKS_LUA = frozenset("\"\\'")


class _PrivateKey(NamedTuple):
    """A private key as it was found; its content stays out of its repr.

    Attributes:
        content: DER, or OpenSSH's own format.
        encryption: of PEM's own encryption, the method and its start; else empty.
    """

    content: bytes
    label: str = ""
    encryption: str = ""

    def __repr__(self) -> str:
        return f"_PrivateKey(label={self.label!r})"

    def load(self, passphrase: bytes | None = None) -> object:
        """Return the key; raise TypeError where it takes a passphrase."""
        with warnings.catch_warnings():
            # A DSA key is refused below; that it is also out of date is not what matters.
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            load = load_der_private_key
            content = self.content
            if self.encryption:
                header = f"Proc-Type: 4,ENCRYPTED\nDEK-Info: {self.encryption}\n\n"
                load, content = load_pem_private_key, self._pem(self.label, header)
            elif content.startswith(_OPENSSH):
                load, content = load_ssh_private_key, self._pem("OPENSSH PRIVATE KEY")
            # RSA numbers are validated after their length, which validation's time depends on.
            return load(content, passphrase, unsafe_skip_rsa_key_validation=True)

    def _pem(self, label: str, header: str = "") -> bytes:
        body = base64.encodebytes(self.content).decode()
        return f"-----BEGIN {label}-----\n{header}{body}-----END {label}-----\n".encode()


def read_rsa_key(content: bytes, ask_passphrase: Callable[[], str]) -> rsa.RSAPrivateKey:
    """Return the RSA key of a file, validated in full.

    It may be PKCS#1, PKCS#8 or OpenSSH, as PEM in any text, as DER, or as base64 of these. The
    passphrase is asked for only where the key is encrypted.

    Raises:
        CommandError: with what the file is instead, and nothing of its content.
    """
    layer = [content]
    seen: list[bytes] = []
    for _ in range(1 + _BASE64_LAYERS):
        seen += layer
        match _keys_of(layer):
            case []:
                layer = [inner for outer in layer for inner in _decoded_parts(outer)]
            case [found]:
                return _validated(_load(found, ask_passphrase))
            case _:
                raise CommandError(_SEVERAL)
    raise CommandError(_name(seen))


def read_shared_secret(content: bytes) -> str:
    """Return the shared secret of a file, without the line end that editors add.

    Raises:
        CommandError: Jitsi could not use it, or it is too weak.
    """
    secret = _text(content).rstrip("\r\n")
    if not secret:
        raise CommandError("The file is empty.")
    if secret.startswith(("JWT_APP_SECRET=", "{")):
        raise CommandError("Give only the secret, without JWT_APP_SECRET= or JSON around it.")
    if not all("!" <= character <= "~" for character in secret):
        raise CommandError(
            "A shared secret is one line of printable ASCII without spaces: Jitsi reads it from"
            " an environment variable."
        )
    if _BREAKS_LUA & set(secret):
        raise CommandError(
            "A shared secret must not contain \" \\ or ': they break Prosody's configuration,"
            " which quotes it."
        )
    if len(secret) < MIN_SECRET_BYTES:
        raise CommandError(
            f"The shared secret is too short: HS256 needs {MIN_SECRET_BYTES} bytes or more"
            " (RFC 7518), so the stack cannot sign with it. Give Jitsi the stack's own secret"
            " instead: `jitsi-tokens jitsi-config` says how."
        )
    return secret


def _keys_of(contents: Iterable[bytes]) -> list[_PrivateKey]:
    keys: list[_PrivateKey] = []
    for content in contents:
        # A wrapped line and the text that it is part of may show the same key.
        keys += [key for key in _private_keys(content) if key not in keys]
    return keys


def _private_keys(content: bytes) -> list[_PrivateKey]:
    if content.startswith((b"\x30", _OPENSSH)):
        key = _PrivateKey(_without_rest(content))
        try:
            key.load()
        except TypeError:
            return [key]
        except (ValueError, UnsupportedAlgorithm):
            pass
        else:
            return [key]
    text = _unescaped(_text(content))
    found = []
    for block in _PEM_BLOCK.finditer(text):
        # What is before it on its line may be before each: a mail's >, a patch's +.
        before = text[: block.start()].rpartition("\n")[2]
        body = block["body"].replace(f"\n{before}", "\n")
        encryption = _ENCRYPTION.search(body)
        body = re.sub("[^A-Za-z0-9+/=]", "", body[encryption.end() if encryption else 0 :])
        label = re.sub(r"[\s+]+", " ", block["label"])
        method = encryption[1] if encryption else ""
        decoded = _decoded(body)
        found.append(_PrivateKey(decoded if method else _without_rest(decoded), label, method))
    return found


def _decoded_parts(content: bytes) -> list[bytes]:
    """Return what base64 holds in a text: each run, and each of its lines alone."""
    runs = [run.split() for run in _BASE64.findall(_unescaped(_text(content)))]
    return [_decoded("".join(run)) for run in runs] + [
        _decoded(line) for run in runs if len(run) > 1 for line in run
    ]


def _text(content: bytes) -> str:
    """Return the text of a file, also of UTF-16: of what is ASCII all but the zero bytes."""
    for mark in (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        content = content.removeprefix(mark)
    return content.replace(b"\0", b"").decode(errors="replace")


def _unescaped(text: str) -> str:
    """Undo what JSON, .env files, addresses, HTML and source code do to a text."""
    text = html.unescape(unquote(text))
    text = _NOISE.sub("\n", text)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else "/", text)


def _decoded(run: str) -> bytes:
    """Return what base64 or base64url holds; a rest that is no whole byte is left out."""
    run = run.partition("=")[0].replace("-", "+").replace("_", "/")
    run = run[: len(run) - (len(run) % 4 == 1)]
    return base64.b64decode(run + "=" * (-len(run) % 4))


def _without_rest(der: bytes) -> bytes:
    """Return DER without what follows it, such as a line end."""
    return der[: 4 + int.from_bytes(der[2:4])] if der.startswith(b"\x30\x82") else der


def _name(contents: list[bytes]) -> str:
    """Say what a file without a private key is."""
    for content in contents:
        for pattern, sentence in _NAMED_BYTES.items():
            if re.match(pattern, content):
                return sentence
        for read, sentence in _NAMED_DER:
            with contextlib.suppress(ValueError, UnsupportedAlgorithm):
                read(_without_rest(content))
                return sentence
        text = _unescaped(_text(content))
        for named, sentence in _NAMED_TEXTS.items():
            if re.search(named, text):
                return sentence
    if not _text(contents[0]).strip():
        return "The file is empty."
    return (
        "The file holds no private key: no PEM (-----BEGIN PRIVATE KEY-----) and no DER, in text or"
        " in base64. `jitsi-tokens key create` makes a key."
    )


def _load(found: _PrivateKey, ask_passphrase: Callable[[], str]) -> object:
    kind = found.label.removesuffix(" PRIVATE KEY")
    if kind in _KINDS_BY_LABEL:
        raise CommandError(_OTHER_KIND.format(_KINDS_BY_LABEL[kind]))
    try:
        return found.load()
    except TypeError:
        passphrase = ask_passphrase()
    except (ValueError, UnsupportedAlgorithm):
        raise CommandError(_DAMAGED) from None
    try:
        return found.load(passphrase.encode())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CommandError(
            "The passphrase is wrong, or the encrypted key is damaged. Nothing was stored."
        ) from None


def _validated(key: object) -> rsa.RSAPrivateKey:
    """Return an RSA key of a length that is taken, its numbers checked."""
    if not isinstance(key, rsa.RSAPrivateKey):
        kind = next((name for of, name in _KINDS if isinstance(key, of)), "another kind of")
        raise CommandError(_OTHER_KIND.format(kind))
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise CommandError(
            f"The RSA key has {key.key_size} bits; {MIN_RSA_BITS} to {MAX_RSA_BITS} are allowed."
            " 8x8 recommends 4096: `jitsi-tokens key create` makes such a key."
        )
    try:
        return key.private_numbers().private_key()
    except ValueError:
        raise CommandError(_DAMAGED) from None
