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
from jitsi_tokens_cli.key.check import check_stored
from jitsi_tokens_cli.key.output import facts
from jitsi_tokens_cli.output import put, put_json, say
from jitsi_tokens_cli.signing_secret import store

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from jitsi_tokens_cli.signing_secret import Stored
    from jitsi_tokens_cli.stack import Stack

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHARED_SECRET_CHARACTERS = 64
CONSOLE = (
    "Give 8x8 the public key: https://jaas.8x8.vc, API Keys, Add API key. The console shows the"
    " key id."
)


def refuse_where_keys_rotate(stack: Stack) -> None:
    """Leave the keys of a stack alone that makes and publishes its own.

    Raises:
        CommandError: this is one.
    """
    if stack.settings.publishes_keys:
        raise CommandError(
            "This stack makes its own keys by rotation, and publishes them for Jitsi. To rotate"
            " now:\n"
            f"  {stack.rotate_secret}\n"
            "A key that leaked is unpublished with `key withdraw`."
        )


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


def make_shared_kid() -> str:
    """Return an id for a shared secret, which nothing but people goes by."""
    return secrets.token_hex(4)


def checked_kid(stack: Stack, key_id: str | None) -> str | None:
    """Return the `kid` for what `--kid` gave; None where 8x8's console has yet to give it.

    Raises:
        CommandError: it is not this stack's, or nobody is there to ask for it.
    """
    if key_id is not None:
        return full_kid(key_id, stack.kid_prefix)
    if stack.algorithm == "RS256" and not inputs.is_interactive():
        raise CommandError(
            "Which key id? There is no terminal to ask: give --kid with the id that 8x8's console"
            " shows for the key."
        )
    return None


def ask_kid(stack: Stack) -> str:
    """Return the `kid` for the key id that a person reads in 8x8's console."""
    return inputs.ask_until_valid(
        "Key id that the console shows", lambda text: full_kid(text, stack.kid_prefix)
    )


def store_rsa(stack: Stack, kid: str | None, key: RSAPrivateKey, *, as_json: bool) -> None:
    """Show the public part, learn the key id that 8x8 gives it, and store both together.

    Raises:
        CommandError: the key was not stored, or the stack cannot sign with it.
    """
    show = say if as_json else put
    show(public_pem(key.public_key()).strip())
    say(f"{CONSOLE} Until 8x8 has it under the same key id, Jitsi refuses the tokens.")
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
    say(
        "Jitsi must get the same secret (docker-jitsi-meet: JWT_APP_SECRET); until then it refuses"
        f" the tokens. {how_to_read(stack)}"
    )
    _report_stored(stack, stored, as_json=as_json)


def how_to_read(stack: Stack, label: str = "") -> str:
    """Say how a shared secret is read by whoever may: the current one, or that of a label."""
    stage = f" --version-stage {label}" if label else ""
    return (
        "To read it, where nobody looks over your shoulder:\n"
        f"  {stack.read_secret}{stage} | jq -r .secret"
    )


def full_kid(key_id: str, kid_prefix: str) -> str:
    """Return the `kid` for a key id that a person gave, with or without the App ID.

    Raises:
        CommandError: it is not this stack's, or is no key id.
    """
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


def _report_stored(stack: Stack, stored: Stored, *, as_json: bool) -> None:
    if as_json:
        put_json(facts(stored.key) | {"versionId": stored.version_id})
    say(
        f"Stored as {stored.key.kid}. Running functions take it up within"
        f" {FRESH_SECONDS // 60} minutes."
    )
    check_stored(stack)
