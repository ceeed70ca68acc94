"""Storing a key: the advice that goes with it, the key id, and the stack's check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.keys import public_pem
from jitsi_tokens.secrets import FRESH_SECONDS
from jitsi_tokens_cli import asking, key_advice, key_making
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key_check import check_stored
from jitsi_tokens_cli.key_ids import full_kid, random_key_id
from jitsi_tokens_cli.output import put, say
from jitsi_tokens_cli.signing_secret import store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from jitsi_tokens_cli.stack import Stack


def checked_kid(stack: Stack, key_id: str | None) -> str | None:
    """Return the `kid` for what `--kid` gave; None where 8x8's console has yet to give it.

    Raises:
        CommandError: it is not this stack's, or nobody is there to ask for it.
    """
    if key_id is not None:
        return full_kid(key_id, stack.kid_prefix)
    if stack.algorithm == "RS256" and not asking.is_interactive():
        raise CommandError(
            "Which key id? There is no terminal to ask: give --kid with the id that 8x8's console"
            " shows for the key."
        )
    return None


def store_rsa(stack: Stack, kid: str | None, key: RSAPrivateKey) -> None:
    """Show the public part, learn the key id that 8x8 gives it, and store both together.

    Raises:
        CommandError: the key was not stored, or the stack cannot sign with it.
    """
    put(public_pem(key.public_key()).strip())
    say(key_advice.CONSOLE)
    if kid is None:
        kid = asking.ask_until_valid(
            "Key id that the console shows", lambda text: full_kid(text, stack.kid_prefix)
        )
    store(stack, key_making.rsa_document(kid, key))
    _stored(stack, kid)


def store_shared(stack: Stack, kid: str | None, secret: str) -> None:
    """Store a shared secret, and say how Jitsi comes by it.

    Raises:
        CommandError: the secret was not stored, or the stack cannot sign with it.
    """
    kid = kid or random_key_id()
    store(stack, key_making.shared_document(kid, secret))
    say(key_advice.shared(stack))
    _stored(stack, kid)


def _stored(stack: Stack, kid: str) -> None:
    say(f"Stored as {kid}. Running functions take it up within {FRESH_SECONDS // 60} minutes.")
    check_stored(stack)
