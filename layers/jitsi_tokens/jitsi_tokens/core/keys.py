"""A signing key: read from its document, tried, and used."""

from typing import TYPE_CHECKING, Any, Literal

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from jitsi_tokens.core.rsa_keys import fingerprint

if TYPE_CHECKING:
    from jwt.types import Options

type Algorithm = Literal["RS256", "HS256"]
# The kind of stack: how Jitsi comes to trust its key. A person gives 8x8's console the public key,
# or Jitsi the shared secret; or the stack makes its own keys by rotation, and publishes them.
type Trust = Literal["console", "shared", "published"]

MIN_RSA_BITS = 2048
# RFC 7518, 3.2: an HS256 key is at least as long as its hash.
MIN_SECRET_BYTES = 32


class KeyRefused(ValueError):
    """A key document that cannot sign. Neither code nor text holds anything of its content."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class KeyDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What the secret holds: key and `kid` together, so that they change together.

    A key that is staged for 8x8 has no `kid` yet, and signs nothing.
    """

    algorithm: Algorithm
    kid: str = ""
    private_key: str | None = None
    secret: str | None = None

    def __repr__(self) -> str:
        return f"KeyDocument(algorithm={self.algorithm!r})"

    def text(self) -> str:
        """Return what the secret keeps of it."""
        return msgspec.json.encode(self).decode()


class SigningKey:
    """A key that has signed and verified once.

    Raises:
        KeyRefused: what the key signs does not verify with its public part.
    """

    def __init__(self, algorithm: Algorithm, kid: str, key: RSAPrivateKey | bytes) -> None:
        self.algorithm = algorithm
        self.kid = kid
        self._key = key
        self.public_key = key.public_key() if isinstance(key, RSAPrivateKey) else None
        self._verifying_key = key.public_key() if isinstance(key, RSAPrivateKey) else key
        self._self_check()

    @property
    def fingerprint(self) -> str | None:
        """The SHA-256 of its public part; None where it has none: a shared secret."""
        return fingerprint(self.public_key) if self.public_key else None

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the claims as a signed JWT that names this key."""
        return jwt.encode(claims, self._key, algorithm=self.algorithm, headers={"kid": self.kid})

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of this key, its times and audience unchecked.

        Raises:
            jwt.PyJWTError: it is not a token of this key.
        """
        unchecked: Options = {
            "verify_aud": False,
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        }
        return jwt.decode(
            token, self._verifying_key, algorithms=[self.algorithm], options=unchecked
        )

    def _self_check(self) -> None:
        try:
            self.verify(self.sign({}))
        except (jwt.PyJWTError, ValueError):
            raise KeyRefused(
                "self-check-failed", "The key's signature does not verify with its public part."
            ) from None


def read_key(document: str, *, algorithm: Algorithm, kid_prefix: str) -> SigningKey:
    """Read a secret's document into a key that has been tried.

    RSA parameters are validated in full when a key is written (300 ms at 4,096 bits), not here.

    Raises:
        KeyRefused: with the cause, and nothing of the content.
    """
    try:
        fields = msgspec.json.decode(document, type=KeyDocument)
    except (msgspec.DecodeError, UnicodeError):
        raise KeyRefused(
            "not-a-key-document",
            "The secret is not a JSON object of algorithm, kid and private_key or secret.",
        ) from None
    if fields.algorithm != algorithm:
        raise KeyRefused(
            "wrong-algorithm",
            f"This stack signs with {algorithm}, but the key is for another algorithm.",
        )
    if kid_prefix and not fields.kid:
        raise KeyRefused("no-key-id", "The key has no key id yet: 8x8's console assigns it.")
    if not fields.kid or not fields.kid.startswith(kid_prefix) or fields.kid == kid_prefix:
        raise KeyRefused(
            "wrong-kid",
            "The key's kid does not belong to this stack: JaaS wants <App ID>/<key id>, the App ID"
            " in the same case as the stack's."
            if kid_prefix
            else "The key has no kid.",
        )
    if algorithm == "HS256":
        return SigningKey(algorithm, fields.kid, _shared_secret(fields.secret))
    return SigningKey(algorithm, fields.kid, _private_key(fields.private_key))


def _shared_secret(secret: str | None) -> bytes:
    if secret is None:
        raise KeyRefused("not-a-key-document", "The secret's document contains no shared secret.")
    key = secret.encode()
    if len(key) < MIN_SECRET_BYTES:
        raise KeyRefused("key-too-short", f"HS256 needs a secret of {MIN_SECRET_BYTES} bytes.")
    return key


def _private_key(pem: str | None) -> RSAPrivateKey:
    if pem is None:
        raise KeyRefused("not-a-key-document", "The secret's document contains no private key.")
    try:
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused(
            "unreadable-key", "The private key is not an unencrypted PEM that can be read."
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise KeyRefused("not-rsa", "The private key is not an RSA key.")
    if key.key_size < MIN_RSA_BITS:
        raise KeyRefused("key-too-short", f"RS256 needs an RSA key of {MIN_RSA_BITS} bits or more.")
    return key
