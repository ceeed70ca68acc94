"""The clients as a table, or as JSON."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from jitsi_tokens.core.clients import KEY_DIGITS
from jitsi_tokens_cli.output import echo_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jitsi_tokens.core.clients import Client
    from jitsi_tokens_cli.client.store import StoredKey

_HEADINGS = [
    "Client",
    "Rooms",
    "Moderator",
    "Longest lifetime",
    "Longest advance",
    "Features",
    "Diagnostics",
    "API keys",
]


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


def put_clients(keys: Sequence[StoredKey]) -> None:
    """Show the clients to a person."""
    echo_table(
        _HEADINGS,
        [
            [
                name,
                *_policy_cells(group[0]),
                "\n".join(f"{key.digest[:KEY_DIGITS]}  {key.created_at}" for key in group),
            ]
            for name, _, group in _grouped(keys)
        ],
    )


def _grouped(
    keys: Sequence[StoredKey],
) -> Iterator[tuple[str, Client | None, list[StoredKey]]]:
    # Keys of one client that differ in policy are shown apart: they should not be there.
    def of(key: StoredKey) -> tuple[str, str]:
        return key.name, key.rejection_reason or str(key.client)

    for (name, _), found in groupby(sorted(keys, key=of), key=of):
        group = list(found)
        yield name, group[0].client, group


def _policy_cells(key: StoredKey) -> list[str]:
    if key.client is None:
        return [f"refused: {key.rejection_reason}", "", "", "", "", ""]
    policy = key.client.policy
    return [
        "\n".join(policy.rooms) or "none",
        "yes" if policy.moderator else "no",
        _limit(policy.max_lifetime_seconds),
        _limit(policy.max_advance_seconds),
        ", ".join(policy.features) or "none",
        "yes" if policy.diagnostics else "no",
    ]


def _limit(seconds: int | None) -> str:
    return "the stack's" if seconds is None else f"{seconds} s"
