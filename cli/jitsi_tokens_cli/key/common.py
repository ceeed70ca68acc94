"""What the commands of `key` share: a key that is made or brought, its id, what is said of it."""

from __future__ import annotations

import secrets
import string
import time
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer
from msgspec.structs import replace

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.keys import MIN_RSA_BITS, KeyDocument
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem, public_pem
from jitsi_tokens_cli import inputs
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key.files import (
    BREAKS_ENV_FILE,
    MAX_RSA_BITS,
    read_rsa_key,
    read_shared_secret,
)
from jitsi_tokens_cli.key.versions import full_kid
from jitsi_tokens_cli.output import echo, info, progress

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens_cli.key.versions import ByHand
    from jitsi_tokens_cli.stack import Stack

Bits = Annotated[
    int,
    typer.Option(
        metavar="BITS",
        min=MIN_RSA_BITS,
        max=MAX_RSA_BITS,
        help="Length of an RSA key (JaaS).",
    ),
]
CLOCK = Clock(time.time, time.sleep)
TELL_SECONDS = 30

_SHARED_SECRET_CHARACTERS = 64


def brought(stack: Stack, trust: ByHand, file: str) -> KeyDocument:
    """Return the key of a file, checked in full; a shared secret under a random id.

    Raises:
        CommandError: it is none that the stack can use.
    """
    content = inputs.read_file(file)
    match trust:
        case "console":
            return _rsa_document(private_pem(read_rsa_key(content, _ask_passphrase)))
        case "shared":
            secret = read_shared_secret(content)
            if BREAKS_ENV_FILE & set(secret):
                info(
                    "Warning: the secret contains # or $, which do not work in"
                    " docker-jitsi-meet's .env file. On Debian and Kubernetes they do. For"
                    " docker-jitsi-meet, make another secret: `jitsi-tokens key stage"
                    f" --stack-name {stack.name}`."
                )
            return _shared_document(secret)
        case _:
            assert_never(trust)


def made(trust: ByHand, bits: int) -> KeyDocument:
    """Return a new key, which exists in memory only; a shared secret under a random id."""
    match trust:
        case "console":
            with progress(f"Making an RSA key of {bits} bits"):
                return _rsa_document(private_pem(make_rsa_key(bits)))
        case "shared":
            # Every configuration file of Jitsi carries these unharmed.
            alphabet = string.ascii_letters + string.digits
            characters = (secrets.choice(alphabet) for _ in range(_SHARED_SECRET_CHARACTERS))
            return _shared_document("".join(characters))
        case _:
            assert_never(trust)


def checked_kid(stack: Stack, trust: ByHand, key_id: str | None) -> str:
    """Return the `kid` for what `--kid` gave; empty where it was left out.

    Raises:
        CommandError: it is not this stack's, or nobody is there to ask for it.
    """
    if key_id is not None:
        return full_kid(key_id, stack.kid_prefix)
    match trust:
        case "shared":
            return ""
        case "console":
            if inputs.is_interactive():
                return ""
            raise CommandError(
                "Which key id? There is no terminal to ask: give --kid with the id that 8x8's"
                " console shows for the key. `key stage` makes a key that has none yet."
            )
        case _:
            assert_never(trust)


def ask_kid(stack: Stack) -> str:
    """Return the `kid` for the key id that a person reads in 8x8's console."""
    while True:
        key_id = str(typer.prompt("Key id that the console shows", err=True)).strip()
        try:
            return full_kid(key_id, stack.kid_prefix)
        except CommandError as refused:
            info(str(refused))


def with_kid(document: KeyDocument, kid: str) -> KeyDocument:
    """Return a key under an id, if one is given."""
    return replace(document, kid=kid) if kid else document


def facts(key: SigningKey) -> dict[str, Any]:
    """Return what a script may know of a key."""
    public = key.public_key
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "fingerprint": key.fingerprint,
        "publicKey": public_pem(public) if public else None,
    }


def echo_public_part(key: SigningKey) -> None:
    """Print a key's public part; a shared secret has none."""
    if key.public_key:
        echo(public_pem(key.public_key).strip())


def how_to_read(stack: Stack, label: str = "") -> str:
    """Say how a shared secret is read: the current one, or that of a label."""
    stage = f" --version-stage {label}" if label else ""
    return (
        f"To read it, while nobody else sees your screen:\n  {stack.read_secret_command}{stage} |"
        " jq -r .secret"
    )


def _rsa_document(pem: str) -> KeyDocument:
    return KeyDocument(algorithm="RS256", private_key=pem)


def _shared_document(secret: str) -> KeyDocument:
    # Nothing but people goes by the id.
    return KeyDocument(algorithm="HS256", kid=secrets.token_hex(4), secret=secret)


def _ask_passphrase() -> str:
    return inputs.ask_hidden(
        "Passphrase of the key",
        without_terminal="The key is encrypted. There is no terminal to ask for its passphrase.",
    )
