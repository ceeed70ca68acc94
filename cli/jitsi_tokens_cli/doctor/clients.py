"""The check of the table of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.core.clients import KEY_DIGITS
from jitsi_tokens_cli.checks import Check, failed, passed, skipped
from jitsi_tokens_cli.client.keys import counted
from jitsi_tokens_cli.client.store import ClientStore
from jitsi_tokens_cli.doctor.unknown import Unknown, attempt

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack

_NAME = "clients"
_MOST_SHOWN = 10


def clients_check(stack: Stack) -> Check:
    """Look through the whole table for API keys that the authorizer refuses."""
    keys = attempt(ClientStore(stack).all_keys)
    if isinstance(keys, Unknown):
        if keys.denied:
            # Neither an auditor nor a key operator is to read who the clients are.
            return skipped(_NAME, "Only ClientOperatorPolicy may read the clients.")
        return keys.skipped(_NAME)
    refused = [key for key in keys if key.rejection_reason]
    if not refused:
        return passed(_NAME, f"{counted(keys)}, each filed under the client of its record.")
    shown = [f"{key.digest[:KEY_DIGITS]} ({key.rejection_reason})" for key in refused[:_MOST_SHOWN]]
    more = len(refused) - len(shown)
    return failed(
        _NAME,
        f"{counted(refused)} that the authorizer refuses: {'; '.join(shown)}"
        + (f"; and {more} more." if more else "."),
        "`jitsi-tokens client set` mends a record that cannot be read. Revoke the others with"
        " `jitsi-tokens client revoke --key <digest>`, and give their users new ones (`client"
        " add`). No command writes such items: find out who did.",
    )
