"""The API keys that a client command is about."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jitsi_tokens.core.clients import KEY_DIGITS
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.output import info

if TYPE_CHECKING:
    from jitsi_tokens.core.clients import Client
    from jitsi_tokens_cli.client.store import StoredKey

# How many digits of a digest tell apart the API keys of one client.
SHORT = 8
# It could be the newest.
_UNKNOWN = datetime.max.replace(tzinfo=UTC)


def known(name: str, keys: list[StoredKey]) -> list[StoredKey]:
    """Return a client's API keys, of which there is one at least.

    Raises:
        CommandError: there is no such client.
    """
    if not keys:
        raise CommandError(f"There is no client {name}. `client list` names them.")
    return keys


def well_filed(keys: list[StoredKey]) -> list[StoredKey]:
    """Return the API keys that belong to this client alone; warn about the others.

    The authorizer refuses those, and changing the client must not enable them.
    """
    misfiled = [key for key in keys if key.is_misfiled]
    for key in misfiled:
        info(
            f"Skipped API key {described(key)}, which does not work: {key.rejection_reason}."
            f" Delete it with `client revoke --key {key.digest[:KEY_DIGITS]}`."
        )
    return [key for key in keys if not key.is_misfiled]


def holder(keys: list[StoredKey]) -> Client:
    """Return the client that holds these API keys, and would hold one more.

    Raises:
        CommandError: its policy cannot be told.
    """
    present = keys[0].client
    if present is None or any(key.client != present for key in keys):
        raise CommandError(
            f"The policy of {keys[0].name} cannot be read, or is not the same for all its API"
            " keys: run `client set` first."
        )
    return present


def max_advance_of(keys: list[StoredKey]) -> int | None:
    """Return how far ahead a client's tokens may begin, in seconds; None: the stack's limit.

    0 where its API keys differ in it, or none can be read.
    """
    found = {key.client.policy.max_advance_seconds for key in keys if key.client}
    return found.pop() if len(found) == 1 else 0


def digest_digits(text: str, least: int) -> str:
    """Return the first digits of an API key's digest, which are that many at least, in lower case.

    Raises:
        UsageError: it is something else.
    """
    digits = text.lower()
    if not re.fullmatch(f"[0-9a-f]{{{least},64}}", digits):
        raise UsageError(f"--key takes {least} to 64 hex digits, as `client list` shows them.")
    return digits


def one_key(keys: list[StoredKey], prefix: str, *, least: int) -> list[StoredKey]:
    """Return the one API key whose digest begins so; `least` is how many digits that takes.

    Raises:
        UsageError: none can.
        CommandError: none does, or several do.
    """
    digits = digest_digits(prefix, least)
    found = [key for key in keys if key.digest.startswith(digits)]
    if len(found) != 1:
        raise CommandError(f"{len(found)} API keys have a digest that begins with these digits.")
    return found


def by_age(keys: list[StoredKey]) -> list[StoredKey]:
    """Return a client's API keys, the newest last.

    Raises:
        CommandError: which one is the newest cannot be told.
    """
    times = [_made_at(key) or _UNKNOWN for key in keys]
    newest = max(times)
    if len(keys) > 1 and (newest == _UNKNOWN or times.count(newest) > 1):
        raise CommandError(
            f"It is unknown which API key of {keys[0].name} is the newest: their times are the"
            " same, or cannot be read. `client list` shows them; revoke unused ones with `client"
            " revoke --key`."
        )
    return sorted(keys, key=lambda key: _made_at(key) or _UNKNOWN)


def time_of_next(keys: list[StoredKey], now: datetime) -> datetime:
    """Return when a further API key was made: later than the others, to the second.

    A clock that lags, or two commands in one second, must not make an earlier key the newest.
    """
    times = [made_at for key in keys if (made_at := _made_at(key))]
    return max([now, *(made_at + timedelta(seconds=1) for made_at in times)])


def counted(keys: list[StoredKey]) -> str:
    """Return how many API keys these are."""
    return "1 API key" if len(keys) == 1 else f"{len(keys)} API keys"


def described(key: StoredKey) -> str:
    """Return how a person recognises an API key in `client list`."""
    return f"{key.digest[:SHORT]} of {key.created_at}"


def _made_at(key: StoredKey) -> datetime | None:
    try:
        made_at = datetime.fromisoformat(key.created_at)
    except ValueError:
        return None
    return made_at if made_at.tzinfo else None
