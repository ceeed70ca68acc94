"""Which client, and which of its API keys, a command is about."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jitsi_tokens.clients import Client
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from jitsi_tokens_cli.client_policy import PolicyOptions
    from jitsi_tokens_cli.client_store import StoredKey

_DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")


def client_to_add(name: str, options: PolicyOptions, keys: list[StoredKey]) -> Client:
    """Return the client that gets one more API key: a new one, or the one that has these.

    Raises:
        CommandError: the options are not those of the client that is there.
    """
    if not keys:
        return Client(name=name, policy=options.policy())
    present = keys[0].client
    if present is None or any(key.client != present for key in keys):
        raise CommandError(
            f"The policy of {name} cannot be read, or is not the same for all its API keys: run"
            " `client set` first."
        )
    if options.given and options.policy() != present.policy:
        raise CommandError(
            f"{name} exists with another policy. Run `client set` to change it, or `client add`"
            " without policy options for one more API key."
        )
    return present


def known(name: str, keys: list[StoredKey]) -> list[StoredKey]:
    """Return the API keys, if there are any.

    Raises:
        CommandError: there is no such client.
    """
    if not keys:
        raise CommandError(
            f"There is no client {name}. `client list` names them; a new one is found in a moment."
        )
    return keys


def one_key(keys: list[StoredKey], prefix: str) -> list[StoredKey]:
    """Return the one API key whose digest begins so.

    Raises:
        CommandError: there is none, or more than one.
    """
    if not _DIGEST_PREFIX.fullmatch(prefix.lower()):
        raise CommandError("--key takes 8 to 64 hex digits, as `client list` shows them.")
    found = [key for key in keys if key.digest.startswith(prefix.lower())]
    if len(found) != 1:
        raise CommandError(f"{len(found)} API keys of this client have a digest that begins so.")
    return found


def counted(keys: list[StoredKey]) -> str:
    """Return how many they are, in words."""
    return "1 API key" if len(keys) == 1 else f"{len(keys)} API keys"
