"""A key's id, its `kid`: given, asked for, or made."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, assert_never

from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli import inputs
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from jitsi_tokens_cli.key.versions import ByHand
    from jitsi_tokens_cli.stack import Stack

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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


def checked_kid(stack: Stack, trust: ByHand, key_id: str | None) -> str | None:
    """Return the `kid` for what `--kid` gave; None where it was left out.

    Raises:
        CommandError: it is not this stack's, or nobody is there to ask for it.
    """
    if key_id is not None:
        return full_kid(key_id, stack.kid_prefix)
    match trust:
        case "shared":
            return None
        case "console":
            if inputs.is_interactive():
                return None
            raise CommandError(
                "Which key id? There is no terminal to ask: give --kid with the id that 8x8's"
                " console shows for the key."
            )
        case _:
            assert_never(trust)


def ask_kid(stack: Stack) -> str:
    """Return the `kid` for the key id that a person reads in 8x8's console."""
    return inputs.ask_until_valid(
        "Key id that the console shows", lambda text: full_kid(text, stack.kid_prefix)
    )


def make_shared_kid() -> str:
    """Return an id for a shared secret, which nothing but people goes by."""
    return secrets.token_hex(4)
