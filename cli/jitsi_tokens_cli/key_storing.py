"""Storing a key: made or brought, under its id, with what the operator does beside it."""

from __future__ import annotations

import re
import secrets
import string
from typing import TYPE_CHECKING

from jitsi_tokens.keys import KeyDocument
from jitsi_tokens.rsa_keys import private_pem, public_pem
from jitsi_tokens.secrets import FRESH_SECONDS
from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli import inputs
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key_check import check_stored
from jitsi_tokens_cli.output import put, say
from jitsi_tokens_cli.signing_secret import store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from jitsi_tokens_cli.stack import Stack

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHARED_SECRET_CHARACTERS = 64
_CONSOLE = (
    "Give 8x8 the public key above: https://jaas.8x8.vc, API Keys, Add API key. Until 8x8 has it"
    " under the same key id, Jitsi refuses the tokens."
)


def make_shared_secret() -> str:
    """Return a new secret that every configuration file of Jitsi carries unharmed."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(_SHARED_SECRET_CHARACTERS))


def checked_kid(stack: Stack, key_id: str | None) -> str | None:
    """Return the `kid` for what `--kid` gave; None where 8x8's console has yet to give it.

    Raises:
        CommandError: it is not this stack's, or nobody is there to ask for it.
    """
    if key_id is not None:
        return _full_kid(key_id, stack.kid_prefix)
    if stack.algorithm == "RS256" and not inputs.is_interactive():
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
    say(_CONSOLE)
    if kid is None:
        kid = inputs.ask_until_valid(
            "Key id that the console shows", lambda text: _full_kid(text, stack.kid_prefix)
        )
    store(stack, KeyDocument(algorithm="RS256", kid=kid, private_key=private_pem(key)))
    _report_stored(stack, kid)


def store_shared(stack: Stack, kid: str | None, secret: str) -> None:
    """Store a shared secret, and say how Jitsi comes by it.

    Raises:
        CommandError: the secret was not stored, or the stack cannot sign with it.
    """
    kid = kid or secrets.token_hex(4)
    store(stack, KeyDocument(algorithm="HS256", kid=kid, secret=secret))
    say(
        "Jitsi must get the same secret (docker-jitsi-meet: JWT_APP_SECRET); until then it refuses"
        " the tokens. To read it, where nobody looks over your shoulder:\n"
        f"  aws secretsmanager get-secret-value {stack.region_option}"
        f" --secret-id '{stack.signing_secret}'"
        " --query SecretString --output text | jq -r .secret"
    )
    _report_stored(stack, kid)


def _full_kid(key_id: str, kid_prefix: str) -> str:
    """Return the `kid` for a key id that a person gave, with or without the App ID."""
    app_id, slash, bare = key_id.rpartition("/")
    if slash and (not kid_prefix or f"{jaas_app_id(app_id)}/" != kid_prefix):
        raise CommandError(
            f"The key id belongs to another App ID: this stack's begin with {kid_prefix} in"
            " exactly this case."
            if kid_prefix
            else "A self-hosted stack's key id holds no slash."
        )
    if not _KEY_ID.fullmatch(bare):
        raise CommandError("A key id is 1 to 64 letters, digits, hyphens and underscores.")
    return f"{kid_prefix}{bare}"


def _report_stored(stack: Stack, kid: str) -> None:
    say(f"Stored as {kid}. Running functions take it up within {FRESH_SECONDS // 60} minutes.")
    check_stored(stack)
