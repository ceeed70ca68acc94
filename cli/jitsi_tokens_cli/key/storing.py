"""Storing a key: made or brought, under its id, with what the operator does beside it."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING

from jitsi_tokens.core.keys import KeyDocument
from jitsi_tokens.core.rsa_keys import private_pem, public_pem
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens_cli import inputs
from jitsi_tokens_cli.key.check import check_stored
from jitsi_tokens_cli.key.kid import ask_kid, make_shared_kid
from jitsi_tokens_cli.key.output import facts
from jitsi_tokens_cli.key.text import CONSOLE, how_to_read
from jitsi_tokens_cli.output import echo, echo_json, info
from jitsi_tokens_cli.signing_secret import store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from jitsi_tokens_cli.signing_secret import Stored
    from jitsi_tokens_cli.stack import Stack

_SHARED_SECRET_CHARACTERS = 64


def make_shared_secret() -> str:
    """Return a new secret that every configuration file of Jitsi carries unharmed."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(_SHARED_SECRET_CHARACTERS))


def ask_passphrase() -> str:
    """Return the passphrase of a key that is encrypted.

    Raises:
        CommandError: nobody is there to ask.
    """
    return inputs.ask_hidden(
        "Passphrase of the key",
        without_terminal="The key is encrypted, and nobody is there to ask for its passphrase.",
    )


def store_for_console(stack: Stack, kid: str | None, key: RSAPrivateKey, *, as_json: bool) -> None:
    """Show the public part, learn the key id that 8x8 gives it, and store both together.

    Raises:
        CommandError: the key was not stored, or the stack cannot sign with it.
    """
    show = info if as_json else echo
    show(public_pem(key.public_key()).strip())
    info(f"{CONSOLE} Until 8x8 has it under the same key id, Jitsi refuses the tokens.")
    if kid is None:
        kid = ask_kid(stack)
    document = KeyDocument(algorithm="RS256", kid=kid, private_key=private_pem(key))
    _report_stored(stack, store(stack, document), as_json=as_json)


def store_shared(stack: Stack, kid: str | None, secret: str, *, as_json: bool) -> None:
    """Store a shared secret, and say how Jitsi comes by it.

    Raises:
        CommandError: the secret was not stored, or the stack cannot sign with it.
    """
    kid = kid or make_shared_kid()
    stored = store(stack, KeyDocument(algorithm="HS256", kid=kid, secret=secret))
    info(
        "Jitsi must get the same secret (docker-jitsi-meet: JWT_APP_SECRET), and be restarted when"
        f" the functions have taken it up; until then it refuses the tokens. {how_to_read(stack)}"
    )
    _report_stored(stack, stored, as_json=as_json)


def _report_stored(stack: Stack, stored: Stored, *, as_json: bool) -> None:
    if as_json:
        echo_json(facts(stored.key) | {"versionId": stored.version_id})
    info(
        f"Stored as {stored.key.kid}. Running functions take it up within"
        f" {KEY_FRESH_SECONDS // 60} minutes."
    )
    check_stored(stack)
