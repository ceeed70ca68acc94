"""Clients as a table and as JSON, and what to do with a new API key."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from jitsi_tokens_cli.output import echo_table, info, is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jitsi_tokens.core.clients import Client
    from jitsi_tokens.core.policy import Policy
    from jitsi_tokens_cli.client.store import StoredKey

_HEADINGS = ["Client", "Rooms", "Rights", "Lifetime", "Advance", "API keys"]
_DIGITS = 8


def documents(keys: Sequence[StoredKey]) -> list[dict[str, Any]]:
    """Return the clients for a script; the policy is null where it cannot be read."""
    return [
        {
            "client": name,
            "policy": asdict(client.policy) if client else None,
            "keys": [{"digest": key.digest, "createdAt": key.created_at} for key in group],
        }
        for name, client, group in _grouped(keys)
    ]


def echo_clients(keys: Sequence[StoredKey], *, wide: bool) -> None:
    """Print one line a client; digests in full, with their times, if `wide` or piped."""
    wide = wide or not is_terminal(sys.stdout)
    rows = []
    for name, client, group in _grouped(keys):
        shown = [
            f"{key.digest} {key.created_at}" if wide else key.digest[:_DIGITS] for key in group
        ]
        cells = _cells(client.policy) if client else [_refusal(group[0]), "", "", ""]
        rows.append([name or "-", *cells, ", ".join(shown)])
    echo_table(_HEADINGS, rows, wide=wide)


def info_next_steps(url: str, policy: Policy) -> None:
    """Say where an API key goes, and how to try it, without naming it."""
    path, post = "jitsi/diagnostics", ""
    if policy.rooms:
        body = {"userId": "1", "userName": "Test", "roomName": _example_room(policy)}
        path = "jitsi/jwt"
        post = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    elif policy.visits:
        path = "visits?from=2027-01-01T00:00:00Z&to=2027-01-02T00:00:00Z"
    info(
        "Give the application these two, the key from a secret store:\n"
        f"  export JITSI_TOKENS_URL={url}\n"
        "  export JITSI_TOKENS_API_KEY=...\n"
        "Try it:\n"
        f'  curl "$JITSI_TOKENS_URL/api/{path}"'
        f' -H "Authorization: Bearer $JITSI_TOKENS_API_KEY"{post}'
    )


def _example_room(policy: Policy) -> str:
    return (policy.rooms or ["*"])[0].replace("*", "123")


def _grouped(
    keys: Sequence[StoredKey],
) -> Iterator[tuple[str, Client | None, list[StoredKey]]]:
    # Keys of one client that differ in policy are shown apart: they should not be there.
    def of(key: StoredKey) -> tuple[str, str]:
        return key.name, key.rejection_reason or str(key.client)

    for (name, _), found in groupby(sorted(keys, key=of), key=of):
        group = list(found)
        yield name, group[0].client, group


def _refusal(key: StoredKey) -> str:
    return f"refused: {key.rejection_reason}"


def _cells(policy: Policy) -> list[str]:
    rights = [
        *(["moderator"] if policy.moderator else []),
        *(["diagnostics"] if policy.diagnostics else []),
        *(["visits"] if policy.visits else []),
        *(["moderator-links"] if policy.moderator_links else []),
        *policy.features,
    ]
    limits = (policy.max_lifetime_seconds, policy.max_advance_seconds)
    return [
        ", ".join(policy.rooms) or "none",
        ", ".join(rights) or "-",
        *("stack's" if seconds is None else f"{seconds} s" for seconds in limits),
    ]
