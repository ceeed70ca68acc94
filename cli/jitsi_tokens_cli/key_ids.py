"""The id that names a signing key: the `kid` of the tokens that it signs."""

import re
import secrets

from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli.errors import CommandError

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def full_kid(key_id: str, kid_prefix: str) -> str:
    """Return the `kid` for a key id that a person gave, with or without the App ID.

    Raises:
        CommandError: it is not a key id, or another App ID's.
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


def random_key_id() -> str:
    """Return a key id for a key that nobody else names."""
    return secrets.token_hex(4)
